#include "firmware/models/deployment.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"

namespace hearth::models {
namespace {

// How often one that waits in line looks whether its client is still there.
constexpr std::chrono::duration<double> kClientCheck{0.1};
constexpr std::chrono::milliseconds kDrainCheck{20};

std::string Seconds(double seconds) {
  return std::to_string(static_cast<int64_t>(seconds)) + " s";
}

}  // namespace

Deployment::Deployment(ModelOptions options, metrics::Registry* registry,
                       std::shared_ptr<Bell> bell)
    : registry_(registry),
      model_name_(options.load.served_model_name),
      created_time_s_(static_cast<double>(WallMillis()) / 1000),
      bell_(std::move(bell)),
      slo_(registry, model_name_),
      observer_(registry, model_name_),
      options_(std::move(options)) {
  slo_.SetTargets(options_.slo);
}

// ---- Requests
// ---------------------------------------------------------------------------------------

struct Deployment::Visit {
  uint64_t request_id = 0;
  metrics::RequestFacts facts;
  double since_s = 0;              // when it came
  Reason reason = Reason::kNone;   // why it waits; kNone: it does not
  double reason_since_s = 0;       // since when for this reason
  std::shared_ptr<Replica> replica;
  Replica::Taken taken;
  Status why;  // of kRefused
};

Result<Deployment::Placed> Deployment::Place(protocol::Generate generate,
                                             metrics::RequestFacts facts,
                                             const std::function<bool()>& client_gone) {
  Visit visit;
  visit.request_id = generate.request_id;
  visit.facts = std::move(facts);
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
      return leave(Aborted("the client left while its request waited for model '" + model_name_ +
                           "'"));
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
  visit.replica = LeastBusyLocked();
  visit.taken = visit.replica->Take(visit.request_id, visit.facts, options_.max_ongoing_requests);
  switch (visit.taken.outcome) {
    case Replica::Outcome::kTaken:
      LeaveLineLocked(visit);  // the next may be placed while this one is sent
      return Verdict::kPlaced;
    case Replica::Outcome::kFull:
      return WaitOrRefuseLocked(visit, Reason::kFull, kLineWaitS, visit.taken.why.message());
    case Replica::Outcome::kRestarting:
      return WaitOrRefuseLocked(visit, Reason::kRestarting, kReadyWaitS,
                                visit.taken.why.message());
    case Replica::Outcome::kUnavailable:
      return refuse(std::move(visit.taken.why));
  }
  return refuse(Internal("an outcome that does not exist"));
}

// A request waits at most `wait_s` for each reason, and for all of them together at most kLineWaitS;
// what Hold announced is kept where it is longer.
Deployment::Verdict Deployment::WaitOrRefuseLocked(Visit& visit, Reason reason, double wait_s,
                                                   const std::string& why) {
  const double now_s = MonotonicSeconds();
  if (visit.reason == Reason::kNone) {
    const int64_t queued_max = options_.max_queued_requests;
    const auto num_queued = static_cast<int64_t>(line_.size());
    if (reason == Reason::kFull && queued_max >= 0 && num_queued >= queued_max) {
      visit.why = Unavailable("model '" + model_name_ + "' is busy and " +
                              std::to_string(num_queued) +
                              " requests wait already, its max_queued_requests; try again later");
      return Verdict::kRefused;
    }
    line_.push_back(visit.request_id);
  }
  if (visit.reason != reason) {
    if (visit.reason == Reason::kHeld || visit.reason == Reason::kRestarting) --num_in_backoff_;
    if (reason == Reason::kHeld || reason == Reason::kRestarting) ++num_in_backoff_;
    visit.reason = reason;
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
  if (visit.reason == Reason::kHeld || visit.reason == Reason::kRestarting) --num_in_backoff_;
  visit.reason = Reason::kNone;
}

std::shared_ptr<Replica> Deployment::LeastBusyLocked() const {
  return *std::min_element(
      replicas_.begin(), replicas_.end(),
      [](const auto& a, const auto& b) { return a->num_ongoing() < b->num_ongoing(); });
}

// ---- Replicas
// ---------------------------------------------------------------------------------------

std::unique_ptr<metrics::EngineObserver> Deployment::NewObserver() {
  return std::make_unique<metrics::EngineObserver>(registry_, &slo_, model_name_, "0");
}

Result<Deployment::Replicas> Deployment::Serve(ModelOptions options,
                                               std::shared_ptr<Replica> candidate) {
  Replicas gone;
  {
    std::lock_guard lock(mutex_);
    if (is_shut_down_) return Unavailable("the server is shutting down");
    HEARTH_RETURN_IF_ERROR(candidate->Promote());
    gone = std::exchange(replicas_, {candidate});
    for (const auto& replica : gone) {
      replica->Retire();
      replica->HandGaugesOver();
    }
    candidate->Attach(NewObserver());
    slo_.SetTargets(options.slo);
    options_ = std::move(options);
    is_served_ = true;
    is_forgotten_ = false;
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
    gone = std::exchange(replicas_, {});
    for (const auto& replica : gone) {
      replica->Retire();
      replica->HandGaugesOver();
    }
    replicas_.push_back(
        std::make_shared<Replica>(executable, options_.load, NewObserver(), bell_));
    is_served_ = true;
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
    for (const auto& replica : replicas_) replica->Retire();
    replicas = replicas_;
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
    for (const auto& replica : replicas_) replica->Retire();
    replicas = replicas_;
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

bool Deployment::is_served() const {
  std::lock_guard lock(mutex_);
  return is_served_;
}

bool Deployment::is_known() const {
  std::lock_guard lock(mutex_);
  return !is_forgotten_ && !replicas_.empty();
}

ModelOptions Deployment::options() const {
  std::lock_guard lock(mutex_);
  return options_;
}

Deployment::Replicas Deployment::replicas() const {
  std::lock_guard lock(mutex_);
  return replicas_;
}

ModelStatus Deployment::status() const {
  std::lock_guard lock(mutex_);
  CHECK(!replicas_.empty()) << model_name_;
  ModelStatus status;
  status.model_name = model_name_;
  status.path = options_.load.model;
  status.created_time_s = created_time_s_;
  status.log_engine_metrics = options_.log_engine_metrics;
  status.slo = options_.slo;
  status.replica = replicas_.front()->status();
  for (const auto& replica : replicas_) status.num_ongoing += replica->num_ongoing();
  status.num_waiting = static_cast<int>(line_.size());
  status.is_held = is_held_;
  status.options = options_;
  return status;
}

void Deployment::Observe() {
  metrics::DeploymentReading reading;
  {
    std::lock_guard lock(mutex_);
    reading.num_placing = num_placing_.load();
    reading.target_replicas = reading.desired_replicas = is_served_ ? 1 : 0;
    reading.num_in_backoff = num_in_backoff_;
    reading.num_queued = static_cast<int>(line_.size());
    for (size_t i = 0; i < replicas_.size(); ++i) {
      const Replica& replica = *replicas_[i];
      reading.num_queued += replica.num_queued();
      reading.replicas.push_back({std::to_string(i),
                                  Serves(replica.status().state),
                                  replica.num_ongoing()});
    }
  }
  observer_.OnReading(reading);
}

}  // namespace hearth::models
