#include "engine/model/step_cost.h"

#include <gtest/gtest.h>

#include "engine/model/decoder.h"

namespace hearth::engine {
namespace {

// q_size 8, kv_size 4.
ModelConfig SmallConfig() {
  ModelConfig config;
  config.hidden_size = 8;
  config.intermediate_size = 16;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 2;
  config.num_key_value_heads = 1;
  config.head_dim = 4;
  config.vocab_size = 32;
  return config;
}

void AddSequence(StepBatch& batch, int first_position, int num_rows, bool needs_logits) {
  batch.seqs.push_back({batch.num_tokens(), num_rows, nullptr, 0, needs_logits});
  for (int i = 0; i < num_rows; ++i) {
    batch.token_ids.push_back(1);
    batch.positions.push_back(first_position + i);
  }
}

// By hand. Weights of a layer: qkv 8 x 16, o 8 x 8, gate and up 2 x 8 x 16, down 16 x 8 = 576.
// Three tokens at positions 2, 3, 4 attend to 3 + 4 + 5 positions, one at position 9 to 10; the
// caches of the two sequences hold 5 and 10 tokens.
TEST(StepCost, AgreesWithACountByHand) {
  StepBatch batch;
  AddSequence(batch, 2, 3, false);
  AddSequence(batch, 9, 1, true);
  const StepCostModel model(SmallConfig(), {.weights = 2, .kv_cache = 4, .activations = 4});
  const StepCost cost = model.Of(batch);

  const double products = 4 * 2 * 576 * 2;
  const double attention = 22 * (2 * 8 + 2 * 8) * 2;
  const double logits = 2 * 8 * 32;
  EXPECT_EQ(cost.flops, products + attention + logits);

  const double weights = 2 * 576 * 2 + 2 * 8 * 32;
  const double embedding = 4 * 2 * 8;
  const double kv_read = 15 * (2 * 4 * 4) * 2;
  const double inputs = 4 * (8 + 8 + 8 + 8 + 32 + 16) * 4 * 2;  // qkv, q, o, gate_up, silu, down
  EXPECT_EQ(cost.read_bytes, weights + embedding + kv_read + inputs + 8 * 4);

  const double kv_written = 4 * (2 * 4 * 4) * 2;
  const double outputs = 4 * (16 + 8 + 8 + 32 + 16 + 8) * 4 * 2;  // of the same, attention's for q
  EXPECT_EQ(cost.write_bytes, kv_written + 4 * 8 * 4 + outputs + 32 * 4);
}

TEST(StepCost, IsTheSameForAPromptHoweverItIsCutExceptForWeightsAndRereadContext) {
  const StepCostModel model(SmallConfig(), {.weights = 2, .kv_cache = 4, .activations = 4});
  StepBatch whole, first, second;
  AddSequence(whole, 0, 48, true);
  AddSequence(first, 0, 16, false);
  AddSequence(second, 16, 32, true);
  const StepCost a = model.Of(whole), b = model.Of(first), c = model.Of(second);
  EXPECT_EQ(a.flops, b.flops + c.flops);
  EXPECT_EQ(a.write_bytes, b.write_bytes + c.write_bytes);
  EXPECT_EQ(a.read_bytes + 2 * 576 * 2 + 16 * (2 * 4 * 4) * 2, b.read_bytes + c.read_bytes);
}

TEST(StepCost, IsNothingForNothing) {
  const StepCost empty = StepCostModel(SmallConfig(), {2, 4, 4}).Of({});
  EXPECT_EQ(empty.flops, 0);
  EXPECT_EQ(empty.read_bytes, 0);
  EXPECT_EQ(empty.write_bytes, 0);
}

}  // namespace
}  // namespace hearth::engine
