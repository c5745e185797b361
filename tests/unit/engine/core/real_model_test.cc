// The loop with real weights: the demo model that the repository brings along. What is compared are
// the tokens and every bit of the logits that they were drawn from.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <random>

#include "engine/core/engine_loop.h"

namespace hearth::engine {
namespace {

constexpr const char* kModelDir = "packaging/demo-model/model";
constexpr int kNumSequences = 32;
constexpr int kMaxTokens = 24;
constexpr SchedulerConfig kRoomy = {
    .max_num_seqs = kNumSequences, .max_num_batched_tokens = 512, .num_blocks = 1 << 20};

struct Output {
  std::vector<int> token_ids;
  std::vector<uint32_t> logits;  // bits of the floats, [tokens][vocab_size]
  bool operator==(const Output&) const = default;
};
using Outputs = std::map<uint64_t, Output>;  // by request id

// Keeps gtest from printing a million logits.
void ExpectSame(const Outputs& found, const Outputs& expected, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (const auto& [id, output] : expected) {
    EXPECT_EQ(found.at(id).token_ids, output.token_ids) << what << ", request " << id;
    EXPECT_TRUE(found.at(id).logits == output.logits) << what << ", logits of request " << id;
  }
}

// A loop that lives on from one Run to the next, and its prefix cache with it.
class Engine {
 public:
  Engine(Model* model, SchedulerConfig config)
      : model_(model),
        loop_(Fit(config, *model), [this](const StepBatch& batch) { return Forward(batch); },
              &inbox_, Clock::System(), [this](const StepResult& result) { Collect(result); }) {}

  Outputs Run(const std::vector<Sequence>& sequences) {
    outputs_.clear();
    total_ = {};
    for (const Sequence& sequence : sequences) {
      EXPECT_TRUE(inbox_.Reserve(sequence.request_id).ok());
      inbox_.Submit(std::make_unique<Sequence>(sequence));
    }
    do loop_.Step();
    while (!loop_.scheduler().empty());
    loop_.scheduler().CheckIntegrity();
    return outputs_;
  }

  const protocol::StepStats& total() const { return total_; }  // of the last Run

 private:
  static SchedulerConfig Fit(SchedulerConfig config, const Model& model) {
    config.block_size = model.block_size();
    config.num_blocks = std::min(config.num_blocks, model.num_blocks());
    return config;
  }

  std::span<const float> Forward(const StepBatch& batch) {
    logits_ = model_->Forward(batch);
    return logits_;
  }

  // Called before the next Forward; each token of a step was drawn from one row of its logits.
  void Collect(const StepResult& result) {
    const auto vocab_size = static_cast<size_t>(model_->config().vocab_size);
    for (size_t i = 0; i < result.tokens.size(); ++i) {
      Output& output = outputs_[result.tokens[i].request_id];
      output.token_ids.push_back(result.tokens[i].token_id);
      for (const float logit : logits_.subspan(i * vocab_size, vocab_size)) {
        output.logits.push_back(std::bit_cast<uint32_t>(logit));
      }
    }
    total_.num_preemptions += result.stats.num_preemptions;
    total_.num_prompt_tokens += result.stats.num_prompt_tokens;
    total_.prefix_cache_queries += result.stats.prefix_cache_queries;
    total_.prefix_cache_hits += result.stats.prefix_cache_hits;
  }

  Model* const model_;
  Inbox inbox_;
  EngineLoop loop_;
  std::span<const float> logits_;
  Outputs outputs_;
  protocol::StepStats total_;
};

class RealModel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto model = Model::Load(kModelDir,
                             {.num_threads = 2,
                              .max_model_len = 1024,
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

  static std::vector<int> RandomTokens(std::mt19937& random, size_t count) {
    std::vector<int> tokens(count);
    for (int& token : tokens) {
      token = static_cast<int>(random() % static_cast<unsigned>(model_->config().vocab_size));
    }
    return tokens;
  }

  // Half greedy, half drawn with a seed.
  static Sequence MakeSequence(uint64_t id, std::vector<int> prompt, int max_tokens) {
    Sequence sequence;
    sequence.request_id = id;
    sequence.token_ids = std::move(prompt);
    sequence.num_prompt_tokens = sequence.num_tokens();
    sequence.max_tokens = max_tokens;
    sequence.sampler = {.temperature = id % 2 == 0 ? 0.0 : 1.0, .top_p = 0.95, .seed = id};
    return sequence;
  }

  // Prompts that begin with one of a few system prompts, which end inside blocks, at their edges,
  // and behind one and two of the chunks of 256 tokens that attention takes its softmax in.
  static std::vector<Sequence> SharedPrompts(unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Sequence> sequences;
    for (const size_t num_shared : {16u, 45u, 255u, 272u, 600u}) {
      const std::vector<int> system_prompt = RandomTokens(random, num_shared);
      for (const size_t num_own : {0u, 1u, 16u, 90u}) {
        std::vector<int> prompt = system_prompt;
        const std::vector<int> own = RandomTokens(random, num_own);
        prompt.insert(prompt.end(), own.begin(), own.end());
        sequences.push_back(MakeSequence(sequences.size() + 1, std::move(prompt), 20));
      }
    }
    return sequences;
  }

  // Each in an engine of its own, with no other sequence and no prefix cache.
  static Outputs RunAlone(const std::vector<Sequence>& sequences) {
    SchedulerConfig config = kRoomy;
    config.enable_prefix_caching = false;
    Outputs outputs;
    for (const Sequence& sequence : sequences) {
      outputs.merge(Engine(model_, config).Run({sequence}));
    }
    return outputs;
  }

  static Model* model_;
};

Model* RealModel::model_ = nullptr;

TEST_F(RealModel, GivesABatchTheTokensOfSingleRunsHoweverItIsCut) {
  std::mt19937 random(20);
  std::vector<Sequence> sequences;
  for (uint64_t id = 1; id <= kNumSequences; ++id) {
    sequences.push_back(MakeSequence(id, RandomTokens(random, 1 + random() % 70), kMaxTokens));
  }
  const Outputs alone = RunAlone(sequences);
  ASSERT_EQ(alone.size(), sequences.size());
  for (const auto& [id, output] : alone) EXPECT_EQ(output.token_ids.size(), size_t{kMaxTokens});

  ExpectSame(Engine(model_, kRoomy).Run(sequences), alone, "a batch");

  SchedulerConfig chunked = kRoomy;
  chunked.max_num_batched_tokens = kNumSequences + 5;
  ExpectSame(Engine(model_, chunked).Run(sequences), alone, "chunked prefill");

  SchedulerConfig tight = kRoomy;
  tight.num_blocks = 40;  // about a quarter of what all sequences need at their end
  Engine engine(model_, tight);
  ExpectSame(engine.Run(sequences), alone, "preemption");
  EXPECT_GT(engine.total().num_preemptions, 0);
}

TEST_F(RealModel, GivesTheSameBitsWithThePrefixCacheWarmColdAndOff) {
  const std::vector<Sequence> sequences = SharedPrompts(21);
  int num_prompt_tokens = 0;
  for (const Sequence& sequence : sequences) num_prompt_tokens += sequence.num_prompt_tokens;
  const Outputs off = RunAlone(sequences);

  Engine engine(model_, kRoomy);
  ExpectSame(engine.Run(sequences), off, "cold");
  EXPECT_EQ(engine.total().prefix_cache_queries, num_prompt_tokens);
  ExpectSame(engine.Run(sequences), off, "warm");
  EXPECT_EQ(engine.total().prefix_cache_queries, num_prompt_tokens);
  EXPECT_GT(engine.total().prefix_cache_hits, num_prompt_tokens * 9 / 10);
  EXPECT_EQ(engine.total().num_prompt_tokens,
            num_prompt_tokens - engine.total().prefix_cache_hits);

  // Chunks that begin wherever the cache ends, cut at odd places, beside decodes.
  for (const int max_num_batched_tokens : {kNumSequences + 1, 67, 300}) {
    SchedulerConfig chunked = kRoomy;
    chunked.max_num_batched_tokens = max_num_batched_tokens;
    Engine cut(model_, chunked);
    const std::string what = " with " + std::to_string(max_num_batched_tokens) + " tokens a step";
    ExpectSame(cut.Run(sequences), off, "cold" + what);
    EXPECT_GT(cut.total().prefix_cache_hits, num_prompt_tokens / 2);  // of those that came before
    ExpectSame(cut.Run(sequences), off, "warm" + what);
  }
}

TEST_F(RealModel, GivesTheSameBitsWhileBlocksAreEvictedAndSequencesPreempted) {
  const std::vector<Sequence> sequences = SharedPrompts(22);
  const Outputs off = RunAlone(sequences);
  SchedulerConfig tight = kRoomy;
  tight.max_num_batched_tokens = 100;
  tight.num_blocks = 60;  // the longest sequence alone needs 45
  Engine engine(model_, tight);
  int num_preemptions = 0, num_hits = 0;
  for (int round = 0; round < 2; ++round) {
    ExpectSame(engine.Run(sequences), off, "round " + std::to_string(round));
    num_preemptions += engine.total().num_preemptions;
    num_hits += engine.total().prefix_cache_hits;
  }
  EXPECT_GT(num_preemptions, 0);
  EXPECT_GT(num_hits, 0);
}

}  // namespace
}  // namespace hearth::engine
