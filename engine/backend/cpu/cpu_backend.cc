#include "engine/backend/cpu/cpu_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "engine/backend/cpu/cpu_info.h"

namespace hearth::engine {
namespace {

constexpr int kFirstVector = 1 << 20;

}  // namespace

CpuBackend::CpuBackend(const CpuBackendOptions& options)
    : kernels_(options.kernels != nullptr ? *options.kernels : cpu::BestKernels()),
      plan_only_(options.plan_only),
      weight_dtype_(options.weight_dtype),
      max_rows_(options.max_rows),
      max_logits_rows_(options.max_logits_rows),
      pool_(options.num_threads > 0 ? options.num_threads : cpu::PhysicalCores(), options.beats) {
  CHECK(max_rows_ > 0 && max_logits_rows_ > 0);
  seq_of_row_.resize(static_cast<size_t>(max_rows_));
  tiles_.reserve(static_cast<size_t>(max_rows_));
}

std::string CpuBackend::device_name() const {
  const int threads = pool_.num_threads();
  return cpu::ProcessorName() + " (" + std::to_string(threads) +
         (threads == 1 ? " thread, " : " threads, ") + kernels_.name + ")";
}

// ---- Loading
// ----------------------------------------------------------------------------------------

Result<WeightId> CpuBackend::AddMatrix(std::span<const HostTensor> parts) {
  Result<cpu::PackedMatrix> made = plan_only_
                                       ? cpu::PackedMatrix::Measure(parts, weight_dtype_)
                                       : cpu::PackedMatrix::Pack(parts, weight_dtype_, pool_);
  HEARTH_ASSIGN_OR_RETURN(cpu::PackedMatrix packed, std::move(made));
  weight_bytes_ += static_cast<int64_t>(packed.size_bytes());
  matrices_.push_back(std::move(packed));
  return static_cast<WeightId>(matrices_.size() - 1);
}

Result<WeightId> CpuBackend::AddVector(std::span<const HostTensor> parts) {
  std::vector<float> values;
  for (const HostTensor& part : parts) {
    const int64_t size = part.rows * part.cols;
    weight_bytes_ += size * static_cast<int64_t>(sizeof(float));
    if (plan_only_) continue;
    for (int64_t i = 0; i < size; ++i) values.push_back(cpu::ReadElement(part, i));
  }
  vectors_.push_back(std::move(values));
  return static_cast<WeightId>(kFirstVector + static_cast<int>(vectors_.size()) - 1);
}

Result<BufferId> CpuBackend::AddBuffer(int width) {
  Buffer buffer;
  buffer.width = width;
  buffer.stride = (width + 15) / 16 * 16;
  HEARTH_ASSIGN_OR_RETURN(buffer.memory, Allocate(buffer.stride * max_rows_));
  buffers_.push_back(std::move(buffer));
  return static_cast<BufferId>(buffers_.size() - 1);
}

Status CpuBackend::AddLogits(int vocab_size) {
  logits_.width = vocab_size;
  logits_.stride = vocab_size;
  HEARTH_ASSIGN_OR_RETURN(logits_.memory, Allocate(logits_.stride * max_logits_rows_));
  return Status::Ok();
}

int64_t CpuBackend::KvCacheBytes(const KvCacheShape& shape) const {
  return int64_t{2} * static_cast<int64_t>(sizeof(float)) * shape.num_hidden_layers *
         shape.num_key_value_heads * shape.head_dim * shape.block_size * shape.num_blocks;
}

Result<HugeBuffer> CpuBackend::Allocate(int64_t num_floats) const {
  const size_t bytes = static_cast<size_t>(num_floats) * sizeof(float);
  if (plan_only_) return HugeBuffer::Measure(bytes);
  return HugeBuffer::Allocate(bytes);
}

int64_t CpuBackend::FreeMemoryBytes() const { return cpu::AvailableMemoryBytes(); }

int64_t CpuBackend::TotalMemoryBytes() const { return cpu::TotalMemoryBytes(); }

int64_t CpuBackend::workspace_bytes() const {
  size_t bytes = logits_.memory.size() + scratch_.size();
  for (const Buffer& buffer : buffers_) bytes += buffer.memory.size();
  bytes += (rope_cos_.capacity() + rope_sin_.capacity()) * sizeof(float);
  bytes += seq_of_row_.capacity() * sizeof(int) + tiles_.capacity() * sizeof(AttentionTile);
  return static_cast<int64_t>(bytes);
}

Status CpuBackend::AddKvCache(const KvCacheShape& shape, const RopeShape& rope) {
  if (shape.head_dim % 16 != 0) {
    return InvalidArgument("head_dim " + std::to_string(shape.head_dim) +
                           " is not served on the CPU: it must be a multiple of 16");
  }
  if (shape.block_size % cpu::kKvTileTokens != 0) {
    return InvalidArgument("block_size " + std::to_string(shape.block_size) +
                           " is not served on the CPU: it must be a multiple of 16 tokens");
  }
  const int group = shape.num_attention_heads / shape.num_key_value_heads;
  if (group > cpu::kAttentionVectorsMax) {
    return InvalidArgument(std::to_string(group) +
                           " query heads for each KV head are not served on "
                           "the CPU: at most " +
                           std::to_string(cpu::kAttentionVectorsMax));
  }
  kv_shape_ = shape;
  const int64_t half_floats = KvCacheBytes(shape) / 2 / static_cast<int64_t>(sizeof(float));
  HEARTH_ASSIGN_OR_RETURN(k_cache_, Allocate(half_floats));
  HEARTH_ASSIGN_OR_RETURN(v_cache_, Allocate(half_floats));
  HEARTH_ASSIGN_OR_RETURN(
      scratch_, Allocate(cpu::AttentionScratchFloats(shape.head_dim) * pool_.num_threads()));
  // Angles in fp32, as the model was trained with: theta^(-2i/d), times the position.
  const int half = shape.head_dim / 2;
  const size_t num_angles = static_cast<size_t>(rope.max_positions) * static_cast<size_t>(half);
  rope_cos_.reserve(num_angles);
  rope_sin_.reserve(num_angles);
  if (plan_only_) return Status::Ok();  // no page of it was touched
  rope_cos_.resize(num_angles);
  rope_sin_.resize(num_angles);
  for (int i = 0; i < half; ++i) {
    const auto frequency = static_cast<float>(std::pow(rope.theta, -2.0 * i / shape.head_dim));
    for (int position = 0; position < rope.max_positions; ++position) {
      const float angle = static_cast<float>(position) * frequency;
      const auto at =
          static_cast<size_t>(position) * static_cast<size_t>(half) + static_cast<size_t>(i);
      rope_cos_[at] = static_cast<float>(std::cos(static_cast<double>(angle)));
      rope_sin_[at] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
  return Status::Ok();
}

const cpu::PackedMatrix& CpuBackend::matrix(WeightId id) const {
  CHECK(static_cast<size_t>(id) < matrices_.size());
  return matrices_[static_cast<size_t>(id)];
}

const std::vector<float>& CpuBackend::vector(WeightId id) const {
  const auto index = static_cast<size_t>(static_cast<int>(id) - kFirstVector);
  CHECK(index < vectors_.size());
  return vectors_[index];
}

std::span<float> CpuBackend::Row(BufferId id, int row) {
  return {buffer(id).row(row), static_cast<size_t>(buffer(id).width)};
}

// ---- A step
// -----------------------------------------------------------------------------------------

void CpuBackend::BeginStep(const StepInputs& inputs) {
  CHECK(inputs.token_ids.size() <= static_cast<size_t>(max_rows_)) << inputs.token_ids.size();
  CHECK(inputs.logits_rows.size() <= static_cast<size_t>(max_logits_rows_));
  step_ = inputs;
  tiles_.clear();
  const int tile_rows = kv_shape_.num_key_value_heads == 0
                            ? 1
                            : cpu::kAttentionVectorsMax * kv_shape_.num_key_value_heads /
                                  kv_shape_.num_attention_heads;
  for (size_t s = 0; s < inputs.seqs.size(); ++s) {
    const SequenceRows& seq = inputs.seqs[s];
    std::fill_n(seq_of_row_.begin() + seq.first_row, seq.num_rows, static_cast<int>(s));
    for (int row = 0; row < seq.num_rows; row += tile_rows) {
      tiles_.push_back(
          {seq.block_table, seq.first_row + row, std::min(tile_rows, seq.num_rows - row)});
    }
  }
}

// Runs fn(row) for every row of the step: a few rows to a task, and one row without waking anybody.
template <typename RowFn>
void CpuBackend::ForRows(const RowFn& fn) {
  constexpr int kRowsPerTask = 4;
  const int rows = static_cast<int>(step_.token_ids.size());
  pool_.ParallelFor((rows + kRowsPerTask - 1) / kRowsPerTask, [&](int task, int) {
    const int end = std::min((task + 1) * kRowsPerTask, rows);
    for (int row = task * kRowsPerTask; row < end; ++row) fn(row);
  });
}

void CpuBackend::Embed(WeightId table, BufferId out) {
  const cpu::PackedMatrix& rows = matrix(table);
  ForRows([&](int row) {
    rows.ReadRow(step_.token_ids[static_cast<size_t>(row)], buffer(out).row(row));
  });
}

void CpuBackend::RmsNorm(BufferId x, WeightId weight, float eps, BufferId out) {
  const std::vector<float>& weights = vector(weight);
  ForRows([&](int row) {
    kernels_.rms_norm(buffer(x).row(row), nullptr, weights.data(), eps, buffer(x).width,
                      buffer(out).row(row));
  });
}

void CpuBackend::AddRmsNorm(BufferId residual, BufferId delta, WeightId weight, float eps,
                            BufferId out) {
  const std::vector<float>& weights = vector(weight);
  ForRows([&](int row) {
    kernels_.rms_norm(buffer(residual).row(row), buffer(delta).row(row), weights.data(), eps,
                      buffer(residual).width, buffer(out).row(row));
  });
}

void CpuBackend::RunLinear(const cpu::LinearArgs& args) {
  const int panels = (args.n + cpu::kPanelWidth - 1) / cpu::kPanelWidth;
  // Small enough to spread evenly, large enough that one row has several accumulators to fill.
  const int per_task = std::clamp(panels / (4 * pool_.num_threads()), 1, 4);
  pool_.ParallelFor((panels + per_task - 1) / per_task, [&](int task, int) {
    kernels_.linear(args, task * per_task, std::min((task + 1) * per_task, panels));
  });
}

void CpuBackend::Linear(BufferId x, WeightId matrix_id, WeightId bias, BufferId out) {
  const cpu::PackedMatrix& weights = matrix(matrix_id);
  CHECK(weights.k() == buffer(x).width && weights.n() == buffer(out).width);
  cpu::LinearArgs args;
  args.x = buffer(x).row(0);
  args.x_stride = buffer(x).stride;
  args.num_rows = static_cast<int>(step_.token_ids.size());
  args.panels = weights.data();
  args.bf16 = weights.dtype() == DType::kBFloat16;
  args.k = weights.k();
  args.n = weights.n();
  args.bias = bias == WeightId::kNone ? nullptr : vector(bias).data();
  args.y = buffer(out).row(0);
  args.y_stride = buffer(out).stride;
  RunLinear(args);
}

std::span<const float> CpuBackend::Logits(BufferId x, WeightId matrix_id) {
  const cpu::PackedMatrix& weights = matrix(matrix_id);
  CHECK(weights.k() == buffer(x).width && weights.n() == logits_.width);
  cpu::LinearArgs args;
  args.x = buffer(x).row(0);
  args.x_rows = step_.logits_rows.data();
  args.x_stride = buffer(x).stride;
  args.num_rows = static_cast<int>(step_.logits_rows.size());
  args.panels = weights.data();
  args.bf16 = weights.dtype() == DType::kBFloat16;
  args.k = weights.k();
  args.n = weights.n();
  args.y = logits_.row(0);
  args.y_stride = logits_.stride;
  if (args.num_rows > 0) RunLinear(args);
  return {logits_.row(0), step_.logits_rows.size() * static_cast<size_t>(logits_.width)};
}

void CpuBackend::SiluMul(BufferId gate_up, BufferId out) {
  const int width = buffer(out).width;
  ForRows([&](int row) {
    const float* gate = buffer(gate_up).row(row);
    kernels_.silu_mul(gate, gate + width, width, buffer(out).row(row));
  });
}

// ---- Attention
// --------------------------------------------------------------------------------------

int64_t CpuBackend::kv_block_floats() const {
  return int64_t{kv_shape_.num_key_value_heads} * kv_shape_.block_size * kv_shape_.head_dim;
}

void CpuBackend::RotateHead(float* head, int position) const {
  const int half = kv_shape_.head_dim / 2;
  const float* cosine = rope_cos_.data() + static_cast<int64_t>(position) * half;
  const float* sine = rope_sin_.data() + static_cast<int64_t>(position) * half;
  for (int i = 0; i < half; ++i) {
    const float first = head[i];
    const float second = head[half + i];
    head[i] = first * cosine[i] - second * sine[i];
    head[half + i] = second * cosine[i] + first * sine[i];
  }
}

void CpuBackend::StoreKv(int layer, const SequenceRows& seq, int row, const float* k,
                         const float* v) {
  const int position = step_.positions[static_cast<size_t>(row)];
  const int in_block = position % kv_shape_.block_size;
  const int in_tile = position % cpu::kKvTileTokens;
  const int head_dim = kv_shape_.head_dim;
  const int64_t block =
      int64_t{layer} * kv_shape_.num_blocks + seq.block_table[position / kv_shape_.block_size];
  for (int head = 0; head < kv_shape_.num_key_value_heads; ++head) {
    const int64_t tile = block * kv_block_floats() +
                         (int64_t{head} * kv_shape_.block_size + in_block - in_tile) * head_dim;
    float* k_out = k_cache_.floats() + tile + in_tile;
    for (int d = 0; d < head_dim; ++d) k_out[d * cpu::kKvTileTokens] = k[head * head_dim + d];
    std::copy_n(v + head * head_dim, head_dim, v_cache_.floats() + tile + in_tile * head_dim);
  }
}

void CpuBackend::RotateAndStoreKv(int layer, BufferId qkv) {
  const int heads = kv_shape_.num_attention_heads;
  const int kv_heads = kv_shape_.num_key_value_heads;
  const int head_dim = kv_shape_.head_dim;
  ForRows([&](int row) {
    float* q = buffer(qkv).row(row);
    const int position = step_.positions[static_cast<size_t>(row)];
    for (int head = 0; head < heads + kv_heads; ++head) RotateHead(q + head * head_dim, position);
    const float* k = q + heads * head_dim;
    const int seq = seq_of_row_[static_cast<size_t>(row)];
    StoreKv(layer, step_.seqs[static_cast<size_t>(seq)], row, k, k + kv_heads * head_dim);
  });
}

void CpuBackend::Attention(int layer, BufferId qkv, BufferId out) {
  const int kv_heads = kv_shape_.num_key_value_heads;
  const int group = kv_shape_.num_attention_heads / kv_heads;
  const int head_dim = kv_shape_.head_dim;
  const int64_t layer_floats = int64_t{layer} * kv_shape_.num_blocks * kv_block_floats();
  const int64_t scratch_floats = cpu::AttentionScratchFloats(head_dim);
  // The last tiles of a prompt see the most tokens: hand them out first.
  const int tasks = static_cast<int>(tiles_.size()) * kv_heads;
  pool_.ParallelFor(tasks, [&](int task, int thread) {
    const AttentionTile& tile = tiles_[static_cast<size_t>((tasks - 1 - task) / kv_heads)];
    const int kv_head = (tasks - 1 - task) % kv_heads;
    const int64_t head_start = layer_floats + int64_t{kv_head} * kv_shape_.block_size * head_dim;
    cpu::AttentionArgs args;
    args.q = buffer(qkv).row(tile.first_row) + kv_head * group * head_dim;
    args.q_stride = buffer(qkv).stride;
    args.out = buffer(out).row(tile.first_row) + kv_head * group * head_dim;
    args.out_stride = buffer(out).stride;
    args.k = k_cache_.floats() + head_start;
    args.v = v_cache_.floats() + head_start;
    args.block_stride = kv_block_floats();
    args.block_table = tile.block_table;
    args.block_size = kv_shape_.block_size;
    args.head_dim = head_dim;
    args.group = group;
    args.first_position = step_.positions[static_cast<size_t>(tile.first_row)];
    args.num_rows = tile.num_rows;
    args.scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
    args.scratch = scratch_.floats() + thread * scratch_floats;
    kernels_.attention(args);
  });
}

}  // namespace hearth::engine
