#include "firmware/config/field_table.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "base/check.h"

namespace hearth::config {
namespace {

constexpr size_t kChoicesShownMax = 12;
constexpr size_t kUnknownShownMax = 20;  // of one map; each costs a search for the nearest

// Shortest text that gives the number back: 0.5, 1000000000.
std::string NumberText(double number) {
  return DumpJson(std::floor(number) == number && std::abs(number) < 1e15
                      ? Json(static_cast<int64_t>(number))
                      : Json(number));
}

std::string_view Noun(FieldType type) {
  switch (type) {
    case FieldType::kString:
      return "a string";
    case FieldType::kInteger:
      return "an integer";
    case FieldType::kNumber:
      return "a number";
    case FieldType::kBoolean:
      return "true or false";
    case FieldType::kChoice:
      return "one of its choices";
    case FieldType::kObject:
      return "a map of fields";
    case FieldType::kList:
      return "a list of strings";
    case FieldType::kAny:
      return "any value";
  }
  return "";
}

std::string RangeText(const Field& field) {
  const bool from = field.min != -Field::kNoBound;
  const bool to = field.max != Field::kNoBound;
  std::string text;
  if (from && field.min_is_excluded) text += " above " + NumberText(field.min);
  if (from && !field.min_is_excluded)
    text += to ? " from " + NumberText(field.min) : " of at least " + NumberText(field.min);
  if (to) text += (from && !field.min_is_excluded ? " to " : " up to ") + NumberText(field.max);
  return text;
}

bool IsWhole(const Json& value) {
  if (value.is_number_integer()) return true;
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();
  return std::floor(number) == number && std::abs(number) <= 0x1p53;
}

bool HasType(FieldType type, const Json& value) {
  switch (type) {
    case FieldType::kString:
    case FieldType::kChoice:
      return value.is_string();
    case FieldType::kInteger:
      return IsWhole(value);
    case FieldType::kNumber:
      return value.is_number() && std::isfinite(value.get<double>());
    case FieldType::kBoolean:
      return value.is_boolean();
    case FieldType::kObject:
      return value.is_object();
    case FieldType::kList:
      return value.is_array() && std::all_of(value.begin(), value.end(),
                                             [](const Json& item) { return item.is_string(); });
    case FieldType::kAny:
      return true;
  }
  return false;
}

bool IsInRange(const Field& field, const Json& value) {
  if (field.type != FieldType::kInteger && field.type != FieldType::kNumber) return true;
  const double number = value.get<double>();
  const bool above = field.min_is_excluded ? number > field.min : number >= field.min;
  return above && number <= field.max;
}

bool IsAmong(const Field& field, const Json& value) {
  return field.type != FieldType::kChoice ||
         std::find(field.choices.begin(), field.choices.end(), value.get<std::string>()) !=
             field.choices.end();
}

// The bounds of the member itself hold where the field states none.
void BoundBySlot(Field& field, const Slot& slot) {
  if (field.type != FieldType::kInteger) return;
  const bool is_int =
      std::holds_alternative<int*>(slot) || std::holds_alternative<std::optional<int>*>(slot);
  const double bound = is_int ? std::numeric_limits<int>::max() : 0x1p53;
  field.min = std::max(field.min, -bound);
  field.max = std::min(field.max, bound);
}

bool IsSameLetter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

// Edit distance, of insertions, deletions, replacements and swapped neighbours; case is no matter.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (IsSameLetter(a[i - 1], b[j - 1]) ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && IsSameLetter(a[i - 1], b[j - 2]) &&
                           IsSameLetter(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

class SchemaWriter : public FieldVisitor {
 public:
  Json fields = Json::array();

  void Value(Field field, const Slot& slot, const Check&) override {
    if (field.type != FieldType::kChoice) field.type = TypeOf(slot);
    Json row = Describe(field);
    row["default"] = field.required ? Json(nullptr) : ReadSlot(slot);
    fields.push_back(std::move(row));
  }
  void Object(Field field, const Members& members, bool*) override {
    field.type = FieldType::kObject;
    Json row = Describe(field);
    row["fields"] = FieldsSchema(members);
    row["default"] = nullptr;
    fields.push_back(std::move(row));
  }
  void Unused(Field field, const Check&) override {
    Json row = Describe(field);
    row["default"] = nullptr;
    fields.push_back(std::move(row));
  }

 private:
  static Json Describe(const Field& field) {
    Json row{{"name", field.name}, {"type", TypeName(field.type)}};
    if (!field.choices.empty()) row["choices"] = field.choices;
    if (!field.must_be.is_null()) row["must_be"] = field.must_be;
    if (std::isfinite(field.min)) row["min"] = field.min;
    if (std::isfinite(field.max)) row["max"] = field.max;
    if (field.min_is_excluded) row["min_excluded"] = true;
    if (!field.unit.empty()) row["unit"] = field.unit;
    if (!field.default_text.empty()) row["default_text"] = field.default_text;
    row["required"] = field.required;
    row["effect"] = EffectName(field.effect);
    if (!field.reason.empty()) row["reason"] = field.reason;
    row["help"] = field.help;
    row["allowed"] = AllowedText(field);
    row["live"] = field.live;
    row["ours"] = field.ours;
    row["secret"] = field.secret;
    return row;
  }
};

class ValueWriter : public FieldVisitor {
 public:
  Json object = Json::object();

  void Value(Field field, const Slot& slot, const Check&) override {
    object[std::string(field.name)] = ReadSlot(slot);
  }
  void Object(Field field, const Members& members, bool* present) override {
    ValueWriter writer;
    members(writer);
    writer.is_absent = present != nullptr && !*present;
    object[std::string(field.name)] = writer.is_absent ? Json(nullptr) : std::move(writer.object);
  }
  void Unused(Field, const Check&) override {}

 private:
  bool is_absent = false;
};

// Leaves out what equals the defaults, and the maps that are empty then.
Json Difference(const Json& object, const Json& defaults) {
  Json difference = Json::object();
  for (const auto& [name, value] : object.items()) {
    const auto it = defaults.find(name);
    if (value.is_null() || (it != defaults.end() && *it == value)) continue;
    if (!value.is_object()) {
      difference[name] = value;
      continue;
    }
    const bool had = it != defaults.end() && it->is_object();
    Json inner = Difference(value, had ? *it : Json::object());
    if (!inner.empty() || !had) difference[name] = std::move(inner);
  }
  return difference;
}

}  // namespace

std::string_view TypeName(FieldType type) {
  constexpr std::string_view kNames[] = {"string", "integer", "number", "boolean",
                                         "choice", "object",  "list",   "any"};
  return kNames[static_cast<size_t>(type)];
}

std::string_view EffectName(Effect effect) {
  constexpr std::string_view kNames[] = {"honoured", "inert", "refused"};
  return kNames[static_cast<size_t>(effect)];
}

std::string AllowedText(const Field& field) {
  if (!field.must_be.is_null()) return DumpJson(field.must_be);
  if (!field.allowed.empty()) return std::string(field.allowed);
  if (field.type == FieldType::kChoice) {
    const size_t shown = std::min(field.choices.size(), kChoicesShownMax);
    std::string text = "one of ";
    for (size_t i = 0; i < shown; ++i) text += (i > 0 ? ", " : "") + std::string(field.choices[i]);
    const size_t more = field.choices.size() - shown;
    return text + (more > 0 ? " and " + std::to_string(more) + " more" : "");
  }
  return std::string(Noun(field.type)) + RangeText(field) +
         (field.unit.empty() ? "" : " (" + std::string(field.unit) + ")");
}

FieldType TypeOf(const Slot& slot) {
  struct Visitor {
    FieldType operator()(bool*) { return FieldType::kBoolean; }
    FieldType operator()(std::optional<bool>*) { return FieldType::kBoolean; }
    FieldType operator()(int*) { return FieldType::kInteger; }
    FieldType operator()(int64_t*) { return FieldType::kInteger; }
    FieldType operator()(std::optional<int>*) { return FieldType::kInteger; }
    FieldType operator()(double*) { return FieldType::kNumber; }
    FieldType operator()(std::optional<double>*) { return FieldType::kNumber; }
    FieldType operator()(std::string*) { return FieldType::kString; }
    FieldType operator()(std::optional<std::string>*) { return FieldType::kString; }
    FieldType operator()(std::vector<std::string>*) { return FieldType::kList; }
    FieldType operator()(Json*) { return FieldType::kAny; }
  };
  return std::visit(Visitor{}, slot);
}

namespace {

template <typename T>
Json ReadMember(const T& member) {
  return member;
}
template <typename T>
Json ReadMember(const std::optional<T>& member) {
  return member ? Json(*member) : Json(nullptr);
}

template <typename T>
void WriteMember(T& member, const Json& value) {
  if constexpr (std::is_same_v<T, int> || std::is_same_v<T, int64_t>) {
    member = value.is_number_float() ? static_cast<T>(value.get<double>()) : value.get<T>();
  } else {
    member = value.get<T>();
  }
}
template <typename T>
void WriteMember(std::optional<T>& member, const Json& value) {
  WriteMember(member.emplace(), value);
}

}  // namespace

Json ReadSlot(const Slot& slot) {
  return std::visit([](const auto* member) -> Json { return ReadMember(*member); }, slot);
}

void WriteSlot(const Slot& slot, const Json& value) {
  std::visit([&](auto* member) { WriteMember(*member, value); }, slot);
}

const Json* FieldReader::Find(const Field& field) {
  known_.push_back(field.name);
  const auto it = object_.find(field.name);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

void FieldReader::Report(const Field& field, Severity severity, const Json& value,
                         std::string message) {
  problems_.push_back(ProblemAt(document_, severity, MemberPath(path_, field.name),
                                field.secret ? Json("(not shown)") : value, std::move(message),
                                AllowedText(field)));
}

// Whether the value may be taken; what is wrong or without effect is reported.
bool FieldReader::Accepts(const Field& field, const Json& value) {
  const std::string path = MemberPath(path_, field.name);
  if (field.effect == Effect::kRefused) {
    Report(field, Severity::kError, value, path + " is not taken: " + std::string(field.reason));
    return false;
  }
  const bool is_allowed = field.must_be.is_null()
                              ? HasType(field.type, value) && IsInRange(field, value) &&
                                    IsAmong(field, value)
                              : value == field.must_be;
  if (!is_allowed) {
    ReportNotAllowed(field, value);
    return false;
  }
  if (field.effect == Effect::kInert) {
    Report(field, Severity::kWarning, value,
           path + " has no effect here: " + std::string(field.reason));
  }
  return true;
}

void FieldReader::ReportNotAllowed(const Field& field, const Json& value) {
  std::string message = MemberPath(path_, field.name) + " must be " + AllowedText(field) + ", not " +
                        (field.secret ? "this value" : ShowValue(value));
  std::string nearest;
  if (field.type == FieldType::kChoice && value.is_string()) {
    nearest = Nearest(value.get<std::string>(), field.choices);
  }
  if (!nearest.empty()) message += "; did you mean '" + nearest + "'?";
  if (!field.hint.empty()) message += "; " + std::string(field.hint);
  if (!field.must_be.is_null()) message += ": " + std::string(field.reason);
  Report(field, Severity::kError, value, std::move(message));
  problems_.back().nearest = std::move(nearest);
}

void FieldReader::Value(Field field, const Slot& slot, const Check& check) {
  if (field.type != FieldType::kChoice) field.type = TypeOf(slot);
  BoundBySlot(field, slot);
  const Json* const value = Find(field);
  if (value == nullptr) {
    if (!field.required) return;
    const std::string path = MemberPath(path_, field.name);
    return Report(field, Severity::kError, nullptr,
                  path + " is missing; it must be " + AllowedText(field));
  }
  if (!Accepts(field, *value)) return;
  if (const auto wrong = check ? check(*value) : std::nullopt) {
    return Report(field, Severity::kError, *value, MemberPath(path_, field.name) + " " + *wrong);
  }
  WriteSlot(slot, *value);
}

void FieldReader::Object(Field field, const Members& members, bool* present) {
  field.type = FieldType::kObject;
  const Json* const value = Find(field);
  if (present != nullptr) *present = value != nullptr;
  const std::string path = MemberPath(path_, field.name);
  if (value == nullptr) {
    if (field.required) Report(field, Severity::kError, nullptr, path + " is missing");
    return;
  }
  if (Accepts(field, *value) && field.effect == Effect::kHonoured) {
    ReadFields(document_, *value, path, members, problems_);
  }
}

void FieldReader::Unused(Field field, const Check& check) {
  const Json* const value = Find(field);
  if (value == nullptr) return;
  if (const auto wrong = check ? check(*value) : std::nullopt) {
    return Report(field, Severity::kError, *value, MemberPath(path_, field.name) + " " + *wrong);
  }
  Accepts(field, *value);
}

void FieldReader::ReportUnknown() {
  size_t num_unknown = 0;
  for (const auto& [name, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    if (++num_unknown > kUnknownShownMax) continue;
    const std::string nearest = Nearest(name, known_);
    std::string message = MemberPath(path_, name) + " is not known";
    if (!nearest.empty()) message += "; did you mean '" + nearest + "'?";
    Problem problem =
        ProblemAt(document_, Severity::kError, MemberPath(path_, name), value, std::move(message));
    problem.nearest = nearest;
    problems_.push_back(std::move(problem));
  }
  if (num_unknown <= kUnknownShownMax) return;
  problems_.push_back(ProblemAt(document_, Severity::kError, path_, nullptr,
                                (path_.empty() ? "the text" : path_) + " has " +
                                    std::to_string(num_unknown - kUnknownShownMax) +
                                    " more fields that are not known"));
}

void ReadFields(const Document& document, const Json& value, const std::string& path,
                const FieldVisitor::Members& members, std::vector<Problem>& problems) {
  if (!value.is_object()) {
    problems.push_back(ProblemAt(
        document, Severity::kError, path, value,
        (path.empty() ? "the text" : path) + " must be a map of fields, not " + ShowValue(value),
        "a map of fields"));
    return;
  }
  FieldReader reader(document, value, path, problems);
  members(reader);
  reader.ReportUnknown();
}

Json FieldsSchema(const FieldVisitor::Members& members) {
  SchemaWriter writer;
  members(writer);
  return std::move(writer.fields);
}

Json WriteFields(const FieldVisitor::Members& members, const FieldVisitor::Members& defaults) {
  ValueWriter values, absent;
  members(values);
  defaults(absent);
  return Difference(values.object, absent.object);
}

std::string Nearest(std::string_view word, const std::vector<std::string_view>& known) {
  constexpr size_t kWordBytesMax = 64;  // no name is longer, and the search is quadratic
  if (word.size() > kWordBytesMax) return "";
  std::string_view nearest;
  size_t least = word.size() / 3 + 2;  // further away it is another word
  for (const std::string_view candidate : known) {
    const size_t distance = Distance(word, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return std::string(nearest);
}

Problem ProblemAt(const Document& document, Severity severity, std::string path, const Json& value,
                  std::string message, std::string allowed) {
  Problem problem;
  problem.severity = severity;
  problem.place = document.PlaceOf(path);
  problem.path = std::move(path);
  problem.value = value;
  problem.message = std::move(message);
  problem.allowed = std::move(allowed);
  return problem;
}

}  // namespace hearth::config
