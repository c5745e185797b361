// Deployment: one served model as its clients see it: a name, the replicas that answer, and the
// line in which requests wait while none can take them.
//
// Replicas come and go under the same lock under which a request is given to one. So a request
// either is in flight on a replica that goes, which finishes it, or finds another one. How many
// there shall be, the Scaler decides; a model whose target is 0 is asleep, and a request wakes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "firmware/metrics/model_observer.h"
#include "firmware/metrics/service_observer.h"
#include "firmware/metrics/slo.h"
#include "firmware/models/autoscaling_policy.h"
#include "firmware/models/bell.h"
#include "firmware/models/memory_room.h"
#include "firmware/models/prefix_affinity.h"
#include "firmware/models/replica.h"

namespace hearth::models {

// What to serve, how, and how to watch it.
struct ModelOptions {
  protocol::Load load;
  // All that follows can be changed while the model serves.
  bool log_engine_metrics = true;  // show and record the model's vllm:* families
  metrics::SloTargets slo;
  std::vector<std::string> aliases;  // other names clients may use
  bool pinned = false;               // gives way to no other model, even when it may sleep
  // Ray Serve's deployment_config.
  AutoscalingOptions autoscaling;
  bool autoscales = false;  // false: the bounds of `autoscaling` are one number
  int64_t max_ongoing_requests = 1'000'000'000;  // of a replica; more wait in line
  int64_t max_queued_requests = -1;  // of those that wait because of it; -1: no bound of its own
  double graceful_shutdown_timeout_s = 600;  // how long a replica that goes may finish requests
};

struct ReplicaView {
  int index = 0;
  ReplicaStatus status;
  int num_ongoing = 0;
  int num_queued = 0;
  int64_t started_ms = 0;  // Unix
};

// What the scaler thinks of a model.
struct ScaleReport {
  ScaleDecision decision;
  double requests = 0;  // mean over look_back_period_s
  std::string
      prevented_by;  // why there are fewer replicas than there shall be; empty: there are not
};

struct ModelStatus {
  std::string model_name;
  std::string path;
  double created_time_s = 0;  // Unix: when this box began to serve it
  std::string_view state;     // one of metrics::kModelStates
  std::string why;            // why it does not serve as it should, or "asleep since ..."
  bool log_engine_metrics = true;
  metrics::SloTargets slo;
  std::vector<ReplicaView> replicas;
  // Of the replica that is best off; of an asleep model what its last one was, without a process.
  ReplicaStatus replica;
  int num_ongoing = 0;
  int num_waiting = 0;       // in line
  int64_t last_used_ms = 0;  // Unix; 0: never
  bool is_held = false;      // requests wait until a replica is exchanged
  bool is_asleep = false;    // no engine; a request wakes it
  int target_replicas = 0;
  ScaleReport scale;
  ModelOptions options;
};

class Deployment {
 public:
  // bell: that of the replicas this will serve with; those that wait in line listen to it.
  // scaler_bell: rung when a request comes to a model that is asleep.
  Deployment(ModelOptions options, metrics::Registry* registry, std::shared_ptr<Bell> bell,
             std::shared_ptr<Bell> scaler_bell);
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

  // Gives the request to the replica with the fewest ongoing ones, and among equals to the one that
  // has seen the beginning of its prompt. Where none can take it, waits in line: for a place
  // (max_ongoing_requests) or a model that wakes at most kLineWaitS, for an engine that restarts at
  // most kReadyWaitS, while held at most what Hold said. client_gone is asked about ten times a
  // second and may be empty. kUnavailable: no replica, too long in line, or max_queued_requests
  // wait already; kResourceExhausted at limits::kRequestsPerEngineMax; kAborted: the client left;
  // kNotFound: the model went.
  Result<Placed> Place(protocol::Generate generate, metrics::RequestFacts facts,
                       const std::function<bool()>& client_gone);

  // A client of an API waits ten minutes for its answer unless told otherwise (OpenAI's SDKs).
  static constexpr double kLineWaitS = 600;
  static constexpr double kReadyWaitS = 10;

  // ---- Replicas

  using Replicas = std::vector<std::shared_ptr<Replica>>;

  // Serves with this replica, at once, and with more of them later where there shall be more.
  // Returns the replicas that go: they take no more requests and have handed their gauges over, the
  // caller drains them.
  Result<Replicas> Serve(ModelOptions options, std::shared_ptr<Replica> candidate);
  // Serves with an engine that is yet to load: requests are refused until it has. A model that
  // begins with no replica sleeps. Returns as Serve.
  Replicas Load(const std::string& executable, ModelOptions options);
  // No new requests, those in line get kNotFound. The replicas stay known, and take no more.
  Replicas Close();
  // Of one that is held: its replicas finish what they have, for at most drain_s, then end. Returns
  // when they are gone. kAborted when give_up() said so and they serve again.
  Status StopReplicas(double drain_s, const std::function<bool()>& give_up);

  void Hold(double wait_s);
  void Release();
  void SetLive(const ModelOptions& options);  // all but the load

  // ---- How many replicas (for the Scaler)

  struct ScaleReading {
    bool may_scale = false;  // served, and neither held nor shut down
    double requests = 0;     // ongoing, in line and on their way
    int num_waiting = 0;
    int ready = 0;
    int alive = 0;  // that serve or will: neither failed nor stopped
    int failed = 0;
    int target = 0;
    bool wanted = false;  // asleep, and a request waits
    std::string failure;  // of a replica that failed
  };
  ScaleReading ReadScale() const;
  void SetTarget(int target);
  // One more, with what the memory room gave it. Nothing where there are enough already.
  void StartReplica(const std::string& executable, const protocol::Load& load,
                    const Footprint& footprint);
  // Those beyond the target, failed and least busy ones first: they take no more requests, the
  // caller drains them.
  Replicas TakeSurplus();
  // This replica, if it is idle and one may go; the target falls with it. Empty: it is not so.
  Replicas GiveWay(int index);
  // Failed ones beside others that serve.
  Replicas TakeFailed();
  // Puts the model to sleep. kFailedPrecondition where min_replicas forbids it.
  Result<Replicas> Sleep();
  void Wake();
  std::vector<Tenant> tenants() const;
  void SetReport(ScaleReport report);
  void NoteAwake(double duration_s);  // since it was woken
  // Requests for a model that cannot get its memory are refused with the reason for some seconds,
  // until one tries again. Empty: they are not.
  void RefuseWaking(std::string why);
  void Shutdown();  // those in line get kUnavailable, now and later

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
  enum class Reason { kNone, kHeld, kRestarting, kWaking, kFull };
  struct Visit;  // one request's stay in Place
  struct Slot {
    int index = 0;
    std::shared_ptr<Replica> replica;
    Footprint footprint;  // expected, until the engine says
    int64_t started_ms = 0;
  };

  Verdict LookLocked(Visit& visit);
  Verdict TakeLocked(Visit& visit);
  Verdict WaitOrRefuseLocked(Visit& visit, Reason reason, double wait_s, const std::string& why);
  void LeaveLineLocked(Visit& visit);
  bool IsAsleepLocked() const;
  void JudgeLocked(ModelStatus& status) const;
  std::vector<const Slot*> InOrderLocked(const Visit& visit) const;
  int FreeIndexLocked() const;
  Replicas RetireLocked(const std::function<bool(const Slot&)>& goes);
  void AddLocked(int index, std::shared_ptr<Replica> replica, const Footprint& footprint);
  void ClampTargetLocked();
  std::unique_ptr<metrics::EngineObserver> NewObserver(int index);

  metrics::Registry* const registry_;
  const std::string model_name_;
  const double created_time_s_;
  const std::shared_ptr<Bell> bell_, scaler_bell_;
  metrics::SloJudge slo_;
  metrics::ServiceObserver observer_;
  metrics::ModelObserver model_observer_;
  std::atomic<int> num_placing_{0};

  mutable std::mutex mutex_;  // guards what follows; before the replicas'
  ModelOptions options_;
  std::vector<Slot> slots_;
  std::deque<uint64_t> line_;  // request ids; the front goes first
  int num_in_backoff_ = 0;     // of the line: wait because no replica is ready
  int target_ = 0;
  bool wanted_ = false;  // somebody asks for a model that is asleep
  std::string refuse_waking_;
  double refuse_until_s_ = 0;
  ScaleReport report_;
  ReplicaStatus last_status_;  // of the last replica that went
  PrefixAffinity affinity_;
  double last_used_s_ = 0;  // monotonic
  int64_t last_used_ms_ = 0;
  bool was_served_ = false;
  bool is_served_ = false;
  bool is_forgotten_ = false;
  bool is_held_ = false;
  double hold_wait_s_ = 0;
  bool is_shut_down_ = false;

  std::set<int> observed_replicas_;  // Observe only
};

}  // namespace hearth::models
