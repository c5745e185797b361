#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/model/generation_config.h"
#include "engine/model/model_config.h"
#include "tests/unit/engine/model/temp_dir.h"

namespace hearth::engine {
namespace {

Json Qwen2Json() {
  return {{"architectures", {"Qwen2ForCausalLM"}},
          {"model_type", "qwen2"},
          {"torch_dtype", "bfloat16"},
          {"hidden_act", "silu"},
          {"hidden_size", 896},
          {"intermediate_size", 4864},
          {"num_hidden_layers", 24},
          {"num_attention_heads", 14},
          {"num_key_value_heads", 2},
          {"vocab_size", 151936},
          {"max_position_embeddings", 32768},
          {"rms_norm_eps", 1e-6},
          {"rope_theta", 1000000.0},
          {"tie_word_embeddings", true}};
}

// The message for `json`, which must be refused.
std::string Refusal(const Json& json) {
  const Result<ModelConfig> config = ModelConfig::FromJsonText(DumpJson(json));
  EXPECT_FALSE(config.ok());
  return config.status().message();
}

Json With(const char* field, Json value) {
  Json json = Qwen2Json();
  json[field] = std::move(value);
  return json;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ModelConfig, ReadsQwen2) {
  const ModelConfig config = ModelConfig::FromJsonText(DumpJson(Qwen2Json())).value();
  EXPECT_EQ(config.architecture, "Qwen2ForCausalLM");
  EXPECT_EQ(config.hidden_size, 896);
  EXPECT_EQ(config.num_hidden_layers, 24);
  EXPECT_EQ(config.head_dim, 64);
  EXPECT_EQ(config.q_size(), 896);
  EXPECT_EQ(config.kv_size(), 128);
  EXPECT_EQ(config.rope_theta, 1e6);
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_TRUE(config.qkv_bias);
}

TEST(ModelConfig, ReadsRopeThetaWhereNewerFilesNestIt) {
  Json json = With("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5e5}});
  json.erase("rope_theta");
  EXPECT_EQ(ModelConfig::FromJsonText(DumpJson(json))->rope_theta, 5e5);
}

TEST(ModelConfig, NamesWhatIsServedForAnotherArchitecture) {
  const std::string message = Refusal(With("architectures", {"MambaForCausalLM"}));
  EXPECT_TRUE(Contains(message, "MambaForCausalLM")) << message;
  EXPECT_TRUE(Contains(message, "served are: Qwen2ForCausalLM")) << message;
}

TEST(ModelConfig, RefusesWhatTheForwardDoesNotDo) {
  EXPECT_TRUE(Contains(Refusal(With("hidden_act", "gelu")), "gelu"));
  EXPECT_TRUE(Contains(Refusal(With("use_sliding_window", true)), "use_sliding_window"));
  EXPECT_TRUE(Contains(Refusal(With("rope_scaling", {{"type", "yarn"}})), "yarn"));
  EXPECT_TRUE(Contains(Refusal(With("quantization_config", {{"bits", 4}})), "quantization_config"));
}

TEST(ModelConfig, NamesTheFieldThatIsWrong) {
  Json missing = Qwen2Json();
  missing.erase("hidden_size");
  EXPECT_TRUE(Contains(Refusal(missing), "'hidden_size' is missing"));
  EXPECT_TRUE(Contains(Refusal(With("vocab_size", "many")), "'vocab_size'"));
  EXPECT_TRUE(Contains(Refusal(With("vocab_size", -1)), "'vocab_size'"));
  EXPECT_TRUE(
      Contains(Refusal(With("num_hidden_layers", 18446744073709551615u)), "'num_hidden_layers'"));
  EXPECT_TRUE(Contains(Refusal(With("num_key_value_heads", 3)), "multiple of num_key_value_heads"));
  EXPECT_TRUE(Contains(Refusal(With("hidden_size", 897)), "multiple of num_attention_heads"));
  EXPECT_TRUE(Contains(Refusal(With("rms_norm_eps", "small")), "'rms_norm_eps'"));
}

TEST(ModelConfig, NamesTheFileThatIsMissingOrBroken) {
  const TempDir dir;
  EXPECT_EQ(ModelConfig::Load(dir.path()).status().code(), StatusCode::kNotFound);
  dir.Write("config.json", "{\"architectures\": ");
  EXPECT_TRUE(Contains(ModelConfig::Load(dir.path()).status().message(), "/config.json: "));
}

TEST(GenerationConfig, ReadsOneIdOrSeveral) {
  EXPECT_EQ(GenerationConfig::FromJsonText(R"({"eos_token_id": 7})", 10)->eos_token_id,
            std::vector<int>{7});
  const Result<GenerationConfig> config = GenerationConfig::FromJsonText(
      R"({"eos_token_id": [7, 5], "temperature": 0.7, "top_p": 0.8, "top_k": 20})", 10);
  EXPECT_EQ(config->eos_token_id, (std::vector<int>{7, 5}));
  EXPECT_EQ(config->temperature, 0.7);
  EXPECT_EQ(config->top_p, 0.8);
  EXPECT_EQ(config->top_k, 20);
  EXPECT_FALSE(config->repetition_penalty.has_value());
}

TEST(GenerationConfig, RefusesIdsOutsideTheVocabulary) {
  EXPECT_FALSE(GenerationConfig::FromJsonText(R"({"eos_token_id": 10})", 10).ok());
  EXPECT_FALSE(GenerationConfig::FromJsonText(R"({"eos_token_id": [1, -1]})", 10).ok());
  EXPECT_FALSE(GenerationConfig::FromJsonText(R"({"eos_token_id": "end"})", 10).ok());
}

TEST(GenerationConfig, TakesTheEosOfConfigJsonWhenItHasNone) {
  const TempDir dir;
  dir.Write("config.json", R"({"eos_token_id": 3, "temperature": 9})");
  EXPECT_EQ(GenerationConfig::Load(dir.path(), 10)->eos_token_id, std::vector<int>{3});
  dir.Write("generation_config.json", R"({"temperature": 0.5})");
  const Result<GenerationConfig> config = GenerationConfig::Load(dir.path(), 10);
  EXPECT_EQ(config->eos_token_id, std::vector<int>{3});
  EXPECT_EQ(config->temperature, 0.5);
  dir.Write("generation_config.json", R"({"eos_token_id": 4})");
  EXPECT_EQ(GenerationConfig::Load(dir.path(), 10)->eos_token_id, std::vector<int>{4});
}

}  // namespace
}  // namespace hearth::engine
