#include "storage/promql/lexer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace hearth::promql {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsAlnum(char c) { return IsAlpha(c) || IsDigit(c); }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

constexpr std::pair<std::string_view, TokenKind> kWords[] = {
    {"and", TokenKind::kAnd},
    {"or", TokenKind::kOr},
    {"unless", TokenKind::kUnless},
    {"atan2", TokenKind::kAtan2},
    {"sum", TokenKind::kAggregator},
    {"avg", TokenKind::kAggregator},
    {"count", TokenKind::kAggregator},
    {"min", TokenKind::kAggregator},
    {"max", TokenKind::kAggregator},
    {"group", TokenKind::kAggregator},
    {"stddev", TokenKind::kAggregator},
    {"stdvar", TokenKind::kAggregator},
    {"topk", TokenKind::kAggregator},
    {"bottomk", TokenKind::kAggregator},
    {"count_values", TokenKind::kAggregator},
    {"quantile", TokenKind::kAggregator},
    {"offset", TokenKind::kOffset},
    {"by", TokenKind::kBy},
    {"without", TokenKind::kWithout},
    {"on", TokenKind::kOn},
    {"ignoring", TokenKind::kIgnoring},
    {"group_left", TokenKind::kGroupLeft},
    {"group_right", TokenKind::kGroupRight},
    {"bool", TokenKind::kBool},
    {"start", TokenKind::kStart},
    {"end", TokenKind::kEndWord},
    {"inf", TokenKind::kNumber},
    {"nan", TokenKind::kNumber},
};

class Lexer {
 public:
  explicit Lexer(std::string_view input) : input_(input) {}

  Tokens Run() {
    Status error = ReadAll();
    const TokenKind last = error.ok() ? TokenKind::kEnd : TokenKind::kInvalid;
    tokens_.push_back({last, input_.substr(at_, 0), static_cast<int>(at_)});
    return {std::move(tokens_), std::move(error)};
  }

 private:
  Status ReadAll() {
    while (true) {
      SkipSpaceAndComments();
      if (at_ == size()) break;
      HEARTH_RETURN_IF_ERROR(in_braces_ ? NextInBraces() : Next());
    }
    if (in_braces_) return Fail("unexpected end of input inside braces");
    if (open_parens_ > 0) return Fail("unclosed left parenthesis");
    if (in_brackets_) return Fail("unclosed left bracket");
    return Status::Ok();
  }

  size_t size() const { return input_.size(); }
  char Peek(size_t ahead = 0) const { return at_ + ahead < size() ? input_[at_ + ahead] : '\0'; }

  Status Fail(std::string_view what) const { return FailAt(at_, what); }
  Status FailAt(size_t position, std::string_view what) const {
    return ParseError(input_, static_cast<int>(position), what);
  }
  // Go's %q of the character (not byte) at `position`.
  std::string CharacterAt(size_t position) const {
    size_t length = 1;
    while (position + length < size() &&
           (static_cast<unsigned char>(input_[position + length]) & 0xC0) == 0x80) {
      ++length;
    }
    return "'" + std::string(input_.substr(position, length)) + "'";
  }

  void Emit(TokenKind kind, size_t length) {
    tokens_.push_back({kind, input_.substr(at_, length), static_cast<int>(at_)});
    at_ += length;
  }

  void SkipSpaceAndComments() {
    while (at_ < size()) {
      if (IsSpace(Peek())) {
        ++at_;
      } else if (Peek() == '#') {
        while (at_ < size() && Peek() != '\n') ++at_;
      } else {
        return;
      }
    }
  }

  Status Next() {
    const char c = Peek();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return NumberOrDuration();
    if (IsAlpha(c) || (c == ':' && !in_brackets_)) return Word();
    switch (c) {
      case '"':
      case '\'':
      case '`': return String();
      case ',': return Simple(TokenKind::kComma);
      case '*': return Simple(TokenKind::kMul);
      case '/': return Simple(TokenKind::kDiv);
      case '%': return Simple(TokenKind::kMod);
      case '+': return Simple(TokenKind::kAdd);
      case '-': return Simple(TokenKind::kSub);
      case '^': return Simple(TokenKind::kPow);
      case '@': return Simple(TokenKind::kAt);
      case '<': return OneOrTwo(TokenKind::kLess, TokenKind::kLessEqual);
      case '>': return OneOrTwo(TokenKind::kGreater, TokenKind::kGreaterEqual);
      case '=':
        if (Peek(1) == '=') return Two(TokenKind::kEqualEqual);
        // A regular expression is no use outside braces, but the parser names the mistake better.
        if (Peek(1) == '~') return FailAt(at_, "unexpected character after '=': '~'");
        return Simple(TokenKind::kEqual);
      case '!':
        if (Peek(1) == '=') return Two(TokenKind::kNotEqual);
        return FailAt(at_,
                      "unexpected character after '!': " +
                          (at_ + 1 < size() ? CharacterAt(at_ + 1) : std::string("'\\uffff'")));
      default: return Bracket(c);
    }
  }

  Status Bracket(char c) {
    switch (c) {
      case '(': ++open_parens_; return Simple(TokenKind::kLeftParen);
      case ')':
        if (open_parens_ == 0) return Fail("unexpected right parenthesis ')'");
        --open_parens_;
        return Simple(TokenKind::kRightParen);
      case '{': in_braces_ = true; return Simple(TokenKind::kLeftBrace);
      case '[':
        if (in_brackets_) return Fail("unexpected left bracket '['");
        in_brackets_ = true;
        return Simple(TokenKind::kLeftBracket);
      case ']':
        if (!in_brackets_) return Fail("unexpected right bracket ']'");
        in_brackets_ = false;
        return Simple(TokenKind::kRightBracket);
      case ':': return Simple(TokenKind::kColon);
      default: return Fail("unexpected character: " + CharacterAt(at_));
    }
  }

  Status NextInBraces() {
    const char c = Peek();
    if (IsAlpha(c)) {
      size_t length = 1;
      while (IsAlnum(Peek(length))) ++length;
      Emit(TokenKind::kIdentifier, length);
      return Status::Ok();
    }
    switch (c) {
      case '"':
      case '\'':
      case '`': return String();
      case ',': return Simple(TokenKind::kComma);
      case '{': return Fail("unexpected left brace '{'");
      case '}': in_braces_ = false; return Simple(TokenKind::kRightBrace);
      case '=':
        if (Peek(1) == '~') return Two(TokenKind::kRegexMatch);
        return Simple(TokenKind::kEqual);
      case '!':
        if (Peek(1) == '~') return Two(TokenKind::kRegexNotMatch);
        if (Peek(1) == '=') return Two(TokenKind::kNotEqual);
        return Fail("unexpected character after '!' inside braces: " +
                    (at_ + 1 < size() ? CharacterAt(at_ + 1) : std::string("'\\uffff'")));
      default: return Fail("unexpected character inside braces: " + CharacterAt(at_));
    }
  }

  Status Simple(TokenKind kind) {
    Emit(kind, 1);
    return Status::Ok();
  }
  Status Two(TokenKind kind) {
    Emit(kind, 2);
    return Status::Ok();
  }
  Status OneOrTwo(TokenKind one, TokenKind two) { return Peek(1) == '=' ? Two(two) : Simple(one); }

  Status Word() {
    size_t length = 0;
    // Within brackets a colon separates range and step: [5m:1m].
    while (IsAlnum(Peek(length)) || (Peek(length) == ':' && !in_brackets_)) ++length;
    const std::string_view text = input_.substr(at_, length);
    const std::string lower = Lower(text);
    for (const auto& [word, kind] : kWords) {
      if (word == lower) {
        Emit(kind, length);
        return Status::Ok();
      }
    }
    const bool colon = text.find(':') != std::string_view::npos;
    Emit(colon ? TokenKind::kMetricIdentifier : TokenKind::kIdentifier, length);
    return Status::Ok();
  }

  Status NumberOrDuration() {
    if (const size_t length = NumberLength(); length > 0 && !IsAlnum(Peek(length))) {
      Emit(TokenKind::kNumber, length);
      return Status::Ok();
    }
    if (const size_t length = DurationLength(); length > 0 && !IsAlnum(Peek(length))) {
      Emit(TokenKind::kDuration, length);
      return Status::Ok();
    }
    // As far as Prometheus reads: a duration with the character that spoils it, or a number.
    const size_t duration = DurationLength();
    const size_t length =
        duration > 0 ? std::min(duration + 1, size() - at_) : std::max<size_t>(NumberLength(), 1);
    return Fail("bad number or duration syntax: " + Quote(input_.substr(at_, length)));
  }

  size_t NumberLength() const {
    size_t length = 0;
    if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X')) {
      length = 2;
      while (IsHexDigit(Peek(length))) ++length;
      return length > 2 ? length : 0;
    }
    while (IsDigit(Peek(length))) ++length;
    if (Peek(length) == '.') {
      ++length;
      while (IsDigit(Peek(length))) ++length;
    }
    if (Peek(length) == 'e' || Peek(length) == 'E') {
      size_t exponent = length + 1;
      if (Peek(exponent) == '+' || Peek(exponent) == '-') ++exponent;
      if (!IsDigit(Peek(exponent))) return 0;
      while (IsDigit(Peek(exponent))) ++exponent;
      length = exponent;
    }
    return length;
  }

  // Units come in descending order and each once: 1h30m is a duration, 30m1h is not.
  size_t DurationLength() const {
    static constexpr std::array<std::string_view, 7> kUnits = {"y", "w", "d", "h", "m", "s", "ms"};
    size_t length = 0;
    size_t unit = 0;
    while (IsDigit(Peek(length))) {
      size_t end = length;
      while (IsDigit(Peek(end))) ++end;
      size_t unit_end = end;
      while (IsAlpha(Peek(unit_end))) ++unit_end;
      const std::string_view name = input_.substr(at_ + end, unit_end - end);
      while (unit < kUnits.size() && kUnits[unit] != name) ++unit;
      if (unit == kUnits.size()) return 0;
      ++unit;
      length = unit_end;
    }
    return length;
  }

  Status String() {
    const char quote = Peek();
    size_t length = 1;
    while (true) {
      if (at_ + length >= size() || (quote != '`' && Peek(length) == '\n')) {
        return FailAt(at_, quote == '`' ? "unterminated raw string" : "unterminated quoted string");
      }
      const char c = Peek(length++);
      if (c == quote) break;
      if (c == '\\' && quote != '`') ++length;
    }
    Emit(TokenKind::kString, length);
    return Status::Ok();
  }

  std::string_view input_;
  size_t at_ = 0;
  int open_parens_ = 0;
  bool in_braces_ = false;
  bool in_brackets_ = false;
  std::vector<Token> tokens_;
};

// Appends the UTF-8 bytes of a code point below 0x110000.
void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

int DigitValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

// Decodes the escape after a backslash at `at`; moves `at` past it. False when it is no escape of
// Go's.
bool DecodeEscape(std::string_view body, char quote, size_t& at, std::string& out) {
  static constexpr std::string_view kNames = "abfnrtv\\";
  static constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\";
  if (at >= body.size()) return false;
  const char c = body[at++];
  if (const size_t index = kNames.find(c); index != std::string_view::npos) {
    out += kBytes[index];
    return true;
  }
  if (c == quote) {
    out += quote;
    return true;
  }
  int digits = 0;
  int base = 16;
  switch (c) {
    case 'x': digits = 2; break;
    case 'u': digits = 4; break;
    case 'U': digits = 8; break;
    default:
      if (c < '0' || c > '7') return false;
      digits = 3;
      base = 8;
      --at;
  }
  uint32_t code = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    if (at >= body.size() || DigitValue(body[at]) >= base) return false;
    code = code * static_cast<uint32_t>(base) + static_cast<uint32_t>(DigitValue(body[at]));
  }
  if (c == 'u' || c == 'U') {
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    AppendUtf8(code, out);
  } else {
    if (code > 0xFF) return false;
    out += static_cast<char>(code);
  }
  return true;
}

}  // namespace

bool IsWord(TokenKind kind) { return kind >= TokenKind::kAnd && kind <= TokenKind::kEndWord; }

std::string Token::Describe() const {
  switch (kind) {
    case TokenKind::kEnd: return "end of input";
    case TokenKind::kIdentifier: return "identifier " + Quote(text);
    case TokenKind::kMetricIdentifier: return "metric identifier " + Quote(text);
    case TokenKind::kNumber: return "number " + Quote(text);
    case TokenKind::kDuration: return "duration " + Quote(text);
    case TokenKind::kString: return "string " + Quote(text);
    case TokenKind::kAggregator: return "<aggr:" + Lower(text) + ">";
    default: break;
  }
  if (kind >= TokenKind::kEqual && kind <= TokenKind::kAtan2) return "<op:" + Lower(text) + ">";
  if (IsWord(kind)) return "<" + Lower(text) + ">";
  return Quote(text);
}

std::string LineAndColumn(std::string_view input, int position) {
  const std::string_view before = input.substr(0, static_cast<size_t>(position));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_break = before.rfind('\n');
  const size_t column =
      line_break == std::string_view::npos ? before.size() + 1 : before.size() - line_break;
  return std::to_string(line) + ":" + std::to_string(column);
}

Status ParseError(std::string_view input, int position, std::string_view what) {
  return InvalidArgument(LineAndColumn(input, position) + ": parse error: " + std::string(what));
}

Tokens Tokenize(std::string_view input) { return Lexer(input).Run(); }

Result<std::string> Unquote(std::string_view input, const Token& token) {
  const char quote = token.text.front();
  const std::string_view body = token.text.substr(1, token.text.size() - 2);
  if (quote == '`') return std::string(body);
  std::string out;
  out.reserve(body.size());
  for (size_t at = 0; at < body.size();) {
    const char c = body[at++];
    if (c != '\\') {
      out += c;
      continue;
    }
    const size_t escape = at;
    if (!DecodeEscape(body, quote, at, out)) {
      char message[64];
      const unsigned code = escape < body.size() ? static_cast<unsigned char>(body[escape]) : 0;
      std::snprintf(message, sizeof message, "unknown escape sequence U+%04X '%c'", code,
                    static_cast<int>(code));
      return ParseError(input, token.position, message);
    }
  }
  return out;
}

std::string Quote(std::string_view text) {
  static constexpr std::string_view kNames = "abfnrtv";
  static constexpr std::string_view kBytes = "\a\b\f\n\r\t\v";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (const size_t index = kBytes.find(c); index != std::string_view::npos) {
      out += '\\';
      out += kNames[index];
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace hearth::promql
