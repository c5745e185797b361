// Replica: one engine process of one model, kept alive.
//
// A thread of its own starts the engine, reads its frames, and when it dies answers what was in
// flight with EngineGone and starts it again: at once, then after 1, 2, 4 ... 60 s. An engine that
// says Failed (a model that cannot be loaded) is not started again: the same files would fail the
// same way. Nor is one that was not serving yet, or any more.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "base/result.h"
#include "engine/protocol/messages.h"
#include "firmware/metrics/observer.h"
#include "firmware/models/bell.h"
#include "firmware/models/engine_process.h"
#include "firmware/models/token_stream.h"

namespace hearth::models {

enum class ReplicaState { kLoading, kReady, kRestarting, kFailed, kStopped };

std::string_view StateName(ReplicaState state);  // one of metrics::kModelStates

enum class ReplicaRole {
  kCandidate,  // loads beside what serves and takes probes only; an engine that ends has failed
  kServing,
  kDraining,  // finishes what it has; an engine that ends has stopped
};

struct ReplicaStatus {
  ReplicaState state = ReplicaState::kLoading;
  std::string phase;    // while loading
  double progress = 0;  // of the load, 0..1
  std::string message;  // why it failed or restarts; empty when ready
  int restarts = 0;
  std::string last_crash;  // how the engine ended before the last restart; empty at no restart
  pid_t engine_pid = -1;  // -1 when none runs
  protocol::Ready ready;  // of the last load that succeeded
};

// Any thread.
class Replica {
 public:
  // executable: path of the engine; load: what to serve. observer: null for a candidate, which
  // nothing shall be seen of in the model's series before it serves. bell: rung after every change
  // of state and every end of a request; may be null.
  Replica(std::string executable, protocol::Load load,
          std::unique_ptr<metrics::EngineObserver> observer, std::shared_ptr<Bell> bell);
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
  };

  void Run();
  // One life of an engine. Returns how it ended.
  std::string RunEngine();
  void Engage(const std::shared_ptr<EngineProcess>& engine);
  // The engine's channel has ended.
  void Disengage();
  // After an engine's life: is there to be another? Sets the state that says so.
  bool GoesOn(const std::string& end, double back_off_s);
  void HandleFrame(protocol::Message message);
  void HandleReady(protocol::Ready ready);
  void HandleStep(protocol::StepOutput output);
  std::optional<metrics::RequestFacts> FactsOf(uint64_t request_id) const;
  void Deliver(uint64_t request_id, StreamEvent event);
  void FailInFlight(const std::string& message);
  void SetState(ReplicaState state, std::string message);
  bool SleepUnlessStopping(double seconds);
  void Ring() const {
    if (bell_ != nullptr) bell_->Ring();
  }

  const std::string executable_;
  const protocol::Load load_;
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

  std::thread thread_;
};

}  // namespace hearth::models
