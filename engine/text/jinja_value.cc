#include "engine/text/jinja_value.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "engine/text/unicode.h"

namespace hearth::engine::jinja {
namespace {

// Levels of expressions, statements, macros and filters inside each other. A level takes about
// 1 KiB of stack, 3 KiB under AddressSanitizer.
constexpr int kEvaluationDepthMax = 1000;

// One key for all values that are equal in Python: 1, 1.0 and True are one, "1" is another.
std::string IndexKey(const Value& key) {
  if (const Text* text = key.AsText()) return "s" + text->bytes();
  if (key.IsNone()) return "none";
  if (key.IsInteger()) return "n" + std::to_string(key.Integer());
  if (key.Is<double>()) {
    const double number = key.Number();
    const bool is_integer = std::floor(number) == number && std::abs(number) < 1e15;
    return "n" +
           (is_integer ? std::to_string(static_cast<int64_t>(number)) : std::to_string(number));
  }
  throw Error("a value of type " + std::string(key.TypeName()) + " cannot be a key of a dict");
}

void RequireStorable(const Value& value) {
  if (value.AsNamespace() != nullptr || value.AsLoop() != nullptr ||
      value.AsCallable() != nullptr) {
    throw Error("a value of type " + std::string(value.TypeName()) +
                " cannot be put into a list, a dict or a namespace");
  }
}

void RequireDepth(int depth) {
  if (depth > kValueDepthMax) {
    throw Error(
        "a list or dict is nested deeper than " + std::to_string(kValueDepthMax) + " levels",
        StatusCode::kResourceExhausted);
  }
}

bool EqualLists(const List& a, const List& b, Budget& budget) {
  return a.is_tuple == b.is_tuple && a.items.size() == b.items.size() &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(),
                    [&](const Value& x, const Value& y) { return Equal(x, y, budget); });
}

bool EqualDicts(const Dict& a, const Dict& b, Budget& budget) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const Dict::Entry& entry) {
    const Value* other = b.Find(entry.first);
    return other != nullptr && Equal(entry.second, *other, budget);
  });
}

}  // namespace

void Budget::CheckLength(size_t bytes) {
  if (bytes > limits::kTemplateOutputBytesMax) {
    throw Error("a text of " + std::to_string(bytes) + " bytes is longer than the limit of " +
                    std::to_string(limits::kTemplateOutputBytesMax),
                StatusCode::kResourceExhausted);
  }
}

Budget::DepthGuard::DepthGuard(Budget& budget) : budget_(budget) {
  if (budget_.depth_ == kEvaluationDepthMax) {
    throw Error(
        "evaluation recurses deeper than " + std::to_string(kEvaluationDepthMax) + " levels",
        StatusCode::kResourceExhausted);
  }
  ++budget_.depth_;
}

void Budget::ThrowExhausted() {
  throw Error("rendering takes more than " + std::to_string(limits::kTemplateStepsMax) +
                  " steps; the template or the conversation is too large",
              StatusCode::kResourceExhausted);
}

Text::Text(std::string bytes, bool is_input) : bytes_(std::move(bytes)) {
  if (is_input) marks_.assign(bytes_.size(), '\1');
}

void Text::Append(const Text& other) {
  if (!other.marks_.empty() || !marks_.empty()) {
    marks_.resize(bytes_.size(), '\0');
    if (other.marks_.empty()) {
      marks_.append(other.bytes_.size(), '\0');
    } else {
      marks_ += other.marks_;
    }
  }
  bytes_ += other.bytes_;
}

void Text::Append(std::string_view bytes, bool is_input) {
  if (is_input || !marks_.empty()) {
    marks_.resize(bytes_.size(), '\0');
    marks_.append(bytes.size(), is_input ? '\1' : '\0');
  }
  bytes_ += bytes;
}

Text Text::Substr(size_t pos, size_t count) const {
  Text part;
  part.bytes_ = bytes_.substr(pos, count);
  if (!marks_.empty()) part.marks_ = marks_.substr(pos, count);
  return part;
}

std::vector<Segment> Text::Segments() const {
  std::vector<Segment> segments;
  for (size_t begin = 0; begin < size();) {
    const bool is_input = IsInput(begin);
    const size_t change =
        marks_.empty() ? std::string::npos : marks_.find(is_input ? '\0' : '\1', begin);
    const size_t end = std::min(change, size());
    segments.push_back({bytes_.substr(begin, end - begin), is_input});
    begin = end;
  }
  return segments;
}

Value Value::MakeList(std::vector<Value> items, bool is_tuple) {
  List list{.items = std::move(items), .is_tuple = is_tuple};
  for (const Value& item : list.items) {
    RequireStorable(item);
    list.depth = std::max(list.depth, item.Depth() + 1);
  }
  RequireDepth(list.depth);
  Value value;
  value.data_ = std::make_shared<const List>(std::move(list));
  return value;
}

Value Value::MakeDict(Dict dict) {
  RequireDepth(dict.depth());
  Value value;
  value.data_ = std::make_shared<const Dict>(std::move(dict));
  return value;
}

Value Value::MakeNamespace(Dict attributes) {
  Value value;
  value.data_ = std::make_shared<Namespace>(Namespace{std::move(attributes)});
  return value;
}

Value Value::MakeUndefined(std::string reason) {
  return Value(Undefined{std::make_shared<const std::string>(std::move(reason))});
}

int64_t Value::Integer() const {
  if (const bool* value = std::get_if<bool>(&data_)) return *value ? 1 : 0;
  return std::get<int64_t>(data_);
}

double Value::Number() const {
  if (const double* value = std::get_if<double>(&data_)) return *value;
  return static_cast<double>(Integer());
}

std::string Value::UndefinedReason() const {
  const auto& reason = std::get<Undefined>(data_).reason;
  return reason == nullptr ? "the value is undefined" : *reason;
}

bool Value::Truth() const {
  if (IsUndefined() || IsNone()) return false;
  if (IsInteger()) return Integer() != 0;
  if (IsNumber()) return Number() != 0;
  if (const Text* text = AsText()) return !text->empty();
  if (const List* list = AsList()) return !list->items.empty();
  if (const Dict* dict = AsDict()) return dict->size() > 0;
  return true;
}

std::string_view Value::TypeName() const {
  if (IsUndefined()) return "Undefined";
  if (IsNone()) return "None";
  if (Is<bool>()) return "bool";
  if (Is<int64_t>()) return "int";
  if (Is<double>()) return "float";
  if (IsString()) return "str";
  if (const List* list = AsList()) return list->is_tuple ? "tuple" : "list";
  if (AsDict() != nullptr) return "dict";
  if (AsNamespace() != nullptr) return "namespace";
  if (AsLoop() != nullptr) return "loop";
  return "function";
}

int Value::Depth() const {
  if (const List* list = AsList()) return list->depth;
  if (const Dict* dict = AsDict()) return dict->depth();
  return 0;
}

void Dict::Set(const Value& key, Value value) {
  RequireStorable(value);
  depth_ = std::max(depth_, value.Depth() + 1);
  const auto [it, is_new] = index_.try_emplace(IndexKey(key), entries_.size());
  if (is_new) {
    entries_.emplace_back(key, std::move(value));
  } else {
    entries_[it->second].second = std::move(value);
  }
}

const Value* Dict::Find(const Value& key) const {
  const auto it = index_.find(IndexKey(key));
  return it == index_.end() ? nullptr : &entries_[it->second].second;
}

const Value* Dict::Find(std::string_view key) const {
  const auto it = index_.find("s" + std::string(key));
  return it == index_.end() ? nullptr : &entries_[it->second].second;
}

bool Equal(const Value& a, const Value& b, Budget& budget) {
  budget.Charge(1);
  if (a.IsInteger() && b.IsInteger()) return a.Integer() == b.Integer();
  if (a.IsNumber() && b.IsNumber()) return a.Number() == b.Number();
  if (a.AsText() != nullptr && b.AsText() != nullptr) {
    budget.ChargeBytes(std::min(a.AsText()->size(), b.AsText()->size()));
    return a.AsText()->bytes() == b.AsText()->bytes();
  }
  if (a.AsList() != nullptr && b.AsList() != nullptr) {
    return EqualLists(*a.AsList(), *b.AsList(), budget);
  }
  if (a.AsDict() != nullptr && b.AsDict() != nullptr) {
    return EqualDicts(*a.AsDict(), *b.AsDict(), budget);
  }
  if (a.AsNamespace() != nullptr) return a.AsNamespace() == b.AsNamespace();
  return (a.IsNone() && b.IsNone()) || (a.IsUndefined() && b.IsUndefined());
}

bool Less(const Value& a, const Value& b) {
  if (a.IsInteger() && b.IsInteger()) return a.Integer() < b.Integer();
  if (a.IsNumber() && b.IsNumber()) return a.Number() < b.Number();
  // UTF-8 sorts by bytes as by code points.
  if (a.AsText() != nullptr && b.AsText() != nullptr) {
    return a.AsText()->bytes() < b.AsText()->bytes();
  }
  throw Error("a " + std::string(a.TypeName()) + " cannot be compared with a " +
              std::string(b.TypeName()));
}

std::vector<Value> Iterate(const Value& value, Budget& budget) {
  std::vector<Value> items;
  if (value.IsUndefined()) return items;
  if (const List* list = value.AsList()) {
    items = list->items;
  } else if (const Dict* dict = value.AsDict()) {
    for (const auto& [key, item] : dict->entries()) items.push_back(key);
  } else if (const Text* text = value.AsText()) {
    budget.Charge(static_cast<int64_t>(text->size()));
    const std::vector<size_t> offsets = CharacterOffsets(text->bytes());
    for (size_t i = 0; i + 1 < offsets.size(); ++i) {
      items.push_back(Value(text->Substr(offsets[i], offsets[i + 1] - offsets[i])));
    }
  } else {
    throw Error("a value of type " + std::string(value.TypeName()) + " cannot be iterated");
  }
  budget.Charge(static_cast<int64_t>(items.size()));
  return items;
}

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), IsUtf8Start));
}

std::vector<size_t> CharacterOffsets(std::string_view text) {
  std::vector<size_t> offsets;
  offsets.reserve(text.size() + 1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsUtf8Start(text[i])) offsets.push_back(i);
  }
  offsets.push_back(text.size());
  return offsets;
}

bool IsPythonSpace(char32_t c) { return IsWhiteSpace(c) || (c >= 0x1C && c <= 0x1F); }

}  // namespace hearth::engine::jinja
