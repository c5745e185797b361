#include "firmware/config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <sstream>

namespace hearth::config {
namespace {

constexpr size_t kShownBytesMax = 80;

// Breaks the reading off; yaml-cpp reads what its handler does not stop.
struct Refused {
  Problem problem;
};

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
}

std::string_view WithoutSign(std::string_view text) {
  return !text.empty() && (text[0] == '-' || text[0] == '+') ? text.substr(1) : text;
}

// [-+]? [0-9]+, or 0x / 0o with their digits. nullopt also for what no int64
// holds.
std::optional<int64_t> ReadInteger(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    base = text[1] == 'x' ? 16 : 8;
    text.remove_prefix(2);
    if (text.empty() || text[0] == '-') return std::nullopt;
  } else {
    if (!IsDigits(WithoutSign(text))) return std::nullopt;
    if (text[0] == '+') text.remove_prefix(1);
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
std::optional<double> ReadNumber(std::string_view text) {
  const std::string_view digits = WithoutSign(text);
  if (digits.empty()) return std::nullopt;
  const bool begins = std::isdigit(static_cast<unsigned char>(digits[0])) != 0 ||
                      (digits[0] == '.' && digits.size() > 1 &&
                       std::isdigit(static_cast<unsigned char>(digits[1])) != 0);
  if (!begins || digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
    return std::nullopt;
  }
  if (text[0] == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number ? std::optional(value) : std::nullopt;  // 1e999 stays the text that it is
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// A plain scalar, by YAML's core schema.
Json PlainValue(const std::string& text) {
  if (text.empty() || IsOneOf(text, {"~", "null", "Null", "NULL"})) return nullptr;
  if (IsOneOf(text, {"true", "True", "TRUE"})) return true;
  if (IsOneOf(text, {"false", "False", "FALSE"})) return false;
  if (const auto integer = ReadInteger(text)) return *integer;
  if (const auto number = ReadNumber(text)) return *number;
  return text;
}

// The first byte that is no UTF-8, or npos; also of NUL, which no text has.
size_t FirstBadByte(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = byte == 0     ? 0
                          : byte < 0x80 ? 1
                          : byte < 0xC2 ? 0
                          : byte < 0xE0 ? 2
                          : byte < 0xF0 ? 3
                          : byte < 0xF5 ? 4
                                        : 0;
    if (length == 0 || i + length > text.size()) return i;
    for (size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return i;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    const bool overlong_or_surrogate =
        (byte == 0xE0 && second < 0xA0) || (byte == 0xED && second > 0x9F) ||
        (byte == 0xF0 && second < 0x90) || (byte == 0xF4 && second > 0x8F);
    if (overlong_or_surrogate) return i;
    i += length;
  }
  return std::string_view::npos;
}

// Whether the quote at text[begin] ends before the text does. yaml-cpp takes the rest of the text for
// the scalar where it does not.
bool IsClosed(std::string_view text, size_t begin) {
  const char quote = text[begin];
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 == text.size() || text[i + 1] != quote) return true;
      ++i;  // '' stands for '
    }
  }
  return false;
}

// Builds the value from the parser's events. Open lists and maps are a stack.
class Builder : public YAML::EventHandler {
 public:
  // `text` outlives it.
  explicit Builder(std::string_view text) : text_(text) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++num_documents_ > 1) {
      Refuse(mark, "a second document begins here, after '---' or after the end of the first; "
                   "keep one of them");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(mark, anchor, nullptr);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    const auto begin = static_cast<size_t>(mark.pos);
    if (tag == "!" && begin < text_.size() && (text_[begin] == '"' || text_[begin] == '\'') &&
        !IsClosed(text_, begin)) {
      Refuse(mark, "the quote that begins here is not closed");
    }
    // yaml-cpp writes \_ and some others as one byte.
    if (FirstBadByte(value) != std::string_view::npos) {
      Refuse(mark, "an escape in the quoted text stands for no character; write the character "
                   "itself, or \\u and its four hexadecimal digits");
    }
    if (AwaitsKey()) return AddKey(mark, value, tag == "?");
    Count(mark, 0, value.size());
    Add(mark, anchor, tag == "?" ? PlainValue(value) : Json(value));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) Refuse(mark, "the alias names nothing that ends before it");
    Count(mark, it->second.num_values, it->second.num_bytes);
    Add(mark, 0, it->second.value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, anchor, false);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, anchor, true);
  }
  void OnMapEnd() override { Close(); }

  Document Take() { return std::move(document_); }

 private:
  struct Level {
    Json value;
    std::string path;
    YAML::anchor_t anchor = 0;
    bool is_map = false;
    bool has_key = false;
    std::string key;
    int values_before = 0;  // num_values_ and num_bytes_ when it was opened
    size_t bytes_before = 0;
  };
  struct Anchored {
    Json value;
    int num_values = 0;
    size_t num_bytes = 0;
  };

  static Place PlaceOf(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

  [[noreturn]] static void Refuse(const YAML::Mark& mark, const std::string& message) {
    throw Refused{{.place = PlaceOf(mark), .value = nullptr, .message = message}};
  }

  static void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    Refuse(mark, "the tag '" + tag + "' is not read here; write the value without it");
  }

  bool AwaitsKey() const {
    return !open_.empty() && open_.back().is_map && !open_.back().has_key;
  }

  std::string NextPath() const {
    if (open_.empty()) return "";
    const Level& level = open_.back();
    return level.is_map ? MemberPath(level.path, level.key)
                        : ItemPath(level.path, level.value.size());
  }

  void Count(const YAML::Mark& mark, int values, size_t bytes) {
    num_values_ += values;
    num_bytes_ += bytes;
    if (num_values_ > kDocumentValuesMax) {
      Refuse(mark, "the text has more than " + std::to_string(kDocumentValuesMax) +
                       " values with what its aliases repeat; shorten it");
    }
    if (num_bytes_ > kDocumentMemoryMax) {
      Refuse(mark, "the text takes more than " + std::to_string(kDocumentMemoryMax) +
                       " bytes with what its aliases repeat; shorten it");
    }
  }

  // What stands at a path, and the path.
  void CountValue(const YAML::Mark& mark, const std::string& path) { Count(mark, 1, path.size()); }

  void AddKey(const YAML::Mark& mark, const std::string& key, bool is_plain) {
    Level& level = open_.back();
    if (is_plain && key == "<<") {
      Refuse(mark, "merge keys (<<) are not read here; write the fields out");
    }
    if (level.value.size() >= kDocumentKeysMax) {
      Refuse(mark, "a map has more than " + std::to_string(kDocumentKeysMax) + " keys; shorten it");
    }
    if (key.size() > kDocumentKeyBytesMax) {
      Refuse(mark, "a key has " + std::to_string(key.size()) + " bytes, the limit is " +
                       std::to_string(kDocumentKeyBytesMax));
    }
    if (level.value.contains(key)) {
      Refuse(mark, "the key '" + key + "' stands twice" +
                       (level.path.empty() ? "" : " in " + level.path) + "; remove one of them");
    }
    level.key = key;
    level.has_key = true;
    document_.places[MemberPath(level.path, key)] = PlaceOf(mark);
  }

  void Open(const YAML::Mark& mark, YAML::anchor_t anchor, bool is_map) {
    if (AwaitsKey()) Refuse(mark, "a key must be a word, not a list or a map");
    if (open_.size() >= kDocumentDepthMax) {
      Refuse(mark, "the text is nested deeper than " + std::to_string(kDocumentDepthMax) +
                       " levels; flatten it");
    }
    Level level;
    level.value = is_map ? Json::object() : Json::array();
    level.path = NextPath();
    level.anchor = anchor;
    level.is_map = is_map;
    level.values_before = num_values_;
    level.bytes_before = num_bytes_;
    CountValue(mark, level.path);
    document_.places.try_emplace(level.path, PlaceOf(mark));
    open_.push_back(std::move(level));
  }

  void Close() {
    Level level = std::move(open_.back());
    open_.pop_back();
    Put(level.anchor, std::move(level.value), num_values_ - level.values_before,
        num_bytes_ - level.bytes_before);
  }

  void Add(const YAML::Mark& mark, YAML::anchor_t anchor, Json value) {
    if (AwaitsKey()) Refuse(mark, "a key must be a word, not an alias or nothing");
    const std::string path = NextPath();
    CountValue(mark, path);
    document_.places.try_emplace(path, PlaceOf(mark));
    const size_t bytes = value.is_string() ? value.get_ref<const std::string&>().size() : 0;
    Put(anchor, std::move(value), 1, bytes + path.size());
  }

  // An anchored value is kept twice, and counts twice.
  void Put(YAML::anchor_t anchor, Json value, int num_values, size_t num_bytes) {
    if (anchor != 0) {
      anchors_[anchor] = {value, num_values, num_bytes};
      num_values_ += num_values;
      num_bytes_ += num_bytes;
    }
    if (open_.empty()) {
      document_.json = std::move(value);
      return;
    }
    Level& level = open_.back();
    if (level.is_map) {
      level.value[level.key] = std::move(value);
      level.has_key = false;
    } else {
      level.value.push_back(std::move(value));
    }
  }

  const std::string_view text_;
  Document document_;
  std::vector<Level> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  int num_values_ = 0;
  size_t num_bytes_ = 0;
  int num_documents_ = 0;
};

Place PlaceAt(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 = 0
  return {static_cast<int>(lines) + 1, static_cast<int>(offset - line_start) + 1};
}

// What people trip over most, where the parser's own words do not say it.
std::string Hint(std::string_view text, const Place& place) {
  std::istringstream lines{std::string(text)};
  std::string line, before;
  int number = 0;
  while (number < place.line && std::getline(lines, line)) {
    ++number;
    if (number < place.line) before = line;
  }
  if (line.find('\t') != std::string::npos) {
    return "; the line has a tab, and YAML is indented by spaces";
  }
  const size_t indent = line.find_first_not_of(' ');
  if (indent != std::string::npos && number > 1 && line[indent] != '-') {
    return "; look at the indentation: this line begins in column " + std::to_string(indent + 1) +
           ", the fields of a list's item begin two columns right of its '-'";
  }
  return "";
}

Problem TextProblem(Place place, std::string message) {
  return {.place = place, .value = nullptr, .message = std::move(message)};
}

std::optional<Problem> CheckBytes(std::string_view text) {
  if (text.size() > kDocumentBytesMax) {
    return TextProblem({}, "the text has " + std::to_string(text.size()) + " bytes, the limit is " +
                               std::to_string(kDocumentBytesMax));
  }
  if (const size_t bad = FirstBadByte(text); bad != std::string_view::npos) {
    return TextProblem(PlaceAt(text, bad),
                       "the text is not UTF-8: byte " + std::to_string(bad) + " is " +
                           (text[bad] == '\0' ? "NUL" : "part of no character"));
  }
  return std::nullopt;
}

}  // namespace

Place Document::PlaceOf(std::string_view path) const {
  while (true) {
    const auto it = places.find(std::string(path));
    if (it != places.end()) return it->second;
    if (path.empty()) return {};
    const size_t end = path.find_last_of(".[");
    path = end == std::string_view::npos ? std::string_view() : path.substr(0, end);
  }
}

ParsedDocument ParseDocument(std::string_view text) {
  ParsedDocument parsed;
  if (auto problem = CheckBytes(text)) {
    parsed.problems.push_back(*std::move(problem));
    return parsed;
  }
  Builder builder(text);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    parsed.document = builder.Take();
  } catch (const Refused& refused) {
    parsed.problems.push_back(refused.problem);
  } catch (const YAML::Exception& error) {
    const Place place{error.mark.line + 1, error.mark.column + 1};
    parsed.problems.push_back(TextProblem(place, "the text is no YAML or JSON: " + error.msg +
                                                     " in line " + std::to_string(place.line) +
                                                     ", column " + std::to_string(place.column) +
                                                     Hint(text, place)));
  } catch (const std::exception& error) {
    parsed.problems.push_back(
        TextProblem({}, std::string("the text cannot be read: ") + error.what()));
  }
  return parsed;
}

std::string MemberPath(std::string_view parent, std::string_view name) {
  return parent.empty() ? std::string(name) : std::string(parent) + "." + std::string(name);
}

std::string ItemPath(std::string_view parent, size_t index) {
  return std::string(parent) + "[" + std::to_string(index) + "]";
}

bool IsPlainString(std::string_view word) {
  const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  if (word.empty() || (!is_letter(word[0]) && word[0] != '/' && word[0] != '_')) return false;
  const bool is_simple = std::all_of(word.begin(), word.end(), [&](char c) {
    return is_letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-./:").find(c) != std::string_view::npos;
  });
  if (!is_simple || word.back() == ':') return false;
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return !IsOneOf(lower, {"null", "true", "false", "yes", "no", "on", "off", "y", "n"});
}

std::string ShowValue(const Json& value) {
  std::string text = DumpJson(value);
  if (text.size() <= kShownBytesMax) return text;
  size_t end = kShownBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace hearth::config
