#include "engine/core/scheduler.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace hearth::engine {

Scheduler::Scheduler(const SchedulerConfig& config)
    : config_(config), blocks_(config.num_blocks, config.block_size) {
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
    if (!blocks_.Grow(sequence.block_table, sequence.num_tokens())) return;
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
  sequence.status = SequenceStatus::kWaiting;
  waiting_.push_front(std::move(running_.back()));
  running_.pop_back();
}

void Scheduler::Append(Sequence& sequence, int num_tokens, StepPlan& plan) const {
  CHECK(num_tokens > 0 && num_tokens <= BudgetLeft(plan)) << num_tokens;
  plan.scheduled.push_back({&sequence, num_tokens});
  plan.num_batched_tokens += num_tokens;
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
    block_tables.push_back(&sequence->block_table);
  }
  for (const auto& sequence : waiting_) {
    check_order(*sequence);
    CHECK(sequence->status == SequenceStatus::kWaiting) << sequence->request_id;
    CHECK(sequence->num_computed_tokens == 0) << sequence->request_id;
    CHECK(sequence->block_table.empty()) << sequence->request_id;
  }
  blocks_.CheckIntegrity(block_tables);
  CHECK(!empty() || blocks_.num_used_blocks() == 0) << blocks_.num_used_blocks();
}

}  // namespace hearth::engine
