// What a step asks of the hardware, estimated from the model's dimensions: floating point
// operations and bytes moved. Divided by the step's duration and by what the machine can do, they
// say how much of it is used.
//
// Counted are matrix products, attention and the activation function of the MLP; left out are
// norms, rotations, biases and residual additions, of order hidden_size per token. A multiply-add
// is two operations. Dimensions: h = hidden_size, q = q_size, kv = kv_size, i = intermediate_size,
// L = num_hidden_layers, V = vocab_size; w, c, a = bytes of an element of the weights, of the KV
// cache and of the activations. Of the step: n = its tokens, l = those with logits, s = the sum
// over its tokens of the positions that each attends to (its own + 1), and t = the sum over its
// sequences of the tokens that stand in the cache at the end (the last position + 1).
//
//   P     = h (q + 2 kv) + q h + 3 h i   weights of a layer: qkv, o, gate and up, down
//
//   flops = n 2 P L                      every token meets every weight of the layers once
//         + s 4 q L                      q K^T and the weighted sum of V: 2 q each per position
//         + l 2 h V                      logits, only for the tokens that need them
//
//   read  = w P L  (+ w h V if l > 0)    weights stream by once for all tokens of the step
//         + n w h                        rows of the embedding
//         + t 2 c kv L                   K and V of each sequence, once for all of its tokens
//         + n a L (2 h + 2 q + 3 i)      inputs of qkv and gate_up; q; of o; silu (2 i), down (i)
//         + l a h
//
//   write = n 2 c kv L                   K and V of the new tokens
//         + n a (h + L (2 h + 2 q + 2 kv + 3 i))
//                                        the embedded rows; outputs of qkv, attention, o, gate_up,
//                                        silu, down
//         + l a V
//
// The bytes are the least that a step of unfused operations can move; what a processor's caches
// keep from one operation to the next, and what an operation reads twice, is not known here.
#pragma once

#include "engine/model/model_config.h"

namespace hearth::engine {

struct StepBatch;

struct StepCost {
  double flops = 0;
  double read_bytes = 0;
  double write_bytes = 0;
};

struct ElementBytes {
  double weights = 0;
  double kv_cache = 0;
  double activations = 0;
};

class StepCostModel {
 public:
  // Every cost is 0.
  StepCostModel() = default;
  StepCostModel(const ModelConfig& config, const ElementBytes& bytes);

  // O(sequences); allocates nothing.
  StepCost Of(const StepBatch& batch) const;

 private:
  // Coefficients of n (token), l (logits), s (attended) and t (context), and the terms without.
  StepCost per_token_;
  StepCost per_logits_;
  double flops_per_attended_ = 0;
  double read_bytes_per_context_ = 0;
  double layer_weight_bytes_ = 0;
  double lm_head_bytes_ = 0;
};

}  // namespace hearth::engine
