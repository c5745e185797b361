#include "engine/core/engine_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <thread>

#include "tests/unit/engine/core/hash_model.h"

namespace hearth::engine {
namespace {

constexpr int kVocabSize = 29;

// Time advances by one second whenever somebody looks.
class SteppingClock : public Clock {
 public:
  double MonotonicSeconds() const override { return ++now_s_; }
  int64_t WallMillis() const override { return 0; }

 private:
  mutable double now_s_ = 100;
};

struct Outcome {
  std::vector<int> token_ids;
  protocol::FinishedRequest finished;
};

// A loop over a HashModel with everything it publishes.
class Engine {
 public:
  explicit Engine(const SchedulerConfig& config, const StepCostModel& step_cost = {})
      : model_(config.num_blocks, config.block_size, kVocabSize),
        loop_(config, [this](const StepBatch& batch) { return Forward(batch); }, &inbox_, &clock_,
              [this](StepResult result) { Collect(std::move(result)); }, step_cost) {}

  void Submit(const Sequence& sequence) {
    ASSERT_TRUE(inbox_.Reserve(sequence.request_id).ok());
    inbox_.Submit(std::make_unique<Sequence>(sequence));
  }

  void StepUntilIdle() {
    do loop_.Step();
    while (!loop_.scheduler().empty());
  }

  const StepResult& last() const { return last_; }

  SteppingClock clock_;
  Inbox inbox_;
  HashModel model_;
  EngineLoop loop_;
  std::map<uint64_t, Outcome> outcomes_;  // of finished requests
  protocol::StepStats total_;
  int num_published_ = 0;
  int spoiled_row_ = -1;  // of the logits of each forward
  std::function<void()> during_forward_;

 private:
  std::span<const float> Forward(const StepBatch& batch) {
    if (during_forward_) during_forward_();
    const auto logits = model_.Forward(batch);
    spoiled_.assign(logits.begin(), logits.end());
    const auto index = static_cast<size_t>(spoiled_row_ * kVocabSize + 3);
    if (spoiled_row_ >= 0 && index < spoiled_.size()) {
      spoiled_[index] = std::numeric_limits<float>::quiet_NaN();
    }
    return spoiled_;
  }

  void Collect(StepResult result) {
    EXPECT_EQ(result.stats.step, static_cast<uint64_t>(++num_published_));
    total_.num_prompt_tokens += result.stats.num_prompt_tokens;
    total_.num_generation_tokens += result.stats.num_generation_tokens;
    total_.num_preemptions += result.stats.num_preemptions;
    total_.prefix_cache_queries += result.stats.prefix_cache_queries;
    total_.prefix_cache_hits += result.stats.prefix_cache_hits;
    total_.estimated_flops += result.stats.estimated_flops;
    EXPECT_EQ(result.stats.num_generation_tokens, static_cast<int>(result.tokens.size()));
    for (const SampledToken& token : result.tokens) {
      tokens_[token.request_id].push_back(token.token_id);
      num_cached_tokens_[token.request_id] = token.num_cached_tokens;
    }
    for (const auto& finished : result.finished) {
      const bool is_first =
          outcomes_.emplace(finished.request_id, Outcome{tokens_[finished.request_id], finished})
              .second;
      EXPECT_TRUE(is_first) << "finished twice: " << finished.request_id;
      if (finished.num_generation_tokens > 0) {
        EXPECT_EQ(finished.num_cached_tokens, num_cached_tokens_[finished.request_id]);
      }
    }
    last_ = std::move(result);
  }

  std::vector<float> spoiled_;
  std::map<uint64_t, std::vector<int>> tokens_;
  std::map<uint64_t, int> num_cached_tokens_;  // as its tokens say
  StepResult last_;
};

Sequence MakeSequence(uint64_t request_id, std::vector<int> prompt, int max_tokens) {
  Sequence sequence;
  sequence.request_id = request_id;
  sequence.num_prompt_tokens = static_cast<int>(prompt.size());
  sequence.token_ids = std::move(prompt);
  sequence.max_tokens = max_tokens;
  sequence.sampler.temperature = 0;
  sequence.queued_time_s = 1;
  return sequence;
}

// The tokens by definition: no batch, no blocks, everything computed anew for each token.
std::vector<int> ReferenceTokens(const Sequence& sequence) {
  const HashModel model(1, 1, kVocabSize);
  Sampler sampler;
  std::vector<int> context = sequence.token_ids;
  std::vector<int> generated;
  while (static_cast<int>(generated.size()) < sequence.max_tokens) {
    std::vector<float> logits;
    model.AppendLogits(context, logits);
    const int token = *sampler.Sample(logits, sequence.sampler, generated.size());
    generated.push_back(token);
    context.push_back(token);
    if (std::count(sequence.eos_token_ids.begin(), sequence.eos_token_ids.end(), token) > 0) break;
  }
  return generated;
}

SchedulerConfig RoomyConfig() {
  return {.max_num_seqs = 8, .max_num_batched_tokens = 32, .num_blocks = 64, .block_size = 4};
}

// Prompts begin alike, pools are small, and every other prefix cache confuses its hashes.
TEST(EngineLoop, GivesTheTokensOfASingleRunWhateverTheBatchTheChunksThePreemptionsAndTheCache) {
  int num_preemptions = 0;
  int num_hits = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    SchedulerConfig config;
    config.max_num_seqs = 1 + below(8);
    config.max_num_batched_tokens = config.max_num_seqs + below(30);
    config.block_size = 1 + below(8);
    config.num_blocks = 80 / config.block_size + below(20);
    config.enable_prefix_caching = seed % 3 != 0;
    if (seed % 2 == 0) {
      config.block_hash = [](uint64_t, std::span<const int>) { return uint64_t{0}; };
    }
    Engine engine(config);
    std::vector<Sequence> sequences;
    std::vector<int> common(40);
    for (int& token : common) token = below(kVocabSize);
    int num_prompt_tokens = 0;
    for (uint64_t id = 1; id <= 12; ++id) {
      std::vector<int> prompt(static_cast<size_t>(1 + below(40)));
      for (int& token : prompt) token = below(kVocabSize);
      std::copy_n(common.begin(), below(static_cast<int>(prompt.size()) + 1), prompt.begin());
      Sequence sequence = MakeSequence(id, prompt, 1 + below(30));
      sequence.sampler = {.temperature = 0.5 * below(3), .top_p = 0.9, .top_k = 12, .seed = id};
      if (id % 2 == 0) sequence.eos_token_ids = {4};
      num_prompt_tokens += sequence.num_prompt_tokens;
      sequences.push_back(sequence);
    }
    for (const Sequence& sequence : sequences) {
      engine.Submit(sequence);
      for (int steps = below(4); steps > 0; --steps) {
        engine.loop_.Step();
        engine.loop_.scheduler().CheckIntegrity();
        if (engine.loop_.scheduler().empty()) break;  // the next Step would wait
      }
    }
    engine.StepUntilIdle();
    EXPECT_EQ(engine.outcomes_.size(), sequences.size());
    int num_generation_tokens = 0, num_cached_tokens = 0, num_request_preemptions = 0;
    for (const Sequence& sequence : sequences) {
      const Outcome& outcome = engine.outcomes_[sequence.request_id];
      EXPECT_EQ(outcome.token_ids, ReferenceTokens(sequence)) << sequence.request_id;
      num_generation_tokens += outcome.finished.num_generation_tokens;
      num_cached_tokens += outcome.finished.num_cached_tokens;
      num_request_preemptions += outcome.finished.num_preemptions;
    }
    EXPECT_EQ(engine.total_.num_prompt_tokens + num_cached_tokens, num_prompt_tokens);
    EXPECT_EQ(engine.total_.prefix_cache_queries,
              config.enable_prefix_caching ? num_prompt_tokens : 0);
    EXPECT_EQ(engine.total_.prefix_cache_hits, num_cached_tokens);
    EXPECT_EQ(engine.total_.num_preemptions, num_request_preemptions);
    EXPECT_EQ(engine.total_.num_generation_tokens, num_generation_tokens);
    EXPECT_EQ(engine.last().stats.num_blocks_used, 0);
    num_preemptions += engine.total_.num_preemptions;
    num_hits += num_cached_tokens;
  }
  // The pools were small enough, and the prompts alike enough, to test something.
  EXPECT_GT(num_preemptions, 20);
  EXPECT_GT(num_hits, 1'000);
}

TEST(EngineLoop, TellsHowMuchOfAPromptWasCachedWithItsFirstTokenAndAtItsEnd) {
  Engine engine(RoomyConfig());
  engine.Submit(MakeSequence(1, {1, 2, 3, 4, 5, 6, 7, 8, 9}, 2));
  engine.StepUntilIdle();
  EXPECT_EQ(engine.outcomes_[1].finished.num_cached_tokens, 0);
  const Sequence again = MakeSequence(2, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 2);
  engine.Submit(again);
  engine.loop_.Step();
  ASSERT_EQ(engine.last().tokens.size(), 1u);
  EXPECT_EQ(engine.last().tokens[0].num_cached_tokens, 8);
  EXPECT_EQ(engine.last().stats.num_prompt_tokens, 3);
  EXPECT_EQ(engine.last().stats.prefix_cache_queries, 11);
  EXPECT_EQ(engine.last().stats.prefix_cache_hits, 8);
  EXPECT_EQ(engine.last().stats.num_blocks_used, 3);
  engine.StepUntilIdle();
  EXPECT_EQ(engine.outcomes_[2].finished.num_cached_tokens, 8);
  EXPECT_EQ(engine.outcomes_[2].token_ids, ReferenceTokens(again));
  EXPECT_EQ(engine.last().stats.num_blocks_used, 0) << "what is merely cached is free";
}

TEST(EngineLoop, EstimatesTheCostOfWhatItComputesOnly) {
  ModelConfig shape;
  shape.hidden_size = 8;
  shape.intermediate_size = 16;
  shape.num_hidden_layers = 2;
  shape.num_attention_heads = shape.num_key_value_heads = 2;
  shape.head_dim = 4;
  shape.vocab_size = kVocabSize;
  const StepCostModel step_cost(shape, {2, 4, 4});
  Engine engine(RoomyConfig(), step_cost);
  engine.Submit(MakeSequence(1, {1, 2, 3, 4, 5, 6, 7, 8, 9}, 1));
  engine.StepUntilIdle();
  const auto batch = [](int first, int rows) {
    StepBatch step;
    step.seqs.push_back({0, rows, nullptr, 0, true});
    for (int i = 0; i < rows; ++i) step.positions.push_back(first + i);
    step.token_ids.assign(step.positions.size(), 1);
    return step;
  };
  const StepCost whole = step_cost.Of(batch(0, 9));
  EXPECT_EQ(engine.last().stats.estimated_flops, whole.flops);
  EXPECT_EQ(engine.last().stats.estimated_read_bytes, whole.read_bytes);
  EXPECT_EQ(engine.last().stats.estimated_write_bytes, whole.write_bytes);
  engine.Submit(MakeSequence(2, {1, 2, 3, 4, 5, 6, 7, 8, 9}, 1));
  engine.StepUntilIdle();
  EXPECT_EQ(engine.last().stats.estimated_flops, step_cost.Of(batch(8, 1)).flops);
}

// The first two requests share a block whose keys and values are damaged; no third one gets it.
TEST(EngineLoop, OffersNothingOfARequestWithBrokenLogitsToOthers) {
  Engine engine(RoomyConfig());
  const Sequence healthy = MakeSequence(2, {1, 2, 3, 4, 6}, 6);
  engine.Submit(MakeSequence(1, {1, 2, 3, 4, 5}, 6));
  engine.loop_.Step();
  engine.Submit(healthy);
  engine.spoiled_row_ = 0;
  engine.loop_.Step();
  engine.spoiled_row_ = -1;
  EXPECT_EQ(engine.outcomes_[1].finished.finish_reason, "error");
  engine.Submit(MakeSequence(3, {1, 2, 3, 4, 7}, 2));
  engine.StepUntilIdle();
  EXPECT_EQ(engine.outcomes_[2].token_ids, ReferenceTokens(healthy));
  EXPECT_EQ(engine.outcomes_[2].finished.num_cached_tokens, 4);
  EXPECT_EQ(engine.outcomes_[3].finished.num_cached_tokens, 0);
}

TEST(EngineLoop, CountsAsWaitingWhoCameWhileTheStepWasComputed) {
  Engine engine(RoomyConfig());
  engine.Submit(MakeSequence(1, {1, 2, 3}, 4));
  engine.during_forward_ = [&] {
    engine.during_forward_ = nullptr;
    engine.Submit(MakeSequence(2, {4, 5, 6}, 4));
  };
  engine.loop_.Step();
  EXPECT_EQ(engine.last().stats.num_sequences, 1);
  EXPECT_EQ(engine.last().stats.num_requests_running, 1);
  EXPECT_EQ(engine.last().stats.num_requests_waiting, 1);
  engine.loop_.Step();
  EXPECT_EQ(engine.last().stats.num_sequences, 2);
  EXPECT_EQ(engine.last().stats.num_requests_running, 2);
  EXPECT_EQ(engine.last().stats.num_requests_waiting, 0);
}

TEST(EngineLoop, FreesTheBlocksOfAnAbortedSequenceInTheNextStepAndSaysSo) {
  Engine engine(RoomyConfig());
  engine.Submit(MakeSequence(1, {1, 2, 3, 4, 5}, 50));
  engine.Submit(MakeSequence(2, {1, 2, 3}, 50));
  engine.loop_.Step();
  EXPECT_EQ(engine.last().stats.num_blocks_used, 3);
  engine.inbox_.RequestEnd(1, EndCause::kAbort);
  engine.loop_.Step();
  EXPECT_EQ(engine.last().stats.num_blocks_used, 1);
  EXPECT_EQ(engine.outcomes_[1].finished.finish_reason, "abort");
  engine.inbox_.RequestEnd(2, EndCause::kAbort);
  engine.loop_.Step();  // a step with nothing but the abort
  EXPECT_EQ(engine.last().stats.num_blocks_used, 0);
  EXPECT_EQ(engine.last().stats.num_requests_running, 0);
  EXPECT_EQ(engine.last().stats.num_blocks_total, 64);
  EXPECT_EQ(engine.outcomes_[2].finished.finish_reason, "abort");
  EXPECT_EQ(engine.outcomes_[2].finished.num_generation_tokens, 2);
}

TEST(EngineLoop, PublishesNothingForTheEndOfARequestThatIsGone) {
  Engine engine(RoomyConfig());
  engine.Submit(MakeSequence(1, {1, 2}, 2));
  engine.Submit(MakeSequence(2, {1, 2}, 9));
  engine.loop_.Step();
  engine.inbox_.RequestEnd(1, EndCause::kStopString);
  engine.inbox_.RequestEnd(77, EndCause::kAbort);
  engine.StepUntilIdle();
  EXPECT_EQ(engine.outcomes_[1].finished.finish_reason, "stop");
  EXPECT_EQ(engine.outcomes_[2].finished.finish_reason, "length");
  EXPECT_EQ(engine.outcomes_.size(), 2u);
  // The ids are free again.
  EXPECT_TRUE(engine.inbox_.Reserve(1).ok());
  EXPECT_EQ(engine.inbox_.Reserve(1).code(), StatusCode::kFailedPrecondition);
}

TEST(EngineLoop, LetsARequestWithBrokenLogitsFailAlone) {
  Engine engine(RoomyConfig());
  const Sequence healthy = MakeSequence(2, {4, 5, 6}, 6);
  engine.Submit(MakeSequence(1, {1, 2, 3}, 6));
  engine.Submit(healthy);
  engine.loop_.Step();
  engine.spoiled_row_ = 0;
  engine.loop_.Step();
  engine.spoiled_row_ = -1;
  engine.StepUntilIdle();
  EXPECT_EQ(engine.outcomes_[1].finished.finish_reason, "error");
  EXPECT_NE(engine.outcomes_[1].finished.error.find("logits"), std::string::npos);
  EXPECT_EQ(engine.outcomes_[1].finished.num_generation_tokens, 1);
  EXPECT_EQ(engine.outcomes_[2].token_ids, ReferenceTokens(healthy));
}

TEST(EngineLoop, StopsAtTokensAndNamesTheRequestsOwn) {
  const Sequence plain = MakeSequence(1, {9, 8, 7}, 12);
  const std::vector<int> tokens = ReferenceTokens(plain);
  const auto first_use = [&](size_t i) {
    return std::find(tokens.begin(), tokens.end(), tokens[i]) - tokens.begin() + 1;
  };
  Engine engine(RoomyConfig());
  Sequence with_eos = MakeSequence(2, {9, 8, 7}, 12);
  with_eos.eos_token_ids = {tokens[4]};
  Sequence with_stop = MakeSequence(3, {9, 8, 7}, 12);
  with_stop.stop_token_ids = {tokens[6]};
  for (const Sequence& sequence : {plain, with_eos, with_stop}) engine.Submit(sequence);
  engine.StepUntilIdle();
  EXPECT_EQ(engine.outcomes_[1].finished.finish_reason, "length");
  EXPECT_EQ(engine.outcomes_[2].finished.finish_reason, "stop");
  EXPECT_EQ(engine.outcomes_[2].finished.stop_reason, "");
  EXPECT_EQ(engine.outcomes_[2].finished.num_generation_tokens, first_use(4));
  EXPECT_EQ(engine.outcomes_[3].finished.stop_reason, std::to_string(tokens[6]));
  EXPECT_EQ(engine.outcomes_[3].finished.num_generation_tokens, first_use(6));
}

TEST(EngineLoop, DrawsNoStopTokenBeforeMinTokens) {
  Engine engine(RoomyConfig());
  Sequence sequence = MakeSequence(1, {3, 1, 4}, 20);
  for (int id = 0; id < kVocabSize - 1; ++id) sequence.eos_token_ids.push_back(id);
  sequence.min_tokens = 7;
  engine.Submit(sequence);
  engine.StepUntilIdle();
  const std::vector<int>& tokens = engine.outcomes_[1].token_ids;
  ASSERT_GE(tokens.size(), 8u);
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(tokens[i], kVocabSize - 1);
}

TEST(EngineLoop, StampsEveryPhaseInOrder) {
  Engine engine({.max_num_seqs = 2, .max_num_batched_tokens = 2, .num_blocks = 8});
  engine.Submit(MakeSequence(1, {1, 2, 3, 4, 5}, 3));
  engine.StepUntilIdle();
  const protocol::FinishedRequest& finished = engine.outcomes_[1].finished;
  EXPECT_EQ(finished.queued_time_s, 1);
  EXPECT_LT(finished.queued_time_s, finished.scheduled_time_s);
  EXPECT_LT(finished.scheduled_time_s, finished.first_token_time_s);
  EXPECT_LT(finished.first_token_time_s, finished.last_token_time_s);
  EXPECT_EQ(finished.last_token_time_s, engine.last().stats.time_s);
  EXPECT_EQ(finished.num_prompt_tokens, 5);
  EXPECT_EQ(finished.num_generation_tokens, 3);
}

TEST(EngineLoop, FailsASequenceThatCanNeverFit) {
  Engine engine(RoomyConfig());
  engine.Submit(MakeSequence(1, {1}, 64 * 4));
  engine.loop_.Step();
  EXPECT_EQ(engine.outcomes_[1].finished.finish_reason, "error");
  EXPECT_EQ(engine.last().stats.num_requests_waiting, 0);
}

TEST(EngineLoop, WaitsForWorkAndAbortsTheRestWhenClosed) {
  Engine engine(RoomyConfig());
  std::thread thread([&] { engine.loop_.Run(); });
  engine.Submit(MakeSequence(1, {1, 2, 3}, 200));
  engine.Submit(MakeSequence(2, {1, 2, 3}, 200));
  engine.inbox_.Close();
  thread.join();
  EXPECT_EQ(engine.outcomes_.size(), 2u);
  for (const auto& [id, outcome] : engine.outcomes_) {
    const std::string& reason = outcome.finished.finish_reason;
    EXPECT_TRUE(reason == "abort" || outcome.finished.num_generation_tokens == 200) << reason;
  }
  EXPECT_TRUE(engine.loop_.scheduler().empty());
}

TEST(Inbox, WaitsForMailWithoutTakingIt) {
  Inbox inbox;
  EXPECT_FALSE(inbox.WaitFor(0.001));
  inbox.Submit(std::make_unique<Sequence>());
  EXPECT_TRUE(inbox.WaitFor(1000));
  EXPECT_EQ(inbox.num_submitted(), 1);
  Inbox::Mail mail;
  inbox.Take(/*wait=*/true, mail);
  EXPECT_EQ(mail.sequences.size(), 1u);
  EXPECT_EQ(inbox.num_submitted(), 0);
}

TEST(Inbox, BoundsTheRequestsThatAreLive) {
  Inbox inbox;
  for (uint64_t id = 0;; ++id) {
    const Status status = inbox.Reserve(id);
    if (status.ok()) continue;
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
    EXPECT_EQ(id, 1024u);
    break;
  }
  inbox.Release(5);
  EXPECT_TRUE(inbox.Reserve(5'000).ok());
}

}  // namespace
}  // namespace hearth::engine
