#include "engine/core/scheduler.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace hearth::engine {

Scheduler::Scheduler(const SchedulerConfig& config)
    : config_(config),
      blocks_(config.num_blocks, config.block_size, config.enable_prefix_caching,
              config.block_hash) {
  CHECK(config.max_num_seqs > 0) << config.max_num_seqs;
  CHECK(config.max_num_batched_tokens >= config.max_num_seqs)
      << config.max_num_batched_tokens << " tokens cannot hold a decode of "
      << config.max_num_seqs << " sequences";
  running_.reserve(static_cast<size_t>(config.max_num_seqs));
}

Status Scheduler::Add(std::unique_ptr<Sequence>& sequence) {
  const int64_t num_tokens = int64_t{sequence->num_prompt_tokens} + sequence->max_tokens;
  if (num_tokens > max_sequence_tokens()) {
    return InvalidArgument("the request may grow to " + std::to_string(num_tokens) +
                           " tokens, the KV cache holds " +
                           std::to_string(max_sequence_tokens()) +
                           "; lower max_tokens or shorten the prompt");
  }
  if (num_running() + num_waiting() >= limits::kRequestsPerEngineMax) {
    return ResourceExhausted("the engine holds " + std::to_string(limits::kRequestsPerEngineMax) +
                             " requests already; try again later");
  }
  sequence->arrival = num_arrivals_++;
  sequence->status = SequenceStatus::kWaiting;
  waiting_.push_back(std::move(sequence));
  return Status::Ok();
}

void Scheduler::Schedule(StepPlan& plan) {
  plan.scheduled.clear();
  plan.num_batched_tokens = 0;
  plan.num_preemptions = 0;
  plan.prefix_cache_queries = 0;
  plan.prefix_cache_hits = 0;
  ScheduleDecodes(plan);
  SchedulePrefills(plan);
  // What a preemption freed belongs to the sequences that run.
  if (plan.num_preemptions == 0) Admit(plan);
  CHECK(empty() || !plan.scheduled.empty()) << "nothing was scheduled, though there is work";
}

void Scheduler::ScheduleDecodes(StepPlan& plan) {
  // By index: a preemption shortens running_ from behind, never before i.
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[i];
    if (sequence.num_uncomputed_tokens() != 1) continue;
    while (!blocks_.Grow(sequence.block_table, sequence.num_tokens())) {
      ++plan.num_preemptions;
      PreemptLast();
      if (i == running_.size()) return;  // it was the last itself
    }
    Append(sequence, 1, plan);
  }
}

void Scheduler::SchedulePrefills(StepPlan& plan) {
  for (const auto& sequence : running_) {
    if (BudgetLeft(plan) == 0) return;
    const int num_uncomputed = sequence->num_uncomputed_tokens();
    if (num_uncomputed > 1) Append(*sequence, std::min(num_uncomputed, BudgetLeft(plan)), plan);
  }
}

void Scheduler::Admit(StepPlan& plan) {
  while (!waiting_.empty() && num_running() < config_.max_num_seqs && BudgetLeft(plan) > 0) {
    Sequence& sequence = *waiting_.front();
    const auto num_found = blocks_.Allocate(sequence.block_table, sequence.token_ids);
    if (!num_found) return;
    sequence.num_computed_tokens = *num_found;
    sequence.num_cached_blocks = *num_found / config_.block_size;
    if (config_.enable_prefix_caching && sequence.num_preemptions == 0) {
      sequence.num_cached_tokens = *num_found;
      sequence.num_counted_prompt_tokens = *num_found;
      plan.prefix_cache_queries += sequence.num_tokens();
      plan.prefix_cache_hits += *num_found;
    }
    sequence.status = SequenceStatus::kRunning;
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    Append(sequence, std::min(sequence.num_uncomputed_tokens(), BudgetLeft(plan)), plan);
  }
}

void Scheduler::PreemptLast() {
  Sequence& sequence = *running_.back();
  blocks_.Free(sequence.block_table);
  sequence.num_computed_tokens = 0;
  sequence.num_cached_blocks = 0;
  sequence.caches_blocks = true;
  ++sequence.num_preemptions;
  sequence.status = SequenceStatus::kWaiting;
  waiting_.push_front(std::move(running_.back()));
  running_.pop_back();
}

void Scheduler::Append(Sequence& sequence, int num_tokens, StepPlan& plan) const {
  CHECK(num_tokens > 0 && num_tokens <= BudgetLeft(plan)) << num_tokens;
  plan.scheduled.push_back({&sequence, num_tokens});
  plan.num_batched_tokens += num_tokens;
}

void Scheduler::MarkComputed(const ScheduledSequence& scheduled) {
  Sequence& sequence = *scheduled.sequence;
  sequence.num_computed_tokens += scheduled.num_scheduled_tokens;
  if (!sequence.caches_blocks) return;
  const auto num_computed = static_cast<size_t>(sequence.num_computed_tokens);
  sequence.num_cached_blocks =
      blocks_.CacheFullBlocks(sequence.block_table, sequence.num_cached_blocks,
                              std::span(sequence.token_ids).first(num_computed));
}

void Scheduler::ResetPrefixCache() {
  blocks_.ResetPrefixCache();
  for (const auto& sequence : running_) {
    sequence->num_cached_blocks = 0;
    sequence->caches_blocks = false;
  }
}

std::unique_ptr<Sequence> Scheduler::Remove(uint64_t request_id) {
  const auto take_from = [&](auto& queue) -> std::unique_ptr<Sequence> {
    const auto it = std::find_if(queue.begin(), queue.end(), [&](const auto& sequence) {
      return sequence->request_id == request_id;
    });
    if (it == queue.end()) return nullptr;
    std::unique_ptr<Sequence> sequence = std::move(*it);
    queue.erase(it);
    return sequence;
  };
  std::unique_ptr<Sequence> sequence = take_from(running_);
  if (sequence == nullptr) sequence = take_from(waiting_);
  if (sequence != nullptr) blocks_.Free(sequence->block_table);
  return sequence;
}

const Sequence* Scheduler::AnySequence() const {
  if (!running_.empty()) return running_.back().get();
  return waiting_.empty() ? nullptr : waiting_.back().get();
}

// Nothing but computed blocks can be found, each under the tokens that it holds.
void Scheduler::CheckCachedBlocks(const Sequence& sequence) const {
  const PrefixCache& cache = blocks_.prefix_cache();
  CHECK(sequence.num_cached_blocks * config_.block_size <= sequence.num_computed_tokens)
      << sequence.request_id;
  int parent = kNoBlock;
  for (int i = 0; i < sequence.num_cached_blocks; ++i) {
    const int block = sequence.block_table[static_cast<size_t>(i)];
    const auto held = std::span(sequence.token_ids)
                          .subspan(static_cast<size_t>(i * config_.block_size),
                                   static_cast<size_t>(config_.block_size));
    CHECK(cache.Contains(block) && cache.parent(block) == parent) << sequence.request_id;
    CHECK(std::ranges::equal(cache.token_ids(block), held)) << sequence.request_id;
    parent = block;
  }
}

void Scheduler::CheckIntegrity() const {
  std::vector<const std::vector<int>*> block_tables;
  uint64_t next_arrival = 0;
  const auto check_order = [&](const Sequence& sequence) {
    CHECK(sequence.arrival >= next_arrival) << "request " << sequence.request_id << " overtook";
    next_arrival = sequence.arrival + 1;
  };
  CHECK(num_running() <= config_.max_num_seqs) << num_running();
  for (const auto& sequence : running_) {
    check_order(*sequence);
    CHECK(sequence->status == SequenceStatus::kRunning) << sequence->request_id;
    CHECK(sequence->num_uncomputed_tokens() > 0) << sequence->request_id;
    CHECK(static_cast<int>(sequence->block_table.size()) >=
          blocks_.BlocksFor(sequence->num_computed_tokens))
        << sequence->request_id;
    CheckCachedBlocks(*sequence);
    block_tables.push_back(&sequence->block_table);
  }
  for (const auto& sequence : waiting_) {
    check_order(*sequence);
    CHECK(sequence->status == SequenceStatus::kWaiting) << sequence->request_id;
    CHECK(sequence->num_computed_tokens == 0) << sequence->request_id;
    CHECK(sequence->num_cached_blocks == 0) << sequence->request_id;
    CHECK(sequence->block_table.empty()) << sequence->request_id;
  }
  blocks_.CheckIntegrity(block_tables);
  CHECK(!empty() || blocks_.num_used_blocks() == 0) << blocks_.num_used_blocks();
}

}  // namespace hearth::engine
