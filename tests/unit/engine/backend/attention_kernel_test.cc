#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/unit/engine/backend/kernel_cases.h"

namespace hearth::engine::cpu {
namespace {

constexpr int kHeadDim = 48;
constexpr int kGroup = 3;
constexpr int kBlockSize = 32;
constexpr int kTokens = 700;  // three chunks

// One sequence of kTokens tokens, K and V scattered over the blocks of `block_table`; whatever the
// sequence has not written is NaN.
class AttentionCase {
 public:
  explicit AttentionCase(unsigned block_seed)
      : q_(RandomFloats(kTokens * kGroup * kHeadDim, 1)),
        keys_(RandomFloats(kTokens * kHeadDim, 2)),
        values_(RandomFloats(kTokens * kHeadDim, 3)),
        block_table_((kTokens + kBlockSize - 1) / kBlockSize + 3) {
    for (float& value : q_) value *= 3;  // a softmax that is not flat
    std::iota(block_table_.begin(), block_table_.end(), 0);
    std::shuffle(block_table_.begin(), block_table_.end(), std::mt19937(block_seed));
  }

  // Outputs of rows [row, row + count), with exactly the tokens before row + count in the cache.
  std::vector<float> Run(const Kernels& kernels, int row, int count) const {
    const size_t pool = block_table_.size() * kBlockSize * kHeadDim;
    std::vector<float> k(pool, std::numeric_limits<float>::quiet_NaN());
    std::vector<float> v(k);
    for (int t = 0; t < row + count; ++t) {
      const int tile = (block_table_[static_cast<size_t>(t / kBlockSize)] * kBlockSize +
                        t % kBlockSize / kKvTileTokens * kKvTileTokens) *
                       kHeadDim;
      for (int d = 0; d < kHeadDim; ++d) {
        k[static_cast<size_t>(tile + d * kKvTileTokens + t % kKvTileTokens)] = key(t, d);
        v[static_cast<size_t>(tile + t % kKvTileTokens * kHeadDim + d)] = value(t, d);
      }
    }
    std::vector<float> out(static_cast<size_t>(count * kGroup * kHeadDim));
    std::vector<float> scratch(AttentionScratchFloats(kHeadDim));
    AttentionArgs args;
    args.q_stride = args.out_stride = kGroup * kHeadDim;
    args.k = k.data();
    args.v = v.data();
    args.block_stride = kBlockSize * kHeadDim;
    args.block_table = block_table_.data();
    args.block_size = kBlockSize;
    args.head_dim = kHeadDim;
    args.group = kGroup;
    args.scale = scale();
    args.scratch = scratch.data();
    constexpr int kRowsMax = kAttentionVectorsMax / kGroup;
    for (int done = 0; done < count; done += kRowsMax) {
      args.q = q_.data() + (row + done) * kGroup * kHeadDim;
      args.out = out.data() + done * kGroup * kHeadDim;
      args.first_position = row + done;
      args.num_rows = std::min(kRowsMax, count - done);
      kernels.attention(args);
    }
    return out;
  }

  std::vector<double> Exact(int row, int count) const {
    std::vector<double> out;
    for (int vector = row * kGroup; vector < (row + count) * kGroup; ++vector) {
      std::vector<double> p;
      for (int t = 0; t <= vector / kGroup; ++t) {
        double dot = 0;
        for (int d = 0; d < kHeadDim; ++d) {
          dot += double{q_[static_cast<size_t>(vector * kHeadDim + d)]} * double{key(t, d)};
        }
        p.push_back(std::exp(dot * double{scale()}));
      }
      const double sum = std::accumulate(p.begin(), p.end(), 0.0);
      for (int d = 0; d < kHeadDim; ++d) {
        double weighed = 0;
        for (size_t t = 0; t < p.size(); ++t)
          weighed += p[t] * double{value(static_cast<int>(t), d)};
        out.push_back(weighed / sum);
      }
    }
    return out;
  }

 private:
  float key(int t, int d) const { return keys_[static_cast<size_t>(t * kHeadDim + d)]; }
  float value(int t, int d) const { return values_[static_cast<size_t>(t * kHeadDim + d)]; }
  static float scale() { return 1.0f / std::sqrt(static_cast<float>(kHeadDim)); }

  std::vector<float> q_, keys_, values_;
  std::vector<int> block_table_;
};

TEST(AttentionKernel, IsAsExactAsThePlainOne) {
  const AttentionCase attention(1);
  const std::vector<double> exact = attention.Exact(0, kTokens);
  const double plain = RmsError(attention.Run(kScalarKernels, 0, kTokens), exact);
  EXPECT_LT(plain, 1e-6);
  for (const Kernels* kernels : RunnableKernels()) {
    // Exponents of scores near 10 carry their rounding: ten half-units more than the result's own.
    EXPECT_LE(RmsError(attention.Run(*kernels, 0, kTokens), exact), AllowedError(plain, 10))
        << kernels->name;
  }
}

TEST(AttentionKernel, GivesARowTheSameBitsHoweverThePromptIsCut) {
  const AttentionCase attention(1);
  for (const Kernels* kernels : RunnableKernels()) {
    const std::vector<float> whole = attention.Run(*kernels, 0, kTokens);
    for (const int count : {1, 2, 5, 16, 100}) {
      for (int row = 0; row + count <= kTokens; row += 83) {
        const std::vector<float> part = attention.Run(*kernels, row, count);
        const auto begin = whole.begin() + row * kGroup * kHeadDim;
        ASSERT_TRUE(std::equal(part.begin(), part.end(), begin))
            << kernels->name << " " << count << " rows from " << row;
      }
    }
  }
}

TEST(AttentionKernel, GivesTheSameBitsWhicheverBlocksHoldTheSequence) {
  for (const Kernels* kernels : RunnableKernels()) {
    EXPECT_EQ(AttentionCase(1).Run(*kernels, 600, 20), AttentionCase(2).Run(*kernels, 600, 20))
        << kernels->name;
  }
}

}  // namespace
}  // namespace hearth::engine::cpu
