// What a decoder needs from a device: weights handed over once, then a short list of operations per
// step, each as large as a GPU kernel would like it. Rows are the tokens of the step.
//
// Activations live in buffers of the backend (BufferId), one row per token, in a format it chooses;
// weights likewise (WeightId). Operations are queued in order; only Logits waits for them.
//
// Every operation is batch invariant: an output row depends bitwise only on its own input row (for
// Attention: and on the K and V of its own sequence), not on the rows beside it, their number, or
// the numbers of the blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "engine/backend/dtype.h"

namespace hearth::engine {

enum class WeightId : int { kNone = -1 };
enum class BufferId : int { kNone = -1 };

// A row-major tensor in host memory; a vector has one row. `data` need not be aligned.
struct HostTensor {
  DType dtype = DType::kFloat32;
  int64_t rows = 0;
  int64_t cols = 0;
  const std::byte* data = nullptr;
};

// The attention of all layers and the pool that holds their K and V.
struct KvCacheShape {
  int num_hidden_layers = 0;
  int num_attention_heads = 0;
  int num_key_value_heads = 0;  // divides num_attention_heads
  int head_dim = 0;
  int block_size = 0;  // tokens
  int num_blocks = 0;  // of each layer
};

// Rotary embedding of the first and second half of a head (GPT-NeoX order, as in HF's models):
// angle of pair i at position p is p * theta^(-2i / head_dim).
struct RopeShape {
  double theta = 10000.0;
  int max_positions = 0;
};

// Rows of one sequence: [first_row, first_row + num_rows) with positions ascending by one.
struct SequenceRows {
  int first_row = 0;
  int num_rows = 0;
  const int* block_table = nullptr;  // token p lives in block block_table[p / block_size]
};

struct StepInputs {
  std::span<const int> token_ids;  // [num_rows]
  std::span<const int> positions;  // [num_rows]
  std::span<const SequenceRows> seqs;
  std::span<const int> logits_rows;  // rows whose logits are wanted
};

class Backend {
 public:
  virtual ~Backend() = default;

  // ---- Once, while loading; host data is free again when the call returns
  // -------------------------

  // A matrix [sum of rows][cols] from parts stacked along the rows (q, k and v; gate and up).
  virtual Result<WeightId> AddMatrix(std::span<const HostTensor> parts) = 0;
  // A vector from parts one after another (norm weights, biases); kept as fp32.
  virtual Result<WeightId> AddVector(std::span<const HostTensor> parts) = 0;
  // Activations [rows of a step][width].
  virtual Result<BufferId> AddBuffer(int width) = 0;
  // [logits rows of a step][vocab_size] in host memory.
  virtual Status AddLogits(int vocab_size) = 0;
  virtual Status AddKvCache(const KvCacheShape& shape, const RopeShape& rope) = 0;

  virtual int64_t KvCacheBytes(const KvCacheShape& shape) const = 0;
  virtual int64_t FreeMemoryBytes() const = 0;  // that a KV cache could take now
  virtual int64_t TotalMemoryBytes() const = 0;  // of the device, or what this process may take of it
  virtual int64_t weight_bytes() const = 0;
  virtual int64_t workspace_bytes() const = 0;  // reserved: activations, logits, tables, scratch
  virtual DType weight_dtype() const = 0;       // of matrices
  virtual DType kv_cache_dtype() const = 0;
  virtual DType activation_dtype() const = 0;
  virtual std::string device_name() const = 0;

  // ---- Per step, in this order of use
  // -------------------------------------------------------------

  // The spans must stay valid until Logits returns.
  virtual void BeginStep(const StepInputs& inputs) = 0;
  // out[r] = table[token_ids[r]]
  virtual void Embed(WeightId table, BufferId out) = 0;
  // out[r] = x[r] / sqrt(mean(x[r]^2) + eps) * weight
  virtual void RmsNorm(BufferId x, WeightId weight, float eps, BufferId out) = 0;
  // residual[r] += delta[r]; out = RmsNorm(residual)
  virtual void AddRmsNorm(BufferId residual, BufferId delta, WeightId weight, float eps,
                          BufferId out) = 0;
  // out[r] = matrix x[r] + bias; bias may be kNone
  virtual void Linear(BufferId x, WeightId matrix, WeightId bias, BufferId out) = 0;
  // Rotates q and k of qkv[r] = [q heads | k heads | v heads] and writes k and v to the cache.
  virtual void RotateAndStoreKv(int layer, BufferId qkv) = 0;
  // out[r][head] = softmax(q K^T / sqrt(head_dim)) V over positions 0..positions[r] of its sequence
  virtual void Attention(int layer, BufferId qkv, BufferId out) = 0;
  // out[r] = silu(gate) * up of gate_up[r] = [gate | up]
  virtual void SiluMul(BufferId gate_up, BufferId out) = 0;
  // logits[i] = matrix x[logits_rows[i]]; valid until the next call.
  virtual std::span<const float> Logits(BufferId x, WeightId matrix) = 0;
};

}  // namespace hearth::engine
