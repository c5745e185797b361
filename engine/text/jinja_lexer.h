// Cuts a template into tokens and does Jinja's white space control, with the settings that Hugging
// Face renders chat templates with: trim_blocks and lstrip_blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::engine::jinja {

enum class TokenKind {
  kData,  // text between tags, white space control applied
  kBlockBegin,
  kBlockEnd,
  kVariableBegin,
  kVariableEnd,
  kName,
  kInteger,
  kFloat,
  kString,  // escapes resolved
  kOperator,
  kEnd,
};

struct LexToken {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  int line = 1;
};

// Throws Error with the line for what is no template. The last token is kEnd.
std::vector<LexToken> Lex(std::string_view source);

}  // namespace hearth::engine::jinja
