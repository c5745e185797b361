// The lives of a replica's engine: started, watched, listened to, buried.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "firmware/models/engine_log.h"
#include "firmware/models/replica.h"

namespace hearth::models {
namespace {

constexpr size_t kCrashLogLines = 20;
constexpr int kRetryAfterMaxS = 60;
// Between the wish to see an engine's stack and its end.
constexpr std::chrono::milliseconds kStackGrace{200};
// As hearth-engine exits when memory runs out while it serves.
constexpr int kOutOfMemoryExitStatus = 12;

std::atomic<uint64_t> g_next_crash_id{1};

// What the engine was at, in words that tell nothing of any prompt.
std::string Where(const protocol::PulseReading& pulse) {
  return "in step " + std::to_string(pulse.steps + 1) + ": " +
         std::string(protocol::PhaseName(pulse.phase)) + " (batch of " +
         std::to_string(pulse.batch.size()) + ", " + std::to_string(pulse.num_batched_tokens) +
         " tokens" + (pulse.reading_prompt != 0 ? "; a prompt is being read)" : ")");
}

bool IsSuspect(const protocol::PulseReading& pulse, uint64_t request_id) {
  return pulse.reading_prompt == request_id ||
         std::find(pulse.batch.begin(), pulse.batch.end(), request_id) != pulse.batch.end();
}

// "R S S": what the kernel says of each thread of a process (T: stopped, D: waits for a disk).
std::string ThreadStates(pid_t pid) {
  std::string states;
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::ifstream file(task.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const size_t after_name = stat.rfind(") ");
    if (after_name == std::string::npos || after_name + 2 >= stat.size()) continue;
    states += (states.empty() ? "" : " ") + stat.substr(after_name + 2, 1);
  }
  return states;
}

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

// ---- The engine's lives
// -----------------------------------------------------------------------------

void Replica::Run() {
  while (true) {
    const double started_s = MonotonicSeconds();
    End end = RunEngine();
    const auto delay_s = GoesOn(std::move(end), MonotonicSeconds() - started_s);
    if (!delay_s || !SleepUnlessStopping(*delay_s)) break;
  }
  {
    std::lock_guard watching(observer_mutex_);
    std::lock_guard lock(mutex_);
    if (status_.state != ReplicaState::kFailed) status_.state = ReplicaState::kStopped;
    if (observer_ != nullptr) {
      observer_->OnState(StateName(status_.state));
      observer_->OnDegraded(false);
    }
    ended_ = true;
  }
  Ring();
}

Replica::End Replica::RunEngine() {
  EngineLog& log = EngineLog::Of(load_.served_model_name);
  auto output = EngineStderr::Start(&log, options_.index);
  auto started = EngineProcess::Start(executable_, output.ok() ? (*output)->write_fd() : -1);
  if (output.ok()) (*output)->CloseWriteEnd();
  if (!started.ok()) {
    LOG(kError) << started.status().message();
    HandleFailed({started.status().message(), /*is_out_of_memory=*/true});
    return {started.status().message(), "not_started", "", 0, 0};
  }
  const std::shared_ptr<EngineProcess> engine = std::move(started).value();
  Engage(engine);
  ReadFrames(*engine);
  End end;
  Disengage(end);
  // The channel has ended. A killed engine is a zombie by now; one that shuts down gets its grace.
  const bool stopping = [this] {
    std::lock_guard lock(mutex_);
    return stopping_ || renews_;
  }();
  const EngineEnd ended = engine->Wait(stopping ? kShutdownGraceS : 1.0);
  std::lock_guard lock(mutex_);
  end.how = end_known_.empty() ? ended.how : std::exchange(end_known_, "");
  end.reason = !end_reason_.empty()                           ? end_reason_
               : ended.exit_status == kOutOfMemoryExitStatus ? "out_of_memory"
               : ended.exit_status >= 0                      ? "exited"
                                                             : "killed";
  return end;
}

void Replica::ReadFrames(EngineProcess& engine) {
  while (true) {
    auto message = engine.channel().Receive();
    if (message.ok()) {
      num_frames_.fetch_add(1);
      HandleFrame(std::move(message).value());
      continue;
    }
    if (message.status().code() != StatusCode::kUnavailable) {
      LOG(kError) << "the engine sent a broken frame: " << message.status().message();
      std::lock_guard lock(mutex_);
      if (end_reason_.empty()) end_reason_ = "broken_frame";
    }
    return;
  }
}

void Replica::Engage(const std::shared_ptr<EngineProcess>& engine) {
  auto watch = std::make_shared<EngineWatch>(
      options_.stall, [this] { return Look(); }, [this](const std::string& why) { OnStall(why); });
  protocol::Load load = load_;
  {
    std::lock_guard watching(observer_mutex_);
    std::lock_guard lock(mutex_);
    engine_ = engine;
    watch_ = std::move(watch);
    num_frames_ = 0;
    end_known_.clear();
    end_reason_ = {};
    try_again_ = false;
    status_.engine_pid = engine->pid();
    status_.started_ms = WallMillis();
    status_.safe_mode = crash_.safe_mode;
    if (crash_.safe_mode) load = InSafeMode(load_);
    if (status_.state != ReplicaState::kRestarting) status_.state = ReplicaState::kLoading;
    if (stopping_) engine->channel().Shutdown();
    if (observer_ != nullptr) {
      observer_->OnProcessStarted();
      observer_->OnState(StateName(status_.state));
      observer_->OnDegraded(crash_.safe_mode);
    }
  }
  if (const Status sent = engine->channel().Send(load); !sent.ok()) {
    LOG(kWarning) << "the engine went away while it was told what to load: " << sent.message();
  }
}

void Replica::Disengage(End& end) {
  std::shared_ptr<EngineProcess> engine;
  std::shared_ptr<EngineWatch> watch;
  std::unordered_map<uint64_t, InFlight> lost;
  EngineGone gone;
  bool has_crashed = false;
  {
    std::lock_guard lock(mutex_);
    watch.swap(watch_);
  }
  watch.reset();  // while engine_ is set: the pid it may kill is the engine's
  {
    std::lock_guard lock(mutex_);
    engine.swap(engine_);
    lost.swap(in_flight_);
    status_.engine_pid = -1;
    // At once, so that a request that comes now waits for the next engine instead of being refused.
    if (role_ == ReplicaRole::kServing && status_.state != ReplicaState::kFailed) {
      status_.state = ReplicaState::kRestarting;
    }
    if (!stopping_) gone.crash_id = g_next_crash_id.fetch_add(1);
    has_crashed = !stopping_ && !renews_;
    gone.retry_after_s =
        std::clamp(static_cast<int>(std::ceil(status_.ready.load_time_s + crash_.next_delay_s)), 1,
                   kRetryAfterMaxS);
  }
  const protocol::PulseReading pulse = engine->pulse().Read();
  end.where = Where(pulse);
  gone.message = "the engine of model '" + load_.served_model_name +
                 "' ended while it worked on this request; try again";
  for (auto& [request_id, in_flight] : lost) {
    const bool is_requeued =
        gone.crash_id != 0 && !in_flight.has_begun && in_flight.facts.num_requeues == 0;
    ++(is_requeued ? end.requests_requeued : end.requests_failed);
    gone.was_suspect = has_crashed && IsSuspect(pulse, request_id);
    in_flight.stream->Push(gone);
  }
  Ring();
}

std::optional<double> Replica::GoesOn(End end, double lived_s) {
  double delay_s = 0;
  {
    std::lock_guard watching(observer_mutex_);
    std::lock_guard lock(mutex_);
    num_queued_ = 0;
    const double unload_s = stopping_ ? MonotonicSeconds() - stop_time_s_ : 0;
    if (observer_ != nullptr) observer_->OnEngineGone(unload_s);
    if (stopping_ || status_.state == ReplicaState::kFailed) return std::nullopt;
    if (std::exchange(renews_, false)) {
      status_.message = "it is started again in normal mode";
      return 0;
    }
    const std::string message = "the engine of model '" + load_.served_model_name + "' " + end.how;
    if (role_ == ReplicaRole::kCandidate) {
      LOG(kError) << message << " before it served";
      status_.state = ReplicaState::kFailed;
      status_.message = message;
      return std::nullopt;
    }
    if (role_ == ReplicaRole::kDraining) {
      LOG(kError) << message << " while it finished its last requests";
      return std::nullopt;
    }
    const Restart restart = OnCrash(crash_, options_.crash, lived_s, MonotonicSeconds());
    delay_s = restart.delay_s;
    if (restart.turned_degraded) {
      LOG(kError) << "the engine of model '" << load_.served_model_name << "' ended "
                  << crash_.crash_times_s.size() << " times in "
                  << static_cast<int>(options_.crash.within_s / 60)
                  << " minutes; it is run in safe mode until the model is loaded by hand";
    }
    NoteCrashLocked(std::move(end), delay_s);
  }
  Ring();
  return delay_s;
}

void Replica::NoteCrashLocked(End end, double delay_s) {
  std::string message = "the engine of model '" + load_.served_model_name + "' " + end.how;
  message += delay_s > 0
                 ? "; it is started again in " + std::to_string(static_cast<int>(delay_s)) + " s"
                 : "; it is started again";
  LOG(kError) << message << " (" << end.where << "; " << end.requests_requeued
              << " requests are asked again, " << end.requests_failed << " have failed)";
  status_.last_crash = CrashRecord{
      WallMillis(),
      options_.index,
      std::move(end.how),
      std::move(end.where),
      EngineLog::Of(load_.served_model_name).TailOf(options_.index, kCrashLogLines),
      end.requests_failed,
      end.requests_requeued,
      status_.safe_mode};
  ++status_.restarts;
  status_.safe_mode = crash_.safe_mode;
  status_.state = ReplicaState::kRestarting;
  status_.message = std::move(message);
  if (observer_ == nullptr) return;
  observer_->OnRestart();
  observer_->OnCrash(end.reason);
  observer_->OnDegraded(crash_.safe_mode);
  observer_->OnState(StateName(status_.state));
}

// ---- Does it get on?
// --------------------------------------------------------------------------------

StallView Replica::Look() {
  StallView view;
  std::lock_guard lock(mutex_);
  if (engine_ == nullptr) return view;
  if (renews_) EndRenewedLocked();
  view.pulse = engine_->pulse().Read();
  view.is_loading = !Serves(status_.state);
  view.num_in_flight = static_cast<int>(in_flight_.size());
  view.num_frames = num_frames_.load();
  return view;
}

void Replica::OnStall(const std::string& why) {
  pid_t pid = -1;
  std::string where;
  {
    std::lock_guard watching(observer_mutex_);
    std::lock_guard lock(mutex_);
    if (engine_ == nullptr || stopping_) return;  // its time runs out anyway
    pid = engine_->pid();
    where = Where(engine_->pulse().Read());
    end_known_ = why + " and was killed";
    end_reason_ = "stalled";
    ++status_.stalls;
    if (observer_ != nullptr) observer_->OnStall();
  }
  LOG(kError) << "the engine of model '" << load_.served_model_name << "' " << why << " (" << where
              << "; its threads: " << ThreadStates(pid) << "); it is killed";
  kill(pid, SIGUSR2);  // it writes its stack, if it still can
  std::this_thread::sleep_for(kStackGrace);
  kill(pid, SIGKILL);
}

void Replica::EndRenewedLocked() {
  const double waited_s = MonotonicSeconds() - renew_time_s_;
  if (waited_s > 2 * kShutdownGraceS) {
    kill(engine_->pid(), SIGKILL);
  } else if (in_flight_.empty() || waited_s > kShutdownGraceS) {
    (void)engine_->channel().TrySend(protocol::Shutdown{}).ok();  // one that hangs is killed
  }
}

// ---- What it says
// -----------------------------------------------------------------------------------

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
            HandleFailed(std::move(failed));
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
    status_.state = status_.safe_mode ? ReplicaState::kDegraded : ReplicaState::kReady;
    if (status_.safe_mode) {
      status_.message = "its engine ended " + std::to_string(crash_.crash_times_s.size()) +
                        " times in a short time and runs in safe mode: one request at a time, " +
                        "without the prefix cache; load the model again for normal mode";
    }
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
  if (output.stats.duration_s > 0) watch_->OnStep(output.stats.duration_s);
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
    if (std::holds_alternative<protocol::RequestDelta>(event)) it->second.has_begun = true;
    if (is_final) in_flight_.erase(it);
  }
  stream->Push(std::move(event));
  if (is_final) Ring();
}

void Replica::HandleFailed(protocol::Failed failed) {
  {
    std::lock_guard lock(mutex_);
    const bool has_served = status_.ready.num_blocks > 0;
    if (failed.is_out_of_memory && has_served && role_ == ReplicaRole::kServing) {
      end_known_ = "could not be loaded again: " + failed.message;
      end_reason_ = "out_of_memory";
      return;
    }
  }
  SetState(ReplicaState::kFailed, std::move(failed.message));
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
  const auto ends = [this] { return stopping_ || role_ == ReplicaRole::kDraining; };
  changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                    [&] { return ends() || try_again_; });
  return !ends();
}

}  // namespace hearth::models
