#include "engine/text/pre_tokenizer.h"

#include <array>
#include <string>

#include "engine/text/unicode.h"

namespace hearth::engine {
namespace {

struct KnownRegex {
  std::string_view regex;
  SplitPattern pattern;
};

constexpr std::array kKnownRegexes = {
    KnownRegex{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
               R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
               SplitPattern::kQwen2},
    KnownRegex{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
               R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
               SplitPattern::kLlama3},
    KnownRegex{R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
               SplitPattern::kGpt2},
};

enum class CharClass : uint8_t { kLetter, kNumber, kNewline, kSpace, kOther };

CharClass Classify(char32_t c) {
  if (IsLetter(c)) return CharClass::kLetter;
  if (c == '\r' || c == '\n') return CharClass::kNewline;
  if (IsWhiteSpace(c)) return CharClass::kSpace;
  if (IsNumber(c)) return CharClass::kNumber;
  return CharClass::kOther;
}

// Text as code points with their classes. Positions count code points; reading past the end gives
// kNone, which belongs to no class.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    chars_.reserve(text.size());
    for (size_t pos = 0; pos < text.size();) {
      const DecodedChar c = DecodeUtf8(text, pos);
      chars_.push_back({c.code_point, static_cast<uint32_t>(pos), Classify(c.code_point)});
      pos += static_cast<size_t>(c.length);
    }
  }

  size_t size() const { return chars_.size(); }
  bool AtEnd(size_t i) const { return i >= chars_.size(); }
  bool Is(size_t i, CharClass c) const { return !AtEnd(i) && chars_[i].char_class == c; }
  bool IsChar(size_t i, char32_t c) const { return !AtEnd(i) && chars_[i].code_point == c; }
  bool IsSpace(size_t i) const { return Is(i, CharClass::kSpace) || Is(i, CharClass::kNewline); }

  // The end of the run of `c` that begins at `i`; `i` itself when there is none.
  size_t RunEnd(size_t i, CharClass c) const {
    while (Is(i, c)) ++i;
    return i;
  }
  size_t SpaceRunEnd(size_t i) const {
    while (IsSpace(i)) ++i;
    return i;
  }

  // 's|'t|'re|'ve|'m|'ll|'d at `i`: where it ends, or `i`.
  size_t ContractionEnd(size_t i, bool ignore_case) const {
    if (!IsChar(i, '\'')) return i;
    const char32_t first = ContractionLetter(i + 1, ignore_case);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return i + 2;
    const char32_t second = ContractionLetter(i + 2, ignore_case);
    const bool two_letters = (first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
                             (first == 'l' && second == 'l');
    return two_letters ? i + 3 : i;
  }

  // \s+(?!\S)|\s+ at a white space `i`: a run gives its last character to the word that follows.
  size_t TrailingSpaceEnd(size_t i) const {
    const size_t end = SpaceRunEnd(i);
    return AtEnd(end) || end - i < 2 ? end : end - 1;
  }

  std::string_view Slice(size_t begin, size_t end) const {
    const size_t first = chars_[begin].offset;
    const size_t last = AtEnd(end) ? text_.size() : chars_[end].offset;
    return text_.substr(first, last - first);
  }

 private:
  struct Char {
    char32_t code_point;
    uint32_t offset;  // bytes; texts are bounded far below 4 GiB
    CharClass char_class;
  };

  char32_t ContractionLetter(size_t i, bool ignore_case) const {
    if (AtEnd(i)) return 0;
    const char32_t c = chars_[i].code_point;
    if (!ignore_case) return c;
    if (c == 0x017F) return 's';  // LATIN SMALL LETTER LONG S folds to s under (?i)
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
  }

  std::string_view text_;
  std::vector<Char> chars_;
};

size_t NextGpt2(const Scanner& s, size_t i) {
  if (const size_t end = s.ContractionEnd(i, false); end > i) return end;
  const size_t start = s.IsChar(i, ' ') ? i + 1 : i;  // " ?"
  for (const auto c : {CharClass::kLetter, CharClass::kNumber, CharClass::kOther}) {
    if (const size_t end = s.RunEnd(start, c); end > start) return end;
  }
  return s.TrailingSpaceEnd(i);
}

size_t NextLlama3(const Scanner& s, size_t i, size_t max_digits) {
  if (const size_t end = s.ContractionEnd(i, true); end > i) return end;

  // [^\r\n\p{L}\p{N}]?\p{L}+
  const bool takes_prefix = s.Is(i, CharClass::kSpace) || s.Is(i, CharClass::kOther);
  const size_t letters = takes_prefix ? i + 1 : i;
  if (const size_t end = s.RunEnd(letters, CharClass::kLetter); end > letters) return end;

  size_t digits = i;
  while (digits - i < max_digits && s.Is(digits, CharClass::kNumber)) ++digits;
  if (digits > i) return digits;

  //  ?[^\s\p{L}\p{N}]+[\r\n]*
  const size_t other = s.IsChar(i, ' ') ? i + 1 : i;
  if (const size_t end = s.RunEnd(other, CharClass::kOther); end > other) {
    return s.RunEnd(end, CharClass::kNewline);
  }

  // \s*[\r\n]+ ends behind the last line break of the run.
  for (size_t end = s.SpaceRunEnd(i); end > i; --end) {
    if (s.Is(end - 1, CharClass::kNewline)) return end;
  }
  return s.TrailingSpaceEnd(i);
}

size_t NextDigits(const Scanner& s, size_t i) {
  if (s.Is(i, CharClass::kNumber)) return i + 1;
  while (!s.AtEnd(i) && !s.Is(i, CharClass::kNumber)) ++i;
  return i;
}

size_t NextWord(SplitPattern pattern, const Scanner& s, size_t i) {
  switch (pattern) {
    case SplitPattern::kGpt2: return NextGpt2(s, i);
    case SplitPattern::kQwen2: return NextLlama3(s, i, 1);
    case SplitPattern::kLlama3: return NextLlama3(s, i, 3);
    case SplitPattern::kDigits: return NextDigits(s, i);
  }
  return s.size();
}

}  // namespace

Result<SplitPattern> SplitPatternFromRegex(std::string_view regex) {
  for (const KnownRegex& known : kKnownRegexes) {
    if (known.regex == regex) return known.pattern;
  }
  return InvalidArgument("the pre-tokenizer's regex \"" + std::string(regex) +
                         "\" is unknown; the patterns of GPT-2, Qwen2 and Llama 3 are supported");
}

std::vector<std::string_view> SplitWords(const std::vector<SplitPattern>& patterns,
                                         std::string_view text) {
  std::vector<std::string_view> words;
  if (!text.empty()) words.push_back(text);
  for (const SplitPattern pattern : patterns) {
    std::vector<std::string_view> smaller;
    for (const std::string_view word : words) {
      const Scanner scanner(word);
      for (size_t i = 0; i < scanner.size();) {
        const size_t end = NextWord(pattern, scanner, i);
        smaller.push_back(scanner.Slice(i, end));
        i = end;
      }
    }
    words = std::move(smaller);
  }
  return words;
}

}  // namespace hearth::engine
