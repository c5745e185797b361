// A checkpoint's tensors handed to a backend.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "engine/backend/backend.h"
#include "engine/model/model_config.h"
#include "engine/model/safetensors.h"

namespace hearth::engine {

struct LayerWeights {
  WeightId input_layernorm = WeightId::kNone;           // [hidden_size]
  WeightId qkv_proj = WeightId::kNone;                  // [q_size + 2 kv_size][hidden_size]
  WeightId qkv_bias = WeightId::kNone;                  // [q_size + 2 kv_size], or kNone
  WeightId o_proj = WeightId::kNone;                    // [hidden_size][q_size]
  WeightId post_attention_layernorm = WeightId::kNone;  // [hidden_size]
  WeightId gate_up_proj = WeightId::kNone;              // [2 intermediate_size][hidden_size]
  WeightId down_proj = WeightId::kNone;                 // [hidden_size][intermediate_size]
};

struct Weights {
  WeightId embed_tokens = WeightId::kNone;  // [vocab_size][hidden_size]
  std::vector<LayerWeights> layers;
  WeightId norm = WeightId::kNone;     // [hidden_size]
  WeightId lm_head = WeightId::kNone;  // [vocab_size][hidden_size]; embed_tokens when tied
  int64_t num_parameters = 0;
};

// The dtype in which the matrices of a checkpoint are kept for the option `dtype`. "auto": bfloat16
// stays; float32 stays; float16 becomes float32, which alone holds it exactly.
Result<DType> WeightDType(const Checkpoint& checkpoint, const std::string& dtype);

// Checks every tensor's presence, shape and dtype. `progress` gets the share of tensors done, 0
// to 1.
Result<Weights> LoadWeights(const Checkpoint& checkpoint, const ModelConfig& config,
                            Backend& backend, const std::function<void(double)>& progress);

}  // namespace hearth::engine
