// ServiceObserver: a deployment (one served model) as Ray Serve's dashboards see it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "firmware/metrics/registry.h"

namespace hearth::metrics {

// What one pass over a model's replicas found.
struct ReplicaReading {
  std::string engine;  // the replica's index
  bool is_healthy = false;
  int num_ongoing = 0;
};
struct DeploymentReading {
  int num_queued = 0;      // wait in an engine's queue, or for a replica that starts
  int num_placing = 0;     // are being placed on a replica
  int num_in_backoff = 0;  // of these, wait because no replica is ready
  int target_replicas = 0;
  int desired_replicas = 0;
  std::vector<ReplicaReading> replicas;
};

// Any thread. The children of a model exist from construction.
class ServiceObserver {
 public:
  ServiceObserver(Registry* registry, std::string model_name);

  void OnRouted(const std::string& route);  // the request's model is known
  void OnPlaced(const std::string& route);  // a replica took the request
  void OnRequeued();                        // a replica took it once more, its engine had ended
  void OnQuarantined();                     // ended, or refused, since engines die of it
  void OnErrorAnswer(const std::string& route, const std::string& method, int http_status);

  // Of a streamed answer; times from the request's arrival at the front.
  void OnStreamStarted(double router_overhead_s);
  void OnFirstChunk(double ttft_s, std::string_view request_id);
  void OnLaterChunk(double since_last_s);
  void OnStreamEnded(double duration_s);

  void OnReading(const DeploymentReading& reading);

 private:
  Metric* Deployment(MetricId id);
  Metric* Llm(MetricId id) { return registry_->Get(id, {model_name_, "0"}); }
  void Count(MetricId id, const std::string& route);

  Registry* const registry_;
  const std::string model_name_;
  const std::string deployment_;
  Metric *const requeued_, *const quarantined_;
  Metric *const queued_, *const placing_, *const backoff_, *const target_, *const desired_;
  Metric *const ttft_, *const itl_, *const overhead_, *const duration_;
};

}  // namespace hearth::metrics
