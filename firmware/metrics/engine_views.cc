// Other names of engine and service families.
#include <array>

#include "firmware/metrics/name_view_rows.h"

namespace hearth::metrics {
namespace {

using enum MetricId;

std::string ReplicaId(const std::string& model_name, const std::string& engine) {
  return std::string(kApplication) + "#" + DeploymentName(model_name) + "#" + engine;
}

// Dashboards join every engine series with ray_serve_deployment_request_counter_total on WorkerId, so
// one WorkerId is exactly one (deployment, replica).
void AddRayIdentity(promql::Labels& labels, const std::string& engine) {
  const std::string model_name = labels.Get("model_name");
  labels.Set("ReplicaId", ReplicaId(model_name, engine));
  labels.Set("WorkerId", WorkerId(model_name, engine));
}

void ToRayEngine(promql::Labels& labels) {
  const std::string engine = labels.Get("engine");
  AddRayIdentity(labels, engine);
  labels.Set("deployment", DeploymentName(labels.Get("model_name")));
  labels.Set("replica", engine);
}

void ToRayServe(promql::Labels& labels) {
  const std::string replica = labels.Get("replica");
  if (!replica.empty()) AddRayIdentity(labels, replica);
}

// Measured in the proxy; the engine's worker has a label of its own.
void ToRayLlm(promql::Labels& labels) {
  const std::string model_name = labels.Get("model_name");
  const std::string engine = labels.Get("engine");
  labels.Set("ReplicaId", ReplicaId(model_name, engine));
  labels.Set("engine_worker_id", WorkerId(model_name, engine));
  labels.Set("engine", "");
}

// The production stack's router calls an engine its server.
void ToRouter(promql::Labels& labels) {
  const std::string replica = labels.Get("replica");
  labels.Set("server", ReplicaId(labels.Get("model_name"), replica.empty() ? "0" : replica));
  for (const char* name : {"application", "deployment", "replica"}) labels.Set(name, "");
}

constexpr std::string_view kRouterTouched[] = {"application", "deployment", "replica", "server"};
constexpr LabelChange kRouterLabels{&ToRouter, kRouterTouched};

constexpr std::string_view kRayEngineTouched[] = {"ReplicaId", "WorkerId", "deployment", "replica"};
constexpr std::string_view kRayServeTouched[] = {"ReplicaId", "WorkerId"};
constexpr std::string_view kRayLlmTouched[] = {"ReplicaId", "engine", "engine_worker_id"};

constexpr View kRemoved = View::kVllmRemoved;

constexpr std::array kRows = {
    ViewRow{View::kRouter, kServeDeploymentReplicaHealthy, "vllm:healthy_pods_total", &kRouterLabels,
            1, {}, "Engines that serve."},
    ViewRow{View::kRouter, kRequestRate, "vllm:current_qps", &kRouterLabels, 1, {},
            "Requests per second, over the last minute."},
    // Ray's own dashboard variables list the labels of its _sum, spelled with a colon.
    ViewRow{View::kRay, kRequestPromptTokens, "ray_vllm:request_prompt_tokens", &kRayEngineLabels, 1,
            Kind::kSummary, "Prompt tokens of finished requests."},
    ViewRow{kRemoved, kKvCacheUsage, "vllm:gpu_cache_usage_perc", nullptr, 1, {},
            "GPU KV-cache usage. 1 means 100 percent usage. Now vllm:kv_cache_usage_perc."},
    ViewRow{kRemoved, kPrefixCacheQueries, "vllm:gpu_prefix_cache_queries_total", nullptr, 1, {},
            "Now vllm:prefix_cache_queries_total."},
    ViewRow{kRemoved, kPrefixCacheHits, "vllm:gpu_prefix_cache_hits_total", nullptr, 1, {},
            "Now vllm:prefix_cache_hits_total."},
    ViewRow{kRemoved, kInterTokenLatency, "vllm:time_per_output_token_seconds", nullptr, 1, {},
            "Now vllm:inter_token_latency_seconds."},
    // V1 engines recompute; nothing is ever swapped out. Old dashboards still draw the line.
    ViewRow{kRemoved, kNumRequestsRunning, "vllm:num_requests_swapped", nullptr, 0, {},
            "Number of requests swapped to CPU: always 0, preempted requests are recomputed."},
    ViewRow{View::kRay, kNumRequestsRunning, "ray_vllm_num_requests_swapped", &kRayEngineLabels, 0, {},
            "Number of requests swapped to CPU: always 0, preempted requests are recomputed."},
};

}  // namespace

const LabelChange kRayEngineLabels{&ToRayEngine, kRayEngineTouched};
const LabelChange kRayServeLabels{&ToRayServe, kRayServeTouched};
const LabelChange kRayLlmLabels{&ToRayLlm, kRayLlmTouched};

std::span<const ViewRow> EngineViewRows() { return kRows; }

}  // namespace hearth::metrics
