#include "firmware/models/deployment.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/limits.h"

namespace hearth::models {
namespace {

// How often one that waits in line looks whether its client is still there.
constexpr std::chrono::duration<double> kClientCheck{0.1};
constexpr std::chrono::milliseconds kDrainCheck{20};

std::string Seconds(double seconds) { return std::to_string(static_cast<int64_t>(seconds)) + " s"; }

}  // namespace

Deployment::Deployment(ModelOptions options, metrics::Registry* registry,
                       std::shared_ptr<Bell> bell, std::shared_ptr<Bell> scaler_bell)
    : registry_(registry),
      model_name_(options.load.served_model_name),
      created_time_s_(static_cast<double>(WallMillis()) / 1000),
      bell_(std::move(bell)),
      scaler_bell_(std::move(scaler_bell)),
      slo_(registry, model_name_),
      observer_(registry, model_name_),
      model_observer_(registry, model_name_),
      options_(std::move(options)) {
  slo_.SetTargets(options_.slo);
}

// ---- Requests
// ---------------------------------------------------------------------------------------

struct Deployment::Visit {
  uint64_t request_id = 0;
  metrics::RequestFacts facts;
  std::vector<uint64_t> prefix_keys;
  double since_s = 0;             // when it came
  Reason reason = Reason::kNone;  // why it waits; kNone: it does not
  double reason_since_s = 0;      // since when for this reason
  std::shared_ptr<Replica> replica;
  Replica::Taken taken;
  Status why;  // of kRefused

  // It waits because no replica is ready.
  bool is_in_backoff() const { return reason != Reason::kNone && reason != Reason::kFull; }
};

Result<Deployment::Placed> Deployment::Place(protocol::Generate generate,
                                             metrics::RequestFacts facts,
                                             const std::function<bool()>& client_gone) {
  Visit visit;
  visit.request_id = generate.request_id;
  visit.facts = std::move(facts);
  visit.prefix_keys = PrefixKeys(generate);
  visit.since_s = MonotonicSeconds();
  num_placing_.fetch_add(1);
  const auto leave = [&](Status why) {
    {
      std::lock_guard lock(mutex_);
      LeaveLineLocked(visit);
    }
    num_placing_.fetch_sub(1);
    bell_->Ring();  // whoever is next in line
    return why;
  };
  const protocol::Message frame(std::move(generate));
  while (true) {
    const uint64_t rings = bell_->rings();
    const Verdict verdict = [&] {
      std::lock_guard lock(mutex_);
      return LookLocked(visit);
    }();
    if (verdict == Verdict::kRefused) return leave(std::move(visit.why));
    if (verdict == Verdict::kPlaced) {
      bell_->Ring();
      // One whose engine died before it took it goes to the next.
      if (!visit.replica->Send(visit.taken, frame)) continue;
      num_placing_.fetch_sub(1);
      return Placed{std::move(visit.replica), std::move(visit.taken.stream)};
    }
    bell_->Wait(rings, kClientCheck);
    if (client_gone && client_gone()) {
      return leave(
          Aborted("the client left while its request waited for model '" + model_name_ + "'"));
    }
  }
}

Deployment::Verdict Deployment::LookLocked(Visit& visit) {
  const auto refuse = [&](Status why) {
    visit.why = std::move(why);
    return Verdict::kRefused;
  };
  if (is_shut_down_) return refuse(Unavailable("the server is shutting down"));
  if (!is_served_) return refuse(NotFound("the model '" + model_name_ + "' is no longer served"));
  last_used_s_ = MonotonicSeconds();
  last_used_ms_ = WallMillis();
  const std::string model = "model '" + model_name_ + "' ";
  if (is_held_) {
    return WaitOrRefuseLocked(visit, Reason::kHeld, hold_wait_s_,
                              model + "is being exchanged, and the new one is not ready yet");
  }
  // Those who came earlier go first.
  if (!line_.empty() && line_.front() != visit.request_id) {
    const Reason reason = visit.reason == Reason::kNone ? Reason::kFull : visit.reason;
    return WaitOrRefuseLocked(visit, reason, kLineWaitS, model + "has others in line before it");
  }
  return TakeLocked(visit);
}

// To the first replica that takes it. Where none does, the best of their reasons says what to do.
Deployment::Verdict Deployment::TakeLocked(Visit& visit) {
  using enum Replica::Outcome;
  Replica::Taken best;
  const auto rank = [](Replica::Outcome outcome) {
    return outcome == kFull ? 3 : outcome == kRestarting ? 2 : outcome == kLoading ? 1 : 0;
  };
  for (const Slot* slot : InOrderLocked(visit)) {
    Replica::Taken taken =
        slot->replica->Take(visit.request_id, visit.facts, options_.max_ongoing_requests);
    if (taken.outcome == kTaken) {
      affinity_.Note(visit.prefix_keys, slot->index);
      visit.replica = slot->replica;
      visit.taken = std::move(taken);
      LeaveLineLocked(visit);  // the next may be placed while this one is sent
      return Verdict::kPlaced;
    }
    if (best.why.ok() || rank(taken.outcome) > rank(best.outcome)) best = std::move(taken);
  }
  const bool has_none = best.why.ok();
  if (best.outcome == kFull) {
    return WaitOrRefuseLocked(visit, Reason::kFull, kLineWaitS, best.why.message());
  }
  if (best.outcome == kRestarting) {
    return WaitOrRefuseLocked(visit, Reason::kRestarting, kReadyWaitS, best.why.message());
  }
  // One that may sleep is waited for while it wakes.
  const bool wakes =
      has_none || (best.outcome == kLoading && options_.autoscaling.min_replicas == 0);
  if (MonotonicSeconds() >= refuse_until_s_) refuse_waking_.clear();
  const bool can_wake = options_.autoscaling.max_replicas > 0 && refuse_waking_.empty();
  if (wakes && can_wake) {
    if (has_none && target_ == 0 && !wanted_) {
      wanted_ = true;
      scaler_bell_->Ring();
    }
    return WaitOrRefuseLocked(visit, Reason::kWaking, kLineWaitS,
                              "model '" + model_name_ + "' is being woken and is not ready yet");
  }
  visit.why = has_none
                  ? Unavailable("model '" + model_name_ + "' is asleep and cannot be woken: " +
                                (refuse_waking_.empty() ? "its num_replicas is 0" : refuse_waking_))
                  : std::move(best.why);
  return Verdict::kRefused;
}

// Fewest requests first; among equals the one that may hold the prompt's beginning.
std::vector<const Deployment::Slot*> Deployment::InOrderLocked(const Visit& visit) const {
  struct Candidate {
    int num_ongoing;
    bool is_other;
    const Slot* slot;
  };
  const std::optional<int> affine = affinity_.Find(visit.prefix_keys);
  std::vector<Candidate> candidates;
  for (const Slot& slot : slots_) {
    candidates.push_back({slot.replica->num_ongoing(), affine != slot.index, &slot});
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return std::pair(a.num_ongoing, a.is_other) < std::pair(b.num_ongoing, b.is_other);
  });
  std::vector<const Slot*> slots;
  for (const Candidate& candidate : candidates) slots.push_back(candidate.slot);
  return slots;
}

// A request waits at most `wait_s` for each reason, and for all of them together at most
// kLineWaitS; what Hold announced is kept where it is longer.
Deployment::Verdict Deployment::WaitOrRefuseLocked(Visit& visit, Reason reason, double wait_s,
                                                   const std::string& why) {
  const double now_s = MonotonicSeconds();
  if (visit.reason == Reason::kNone) {
    const int64_t bound = options_.max_queued_requests;
    const int64_t queued_max =
        reason == Reason::kWaking && bound < 0 ? int64_t{limits::kRequestsPerEngineMax} : bound;
    const auto num_queued = static_cast<int64_t>(line_.size());
    const bool is_bounded = reason == Reason::kFull || reason == Reason::kWaking;
    if (is_bounded && queued_max >= 0 && num_queued >= queued_max) {
      visit.why = Unavailable(
          "model '" + model_name_ + (reason == Reason::kWaking ? "' is being woken" : "' is busy") +
          " and " + std::to_string(num_queued) + " requests wait already, " +
          (bound < 0 ? "the limit" : "its max_queued_requests") + "; try again later");
      return Verdict::kRefused;
    }
    line_.push_back(visit.request_id);
  }
  if (visit.reason != reason) {
    if (visit.is_in_backoff()) --num_in_backoff_;
    visit.reason = reason;
    if (visit.is_in_backoff()) ++num_in_backoff_;
    visit.reason_since_s = now_s;
  }
  const double waited_s = now_s - visit.reason_since_s;
  if (waited_s >= wait_s || now_s - visit.since_s >= std::max(kLineWaitS, wait_s)) {
    visit.why = Unavailable(why + "; the request waited " + Seconds(now_s - visit.since_s) +
                            ", try again later");
    return Verdict::kRefused;
  }
  return Verdict::kWait;
}

void Deployment::LeaveLineLocked(Visit& visit) {
  if (visit.reason == Reason::kNone) return;
  line_.erase(std::find(line_.begin(), line_.end(), visit.request_id));
  if (visit.is_in_backoff()) --num_in_backoff_;
  visit.reason = Reason::kNone;
}

// ---- The exchange of replicas
// ---------------------------------------------------------------------------------------

std::unique_ptr<metrics::EngineObserver> Deployment::NewObserver(int index) {
  return std::make_unique<metrics::EngineObserver>(registry_, &slo_, model_name_,
                                                   std::to_string(index));
}

Result<Deployment::Replicas> Deployment::Serve(ModelOptions options,
                                               std::shared_ptr<Replica> candidate) {
  Replicas gone;
  {
    std::lock_guard lock(mutex_);
    if (is_shut_down_) return Unavailable("the server is shutting down");
    HEARTH_RETURN_IF_ERROR(candidate->Promote());
    gone = RetireLocked([](const Slot&) { return true; });
    candidate->Attach(NewObserver(0));
    AddLocked(0, std::move(candidate), {});
    slo_.SetTargets(options.slo);
    options_ = std::move(options);
    is_served_ = was_served_ = true;
    is_forgotten_ = false;
    wanted_ = false;
    refuse_waking_.clear();
    target_ = std::max(target_, 1);
    ClampTargetLocked();
  }
  bell_->Ring();
  return gone;
}

Deployment::Replicas Deployment::Load(const std::string& executable, ModelOptions options) {
  Replicas gone;
  {
    std::lock_guard lock(mutex_);
    slo_.SetTargets(options.slo);
    options_ = std::move(options);
    gone = RetireLocked([](const Slot&) { return true; });
    target_ = options_.autoscaling.FirstTarget();
    ClampTargetLocked();
    last_status_ = {};
    wanted_ = false;
    refuse_waking_.clear();
    if (target_ > 0) {
      AddLocked(0, std::make_shared<Replica>(executable, options_.load, NewObserver(0), bell_), {});
    }
    is_served_ = was_served_ = true;
    is_forgotten_ = false;
  }
  bell_->Ring();
  return gone;
}

Deployment::Replicas Deployment::Close() {
  Replicas replicas;
  {
    std::lock_guard lock(mutex_);
    is_served_ = false;
    is_held_ = false;
    target_ = 0;
    for (const Slot& slot : slots_) {
      slot.replica->Retire();
      replicas.push_back(slot.replica);
    }
  }
  bell_->Ring();
  return replicas;
}

Status Deployment::StopReplicas(double drain_s, const std::function<bool()>& give_up) {
  Replicas replicas;
  {
    std::lock_guard lock(mutex_);
    if (!is_held_) {
      return FailedPrecondition("the requests of model '" + model_name_ +
                                "' are not held; its engine cannot be stopped under them");
    }
    for (const Slot& slot : slots_) {
      slot.replica->Retire();
      replicas.push_back(slot.replica);
    }
  }
  const auto is_shut_down = [this] {
    std::lock_guard lock(mutex_);
    return is_shut_down_;
  };
  const double deadline_s = MonotonicSeconds() + drain_s;
  for (const auto& replica : replicas) {
    while (replica->num_ongoing() > 0 && MonotonicSeconds() < deadline_s && !is_shut_down()) {
      if (give_up && give_up() &&
          std::all_of(replicas.begin(), replicas.end(),
                      [](const auto& each) { return each->Unretire(); })) {
        return Aborted("the engine of model '" + model_name_ + "' serves on");
      }
      std::this_thread::sleep_for(kDrainCheck);
    }
  }
  for (const auto& replica : replicas) replica->BeginStop();
  for (const auto& replica : replicas) replica->Stop();
  // A model that may sleep does so from now on. Of one that may not, nothing is left until it is
  // served again.
  std::lock_guard lock(mutex_);
  if (options_.autoscaling.min_replicas == 0) {
    (void)RetireLocked([](const Slot&) { return true; });
    target_ = 0;
  }
  return Status::Ok();
}

void Deployment::Hold(double wait_s) {
  {
    std::lock_guard lock(mutex_);
    is_held_ = true;
    hold_wait_s_ = wait_s;
  }
  bell_->Ring();
}

void Deployment::Release() {
  {
    std::lock_guard lock(mutex_);
    is_held_ = false;
  }
  bell_->Ring();
}

void Deployment::SetLive(const ModelOptions& options) {
  {
    std::lock_guard lock(mutex_);
    const protocol::Load load = options_.load;
    options_ = options;
    options_.load = load;
    slo_.SetTargets(options.slo);
    refuse_waking_.clear();
    ClampTargetLocked();
  }
  bell_->Ring();
}

void Deployment::Shutdown() {
  {
    std::lock_guard lock(mutex_);
    is_shut_down_ = true;
  }
  bell_->Ring();
}

void Deployment::Forget() {
  std::lock_guard lock(mutex_);
  is_forgotten_ = true;
}

}  // namespace hearth::models
