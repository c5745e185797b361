// What Ray Serve's dashboards ask a service for, and the HTTP families of vLLM's front end. On by
// default, whatever log_engine_metrics says.
//
// Ray's labels WorkerId, ReplicaId and engine_worker_id are not here: they name a process, not a
// measurement, so that recording them would start every series anew with every restart. name_views adds
// them wherever a series is shown.
#include <array>

#include "firmware/metrics/buckets.h"
#include "firmware/metrics/metric_defs.h"

namespace hearth::metrics {
namespace {

using enum MetricId;
using enum Kind;
constexpr Source kFrom = Source::kService;

constexpr std::string_view kDeployment[] = {"application", "deployment", "model_name"};
constexpr std::string_view kReplica[] = {"application", "deployment", "model_name", "replica"};
constexpr std::string_view kReplicaRoute[] = {"application", "deployment", "model_name", "replica",
                                              "route"};
constexpr std::string_view kReplicaModel[] = {"application", "deployment", "model_id", "model_name",
                                              "replica"};
constexpr std::string_view kRouterRoute[] = {"application", "deployment", "model_name", "route"};
constexpr std::string_view kServeHttp[] = {"application", "method", "route", "status_code"};
constexpr std::string_view kServeHttpError[] = {"application", "error_code", "method", "route"};
constexpr std::string_view kDeploymentHttpError[] = {"application", "deployment", "error_code",
                                                     "method", "model_name", "route"};
constexpr std::string_view kLlm[] = {"model_name", "engine"};
constexpr std::string_view kHandler[] = {"handler"};
constexpr std::string_view kHandlerMethod[] = {"handler", "method"};
constexpr std::string_view kHandlerMethodStatus[] = {"handler", "method", "status"};

// Ray Serve's defaults, in ms.
constexpr double kLatencyMs[] = {1,   2,    5,    10,   20,    50,    100,    200,    300,   400,
                                 500, 1000, 2000, 5000, 10000, 60000, 120000, 300000, 600000};
// prometheus-fastapi-instrumentator's.
constexpr double kHttp[] = {0.1, 0.5, 1};
constexpr double kHttpHighRes[] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1,  1.5, 2,
                                   2.5,  3,     3.5,  4,     4.5, 5,    7.5, 10,   30, 60};

constexpr std::string_view kAtEnd = "when a request that a replica took has ended";
constexpr std::string_view kAtAnswer =
    "when a request to an application route (/v1/...) has been answered";
constexpr std::string_view kAtHttp =
    "when any request has been answered, but those of probes and scrapers (/metrics, /health, /ping, "
    "/load, /version)";
constexpr std::string_view kEachSecond = "every second";
constexpr std::string_view kAtStreamEnd = "when a streamed answer with status 200 has ended";

constexpr std::array kRows = {
    MetricDef{kServeDeploymentRequestCounter, "ray_serve_deployment_request_counter_total", kCounter,
              kFrom, kReplicaRoute, {}, "Requests this replica has processed, errors included.",
              kAtEnd, "sum by (deployment) (rate(ray_serve_deployment_request_counter_total[5m]))"},
    MetricDef{kServeDeploymentErrorCounter, "ray_serve_deployment_error_counter_total", kCounter,
              kFrom, kReplicaRoute, {}, "Requests that failed inside this replica.",
              "when a replica's engine fails or ends while it works on a request", ""},
    MetricDef{kServeDeploymentProcessingLatency, "ray_serve_deployment_processing_latency_ms",
              kHistogram, kFrom, kReplicaRoute, kLatencyMs,
              "Time a replica worked on a request, in milliseconds.", kAtEnd, ""},
    MetricDef{kServeNumHttpRequests, "ray_serve_num_http_requests_total", kCounter, kFrom, kServeHttp,
              {}, "HTTP requests to the applications of this box.", kAtAnswer, ""},
    MetricDef{kServeNumHttpErrorRequests, "ray_serve_num_http_error_requests_total", kCounter, kFrom,
              kServeHttpError, {},
              "HTTP requests to the applications that got a status of 400 or more.", kAtAnswer,
              "sum(rate(ray_serve_num_http_error_requests_total[5m])) / "
              "sum(rate(ray_serve_num_http_requests_total[5m]))"},
    MetricDef{kServeNumDeploymentHttpErrorRequests,
              "ray_serve_num_deployment_http_error_requests_total", kCounter, kFrom,
              kDeploymentHttpError, {},
              "HTTP requests that named a model and got a status of 400 or more.", kAtAnswer, ""},
    MetricDef{kServeHttpRequestLatency, "ray_serve_http_request_latency_ms", kHistogram, kFrom,
              kServeHttp, kLatencyMs,
              "Time from the request's header to the end of the answer, in milliseconds.", kAtAnswer,
              ""},
    MetricDef{kServeNumOngoingHttpRequests, "ray_serve_num_ongoing_http_requests", kGauge, kFrom, {},
              {}, "HTTP requests to the applications that are being answered.", kEachSecond, ""},
    MetricDef{kServeReplicaProcessingQueries, "ray_serve_replica_processing_queries", kGauge, kFrom,
              kReplica, {}, "Requests this replica is working on.", kEachSecond, ""},
    MetricDef{kServeDeploymentReplicaHealthy, "ray_serve_deployment_replica_healthy", kGauge, kFrom,
              kReplica, {}, "1 while the replica serves, else 0.", kEachSecond, ""},
    MetricDef{kServeDeploymentReplicaStarts, "ray_serve_deployment_replica_starts_total", kCounter,
              kFrom, kReplica, {}, "Times the replica's engine process was started.",
              "when an engine process is started", ""},
    MetricDef{kServeDeploymentQueuedQueries, "ray_serve_deployment_queued_queries", kGauge, kFrom,
              kDeployment, {},
              "Requests that wait: for a replica that starts, or in an engine's queue.", kEachSecond,
              ""},
    MetricDef{kServeHandleRequestCounter, "ray_serve_handle_request_counter_total", kCounter, kFrom,
              kRouterRoute, {}, "Requests handed to the deployment.",
              "when a request's model is known", ""},
    MetricDef{kServeNumRouterRequests, "ray_serve_num_router_requests_total", kCounter, kFrom,
              kRouterRoute, {}, "Requests the router has placed on a replica.",
              "when a replica has taken a request", ""},
    MetricDef{kServeNumSchedulingTasks, "ray_serve_num_scheduling_tasks", kGauge, kFrom, kDeployment,
              {}, "Requests that are being placed on a replica.", kEachSecond, ""},
    MetricDef{kServeNumSchedulingTasksInBackoff, "ray_serve_num_scheduling_tasks_in_backoff", kGauge,
              kFrom, kDeployment, {},
              "Requests that wait for a replica because none is ready.", kEachSecond, ""},
    MetricDef{kServeAutoscalingTargetReplicas, "ray_serve_autoscaling_target_replicas", kGauge, kFrom,
              kDeployment, {}, "Replicas the deployment shall have.", kEachSecond, ""},
    MetricDef{kServeAutoscalingDesiredReplicas, "ray_serve_autoscaling_desired_replicas", kGauge,
              kFrom, kDeployment, {}, "Replicas the load asks for, before limits.", kEachSecond, ""},
    MetricDef{kServeControllerLoopDuration, "ray_serve_controller_control_loop_duration_s", kGauge,
              kFrom, {}, {}, "Time the last pass over all replicas took, in seconds.", kEachSecond,
              ""},
    MetricDef{kServeControllerNumLoops, "ray_serve_controller_num_control_loops", kGauge, kFrom, {},
              {}, "Passes over all replicas since the start.", kEachSecond, ""},
    MetricDef{kServeNumMultiplexedModels, "ray_serve_num_multiplexed_models", kGauge, kFrom, kReplica,
              {}, "Models this replica holds in memory.", kEachSecond, ""},
    MetricDef{kServeRegisteredMultiplexedModelId, "ray_serve_registered_multiplexed_model_id", kGauge,
              kFrom, kReplicaModel, {}, "1 for each model the replica holds in memory.", kEachSecond,
              ""},
    MetricDef{kServeMultiplexedModelsLoadCounter, "ray_serve_multiplexed_models_load_counter_total",
              kCounter, kFrom, kReplica, {}, "Models this replica has loaded.",
              "when a load has succeeded", ""},
    MetricDef{kServeMultiplexedModelsUnloadCounter,
              "ray_serve_multiplexed_models_unload_counter_total", kCounter, kFrom, kReplica, {},
              "Models this replica has given up.", "when an engine that held its model has ended",
              ""},
    MetricDef{kServeMultiplexedGetModelRequests,
              "ray_serve_multiplexed_get_model_requests_counter_total", kCounter, kFrom, kReplica, {},
              "Requests that asked this replica for its model.", "when a replica has taken a request",
              "1 - sum(rate(ray_serve_multiplexed_models_load_counter_total[5m])) / "
              "sum(rate(ray_serve_multiplexed_get_model_requests_counter_total[5m]))"},
    MetricDef{kServeMultiplexedModelLoadLatency, "ray_serve_multiplexed_model_load_latency_ms",
              kHistogram, kFrom, kReplica, kLatencyMs, "Time a load took, in milliseconds.",
              "when a load has succeeded", ""},
    MetricDef{kServeMultiplexedModelUnloadLatency, "ray_serve_multiplexed_model_unload_latency_ms",
              kHistogram, kFrom, kReplica, kLatencyMs,
              "Time from the decision to end an engine to its end, in milliseconds.",
              "when an engine that held its model has ended", ""},
    MetricDef{kServeLlmTimeToFirstToken, "ray_serve_llm_time_to_first_token_seconds", kHistogram,
              kFrom, kLlm, kTtftBuckets,
              "Time from the request's arrival to the first streamed chunk with content.",
              kAtStreamEnd, ""},
    MetricDef{kServeLlmInterTokenLatency, "ray_serve_llm_inter_token_latency_seconds", kHistogram,
              kFrom, kLlm, kItlBuckets, "Time between streamed chunks with content.",
              "every later streamed chunk with content", ""},
    MetricDef{kServeLlmRouterOverhead, "ray_serve_llm_router_overhead_seconds", kHistogram, kFrom,
              kLlm, kTtftBuckets, "Time from the request's arrival until a replica has it.", kAtStreamEnd,
              ""},
    MetricDef{kServeLlmRequestDuration, "ray_serve_llm_request_duration_seconds", kHistogram, kFrom,
              kLlm, kRequestLatencyBuckets, "Time from the request's arrival to the end of its stream.",
              kAtStreamEnd, ""},
    MetricDef{kHttpRequests, "http_requests_total", kCounter, kFrom, kHandlerMethodStatus, {},
              "Total number of requests by method, status and handler.", kAtHttp,
              "sum by (status) (rate(http_requests_total[5m]))"},
    MetricDef{kHttpRequestSize, "http_request_size_bytes", kSummary, kFrom, kHandler, {},
              "Content length of incoming requests by handler.", kAtHttp, ""},
    MetricDef{kHttpResponseSize, "http_response_size_bytes", kSummary, kFrom, kHandler, {},
              "Content length of outgoing responses by handler.", kAtHttp, ""},
    MetricDef{kHttpRequestDuration, "http_request_duration_seconds", kHistogram, kFrom,
              kHandlerMethod, kHttp, "Latency with only few buckets by handler.", kAtHttp, ""},
    MetricDef{kHttpRequestDurationHighRes, "http_request_duration_highr_seconds", kHistogram, kFrom,
              {}, kHttpHighRes, "Latency with many buckets but no API specific labels.", kAtHttp, ""},
};

}  // namespace

std::span<const MetricDef> ServiceDefs() { return kRows; }

}  // namespace hearth::metrics
