// The metrics table: every family Hearth exports and records, declared once.
//
// From it come the registry, /metrics, and the series of the history. Names, labels, buckets and help
// of `vllm:*` are vLLM's (V1 engine), those of `ray_serve_*` are Ray Serve's: existing dashboards and
// alert rules ask for exactly these.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace hearth::metrics {

enum class Kind { kCounter, kGauge, kHistogram };

// Who speaks in a family: the engine's families can be switched off per model.
enum class Source { kEngine, kService, kAppliance, kDevice };

enum class MetricId {
  // engine
  kNumRequestsRunning,
  kNumRequestsWaiting,
  kKvCacheUsage,
  kPrefixCacheQueries,
  kPrefixCacheHits,
  kNumPreemptions,
  kPromptTokens,
  kGenerationTokens,
  kRequestSuccess,
  kRequestPromptTokens,
  kRequestGenerationTokens,
  kIterationTokens,
  kTimeToFirstToken,
  kInterTokenLatency,
  kRequestTimePerOutputToken,
  kE2eRequestLatency,
  kRequestQueueTime,
  kRequestInferenceTime,
  kRequestPrefillTime,
  kRequestDecodeTime,
  // service
  kRayServeDeploymentRequestCounter,
  kHttpRequests,
  kHttpRequestDuration,
  // appliance
  kBuildInfo,
  kModelState,
  kModelWeightBytes,
  kKvCacheCapacityTokens,
  kKvCacheCapacityBytes,
  kEngineRestarts,
  kRequestFailures,
  kHistoryBytes,
  kHistorySamplesAppended,
  kHistoryWriteErrors,
  kHistoryLastCommitTime,
  // device
  kGpuUtilization,
  kGpuMemoryUsed,
  kGpuMemoryTotal,
  kGpuTemperature,
  kGpuPower,
  kProcessCpuSeconds,
  kProcessResidentMemory,
  kProcessVirtualMemory,
  kProcessStartTime,
  kProcessOpenFds,
  kProcessMaxFds,
  kCount,
};

inline constexpr size_t kMetricCount = static_cast<size_t>(MetricId::kCount);

struct MetricDef {
  MetricId id;
  std::string_view name;  // as exposed; a counter's ends in _total
  Kind kind;
  Source source;
  std::span<const std::string_view> labels;
  std::span<const double> buckets;  // upper bounds without +Inf, ascending; histograms only.
                                    // Empty: bounds depend on max_model_len (TokenBuckets)
  std::string_view help;
};

// In the order of MetricId.
std::span<const MetricDef> MetricDefs();
const MetricDef& DefOf(MetricId id);

// The 1-2-5 series up to the largest value <= max_model_len, as vLLM builds it.
std::span<const double> TokenBuckets(int max_model_len);

// The finish reasons of vllm:request_success_total; each exists at 0 from the start.
inline constexpr std::string_view kFinishReasons[] = {"stop", "length", "abort", "error",
                                                      "repetition"};

// Why a request ended without an answer; labels of hearth_request_failures_total.
inline constexpr std::string_view kFailureReasons[] = {
    "invalid_request", "context_length_exceeded", "model_not_found", "unavailable", "engine_died",
    "engine_error",    "client_gone"};

// The states of hearth_model_state.
inline constexpr std::string_view kModelStates[] = {"loading", "ready", "restarting", "failed",
                                                    "stopped"};

}  // namespace hearth::metrics
