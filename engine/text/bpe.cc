#include "engine/text/bpe.h"

#include <array>
#include <queue>

#include "engine/text/unicode.h"

namespace hearth::engine {
namespace {

// Bytes that print keep their own code point; the rest, in order, take those from U+0100 up.
std::array<char32_t, 256> MakeByteAlphabet() {
  std::array<char32_t, 256> alphabet{};
  char32_t spare = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool prints = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
                        (byte >= 0xAE && byte <= 0xFF);
    alphabet[byte] = prints ? byte : spare++;
  }
  return alphabet;
}

const std::array<char32_t, 256>& ByteAlphabet() {
  static const std::array<char32_t, 256> alphabet = MakeByteAlphabet();
  return alphabet;
}

const std::unordered_map<char32_t, char>& AlphabetBytes() {
  static const auto bytes = [] {
    std::unordered_map<char32_t, char> map;
    for (size_t i = 0; i < 256; ++i) map[ByteAlphabet()[i]] = static_cast<char>(i);
    return map;
  }();
  return bytes;
}

// One symbol of a word while it is being merged: a doubly linked list inside a vector.
struct Symbol {
  int id;
  int previous;  // -1 = none
  int next;      // -1 = none
};

// A pair that could be merged when it was queued; outdated when either id has changed since.
struct Candidate {
  int rank;
  int position;  // of the left symbol; symbols keep their place, so ties go to the leftmost
  int left_id;
  int right_id;
  int merged_id;

  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

}  // namespace

std::string BytesToAlphabet(std::string_view bytes) {
  std::string token;
  for (const char byte : bytes) AppendUtf8(token, ByteAlphabet()[static_cast<uint8_t>(byte)]);
  return token;
}

Result<std::string> AlphabetToBytes(std::string_view token) {
  std::string bytes;
  for (size_t pos = 0; pos < token.size();) {
    const DecodedChar c = DecodeUtf8(token, pos);
    const auto it = AlphabetBytes().find(c.code_point);
    if (it == AlphabetBytes().end()) {
      return InvalidArgument("token \"" + std::string(token) +
                             "\" is not written in the byte-level alphabet");
    }
    bytes.push_back(it->second);
    pos += static_cast<size_t>(c.length);
  }
  return bytes;
}

Result<BytePairEncoder> BytePairEncoder::Create(const TokenIds& vocab,
                                                const std::vector<Merge>& merges,
                                                bool ignore_merges) {
  BytePairEncoder encoder;
  encoder.byte_ids_.resize(256);
  for (size_t byte = 0; byte < 256; ++byte) {
    const std::string token = BytesToAlphabet(std::string(1, static_cast<char>(byte)));
    const auto it = vocab.find(token);
    if (it == vocab.end()) {
      return InvalidArgument("the vocabulary lacks the token \"" + token + "\" of byte " +
                             std::to_string(byte) + "; byte-level BPE needs all 256");
    }
    encoder.byte_ids_[byte] = it->second;
  }

  encoder.merges_.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const auto left_id = vocab.find(left);
    const auto right_id = vocab.find(right);
    const auto merged_id = vocab.find(left + right);
    if (left_id == vocab.end() || right_id == vocab.end() || merged_id == vocab.end()) {
      return InvalidArgument("merge " + std::to_string(rank) + " (\"" + left + "\" \"" + right +
                             "\") names a token that the vocabulary lacks");
    }
    // Of a merge listed twice Hugging Face keeps the last rank.
    encoder.merges_[PairKey(left_id->second, right_id->second)] = {static_cast<int>(rank),
                                                                  merged_id->second};
  }

  if (ignore_merges) {
    for (const auto& [token, id] : vocab) {
      HEARTH_ASSIGN_OR_RETURN(std::string bytes, AlphabetToBytes(token));
      encoder.whole_words_.emplace(std::move(bytes), id);
    }
  }
  return encoder;
}

const BytePairEncoder::MergeRule* BytePairEncoder::FindMerge(int left, int right) const {
  const auto it = merges_.find(PairKey(left, right));
  return it == merges_.end() ? nullptr : &it->second;
}

void BytePairEncoder::Encode(std::string_view word, std::vector<int>& ids) const {
  if (const auto it = whole_words_.find(word); it != whole_words_.end()) {
    ids.push_back(it->second);
    return;
  }

  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  const int count = static_cast<int>(word.size());
  for (int i = 0; i < count; ++i) {
    const int id = byte_ids_[static_cast<uint8_t>(word[static_cast<size_t>(i)])];
    symbols.push_back({id, i - 1, i + 1 < count ? i + 1 : -1});
  }
  const auto at = [&](int i) -> Symbol& { return symbols[static_cast<size_t>(i)]; };

  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto enqueue = [&](int left, int right) {
    if (left < 0 || right < 0) return;
    const MergeRule* rule = FindMerge(at(left).id, at(right).id);
    if (rule != nullptr) queue.push({rule->rank, left, at(left).id, at(right).id, rule->id});
  };
  for (int i = 0; i + 1 < count; ++i) enqueue(i, i + 1);

  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = at(best.position);
    if (left.id != best.left_id || left.next < 0 || at(left.next).id != best.right_id) continue;
    Symbol& right = at(left.next);
    left.id = best.merged_id;
    left.next = right.next;
    if (right.next >= 0) at(right.next).previous = best.position;
    right.id = -1;  // no candidate matches it any more
    enqueue(left.previous, best.position);
    enqueue(best.position, left.next);
  }
  for (int i = 0; i >= 0 && i < count; i = at(i).next) ids.push_back(at(i).id);
}

}  // namespace hearth::engine
