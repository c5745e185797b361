// Field tables: a struct of settings says in one function what its fields are, and everything else
// (reading with all errors at once, writing, the page's form, the documentation) is a visitor of it.
//
//   struct Limits {
//     int max_num_seqs = 64;
//     void VisitFields(FieldVisitor& v) {
//       v.Value(Field("max_num_seqs").Range(1, 1024).Help("sequences in one step"), &max_num_seqs);
//       v.Unused(Field("swap_space").Of(FieldType::kNumber).Inert("there is no swap space here"));
//     }
//   };
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "firmware/config/document.h"
#include "firmware/config/problem.h"

namespace hearth::config {

enum class FieldType { kString, kInteger, kNumber, kBoolean, kChoice, kObject, kList, kAny };
std::string_view TypeName(FieldType type);

enum class Effect {
  kHonoured,
  kInert,    // accepted, and does nothing here; the reason is a warning
  kRefused,  // an error with the reason
};
std::string_view EffectName(Effect effect);

// How one field is declared. Texts live for ever.
struct Field {
  explicit constexpr Field(std::string_view name_in) : name(name_in) {}

  constexpr Field& Of(FieldType t) { type = t; return *this; }
  constexpr Field& Help(std::string_view text) { help = text; return *this; }
  constexpr Field& Range(double from, double to = kNoBound) { min = from; max = to; return *this; }
  constexpr Field& Above(double bound) { min = bound; min_is_excluded = true; return *this; }
  constexpr Field& Unit(std::string_view text) { unit = text; return *this; }
  // What an absent value means, where the default's own value does not say it.
  constexpr Field& DefaultText(std::string_view text) { default_text = text; return *this; }
  Field& Choices(std::vector<std::string_view> words) {
    choices = std::move(words);
    type = FieldType::kChoice;
    return *this;
  }
  // Said beside a value of the wrong type.
  constexpr Field& Hint(std::string_view text) { hint = text; return *this; }
  constexpr Field& Required() { required = true; return *this; }
  constexpr Field& Live() { live = true; return *this; }    // applies without a new engine
  constexpr Field& Ours() { ours = true; return *this; }    // Hearth's own, unknown to Ray
  constexpr Field& Secret() { secret = true; return *this; }  // its value is never shown
  constexpr Field& Inert(std::string_view why) {
    effect = Effect::kInert;
    reason = why;
    return *this;
  }
  constexpr Field& Refused(std::string_view why) {
    effect = Effect::kRefused;
    reason = why;
    return *this;
  }

  static constexpr double kNoBound = std::numeric_limits<double>::infinity();

  std::string_view name;
  FieldType type = FieldType::kAny;  // Value() takes it from the member
  std::string_view help = {};
  std::string_view unit = {};
  std::string_view default_text = {};
  std::string_view hint = {};
  std::string_view reason = {};  // why it is inert or refused
  std::vector<std::string_view> choices = {};
  double min = -kNoBound;
  double max = kNoBound;
  bool min_is_excluded = false;
  bool required = false;
  bool live = false;
  bool ours = false;
  bool secret = false;
  Effect effect = Effect::kHonoured;
};

// "an integer from 1 to 1024", "one of auto, bfloat16, float32", "true or false".
std::string AllowedText(const Field& field);

// The member a field is kept in. Absent optionals mean "not said".
using Slot = std::variant<bool*, int*, int64_t*, double*, std::string*, std::optional<bool>*,
                          std::optional<int>*, std::optional<double>*, std::optional<std::string>*,
                          std::vector<std::string>*, Json*>;
FieldType TypeOf(const Slot& slot);
Json ReadSlot(const Slot& slot);                // null for an absent optional
void WriteSlot(const Slot& slot, const Json& value);  // of a value that has been checked

class FieldVisitor {
 public:
  using Members = std::function<void(FieldVisitor&)>;
  // Refines what the type cannot say; adds problems at the given path.
  using Check = std::function<std::optional<std::string>(const Json& value)>;

  virtual ~FieldVisitor() = default;

  // check: says what is wrong with a value of the right type, if anything is.
  virtual void Value(Field field, const Slot& slot, const Check& check = nullptr) = 0;
  // A map with fields of its own. `present` says, when it is given, whether the text has it.
  virtual void Object(Field field, const Members& members, bool* present = nullptr) = 0;
  // A field no member is kept for: inert or refused, or checked elsewhere.
  virtual void Unused(Field field, const Check& check = nullptr) = 0;
};

// Reads `object` at `path` of `document`: every wrong value, every unknown key (with the nearest known
// one) and every missing field becomes a problem; inert fields become warnings.
class FieldReader : public FieldVisitor {
 public:
  FieldReader(const Document& document, const Json& object, std::string path,
              std::vector<Problem>& problems)
      : document_(document), object_(object), path_(std::move(path)), problems_(problems) {}

  void Value(Field field, const Slot& slot, const Check& check) override;
  void Object(Field field, const Members& members, bool* present) override;
  void Unused(Field field, const Check& check) override;

  // After the visit: what no field was named for.
  void ReportUnknown();

 private:
  const Json* Find(const Field& field);
  void Report(const Field& field, Severity severity, const Json& value, std::string message);
  bool Accepts(const Field& field, const Json& value);

  const Document& document_;
  const Json& object_;
  const std::string path_;
  std::vector<Problem>& problems_;
  std::vector<std::string_view> known_;
};

// The visit of a whole map: reads it, or says that it is none.
void ReadFields(const Document& document, const Json& value, const std::string& path,
                const FieldVisitor::Members& members, std::vector<Problem>& problems);

// [{"name", "type", "fields"?, "choices"?, "min"?, "max"?, "min_excluded"?, "unit"?, "default",
//   "default_text"?, "required", "effect", "reason"?, "help", "live", "ours", "secret"}]
Json FieldsSchema(const FieldVisitor::Members& members);

// Only what differs from what `defaults` visits; both visit the same fields.
Json WriteFields(const FieldVisitor::Members& members, const FieldVisitor::Members& defaults);

// The known word nearest to `word`, if one is near enough to be meant; else "".
std::string Nearest(std::string_view word, const std::vector<std::string_view>& known);

// A problem at `path`, its place looked up.
Problem ProblemAt(const Document& document, Severity severity, std::string path, const Json& value,
                  std::string message, std::string allowed = "");

}  // namespace hearth::config
