// The loop with real weights: the demo model that the repository brings along.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "engine/core/engine_loop.h"

namespace hearth::engine {
namespace {

constexpr const char* kModelDir = "packaging/demo-model/model";
constexpr int kNumSequences = 32;
constexpr int kMaxTokens = 24;

using Tokens = std::map<uint64_t, std::vector<int>>;

class RealModel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto model = Model::Load(kModelDir,
                             {.num_threads = 2,
                              .max_model_len = 128,
                              .max_num_batched_tokens = 512,
                              .max_num_seqs = kNumSequences,
                              .kv_cache_bytes = int64_t{64} << 20},
                             [](std::string_view, double) {});
    ASSERT_TRUE(model.ok()) << model.status().ToString();
    model_ = std::move(model).value().release();
  }
  static void TearDownTestSuite() {
    delete model_;
    model_ = nullptr;
  }

  // Half greedy, half drawn; prompts of 1 to 70 tokens.
  static std::vector<Sequence> MakeSequences() {
    std::mt19937 random(20);
    std::vector<Sequence> sequences;
    for (uint64_t id = 1; id <= kNumSequences; ++id) {
      Sequence sequence;
      sequence.request_id = id;
      sequence.token_ids.resize(1 + random() % 70);
      for (int& token : sequence.token_ids) {
        token = static_cast<int>(random() % static_cast<unsigned>(model_->config().vocab_size));
      }
      sequence.num_prompt_tokens = sequence.num_tokens();
      sequence.max_tokens = kMaxTokens;
      sequence.sampler = {.temperature = id % 2 == 0 ? 0.0 : 1.0, .top_p = 0.95, .seed = id};
      sequences.push_back(sequence);
    }
    return sequences;
  }

  static Tokens Run(SchedulerConfig config, const std::vector<Sequence>& sequences) {
    config.block_size = model_->block_size();
    config.num_blocks = std::min(config.num_blocks, model_->num_blocks());
    Tokens tokens;
    Inbox inbox;
    EngineLoop loop(config, [](const StepBatch& batch) { return model_->Forward(batch); }, &inbox,
                    Clock::System(), [&](StepResult result) {
                      num_preemptions_ += result.stats.num_preemptions;
                      for (const auto& token : result.tokens) {
                        tokens[token.request_id].push_back(token.token_id);
                      }
                    });
    for (const Sequence& sequence : sequences) {
      EXPECT_TRUE(inbox.Reserve(sequence.request_id).ok());
      inbox.Submit(std::make_unique<Sequence>(sequence));
    }
    do loop.Step();
    while (!loop.scheduler().empty());
    loop.scheduler().CheckIntegrity();
    return tokens;
  }

  static Model* model_;
  static int num_preemptions_;
};

Model* RealModel::model_ = nullptr;
int RealModel::num_preemptions_ = 0;

TEST_F(RealModel, GivesABatchTheTokensOfSingleRunsHoweverItIsCut) {
  const std::vector<Sequence> sequences = MakeSequences();
  const SchedulerConfig roomy = {
      .max_num_seqs = kNumSequences, .max_num_batched_tokens = 512, .num_blocks = 1 << 20};
  Tokens alone;
  for (const Sequence& sequence : sequences) alone.merge(Run(roomy, {sequence}));
  ASSERT_EQ(alone.size(), sequences.size());
  for (const auto& [id, tokens] : alone) EXPECT_EQ(tokens.size(), size_t{kMaxTokens}) << id;

  EXPECT_EQ(Run(roomy, sequences), alone);

  SchedulerConfig chunked = roomy;
  chunked.max_num_batched_tokens = kNumSequences + 5;
  EXPECT_EQ(Run(chunked, sequences), alone) << "chunked prefill changes tokens";

  SchedulerConfig tight = roomy;
  tight.num_blocks = 40;  // about a quarter of what all sequences need at their end
  num_preemptions_ = 0;
  EXPECT_EQ(Run(tight, sequences), alone) << "preemption changes tokens";
  EXPECT_GT(num_preemptions_, 0);
}

}  // namespace
}  // namespace hearth::engine
