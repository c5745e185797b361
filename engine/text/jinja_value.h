// Values of the template language: Python's, as far as chat templates use them.
//
// Everything but a namespace is immutable, and a container is never deeper than kValueDepthMax, so
// no template can build a cycle or a value whose destruction overflows the stack.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "engine/text/bpe.h"
#include "engine/text/segment.h"

namespace hearth::engine::jinja {

// JSON from outside is at most limits::kJsonDepthMax deep; templates put a few levels around it.
inline constexpr int kValueDepthMax = 100;

// How parsing and evaluation give up. Thrown inside engine/text/jinja_* only; ChatTemplate turns it
// into a Status.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, StatusCode code = StatusCode::kInvalidArgument)
      : std::runtime_error(message), code_(code) {}
  StatusCode code() const { return code_; }

 private:
  StatusCode code_;
};

// What one rendering may cost. Work is charged in steps where it happens, so that neither loops nor
// large values nor shared parts of a value (which a tree walk meets again and again) escape it.
class Budget {
 public:
  void Charge(int64_t steps) {
    steps_left_ -= steps;
    if (steps_left_ < 0) ThrowExhausted();
  }
  // `bytes` of a string are made or read.
  void ChargeBytes(size_t bytes) {
    Charge(static_cast<int64_t>(bytes / 256));  // copying 256 bytes takes about as long as one step
    CheckLength(bytes);
  }
  // Throws when a string of `bytes` is longer than any may be.
  static void CheckLength(size_t bytes);

  // Counts how deep evaluation recurses, for as long as it lives.
  class DepthGuard {
   public:
    explicit DepthGuard(Budget& budget);
    ~DepthGuard() { --budget_.depth_; }
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;

   private:
    Budget& budget_;
  };

 private:
  [[noreturn]] static void ThrowExhausted();

  int64_t steps_left_ = limits::kTemplateStepsMax;
  int depth_ = 0;
};

// A UTF-8 string that remembers which of its bytes are input: text of users and tools. Taking
// strings apart and putting them together keeps the marks.
class Text {
 public:
  Text() = default;
  explicit Text(std::string bytes, bool is_input = false);

  const std::string& bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  bool IsInput(size_t i) const { return !marks_.empty() && marks_[i] != 0; }
  bool HasInput() const { return marks_.find('\1') != std::string::npos; }

  void Append(const Text& other);
  void Append(std::string_view bytes, bool is_input = false);
  Text Substr(size_t pos, size_t count = std::string::npos) const;

  // Adjacent bytes of one origin are one segment.
  std::vector<Segment> Segments() const;

 private:
  std::string bytes_;
  std::string marks_;  // '\1' per byte of input, else '\0'; empty = nothing is input
};

class Value;
class Dict;
struct Callable;

struct Undefined {
  // "'x' is undefined": what to say when the template uses it.
  std::shared_ptr<const std::string> reason;
};
struct None {};

struct List {
  std::vector<Value> items;
  bool is_tuple = false;
  int depth = 1;  // 1 + that of the deepest item
};

// namespace(...): the only thing that changes after it was made. It holds no other namespace.
struct Namespace;

// The variable `loop`.
struct Loop;

class Value {
 public:
  Value() : data_(Undefined{}) {}
  Value(None) : data_(None{}) {}                                              // NOLINT
  Value(bool value) : data_(value) {}                                         // NOLINT
  Value(int64_t value) : data_(value) {}                                      // NOLINT
  Value(double value) : data_(value) {}                                       // NOLINT
  Value(Text text) : data_(std::make_shared<const Text>(std::move(text))) {}  // NOLINT
  Value(const char*) = delete;                                                // would become a bool
  Value(Undefined undefined) : data_(std::move(undefined)) {}                 // NOLINT
  // These check the depth: kResourceExhausted above kValueDepthMax, and kInvalidArgument for a
  // namespace, a loop or a callable inside a container.
  static Value MakeList(std::vector<Value> items, bool is_tuple = false);
  static Value MakeDict(Dict dict);
  static Value MakeNamespace(Dict attributes);
  static Value MakeUndefined(std::string reason);
  explicit Value(std::shared_ptr<Loop> loop) : data_(std::move(loop)) {}
  explicit Value(std::shared_ptr<const Callable> callable) : data_(std::move(callable)) {}

  template <typename T>
  bool Is() const {
    return std::holds_alternative<T>(data_);
  }
  bool IsUndefined() const { return Is<Undefined>(); }
  bool IsNone() const { return Is<None>(); }
  bool IsString() const { return AsText() != nullptr; }
  bool IsNumber() const { return Is<bool>() || Is<int64_t>() || Is<double>(); }
  bool IsInteger() const { return Is<bool>() || Is<int64_t>(); }  // Python's bool is an int

  // Null when the value is of another type.
  const Text* AsText() const { return Pointer<std::shared_ptr<const Text>>(); }
  const List* AsList() const { return Pointer<std::shared_ptr<const List>>(); }
  const Dict* AsDict() const { return Pointer<std::shared_ptr<const Dict>>(); }
  Namespace* AsNamespace() const { return Pointer<std::shared_ptr<Namespace>>(); }
  Loop* AsLoop() const { return Pointer<std::shared_ptr<Loop>>(); }
  const Callable* AsCallable() const { return Pointer<std::shared_ptr<const Callable>>(); }

  // Requires IsInteger() or IsNumber().
  int64_t Integer() const;
  double Number() const;

  // Why the value is undefined. Requires IsUndefined().
  std::string UndefinedReason() const;

  // Python's bool(): empty strings and containers, 0, None and undefined are false.
  bool Truth() const;

  // Python's name of the type, for messages: "str", "int", "dict", "Undefined", ...
  std::string_view TypeName() const;

  // Levels of containers: 0 for a scalar.
  int Depth() const;

 private:
  template <typename T>
  auto Pointer() const -> decltype(std::declval<T>().get()) {
    const T* pointer = std::get_if<T>(&data_);
    return pointer == nullptr ? nullptr : pointer->get();
  }

  std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const Text>,
               std::shared_ptr<const List>, std::shared_ptr<const Dict>, std::shared_ptr<Namespace>,
               std::shared_ptr<Loop>, std::shared_ptr<const Callable>>
      data_;
};

// A dictionary in order of insertion. Keys are strings, numbers, bools and None.
class Dict {
 public:
  using Entry = std::pair<Value, Value>;

  // Replaces the value of a key that is there. kInvalidArgument for a key that cannot be one.
  void Set(const Value& key, Value value);
  void Set(std::string_view key, Value value) {
    Set(Value(Text(std::string(key))), std::move(value));
  }

  // Null when absent.
  const Value* Find(const Value& key) const;
  const Value* Find(std::string_view key) const;

  const std::vector<Entry>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  int depth() const { return depth_; }

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t, StringHash, std::equal_to<>> index_;
  int depth_ = 1;
};

struct Namespace {
  Dict attributes;
};

struct Loop {
  std::vector<Value> items;
  size_t index0 = 0;
  std::optional<Value> last_changed;  // what loop.changed() saw last
};

struct MacroStatement;
struct CallSite;

// What can be called: a global function, a method of a value, a macro, or `caller` of a call block.
struct Callable {
  std::string name;
  Value self;                             // of a method
  const MacroStatement* macro = nullptr;  // owned by the template
  const CallSite* caller = nullptr;       // alive while the macro that was given it runs
};

// Python's == (1 == 1.0 == True, deep for containers).
bool Equal(const Value& a, const Value& b, Budget& budget);

// Python's < for two numbers or two strings; kInvalidArgument for others.
bool Less(const Value& a, const Value& b);

// What `for` goes through: items of a list, keys of a dict, characters of a string, nothing for
// undefined. kInvalidArgument for what cannot be iterated.
std::vector<Value> Iterate(const Value& value, Budget& budget);

// Looking up a key reads all of it.
inline void ChargeKey(const Value& key, Budget& budget) {
  if (const Text* text = key.AsText()) budget.ChargeBytes(text->size());
}

// Number of code points, and the byte offset of each with the end as last.
size_t CountCharacters(std::string_view text);
std::vector<size_t> CharacterOffsets(std::string_view text);

// Python's str.isspace() of one character: Unicode white space and U+001C..U+001F.
bool IsPythonSpace(char32_t code_point);

}  // namespace hearth::engine::jinja
