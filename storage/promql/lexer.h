// Cuts a PromQL expression into tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::promql {

enum class TokenKind {
  kEnd,
  kInvalid,
  kIdentifier,
  kMetricIdentifier,  // an identifier with a colon
  kNumber,
  kDuration,
  kString,
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kColon,
  kAt,
  kEqual,          // = inside braces
  kRegexMatch,     // =~
  kRegexNotMatch,  // !~
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kEqualEqual,
  kNotEqual,  // != as operator and as matcher
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  // Words. They may also be metric and label names.
  kAnd,
  kOr,
  kUnless,
  kAtan2,
  kAggregator,
  kOffset,
  kBy,
  kWithout,
  kOn,
  kIgnoring,
  kGroupLeft,
  kGroupRight,
  kBool,
  kStart,
  kEndWord,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // into the input; strings with their quotes
  int position = 0;       // byte offset of the first character

  int end() const { return position + static_cast<int>(text.size()); }
  // As Prometheus names it in messages: `<op:*>`, `identifier "foo"`, `end of input`.
  std::string Describe() const;
};

// A word of the language that can stand where a name stands.
bool IsWord(TokenKind kind);

// "1:5: parse error: what" for a byte offset into `input`.
Status ParseError(std::string_view input, int position, std::string_view what);

// "line:column", both from 1.
std::string LineAndColumn(std::string_view input, int position);

// The last token is kEnd, or kInvalid where what follows is none: `error` says why, in Prometheus's
// words. It is the parser's to report, as a mistake before it comes first. Views point into the
// input.
struct Tokens {
  std::vector<Token> list;
  Status error;
};
Tokens Tokenize(std::string_view input);

// The text of a string token without quotes and escapes.
Result<std::string> Unquote(std::string_view input, const Token& token);

// Go's %q: what messages and the printer put around strings.
std::string Quote(std::string_view text);

}  // namespace hearth::promql
