#include "firmware/models/replica.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

namespace hearth::models {
namespace {

constexpr double kBackOffMaxS = 60;
// An engine that served this long has earned an immediate restart.
constexpr double kStableAfterS = 60;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

std::string_view StateName(ReplicaState state) {
  switch (state) {
    case ReplicaState::kLoading:
      return "loading";
    case ReplicaState::kReady:
      return "ready";
    case ReplicaState::kRestarting:
      return "restarting";
    case ReplicaState::kFailed:
      return "failed";
    case ReplicaState::kStopped:
      return "stopped";
  }
  return "unknown";
}

Replica::Replica(std::string executable, protocol::Load load,
                 std::unique_ptr<metrics::EngineObserver> observer, std::shared_ptr<Bell> bell)
    : executable_(std::move(executable)),
      load_(std::move(load)),
      bell_(std::move(bell)),
      observer_(std::move(observer)),
      role_(observer_ == nullptr ? ReplicaRole::kCandidate : ReplicaRole::kServing),
      thread_([this] { Run(); }) {}

Replica::~Replica() { Stop(); }

// ---- The engine's lives
// -----------------------------------------------------------------------------

void Replica::Run() {
  double back_off_s = 0;
  while (true) {
    const double started_s = MonotonicSeconds();
    const std::string end = RunEngine();
    if (MonotonicSeconds() - started_s > kStableAfterS) back_off_s = 0;
    if (!GoesOn(end, back_off_s)) break;
    if (!SleepUnlessStopping(back_off_s)) break;
    back_off_s = std::min(kBackOffMaxS, back_off_s == 0 ? 1 : 2 * back_off_s);
  }
  {
    std::lock_guard watching(observer_mutex_);
    std::lock_guard lock(mutex_);
    if (status_.state != ReplicaState::kFailed) status_.state = ReplicaState::kStopped;
    if (observer_ != nullptr) observer_->OnState(StateName(status_.state));
    ended_ = true;
  }
  Ring();
}

bool Replica::GoesOn(const std::string& end, double back_off_s) {
  const std::string engine = "the engine of model '" + load_.served_model_name + "' ";
  std::string message = engine + end;
  {
    std::lock_guard watching(observer_mutex_);
    std::lock_guard lock(mutex_);
    num_queued_ = 0;
    const double unload_s = stopping_ ? MonotonicSeconds() - stop_time_s_ : 0;
    if (observer_ != nullptr) observer_->OnEngineGone(unload_s);
    if (stopping_ || status_.state == ReplicaState::kFailed) return false;
    if (role_ == ReplicaRole::kCandidate) {
      LOG(kError) << message << " before it served";
      status_.state = ReplicaState::kFailed;
      status_.message = std::move(message);
      return false;
    }
    if (role_ == ReplicaRole::kDraining) {
      LOG(kError) << message << " while it finished its last requests";
      return false;
    }
    status_.last_crash = message;
    message += back_off_s > 0 ? "; it is started again in " +
                                    std::to_string(static_cast<int>(back_off_s)) + " s"
                              : "; it is started again";
    LOG(kError) << message;
    ++status_.restarts;
    status_.state = ReplicaState::kRestarting;
    status_.message = std::move(message);
    if (observer_ != nullptr) {
      observer_->OnRestart();
      observer_->OnState(StateName(status_.state));
    }
  }
  Ring();
  return true;
}

void Replica::Engage(const std::shared_ptr<EngineProcess>& engine) {
  {
    std::lock_guard watching(observer_mutex_);
    std::lock_guard lock(mutex_);
    engine_ = engine;
    status_.engine_pid = engine->pid();
    if (status_.state != ReplicaState::kRestarting) status_.state = ReplicaState::kLoading;
    if (stopping_) engine->channel().Shutdown();
    if (observer_ != nullptr) {
      observer_->OnProcessStarted();
      observer_->OnState(StateName(status_.state));
    }
  }
  if (const Status sent = engine->channel().Send(load_); !sent.ok()) {
    LOG(kWarning) << "the engine went away while it was told what to load: " << sent.message();
  }
}

void Replica::Disengage() {
  {
    std::lock_guard lock(mutex_);
    engine_.reset();
    status_.engine_pid = -1;
    // At once, so that a request that comes now waits for the next engine instead of being refused.
    if (role_ == ReplicaRole::kServing && status_.state != ReplicaState::kFailed) {
      status_.state = ReplicaState::kRestarting;
    }
  }
  FailInFlight("the engine of model '" + load_.served_model_name +
               "' ended while it worked on this request; try again");
}

std::string Replica::RunEngine() {
  auto started = EngineProcess::Start(executable_);
  if (!started.ok()) {
    SetState(ReplicaState::kFailed, started.status().message());
    LOG(kError) << started.status().message();
    return "did not start";
  }
  const std::shared_ptr<EngineProcess> engine = std::move(started).value();
  Engage(engine);
  while (true) {
    auto message = engine->channel().Receive();
    if (!message.ok()) {
      if (message.status().code() != StatusCode::kUnavailable) {
        LOG(kError) << "the engine sent a broken frame: " << message.status().message();
      }
      break;
    }
    HandleFrame(std::move(message).value());
  }
  Disengage();
  // The channel has ended. A killed engine is a zombie by now; one that shuts down gets its grace.
  const bool stopping = [this] {
    std::lock_guard lock(mutex_);
    return stopping_;
  }();
  return engine->Wait(stopping ? kShutdownGraceS : 1.0);
}

void Replica::HandleFrame(protocol::Message message) {
  const auto watch = [this](const auto& tell) {
    std::lock_guard watching(observer_mutex_);
    if (observer_ != nullptr) tell(*observer_);
  };
  std::visit(
      Overloaded{
          [this](protocol::Progress& progress) {
            std::lock_guard lock(mutex_);
            status_.phase = std::move(progress.phase);
            status_.progress = progress.fraction;
          },
          [this](protocol::Ready& ready) { HandleReady(std::move(ready)); },
          [this](protocol::Failed& failed) {
            LOG(kError) << "model '" << load_.served_model_name
                        << "' cannot be served: " << failed.message;
            SetState(ReplicaState::kFailed, std::move(failed.message));
          },
          [&](protocol::Accepted& accepted) {
            const auto facts = FactsOf(accepted.request_id);
            if (!facts) return;
            watch([&](metrics::EngineObserver& observer) {
              observer.OnAccepted(accepted.request_id, *facts, accepted.num_prompt_tokens);
            });
            Deliver(accepted.request_id, accepted);
          },
          [&](protocol::Refused& refused) {
            const uint64_t request_id = refused.request_id;
            if (const auto facts = FactsOf(request_id)) {
              watch([&](metrics::EngineObserver& observer) { observer.OnRefused(*facts); });
            }
            Deliver(request_id, std::move(refused));
          },
          [&](protocol::StepOutput& output) {
            watch([&](metrics::EngineObserver& observer) {
              observer.OnStep(output, MonotonicSeconds());
            });
            HandleStep(std::move(output));
          },
          [](auto&) { LOG(kError) << "the engine sent a message that only hearthd may send"; },
      },
      message);
}

void Replica::HandleReady(protocol::Ready ready) {
  LOG(kInfo) << "model '" << load_.served_model_name << "' is ready on " << ready.device
             << " after " << ready.load_time_s << " s";
  {
    std::lock_guard watching(observer_mutex_);
    std::lock_guard lock(mutex_);
    status_.ready = std::move(ready);
    status_.progress = 1;
    status_.phase.clear();
    status_.message.clear();
    status_.state = ReplicaState::kReady;
    if (observer_ != nullptr) {
      observer_->OnReady(status_.ready);
      observer_->OnState(StateName(status_.state));
    }
  }
  changed_.notify_all();
  Ring();
}

std::optional<metrics::RequestFacts> Replica::FactsOf(uint64_t request_id) const {
  std::lock_guard lock(mutex_);
  const auto it = in_flight_.find(request_id);
  return it == in_flight_.end() ? std::nullopt : std::optional(it->second.facts);
}

void Replica::HandleStep(protocol::StepOutput output) {
  {
    std::lock_guard lock(mutex_);
    num_queued_ = output.stats.num_requests_waiting;
  }
  for (auto& delta : output.deltas) {
    const uint64_t request_id = delta.request_id;
    Deliver(request_id, std::move(delta));
  }
  for (auto& finished : output.finished) {
    const uint64_t request_id = finished.request_id;
    Deliver(request_id, std::move(finished));
  }
}

void Replica::Deliver(uint64_t request_id, StreamEvent event) {
  const bool is_final = IsFinal(event);
  std::shared_ptr<TokenStream> stream;
  {
    std::lock_guard lock(mutex_);
    const auto it = in_flight_.find(request_id);
    if (it == in_flight_.end()) return;
    stream = it->second.stream;
    if (is_final) in_flight_.erase(it);
  }
  stream->Push(std::move(event));
  if (is_final) Ring();
}

void Replica::FailInFlight(const std::string& message) {
  std::unordered_map<uint64_t, InFlight> lost;
  {
    std::lock_guard lock(mutex_);
    lost.swap(in_flight_);
  }
  for (auto& [request_id, in_flight] : lost) in_flight.stream->Push(EngineGone{message});
  Ring();
}

void Replica::SetState(ReplicaState state, std::string message) {
  {
    std::lock_guard watching(observer_mutex_);
    std::lock_guard lock(mutex_);
    status_.state = state;
    status_.message = std::move(message);
    if (observer_ != nullptr) observer_->OnState(StateName(state));
  }
  changed_.notify_all();
  Ring();
}

bool Replica::SleepUnlessStopping(double seconds) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::duration<double>(seconds), [this] {
    return stopping_ || role_ == ReplicaRole::kDraining;
  });
}

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
  if (status_.state != ReplicaState::kReady || engine_ == nullptr) {
    return refuse(status_.state == ReplicaState::kRestarting ? Outcome::kRestarting
                  : status_.state == ReplicaState::kLoading  ? Outcome::kLoading
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
  return status_;
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
