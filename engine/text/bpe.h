// Byte-level byte-pair encoding of one word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"

namespace hearth::engine {

// The alphabet of GPT-2, in which byte-level vocabularies write their tokens: every byte is one
// printable character (space is "Ġ").
std::string BytesToAlphabet(std::string_view bytes);

// The bytes that `token` stands for; kInvalidArgument when a character is not of the alphabet.
Result<std::string> AlphabetToBytes(std::string_view token);

// Lookup by std::string_view without making a std::string.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using TokenIds = std::unordered_map<std::string, int, StringHash, std::equal_to<>>;

class BytePairEncoder {
 public:
  using Merge = std::pair<std::string, std::string>;

  // `vocab` maps tokens, written in the alphabet, to ids; `merges` come best first.
  // kInvalidArgument, naming it, for a byte or a merge that the vocabulary lacks.
  static Result<BytePairEncoder> Create(const TokenIds& vocab, const std::vector<Merge>& merges,
                                        bool ignore_merges);

  // Appends the ids of `word` (bytes). O(n log n).
  void Encode(std::string_view word, std::vector<int>& ids) const;

 private:
  struct MergeRule {
    int rank;
    int id;  // of the merged token
  };
  struct PairHash {
    size_t operator()(uint64_t pair) const {
      pair *= 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio: spreads consecutive ids
      return pair ^ (pair >> 32);
    }
  };

  static uint64_t PairKey(int left, int right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) |
           static_cast<uint32_t>(right);
  }
  const MergeRule* FindMerge(int left, int right) const;

  std::vector<int> byte_ids_;  // [256]
  std::unordered_map<uint64_t, MergeRule, PairHash> merges_;
  TokenIds whole_words_;  // by bytes; filled only when a word of the vocabulary skips merging
};

}  // namespace hearth::engine
