#include "engine/model/generation_config.h"

#include "engine/model/json_file.h"

namespace hearth::engine {
namespace {

// An id or an array of ids. An id beyond the vocabulary can never be sampled: worth telling.
Result<std::vector<int>> ReadEosTokenId(const JsonFields& fields, int vocab_size) {
  std::vector<int> ids;
  const Json* value = fields.Find("eos_token_id");
  if (value == nullptr) return ids;
  const Json list = value->is_array() ? *value : Json::array({*value});
  for (const Json& item : list) {
    const Json wrapped = {{"eos_token_id", item}};
    HEARTH_ASSIGN_OR_RETURN(const int id,
                            JsonFields(wrapped).Int("eos_token_id", 0, vocab_size - 1));
    ids.push_back(id);
  }
  return ids;
}

template <typename T>
Status ReadOptional(const JsonFields& fields, std::string_view name, double low, double high,
                    std::optional<T>& out) {
  if (fields.Find(name) == nullptr) return Status::Ok();
  HEARTH_ASSIGN_OR_RETURN(const double value, fields.Double(name, low, high, low));
  out = static_cast<T>(value);
  return Status::Ok();
}

}  // namespace

Result<GenerationConfig> GenerationConfig::FromJsonText(std::string_view text, int vocab_size) {
  HEARTH_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  if (!json.is_object()) return InvalidArgument("it must be a JSON object");
  const JsonFields fields(json);
  GenerationConfig config;
  HEARTH_ASSIGN_OR_RETURN(config.eos_token_id, ReadEosTokenId(fields, vocab_size));
  HEARTH_RETURN_IF_ERROR(ReadOptional(fields, "temperature", 0, 1e6, config.temperature));
  HEARTH_RETURN_IF_ERROR(ReadOptional(fields, "top_p", 0, 1, config.top_p));
  HEARTH_RETURN_IF_ERROR(ReadOptional(fields, "top_k", -1, 1 << 24, config.top_k));
  HEARTH_RETURN_IF_ERROR(
      ReadOptional(fields, "repetition_penalty", 0, 1e6, config.repetition_penalty));
  return config;
}

Result<GenerationConfig> GenerationConfig::Load(const std::string& model_dir, int vocab_size) {
  GenerationConfig config;
  // generation_config.json decides; config.json's eos_token_id serves where the former has none.
  for (const std::string name : {"/generation_config.json", "/config.json"}) {
    Result<std::string> text = ReadTextFile(model_dir + name, kConfigBytesMax);
    if (text.status().code() == StatusCode::kNotFound) continue;
    if (!text.ok()) return text.status();
    Result<GenerationConfig> found = FromJsonText(*text, vocab_size);
    if (!found.ok()) return found.status().WithContext(model_dir + name);
    if (name == "/generation_config.json") {
      config = *std::move(found);
    } else if (config.eos_token_id.empty()) {
      config.eos_token_id = found->eos_token_id;
    }
  }
  return config;
}

}  // namespace hearth::engine
