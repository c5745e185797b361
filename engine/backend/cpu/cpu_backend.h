// The Backend on the CPU: fp32 activations and KV cache, bf16 or fp32 weights packed once at load.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cpu/huge_buffer.h"
#include "engine/backend/cpu/kernels.h"
#include "engine/backend/cpu/packed_matrix.h"
#include "engine/backend/cpu/thread_pool.h"

namespace hearth::engine {

struct CpuBackendOptions {
  int num_threads = 0;                    // 0 = physical cores
  DType weight_dtype = DType::kBFloat16;  // kBFloat16 | kFloat32
  int max_rows = 0;                       // of a step
  int max_logits_rows = 0;                // of a step
  const cpu::Kernels* kernels = nullptr;  // null = the best for this processor
  std::atomic<uint64_t>* beats = nullptr;  // as in LoadOptions
  bool plan_only = false;  // sizes are right, but no weight is read and no memory taken
};

class CpuBackend : public Backend {
 public:
  explicit CpuBackend(const CpuBackendOptions& options);

  Result<WeightId> AddMatrix(std::span<const HostTensor> parts) override;
  Result<WeightId> AddVector(std::span<const HostTensor> parts) override;
  Result<BufferId> AddBuffer(int width) override;
  Status AddLogits(int vocab_size) override;
  // kInvalidArgument for a head_dim or block_size that is no multiple of 16.
  Status AddKvCache(const KvCacheShape& shape, const RopeShape& rope) override;

  int64_t KvCacheBytes(const KvCacheShape& shape) const override;
  int64_t FreeMemoryBytes() const override;
  int64_t TotalMemoryBytes() const override;
  int64_t weight_bytes() const override { return weight_bytes_; }
  int64_t workspace_bytes() const override;
  DType weight_dtype() const override { return weight_dtype_; }
  DType kv_cache_dtype() const override { return DType::kFloat32; }
  DType activation_dtype() const override { return DType::kFloat32; }
  std::string device_name() const override;

  void BeginStep(const StepInputs& inputs) override;
  void Embed(WeightId table, BufferId out) override;
  void RmsNorm(BufferId x, WeightId weight, float eps, BufferId out) override;
  void AddRmsNorm(BufferId residual, BufferId delta, WeightId weight, float eps,
                  BufferId out) override;
  void Linear(BufferId x, WeightId matrix, WeightId bias, BufferId out) override;
  void RotateAndStoreKv(int layer, BufferId qkv) override;
  void Attention(int layer, BufferId qkv, BufferId out) override;
  void SiluMul(BufferId gate_up, BufferId out) override;
  std::span<const float> Logits(BufferId x, WeightId matrix) override;

  // One row of a buffer, for tests.
  std::span<float> Row(BufferId id, int row);

 private:
  struct Buffer {
    HugeBuffer memory;
    int width = 0;
    int64_t stride = 0;  // floats from row to row
    float* row(int64_t r) const { return memory.floats() + r * stride; }
  };
  // Consecutive rows of one sequence whose attention over one KV head is one task.
  struct AttentionTile {
    const int* block_table;
    int first_row;
    int num_rows;
  };

  Result<HugeBuffer> Allocate(int64_t num_floats) const;
  const cpu::PackedMatrix& matrix(WeightId id) const;
  const std::vector<float>& vector(WeightId id) const;
  const Buffer& buffer(BufferId id) const { return buffers_[static_cast<size_t>(id)]; }
  void RunLinear(const cpu::LinearArgs& args);
  template <typename RowFn>
  void ForRows(const RowFn& fn);
  void RotateHead(float* head, int position) const;
  void StoreKv(int layer, const SequenceRows& seq, int row, const float* k, const float* v);
  int64_t kv_block_floats() const;

  const cpu::Kernels& kernels_;
  const bool plan_only_;
  const DType weight_dtype_;
  const int max_rows_;
  const int max_logits_rows_;
  ThreadPool pool_;

  // A WeightId counts matrices up from 0 and vectors up from kFirstVector.
  std::vector<cpu::PackedMatrix> matrices_;
  std::vector<std::vector<float>> vectors_;
  std::vector<Buffer> buffers_;
  int64_t weight_bytes_ = 0;

  Buffer logits_;
  KvCacheShape kv_shape_;
  HugeBuffer k_cache_;  // [num_hidden_layers] pools as in cpu::AttentionArgs
  HugeBuffer v_cache_;
  std::vector<float> rope_cos_;  // [max_positions][head_dim / 2]
  std::vector<float> rope_sin_;
  HugeBuffer scratch_;  // [num_threads][AttentionScratchFloats]

  StepInputs step_;
  std::vector<int> seq_of_row_;
  std::vector<AttentionTile> tiles_;
};

}  // namespace hearth::engine
