// Replica: one engine process of one model, kept alive.
//
// A thread of its own starts the engine, reads its frames, and when it dies answers what was in
// flight with EngineGone and starts it again: at once, then after 1, 2, 4 ... 60 s. An engine that
// says Failed (a model that cannot be loaded) is not started again: the same files would fail the
// same way.
#pragma once

#include <atomic>
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
#include "firmware/models/engine_process.h"
#include "firmware/models/token_stream.h"

namespace hearth::models {

enum class ReplicaState { kLoading, kReady, kRestarting, kFailed, kStopped };

std::string_view StateName(ReplicaState state);  // one of metrics::kModelStates

struct ReplicaStatus {
  ReplicaState state = ReplicaState::kLoading;
  std::string phase;    // while loading
  double progress = 0;  // of the load, 0..1
  std::string message;  // why it failed or restarts; empty when ready
  int restarts = 0;
  pid_t engine_pid = -1;  // -1 when none runs
  protocol::Ready ready;  // of the last load that succeeded
};

class Replica {
 public:
  // executable: path of the engine; load: what to serve.
  // registry, slo: outlive the replica.
  Replica(std::string executable, protocol::Load load, metrics::Registry* registry,
          metrics::SloJudge* slo, int index);
  ~Replica();

  // Sends the request to the engine. kUnavailable when none is ready, kResourceExhausted at
  // limits::kRequestsPerEngineMax. A replica that restarts is waited for, at most kReadyWaitS.
  Result<std::shared_ptr<TokenStream>> Submit(protocol::Generate generate,
                                              metrics::RequestFacts facts);

  // The client went away: the engine frees the sequence; its last event is still delivered.
  void Abort(uint64_t request_id);

  ReplicaStatus status() const;
  int num_ongoing() const;
  int num_waiters() const;  // Submit calls that wait for the engine to come back
  int num_queued() const;   // requests in the engine's queue

  // Ends the engine and the thread. In-flight requests get EngineGone. Idempotent; any thread.
  void Stop();

  static constexpr double kReadyWaitS = 10;

 private:
  struct InFlight {
    std::shared_ptr<TokenStream> stream;
    metrics::RequestFacts facts;
  };

  void Run();
  // One life of an engine. Returns how it ended.
  std::string RunEngine();
  void HandleFrame(protocol::Message message);
  void HandleStep(protocol::StepOutput output);
  std::optional<metrics::RequestFacts> FactsOf(uint64_t request_id) const;
  void Deliver(uint64_t request_id, StreamEvent event);
  void FailInFlight(const std::string& message);
  void SetState(ReplicaState state, std::string message);
  bool SleepUnlessStopping(double seconds);

  const std::string executable_;
  const protocol::Load load_;
  metrics::EngineObserver observer_;  // used by the thread only

  std::mutex stop_mutex_;     // one caller of Stop joins; before mutex_
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  ReplicaStatus status_;
  std::shared_ptr<EngineProcess> engine_;  // null when none runs
  std::unordered_map<uint64_t, InFlight> in_flight_;
  bool stopping_ = false;
  double stop_time_s_ = 0;  // when Stop was called; 0 before
  int num_waiters_ = 0;
  int num_queued_ = 0;

  std::thread thread_;
};

}  // namespace hearth::models
