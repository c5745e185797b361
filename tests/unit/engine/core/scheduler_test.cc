#include "engine/core/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/limits.h"

namespace hearth::engine {
namespace {

std::unique_ptr<Sequence> MakeSequence(uint64_t request_id, int num_prompt_tokens, int max_tokens) {
  auto sequence = std::make_unique<Sequence>();
  sequence->request_id = request_id;
  sequence->token_ids.assign(static_cast<size_t>(num_prompt_tokens), 7);
  sequence->num_prompt_tokens = num_prompt_tokens;
  sequence->max_tokens = max_tokens;
  return sequence;
}

Status Add(Scheduler& scheduler, uint64_t request_id, int num_prompt_tokens, int max_tokens) {
  auto sequence = MakeSequence(request_id, num_prompt_tokens, max_tokens);
  return scheduler.Add(sequence);
}

// What the loop does with a plan, without a model.
void Commit(Scheduler& scheduler, const StepPlan& plan) {
  std::vector<uint64_t> finished;
  for (const ScheduledSequence& scheduled : plan.scheduled) {
    Sequence& sequence = *scheduled.sequence;
    const bool has_logits = scheduled.needs_logits();
    sequence.num_computed_tokens += scheduled.num_scheduled_tokens;
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
  scheduler.Schedule(plan);  // recomputes the prompt and the token drawn before
  EXPECT_EQ(Entries(plan), (Expected{{2, 8}}));
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

void CheckPlan(const StepPlan& plan, const SchedulerConfig& config) {
  EXPECT_LE(plan.scheduled.size(), static_cast<size_t>(config.max_num_seqs));
  std::set<uint64_t> ids;
  int num_tokens = 0;
  bool prefill_seen = false;
  for (const ScheduledSequence& scheduled : plan.scheduled) {
    const Sequence& sequence = *scheduled.sequence;
    EXPECT_TRUE(ids.insert(sequence.request_id).second);
    EXPECT_GE(scheduled.num_scheduled_tokens, 1);
    EXPECT_LE(scheduled.num_scheduled_tokens, sequence.num_uncomputed_tokens());
    const int end = sequence.num_computed_tokens + scheduled.num_scheduled_tokens;
    EXPECT_GE(static_cast<int>(sequence.block_table.size()) * config.block_size, end);
    const bool is_decode =
        sequence.num_computed_tokens > 0 && sequence.num_uncomputed_tokens() == 1;
    EXPECT_FALSE(is_decode && prefill_seen);
    prefill_seen |= !is_decode;
    num_tokens += scheduled.num_scheduled_tokens;
  }
  EXPECT_EQ(num_tokens, plan.num_batched_tokens);
  EXPECT_LE(num_tokens, config.max_num_batched_tokens);
}

TEST(Scheduler, KeepsItsPromisesUnderRandomOperations) {
  int num_preemptions = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    SchedulerConfig config;
    config.max_num_seqs = 1 + below(8);
    config.max_num_batched_tokens = config.max_num_seqs + below(40);
    config.block_size = 1 + below(16);
    config.num_blocks = 4 + below(30);
    Scheduler scheduler(config);
    StepPlan plan;
    uint64_t next_id = 1;
    for (int operation = 0; operation < 600; ++operation) {
      const int choice = below(10);
      if (choice < 2) {
        const int num_prompt = 1 + below(60), max_tokens = 1 + below(40);
        const bool fits = num_prompt + max_tokens <= scheduler.max_sequence_tokens();
        EXPECT_EQ(Add(scheduler, next_id++, num_prompt, max_tokens).ok(), fits);
      } else if (choice == 2) {
        scheduler.Remove(next_id - std::min<uint64_t>(next_id, random() % 12));
      } else {
        scheduler.Schedule(plan);
        CheckPlan(plan, config);
        num_preemptions += plan.num_preemptions;
        Commit(scheduler, plan);
      }
      scheduler.CheckIntegrity();
    }
    // Whatever the pool's state, everybody finishes.
    int steps = 0;
    for (; !scheduler.empty() && steps < 1'000'000; ++steps) {
      scheduler.Schedule(plan);
      CheckPlan(plan, config);
      Commit(scheduler, plan);
    }
    EXPECT_TRUE(scheduler.empty());
    scheduler.CheckIntegrity();
  }
  EXPECT_GT(num_preemptions, 100);  // the pools were small enough to test something
}

}  // namespace
}  // namespace hearth::engine
