// The loop that every token comes out of. One thread owns it and all the sequences; the Inbox is
// the only way in and `publish` the only way out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/core/inbox.h"
#include "engine/core/sampler.h"
#include "engine/core/scheduler.h"
#include "engine/model/decoder.h"
#include "engine/model/step_cost.h"
#include "engine/protocol/messages.h"
#include "engine/protocol/pulse.h"

namespace hearth::engine {

// One token of one sequence.
struct SampledToken {
  uint64_t request_id = 0;
  int token_id = 0;
  // Of the sequence, as in protocol::FinishedRequest.
  double scheduled_time_s = 0;
  int num_cached_tokens = 0;
  int num_preemptions = 0;
};

// What a step brought. A sequence's finish comes with its last token or later, exactly once.
struct StepResult {
  protocol::StepStats stats;
  std::vector<SampledToken> tokens;
  std::vector<protocol::FinishedRequest> finished;
};

class EngineLoop {
 public:
  // Logits of the sequences of `batch` that need them, in order: [n][vocab_size], valid until the
  // next call. Model::Forward, or a test's arithmetic.
  using Forward = std::function<std::span<const float>(const StepBatch& batch)>;
  using Publish = std::function<void(StepResult result)>;

  // `inbox`, `clock` and `pulse` outlive the loop. `step_cost` estimates what a forward does; without
  // one the estimates are 0. `pulse` shows what the loop does; may be null.
  EngineLoop(const SchedulerConfig& config, Forward forward, Inbox* inbox, const Clock* clock,
             Publish publish, const StepCostModel& step_cost = {},
             protocol::Pulse* pulse = nullptr);

  // Steps until the inbox is closed, then aborts what is left and publishes that as a last step.
  void Run();

  // Inbox, schedule, forward, sample, commit, publish. Waits in the inbox when there is nothing to
  // do. False once the inbox is closed.
  bool Step();

  const Scheduler& scheduler() const { return scheduler_; }

 private:
  bool TakeInbox();
  void WaitForMail();
  void RunForward();
  void Sample();
  void Commit();
  void PublishStep(double start_s);

  void CountPromptTokens(Sequence& sequence);
  void AppendToken(Sequence& sequence, std::optional<int> token_id);
  void Finish(uint64_t request_id, const std::string& finish_reason,
              const std::string& stop_reason = "", const std::string& error = "");

  Scheduler scheduler_;
  const Forward forward_;
  Inbox* const inbox_;
  const Clock* const clock_;
  const Publish publish_;
  const StepCostModel step_cost_;
  protocol::Pulse unwatched_;
  protocol::Pulse* const pulse_;
  Sampler sampler_;

  // Of the step in progress; kept to reuse their memory.
  Inbox::Mail mail_;
  StepPlan plan_;
  StepBatch batch_;
  std::span<const float> logits_;
  std::vector<std::optional<int>> sampled_;  // one per plan entry with needs_logits
  std::vector<int> masked_ids_;
  StepResult result_;
  uint64_t num_steps_ = 0;
};

}  // namespace hearth::engine
