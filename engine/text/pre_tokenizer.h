// Cuts text into the words inside which BPE may merge.
//
// Each pattern is a hand-written scanner for one regular expression of a tokenizer.json; it gives
// exactly the matches of that expression, in order, and together they cover the whole text.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::engine {

enum class SplitPattern {
  kGpt2,    // 's|'t|... | ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  kQwen2,   // as kLlama3 with single digits
  kLlama3,  // (?i:'s|...)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|...
  kDigits,  // every \p{N} alone, what lies between as it is
};

// The pattern written as `regex`. kInvalidArgument for an expression that is none of them.
Result<SplitPattern> SplitPatternFromRegex(std::string_view regex);

// The words of `text` (valid UTF-8) in order, as views into it; concatenated they are `text`.
// Several patterns apply one after the other, each to the words of the one before.
std::vector<std::string_view> SplitWords(const std::vector<SplitPattern>& patterns,
                                         std::string_view text);

}  // namespace hearth::engine
