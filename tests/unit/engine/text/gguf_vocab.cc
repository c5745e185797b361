#include "tests/unit/engine/text/gguf_vocab.h"

#include <cstring>
#include <map>
#include <variant>

#include "engine/text/tokenizer_json.h"

namespace hearth::engine {
namespace {

// Type numbers of GGUF version 3 (ggml/docs/gguf.md).
constexpr uint32_t kTypeInt32 = 5;
constexpr uint32_t kTypeString = 8;
constexpr uint32_t kTypeArray = 9;

constexpr int kTokenControl = 3;      // llama.cpp: LLAMA_TOKEN_TYPE_CONTROL
constexpr int kTokenUserDefined = 4;  // LLAMA_TOKEN_TYPE_USER_DEFINED

struct Metadata {
  std::map<std::string, std::string> strings;
  std::map<std::string, std::vector<std::string>> string_arrays;
  std::map<std::string, std::vector<int>> int_arrays;
};

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}

  template <typename T>
  T Take() {
    T value{};
    CHECK(pos_ + sizeof(T) <= bytes_.size()) << "the GGUF file ends early";
    std::memcpy(&value, bytes_.data() + pos_, sizeof(T));
    pos_ += sizeof(T);
    return value;
  }
  std::string TakeString() {
    const auto length = Take<uint64_t>();
    CHECK(length <= bytes_.size() - pos_) << "the GGUF file ends inside a string";
    std::string value = bytes_.substr(pos_, length);
    pos_ += length;
    return value;
  }
  void Skip(uint32_t type) {
    static constexpr size_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    CHECK(type < std::size(kSizes)) << "unknown GGUF type " << type;
    pos_ += kSizes[type];
  }

 private:
  const std::string& bytes_;
  size_t pos_ = 0;
};

void ReadArray(Reader& reader, const std::string& key, Metadata& metadata) {
  const auto type = reader.Take<uint32_t>();
  const auto count = reader.Take<uint64_t>();
  for (uint64_t i = 0; i < count; ++i) {
    if (type == kTypeString) {
      metadata.string_arrays[key].push_back(reader.TakeString());
    } else if (type == kTypeInt32) {
      metadata.int_arrays[key].push_back(reader.Take<int32_t>());
    } else {
      reader.Skip(type);
    }
  }
}

Metadata ReadMetadata(const std::string& bytes) {
  Reader reader(bytes);
  CHECK(reader.Take<uint32_t>() == 0x46554747) << "not a GGUF file";
  CHECK(reader.Take<uint32_t>() == 3) << "not GGUF version 3";
  reader.Take<uint64_t>();  // tensors
  const auto count = reader.Take<uint64_t>();
  Metadata metadata;
  for (uint64_t i = 0; i < count; ++i) {
    const std::string key = reader.TakeString();
    const auto type = reader.Take<uint32_t>();
    if (type == kTypeString) {
      metadata.strings[key] = reader.TakeString();
    } else if (type == kTypeArray) {
      ReadArray(reader, key, metadata);
    } else {
      reader.Skip(type);
    }
  }
  return metadata;
}

}  // namespace

Result<TokenizerParts> ReadGgufVocab(const std::string& path) {
  HEARTH_ASSIGN_OR_RETURN(const std::string bytes, ReadModelFile(path, size_t{1} << 30));
  Metadata metadata = ReadMetadata(bytes);
  TokenizerParts parts;
  const std::string& pre = metadata.strings["tokenizer.ggml.pre"];
  if (pre != "qwen2" && pre != "gpt-2") return InvalidArgument("unknown pre-tokenizer " + pre);
  parts.pre_tokenizer = {pre == "qwen2" ? SplitPattern::kQwen2 : SplitPattern::kGpt2};
  parts.nfc = pre == "qwen2";

  const auto& tokens = metadata.string_arrays["tokenizer.ggml.tokens"];
  const auto& types = metadata.int_arrays["tokenizer.ggml.token_type"];
  for (size_t i = 0; i < tokens.size(); ++i) {
    const int id = static_cast<int>(i);
    if (types[i] == kTokenControl || types[i] == kTokenUserDefined) {
      parts.added_tokens.push_back(
          {.id = id, .content = tokens[i], .special = types[i] == kTokenControl});
    } else {
      parts.vocab.emplace(tokens[i], id);
    }
  }
  for (const std::string& merge : metadata.string_arrays["tokenizer.ggml.merges"]) {
    const size_t space = merge.find(' ', 1);
    parts.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  return parts;
}

}  // namespace hearth::engine
