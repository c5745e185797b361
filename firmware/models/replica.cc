#include "firmware/models/replica.h"

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
constexpr double kShutdownGraceS = 5;

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

Replica::Replica(std::string executable, protocol::Load load, metrics::Registry* registry,
                 metrics::SloJudge* slo, int index)
    : executable_(std::move(executable)),
      load_(std::move(load)),
      observer_(registry, slo, load_.served_model_name, std::to_string(index)),
      thread_([this] { Run(); }) {}

Replica::~Replica() { Stop(); }

void Replica::Stop() {
  std::lock_guard stopping(stop_mutex_);
  std::shared_ptr<EngineProcess> engine;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (stop_time_s_ == 0) stop_time_s_ = MonotonicSeconds();
    engine = engine_;
  }
  changed_.notify_all();
  if (engine != nullptr && !engine->channel().Send(protocol::Shutdown{}).ok()) {
    engine->channel().Shutdown();
  }
  engine.reset();
  if (thread_.joinable()) thread_.join();
}

void Replica::Run() {
  double back_off_s = 0;
  while (true) {
    const double started_s = MonotonicSeconds();
    const std::string end = RunEngine();
    double unload_s = 0;
    {
      std::lock_guard lock(mutex_);
      if (stopping_) unload_s = MonotonicSeconds() - stop_time_s_;
      num_queued_ = 0;
    }
    observer_.OnEngineGone(unload_s);
    {
      std::lock_guard lock(mutex_);
      if (stopping_ || status_.state == ReplicaState::kFailed) break;
      ++status_.restarts;
    }
    observer_.OnRestart();
    if (MonotonicSeconds() - started_s > kStableAfterS) back_off_s = 0;
    const std::string message =
        "the engine of model '" + load_.served_model_name + "' " + end +
        (back_off_s > 0
             ? "; it is started again in " + std::to_string(static_cast<int>(back_off_s)) + " s"
             : "; it is started again");
    LOG(kError) << message;
    SetState(ReplicaState::kRestarting, message);
    if (!SleepUnlessStopping(back_off_s)) break;
    back_off_s = std::min(kBackOffMaxS, back_off_s == 0 ? 1 : 2 * back_off_s);
  }
  std::lock_guard lock(mutex_);
  if (status_.state != ReplicaState::kFailed) {
    status_.state = ReplicaState::kStopped;
    observer_.OnState(StateName(ReplicaState::kStopped));
  }
}

std::string Replica::RunEngine() {
  auto started = EngineProcess::Start(executable_);
  if (!started.ok()) {
    SetState(ReplicaState::kFailed, started.status().message());
    LOG(kError) << started.status().message();
    return "did not start";
  }
  const std::shared_ptr<EngineProcess> engine = std::move(started).value();
  {
    std::lock_guard lock(mutex_);
    engine_ = engine;
    status_.engine_pid = engine->pid();
    if (status_.state != ReplicaState::kRestarting) status_.state = ReplicaState::kLoading;
    if (stopping_) engine->channel().Shutdown();
  }
  observer_.OnProcessStarted();
  observer_.OnState(StateName(status().state));
  if (const Status sent = engine->channel().Send(load_); !sent.ok()) {
    LOG(kWarning) << "the engine went away while it was told what to load: " << sent.message();
  }
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
  {
    std::lock_guard lock(mutex_);
    engine_.reset();
    status_.engine_pid = -1;
    // At once, so that a request that comes now waits for the next engine instead of being refused.
    if (status_.state != ReplicaState::kFailed) status_.state = ReplicaState::kRestarting;
  }
  // The channel has ended. A killed engine is a zombie by now; one that shuts down gets its grace.
  const bool stopping = [this] {
    std::lock_guard lock(mutex_);
    return stopping_;
  }();
  FailInFlight("the engine of model '" + load_.served_model_name +
               "' ended while it worked on this request; try again");
  return engine->Wait(stopping ? kShutdownGraceS : 1.0);
}

void Replica::HandleFrame(protocol::Message message) {
  std::visit(
      Overloaded{
          [this](protocol::Progress& progress) {
            std::lock_guard lock(mutex_);
            status_.phase = std::move(progress.phase);
            status_.progress = progress.fraction;
          },
          [this](protocol::Ready& ready) {
            observer_.OnReady(ready);
            LOG(kInfo) << "model '" << load_.served_model_name << "' is ready on " << ready.device
                       << " after " << ready.load_time_s << " s";
            {
              std::lock_guard lock(mutex_);
              status_.ready = std::move(ready);
              status_.progress = 1;
              status_.phase.clear();
            }
            SetState(ReplicaState::kReady, "");
          },
          [this](protocol::Failed& failed) {
            LOG(kError) << "model '" << load_.served_model_name
                        << "' cannot be served: " << failed.message;
            SetState(ReplicaState::kFailed, std::move(failed.message));
          },
          [this](protocol::Accepted& accepted) {
            const auto facts = FactsOf(accepted.request_id);
            if (!facts) return;
            observer_.OnAccepted(accepted.request_id, *facts, accepted.num_prompt_tokens);
            Deliver(accepted.request_id, accepted);
          },
          [this](protocol::Refused& refused) {
            const uint64_t request_id = refused.request_id;
            if (const auto facts = FactsOf(request_id)) observer_.OnRefused(*facts);
            Deliver(request_id, std::move(refused));
          },
          [this](protocol::StepOutput& output) { HandleStep(std::move(output)); },
          [](auto&) { LOG(kError) << "the engine sent a message that only hearthd may send"; },
      },
      message);
}

std::optional<metrics::RequestFacts> Replica::FactsOf(uint64_t request_id) const {
  std::lock_guard lock(mutex_);
  const auto it = in_flight_.find(request_id);
  return it == in_flight_.end() ? std::nullopt : std::optional(it->second.facts);
}

void Replica::HandleStep(protocol::StepOutput output) {
  observer_.OnStep(output, MonotonicSeconds());
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
  std::shared_ptr<TokenStream> stream;
  {
    std::lock_guard lock(mutex_);
    const auto it = in_flight_.find(request_id);
    if (it == in_flight_.end()) return;
    stream = it->second.stream;
    if (IsFinal(event)) in_flight_.erase(it);
  }
  stream->Push(std::move(event));
}

void Replica::FailInFlight(const std::string& message) {
  std::unordered_map<uint64_t, InFlight> lost;
  {
    std::lock_guard lock(mutex_);
    lost.swap(in_flight_);
  }
  for (auto& [request_id, in_flight] : lost) in_flight.stream->Push(EngineGone{message});
}

Result<std::shared_ptr<TokenStream>> Replica::Submit(protocol::Generate generate,
                                                     metrics::RequestFacts facts) {
  std::shared_ptr<EngineProcess> engine;
  auto stream = std::make_shared<TokenStream>(generate.request_id);
  {
    std::unique_lock lock(mutex_);
    ++num_waiters_;
    changed_.wait_for(lock, std::chrono::duration<double>(kReadyWaitS),
                      [this] { return stopping_ || status_.state != ReplicaState::kRestarting; });
    --num_waiters_;
    if (stopping_) return Unavailable("the server is shutting down");
    if (status_.state != ReplicaState::kReady || engine_ == nullptr) {
      return Unavailable("model '" + load_.served_model_name + "' is " +
                         std::string(StateName(status_.state)) +
                         (status_.message.empty() ? "" : ": " + status_.message));
    }
    if (in_flight_.size() >= static_cast<size_t>(limits::kRequestsPerEngineMax)) {
      return ResourceExhausted("model '" + load_.served_model_name + "' has " +
                               std::to_string(in_flight_.size()) +
                               " requests in flight, its limit; try again later");
    }
    engine = engine_;
    facts.submit_time_s = MonotonicSeconds();
    in_flight_[generate.request_id] = {stream, std::move(facts)};
  }
  const uint64_t request_id = generate.request_id;
  if (const Status sent = engine->channel().Send(std::move(generate)); !sent.ok()) {
    Deliver(request_id, EngineGone{"the engine ended before it took the request; try again"});
  }
  return stream;
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

void Replica::SetState(ReplicaState state, std::string message) {
  observer_.OnState(StateName(state));
  {
    std::lock_guard lock(mutex_);
    status_.state = state;
    status_.message = std::move(message);
  }
  changed_.notify_all();
}

bool Replica::SleepUnlessStopping(double seconds) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                            [this] { return stopping_; });
}

ReplicaStatus Replica::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

int Replica::num_waiters() const {
  std::lock_guard lock(mutex_);
  return num_waiters_;
}

int Replica::num_queued() const {
  std::lock_guard lock(mutex_);
  return num_queued_;
}

int Replica::num_ongoing() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(in_flight_.size());
}

}  // namespace hearth::models
