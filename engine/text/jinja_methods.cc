#include "engine/text/jinja_methods.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <unordered_map>

#include "engine/text/jinja_format.h"
#include "engine/text/jinja_text.h"
#include "engine/text/unicode.h"

namespace hearth::engine::jinja {
namespace {

// What Python's sandbox of Jinja allows too (MAX_RANGE).
constexpr int64_t kRangeMax = 100'000;

// ---- strings -----------------------------------------------------------------------------------

using TextMethod = Value (*)(const Text& self, const CallArguments& arguments, Budget& budget);

Value StripMethod(const Text& self, const CallArguments& arguments, StripSide side,
                  Budget& budget) {
  arguments.Check("strip", {"chars"});
  return Value(Strip(self, side, arguments.TextIfAny(0, "chars"), budget));
}

Value SplitMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  arguments.Check("split", {"sep", "maxsplit"});
  return Value::MakeList(
      Split(self, arguments.TextIfAny(0, "sep"), arguments.IntegerOr(1, "maxsplit", -1), budget));
}

Value RightSplitMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  arguments.Check("rsplit", {"sep", "maxsplit"});
  return Value::MakeList(SplitFromRight(self, arguments.RequiredText(0, "sep"),
                                        arguments.IntegerOr(1, "maxsplit", -1), budget));
}

// startswith and endswith take one string or a tuple of them.
template <typename Matches>
Value AnyAffix(const CallArguments& arguments, const char* function, Budget& budget,
               const Matches& matches) {
  arguments.Check(function, {"affix"});
  const Value& affix = arguments.Required(0, "affix");
  const auto matches_one = [&](const Text& text) {
    budget.Charge(1);
    budget.ChargeBytes(text.size());
    return matches(text.bytes());
  };
  if (affix.AsList() == nullptr) return Value(matches_one(arguments.RequiredText(0, "affix")));
  const auto& items = affix.AsList()->items;
  return Value(std::any_of(items.begin(), items.end(), [&](const Value& item) {
    return item.IsString() && matches_one(*item.AsText());
  }));
}

Value StartsWithMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  return AnyAffix(arguments, "startswith", budget,
                  [&](const std::string& prefix) { return self.bytes().starts_with(prefix); });
}

Value EndsWithMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  return AnyAffix(arguments, "endswith", budget,
                  [&](const std::string& suffix) { return self.bytes().ends_with(suffix); });
}

Value RemovePrefixMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  budget.ChargeBytes(self.size());
  const Text& prefix = arguments.RequiredText(0, "prefix");
  return Value(self.bytes().starts_with(prefix.bytes()) ? self.Substr(prefix.size()) : self);
}

Value RemoveSuffixMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  budget.ChargeBytes(self.size());
  const Text& suffix = arguments.RequiredText(0, "suffix");
  const bool ends = self.bytes().ends_with(suffix.bytes());
  return Value(ends ? self.Substr(0, self.size() - suffix.size()) : self);
}

Value ReplaceMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  arguments.Check("replace", {"old", "new", "count"});
  return Value(Replace(self, arguments.RequiredText(0, "old"), arguments.RequiredText(1, "new"),
                       arguments.IntegerOr(2, "count", -1), budget));
}

Value JoinMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  arguments.Check("join", {"iterable"});
  Text out;
  bool first = true;
  for (const Value& item : Iterate(arguments.Required(0, "iterable"), budget)) {
    if (!item.IsString())
      throw Error("str.join needs strings, not " + std::string(item.TypeName()));
    if (!std::exchange(first, false)) out.Append(self);
    budget.ChargeBytes(self.size() + item.AsText()->size());
    Budget::CheckLength(out.size() + item.AsText()->size());
    out.Append(*item.AsText());
  }
  return Value(std::move(out));
}

// Characters before byte `pos`; -1 for npos.
int64_t CharacterIndex(const Text& text, size_t pos) {
  if (pos == std::string::npos) return -1;
  return static_cast<int64_t>(CountCharacters(std::string_view(text.bytes()).substr(0, pos)));
}

Value FindMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  arguments.Check("find", {"sub"});
  const Text& part = arguments.RequiredText(0, "sub");
  return Value(CharacterIndex(self, FindText(self.bytes(), part.bytes(), 0, budget)));
}

Value CountMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  arguments.Check("count", {"sub"});
  const auto parts = Split(self, &arguments.RequiredText(0, "sub"), -1, budget);
  return Value(static_cast<int64_t>(parts.size()) - 1);
}

template <bool (*Predicate)(char32_t)>
Value AllCharacters(const Text& self, const CallArguments& arguments, Budget& budget) {
  arguments.Check("a test of characters", {});
  ChargeWalk(self.size(), budget);
  for (size_t pos = 0; pos < self.size();) {
    const DecodedChar c = DecodeUtf8(self.bytes(), pos);
    if (!Predicate(c.code_point)) return Value(false);
    pos += static_cast<size_t>(c.length);
  }
  return Value(!self.empty());
}

bool IsAlphanumeric(char32_t c) { return IsLetter(c) || IsNumber(c); }

// "{} {0} {name}".format(...), without conversions and format specifications.
Value FormatMethod(const Text& self, const CallArguments& arguments, Budget& budget) {
  const std::string& text = self.bytes();
  Text out;
  size_t next_argument = 0;
  for (size_t pos = 0; pos < text.size();) {
    const size_t brace = std::min(text.find_first_of("{}", pos), text.size());
    out.Append(self.Substr(pos, brace - pos));
    if (brace == text.size()) break;
    if (brace + 1 < text.size() && text[brace + 1] == text[brace]) {
      out.Append(std::string(1, text[brace]));
      pos = brace + 2;
      continue;
    }
    const size_t end = text.find('}', brace);
    if (text[brace] == '}' || end == std::string::npos) throw Error("format: a brace stands alone");
    const std::string field = text.substr(brace + 1, end - brace - 1);
    const bool is_index = field.find_first_not_of("0123456789") == std::string::npos;
    if (field.size() > 4 && is_index) throw Error("format: no argument " + field);
    const size_t index = field.empty() ? next_argument++ : is_index ? std::stoul(field) : SIZE_MAX;
    const Text part = ToText(arguments.Required(index, field), budget);
    budget.ChargeBytes(part.size());
    Budget::CheckLength(out.size() + part.size());
    out.Append(part);
    pos = end + 1;
  }
  return Value(std::move(out));
}

const std::unordered_map<std::string_view, TextMethod>& TextMethods() {
  static const std::unordered_map<std::string_view, TextMethod> methods = {
      {"strip", [](const Text& s, const CallArguments& a,
                   Budget& b) { return StripMethod(s, a, StripSide::kBoth, b); }},
      {"lstrip", [](const Text& s, const CallArguments& a,
                    Budget& b) { return StripMethod(s, a, StripSide::kLeft, b); }},
      {"rstrip", [](const Text& s, const CallArguments& a,
                    Budget& b) { return StripMethod(s, a, StripSide::kRight, b); }},
      {"upper", [](const Text& s, const CallArguments&, Budget& b) { return Value(Upper(s, b)); }},
      {"lower", [](const Text& s, const CallArguments&, Budget& b) { return Value(Lower(s, b)); }},
      {"title", [](const Text& s, const CallArguments&, Budget& b) { return Value(Title(s, b)); }},
      {"capitalize",
       [](const Text& s, const CallArguments&, Budget& b) { return Value(Capitalize(s, b)); }},
      {"splitlines",
       [](const Text& s, const CallArguments& a, Budget& b) {
         return Value::MakeList(SplitLines(s, a.FlagOr(0, "keepends", false), b));
       }},
      {"split", SplitMethod},
      {"rsplit", RightSplitMethod},
      {"startswith", StartsWithMethod},
      {"endswith", EndsWithMethod},
      {"removeprefix", RemovePrefixMethod},
      {"removesuffix", RemoveSuffixMethod},
      {"replace", ReplaceMethod},
      {"join", JoinMethod},
      {"find", FindMethod},
      {"count", CountMethod},
      {"isdigit", AllCharacters<IsNumber>},
      {"isalpha", AllCharacters<IsLetter>},
      {"isalnum", AllCharacters<IsAlphanumeric>},
      {"isspace", AllCharacters<IsPythonSpace>},
      {"format", FormatMethod},
  };
  return methods;
}

// ---- dicts and loops ---------------------------------------------------------------------------

constexpr std::array<std::string_view, 4> kDictMethods = {"items", "keys", "values", "get"};
constexpr std::array<std::string_view, 2> kLoopMethods = {"cycle", "changed"};

Value CallDictMethod(const Dict& dict, std::string_view name, const CallArguments& arguments,
                     Budget& budget) {
  if (name == "get") {
    arguments.Check("get", {"key", "default"});
    const Value& key = arguments.Required(0, "key");
    ChargeKey(key, budget);
    const Value* value = dict.Find(key);
    if (value != nullptr) return *value;
    const Value* absent = arguments.Find(1, "default");
    return absent == nullptr ? Value(None{}) : *absent;
  }
  arguments.Check(name, {});
  budget.Charge(static_cast<int64_t>(dict.size()));
  std::vector<Value> items;
  for (const auto& [key, value] : dict.entries()) {
    if (name == "keys") {
      items.push_back(key);
    } else if (name == "values") {
      items.push_back(value);
    } else {
      items.push_back(Value::MakeList({key, value}, /*is_tuple=*/true));
    }
  }
  return Value::MakeList(std::move(items));
}

Value CallLoopMethod(Loop& loop, std::string_view name, const CallArguments& arguments,
                     Budget& budget) {
  if (name == "cycle") {
    if (arguments.positional.empty()) throw Error("loop.cycle needs arguments");
    return arguments.positional[loop.index0 % arguments.positional.size()];
  }
  const Value seen = Value::MakeList(arguments.positional, /*is_tuple=*/true);
  const bool changed = !loop.last_changed || !Equal(*loop.last_changed, seen, budget);
  loop.last_changed = seen;
  return Value(changed);
}

// ---- globals -----------------------------------------------------------------------------------

Value Range(const CallArguments& arguments, Budget& budget) {
  arguments.Check("range", {"start", "stop", "step"});
  const bool only_stop = arguments.positional.size() == 1;
  arguments.Required(0, "stop");
  const int64_t start = only_stop ? 0 : arguments.IntegerOr(0, "start", 0);
  const int64_t stop = arguments.IntegerOr(only_stop ? 0 : 1, "stop", 0);
  const int64_t step = arguments.IntegerOr(2, "step", 1);
  if (step == 0) throw Error("range: the step cannot be zero");
  std::vector<Value> items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    if (static_cast<int64_t>(items.size()) == kRangeMax) {
      throw Error("range has more than " + std::to_string(kRangeMax) + " items",
                  StatusCode::kResourceExhausted);
    }
    budget.Charge(1);
    items.push_back(Value(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return Value::MakeList(std::move(items));
}

// Attributes of a namespace or keys of a dict: from a dict and from named arguments.
Dict NamedValues(const CallArguments& arguments, const char* function, Budget& budget) {
  Dict dict;
  for (const Value& source : arguments.positional) {
    if (source.AsDict() == nullptr) throw Error(std::string(function) + " needs a dict or names");
    for (const auto& [key, value] : source.AsDict()->entries()) dict.Set(key, value);
  }
  for (const auto& [key, value] : arguments.named) dict.Set(key, value);
  budget.Charge(static_cast<int64_t>(dict.size()));
  return dict;
}

Value StrftimeNow(const CallArguments& arguments) {
  arguments.Check("strftime_now", {"format"});
  const std::string format = arguments.RequiredText(0, "format").bytes();
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 1024> buffer{};
  const size_t length = std::strftime(buffer.data(), buffer.size(), format.c_str(), &local);
  if (length == 0 && !format.empty()) throw Error("strftime_now: the format gives no text");
  return Value(Text(std::string(buffer.data(), length)));
}

constexpr std::array<std::string_view, 5> kGlobalFunctions = {"range", "namespace", "dict",
                                                              "raise_exception", "strftime_now"};

template <typename Names>
bool Contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool HasMethod(const Value& self, std::string_view name) {
  if (self.IsString()) return TextMethods().contains(name);
  if (self.AsDict() != nullptr) return Contains(kDictMethods, name);
  return self.AsLoop() != nullptr && Contains(kLoopMethods, name);
}

Value CallMethod(const Value& self, std::string_view name, const CallArguments& arguments,
                 Budget& budget) {
  if (self.IsString()) return TextMethods().at(name)(*self.AsText(), arguments, budget);
  if (self.AsDict() != nullptr) return CallDictMethod(*self.AsDict(), name, arguments, budget);
  return CallLoopMethod(*self.AsLoop(), name, arguments, budget);
}

bool IsGlobalFunction(std::string_view name) { return Contains(kGlobalFunctions, name); }

Value CallGlobalFunction(std::string_view name, const CallArguments& arguments, Budget& budget) {
  if (name == "range") return Range(arguments, budget);
  if (name == "namespace") return Value::MakeNamespace(NamedValues(arguments, "namespace", budget));
  if (name == "dict") return Value::MakeDict(NamedValues(arguments, "dict", budget));
  if (name == "strftime_now") return StrftimeNow(arguments);
  arguments.Check("raise_exception", {"message"});
  throw Error("the chat template refuses the conversation: " +
              ToText(arguments.Required(0, "message"), budget).bytes());
}

}  // namespace hearth::engine::jinja
