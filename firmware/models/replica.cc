#include "firmware/models/replica.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

namespace hearth::models {

std::string_view StateName(ReplicaState state) {
  switch (state) {
    case ReplicaState::kLoading:
      return "loading";
    case ReplicaState::kReady:
      return "ready";
    case ReplicaState::kRestarting:
      return "restarting";
    case ReplicaState::kDegraded:
      return "degraded";
    case ReplicaState::kFailed:
      return "failed";
    case ReplicaState::kStopped:
      return "stopped";
  }
  return "unknown";
}

Replica::Replica(std::string executable, protocol::Load load,
                 std::unique_ptr<metrics::EngineObserver> observer, std::shared_ptr<Bell> bell,
                 const ReplicaOptions& options)
    : executable_(std::move(executable)),
      load_(std::move(load)),
      options_(options),
      bell_(std::move(bell)),
      observer_(std::move(observer)),
      role_(observer_ == nullptr ? ReplicaRole::kCandidate : ReplicaRole::kServing),
      thread_([this] { Run(); }) {}

Replica::~Replica() { Stop(); }

// ---- Requests
// ---------------------------------------------------------------------------------------

Replica::Taken Replica::Take(uint64_t request_id, metrics::RequestFacts facts,
                             int64_t max_ongoing) {
  std::lock_guard lock(mutex_);
  const auto refuse = [](Outcome outcome, Status why) {
    return Taken{outcome, std::move(why), nullptr, nullptr};
  };
  const std::string model = "model '" + load_.served_model_name + "' ";
  if (stopping_) return refuse(Outcome::kUnavailable, Unavailable(model + "is being stopped"));
  if (role_ != ReplicaRole::kServing) {
    return refuse(Outcome::kUnavailable, Unavailable(model + "is being exchanged; try again"));
  }
  if (!Serves(status_.state) || engine_ == nullptr || renews_) {
    return refuse(status_.state == ReplicaState::kRestarting || renews_ ? Outcome::kRestarting
                  : status_.state == ReplicaState::kLoading             ? Outcome::kLoading
                                                             : Outcome::kUnavailable,
                  Unavailable(model + "is " + std::string(StateName(status_.state)) +
                              (status_.message.empty() ? "" : ": " + status_.message)));
  }
  const auto num_ongoing = static_cast<int64_t>(in_flight_.size());
  if (num_ongoing >= max_ongoing) {
    return refuse(Outcome::kFull, Unavailable(model + "works on " + std::to_string(num_ongoing) +
                                              " requests, its max_ongoing_requests"));
  }
  if (num_ongoing >= limits::kRequestsPerEngineMax) {
    return refuse(Outcome::kUnavailable,
                  ResourceExhausted(model + "has " + std::to_string(num_ongoing) +
                                    " requests in flight, its limit; try again later"));
  }
  auto stream = std::make_shared<TokenStream>(request_id);
  facts.submit_time_s = MonotonicSeconds();
  in_flight_[request_id] = {stream, std::move(facts)};
  return {Outcome::kTaken, Status::Ok(), std::move(stream), engine_};
}

bool Replica::Send(const Taken& taken, const protocol::Message& generate) {
  if (taken.engine->channel().Send(generate).ok()) return true;
  std::lock_guard lock(mutex_);
  in_flight_.erase(taken.stream->request_id());  // its stream has no reader yet
  return false;
}

Result<std::shared_ptr<TokenStream>> Replica::SubmitProbe(protocol::Generate generate) {
  Taken taken;
  {
    std::lock_guard lock(mutex_);
    if (role_ != ReplicaRole::kCandidate || status_.state != ReplicaState::kReady ||
        engine_ == nullptr || stopping_) {
      return FailedPrecondition("the new engine of model '" + load_.served_model_name + "' is " +
                                std::string(StateName(status_.state)) +
                                (status_.message.empty() ? "" : ": " + status_.message));
    }
    taken = {Outcome::kTaken, Status::Ok(), std::make_shared<TokenStream>(generate.request_id),
             engine_};
    in_flight_[generate.request_id] = {taken.stream, {}};
  }
  if (!Send(taken, std::move(generate))) {
    return Unavailable("the new engine of model '" + load_.served_model_name +
                       "' ended before it took the probe");
  }
  return taken.stream;
}

void Replica::Abort(uint64_t request_id) {
  std::shared_ptr<EngineProcess> engine;
  {
    std::lock_guard lock(mutex_);
    if (!in_flight_.contains(request_id)) return;
    engine = engine_;
  }
  // An engine that is gone has freed everything.
  if (engine != nullptr) (void)engine->channel().Send(protocol::Abort{request_id}).ok();
}

// ---- Roles
// ------------------------------------------------------------------------------------------

Status Replica::Promote() {
  std::lock_guard lock(mutex_);
  if (role_ != ReplicaRole::kCandidate) {
    return FailedPrecondition("the new engine of model '" + load_.served_model_name +
                              "' serves already, or has served");
  }
  if (stopping_ || status_.state != ReplicaState::kReady || engine_ == nullptr) {
    return FailedPrecondition("the new engine of model '" + load_.served_model_name + "' is " +
                              std::string(StateName(status_.state)) + ", not ready" +
                              (status_.message.empty() ? "" : ": " + status_.message));
  }
  role_ = ReplicaRole::kServing;
  return Status::Ok();
}

void Replica::Retire() {
  {
    std::lock_guard lock(mutex_);
    role_ = ReplicaRole::kDraining;
  }
  changed_.notify_all();  // an engine that is to be started again in a minute will not be
}

bool Replica::Unretire() {
  std::lock_guard lock(mutex_);
  if (ended_ || stopping_ || engine_ == nullptr || role_ != ReplicaRole::kDraining) return false;
  role_ = ReplicaRole::kServing;
  return true;
}

bool Replica::TryAgain() {
  {
    std::lock_guard lock(mutex_);
    if (ended_ || stopping_ || role_ != ReplicaRole::kServing) return false;
    crash_ = {};
    try_again_ = engine_ == nullptr;
    renews_ = engine_ != nullptr && status_.safe_mode;
    renew_time_s_ = MonotonicSeconds();
  }
  changed_.notify_all();
  return true;
}

void Replica::Attach(std::unique_ptr<metrics::EngineObserver> observer) {
  std::lock_guard watching(observer_mutex_);
  observer_ = std::move(observer);
  std::lock_guard lock(mutex_);
  observer_->OnProcessStarted();
  if (status_.state == ReplicaState::kReady) observer_->OnReady(status_.ready);
  observer_->OnState(StateName(status_.state));
}

void Replica::HandGaugesOver() {
  std::lock_guard watching(observer_mutex_);
  if (observer_ != nullptr) observer_->HandGaugesOver();
}

ReplicaStatus Replica::status() const {
  std::lock_guard lock(mutex_);
  ReplicaStatus status = status_;
  if (engine_ != nullptr) status.steps = engine_->pulse().Read().steps;
  status.seems_stalled = watch_ != nullptr && watch_->seems_stalled();
  return status;
}

ReplicaRole Replica::role() const {
  std::lock_guard lock(mutex_);
  return role_;
}

int Replica::num_ongoing() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(in_flight_.size());
}

int Replica::num_queued() const {
  std::lock_guard lock(mutex_);
  return num_queued_;
}

// ---- The end
// ----------------------------------------------------------------------------------------

void Replica::BeginStop() {
  std::shared_ptr<EngineProcess> engine;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    stop_time_s_ = MonotonicSeconds();
    engine = engine_;
  }
  changed_.notify_all();
  if (engine != nullptr && !engine->channel().TrySend(protocol::Shutdown{}).ok()) {
    engine->channel().Shutdown();
  }
}

bool Replica::HasEnded() {
  std::lock_guard lock(mutex_);
  if (ended_) return true;
  // An engine that hangs reads no frame. Its process is not reaped while engine_ is set, so that
  // the pid is its own.
  if (stopping_ && !killed_ && engine_ != nullptr &&
      MonotonicSeconds() > stop_time_s_ + kShutdownGraceS) {
    LOG(kWarning) << "the engine of model '" << load_.served_model_name
                  << "' did not end when it was told to; it is killed";
    kill(engine_->pid(), SIGKILL);
    killed_ = true;
  }
  return false;
}

void Replica::Stop() {
  std::lock_guard stopping(stop_mutex_);
  BeginStop();
  while (!HasEnded()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  if (thread_.joinable()) thread_.join();
}

}  // namespace hearth::models
