// What a checkpoint's config.json says about its network. Member names are Hugging Face's.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth::engine {

struct ModelConfig {
  std::string architecture;  // "Qwen2ForCausalLM"
  std::string model_type;    // "qwen2"
  std::string torch_dtype;   // of the checkpoint as its config states it; empty when it does not

  int hidden_size = 0;
  int intermediate_size = 0;
  int num_hidden_layers = 0;
  int num_attention_heads = 0;
  int num_key_value_heads = 0;
  int head_dim = 0;
  int vocab_size = 0;
  int max_position_embeddings = 0;  // tokens

  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  bool tie_word_embeddings = false;

  // What distinguishes families inside the one forward.
  bool qkv_bias = false;

  int q_size() const { return num_attention_heads * head_dim; }
  int kv_size() const { return num_key_value_heads * head_dim; }

  // Reads and checks `model_dir`/config.json: every size positive and bounded, heads divisible, the
  // architecture one that is served. kNotFound without the file, kInvalidArgument naming the field.
  static Result<ModelConfig> Load(const std::string& model_dir);
  static Result<ModelConfig> FromJsonText(std::string_view text);
};

}  // namespace hearth::engine
