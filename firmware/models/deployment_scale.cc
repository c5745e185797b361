// Deployment: how many replicas there are, and what is seen of them.
#include <algorithm>
#include <set>
#include <utility>

#include "base/clock.h"
#include "firmware/metrics/process_metrics.h"
#include "firmware/models/deployment.h"

namespace hearth::models {
namespace {

// How long "there is no memory for it" holds before a request may ask anew.
constexpr double kRefuseS = 5;

// A model is as well off as its best replica.
int Rank(ReplicaState state) {
  constexpr ReplicaState kBestFirst[] = {ReplicaState::kReady,      ReplicaState::kDegraded,
                                         ReplicaState::kLoading,    ReplicaState::kRestarting,
                                         ReplicaState::kFailed,     ReplicaState::kStopped};
  return static_cast<int>(std::find(std::begin(kBestFirst), std::end(kBestFirst), state) -
                          std::begin(kBestFirst));
}

bool IsAlive(ReplicaState state) {
  return state != ReplicaState::kFailed && state != ReplicaState::kStopped;
}

}  // namespace

// ---- How many
// -------------------------------------------------------------------------------------------

bool Deployment::IsAsleepLocked() const { return is_served_ && slots_.empty() && target_ == 0; }

void Deployment::ClampTargetLocked() {
  const AutoscalingOptions& bounds = options_.autoscaling;
  target_ =
      std::clamp(target_, bounds.min_replicas, std::max(bounds.min_replicas, bounds.max_replicas));
}

void Deployment::AddLocked(int index, std::shared_ptr<Replica> replica,
                           const Footprint& footprint) {
  slots_.push_back({index, std::move(replica), footprint, WallMillis()});
}

int Deployment::FreeIndexLocked() const {
  int index = 0;
  const auto is_taken = [&] {
    return std::any_of(slots_.begin(), slots_.end(),
                       [&](const Slot& slot) { return slot.index == index; });
  };
  while (is_taken()) ++index;
  return index;
}

Deployment::Replicas Deployment::RetireLocked(const std::function<bool(const Slot&)>& goes) {
  Replicas gone;
  for (auto slot = slots_.begin(); slot != slots_.end();) {
    if (!goes(*slot)) {
      ++slot;
      continue;
    }
    slot->replica->Retire();
    slot->replica->HandGaugesOver();
    last_status_ = slot->replica->status();
    last_status_.engine_pid = -1;
    affinity_.Forget(slot->index);
    gone.push_back(std::move(slot->replica));
    slot = slots_.erase(slot);
  }
  return gone;
}

Deployment::ScaleReading Deployment::ReadScale() const {
  std::lock_guard lock(mutex_);
  ScaleReading reading;
  reading.may_scale = is_served_ && !is_held_ && !is_shut_down_;
  reading.num_waiting = static_cast<int>(line_.size());
  reading.requests = num_placing_.load();
  reading.target = target_;
  reading.wanted = wanted_;
  for (const Slot& slot : slots_) {
    const ReplicaStatus status = slot.replica->status();
    reading.requests += slot.replica->num_ongoing();
    if (Serves(status.state)) ++reading.ready;
    if (IsAlive(status.state)) {
      ++reading.alive;
    } else {
      ++reading.failed;
      reading.failure = status.message;
    }
  }
  return reading;
}

void Deployment::SetTarget(int target) {
  std::lock_guard lock(mutex_);
  if (target > 0 && std::exchange(wanted_, false)) model_observer_.OnWakeBegun();
  target_ = target;
}

void Deployment::NoteAwake(double duration_s) {
  std::lock_guard lock(mutex_);
  model_observer_.OnAwake(duration_s);
}

void Deployment::StartReplica(const std::string& executable, const protocol::Load& load,
                              const Footprint& footprint) {
  {
    std::lock_guard lock(mutex_);
    const auto num_slots = static_cast<int>(slots_.size());
    if (!is_served_ || is_held_ || is_shut_down_ || num_slots >= target_) return;
    const int index = FreeIndexLocked();
    AddLocked(index, std::make_shared<Replica>(executable, load, NewObserver(index), bell_,
                                               ReplicaOptions{.index = index}),
              footprint);
  }
  bell_->Ring();
}

Deployment::Replicas Deployment::TakeSurplus() {
  Replicas gone;
  {
    std::lock_guard lock(mutex_);
    if (!is_served_ || is_held_) return {};
    const auto order = [](const Slot* slot) {
      return std::tuple(-Rank(slot->replica->status().state), slot->replica->num_ongoing(),
                        -slot->index);
    };
    std::vector<const Slot*> leaving;
    for (const Slot& slot : slots_) leaving.push_back(&slot);
    std::sort(leaving.begin(), leaving.end(),
              [&](const Slot* a, const Slot* b) { return order(a) < order(b); });
    leaving.resize(leaving.size() - std::min(leaving.size(), static_cast<size_t>(target_)));
    std::set<int> indexes;
    for (const Slot* slot : leaving) indexes.insert(slot->index);
    gone = RetireLocked([&](const Slot& slot) { return indexes.contains(slot.index); });
  }
  bell_->Ring();
  return gone;
}

Deployment::Replicas Deployment::TakeFailed() {
  std::lock_guard lock(mutex_);
  if (!is_served_ || is_held_) return {};
  return RetireLocked(
      [](const Slot& slot) { return slot.replica->status().state == ReplicaState::kFailed; });
}

Deployment::Replicas Deployment::GiveWay(int index) {
  Replicas gone;
  {
    std::lock_guard lock(mutex_);
    const bool may_go = is_served_ && !is_held_ && line_.empty() && num_placing_.load() == 0 &&
                        static_cast<int>(slots_.size()) > options_.autoscaling.min_replicas;
    if (!may_go) return {};
    gone = RetireLocked(
        [&](const Slot& slot) { return slot.index == index && slot.replica->num_ongoing() == 0; });
    if (gone.empty()) return {};
    target_ = std::max(static_cast<int>(slots_.size()), options_.autoscaling.min_replicas);
    model_observer_.OnGaveWay();
  }
  bell_->Ring();
  return gone;
}

Result<Deployment::Replicas> Deployment::Sleep() {
  Replicas gone;
  {
    std::lock_guard lock(mutex_);
    const int min = options_.autoscaling.min_replicas;
    if (min > 0) {
      return FailedPrecondition("the model '" + model_name_ + "' keeps " + std::to_string(min) +
                                " engine(s), its min_replicas; set min_replicas to 0 in its "
                                "autoscaling_config to let it sleep");
    }
    if (is_held_) {
      return FailedPrecondition("the model '" + model_name_ +
                                "' is being exchanged; wait for the apply");
    }
    target_ = 0;
    wanted_ = false;
    gone = RetireLocked([](const Slot&) { return true; });
  }
  bell_->Ring();
  return gone;
}

void Deployment::Wake() {
  {
    std::lock_guard lock(mutex_);
    wanted_ = true;
    refuse_waking_.clear();
  }
  scaler_bell_->Ring();
}

void Deployment::RefuseWaking(std::string why) {
  {
    std::lock_guard lock(mutex_);
    refuse_waking_ = std::move(why);
    refuse_until_s_ = MonotonicSeconds() + kRefuseS;
    if (!refuse_waking_.empty()) wanted_ = false;
  }
  bell_->Ring();
}

std::vector<Tenant> Deployment::tenants() const {
  std::lock_guard lock(mutex_);
  std::vector<Tenant> tenants;
  const bool is_pinned =
      options_.pinned || static_cast<int>(slots_.size()) <= options_.autoscaling.min_replicas;
  const bool has_waiting = !line_.empty() || num_placing_.load() > 0;
  for (const Slot& slot : slots_) {
    const ReplicaStatus status = slot.replica->status();
    if (!IsAlive(status.state)) continue;
    Tenant tenant;
    tenant.model_name = model_name_;
    tenant.replica = slot.index;
    tenant.footprint =
        Serves(status.state) ? FootprintOf(status.ready) : slot.footprint;
    if (status.engine_pid > 0) {
      tenant.resident_bytes = static_cast<int64_t>(
          metrics::ReadProcess(std::to_string(status.engine_pid)).resident_bytes.value_or(0));
    }
    const bool is_idle =
        Serves(status.state) && !has_waiting && slot.replica->num_ongoing() == 0;
    using Yields = Tenant::Yields;
    tenant.yields = is_pinned || !is_served_ || is_held_ ? Yields::kNever
                    : is_idle                            ? Yields::kNow
                                                         : Yields::kWhenIdle;
    tenant.last_used_s = last_used_s_;
    tenants.push_back(std::move(tenant));
  }
  return tenants;
}

void Deployment::SetReport(ScaleReport report) {
  std::lock_guard lock(mutex_);
  report_ = std::move(report);
}

// ---- What is seen
// --------------------------------------------------------------------------------------

bool Deployment::is_served() const {
  std::lock_guard lock(mutex_);
  return is_served_;
}

bool Deployment::is_known() const {
  std::lock_guard lock(mutex_);
  return !is_forgotten_ && was_served_;
}

ModelOptions Deployment::options() const {
  std::lock_guard lock(mutex_);
  return options_;
}

Deployment::Replicas Deployment::replicas() const {
  std::lock_guard lock(mutex_);
  Replicas replicas;
  for (const Slot& slot : slots_) replicas.push_back(slot.replica);
  return replicas;
}

// With every replica's status filled in.
void Deployment::JudgeLocked(ModelStatus& status) const {
  status.is_asleep = IsAsleepLocked();
  if (status.is_asleep) {
    status.state = "asleep";
    status.why = refuse_waking_.empty() ? "it is loaded by the next request" : refuse_waking_;
    status.replica = last_status_;
    status.replica.state = ReplicaState::kStopped;
    return;
  }
  if (status.replicas.empty()) {
    status.state = StateName(is_served_ ? ReplicaState::kLoading : ReplicaState::kStopped);
    status.why = report_.prevented_by;
    status.replica = last_status_;
    status.replica.state = is_served_ ? ReplicaState::kLoading : ReplicaState::kStopped;
    return;
  }
  const auto best = std::min_element(status.replicas.begin(), status.replicas.end(),
                                     [](const ReplicaView& a, const ReplicaView& b) {
                                       return std::pair(Rank(a.status.state), a.status.seems_stalled) <
                                              std::pair(Rank(b.status.state), b.status.seems_stalled);
                                     });
  status.replica = best->status;
  // The newest crash of any of them is the one to look at.
  for (const ReplicaView& each : status.replicas) {
    const auto& crash = each.status.last_crash;
    const auto& newest = status.replica.last_crash;
    if (crash && (!newest || crash->time_ms > newest->time_ms)) status.replica.last_crash = crash;
  }
  status.state = StateName(best->status.state);
  status.why = best->status.message;
}

ModelStatus Deployment::status() const {
  std::lock_guard lock(mutex_);
  ModelStatus status;
  status.model_name = model_name_;
  status.path = options_.load.model;
  status.created_time_s = created_time_s_;
  status.log_engine_metrics = options_.log_engine_metrics;
  status.slo = options_.slo;
  for (const Slot& slot : slots_) {
    const Replica& replica = *slot.replica;
    status.replicas.push_back({slot.index, replica.status(), replica.num_ongoing(),
                               replica.num_queued(), slot.started_ms});
    status.num_ongoing += status.replicas.back().num_ongoing;
  }
  std::sort(status.replicas.begin(), status.replicas.end(),
            [](const ReplicaView& a, const ReplicaView& b) { return a.index < b.index; });
  JudgeLocked(status);
  status.num_waiting = static_cast<int>(line_.size());
  status.last_used_ms = last_used_ms_;
  status.is_held = is_held_;
  status.target_replicas = target_;
  status.scale = report_;
  status.options = options_;
  return status;
}

void Deployment::Observe() {
  const ModelStatus status = this->status();
  metrics::DeploymentReading service;
  metrics::ModelReading model;
  {
    std::lock_guard lock(mutex_);
    service.num_in_backoff = num_in_backoff_;
  }
  service.num_placing = num_placing_.load();
  service.target_replicas = status.target_replicas;
  service.desired_replicas = status.scale.decision.desired;
  service.num_queued = status.num_waiting;
  std::set<int> seen;
  for (const ReplicaView& replica : status.replicas) {
    service.num_queued += replica.num_queued;
    const bool is_ready = Serves(replica.status.state);
    service.replicas.push_back({std::to_string(replica.index), is_ready, replica.num_ongoing});
    if (is_ready) model.engines.push_back(replica.status.ready);
    seen.insert(replica.index);
  }
  // One that went is neither healthy nor busy any more.
  for (const int index : observed_replicas_) {
    if (!seen.contains(index)) service.replicas.push_back({std::to_string(index), false, 0});
  }
  observed_replicas_ = std::move(seen);
  observer_.OnReading(service);
  model.state = status.state;
  model.total_requests = status.scale.requests;
  model.delay_left_s = status.scale.decision.delay_left_s;
  model.is_prevented = !status.scale.prevented_by.empty();
  model_observer_.OnReading(model);
}

}  // namespace hearth::models
