#include "engine/text/jinja_lexer.h"

#include <algorithm>
#include <array>

#include "engine/text/jinja_value.h"
#include "engine/text/unicode.h"

namespace hearth::engine::jinja {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<uint8_t>(c) >= 0x80;
}

// "\r\n" and "\r" are line breaks as "\n", and the template's last line break is not part of it.
std::string NormalizeNewlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out.push_back(source[i]);
    } else {
      out.push_back('\n');
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

// A character that whitespace control eats, i.e. Python's \s.
size_t SpaceLengthAt(std::string_view text, size_t pos) {
  const DecodedChar c = DecodeUtf8(text, pos);
  return IsPythonSpace(c.code_point) ? static_cast<size_t>(c.length) : 0;
}

bool IsAllSpace(std::string_view text) {
  for (size_t pos = 0; pos < text.size();) {
    const size_t length = SpaceLengthAt(text, pos);
    if (length == 0) return false;
    pos += length;
  }
  return true;
}

std::string_view StripRight(std::string_view text) {
  while (!text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && !IsUtf8Start(text[begin])) --begin;
    if (SpaceLengthAt(text, begin) == 0) break;
    text = text.substr(0, begin);
  }
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(NormalizeNewlines(source)) {}

  std::vector<LexToken> Run() {
    while (!AtEnd()) LexData();
    Add(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  bool AtEnd() const { return pos_ >= source_.size(); }
  char Peek(size_t ahead = 0) const {
    return pos_ + ahead < source_.size() ? source_[pos_ + ahead] : '\0';
  }
  bool StartsWith(std::string_view text) const {
    return std::string_view(source_).substr(pos_, text.size()) == text;
  }
  void Advance(size_t count) {
    line_ +=
        static_cast<int>(std::count(source_.begin() + static_cast<ptrdiff_t>(pos_),
                                    source_.begin() + static_cast<ptrdiff_t>(pos_ + count), '\n'));
    pos_ += count;
  }
  void SkipSpace() {
    while (!AtEnd()) {
      const size_t length = SpaceLengthAt(source_, pos_);
      if (length == 0) return;
      Advance(length);
    }
  }
  void Add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  [[noreturn]] void Fail(const std::string& what) const {
    throw Error("line " + std::to_string(line_) + ": " + what);
  }

  // The next "{{", "{%" or "{#", or npos.
  size_t FindTag() const {
    for (size_t i = pos_; (i = source_.find('{', i)) != std::string::npos; ++i) {
      const char next = i + 1 < source_.size() ? source_[i + 1] : '\0';
      if (next == '{' || next == '%' || next == '#') return i;
    }
    return std::string::npos;
  }

  // Adds text up to `end`, stripped as the tag that follows asks. `sign` is its '-', '+' or '\0'.
  void AddData(size_t end, char sign, bool lstrip_block) {
    std::string_view text = std::string_view(source_).substr(pos_, end - pos_);
    const size_t length = text.size();
    if (sign == '-') {
      text = StripRight(text);
    } else if (sign != '+' && lstrip_block) {
      const size_t line_begin = text.rfind('\n') + 1;  // npos + 1 = 0
      const bool at_line_begin = line_begin > 0 || at_line_begin_;
      if (at_line_begin && IsAllSpace(text.substr(line_begin))) text = text.substr(0, line_begin);
    }
    if (!text.empty()) Add(TokenKind::kData, std::string(text));
    Advance(length);
  }

  char SignAt(size_t pos) const {
    const char c = pos < source_.size() ? source_[pos] : '\0';
    return c == '-' || c == '+' ? c : '\0';
  }

  void LexData() {
    const size_t tag = FindTag();
    if (tag == std::string::npos) {
      AddData(source_.size(), '\0', false);
      return;
    }
    const char kind = source_[tag + 1];
    const char sign = SignAt(tag + 2);
    AddData(tag, sign, kind != '{');
    Advance(2);
    if (kind == '#') {
      LexComment();
      return;
    }
    if (sign != '\0') Advance(1);
    if (kind == '{') {
      Add(TokenKind::kVariableBegin, "{{");
      LexTag("}}", TokenKind::kVariableEnd, false);
    } else if (!LexRaw()) {
      Add(TokenKind::kBlockBegin, "{%");
      LexTag("%}", TokenKind::kBlockEnd, true);
    }
  }

  // Consumes what a tag's end takes along. pos_ is behind the end itself.
  void FinishTag(char sign, bool trim_block) {
    const size_t before = pos_;
    if (sign == '-') {
      SkipSpace();
    } else if (trim_block && sign != '+' && Peek() == '\n') {
      Advance(1);
    }
    at_line_begin_ = pos_ > before && source_[pos_ - 1] == '\n';
  }

  void LexComment() {
    const size_t end = source_.find("#}", pos_);
    if (end == std::string::npos) Fail("a comment has no end \"#}\"");
    const char sign = end > pos_ ? SignAt(end - 1) : '\0';
    Advance(end + 2 - pos_);
    FinishTag(sign, true);
  }

  // {% raw %} ... {% endraw %}, taken as text. False, with nothing consumed, for another block.
  bool LexRaw() {
    const size_t begin = pos_;
    const int begin_line = line_;
    SkipSpace();
    if (!StartsWith("raw")) {
      pos_ = begin;
      line_ = begin_line;
      return false;
    }
    Advance(3);
    char sign = '\0';
    if (!LexRawEnd(sign)) {
      pos_ = begin;
      line_ = begin_line;
      return false;
    }
    FinishTag(sign, false);
    for (size_t tag = pos_; (tag = source_.find("{%", tag)) != std::string::npos; tag += 2) {
      const size_t data_begin = pos_;
      const int data_line = line_;
      const char end_sign = SignAt(tag + 2);
      pos_ = tag + (end_sign == '\0' ? 2u : 3u);
      SkipSpace();
      if (!StartsWith("endraw")) {
        pos_ = data_begin;
        line_ = data_line;
        continue;
      }
      pos_ = data_begin;
      line_ = data_line;
      AddData(tag, end_sign, true);
      Advance(end_sign == '\0' ? 2 : 3);
      SkipSpace();
      Advance(std::string_view("endraw").size());
      if (!LexRawEnd(sign)) Fail("endraw must be followed by \"%}\"");
      FinishTag(sign, true);
      return true;
    }
    Fail("raw has no endraw");
  }

  // \s*[-+]?%}
  bool LexRawEnd(char& sign) {
    SkipSpace();
    sign = SignAt(pos_);
    if (sign != '\0') Advance(1);
    if (!StartsWith("%}")) return false;
    Advance(2);
    return true;
  }

  // The inside of a tag up to its end.
  void LexTag(std::string_view end, TokenKind end_kind, bool is_block) {
    std::string brackets;  // open ones: inside them "}}" is two braces
    while (true) {
      SkipSpace();
      if (AtEnd()) Fail("a tag has no end \"" + std::string(end) + "\"");
      if (brackets.empty()) {
        const char sign = SignAt(pos_);
        const size_t sign_length = sign == '\0' ? 0 : 1;
        const bool may_have_sign = sign != '+' || is_block;
        if (may_have_sign && source_.compare(pos_ + sign_length, end.size(), end) == 0) {
          Add(end_kind, std::string(end));
          Advance(sign_length + end.size());
          FinishTag(sign, is_block);
          return;
        }
      }
      LexTagToken(brackets);
    }
  }

  void LexTagToken(std::string& brackets) {
    const char c = Peek();
    if (IsNameStart(c)) {
      size_t length = 1;
      while (IsNameStart(Peek(length)) || IsDigit(Peek(length))) ++length;
      Add(TokenKind::kName, source_.substr(pos_, length));
      Advance(length);
    } else if (IsDigit(c)) {
      LexNumber();
    } else if (c == '"' || c == '\'') {
      LexString();
    } else {
      LexOperator(brackets);
    }
  }

  void LexNumber() {
    size_t length = 0;
    const auto digits = [&] {
      while (IsDigit(Peek(length)) || (Peek(length) == '_' && IsDigit(Peek(length + 1)))) ++length;
    };
    digits();
    TokenKind kind = TokenKind::kInteger;
    const bool after_dot =
        tokens_.back().kind == TokenKind::kOperator && tokens_.back().text == ".";
    if (!after_dot && Peek(length) == '.' && IsDigit(Peek(length + 1))) {
      kind = TokenKind::kFloat;
      ++length;
      digits();
    }
    if (!after_dot && (Peek(length) == 'e' || Peek(length) == 'E')) {
      const size_t sign = Peek(length + 1) == '-' || Peek(length + 1) == '+' ? 1 : 0;
      if (IsDigit(Peek(length + 1 + sign))) {
        kind = TokenKind::kFloat;
        length += 1 + sign;
        digits();
      }
    }
    std::string text = source_.substr(pos_, length);
    std::erase(text, '_');
    Add(kind, std::move(text));
    Advance(length);
  }

  void LexString() {
    const char quote = Peek();
    const int line = line_;
    size_t end = pos_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) Fail("a string has no end");
    std::string text = Unescape(std::string_view(source_).substr(pos_ + 1, end - pos_ - 1));
    Advance(end + 1 - pos_);
    tokens_.push_back({TokenKind::kString, std::move(text), line});
  }

  // Python's escapes. What is no escape stays as written.
  std::string Unescape(std::string_view text) const {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\' || i + 1 == text.size()) {
        out.push_back(text[i]);
        continue;
      }
      const char c = text[++i];
      static constexpr std::string_view kNames = "ntr\\'\"abfv";
      static constexpr std::string_view kValues = "\n\t\r\\'\"\a\b\f\v";
      if (const size_t known = kNames.find(c); known != std::string_view::npos) {
        out.push_back(kValues[known]);
      } else if (c == 'x' || c == 'u' || c == 'U') {
        const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        AppendUtf8(out, HexValue(text.substr(i + 1, digits), digits));
        i += digits;
      } else if (c >= '0' && c <= '7') {
        char32_t value = 0;
        size_t length = 0;
        while (length < 3 && i + length < text.size() && text[i + length] >= '0' &&
               text[i + length] <= '7') {
          value = value * 8 + static_cast<char32_t>(text[i + length++] - '0');
        }
        AppendUtf8(out, value);
        i += length - 1;
      } else if (c != '\n') {
        out.push_back('\\');
        out.push_back(c);
      }
    }
    return out;
  }

  char32_t HexValue(std::string_view digits, size_t count) const {
    char32_t value = 0;
    for (const char c : digits) {
      const size_t digit = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
      if (digit == std::string_view::npos) Fail("a string has a broken \\x or \\u escape");
      value = value * 16 + static_cast<char32_t>(digit);
    }
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (digits.size() != count || value > 0x10FFFF || surrogate) {
      Fail("a string has a broken \\x or \\u escape");
    }
    return value;
  }

  void LexOperator(std::string& brackets) {
    static constexpr std::array<std::string_view, 28> kOperators = {
        "==", "!=", ">=", "<=", "//", "**", "+", "-", "*", "/", "%", "~", "(", ")",
        "[",  "]",  "{",  "}",  "<",  ">",  "=", ".", ",", ":", "|", ";", "!", "&"};
    const auto op = std::find_if(kOperators.begin(), kOperators.end(),
                                 [&](std::string_view text) { return StartsWith(text); });
    if (op == kOperators.end()) Fail(std::string("unexpected character '") + Peek() + "'");
    if (*op == "(" || *op == "[" || *op == "{") {
      brackets += *op == "(" ? ')' : *op == "[" ? ']' : '}';
    } else if (*op == ")" || *op == "]" || *op == "}") {
      if (brackets.empty() || brackets.back() != op->front()) {
        Fail("unexpected '" + std::string(*op) + "'");
      }
      brackets.pop_back();
    }
    Add(TokenKind::kOperator, std::string(*op));
    Advance(op->size());
  }

  std::string source_;
  size_t pos_ = 0;
  int line_ = 1;
  bool at_line_begin_ = true;  // what comes next begins a line, but for what lies before pos_
  std::vector<LexToken> tokens_;
};

}  // namespace

std::vector<LexToken> Lex(std::string_view source) { return Lexer(source).Run(); }

}  // namespace hearth::engine::jinja
