#include "engine/text/jinja_filters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "engine/text/jinja_format.h"
#include "engine/text/jinja_text.h"

namespace hearth::engine::jinja {
namespace {

using Filter = Value (*)(const Value& input, const CallArguments& arguments, Budget& budget);

Value TextValue(Text text, Budget& budget) {
  budget.ChargeBytes(text.size());
  return Value(std::move(text));
}

Text TextOr(const Text* text, const char* absent) { return text == nullptr ? Text(absent) : *text; }

Value UndefinedItem(const char* filter) {
  return Value::MakeUndefined(std::string("the result of '") + filter +
                              "' is undefined: nothing is there");
}

// ---- sequences ---------------------------------------------------------------------------------

// "a.b.0": what map, selectattr, sort, join, ... take as attribute.
Value GetPath(const Value& value, const Value& path, Budget& budget) {
  if (!path.IsString()) return ItemOrUndefined(value, path, budget);
  const std::string& names = path.AsText()->bytes();
  Value current = value;
  for (size_t begin = 0; begin <= names.size();) {
    const size_t end = std::min(names.find('.', begin), names.size());
    const std::string name = names.substr(begin, end - begin);
    int64_t index = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool is_index = parsed.ec == std::errc() && parsed.ptr == name.data() + name.size();
    current = ItemOrUndefined(current, is_index ? Value(index) : Value(Text(name)), budget);
    begin = end + 1;
  }
  return current;
}

// The arguments without their first `count`, for the test or filter that they name.
CallArguments Rest(const CallArguments& arguments, size_t count, Budget& budget) {
  budget.Charge(static_cast<int64_t>(arguments.positional.size()));
  CallArguments rest;
  rest.named = arguments.named;
  const size_t skipped = std::min(count, arguments.positional.size());
  rest.positional.assign(arguments.positional.begin() + static_cast<ptrdiff_t>(skipped),
                         arguments.positional.end());
  return rest;
}

// select, reject, selectattr and rejectattr.
Value Select(const Value& input, const CallArguments& arguments, bool keep, bool by_attribute,
             Budget& budget) {
  const size_t test_at = by_attribute ? 1 : 0;
  const Value attribute = by_attribute ? arguments.Required(0, "attribute") : Value();
  const bool has_test = arguments.positional.size() > test_at;
  const Text test = has_test ? arguments.RequiredText(test_at, "test") : Text();
  const CallArguments test_arguments = Rest(arguments, test_at + 1, budget);
  std::vector<Value> kept;
  for (const Value& item : Iterate(input, budget)) {
    budget.Charge(1);
    const Value subject = by_attribute ? GetPath(item, attribute, budget) : item;
    const bool passes =
        has_test ? CallTest(test.bytes(), subject, test_arguments, budget) : subject.Truth();
    if (passes == keep) kept.push_back(item);
  }
  return Value::MakeList(std::move(kept));
}

Value MapFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  const bool by_attribute = arguments.positional.empty();
  const Value first = by_attribute ? arguments.Required(0, "attribute") : arguments.positional[0];
  const Value* absent = by_attribute ? arguments.Find(1, "default") : nullptr;
  const CallArguments rest = Rest(arguments, 1, budget);
  if (!by_attribute && !first.IsString())
    throw Error("map needs the name of a filter or attribute=");
  std::vector<Value> mapped;
  for (const Value& item : Iterate(input, budget)) {
    budget.Charge(1);
    if (!by_attribute) {
      mapped.push_back(CallFilter(first.AsText()->bytes(), item, rest, budget));
      continue;
    }
    Value value = GetPath(item, first, budget);
    mapped.push_back(value.IsUndefined() && absent != nullptr ? *absent : std::move(value));
  }
  return Value::MakeList(std::move(mapped));
}

Value JoinFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("join", {"d", "attribute"});
  const Text separator = TextOr(arguments.TextIfAny(0, "d"), "");
  const Value* attribute = arguments.Find(1, "attribute");
  Text out;
  bool first = true;
  for (const Value& item : Iterate(input, budget)) {
    if (!std::exchange(first, false)) out.Append(separator);
    const Text part =
        ToText(attribute == nullptr ? item : GetPath(item, *attribute, budget), budget);
    budget.ChargeBytes(separator.size() + part.size());
    Budget::CheckLength(out.size() + part.size());
    out.Append(part);
  }
  return Value(std::move(out));
}

// What sort, unique, min, max and dictsort compare: strings without regard to case unless asked.
Value SortKey(const Value& value, bool case_sensitive, Budget& budget) {
  if (case_sensitive || !value.IsString()) return value;
  return Value(Lower(*value.AsText(), budget));
}

void ChargeSort(size_t count, Budget& budget) {
  budget.Charge(static_cast<int64_t>(count) * (1 + std::bit_width(count)));
}

template <typename GetKey>
void SortBy(std::vector<Value>& items, bool reverse, Budget& budget, const GetKey& get_key) {
  ChargeSort(items.size(), budget);
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& item : items) keyed.emplace_back(get_key(item), item);
  std::stable_sort(keyed.begin(), keyed.end(), [reverse](const auto& a, const auto& b) {
    return reverse ? Less(b.first, a.first) : Less(a.first, b.first);
  });
  for (size_t i = 0; i < items.size(); ++i) items[i] = keyed[i].second;
}

Value SortFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("sort", {"reverse", "case_sensitive", "attribute"});
  const bool case_sensitive = arguments.FlagOr(1, "case_sensitive", false);
  const Value* attribute = arguments.Find(2, "attribute");
  std::vector<Value> items = Iterate(input, budget);
  SortBy(items, arguments.FlagOr(0, "reverse", false), budget, [&](const Value& item) {
    return SortKey(attribute == nullptr ? item : GetPath(item, *attribute, budget), case_sensitive,
                   budget);
  });
  return Value::MakeList(std::move(items));
}

Value DictSortFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("dictsort", {"case_sensitive", "by", "reverse"});
  if (input.AsDict() == nullptr) throw Error("dictsort needs a dict");
  const bool case_sensitive = arguments.FlagOr(0, "case_sensitive", false);
  const size_t part = TextOr(arguments.TextIfAny(1, "by"), "key").bytes() == "value" ? 1 : 0;
  std::vector<Value> items;
  for (const auto& [key, value] : input.AsDict()->entries()) {
    items.push_back(Value::MakeList({key, value}, /*is_tuple=*/true));
  }
  SortBy(items, arguments.FlagOr(2, "reverse", false), budget, [&](const Value& item) {
    return SortKey(item.AsList()->items[part], case_sensitive, budget);
  });
  return Value::MakeList(std::move(items));
}

Value UniqueFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("unique", {"case_sensitive", "attribute"});
  const bool case_sensitive = arguments.FlagOr(0, "case_sensitive", false);
  const Value* attribute = arguments.Find(1, "attribute");
  Dict seen;
  std::vector<Value> kept;
  for (const Value& item : Iterate(input, budget)) {
    const Value key = SortKey(attribute == nullptr ? item : GetPath(item, *attribute, budget),
                              case_sensitive, budget);
    if (seen.Find(key) != nullptr) continue;
    seen.Set(key, Value(true));
    kept.push_back(item);
  }
  return Value::MakeList(std::move(kept));
}

Value Extreme(const Value& input, bool largest, Budget& budget) {
  std::vector<Value> items = Iterate(input, budget);
  if (items.empty()) return UndefinedItem(largest ? "max" : "min");
  SortBy(items, largest, budget, [&](const Value& item) { return SortKey(item, false, budget); });
  return items.front();
}

Value SumFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("sum", {"attribute"});
  const Value* attribute = arguments.Find(0, "attribute");
  int64_t integer_sum = 0;
  double sum = 0;
  bool is_integer = true;
  for (const Value& item : Iterate(input, budget)) {
    const Value number = attribute == nullptr ? item : GetPath(item, *attribute, budget);
    if (!number.IsNumber()) throw Error("sum needs numbers, not " + std::string(number.TypeName()));
    sum += number.Number();
    is_integer = is_integer && number.IsInteger();
    if (is_integer && __builtin_add_overflow(integer_sum, number.Integer(), &integer_sum)) {
      throw Error("sum: the result does not fit into 64 bits");
    }
  }
  return is_integer ? Value(integer_sum) : Value(sum);
}

Value ReverseFilter(const Value& input, const CallArguments&, Budget& budget) {
  if (input.IsString()) return SliceValue(input, {.start = {}, .stop = {}, .step = -1}, budget);
  std::vector<Value> items = Iterate(input, budget);
  std::reverse(items.begin(), items.end());
  return Value::MakeList(std::move(items));
}

Value FirstFilter(const Value& input, const CallArguments&, Budget& budget) {
  const std::vector<Value> items = Iterate(input, budget);
  return items.empty() ? UndefinedItem("first") : items.front();
}

Value LastFilter(const Value& input, const CallArguments&, Budget& budget) {
  const std::vector<Value> items = Iterate(input, budget);
  return items.empty() ? UndefinedItem("last") : items.back();
}

Value LengthFilter(const Value& input, const CallArguments&, Budget& budget) {
  size_t length = 0;
  if (const Text* text = input.AsText()) {
    budget.ChargeBytes(text->size());
    length = CountCharacters(text->bytes());
  } else if (const List* list = input.AsList()) {
    length = list->items.size();
  } else if (const Dict* dict = input.AsDict()) {
    length = dict->size();
  } else if (!input.IsUndefined()) {
    throw Error("a value of type " + std::string(input.TypeName()) + " has no length");
  }
  return Value(static_cast<int64_t>(length));
}

Value ItemsFilter(const Value& input, const CallArguments&, Budget& budget) {
  if (input.IsUndefined()) return Value::MakeList({});
  if (input.AsDict() == nullptr)
    throw Error("items needs a dict, not " + std::string(input.TypeName()));
  std::vector<Value> items;
  budget.Charge(static_cast<int64_t>(input.AsDict()->size()));
  for (const auto& [key, value] : input.AsDict()->entries()) {
    items.push_back(Value::MakeList({key, value}, /*is_tuple=*/true));
  }
  return Value::MakeList(std::move(items));
}

// ---- scalars -----------------------------------------------------------------------------------

Value DefaultFilter(const Value& input, const CallArguments& arguments, Budget&) {
  arguments.Check("default", {"default_value", "boolean"});
  const bool replace =
      input.IsUndefined() || (arguments.FlagOr(1, "boolean", false) && !input.Truth());
  if (!replace) return input;
  const Value* value = arguments.Find(0, "default_value");
  return value == nullptr ? Value(Text()) : *value;
}

template <typename Number>
std::optional<Number> ParseNumber(const Text& text, Budget& budget) {
  const Text stripped = Strip(text, StripSide::kBoth, nullptr, budget);
  std::string_view digits = stripped.bytes();
  if (digits.starts_with('+')) digits.remove_prefix(1);
  Number number{};
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = result.ec == std::errc() && result.ptr == digits.data() + digits.size();
  return whole ? std::optional(number) : std::nullopt;
}

Value IntFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("int", {"default"});
  if (input.IsInteger()) return Value(input.Integer());
  std::optional<double> number;
  if (input.IsNumber()) number = input.Number();
  if (const Text* text = input.AsText()) {
    if (const auto integer = ParseNumber<int64_t>(*text, budget)) return Value(*integer);
    number = ParseNumber<double>(*text, budget);
  }
  if (!number || !(std::abs(*number) < 9e18)) return Value(arguments.IntegerOr(0, "default", 0));
  return Value(static_cast<int64_t>(*number));
}

Value FloatFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("float", {"default"});
  if (input.IsNumber()) return Value(input.Number());
  if (const Text* text = input.AsText()) {
    if (const auto number = ParseNumber<double>(*text, budget)) return Value(*number);
  }
  const Value* absent = arguments.Find(0, "default");
  return absent == nullptr ? Value(0.0) : *absent;
}

Value AbsFilter(const Value& input, const CallArguments&, Budget&) {
  if (!input.IsNumber()) throw Error("abs needs a number, not " + std::string(input.TypeName()));
  if (!input.IsInteger()) return Value(std::abs(input.Number()));
  if (input.Integer() == INT64_MIN) throw Error("abs: the result does not fit into 64 bits");
  return Value(std::abs(input.Integer()));
}

Value RoundFilter(const Value& input, const CallArguments& arguments, Budget&) {
  arguments.Check("round", {"precision", "method"});
  if (!input.IsNumber()) throw Error("round needs a number, not " + std::string(input.TypeName()));
  const int64_t precision = std::clamp<int64_t>(arguments.IntegerOr(0, "precision", 0), -15, 15);
  const std::string method = TextOr(arguments.TextIfAny(1, "method"), "common").bytes();
  const double scale = std::pow(10.0, static_cast<double>(precision));
  const double scaled = input.Number() * scale;
  // nearbyint rounds halves to even, as Python's round.
  const double rounded = method == "ceil"    ? std::ceil(scaled)
                         : method == "floor" ? std::floor(scaled)
                                             : std::nearbyint(scaled);
  return Value(rounded / scale);
}

// ---- strings -----------------------------------------------------------------------------------

template <Text (*Map)(const Text&, Budget&)>
Value MapText(const Value& input, const CallArguments&, Budget& budget) {
  return Value(Map(ToText(input, budget), budget));
}

Value StringFilter(const Value& input, const CallArguments&, Budget& budget) {
  return TextValue(ToText(input, budget), budget);
}

Value TrimFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("trim", {"chars"});
  return Value(
      Strip(ToText(input, budget), StripSide::kBoth, arguments.TextIfAny(0, "chars"), budget));
}

Value ReplaceFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("replace", {"old", "new", "count"});
  return Value(Replace(ToText(input, budget), arguments.RequiredText(0, "old"),
                       arguments.RequiredText(1, "new"), arguments.IntegerOr(2, "count", -1),
                       budget));
}

Value IndentFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("indent", {"width", "first", "blank"});
  const Value* width = arguments.Find(0, "width");
  Text indention("    ");
  if (width != nullptr && width->IsString()) {
    indention = *width->AsText();
  } else {
    const int64_t spaces = std::clamp<int64_t>(arguments.IntegerOr(0, "width", 4), 0, 1000);
    indention = Text(std::string(static_cast<size_t>(spaces), ' '));
  }
  return Value(Indent(ToText(input, budget), indention, arguments.FlagOr(1, "first", false),
                      arguments.FlagOr(2, "blank", false), budget));
}

Value FormatFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  return Value(FormatPercent(ToText(input, budget), arguments.positional, budget));
}

// Hugging Face's tojson: json.dumps without HTML escapes, and ensure_ascii off.
Value ToJsonFilter(const Value& input, const CallArguments& arguments, Budget& budget) {
  arguments.Check("tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = arguments.FlagOr(0, "ensure_ascii", false);
  const Value* indent = arguments.Find(1, "indent");
  if (indent != nullptr && !indent->IsNone()) {
    style.indent =
        static_cast<int>(std::clamp<int64_t>(arguments.IntegerOr(1, "indent", 0), 0, 100));
    style.item_separator = ",";
  }
  if (const Value* separators = arguments.Find(2, "separators");
      separators != nullptr && !separators->IsNone()) {
    const List* list = separators->AsList();
    if (list == nullptr || list->items.size() != 2 || !list->items[0].IsString() ||
        !list->items[1].IsString()) {
      throw Error("tojson: separators must be two strings");
    }
    style.item_separator = list->items[0].AsText()->bytes();
    style.key_separator = list->items[1].AsText()->bytes();
  }
  style.sort_keys = arguments.FlagOr(3, "sort_keys", false);
  return TextValue(ToJson(input, style, budget), budget);
}

const std::unordered_map<std::string_view, Filter>& Filters() {
  static const std::unordered_map<std::string_view, Filter> filters = {
      {"abs", AbsFilter},
      {"capitalize", MapText<Capitalize>},
      {"count", LengthFilter},
      {"d", DefaultFilter},
      {"default", DefaultFilter},
      {"dictsort", DictSortFilter},
      {"first", FirstFilter},
      {"float", FloatFilter},
      {"format", FormatFilter},
      {"indent", IndentFilter},
      {"int", IntFilter},
      {"items", ItemsFilter},
      {"join", JoinFilter},
      {"last", LastFilter},
      {"length", LengthFilter},
      {"list", [](const Value& v, const CallArguments&,
                  Budget& b) { return Value::MakeList(Iterate(v, b)); }},
      {"lower", MapText<Lower>},
      {"map", MapFilter},
      {"max", [](const Value& v, const CallArguments&, Budget& b) { return Extreme(v, true, b); }},
      {"min", [](const Value& v, const CallArguments&, Budget& b) { return Extreme(v, false, b); }},
      {"reject", [](const Value& v, const CallArguments& a,
                    Budget& b) { return Select(v, a, false, false, b); }},
      {"rejectattr", [](const Value& v, const CallArguments& a,
                        Budget& b) { return Select(v, a, false, true, b); }},
      {"replace", ReplaceFilter},
      {"reverse", ReverseFilter},
      {"round", RoundFilter},
      {"safe", StringFilter},  // nothing is escaped, so nothing needs to be declared safe
      {"select", [](const Value& v, const CallArguments& a,
                    Budget& b) { return Select(v, a, true, false, b); }},
      {"selectattr", [](const Value& v, const CallArguments& a,
                        Budget& b) { return Select(v, a, true, true, b); }},
      {"sort", SortFilter},
      {"string", StringFilter},
      {"sum", SumFilter},
      {"title", MapText<Title>},
      {"tojson", ToJsonFilter},
      {"trim", TrimFilter},
      {"unique", UniqueFilter},
      {"upper", MapText<Upper>},
  };
  return filters;
}

}  // namespace

Value CallFilter(std::string_view name, const Value& input, const CallArguments& arguments,
                 Budget& budget) {
  const auto filter = Filters().find(name);
  if (filter == Filters().end()) {
    throw Error("the filter '" + std::string(name) + "' is unknown or not supported");
  }
  budget.Charge(1);
  const Budget::DepthGuard guard(budget);  // map('map', ...) recurses
  return filter->second(input, arguments, budget);
}

}  // namespace hearth::engine::jinja
