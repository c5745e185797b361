#include "firmware/metrics/metric_defs.h"

#include <array>

#include "base/check.h"

namespace hearth::metrics {
namespace {

using Labels = std::span<const std::string_view>;

constexpr std::array<std::string_view, 2> kEngineLabels = {"model_name", "engine"};
constexpr std::array<std::string_view, 3> kFinishedLabels = {"model_name", "engine",
                                                             "finished_reason"};
constexpr std::array<std::string_view, 6> kRayRequestLabels = {
    "application", "deployment", "model_name", "replica", "route", "WorkerId"};
constexpr std::array<std::string_view, 3> kHttpLabels = {"handler", "method", "status"};
constexpr std::array<std::string_view, 2> kHttpDurationLabels = {"handler", "method"};
constexpr std::array<std::string_view, 1> kVersionLabels = {"version"};
constexpr std::array<std::string_view, 2> kStateLabels = {"model_name", "state"};
constexpr std::array<std::string_view, 1> kModelLabels = {"model_name"};
constexpr std::array<std::string_view, 2> kFailureLabels = {"model_name", "reason"};
constexpr std::array<std::string_view, 2> kGpuLabels = {"gpu", "name"};

constexpr double kTtftBuckets[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,  0.25, 0.5, 0.75,
                                   1,     2.5,   5,    7.5,  10,   20,   40,   80,   160,  640, 2560};
constexpr double kItlBuckets[] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
                                  0.75, 1,     2.5,  5,     7.5, 10,   20,  40,  80};
constexpr double kLatencyBuckets[] = {0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,  15,  20,
                                      30,  40,  50,  60, 120, 240, 480, 960, 1920, 7680};
constexpr double kIterationBuckets[] = {1,   8,   16,   32,   64,   128,  256,
                                        512, 1024, 2048, 4096, 8192, 16384};
constexpr double kHttpBuckets[] = {0.1, 0.5, 1};

constexpr MetricDef Counter(MetricId id, std::string_view name, Source source, Labels labels,
                            std::string_view help) {
  return {id, name, Kind::kCounter, source, labels, {}, help};
}
constexpr MetricDef Gauge(MetricId id, std::string_view name, Source source, Labels labels,
                          std::string_view help) {
  return {id, name, Kind::kGauge, source, labels, {}, help};
}
constexpr MetricDef Histogram(MetricId id, std::string_view name, Source source, Labels labels,
                              std::span<const double> buckets, std::string_view help) {
  return {id, name, Kind::kHistogram, source, labels, buckets, help};
}

using enum MetricId;
using enum Source;

constexpr std::array<MetricDef, kMetricCount> kDefs = {
    Gauge(kNumRequestsRunning, "vllm:num_requests_running", kEngine, kEngineLabels,
          "Number of requests in model execution batches."),
    Gauge(kNumRequestsWaiting, "vllm:num_requests_waiting", kEngine, kEngineLabels,
          "Number of requests waiting to be processed."),
    Gauge(kKvCacheUsage, "vllm:kv_cache_usage_perc", kEngine, kEngineLabels,
          "KV-cache usage. 1 means 100 percent usage."),
    Counter(kPrefixCacheQueries, "vllm:prefix_cache_queries_total", kEngine, kEngineLabels,
            "Prefix cache queries, in terms of number of queried tokens."),
    Counter(kPrefixCacheHits, "vllm:prefix_cache_hits_total", kEngine, kEngineLabels,
            "Prefix cache hits, in terms of number of cached tokens."),
    Counter(kNumPreemptions, "vllm:num_preemptions_total", kEngine, kEngineLabels,
            "Cumulative number of preemption from the engine."),
    Counter(kPromptTokens, "vllm:prompt_tokens_total", kEngine, kEngineLabels,
            "Number of prefill tokens processed."),
    Counter(kGenerationTokens, "vllm:generation_tokens_total", kEngine, kEngineLabels,
            "Number of generation tokens processed."),
    Counter(kRequestSuccess, "vllm:request_success_total", kEngine, kFinishedLabels,
            "Count of successfully processed requests."),
    Histogram(kRequestPromptTokens, "vllm:request_prompt_tokens", kEngine, kEngineLabels, {},
              "Number of prefill tokens processed."),
    Histogram(kRequestGenerationTokens, "vllm:request_generation_tokens", kEngine, kEngineLabels, {},
              "Number of generation tokens processed."),
    Histogram(kIterationTokens, "vllm:iteration_tokens_total", kEngine, kEngineLabels,
              kIterationBuckets, "Histogram of number of tokens per engine_step."),
    Histogram(kTimeToFirstToken, "vllm:time_to_first_token_seconds", kEngine, kEngineLabels,
              kTtftBuckets, "Histogram of time to first token in seconds."),
    Histogram(kInterTokenLatency, "vllm:inter_token_latency_seconds", kEngine, kEngineLabels,
              kItlBuckets, "Histogram of inter-token latency in seconds."),
    Histogram(kRequestTimePerOutputToken, "vllm:request_time_per_output_token_seconds", kEngine,
              kEngineLabels, kItlBuckets,
              "Histogram of time_per_output_token_seconds per request."),
    Histogram(kE2eRequestLatency, "vllm:e2e_request_latency_seconds", kEngine, kEngineLabels,
              kLatencyBuckets, "Histogram of e2e request latency in seconds."),
    Histogram(kRequestQueueTime, "vllm:request_queue_time_seconds", kEngine, kEngineLabels,
              kLatencyBuckets, "Histogram of time spent in WAITING phase for request."),
    Histogram(kRequestInferenceTime, "vllm:request_inference_time_seconds", kEngine, kEngineLabels,
              kLatencyBuckets, "Histogram of time spent in RUNNING phase for request."),
    Histogram(kRequestPrefillTime, "vllm:request_prefill_time_seconds", kEngine, kEngineLabels,
              kLatencyBuckets, "Histogram of time spent in PREFILL phase for request."),
    Histogram(kRequestDecodeTime, "vllm:request_decode_time_seconds", kEngine, kEngineLabels,
              kLatencyBuckets, "Histogram of time spent in DECODE phase for request."),

    Counter(kRayServeDeploymentRequestCounter, "ray_serve_deployment_request_counter_total",
            kService, kRayRequestLabels, "Requests this replica has processed, errors included."),
    Counter(kHttpRequests, "http_requests_total", kService, kHttpLabels,
            "HTTP requests by route pattern, method and status class."),
    Histogram(kHttpRequestDuration, "http_request_duration_seconds", kService, kHttpDurationLabels,
              kHttpBuckets, "Time from the request's header to the end of the answer."),

    Gauge(kBuildInfo, "hearth_build_info", kAppliance, kVersionLabels,
          "Always 1; the labels say what is running."),
    Gauge(kModelState, "hearth_model_state", kAppliance, kStateLabels,
          "1 for the state the model is in, 0 for the others."),
    Gauge(kModelWeightBytes, "hearth_model_weight_bytes", kAppliance, kModelLabels,
          "Bytes of the model's weights in memory."),
    Gauge(kKvCacheCapacityTokens, "hearth_kv_cache_capacity_tokens", kAppliance, kModelLabels,
          "Tokens the KV cache can hold."),
    Gauge(kKvCacheCapacityBytes, "hearth_kv_cache_capacity_bytes", kAppliance, kModelLabels,
          "Bytes reserved for the KV cache."),
    Counter(kEngineRestarts, "hearth_engine_restarts_total", kAppliance, kModelLabels,
            "Times the model's engine process ended by itself and was started again."),
    Counter(kRequestFailures, "hearth_request_failures_total", kAppliance, kFailureLabels,
            "Requests that ended without a whole answer, by reason."),
    Gauge(kHistoryBytes, "hearth_history_bytes", kAppliance, {},
          "Size of the metric history on disk."),
    Counter(kHistorySamplesAppended, "hearth_history_samples_appended_total", kAppliance, {},
            "Samples handed to the metric history."),
    Counter(kHistoryWriteErrors, "hearth_history_write_errors_total", kAppliance, {},
            "Commits of the metric history that failed; samples are kept in memory meanwhile."),
    Gauge(kHistoryLastCommitTime, "hearth_history_last_commit_timestamp_seconds", kAppliance, {},
          "When the metric history was last committed to disk."),

    Gauge(kGpuUtilization, "hearth_gpu_utilization_ratio", kDevice, kGpuLabels,
          "Share of time in which a kernel was running, 0 to 1 (NVML)."),
    Gauge(kGpuMemoryUsed, "hearth_gpu_memory_used_bytes", kDevice, kGpuLabels,
          "GPU memory in use (NVML)."),
    Gauge(kGpuMemoryTotal, "hearth_gpu_memory_total_bytes", kDevice, kGpuLabels,
          "GPU memory installed (NVML)."),
    Gauge(kGpuTemperature, "hearth_gpu_temperature_celsius", kDevice, kGpuLabels,
          "Temperature of the GPU's die (NVML)."),
    Gauge(kGpuPower, "hearth_gpu_power_watts", kDevice, kGpuLabels, "Power draw of the board (NVML)."),
    Counter(kProcessCpuSeconds, "process_cpu_seconds_total", kDevice, {},
            "Total user and system CPU time spent in seconds."),
    Gauge(kProcessResidentMemory, "process_resident_memory_bytes", kDevice, {},
          "Resident memory size in bytes."),
    Gauge(kProcessVirtualMemory, "process_virtual_memory_bytes", kDevice, {},
          "Virtual memory size in bytes."),
    Gauge(kProcessStartTime, "process_start_time_seconds", kDevice, {},
          "Start time of the process since unix epoch in seconds."),
    Gauge(kProcessOpenFds, "process_open_fds", kDevice, {}, "Number of open file descriptors."),
    Gauge(kProcessMaxFds, "process_max_fds", kDevice, {},
          "Maximum number of open file descriptors."),
};

constexpr bool InOrder() {
  for (size_t i = 0; i < kDefs.size(); ++i) {
    if (static_cast<size_t>(kDefs[i].id) != i) return false;
  }
  return true;
}
static_assert(InOrder(), "kDefs must list every MetricId in the order of the enum");

constexpr std::array<double, 18> kOneTwoFive = {1,    2,    5,    10,    20,    50,
                                                100,  200,  500,  1e3,   2e3,   5e3,
                                                1e4,  2e4,  5e4,  1e5,   2e5,   5e5};

}  // namespace

std::span<const MetricDef> MetricDefs() { return kDefs; }

const MetricDef& DefOf(MetricId id) {
  const size_t index = static_cast<size_t>(id);
  CHECK(index < kDefs.size());
  return kDefs[index];
}

std::span<const double> TokenBuckets(int max_model_len) {
  size_t count = 1;
  while (count < kOneTwoFive.size() && kOneTwoFive[count] <= max_model_len) ++count;
  return std::span(kOneTwoFive).first(count);
}

}  // namespace hearth::metrics
