// The inner loops of the CPU backend, one table per instruction set; a table is chosen when the
// backend is made. The scalar table is the plain version that the others are judged against.
//
// All floats are fp32 and sums are taken in an order that depends only on the row itself, never on
// the rows beside it: that is what makes the backend batch invariant.
#pragma once

#include <cstdint>

namespace hearth::engine::cpu {

// Outputs are grouped in panels of 32, each streamed as one run of memory in the order of use:
//   fp32: w[panel][k][32]
//   bf16: w[panel][k][16][2]: outputs j and j + 16 share a 32-bit lane, so that a shift and a mask
//         make two fp32 vectors of one load.
// A last, partial panel is padded with zeros.
inline constexpr int kPanelWidth = 32;

struct LinearArgs {
  const float* x = nullptr;     // [num_rows][x_stride], k used
  const int* x_rows = nullptr;  // row i of the product is x row x_rows[i]; null: i
  int64_t x_stride = 0;
  int num_rows = 0;
  const void* panels = nullptr;
  bool bf16 = false;
  int k = 0;
  int n = 0;                    // outputs
  const float* bias = nullptr;  // [n], or null
  float* y = nullptr;           // [num_rows][y_stride]
  int64_t y_stride = 0;
};

// K and V of one layer are tiles of 16 tokens for each KV head:
//   k: [num_blocks][num_key_value_heads][block_size / 16][head_dim][16]
//   v: [num_blocks][num_key_value_heads][block_size / 16][16][head_dim]
inline constexpr int kKvTileTokens = 16;
// The softmax is taken over chunks of this many tokens from position 0 on, merged in order.
inline constexpr int kAttentionChunkTokens = 256;
// Query vectors (rows x query heads of one KV head) that one call handles.
inline constexpr int kAttentionVectorsMax = 64;

// Attention of consecutive rows of one sequence for the query heads of one KV head.
struct AttentionArgs {
  const float* q = nullptr;  // q of head h of row r: q + r * q_stride + h * head_dim
  int64_t q_stride = 0;
  float* out = nullptr;  // likewise
  int64_t out_stride = 0;
  const float* k = nullptr;  // the layer's pool, at this KV head
  const float* v = nullptr;
  int64_t block_stride = 0;  // floats from block to block: kv heads * block_size * head_dim
  const int* block_table = nullptr;
  int block_size = 0;
  int head_dim = 0;        // a multiple of 16
  int group = 0;           // query heads of the KV head
  int first_position = 0;  // of the first row
  int num_rows = 0;        // num_rows * group <= kAttentionVectorsMax
  float scale = 0;
  float* scratch = nullptr;  // [AttentionScratchFloats(head_dim)]
};

// scores[8][chunk] + partial[8][head_dim] + sums[vectors][head_dim] + running max and denominator
constexpr int64_t AttentionScratchFloats(int head_dim) {
  return 8 * (kAttentionChunkTokens + head_dim) + kAttentionVectorsMax * (head_dim + 2);
}

struct Kernels {
  const char* name;

  // Outputs of panels [panel_begin, panel_end) for all rows.
  void (*linear)(const LinearArgs& args, int panel_begin, int panel_end);
  void (*attention)(const AttentionArgs& args);
  // delta, if not null, is added to x first (x is then updated); any n.
  void (*rms_norm)(float* x, const float* delta, const float* weight, float eps, int n, float* out);
  void (*silu_mul)(const float* gate, const float* up, int n, float* out);
};

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;    // needs AVX2 and FMA
extern const Kernels kAvx512Kernels;  // needs AVX-512 F
#endif

}  // namespace hearth::engine::cpu
