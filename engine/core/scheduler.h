// Continuous batching: which sequences compute how many tokens in the next step.
//
// Sequences run in order of arrival. One that is admitted takes the blocks of all its tokens at
// once, so that a prefill never stalls half way; decode then grows by a block now and then, and
// where none is left the sequence that arrived last gives all of its blocks back and is recomputed
// later. Whoever runs arrived before everybody who waits, and the first in line can always finish:
// no livelock.
//
// An admitted sequence begins behind the tokens that the prefix cache holds for it, and from the
// step after the one that computed them its own blocks are there for others.
//
// Schedule depends on nothing but the state held here: no clock, no model, no thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/status.h"
#include "engine/core/block_manager.h"
#include "engine/core/sequence.h"

namespace hearth::engine {

struct SchedulerConfig {
  int max_num_seqs = 64;              // sequences that run at once
  int max_num_batched_tokens = 2048;  // tokens of one step; at least max_num_seqs
  int num_blocks = 0;
  int block_size = 16;
  bool enable_prefix_caching = true;
  BlockHash block_hash = &HashBlock;  // of the prefix cache
};

struct ScheduledSequence {
  Sequence* sequence = nullptr;  // owned by the scheduler
  int num_scheduled_tokens = 0;  // the first of its uncomputed tokens
  // After this step every token is computed, so the next one can be drawn.
  bool needs_logits() const {
    return num_scheduled_tokens == sequence->num_uncomputed_tokens();
  }
};

struct StepPlan {
  // Of the sequences that ran before, decodes, then prefills; then those admitted: each by arrival.
  std::vector<ScheduledSequence> scheduled;
  int num_batched_tokens = 0;
  int num_preemptions = 0;
  // Tokens of the sequences that are scheduled for the first time, and those found of them. What
  // comes back after a preemption is not asked about again.
  int prefix_cache_queries = 0;
  int prefix_cache_hits = 0;
};

class Scheduler {
 public:
  // CHECKs the bounds written at SchedulerConfig.
  explicit Scheduler(const SchedulerConfig& config);

  // Tokens, of prompt and generation together, that one sequence can ever hold.
  int max_sequence_tokens() const { return config_.num_blocks * config_.block_size; }

  // Puts `sequence` at the end of the waiting queue. kInvalidArgument when prompt + max_tokens can
  // never fit into the pool; kResourceExhausted at limits::kRequestsPerEngineMax. `sequence` is
  // taken only when the status is ok.
  Status Add(std::unique_ptr<Sequence>& sequence);

  // Overwrites `plan`. Every scheduled sequence has the blocks for its tokens. The plan is empty
  // only when there is no sequence.
  void Schedule(StepPlan& plan);

  // The plan's tokens of `scheduled` are computed: their full blocks can be found from now on.
  void MarkComputed(const ScheduledSequence& scheduled);

  // Forgets every computed block; sequences that run go on with theirs, but share them no more.
  void ResetPrefixCache();

  // Takes the sequence out, frees its blocks and hands it over; null for an unknown id.
  std::unique_ptr<Sequence> Remove(uint64_t request_id);

  // Any sequence, or null when there is none: for emptying the scheduler.
  const Sequence* AnySequence() const;

  int num_running() const { return static_cast<int>(running_.size()); }
  int num_waiting() const { return static_cast<int>(waiting_.size()); }
  bool empty() const { return running_.empty() && waiting_.empty(); }
  const BlockManager& blocks() const { return blocks_; }

  // CHECKs the invariants above and that no block leaked.
  void CheckIntegrity() const;

 private:
  void ScheduleDecodes(StepPlan& plan);
  void SchedulePrefills(StepPlan& plan);
  void Admit(StepPlan& plan);
  void PreemptLast();
  void CheckCachedBlocks(const Sequence& sequence) const;
  void Append(Sequence& sequence, int num_tokens, StepPlan& plan) const;
  int BudgetLeft(const StepPlan& plan) const {
    return config_.max_num_batched_tokens - plan.num_batched_tokens;
  }

  const SchedulerConfig config_;
  BlockManager blocks_;
  std::vector<std::unique_ptr<Sequence>> running_;  // by arrival
  std::deque<std::unique_ptr<Sequence>> waiting_;   // by arrival
  uint64_t num_arrivals_ = 0;
};

}  // namespace hearth::engine
