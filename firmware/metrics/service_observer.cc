#include "firmware/metrics/service_observer.h"

#include <utility>

#include "firmware/metrics/name_views.h"

namespace hearth::metrics {

using enum MetricId;

ServiceObserver::ServiceObserver(Registry* registry, std::string model_name)
    : registry_(registry),
      model_name_(std::move(model_name)),
      deployment_(DeploymentName(model_name_)),
      requeued_(registry->Get(kRequestsRequeued, {model_name_})),
      quarantined_(registry->Get(kRequestsQuarantined, {model_name_})),
      queued_(Deployment(kServeDeploymentQueuedQueries)),
      placing_(Deployment(kServeNumSchedulingTasks)),
      backoff_(Deployment(kServeNumSchedulingTasksInBackoff)),
      target_(Deployment(kServeAutoscalingTargetReplicas)),
      desired_(Deployment(kServeAutoscalingDesiredReplicas)),
      ttft_(Llm(kServeLlmTimeToFirstToken)),
      itl_(Llm(kServeLlmInterTokenLatency)),
      overhead_(Llm(kServeLlmRouterOverhead)),
      duration_(Llm(kServeLlmRequestDuration)) {}

Metric* ServiceObserver::Deployment(MetricId id) {
  return registry_->Get(id, {std::string(kApplication), deployment_, model_name_});
}

void ServiceObserver::Count(MetricId id, const std::string& route) {
  registry_->Add(registry_->Get(id, {std::string(kApplication), deployment_, model_name_, route}));
}

void ServiceObserver::OnRouted(const std::string& route) {
  Count(kServeHandleRequestCounter, route);
}

void ServiceObserver::OnPlaced(const std::string& route) { Count(kServeNumRouterRequests, route); }

void ServiceObserver::OnRequeued() { registry_->Add(requeued_); }

void ServiceObserver::OnQuarantined() { registry_->Add(quarantined_); }

void ServiceObserver::OnErrorAnswer(const std::string& route, const std::string& method,
                                    int http_status) {
  registry_->Add(registry_->Get(kServeNumDeploymentHttpErrorRequests,
                                {std::string(kApplication), deployment_,
                                 std::to_string(http_status), method, model_name_, route}));
}

void ServiceObserver::OnStreamStarted(double router_overhead_s) {
  registry_->Observe(overhead_, router_overhead_s);
}

void ServiceObserver::OnFirstChunk(double ttft_s, std::string_view request_id) {
  registry_->Observe(ttft_, ttft_s, request_id);
}

void ServiceObserver::OnLaterChunk(double since_last_s) { registry_->Observe(itl_, since_last_s); }

void ServiceObserver::OnStreamEnded(double duration_s) {
  registry_->Observe(duration_, duration_s);
}

void ServiceObserver::OnReading(const DeploymentReading& reading) {
  registry_->Set(queued_, reading.num_queued);
  registry_->Set(placing_, reading.num_placing);
  registry_->Set(backoff_, reading.num_in_backoff);
  registry_->Set(target_, reading.target_replicas);
  registry_->Set(desired_, reading.desired_replicas);
  for (const ReplicaReading& replica : reading.replicas) {
    const auto set = [&](MetricId id, double value) {
      registry_->Set(
          registry_->Get(id, {std::string(kApplication), deployment_, model_name_, replica.engine}),
          value);
    };
    set(kServeReplicaProcessingQueries, replica.num_ongoing);
    set(kServeDeploymentReplicaHealthy, replica.is_healthy ? 1 : 0);
  }
}

}  // namespace hearth::metrics
