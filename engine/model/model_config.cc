#include "engine/model/model_config.h"

#include "engine/model/json_file.h"

namespace hearth::engine {
namespace {

// Far above any published model, far below what would overflow an int when multiplied by a few.
constexpr int kSizeMax = 1 << 24;
constexpr int kLayersMax = 1024;
constexpr int kHeadsMax = 1024;

constexpr std::string_view kServedArchitectures = "Qwen2ForCausalLM";

Result<std::string> ReadArchitecture(const JsonFields& fields) {
  const Json* architectures = fields.Find("architectures");
  if (architectures == nullptr || !architectures->is_array() || architectures->empty() ||
      !architectures->front().is_string()) {
    return InvalidArgument("field 'architectures' must be an array with the name of the network");
  }
  std::string name = architectures->front().get<std::string>();
  if (name != kServedArchitectures) {
    return InvalidArgument("architecture '" + name +
                           "' is not served; served are: " + std::string(kServedArchitectures));
  }
  return name;
}

// Newer files nest what older ones have as rope_theta and rope_scaling in rope_parameters.
Status ReadRope(const JsonFields& fields, ModelConfig& config) {
  constexpr double kThetaMax = 1e12;
  HEARTH_ASSIGN_OR_RETURN(config.rope_theta, fields.Double("rope_theta", 1.0, kThetaMax, 10000.0));
  for (const std::string_view name : {"rope_parameters", "rope_scaling"}) {
    const Json* nested = fields.Find(name);
    if (nested == nullptr) continue;
    if (!nested->is_object()) {
      return InvalidArgument("field '" + std::string(name) + "' must be an object");
    }
    const JsonFields rope(*nested);
    HEARTH_ASSIGN_OR_RETURN(config.rope_theta,
                            rope.Double("rope_theta", 1.0, kThetaMax, config.rope_theta));
    HEARTH_ASSIGN_OR_RETURN(const std::string old_type, rope.String("type", "default"));
    HEARTH_ASSIGN_OR_RETURN(const std::string type, rope.String("rope_type", old_type));
    if (type != "default") {
      return InvalidArgument("rotary embedding of type '" + type +
                             "' is not served; served is: default");
    }
  }
  return Status::Ok();
}

Status RefuseUnservedOptions(const JsonFields& fields) {
  HEARTH_ASSIGN_OR_RETURN(const std::string hidden_act, fields.String("hidden_act", "silu"));
  if (hidden_act != "silu") {
    return InvalidArgument("hidden_act '" + hidden_act + "' is not served; served is: silu");
  }
  HEARTH_ASSIGN_OR_RETURN(const bool sliding, fields.Bool("use_sliding_window", false));
  if (sliding) return InvalidArgument("use_sliding_window true is not served");
  if (fields.Find("quantization_config") != nullptr) {
    return InvalidArgument(
        "quantized weights (field 'quantization_config') are not served; use the checkpoint in "
        "bfloat16, float16 or float32");
  }
  return Status::Ok();
}

}  // namespace

Result<ModelConfig> ModelConfig::FromJsonText(std::string_view text) {
  HEARTH_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  if (!json.is_object()) return InvalidArgument("it must be a JSON object");
  const JsonFields fields(json);
  ModelConfig config;
  HEARTH_ASSIGN_OR_RETURN(config.architecture, ReadArchitecture(fields));
  HEARTH_RETURN_IF_ERROR(RefuseUnservedOptions(fields));
  HEARTH_ASSIGN_OR_RETURN(config.model_type, fields.String("model_type", ""));
  HEARTH_ASSIGN_OR_RETURN(const std::string dtype, fields.String("dtype", ""));
  HEARTH_ASSIGN_OR_RETURN(config.torch_dtype, fields.String("torch_dtype", dtype));

  HEARTH_ASSIGN_OR_RETURN(config.hidden_size, fields.Int("hidden_size", 1, kSizeMax));
  HEARTH_ASSIGN_OR_RETURN(config.intermediate_size, fields.Int("intermediate_size", 1, kSizeMax));
  HEARTH_ASSIGN_OR_RETURN(config.num_hidden_layers, fields.Int("num_hidden_layers", 1, kLayersMax));
  HEARTH_ASSIGN_OR_RETURN(config.num_attention_heads,
                          fields.Int("num_attention_heads", 1, kHeadsMax));
  HEARTH_ASSIGN_OR_RETURN(
      config.num_key_value_heads,
      fields.Int("num_key_value_heads", 1, kHeadsMax, config.num_attention_heads));
  if (config.num_attention_heads % config.num_key_value_heads != 0) {
    return InvalidArgument("num_attention_heads " + std::to_string(config.num_attention_heads) +
                           " must be a multiple of num_key_value_heads " +
                           std::to_string(config.num_key_value_heads));
  }
  if (fields.Find("head_dim") == nullptr && config.hidden_size % config.num_attention_heads != 0) {
    return InvalidArgument("hidden_size " + std::to_string(config.hidden_size) +
                           " must be a multiple of num_attention_heads " +
                           std::to_string(config.num_attention_heads) +
                           " when there is no head_dim");
  }
  HEARTH_ASSIGN_OR_RETURN(
      config.head_dim,
      fields.Int("head_dim", 2, 1024, config.hidden_size / config.num_attention_heads));
  HEARTH_ASSIGN_OR_RETURN(config.vocab_size, fields.Int("vocab_size", 1, kSizeMax));
  HEARTH_ASSIGN_OR_RETURN(config.max_position_embeddings,
                          fields.Int("max_position_embeddings", 1, kSizeMax));
  HEARTH_ASSIGN_OR_RETURN(config.rms_norm_eps, fields.Double("rms_norm_eps", 0.0, 1.0, 1e-6));
  HEARTH_ASSIGN_OR_RETURN(config.tie_word_embeddings, fields.Bool("tie_word_embeddings", false));
  HEARTH_RETURN_IF_ERROR(ReadRope(fields, config));
  config.qkv_bias = true;  // of every Qwen2 checkpoint; its config has no field for it
  return config;
}

Result<ModelConfig> ModelConfig::Load(const std::string& model_dir) {
  const std::string path = model_dir + "/config.json";
  HEARTH_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kConfigBytesMax));
  Result<ModelConfig> config = FromJsonText(text);
  if (!config.ok()) return config.status().WithContext(path);
  return config;
}

}  // namespace hearth::engine
