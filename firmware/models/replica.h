// Replica: one engine process of one model, kept alive.
//
// A thread of its own starts the engine, reads its frames, and when it dies answers what was in
// flight with EngineGone and starts it again, by crash_policy.h. An engine that does not get on is
// killed (stall_watch.h), which makes it one that died. An engine that says Failed (a model that
// cannot be loaded) is not started again: the same files would fail the same way; only where memory
// ran out for a model that has been served, it may fit again later. Nor is one that was not serving
// yet, or any more.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/protocol/messages.h"
#include "firmware/metrics/observer.h"
#include "firmware/models/bell.h"
#include "firmware/models/crash_policy.h"
#include "firmware/models/engine_process.h"
#include "firmware/models/engine_watch.h"
#include "firmware/models/token_stream.h"

namespace hearth::models {

// kDegraded serves, but in safe mode, because its engine kept ending.
enum class ReplicaState { kLoading, kReady, kRestarting, kDegraded, kFailed, kStopped };

std::string_view StateName(ReplicaState state);  // one of metrics::kModelStates

// Does an engine answer requests in this state?
inline bool Serves(ReplicaState state) {
  return state == ReplicaState::kReady || state == ReplicaState::kDegraded;
}

enum class ReplicaRole {
  kCandidate,  // loads beside what serves and takes probes only; an engine that ends has failed
  kServing,
  kDraining,  // finishes what it has; an engine that ends has stopped
};

// How an engine ended unasked.
struct CrashRecord {
  int64_t time_ms = 0;  // Unix
  int replica = 0;
  std::string how;    // "was killed by signal 9 (Killed)"
  std::string where;  // "in step 12: forward (batch of 3, 512 tokens)"
  std::vector<std::string> log;  // the last of what it said on stderr, oldest first
  int requests_failed = 0;
  int requests_requeued = 0;
  bool safe_mode = false;  // it ran in
};

struct ReplicaOptions {
  int index = 0;  // among the replicas of its model
  CrashLimits crash = {};
  StallLimits stall = {};
};

struct ReplicaStatus {
  ReplicaState state = ReplicaState::kLoading;
  std::string phase;    // while loading
  double progress = 0;  // of the load, 0..1
  std::string message;  // why it failed or restarts; empty when ready
  int restarts = 0;
  int stalls = 0;    // of the restarts, those of an engine that did not get on
  bool safe_mode = false;      // of the engine that runs, or is started next
  bool seems_stalled = false;  // has not moved for half the time that makes a stall
  std::optional<CrashRecord> last_crash;
  pid_t engine_pid = -1;   // -1 when none runs
  int64_t started_ms = 0;  // Unix: when the engine was started; 0 before the first
  uint64_t steps = 0;      // that this engine has finished
  protocol::Ready ready;  // of the last load that succeeded
};

// Any thread.
class Replica {
 public:
  // executable: path of the engine; load: what to serve. observer: null for a candidate, which
  // nothing shall be seen of in the model's series before it serves. bell: rung after every change
  // of state and every end of a request; may be null.
  Replica(std::string executable, protocol::Load load,
          std::unique_ptr<metrics::EngineObserver> observer, std::shared_ptr<Bell> bell,
          const ReplicaOptions& options = {});
  ~Replica();

  // ---- Requests

  enum class Outcome {
    kTaken,
    kFull,         // it has max_ongoing requests
    kRestarting,   // its engine is being started again
    kLoading,      // its engine loads for the first time
    kUnavailable,  // it has failed or has stopped, or takes no more: `why` says which
  };
  struct Taken {
    Outcome outcome = Outcome::kUnavailable;
    Status why;                               // unless kTaken
    std::shared_ptr<TokenStream> stream;      // of kTaken
    std::shared_ptr<EngineProcess> engine;    // of kTaken: whom to send it to
  };

  // Makes room for a request, for Send to follow. Never blocks. A replica that drains takes none.
  Taken Take(uint64_t request_id, metrics::RequestFacts facts, int64_t max_ongoing);

  // Hands a request that was taken to the engine; may wait for an engine that does not read. False
  // when the engine was gone: the request is not in flight any more, and may go elsewhere.
  bool Send(const Taken& taken, const protocol::Message& generate);

  // A generation through a candidate that is ready. kFailedPrecondition for any other replica.
  Result<std::shared_ptr<TokenStream>> SubmitProbe(protocol::Generate generate);

  // The client went away: the engine frees the sequence; its last event is still delivered.
  void Abort(uint64_t request_id);

  // ---- Roles

  // The candidate serves from now on: an engine that ends is started again. kFailedPrecondition when
  // it is no candidate or not ready (any more).
  Status Promote();
  // Takes no more requests.
  void Retire();
  // Takes requests again. False when its engine ended meanwhile.
  bool Unretire();
  // By hand: forgets what crashed, and runs the engine in normal mode, at once where it waits to be
  // started again; one that serves in safe mode first finishes what it has, for at most
  // kShutdownGraceS. False for a replica that has ended or goes: it takes a new one.
  bool TryAgain();
  // Shows the engine in the model's series, as it is now.
  void Attach(std::unique_ptr<metrics::EngineObserver> observer);
  // The model's gauges are another engine's from now on; what this one still does is counted.
  void HandGaugesOver();

  ReplicaStatus status() const;
  ReplicaRole role() const;
  const protocol::Load& load() const { return load_; }
  int num_ongoing() const;
  int num_queued() const;  // requests in the engine's queue

  // ---- The end

  // Tells the engine to end; in-flight requests get EngineGone. Returns at once. Idempotent.
  void BeginStop();
  // Has the thread ended? After BeginStop this gives an engine kShutdownGraceS and then kills it.
  bool HasEnded();
  // BeginStop, and waits for the end of engine and thread. Idempotent.
  void Stop();

  static constexpr double kShutdownGraceS = 5;

 private:
  struct InFlight {
    std::shared_ptr<TokenStream> stream;
    metrics::RequestFacts facts;
    bool has_begun = false;  // a token was handed on
  };
  // What is known of an engine's end.
  struct End {
    std::string how;
    std::string_view reason;  // one of metrics::kCrashReasons
    std::string where;
    int requests_failed = 0;
    int requests_requeued = 0;
  };

  void Run();
  // One life of an engine.
  End RunEngine();
  void ReadFrames(EngineProcess& engine);
  void Engage(const std::shared_ptr<EngineProcess>& engine);
  // The engine's channel has ended: nothing is in flight any more.
  void Disengage(End& end);
  // After an engine's life: how long until the next; empty when there is to be none. Sets the state
  // that says so.
  std::optional<double> GoesOn(End end, double lived_s);
  void NoteCrashLocked(End end, double delay_s);
  StallView Look();
  void OnStall(const std::string& why);
  void EndRenewedLocked();
  void HandleFrame(protocol::Message message);
  void HandleReady(protocol::Ready ready);
  void HandleStep(protocol::StepOutput output);
  std::optional<metrics::RequestFacts> FactsOf(uint64_t request_id) const;
  void HandleFailed(protocol::Failed failed);
  void Deliver(uint64_t request_id, StreamEvent event);
  void SetState(ReplicaState state, std::string message);
  bool SleepUnlessStopping(double seconds);
  void Ring() const {
    if (bell_ != nullptr) bell_->Ring();
  }

  const std::string executable_;
  const protocol::Load load_;
  const ReplicaOptions options_;
  const std::shared_ptr<Bell> bell_;

  // Guards observer_ and makes its view and status_ change together; before mutex_.
  std::mutex observer_mutex_;
  std::unique_ptr<metrics::EngineObserver> observer_;  // null while nothing is to be seen

  std::mutex stop_mutex_;     // one caller of Stop joins; before the others
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  ReplicaRole role_;
  ReplicaStatus status_;
  std::shared_ptr<EngineProcess> engine_;  // null when none runs
  std::unordered_map<uint64_t, InFlight> in_flight_;
  bool stopping_ = false;
  bool ended_ = false;      // the thread touches nothing any more
  bool killed_ = false;     // the engine had its grace
  double stop_time_s_ = 0;  // when BeginStop was called; 0 before
  int num_queued_ = 0;
  std::shared_ptr<EngineWatch> watch_;  // of engine_
  // Why the engine is about to end, where that is known before; empty otherwise.
  std::string end_known_;
  std::string_view end_reason_;
  CrashState crash_;
  bool renews_ = false;      // the engine in safe mode makes room for one in normal mode
  bool try_again_ = false;   // wakes one that waits to be started again
  double renew_time_s_ = 0;  // when TryAgain was called
  std::atomic<uint64_t> num_frames_{0};  // of this engine

  std::thread thread_;
};

}  // namespace hearth::models
