// ModelManager: the models this box serves, by name.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "firmware/metrics/request_ledger.h"
#include "firmware/metrics/service_observer.h"
#include "firmware/models/deployment.h"
#include "firmware/models/probe.h"
#include "firmware/models/quarantine.h"
#include "firmware/models/replica.h"
#include "firmware/models/scaler.h"
#include "firmware/models/ticket.h"

namespace hearth::models {

// The name a model is served under when nobody gives one: that of its directory.
std::string NameOfDirectory(const std::string& model_directory);

struct ModelManagerOptions {
  std::string engine_executable;   // path of hearth-engine
  int64_t memory_limit_bytes = 0;  // of all models together; 0: what is free
  // What a person wants to know of models that come and go, as an event's kind and text. Any
  // thread.
  std::function<void(const char* kind, const std::string& text)> on_event =
      [](const char*, const std::string&) {};
};

// Any thread.
class ModelManager {
 public:
  // The others outlive the manager.
  ModelManager(ModelManagerOptions options, metrics::Registry* registry,
               metrics::RequestLedger* ledger);
  ~ModelManager();  // Stop

  // ---- One model

  // Starts serving; returns at once, the load goes on in the replica's thread. A model that was
  // unloaded may be loaded again. kFailedPrecondition when the name is served already or an Unload
  // of it is under way, kResourceExhausted at limits::kModelsMax, kInvalidArgument without a name.
  Status Serve(ModelOptions options);

  // No new requests; those in flight may finish for at most `drain_s`, then get EngineGone. Returns
  // when the engine is gone. The model stays known, as stopped. kNotFound for an unknown one.
  Status Unload(const std::string& model_name, double drain_s);

  // No new requests, and the model is not known any more. Returns at once; those in flight may
  // finish for its graceful_shutdown_timeout_s. kNotFound for an unknown one.
  Status Remove(const std::string& model_name);

  // ---- Sleep

  // The model is loaded, if it sleeps, as a request would do it; one that failed is tried again.
  // Returns at once. kNotFound for an unknown model.
  Status Wake(const std::string& model_name);

  // Its engines end when their requests have, and its memory is free until it is asked for. Returns
  // at once. kFailedPrecondition when its min_replicas forbids it, kNotFound for an unknown model.
  Status Sleep(const std::string& model_name);

  // At once, without touching the engine: limits, objectives, log_engine_metrics. kNotFound for an
  // unknown model, kInvalidArgument when options.load is another than the one that is served.
  Status ApplyLive(const ModelOptions& options);
  Status SetLogEngineMetrics(const std::string& model_name, bool shown);
  Status SetSloTargets(const std::string& model_name, const metrics::SloTargets& targets);

  // ---- The exchange of what a name serves

  // Starts an engine beside what serves. It gets no requests and shows in no series; an engine that
  // ends has failed and is not started again. Look at its status() until it is kReady; to drop it,
  // let go of it (the destructor ends the engine, at the latest after Replica::kShutdownGraceS).
  Result<std::shared_ptr<Replica>> StartCandidate(const ModelOptions& options);

  // One real generation through a candidate that is ready (see RunProbe). Blocks.
  Result<ProbeAnswer> Probe(Replica& candidate, double timeout_s,
                            const std::function<bool()>& give_up = {});

  // Every request that comes from now on goes to the candidate, and every one that waits in line.
  // Old replicas finish what they have, for at most the graceful_shutdown_timeout_s they were
  // started with, in the background. A name that is not served yet is served from now on. Nothing
  // has changed on kFailedPrecondition (the candidate is not ready any more) or kResourceExhausted
  // (as in Serve).
  Status SwitchTo(ModelOptions options, std::shared_ptr<Replica> candidate);

  // Requests wait in line from now on, each at most wait_s, then kUnavailable. For an exchange
  // whose two engines do not fit together: Hold, StopReplicas, StartCandidate, Probe, SwitchTo,
  // Release. kNotFound for a model that is not served.
  Status Hold(const std::string& model_name, double wait_s);
  Status Release(const std::string& model_name);

  // Of a model that is held: what is in flight finishes, for at most drain_s, then its engine ends.
  // Returns when it is gone. kAborted when give_up() said so in time: the engine serves on.
  Status StopReplicas(const std::string& model_name, double drain_s,
                      const std::function<bool()>& give_up = {});

  // Where an exchange has left nothing that serves: an engine like Serve's, started again when it
  // dies, in the place of whatever there is. Returns at once; those in line of a held model wait
  // on.
  Status ServeAnew(ModelOptions options);

  // Old replicas of the model that have not ended yet, and the requests they still work on.
  int num_draining(const std::string& model_name) const;
  int num_draining_requests(const std::string& model_name) const;

  // ---- Requests

  // Assigns the request id and hands the request to the model's replica with the fewest ongoing
  // requests; waits in line where it must (Deployment::Place, which also names the errors).
  // model_name: a name or an alias; may be empty when exactly one model is served. kNotFound for an
  // unknown model, kInvalidArgument for none where several are served, and for a request in
  // quarantine. client_gone: asked while the request waits, now or when it is placed once more; may
  // be empty.
  Result<Ticket> Submit(const std::string& model_name, protocol::Generate generate,
                        metrics::RequestFacts facts, const std::function<bool()>& client_gone = {});

  // The served name that `model_name` means; errors as of Submit.
  Result<std::string> Resolve(const std::string& model_name) const;

  // Of a name that Resolve gave.
  metrics::ServiceObserver& ObserverOf(const std::string& model_name) const;

  // Requests that engines died of.
  Quarantine& quarantine() { return quarantine_; }

  // Of all models that are known.
  std::vector<ModelStatus> Statuses() const;

  // One pass over all replicas: their state becomes metrics. Once a second.
  void Observe();

  // Ends every engine, candidates too; requests get EngineGone or kUnavailable. Idempotent.
  void Stop();

 private:
  using DeploymentPtr = std::shared_ptr<Deployment>;
  struct Draining {
    std::shared_ptr<Replica> replica;
    std::string model_name;
    double deadline_s = 0;  // monotonic
  };

  DeploymentPtr FindLocked(const std::string& model_name) const;
  Result<DeploymentPtr> Find(const std::string& model_name) const;
  Result<DeploymentPtr> FindKnown(const std::string& model_name) const;
  Result<DeploymentPtr> FindOrMakeLocked(const ModelOptions& options);
  DeploymentPtr FindAliasLocked(const std::string& alias) const;
  std::string ServedNamesLocked() const;
  Status NoSuchModelLocked(const std::string& model_name) const;
  std::shared_ptr<Bell> BellOfLocked(const std::string& model_name);
  void ShowEngineMetrics(const std::string& model_name, bool shown);
  Status LoadLocked(ModelOptions options);
  void DrainLocked(const std::string& model_name, const Deployment::Replicas& replicas,
                   double timeout_s);
  void RunDrainer();

  std::vector<Tenant> OtherTenants() const;
  bool ExchangeIsUnderWay() const;
  ScalerHost HostOfScaler();

  const ModelManagerOptions options_;
  metrics::Registry* const registry_;
  metrics::RequestLedger* const ledger_;
  metrics::Metric *const loop_duration_, *const num_loops_;
  std::atomic<uint64_t> next_request_id_{1};
  Quarantine quarantine_;
  uint64_t loops_ = 0;  // Observe only

  mutable std::mutex mutex_;                // guards what follows; before the deployments'
  std::vector<DeploymentPtr> deployments_;  // are added, never removed
  std::map<std::string, std::shared_ptr<Bell>>
      bells_;                           // by model: also of one yet to be switched to
  std::map<std::string, int> unloads_;  // calls of Unload under way
  std::vector<std::weak_ptr<Replica>> candidates_;
  std::vector<Draining> draining_;
  bool stopping_ = false;
  std::condition_variable drain_changed_;

  std::mutex stop_mutex_;  // one caller of Stop joins; before the others
  std::thread drainer_;
  const std::shared_ptr<Bell> scaler_bell_ = std::make_shared<Bell>();
  Scaler scaler_;  // last: its thread uses the rest
};

}  // namespace hearth::models
