// The plain version of every kernel, written for reading: the judge of the vector ones, and what
// runs on a machine that has none of their instruction sets.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/backend/cpu/kernels.h"
#include "engine/backend/dtype.h"

namespace hearth::engine::cpu {
namespace {

float PanelWeight(const LinearArgs& args, int output, int k) {
  const int64_t panel = output / kPanelWidth;
  const int j = output % kPanelWidth;
  const int64_t line = (panel * args.k + k) * kPanelWidth;
  if (!args.bf16) return static_cast<const float*>(args.panels)[line + j];
  return BFloat16ToFloat(static_cast<const uint16_t*>(args.panels)[line + (j % 16) * 2 + j / 16]);
}

void Linear(const LinearArgs& args, int panel_begin, int panel_end) {
  const int begin = panel_begin * kPanelWidth;
  const int end = std::min(panel_end * kPanelWidth, args.n);
  for (int row = 0; row < args.num_rows; ++row) {
    const float* x = args.x + (args.x_rows != nullptr ? args.x_rows[row] : row) * args.x_stride;
    float* y = args.y + row * args.y_stride;
    for (int output = begin; output < end; ++output) {
      float sum = 0;
      for (int k = 0; k < args.k; ++k) sum += x[k] * PanelWeight(args, output, k);
      y[output] = args.bias != nullptr ? sum + args.bias[output] : sum;
    }
  }
}

// One query vector over tokens [0, position].
void AttendVector(const AttentionArgs& args, const float* q, int position, float* out) {
  const int head_dim = args.head_dim;
  float* scores = args.scratch;                     // [chunk]
  float* partial = scores + kAttentionChunkTokens;  // [head_dim]
  float max = -std::numeric_limits<float>::infinity();
  float denominator = 0;
  std::fill_n(out, head_dim, 0.0f);

  for (int begin = 0; begin <= position; begin += kAttentionChunkTokens) {
    const int count = std::min(position + 1 - begin, kAttentionChunkTokens);
    const auto tile_offset = [&](int token) {
      const int in_block = token % args.block_size;
      return args.block_table[token / args.block_size] * args.block_stride +
             static_cast<int64_t>(in_block / kKvTileTokens) * kKvTileTokens * head_dim;
    };
    float chunk_max = -std::numeric_limits<float>::infinity();
    for (int t = 0; t < count; ++t) {
      const float* k = args.k + tile_offset(begin + t) + (begin + t) % kKvTileTokens;
      float dot = 0;
      for (int d = 0; d < head_dim; ++d) dot += q[d] * k[d * kKvTileTokens];
      scores[t] = dot * args.scale;
      chunk_max = std::max(chunk_max, scores[t]);
    }
    float chunk_sum = 0;
    std::fill_n(partial, head_dim, 0.0f);
    for (int t = 0; t < count; ++t) {
      const float p = std::exp(scores[t] - chunk_max);
      const float* v = args.v + tile_offset(begin + t) + (begin + t) % kKvTileTokens * head_dim;
      chunk_sum += p;
      for (int d = 0; d < head_dim; ++d) partial[d] += p * v[d];
    }
    const float new_max = std::max(max, chunk_max);
    const float keep = std::exp(max - new_max);
    const float add = std::exp(chunk_max - new_max);
    denominator = denominator * keep + chunk_sum * add;
    for (int d = 0; d < head_dim; ++d) out[d] = out[d] * keep + partial[d] * add;
    max = new_max;
  }
  for (int d = 0; d < head_dim; ++d) out[d] /= denominator;
}

void Attention(const AttentionArgs& args) {
  for (int row = 0; row < args.num_rows; ++row) {
    for (int head = 0; head < args.group; ++head) {
      AttendVector(args, args.q + row * args.q_stride + head * args.head_dim,
                   args.first_position + row,
                   args.out + row * args.out_stride + head * args.head_dim);
    }
  }
}

void RmsNorm(float* x, const float* delta, const float* weight, float eps, int n, float* out) {
  float sum = 0;
  for (int i = 0; i < n; ++i) {
    if (delta != nullptr) x[i] += delta[i];
    sum += x[i] * x[i];
  }
  const float scale = 1.0f / std::sqrt(sum / static_cast<float>(n) + eps);
  for (int i = 0; i < n; ++i) out[i] = x[i] * scale * weight[i];
}

void SiluMul(const float* gate, const float* up, int n, float* out) {
  for (int i = 0; i < n; ++i) out[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
}

}  // namespace

const Kernels kScalarKernels = {"scalar", Linear, Attention, RmsNorm, SiluMul};

}  // namespace hearth::engine::cpu
