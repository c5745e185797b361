#include "engine/core/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/limits.h"

namespace hearth::engine {
namespace {

// The first `num_shared` tokens are those of every other sequence, the rest of the prompt its own.
std::unique_ptr<Sequence> MakeSequence(uint64_t request_id, int num_prompt_tokens, int max_tokens,
                                       int num_shared = 0) {
  auto sequence = std::make_unique<Sequence>();
  sequence->request_id = request_id;
  sequence->token_ids.assign(static_cast<size_t>(num_prompt_tokens),
                             1000 + static_cast<int>(request_id));
  std::fill_n(sequence->token_ids.begin(), num_shared, 7);
  sequence->num_prompt_tokens = num_prompt_tokens;
  sequence->max_tokens = max_tokens;
  return sequence;
}

Status Add(Scheduler& scheduler, uint64_t request_id, int num_prompt_tokens, int max_tokens,
           int num_shared = 0) {
  auto sequence = MakeSequence(request_id, num_prompt_tokens, max_tokens, num_shared);
  return scheduler.Add(sequence);
}

// What the loop does with a plan, without a model.
void Commit(Scheduler& scheduler, const StepPlan& plan) {
  std::vector<uint64_t> finished;
  for (const ScheduledSequence& scheduled : plan.scheduled) {
    Sequence& sequence = *scheduled.sequence;
    const bool has_logits = scheduled.needs_logits();
    scheduler.MarkComputed(scheduled);
    if (!has_logits) continue;
    sequence.token_ids.push_back(8);
    if (sequence.num_generation_tokens() == sequence.max_tokens) {
      finished.push_back(sequence.request_id);
    }
  }
  for (const uint64_t request_id : finished) EXPECT_NE(scheduler.Remove(request_id), nullptr);
}

std::vector<std::pair<uint64_t, int>> Entries(const StepPlan& plan) {
  std::vector<std::pair<uint64_t, int>> entries;
  for (const auto& scheduled : plan.scheduled) {
    entries.emplace_back(scheduled.sequence->request_id, scheduled.num_scheduled_tokens);
  }
  return entries;
}

using Expected = std::vector<std::pair<uint64_t, int>>;

TEST(Scheduler, PutsDecodesBeforeChunksOfPrefill) {
  Scheduler scheduler({.max_num_seqs = 4, .max_num_batched_tokens = 10, .num_blocks = 64});
  StepPlan plan;
  ASSERT_TRUE(Add(scheduler, 1, 4, 8).ok());
  scheduler.Schedule(plan);
  EXPECT_EQ(Entries(plan), (Expected{{1, 4}}));
  Commit(scheduler, plan);
  ASSERT_TRUE(Add(scheduler, 2, 25, 8).ok());
  ASSERT_TRUE(Add(scheduler, 3, 3, 8).ok());
  scheduler.Schedule(plan);
  EXPECT_EQ(Entries(plan), (Expected{{1, 1}, {2, 9}}));
  EXPECT_EQ(scheduler.num_waiting(), 1);
  Commit(scheduler, plan);
  scheduler.Schedule(plan);
  EXPECT_EQ(Entries(plan), (Expected{{1, 1}, {2, 9}}));
  Commit(scheduler, plan);
  scheduler.Schedule(plan);
  EXPECT_EQ(Entries(plan), (Expected{{1, 1}, {2, 7}, {3, 2}}));
  Commit(scheduler, plan);
  scheduler.Schedule(plan);
  EXPECT_EQ(Entries(plan), (Expected{{1, 1}, {2, 1}, {3, 1}}));
  scheduler.CheckIntegrity();
}

TEST(Scheduler, PreemptsTheSequenceThatArrivedLast) {
  Scheduler scheduler(
      {.max_num_seqs = 4, .max_num_batched_tokens = 64, .num_blocks = 4, .block_size = 4});
  StepPlan plan;
  ASSERT_TRUE(Add(scheduler, 1, 8, 8).ok());
  ASSERT_TRUE(Add(scheduler, 2, 7, 8).ok());
  scheduler.Schedule(plan);
  EXPECT_EQ(plan.scheduled.size(), 2u);
  Commit(scheduler, plan);
  EXPECT_EQ(scheduler.blocks().num_free_blocks(), 0);
  scheduler.Schedule(plan);  // 1 needs its third block
  EXPECT_EQ(Entries(plan), (Expected{{1, 1}}));
  EXPECT_EQ(plan.num_preemptions, 1);
  EXPECT_EQ(scheduler.num_waiting(), 1);
  scheduler.CheckIntegrity();
  Commit(scheduler, plan);
  scheduler.Schedule(plan);  // 2 needs two blocks, one is free
  EXPECT_EQ(Entries(plan), (Expected{{1, 1}}));
  Commit(scheduler, plan);
  ASSERT_NE(scheduler.Remove(1), nullptr);
  scheduler.Schedule(plan);  // the rest of the prompt and the token drawn before
  EXPECT_EQ(Entries(plan), (Expected{{2, 4}}));
  EXPECT_EQ(plan.scheduled[0].sequence->num_computed_tokens, 4) << "its own old block";
  EXPECT_EQ(plan.scheduled[0].sequence->num_preemptions, 1);
  EXPECT_EQ(plan.scheduled[0].sequence->num_cached_tokens, 0) << "not found when first scheduled";
  EXPECT_EQ(plan.prefix_cache_queries, 0) << "it is no new request";
  EXPECT_EQ(plan.prefix_cache_hits, 0);
  scheduler.CheckIntegrity();
}

TEST(Scheduler, BeginsBehindWhatThePrefixCacheHolds) {
  Scheduler scheduler(
      {.max_num_seqs = 4, .max_num_batched_tokens = 12, .num_blocks = 64, .block_size = 4});
  StepPlan plan;
  ASSERT_TRUE(Add(scheduler, 1, 18, 9, 10).ok());
  scheduler.Schedule(plan);
  EXPECT_EQ(Entries(plan), (Expected{{1, 12}}));
  EXPECT_EQ(plan.prefix_cache_queries, 18);
  EXPECT_EQ(plan.prefix_cache_hits, 0);
  Commit(scheduler, plan);
  ASSERT_TRUE(Add(scheduler, 2, 18, 9, 10).ok());
  ASSERT_TRUE(Add(scheduler, 3, 18, 9, 10).ok());
  scheduler.Schedule(plan);  // two blocks are shared; the first chunks begin in mid-prompt
  EXPECT_EQ(Entries(plan), (Expected{{1, 6}, {2, 6}}));
  EXPECT_EQ(plan.scheduled[1].sequence->num_computed_tokens, 8);
  EXPECT_EQ(plan.prefix_cache_queries, 18);
  EXPECT_EQ(plan.prefix_cache_hits, 8);
  EXPECT_EQ(scheduler.blocks().num_used_blocks(), 5 + 3);
  Commit(scheduler, plan);
  scheduler.Schedule(plan);
  EXPECT_EQ(Entries(plan), (Expected{{1, 1}, {2, 4}, {3, 7}}));
  EXPECT_EQ(plan.scheduled[2].sequence->num_cached_tokens, 8);
  scheduler.CheckIntegrity();
}

TEST(Scheduler, AsksNothingOfAPrefixCacheThatIsOff) {
  Scheduler scheduler({.max_num_seqs = 2,
                       .max_num_batched_tokens = 64,
                       .num_blocks = 16,
                       .block_size = 4,
                       .enable_prefix_caching = false});
  StepPlan plan;
  for (uint64_t id = 1; id <= 2; ++id) {
    ASSERT_TRUE(Add(scheduler, id, 20, 9, 20).ok());
    scheduler.Schedule(plan);
    EXPECT_EQ(plan.scheduled.back().num_scheduled_tokens, 20);
    EXPECT_EQ(plan.prefix_cache_queries, 0);
    EXPECT_EQ(plan.prefix_cache_hits, 0);
    Commit(scheduler, plan);
  }
  scheduler.CheckIntegrity();
}

TEST(Scheduler, CachesOfAnAbortedPrefillOnlyWhatWasComputed) {
  Scheduler scheduler(
      {.max_num_seqs = 2, .max_num_batched_tokens = 10, .num_blocks = 64, .block_size = 4});
  StepPlan plan;
  ASSERT_TRUE(Add(scheduler, 1, 40, 9, 40).ok());
  scheduler.Schedule(plan);
  Commit(scheduler, plan);
  ASSERT_NE(scheduler.Remove(1), nullptr);
  EXPECT_EQ(scheduler.blocks().num_used_blocks(), 0);
  scheduler.CheckIntegrity();
  ASSERT_TRUE(Add(scheduler, 2, 40, 9, 40).ok());
  scheduler.Schedule(plan);
  EXPECT_EQ(plan.prefix_cache_hits, 8) << "ten tokens were computed: two blocks";
  ASSERT_NE(scheduler.Remove(2), nullptr);  // before its step is computed
  ASSERT_TRUE(Add(scheduler, 3, 40, 9, 40).ok());
  scheduler.Schedule(plan);
  EXPECT_EQ(plan.prefix_cache_hits, 8);
}

TEST(Scheduler, FindsGeneratedTokensOfAnEarlierTurn) {
  Scheduler scheduler(
      {.max_num_seqs = 1, .max_num_batched_tokens = 64, .num_blocks = 64, .block_size = 4});
  StepPlan plan;
  ASSERT_TRUE(Add(scheduler, 1, 5, 9).ok());
  while (!scheduler.empty()) {
    scheduler.Schedule(plan);
    Commit(scheduler, plan);
  }
  auto next_turn = MakeSequence(2, 20, 9);
  std::fill_n(next_turn->token_ids.begin(), 5, 1001);
  std::fill_n(next_turn->token_ids.begin() + 5, 9, 8);  // what Commit drew
  ASSERT_TRUE(scheduler.Add(next_turn).ok());
  scheduler.Schedule(plan);
  EXPECT_EQ(plan.prefix_cache_hits, 12) << "thirteen were computed, the last one never";
}

TEST(Scheduler, ForgetsEverythingOnResetAndSharesWithNewSequencesOnly) {
  Scheduler scheduler(
      {.max_num_seqs = 4, .max_num_batched_tokens = 64, .num_blocks = 64, .block_size = 4});
  StepPlan plan;
  const auto hits_of = [&](uint64_t id) {
    EXPECT_TRUE(Add(scheduler, id, 16, 9, 16).ok());
    scheduler.Schedule(plan);
    Commit(scheduler, plan);
    scheduler.CheckIntegrity();
    return plan.prefix_cache_hits;
  };
  EXPECT_EQ(hits_of(1), 0);
  EXPECT_EQ(hits_of(2), 12);
  scheduler.ResetPrefixCache();
  scheduler.CheckIntegrity();
  EXPECT_EQ(hits_of(3), 0) << "1 and 2 run on, but offer nothing";
  EXPECT_EQ(hits_of(4), 12);
  for (uint64_t id = 1; id <= 4; ++id) EXPECT_NE(scheduler.Remove(id), nullptr);
  scheduler.CheckIntegrity();
}

TEST(Scheduler, RefusesWhatCanNeverFit) {
  Scheduler scheduler({.max_num_seqs = 1, .max_num_batched_tokens = 64, .num_blocks = 4});
  EXPECT_TRUE(Add(scheduler, 1, 60, 4).ok());
  auto sequence = MakeSequence(2, 60, 5);
  EXPECT_EQ(scheduler.Add(sequence).code(), StatusCode::kInvalidArgument);
  EXPECT_NE(sequence, nullptr);
}

TEST(Scheduler, BoundsTheWaitingQueue) {
  Scheduler scheduler({.max_num_seqs = 1, .max_num_batched_tokens = 64, .num_blocks = 4});
  for (int i = 0; i < limits::kRequestsPerEngineMax; ++i) {
    ASSERT_TRUE(Add(scheduler, static_cast<uint64_t>(i), 1, 1).ok());
  }
  EXPECT_EQ(Add(scheduler, 1'000'000, 1, 1).code(), StatusCode::kResourceExhausted);
}

TEST(Scheduler, FreesEveryBlockOnRemove) {
  Scheduler scheduler({.max_num_seqs = 2, .max_num_batched_tokens = 64, .num_blocks = 8});
  StepPlan plan;
  ASSERT_TRUE(Add(scheduler, 1, 50, 4).ok());
  scheduler.Schedule(plan);
  EXPECT_EQ(scheduler.blocks().num_used_blocks(), 4);
  EXPECT_NE(scheduler.Remove(1), nullptr);
  EXPECT_EQ(scheduler.blocks().num_used_blocks(), 0);
  EXPECT_EQ(scheduler.Remove(1), nullptr);
  scheduler.CheckIntegrity();
}

void CheckPlan(const StepPlan& plan, const SchedulerConfig& config,
               const std::set<uint64_t>& ran_before) {
  EXPECT_LE(plan.scheduled.size(), static_cast<size_t>(config.max_num_seqs));
  std::set<uint64_t> ids;
  int num_tokens = 0;
  int last_kind = 0;
  for (const ScheduledSequence& scheduled : plan.scheduled) {
    const Sequence& sequence = *scheduled.sequence;
    EXPECT_TRUE(ids.insert(sequence.request_id).second);
    EXPECT_GE(scheduled.num_scheduled_tokens, 1);
    EXPECT_LE(scheduled.num_scheduled_tokens, sequence.num_uncomputed_tokens());
    const int end = sequence.num_computed_tokens + scheduled.num_scheduled_tokens;
    EXPECT_GE(static_cast<int>(sequence.block_table.size()) * config.block_size, end);
    const bool is_new = !ran_before.contains(sequence.request_id);
    const int kind = is_new ? 2 : sequence.num_uncomputed_tokens() > 1 ? 1 : 0;
    EXPECT_GE(kind, last_kind) << "decodes, prefills, admitted";
    last_kind = kind;
    num_tokens += scheduled.num_scheduled_tokens;
  }
  EXPECT_EQ(num_tokens, plan.num_batched_tokens);
  EXPECT_LE(num_tokens, config.max_num_batched_tokens);
}

SchedulerConfig RandomConfig(std::mt19937& random) {
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  SchedulerConfig config;
  config.max_num_seqs = 1 + below(8);
  config.max_num_batched_tokens = config.max_num_seqs + below(40);
  config.block_size = 1 + below(16);
  config.num_blocks = 4 + below(30);
  config.enable_prefix_caching = below(4) != 0;
  if (below(2) == 0) {
    config.block_hash = [](uint64_t parent, std::span<const int> tokens) {
      return HashBlock(parent, tokens) % 3;
    };
  }
  return config;
}

TEST(Scheduler, KeepsItsPromisesUnderRandomOperations) {
  int num_preemptions = 0;
  int num_hits = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    const SchedulerConfig config = RandomConfig(random);
    Scheduler scheduler(config);
    StepPlan plan;
    std::set<uint64_t> running;
    const auto step = [&] {
      scheduler.Schedule(plan);
      CheckPlan(plan, config, running);
      EXPECT_EQ(plan.prefix_cache_queries > 0, plan.prefix_cache_queries > plan.prefix_cache_hits);
      num_preemptions += plan.num_preemptions;
      num_hits += plan.prefix_cache_hits;
      running.clear();
      for (const auto& scheduled : plan.scheduled) running.insert(scheduled.sequence->request_id);
      Commit(scheduler, plan);
    };
    uint64_t next_id = 1;
    for (int operation = 0; operation < 600; ++operation) {
      const int choice = below(40);
      if (choice < 8) {
        const int num_prompt = 1 + below(60), max_tokens = 1 + below(40);
        const bool fits = num_prompt + max_tokens <= scheduler.max_sequence_tokens();
        EXPECT_EQ(Add(scheduler, next_id++, num_prompt, max_tokens, below(num_prompt + 1)).ok(),
                  fits);
      } else if (choice < 12) {
        scheduler.Remove(next_id - std::min<uint64_t>(next_id, random() % 12));
      } else if (choice == 12) {
        scheduler.ResetPrefixCache();
      } else {
        step();
      }
      scheduler.CheckIntegrity();
    }
    // Whatever the pool's state, everybody finishes.
    for (int steps = 0; !scheduler.empty() && steps < 1'000'000; ++steps) step();
    EXPECT_TRUE(scheduler.empty());
    scheduler.CheckIntegrity();
  }
  // The pools were small enough, and the prompts alike enough, to test something.
  EXPECT_GT(num_preemptions, 100);
  EXPECT_GT(num_hits, 1'000);
}

}  // namespace
}  // namespace hearth::engine
