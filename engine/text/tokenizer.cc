#include "engine/text/tokenizer.h"

#include <algorithm>

#include "engine/text/tokenizer_json.h"
#include "engine/text/unicode.h"

namespace hearth::engine {
namespace {

// Beyond any served vocabulary (Gemma: 262,144); refuses an id that would make the table huge.
constexpr int kTokenIdMax = 4'000'000;

Result<std::optional<int>> IdOfSpecial(const TokenIds& ids, const std::string& name,
                                       const std::string& token) {
  if (token.empty()) return std::optional<int>();
  const auto it = ids.find(token);
  if (it == ids.end()) {
    return InvalidArgument(name + " \"" + token + "\" is not in the vocabulary");
  }
  return std::optional<int>(it->second);
}

}  // namespace

struct Tokenizer::Input {
  std::string text;
  // Bytes [begin, end) that are input, in order, adjacent ones joined.
  std::vector<std::pair<size_t, size_t>> input_ranges;

  void Append(std::string_view part, bool is_input) {
    const size_t begin = text.size();
    if (IsValidUtf8(part)) {
      text += part;
    } else {
      text += ReplaceInvalidUtf8(part);
    }
    if (!is_input || text.size() == begin) return;
    if (!input_ranges.empty() && input_ranges.back().second == begin) {
      input_ranges.back().second = text.size();
    } else {
      input_ranges.emplace_back(begin, text.size());
    }
  }

  bool HasInput(size_t begin, size_t end) const {
    const auto it = std::partition_point(input_ranges.begin(), input_ranges.end(),
                                         [&](const auto& range) { return range.second <= begin; });
    return it != input_ranges.end() && it->first < end;
  }
};

Result<std::unique_ptr<Tokenizer>> Tokenizer::Load(const std::string& model_dir) {
  HEARTH_ASSIGN_OR_RETURN(TokenizerParts parts, ReadTokenizerParts(model_dir));
  Result<std::unique_ptr<Tokenizer>> tokenizer = FromParts(std::move(parts));
  if (!tokenizer.ok()) return tokenizer.status().WithContext(model_dir + "/tokenizer.json");
  return tokenizer;
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::FromParts(TokenizerParts parts) {
  HEARTH_ASSIGN_OR_RETURN(BytePairEncoder encoder,
                          BytePairEncoder::Create(parts.vocab, parts.merges, parts.ignore_merges));
  std::unique_ptr<Tokenizer> tokenizer(new Tokenizer(std::move(encoder)));
  HEARTH_RETURN_IF_ERROR(tokenizer->AddTokens(parts));

  std::vector<AddedToken> raw;
  std::vector<AddedToken> normalized;
  for (AddedToken& token : parts.added_tokens) {
    // NFC changes no special token in use, so all of those are looked for where it is known which
    // bytes are input.
    (token.special || !token.normalized ? raw : normalized).push_back(std::move(token));
  }
  tokenizer->raw_matcher_ = AddedTokenMatcher(std::move(raw));
  tokenizer->normalized_matcher_ = AddedTokenMatcher(std::move(normalized));
  tokenizer->pre_tokenizer_ = std::move(parts.pre_tokenizer);
  tokenizer->nfc_ = parts.nfc;
  tokenizer->prefix_ids_ = std::move(parts.prefix_ids);
  tokenizer->suffix_ids_ = std::move(parts.suffix_ids);
  HEARTH_ASSIGN_OR_RETURN(tokenizer->bos_token_id_,
                          IdOfSpecial(tokenizer->token_ids_, "bos_token", parts.bos_token));
  HEARTH_ASSIGN_OR_RETURN(tokenizer->eos_token_id_,
                          IdOfSpecial(tokenizer->token_ids_, "eos_token", parts.eos_token));
  return tokenizer;
}

Status Tokenizer::AddTokens(const TokenizerParts& parts) {
  int highest = -1;
  const auto check_id = [&](const std::string& token, int id) -> Status {
    if (id < 0 || id > kTokenIdMax) {
      return InvalidArgument("token \"" + token + "\" has the id " + std::to_string(id) +
                             "; ids go from 0 to " + std::to_string(kTokenIdMax));
    }
    highest = std::max(highest, id);
    return Status::Ok();
  };
  for (const auto& [token, id] : parts.vocab) HEARTH_RETURN_IF_ERROR(check_id(token, id));
  for (const AddedToken& token : parts.added_tokens) {
    HEARTH_RETURN_IF_ERROR(check_id(token.content, token.id));
  }

  tokens_.resize(static_cast<size_t>(highest + 1));
  token_ids_ = parts.vocab;
  for (const AddedToken& token : parts.added_tokens) {
    tokens_[static_cast<size_t>(token.id)] = {token.content, token.special};
    token_ids_[token.content] = token.id;
  }
  for (const auto& [token, id] : parts.vocab) {
    Token& entry = tokens_[static_cast<size_t>(id)];
    if (!entry.bytes.empty()) continue;  // added tokens are written as they are
    HEARTH_ASSIGN_OR_RETURN(entry.bytes, AlphabetToBytes(token));
  }
  return Status::Ok();
}

std::vector<int> Tokenizer::Encode(std::string_view text, bool parse_special) const {
  Input input;
  input.Append(text, !parse_special);
  return EncodeInput(input);
}

std::vector<int> Tokenizer::Encode(std::span<const Segment> segments) const {
  Input input;
  for (const Segment& segment : segments) input.Append(segment.text, segment.is_input);
  return EncodeInput(input);
}

std::vector<int> Tokenizer::EncodeInput(const Input& input) const {
  std::vector<int> ids;
  const std::string_view text = input.text;
  const auto encode_between = [&](size_t begin, size_t end) {
    if (begin < end) EncodePiece(text.substr(begin, end - begin), ids);
  };
  const auto allow = [&](const AddedToken& token, size_t begin, size_t end) {
    return !token.special || !input.HasInput(begin, end);
  };
  size_t done = 0;
  for (const auto& match : raw_matcher_.FindAll(text, allow)) {
    encode_between(done, match.begin);
    ids.push_back(match.id);
    done = match.end;
  }
  encode_between(done, text.size());
  return ids;
}

void Tokenizer::EncodePiece(std::string_view piece, std::vector<int>& ids) const {
  const std::string normalized = nfc_ ? NormalizeNfc(piece) : std::string(piece);
  const std::string_view text = normalized;
  const auto allow = [](const AddedToken&, size_t, size_t) { return true; };
  size_t done = 0;
  for (const auto& match : normalized_matcher_.FindAll(text, allow)) {
    EncodeWords(text.substr(done, match.begin - done), ids);
    ids.push_back(match.id);
    done = match.end;
  }
  EncodeWords(text.substr(done), ids);
}

void Tokenizer::EncodeWords(std::string_view piece, std::vector<int>& ids) const {
  for (const std::string_view word : SplitWords(pre_tokenizer_, piece)) encoder_.Encode(word, ids);
}

std::vector<int> Tokenizer::AddSpecialTokens(std::vector<int> ids) const {
  ids.insert(ids.begin(), prefix_ids_.begin(), prefix_ids_.end());
  ids.insert(ids.end(), suffix_ids_.begin(), suffix_ids_.end());
  return ids;
}

std::string Tokenizer::Decode(std::span<const int> ids, bool skip_special) const {
  std::string bytes;
  for (const int id : ids) {
    if (!skip_special || !IsSpecial(id)) bytes += TokenBytes(id);
  }
  return ReplaceInvalidUtf8(bytes);
}

const std::string& Tokenizer::TokenBytes(int id) const {
  static const std::string unknown;
  return id >= 0 && id < vocab_size() ? tokens_[static_cast<size_t>(id)].bytes : unknown;
}

bool Tokenizer::IsSpecial(int id) const {
  return id >= 0 && id < vocab_size() && tokens_[static_cast<size_t>(id)].special;
}

std::optional<int> Tokenizer::TokenId(std::string_view token) const {
  const auto it = token_ids_.find(token);
  if (it == token_ids_.end()) return std::nullopt;
  return it->second;
}

}  // namespace hearth::engine
