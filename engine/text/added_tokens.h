// Tokens that are cut out of a text before pre-tokenization: special ones and whole words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::engine {

// An entry of tokenizer.json's "added_tokens"; the names are Hugging Face's.
struct AddedToken {
  int id = 0;
  std::string content;
  bool special = false;
  bool normalized = false;   // looked for in the normalized text instead of the raw one
  bool single_word = false;  // only where no letter, digit or '_' touches it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // takes the white space behind it along
};

// Finds added tokens in a text: leftmost, then longest.
class AddedTokenMatcher {
 public:
  struct Match {
    size_t begin = 0;
    size_t end = 0;  // past the last byte; begin and end include stripped white space
    int id = 0;
  };
  // Says whether `token` may be taken where it is written, at bytes [begin, end).
  using Allow = std::function<bool(const AddedToken& token, size_t begin, size_t end)>;

  AddedTokenMatcher() = default;
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  // Matches in order, without overlap.
  std::vector<Match> FindAll(std::string_view text, const Allow& allow) const;

 private:
  // A trie over bytes. Children are sorted by byte.
  struct Node {
    std::vector<std::pair<uint8_t, int>> children;
    int token = -1;  // index into tokens_
  };

  void Insert(std::string_view content, int token);
  int Child(int node, char byte) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_ = std::vector<Node>(1);
};

}  // namespace hearth::engine
