#include "engine/backend/cpu/cpu_backend.h"

#include <gtest/gtest.h>

namespace hearth::engine {
namespace {

TEST(CpuBackend, CountsAsWorkspaceWhatItReservesForSteps) {
  CpuBackend backend({.num_threads = 2, .max_rows = 8, .max_logits_rows = 3});
  const int64_t before = backend.workspace_bytes();
  ASSERT_TRUE(backend.AddBuffer(100).ok());  // rows of 112 floats: whole vectors
  EXPECT_EQ(backend.workspace_bytes() - before, 8 * 112 * 4);
  ASSERT_TRUE(backend.AddLogits(50).ok());
  EXPECT_EQ(backend.workspace_bytes() - before, 8 * 112 * 4 + 3 * 50 * 4);

  const std::vector<float> weights(64 * 100, 1.0f);
  const HostTensor tensor = {.rows = 64,
                             .cols = 100,
                             .data = reinterpret_cast<const std::byte*>(weights.data())};
  ASSERT_TRUE(backend.AddMatrix(std::span(&tensor, 1)).ok());
  EXPECT_EQ(backend.workspace_bytes() - before, 8 * 112 * 4 + 3 * 50 * 4) << "weights are none";

  KvCacheShape shape;
  shape.num_hidden_layers = 2;
  shape.num_attention_heads = 4;
  shape.num_key_value_heads = 2;
  shape.head_dim = 32;
  shape.block_size = 16;
  shape.num_blocks = 100;
  ASSERT_TRUE(backend.AddKvCache(shape, {.theta = 10000, .max_positions = 500}).ok());
  const int64_t rope = 2 * 500 * 16 * 4;
  const int64_t scratch = 2 * cpu::AttentionScratchFloats(32) * 4;
  EXPECT_EQ(backend.workspace_bytes() - before, 8 * 112 * 4 + 3 * 50 * 4 + rope + scratch)
      << "and the pool is none";
}

}  // namespace
}  // namespace hearth::engine
