// Deployment: one served model as its clients see it: a name, the replicas that answer, and the line
// in which requests wait while none can take them.
//
// Replicas are exchanged under the same lock under which a request is given to one. So a request
// either is in flight on the old replica, which finishes it, or finds the new one.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "firmware/metrics/service_observer.h"
#include "firmware/metrics/slo.h"
#include "firmware/models/bell.h"
#include "firmware/models/replica.h"

namespace hearth::models {

// What to serve, how, and how to watch it.
struct ModelOptions {
  protocol::Load load;
  bool log_engine_metrics = true;  // show and record the model's vllm:* families
  metrics::SloTargets slo;
  // Ray Serve's deployment_config; all three can be changed while the model serves.
  int64_t max_ongoing_requests = 1'000'000'000;  // of a replica; more wait in line
  int64_t max_queued_requests = -1;  // of those that wait because of it; -1: no bound of its own
  double graceful_shutdown_timeout_s = 600;  // how long a replica that goes may finish requests
};

struct ModelStatus {
  std::string model_name;
  std::string path;
  double created_time_s = 0;  // Unix: when this box began to serve it
  bool log_engine_metrics = true;
  metrics::SloTargets slo;
  ReplicaStatus replica;
  int num_ongoing = 0;
  int num_waiting = 0;   // in line
  bool is_held = false;  // requests wait until a replica is exchanged
  ModelOptions options;
};

class Deployment {
 public:
  // bell: that of the replicas this will serve with; those that wait in line listen to it.
  Deployment(ModelOptions options, metrics::Registry* registry, std::shared_ptr<Bell> bell);
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;

  const std::string& model_name() const { return model_name_; }
  metrics::ServiceObserver& observer() { return observer_; }
  metrics::SloJudge& slo() { return slo_; }

  // ---- Requests

  struct Placed {
    std::shared_ptr<Replica> replica;
    std::shared_ptr<TokenStream> stream;
  };

  // Gives the request to the replica with the fewest ongoing ones; where none can take it, waits in
  // line: for a place (max_ongoing_requests) at most kLineWaitS, for an engine that restarts at most
  // kReadyWaitS, while held at most what Hold said. client_gone is asked about ten times a second and
  // may be empty. kUnavailable: no replica, too long in line, or max_queued_requests wait already;
  // kResourceExhausted at limits::kRequestsPerEngineMax; kAborted: the client left; kNotFound: the
  // model went.
  Result<Placed> Place(protocol::Generate generate, metrics::RequestFacts facts,
                       const std::function<bool()>& client_gone);

  // A client of an API waits ten minutes for its answer unless told otherwise (OpenAI's SDKs).
  static constexpr double kLineWaitS = 600;
  static constexpr double kReadyWaitS = 10;

  // ---- Replicas

  using Replicas = std::vector<std::shared_ptr<Replica>>;

  // Serves with this replica, at once. Returns the replicas that go: they take no more requests and
  // have handed their gauges over, the caller drains them.
  Result<Replicas> Serve(ModelOptions options, std::shared_ptr<Replica> candidate);
  // Serves with an engine that is yet to load: requests are refused until it has. Returns as Serve.
  Replicas Load(const std::string& executable, ModelOptions options);
  // No new requests, those in line get kNotFound. The replicas stay known, and take no more.
  Replicas Close();
  // Of one that is held: its replicas finish what they have, for at most drain_s, then end. Returns
  // when they are gone. kAborted when give_up() said so and they serve again.
  Status StopReplicas(double drain_s, const std::function<bool()>& give_up);

  void Hold(double wait_s);
  void Release();
  void SetLive(const ModelOptions& options);  // all but the load
  void Shutdown();                            // those in line get kUnavailable, now and later

  // A model that was unloaded is known; one that was removed is not, until it is served again.
  void Forget();
  bool is_served() const;
  bool is_known() const;
  ModelOptions options() const;
  Replicas replicas() const;
  ModelStatus status() const;
  void Observe();  // its state becomes metrics

 private:
  enum class Verdict { kPlaced, kWait, kRefused };
  enum class Reason { kNone, kHeld, kRestarting, kFull };
  struct Visit;  // one request's stay in Place

  Verdict LookLocked(Visit& visit);
  Verdict WaitOrRefuseLocked(Visit& visit, Reason reason, double wait_s, const std::string& why);
  void LeaveLineLocked(const Visit& visit);
  std::shared_ptr<Replica> LeastBusyLocked() const;
  std::unique_ptr<metrics::EngineObserver> NewObserver();

  metrics::Registry* const registry_;
  const std::string model_name_;
  const double created_time_s_;
  const std::shared_ptr<Bell> bell_;
  metrics::SloJudge slo_;
  metrics::ServiceObserver observer_;
  std::atomic<int> num_placing_{0};

  mutable std::mutex mutex_;  // guards what follows; before the replicas'
  ModelOptions options_;
  Replicas replicas_;
  std::deque<uint64_t> line_;  // request ids; the front goes first
  int num_in_backoff_ = 0;     // of the line: wait because no replica is ready
  bool is_served_ = false;
  bool is_forgotten_ = false;
  bool is_held_ = false;
  double hold_wait_s_ = 0;
  bool is_shut_down_ = false;
};

}  // namespace hearth::models
