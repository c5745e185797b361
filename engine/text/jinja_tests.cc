// The tests of "value is name".
#include <algorithm>
#include <unordered_map>

#include "engine/text/jinja_filters.h"
#include "engine/text/jinja_text.h"

namespace hearth::engine::jinja {
namespace {

using Test = bool (*)(const Value& value, const CallArguments& arguments, Budget& budget);
using Predicate = bool (*)(const Value& value);

int64_t RequireInteger(const Value& value, const char* test) {
  if (!value.IsInteger()) {
    throw Error(std::string("the test '") + test + "' needs an integer, not " +
                std::string(value.TypeName()));
  }
  return value.Integer();
}

bool DivisibleBy(const Value& value, const CallArguments& arguments, Budget&) {
  const int64_t divisor = RequireInteger(arguments.Required(0, "num"), "divisibleby");
  if (divisor == 0) throw Error("the test 'divisibleby' cannot divide by zero");
  // x % -1 traps for the smallest integer.
  return divisor == -1 || RequireInteger(value, "divisibleby") % divisor == 0;
}

bool EqualTo(const Value& value, const CallArguments& arguments, Budget& budget) {
  return Equal(value, arguments.Required(0, "other"), budget);
}

// Values have no identity here; equal and of one type is what `x is sameas true` asks for.
bool SameAs(const Value& value, const CallArguments& arguments, Budget& budget) {
  const Value& other = arguments.Required(0, "other");
  return value.TypeName() == other.TypeName() && Equal(value, other, budget);
}

bool LessThan(const Value& value, const CallArguments& arguments, Budget&) {
  return Less(value, arguments.Required(0, "other"));
}

bool GreaterThan(const Value& value, const CallArguments& arguments, Budget&) {
  return Less(arguments.Required(0, "other"), value);
}

template <Test Other>
bool Not(const Value& value, const CallArguments& arguments, Budget& budget) {
  return !Other(value, arguments, budget);
}

bool InTest(const Value& value, const CallArguments& arguments, Budget& budget) {
  return IsIn(value, arguments.Required(0, "seq"), budget);
}

bool IsSequence(const Value& v) {
  return v.IsString() || v.AsList() != nullptr || v.AsDict() != nullptr;
}

const std::unordered_map<std::string_view, Predicate>& Predicates() {
  static const std::unordered_map<std::string_view, Predicate> predicates = {
      {"defined", [](const Value& v) { return !v.IsUndefined(); }},
      {"undefined", [](const Value& v) { return v.IsUndefined(); }},
      {"none", [](const Value& v) { return v.IsNone(); }},
      {"string", [](const Value& v) { return v.IsString(); }},
      {"number", [](const Value& v) { return v.IsNumber(); }},
      {"integer", [](const Value& v) { return v.Is<int64_t>(); }},
      {"float", [](const Value& v) { return v.Is<double>(); }},
      {"boolean", [](const Value& v) { return v.Is<bool>(); }},
      {"true", [](const Value& v) { return v.Is<bool>() && v.Truth(); }},
      {"false", [](const Value& v) { return v.Is<bool>() && !v.Truth(); }},
      {"mapping", [](const Value& v) { return v.AsDict() != nullptr; }},
      {"sequence", IsSequence},
      // Jinja's undefined iterates as an empty sequence.
      {"iterable", [](const Value& v) { return IsSequence(v) || v.IsUndefined(); }},
      {"callable", [](const Value& v) { return v.AsCallable() != nullptr; }},
      {"odd", [](const Value& v) { return RequireInteger(v, "odd") % 2 != 0; }},
      {"even", [](const Value& v) { return RequireInteger(v, "even") % 2 == 0; }},
  };
  return predicates;
}

const std::unordered_map<std::string_view, Test>& Tests() {
  static const std::unordered_map<std::string_view, Test> tests = {
      {"eq", EqualTo},          {"equalto", EqualTo},         {"==", EqualTo},
      {"ne", Not<EqualTo>},     {"!=", Not<EqualTo>},         {"sameas", SameAs},
      {"lt", LessThan},         {"lessthan", LessThan},       {"<", LessThan},
      {"gt", GreaterThan},      {"greaterthan", GreaterThan}, {">", GreaterThan},
      {"le", Not<GreaterThan>}, {"<=", Not<GreaterThan>},     {"ge", Not<LessThan>},
      {">=", Not<LessThan>},    {"divisibleby", DivisibleBy}, {"in", InTest},
  };
  return tests;
}

}  // namespace

bool CallTest(std::string_view name, const Value& value, const CallArguments& arguments,
              Budget& budget) {
  budget.Charge(1);
  if (const auto it = Predicates().find(name); it != Predicates().end()) {
    arguments.Check(name, {});
    return it->second(value);
  }
  const auto it = Tests().find(name);
  if (it == Tests().end()) {
    throw Error("the test '" + std::string(name) + "' is unknown or not supported");
  }
  return it->second(value, arguments, budget);
}

bool IsIn(const Value& item, const Value& container, Budget& budget) {
  if (const Text* text = container.AsText()) {
    if (!item.IsString()) {
      throw Error("'in' of a string needs a string, not " + std::string(item.TypeName()));
    }
    return FindText(text->bytes(), item.AsText()->bytes(), 0, budget) != std::string::npos;
  }
  if (const List* list = container.AsList()) {
    return std::any_of(list->items.begin(), list->items.end(),
                       [&](const Value& other) { return Equal(item, other, budget); });
  }
  if (const Dict* dict = container.AsDict()) {
    ChargeKey(item, budget);
    return dict->Find(item) != nullptr;
  }
  if (container.IsUndefined()) return false;
  throw Error("'in' needs a string, a list or a dict, not " + std::string(container.TypeName()));
}

}  // namespace hearth::engine::jinja
