#include "engine/text/tokenizer_json.h"

#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>

namespace hearth::engine {
namespace {

// Gemma 3's file, the largest in use, has 33 MB.
constexpr size_t kTokenizerFileBytesMax = size_t{256} << 20;

// The vocabulary has 150,000 keys, so the file is read into the type that finds keys fast.
using Node = SortedJson;

const Node kNull;

// object[key]; null where absent or where `object` is no object.
const Node& Get(const Node& object, const char* key) {
  if (!object.is_object()) return kNull;
  const auto it = object.find(key);
  return it == object.end() ? kNull : *it;
}

std::string GetString(const Node& object, const char* key) {
  const Node& value = Get(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

bool GetBool(const Node& object, const char* key) {
  const Node& value = Get(object, key);
  return value.is_boolean() && value.get<bool>();
}

Status Unsupported(const std::string& part, const std::string& found,
                   const std::string& supported) {
  return InvalidArgument(part + " is " + found +
                         ", which is not supported; supported: " + supported);
}

std::string Describe(const Node& value) {
  const std::string type = GetString(value, "type");
  return type.empty() ? value.dump(-1, ' ', true).substr(0, 200) : "\"" + type + "\"";
}

Status ReadNormalizer(const Node& node, TokenizerParts& parts) {
  if (node.is_null()) return Status::Ok();
  const std::string type = GetString(node, "type");
  if (type == "NFC") {
    parts.nfc = true;
    return Status::Ok();
  }
  if (type == "Sequence") {
    for (const Node& step : Get(node, "normalizers")) {
      HEARTH_RETURN_IF_ERROR(ReadNormalizer(step, parts));
    }
    return Status::Ok();
  }
  return Unsupported("normalizer", Describe(node), "none, NFC");
}

// Appends the patterns of one step. Sets `byte_level` when the step turns words into bytes.
Status ReadPreTokenizer(const Node& node, TokenizerParts& parts, bool& byte_level) {
  const std::string type = GetString(node, "type");
  if (type == "Sequence") {
    for (const Node& step : Get(node, "pretokenizers")) {
      HEARTH_RETURN_IF_ERROR(ReadPreTokenizer(step, parts, byte_level));
    }
    return Status::Ok();
  }
  if (byte_level) {
    return Unsupported("pre_tokenizer", Describe(node) + " after ByteLevel",
                       "ByteLevel as the last step");
  }
  if (type == "Split") {
    const std::string behavior = GetString(node, "behavior");
    const bool removes_gaps = behavior == "Removed" && GetBool(node, "invert");
    const bool isolates = behavior == "Isolated" && !GetBool(node, "invert");
    if (!isolates && !removes_gaps) {
      return Unsupported("pre_tokenizer Split", "behavior \"" + behavior + "\"", "\"Isolated\"");
    }
    const Node& regex = Get(Get(node, "pattern"), "Regex");
    if (!regex.is_string()) {
      return Unsupported("pre_tokenizer Split", "without a Regex pattern", "a Regex pattern");
    }
    HEARTH_ASSIGN_OR_RETURN(const SplitPattern pattern,
                            SplitPatternFromRegex(regex.get<std::string>()));
    parts.pre_tokenizer.push_back(pattern);
    return Status::Ok();
  }
  if (type == "Digits") {
    if (!GetBool(node, "individual_digits")) {
      return Unsupported("pre_tokenizer Digits", "individual_digits false",
                         "individual_digits true");
    }
    parts.pre_tokenizer.push_back(SplitPattern::kDigits);
    return Status::Ok();
  }
  if (type == "ByteLevel") {
    if (GetBool(node, "add_prefix_space")) {
      return Unsupported("pre_tokenizer ByteLevel", "add_prefix_space true",
                         "add_prefix_space false");
    }
    // use_regex defaults to true: then the step splits by GPT-2's expression itself.
    const Node& use_regex = Get(node, "use_regex");
    if (!use_regex.is_boolean() || use_regex.get<bool>()) {
      parts.pre_tokenizer.push_back(SplitPattern::kGpt2);
    }
    byte_level = true;
    return Status::Ok();
  }
  return Unsupported("pre_tokenizer", Describe(node),
                     "Split, Digits, ByteLevel and Sequences of them");
}

Status ReadVocab(const Node& vocab, TokenizerParts& parts) {
  if (!vocab.is_object() || vocab.empty()) {
    return InvalidArgument("model.vocab must be an object of tokens with their ids");
  }
  parts.vocab.reserve(vocab.size());
  for (const auto& [token, id] : vocab.items()) {
    if (!id.is_number_integer()) {
      return InvalidArgument("model.vocab: the id of \"" + token + "\" is not an integer");
    }
    parts.vocab.emplace(token, id.get<int>());
  }
  return Status::Ok();
}

// A merge is "left right" or ["left", "right"]; no token contains a space, which is written "Ġ".
Result<BytePairEncoder::Merge> ReadMerge(const Node& merge) {
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const size_t space = text.find(' ');
    if (space != std::string::npos && space > 0 && space + 1 < text.size()) {
      return BytePairEncoder::Merge(text.substr(0, space), text.substr(space + 1));
    }
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
             merge[1].is_string()) {
    return BytePairEncoder::Merge(merge[0].get<std::string>(), merge[1].get<std::string>());
  }
  return InvalidArgument("model.merges: " + merge.dump(-1, ' ', true).substr(0, 200) +
                         " is neither \"left right\" nor [\"left\", \"right\"]");
}

Status ReadModel(const Node& model, TokenizerParts& parts) {
  const std::string type = GetString(model, "type");
  if (type != "BPE") return Unsupported("model", Describe(model), "\"BPE\"");
  if (GetBool(model, "byte_fallback")) {
    return Unsupported("model", "BPE with byte_fallback (SentencePiece style)", "byte-level BPE");
  }
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!GetString(model, name).empty()) {
      return Unsupported(std::string("model.") + name, "\"" + GetString(model, name) + "\"",
                         "none");
    }
  }
  parts.ignore_merges = GetBool(model, "ignore_merges");
  HEARTH_RETURN_IF_ERROR(ReadVocab(Get(model, "vocab"), parts));
  const Node& merges = Get(model, "merges");
  if (!merges.is_array()) return InvalidArgument("model.merges must be an array");
  parts.merges.reserve(merges.size());
  for (const Node& merge : merges) {
    HEARTH_ASSIGN_OR_RETURN(BytePairEncoder::Merge pair, ReadMerge(merge));
    parts.merges.push_back(std::move(pair));
  }
  return Status::Ok();
}

Result<AddedToken> ReadAddedToken(const Node& node, const Node& id) {
  const Node& content = Get(node, "content");
  if (!content.is_string() || !id.is_number_integer()) {
    return InvalidArgument("added_tokens: " + node.dump(-1, ' ', true).substr(0, 200) +
                           " lacks an \"id\" or a \"content\"");
  }
  return AddedToken{.id = id.get<int>(),
                    .content = content.get<std::string>(),
                    .special = GetBool(node, "special"),
                    .normalized = GetBool(node, "normalized"),
                    .single_word = GetBool(node, "single_word"),
                    .lstrip = GetBool(node, "lstrip"),
                    .rstrip = GetBool(node, "rstrip")};
}

Status ReadAddedTokens(const Node& tokenizer, TokenizerParts& parts) {
  const Node& added = Get(tokenizer, "added_tokens");
  if (added.is_null()) return Status::Ok();
  if (!added.is_array()) return InvalidArgument("added_tokens must be an array");
  for (const Node& node : added) {
    HEARTH_ASSIGN_OR_RETURN(AddedToken token, ReadAddedToken(node, Get(node, "id")));
    parts.added_tokens.push_back(std::move(token));
  }
  return Status::Ok();
}

// TemplateProcessing's "single": [{SpecialToken: {id}}, {Sequence: {id: "A"}}, ...]; the ids that
// stand before the sequence and behind it.
Status ReadTemplateProcessing(const Node& node, TokenizerParts& parts) {
  bool after_sequence = false;
  for (const Node& item : Get(node, "single")) {
    if (item.contains("Sequence")) {
      after_sequence = true;
      continue;
    }
    const std::string name = GetString(Get(item, "SpecialToken"), "id");
    const Node& ids = Get(Get(Get(node, "special_tokens"), name.c_str()), "ids");
    if (!ids.is_array()) {
      return InvalidArgument("post_processor: special token \"" + name + "\" has no ids");
    }
    for (const Node& id : ids) {
      if (!id.is_number_integer())
        return InvalidArgument("post_processor: an id is not an integer");
      (after_sequence ? parts.suffix_ids : parts.prefix_ids).push_back(id.get<int>());
    }
  }
  return Status::Ok();
}

Status ReadPostProcessor(const Node& node, TokenizerParts& parts) {
  if (node.is_null()) return Status::Ok();
  const std::string type = GetString(node, "type");
  if (type == "ByteLevel") return Status::Ok();  // concerns offsets, not ids
  if (type == "TemplateProcessing") return ReadTemplateProcessing(node, parts);
  if (type == "Sequence") {
    for (const Node& step : Get(node, "processors")) {
      HEARTH_RETURN_IF_ERROR(ReadPostProcessor(step, parts));
    }
    return Status::Ok();
  }
  return Unsupported("post_processor", Describe(node), "ByteLevel, TemplateProcessing, none");
}

Status ReadTokenizer(const Node& tokenizer, TokenizerParts& parts) {
  if (!tokenizer.is_object()) return InvalidArgument("the file is not a JSON object");
  HEARTH_RETURN_IF_ERROR(ReadModel(Get(tokenizer, "model"), parts));
  HEARTH_RETURN_IF_ERROR(ReadNormalizer(Get(tokenizer, "normalizer"), parts));
  bool byte_level = false;
  HEARTH_RETURN_IF_ERROR(ReadPreTokenizer(Get(tokenizer, "pre_tokenizer"), parts, byte_level));
  if (!byte_level) return Unsupported("pre_tokenizer", "without ByteLevel", "byte-level BPE");
  HEARTH_RETURN_IF_ERROR(ReadAddedTokens(tokenizer, parts));
  return ReadPostProcessor(Get(tokenizer, "post_processor"), parts);
}

// Special tokens, and added tokens that tokenizer.json leaves out (transformers adds them too).
Status ReadConfig(const Json& config, TokenizerParts& parts) {
  if (!config.is_object()) return InvalidArgument("the file is not a JSON object");
  HEARTH_ASSIGN_OR_RETURN(parts.bos_token, SpecialTokenContent(config, "bos_token"));
  HEARTH_ASSIGN_OR_RETURN(parts.eos_token, SpecialTokenContent(config, "eos_token"));
  const auto decoder = config.find("added_tokens_decoder");
  if (decoder == config.end() || !decoder->is_object()) return Status::Ok();
  std::set<std::string> known;
  for (const AddedToken& token : parts.added_tokens) known.insert(token.content);
  for (const auto& [id, entry] : decoder->items()) {
    const bool numeric =
        !id.empty() && id.size() < 10 && id.find_first_not_of("0123456789") == std::string::npos;
    HEARTH_ASSIGN_OR_RETURN(AddedToken token,
                            ReadAddedToken(Node(entry), numeric ? Node(std::stoi(id)) : kNull));
    if (!known.contains(token.content)) parts.added_tokens.push_back(std::move(token));
  }
  return Status::Ok();
}

}  // namespace

Result<std::string> ReadModelFile(const std::string& path, size_t bytes_max) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return ErrnoStatus("cannot open " + path, errno);
  const auto size = static_cast<std::streamoff>(file.tellg());
  if (size < 0) return Internal("cannot read " + path + ": not a regular file");
  if (static_cast<size_t>(size) > bytes_max) {
    return ResourceExhausted(path + " has " + std::to_string(size) + " bytes; the limit is " +
                             std::to_string(bytes_max));
  }
  std::string content(static_cast<size_t>(size), '\0');
  file.seekg(0);
  if (!file.read(content.data(), size)) return Internal("cannot read " + path);
  return content;
}

Result<std::string> SpecialTokenContent(const Json& config, const std::string& name) {
  const auto it = config.find(name);
  if (it == config.end() || it->is_null()) return std::string();
  if (it->is_string()) return it->get<std::string>();
  if (it->is_object()) {
    const auto content = it->find("content");
    if (content != it->end() && content->is_string()) return content->get<std::string>();
  }
  return InvalidArgument(name + " must be a string or an object with \"content\"");
}

Result<TokenizerParts> ReadTokenizerParts(const std::string& model_dir) {
  const std::string path = model_dir + "/tokenizer.json";
  Result<std::string> text = ReadModelFile(path, kTokenizerFileBytesMax);
  if (!text.ok() && text.status().code() == StatusCode::kNotFound) {
    return NotFound(path +
                    " is missing; a model directory needs the tokenizer.json of its "
                    "Hugging Face repository");
  }
  if (!text.ok()) return text.status();
  Result<Node> tokenizer = ParseLargeJson(*text);
  if (!tokenizer.ok()) return tokenizer.status().WithContext(path);
  TokenizerParts parts;
  HEARTH_RETURN_IF_ERROR(ReadTokenizer(*tokenizer, parts).WithContext(path));

  const std::string config_path = model_dir + "/tokenizer_config.json";
  const Result<std::string> config_text = ReadModelFile(config_path, kTokenizerFileBytesMax);
  if (!config_text.ok()) {
    if (config_text.status().code() == StatusCode::kNotFound) return parts;
    return config_text.status();
  }
  Result<Json> config = ParseJson(*config_text);
  if (!config.ok()) return config.status().WithContext(config_path);
  HEARTH_RETURN_IF_ERROR(ReadConfig(*config, parts).WithContext(config_path));
  return parts;
}

}  // namespace hearth::engine
