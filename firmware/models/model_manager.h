// ModelManager: the models this box serves, by name.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "firmware/metrics/request_ledger.h"
#include "firmware/metrics/service_observer.h"
#include "firmware/models/replica.h"

namespace hearth::models {

// What to serve and how to watch it.
struct ModelOptions {
  protocol::Load load;
  bool log_engine_metrics = true;  // show and record the model's vllm:* families
  metrics::SloTargets slo;
};

// The name a model is served under when nobody gives one: that of its directory.
std::string NameOfDirectory(const std::string& model_directory);

struct ModelStatus {
  std::string model_name;
  std::string path;
  double created_time_s = 0;  // Unix: when this box began to serve it
  bool log_engine_metrics = true;
  metrics::SloTargets slo;
  ReplicaStatus replica;
  int num_ongoing = 0;
};

// A submitted request. Destroying it before its final event was read aborts the request in the
// engine.
class Ticket {
 public:
  Ticket(std::shared_ptr<Replica> replica, std::shared_ptr<TokenStream> stream)
      : replica_(std::move(replica)), stream_(std::move(stream)) {}
  ~Ticket();
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&&) = delete;

  std::optional<StreamEvent> Next(std::chrono::duration<double> timeout);

 private:
  std::shared_ptr<Replica> replica_;
  std::shared_ptr<TokenStream> stream_;  // null after a move
  bool finished_ = false;
};

// Any thread.
class ModelManager {
 public:
  // engine_executable: path of hearth-engine. The others outlive the manager.
  ModelManager(std::string engine_executable, metrics::Registry* registry,
               metrics::RequestLedger* ledger);

  // Starts serving; returns at once, the load goes on in the replica's thread. A model that was
  // unloaded may be loaded again. kFailedPrecondition when the name is served already or its last
  // engine still ends, kResourceExhausted at limits::kModelsMax, kInvalidArgument without a name.
  Status Serve(ModelOptions options);

  // No new requests; those in flight may finish for at most `drain_s`, then get EngineGone. Returns
  // when the engine is gone. The model stays known, as stopped. kNotFound for an unknown one.
  Status Unload(const std::string& model_name, double drain_s);

  // At once, without touching the engine. kNotFound for an unknown model.
  Status SetLogEngineMetrics(const std::string& model_name, bool shown);
  Status SetSloTargets(const std::string& model_name, const metrics::SloTargets& targets);

  // Assigns the request id and hands the request to the model's replica with the fewest ongoing
  // requests. model_name may be empty when exactly one model is served. kNotFound for an unknown
  // model.
  Result<Ticket> Submit(const std::string& model_name, protocol::Generate generate,
                        metrics::RequestFacts facts);

  // The served name that `model_name` means, or kNotFound with the names that are served.
  Result<std::string> Resolve(const std::string& model_name) const;

  // Of a name that Resolve gave.
  metrics::ServiceObserver& ObserverOf(const std::string& model_name) const;

  std::vector<ModelStatus> Statuses() const;

  // One pass over all replicas: their state becomes metrics. Once a second.
  void Observe();

  void Stop();

 private:
  struct Model {
    Model(ModelOptions options_in, metrics::Registry* registry);

    ModelOptions options;  // under the manager's mutex
    const double created_time_s;
    metrics::SloJudge slo;
    metrics::ServiceObserver observer;
    std::vector<std::shared_ptr<Replica>> replicas;  // under the manager's mutex
    bool is_served = true;                           // under the manager's mutex; not unloaded
    int num_unloads = 0;                             // under the manager's mutex; calls under way
    std::atomic<int> num_placing{0};
  };
  using ModelPtr = std::shared_ptr<Model>;

  ModelPtr FindLocked(const std::string& model_name) const;
  Result<ModelPtr> Find(const std::string& model_name) const;
  Status NoSuchModel(const std::string& model_name) const;
  void ShowEngineMetrics(const std::string& model_name, bool shown);

  const std::string engine_executable_;
  metrics::Registry* const registry_;
  metrics::RequestLedger* const ledger_;
  metrics::Metric *const loop_duration_, *const num_loops_;
  mutable std::mutex mutex_;
  std::vector<ModelPtr> models_;  // models are added, never removed
  std::atomic<uint64_t> next_request_id_{1};
  uint64_t loops_ = 0;  // Observe only
};

}  // namespace hearth::models
