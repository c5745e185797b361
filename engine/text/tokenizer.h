// Text to token ids and back, exactly as the model's Hugging Face tokenizer does it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/text/added_tokens.h"
#include "engine/text/bpe.h"
#include "engine/text/pre_tokenizer.h"
#include "engine/text/segment.h"

namespace hearth::engine {

// What a tokenizer is made of, whatever file it came from.
struct TokenizerParts {
  TokenIds vocab;  // tokens in the byte-level alphabet -> id
  std::vector<BytePairEncoder::Merge> merges;
  std::vector<AddedToken> added_tokens;
  std::vector<SplitPattern> pre_tokenizer;
  bool nfc = false;            // normalizer NFC
  bool ignore_merges = false;  // a word that is in the vocabulary is not merged together
  // What post-processing puts around a prompt that is not a chat ("add_special_tokens").
  std::vector<int> prefix_ids;
  std::vector<int> suffix_ids;
  std::string bos_token;  // tokenizer_config.json; empty = none
  std::string eos_token;
};

// Byte-level BPE. Immutable, so every method may be called from any thread.
class Tokenizer {
 public:
  // Reads tokenizer.json and tokenizer_config.json (which may be absent) of a Hugging Face
  // directory. The error names the file, the part, and what is supported.
  static Result<std::unique_ptr<Tokenizer>> Load(const std::string& model_dir);
  static Result<std::unique_ptr<Tokenizer>> FromParts(TokenizerParts parts);

  // Ids of `text` without the prompt's prefix and suffix. With `parse_special`, special tokens
  // written out in the text become their ids; without, they are ordinary text. Added tokens that
  // are not special (Qwen's <tool_call>) are always found, as Hugging Face does.
  // Bytes that are not UTF-8 count as U+FFFD.
  std::vector<int> Encode(std::string_view text, bool parse_special) const;

  // Ids of the segments' concatenation, the same as of one text, except that a special token is
  // found only where none of its bytes is input.
  std::vector<int> Encode(std::span<const Segment> segments) const;

  // Adds what the model expects around a plain prompt (Llama 3: <|begin_of_text|> in front).
  std::vector<int> AddSpecialTokens(std::vector<int> ids) const;

  // Whole text; bytes that are not UTF-8 become U+FFFD. Unknown ids are skipped.
  std::string Decode(std::span<const int> ids, bool skip_special) const;

  // The bytes a token stands for; may be a part of a character. Empty for an unknown id.
  const std::string& TokenBytes(int id) const;

  bool IsSpecial(int id) const;

  // One past the highest id. A model's logits may be wider (padded).
  int vocab_size() const { return static_cast<int>(tokens_.size()); }

  // The id of a token as written in the vocabulary ("Ġthe") or added ("<|im_end|>").
  std::optional<int> TokenId(std::string_view token) const;

  std::optional<int> bos_token_id() const { return bos_token_id_; }
  std::optional<int> eos_token_id() const { return eos_token_id_; }

 private:
  struct Token {
    std::string bytes;
    bool special = false;
  };
  struct Input;  // the text of an Encode and which bytes of it are input

  explicit Tokenizer(BytePairEncoder encoder) : encoder_(std::move(encoder)) {}

  Status AddTokens(const TokenizerParts& parts);
  std::vector<int> EncodeInput(const Input& input) const;
  void EncodePiece(std::string_view piece, std::vector<int>& ids) const;
  void EncodeWords(std::string_view piece, std::vector<int>& ids) const;

  BytePairEncoder encoder_;
  std::vector<SplitPattern> pre_tokenizer_;
  bool nfc_ = false;
  AddedTokenMatcher raw_matcher_;         // looks into the text as it is
  AddedTokenMatcher normalized_matcher_;  // looks into what the normalizer gives
  std::vector<Token> tokens_;             // by id
  TokenIds token_ids_;
  std::vector<int> prefix_ids_;
  std::vector<int> suffix_ids_;
  std::optional<int> bos_token_id_;
  std::optional<int> eos_token_id_;
};

}  // namespace hearth::engine
