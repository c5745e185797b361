#include "engine/core/engine_loop.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace hearth::engine {
namespace {

// Checking a large pool takes milliseconds: not while the next request may be on its way.
constexpr double kIdleBeforeCheckS = 0.1;

// How often a loop with nothing to do shows that it is there.
constexpr double kIdleBeatS = 1;

bool Contains(const std::vector<int>& ids, int id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

EngineLoop::EngineLoop(const SchedulerConfig& config, Forward forward, Inbox* inbox,
                       const Clock* clock, Publish publish, const StepCostModel& step_cost,
                       protocol::Pulse* pulse)
    : scheduler_(config),
      forward_(std::move(forward)),
      inbox_(inbox),
      clock_(clock),
      publish_(std::move(publish)),
      step_cost_(step_cost),
      pulse_(pulse != nullptr ? pulse : &unwatched_) {}

void EngineLoop::Run() {
  while (Step()) {
  }
}

bool EngineLoop::Step() {
  const bool open = TakeInbox();
  const double start_s = clock_->MonotonicSeconds();
  scheduler_.Schedule(plan_);
  if (!plan_.scheduled.empty()) {
    RunForward();
    Sample();
    Commit();
  }
  PublishStep(start_s);
  return open;
}

void EngineLoop::WaitForMail() {
  pulse_->Enter(protocol::Phase::kIdle);
  if (inbox_->WaitFor(kIdleBeforeCheckS)) return;
  scheduler_.CheckIntegrity();
  do {
    pulse_->Beat();
  } while (!inbox_->WaitFor(kIdleBeatS));
}

// New sequences go into the scheduler, ended ones out of it.
bool EngineLoop::TakeInbox() {
  if (scheduler_.empty()) WaitForMail();
  pulse_->Enter(protocol::Phase::kScheduling);
  inbox_->Take(/*wait=*/false, mail_);
  for (auto& sequence : mail_.sequences) {
    const Status status = scheduler_.Add(sequence);
    if (status.ok()) continue;
    protocol::FinishedRequest& finished = result_.finished.emplace_back();
    finished.request_id = sequence->request_id;
    finished.finish_reason = "error";
    finished.error = status.message();
    finished.num_prompt_tokens = sequence->num_prompt_tokens;
    finished.queued_time_s = sequence->queued_time_s;
    inbox_->Release(sequence->request_id);
  }
  for (const Inbox::End& end : mail_.ends) {
    Finish(end.request_id, end.cause == EndCause::kAbort ? "abort" : "stop");
  }
  while (mail_.closed && !scheduler_.empty()) {
    Finish(scheduler_.AnySequence()->request_id, "abort");
  }
  return !mail_.closed;
}

void EngineLoop::RunForward() {
  batch_.token_ids.clear();
  batch_.positions.clear();
  batch_.seqs.clear();
  for (const ScheduledSequence& scheduled : plan_.scheduled) {
    const Sequence& sequence = *scheduled.sequence;
    const int first_row = batch_.num_tokens();
    for (int i = 0; i < scheduled.num_scheduled_tokens; ++i) {
      const int position = sequence.num_computed_tokens + i;
      batch_.token_ids.push_back(sequence.token_ids[static_cast<size_t>(position)]);
      batch_.positions.push_back(position);
    }
    batch_.seqs.push_back({.first_row = first_row,
                           .num_rows = scheduled.num_scheduled_tokens,
                           .block_table = sequence.block_table.data(),
                           .num_blocks = static_cast<int>(sequence.block_table.size()),
                           .needs_logits = scheduled.needs_logits()});
  }
  for (const ScheduledSequence& scheduled : plan_.scheduled) {
    double& scheduled_time_s = scheduled.sequence->scheduled_time_s;
    if (scheduled_time_s == 0) scheduled_time_s = clock_->MonotonicSeconds();
  }
  pulse_->BeginBatch(batch_.num_tokens());
  for (const ScheduledSequence& scheduled : plan_.scheduled) {
    pulse_->AddToBatch(scheduled.sequence->request_id);
  }
  logits_ = forward_(batch_);
}

void EngineLoop::Sample() {
  pulse_->Enter(protocol::Phase::kSampling);
  sampled_.clear();
  const auto num_rows = std::count_if(plan_.scheduled.begin(), plan_.scheduled.end(),
                                      [](const auto& entry) { return entry.needs_logits(); });
  if (num_rows == 0) return;
  const size_t vocab_size = logits_.size() / static_cast<size_t>(num_rows);
  for (const ScheduledSequence& scheduled : plan_.scheduled) {
    if (!scheduled.needs_logits()) continue;
    const Sequence& sequence = *scheduled.sequence;
    const auto row = logits_.subspan(sampled_.size() * vocab_size, vocab_size);
    const auto position = static_cast<uint64_t>(sequence.num_generation_tokens());
    if (sequence.num_generation_tokens() >= sequence.min_tokens) {
      sampled_.push_back(sampler_.Sample(row, sequence.sampler, position));
      continue;
    }
    masked_ids_ = sequence.eos_token_ids;
    masked_ids_.insert(masked_ids_.end(), sequence.stop_token_ids.begin(),
                       sequence.stop_token_ids.end());
    sampled_.push_back(sampler_.SampleMasked(row, masked_ids_, sequence.sampler, position));
  }
}

void EngineLoop::Commit() {
  result_.stats.time_s = clock_->MonotonicSeconds();  // the stamp of all tokens of the step
  result_.stats.num_preemptions = plan_.num_preemptions;
  result_.stats.prefix_cache_queries = plan_.prefix_cache_queries;
  result_.stats.prefix_cache_hits = plan_.prefix_cache_hits;
  const StepCost cost = step_cost_.Of(batch_);
  result_.stats.estimated_flops = cost.flops;
  result_.stats.estimated_read_bytes = cost.read_bytes;
  result_.stats.estimated_write_bytes = cost.write_bytes;
  result_.stats.num_sequences = static_cast<int>(plan_.scheduled.size());
  size_t row = 0;
  for (const ScheduledSequence& scheduled : plan_.scheduled) {
    Sequence& sequence = *scheduled.sequence;
    const bool has_logits = scheduled.needs_logits();
    scheduler_.MarkComputed(scheduled);
    CountPromptTokens(sequence);
    if (has_logits) AppendToken(sequence, sampled_[row++]);
  }
}

// A prompt that a preemption makes the engine compute again is not counted again: over all steps
// the prompt tokens add up to those of the requests that were not found in the prefix cache.
void EngineLoop::CountPromptTokens(Sequence& sequence) {
  const int computed = std::min(sequence.num_computed_tokens, sequence.num_prompt_tokens);
  if (computed <= sequence.num_counted_prompt_tokens) return;
  result_.stats.num_prompt_tokens += computed - sequence.num_counted_prompt_tokens;
  sequence.num_counted_prompt_tokens = computed;
}

// May end the sequence, and with it `sequence`'s life.
void EngineLoop::AppendToken(Sequence& sequence, std::optional<int> token_id) {
  if (!token_id) {
    // Memory may be damaged, also that of a block which the next request would find.
    scheduler_.ResetPrefixCache();
    Finish(sequence.request_id, "error", "",
           "the model gave no usable logits for token " +
               std::to_string(sequence.num_generation_tokens()) +
               " (not a number); the weights may be damaged");
    return;
  }
  sequence.token_ids.push_back(*token_id);
  sequence.last_token_time_s = result_.stats.time_s;
  if (sequence.num_generation_tokens() == 1) sequence.first_token_time_s = result_.stats.time_s;
  ++result_.stats.num_generation_tokens;
  result_.tokens.push_back({.request_id = sequence.request_id,
                            .token_id = *token_id,
                            .scheduled_time_s = sequence.scheduled_time_s,
                            .num_cached_tokens = sequence.num_cached_tokens,
                            .num_preemptions = sequence.num_preemptions});
  if (Contains(sequence.eos_token_ids, *token_id)) {
    Finish(sequence.request_id, "stop");
  } else if (Contains(sequence.stop_token_ids, *token_id)) {
    Finish(sequence.request_id, "stop", std::to_string(*token_id));
  } else if (sequence.num_generation_tokens() >= sequence.max_tokens) {
    Finish(sequence.request_id, "length");
  }
}

void EngineLoop::Finish(uint64_t request_id, const std::string& finish_reason,
                        const std::string& stop_reason, const std::string& error) {
  const std::unique_ptr<Sequence> sequence = scheduler_.Remove(request_id);
  if (sequence == nullptr) return;  // it finished while the wish to end it was under way
  protocol::FinishedRequest& finished = result_.finished.emplace_back();
  finished.request_id = request_id;
  finished.finish_reason = finish_reason;
  finished.stop_reason = stop_reason;
  finished.error = error;
  finished.num_prompt_tokens = sequence->num_prompt_tokens;
  finished.num_cached_tokens = sequence->num_cached_tokens;
  finished.num_generation_tokens = sequence->num_generation_tokens();
  finished.num_preemptions = sequence->num_preemptions;
  finished.queued_time_s = sequence->queued_time_s;
  finished.scheduled_time_s = sequence->scheduled_time_s;
  finished.first_token_time_s = sequence->first_token_time_s;
  finished.last_token_time_s = sequence->last_token_time_s;
  inbox_->Release(request_id);
}

void EngineLoop::PublishStep(double start_s) {
  const bool is_news = !plan_.scheduled.empty() || !result_.finished.empty();
  if (!is_news) return;  // woken by the end of a request that had finished already
  protocol::StepStats& stats = result_.stats;
  if (plan_.scheduled.empty()) stats.time_s = clock_->MonotonicSeconds();
  stats.step = ++num_steps_;
  stats.duration_s = stats.time_s - start_s;
  stats.num_requests_running = scheduler_.num_running();
  // While the step was computed, others came.
  stats.num_requests_waiting = scheduler_.num_waiting() + inbox_->num_submitted();
  stats.num_blocks_used = scheduler_.blocks().num_used_blocks();
  stats.num_blocks_total = scheduler_.blocks().num_blocks();
  pulse_->Enter(protocol::Phase::kPublishing);
  const int num_waiting = stats.num_requests_waiting;
  publish_(std::exchange(result_, {}));
  pulse_->EndStep(num_steps_, scheduler_.num_running(), num_waiting);
}

}  // namespace hearth::engine
