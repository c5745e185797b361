// The metrics table: every family Hearth exports and records, declared once.
//
// From it come the registry, /metrics, the series of the history, /api/v1/metadata and
// docs/METRICS.md. Names, labels, buckets and help of `vllm:*` are vLLM's (V1 engine), those of
// `ray_serve_*` are Ray Serve's: existing dashboards and alert rules ask for exactly these. Other
// spellings of the same values (Ray's of vLLM's, removed names, DCGM's, node_exporter's) are name
// views: name_views.h.
//
// The rows are in defs_engine.cc, defs_service.cc, defs_appliance.cc and defs_device.cc.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace hearth::metrics {

// A summary is a count and a sum, without quantiles.
enum class Kind { kCounter, kGauge, kHistogram, kSummary };

// Who speaks in a family: the engine's families can be switched off per model.
enum class Source { kEngine, kService, kAppliance, kDevice };

enum class MetricId {
  // defs_engine.cc
  kNumRequestsRunning,
  kNumRequestsWaiting,
  kNumRequestsWaitingByReason,
  kEngineSleepState,
  kKvCacheUsage,
  kPrefixCacheQueries,
  kPrefixCacheHits,
  kExternalPrefixCacheQueries,
  kExternalPrefixCacheHits,
  kMmCacheQueries,
  kMmCacheHits,
  kNumPreemptions,
  kPromptTokens,
  kPromptTokensBySource,
  kPromptTokensCached,
  kGenerationTokens,
  kRequestSuccess,
  kRequestPromptTokens,
  kRequestGenerationTokens,
  kIterationTokens,
  kRequestMaxNumGenerationTokens,
  kRequestParamsN,
  kRequestParamsMaxTokens,
  kTimeToFirstToken,
  kInterTokenLatency,
  kRequestTimePerOutputToken,
  kE2eRequestLatency,
  kRequestQueueTime,
  kRequestInferenceTime,
  kRequestPrefillTime,
  kRequestDecodeTime,
  kRequestPrefillKvComputedTokens,
  kRequestNumPreemptions,
  kEstimatedFlops,
  kEstimatedReadBytes,
  kEstimatedWriteBytes,
  kCacheConfigInfo,
  // defs_service.cc
  kServeDeploymentRequestCounter,
  kServeDeploymentErrorCounter,
  kServeDeploymentProcessingLatency,
  kServeNumHttpRequests,
  kServeNumHttpErrorRequests,
  kServeNumDeploymentHttpErrorRequests,
  kServeHttpRequestLatency,
  kServeNumOngoingHttpRequests,
  kServeReplicaProcessingQueries,
  kServeDeploymentReplicaHealthy,
  kServeDeploymentReplicaStarts,
  kServeDeploymentQueuedQueries,
  kServeHandleRequestCounter,
  kServeNumRouterRequests,
  kServeNumSchedulingTasks,
  kServeNumSchedulingTasksInBackoff,
  kServeAutoscalingTargetReplicas,
  kServeAutoscalingDesiredReplicas,
  kServeControllerLoopDuration,
  kServeControllerNumLoops,
  kServeNumMultiplexedModels,
  kServeRegisteredMultiplexedModelId,
  kServeMultiplexedModelsLoadCounter,
  kServeMultiplexedModelsUnloadCounter,
  kServeMultiplexedGetModelRequests,
  kServeMultiplexedModelLoadLatency,
  kServeMultiplexedModelUnloadLatency,
  kServeLlmTimeToFirstToken,
  kServeLlmInterTokenLatency,
  kServeLlmRouterOverhead,
  kServeLlmRequestDuration,
  kHttpRequests,
  kHttpRequestSize,
  kHttpResponseSize,
  kHttpRequestDuration,
  kHttpRequestDurationHighRes,
  // defs_appliance.cc
  kBuildInfo,
  kModelState,
  kReplicaState,
  kAutoscalingTotalRequests,
  kAutoscalingDelayLeft,
  kAutoscalingPrevented,
  kModelWakes,
  kModelWakeDuration,
  kModelEvictions,
  kModelInfo,
  kModelLoadTime,
  kLogEngineMetrics,
  kModelMemoryBytes,
  kKvCacheCapacityTokens,
  kKvCacheCapacityBytes,
  kEngineRestarts,
  kEngineCrashes,
  kEngineStalls,
  kEngineDegraded,
  kRequestsRequeued,
  kRequestsQuarantined,
  kRequestsStarted,
  kRequestsAnswered,
  kRequestFailures,
  kRequestsInFlight,
  kRequestRate,
  kRequestsUnaccounted,
  kHearthTimeToFirstToken,
  kHearthInterTokenLatency,
  kHearthTimePerOutputToken,
  kHearthE2eRequestLatency,
  kHearthBatchSize,
  kSloTarget,
  kSloRequests,
  kSloGoodRequests,
  kMetricsRenders,
  kMetricsRenderSeconds,
  kMetricsPageBytes,
  kHistoryBytes,
  kHistoryLimitBytes,
  kHistoryTierBytes,
  kHistoryTierOldestTime,
  kHistorySamplesAppended,
  kHistoryWriteErrors,
  kHistoryLastCommitTime,
  kHistorySeries,
  kHistorySeriesRefused,
  kHistoryFramesLost,
  kHistoryRecovered,
  kRequestLogDropped,
  kConfigApplies,
  kConfigActiveRevision,
  kConfigApplyInProgress,
  kRecoveryMode,
  kRuleEvaluations,
  kRuleEvaluationFailures,
  kRuleGroupLastDuration,
  kAlerts,
  kAlertNotificationsSent,
  kAlertNotificationsFailed,
  kRemoteWriteSamples,
  kRemoteWriteSamplesRetried,
  kRemoteWriteSamplesDropped,
  kRemoteWriteRequestsFailed,
  kRemoteWriteNewestSent,
  kRemoteWriteBacklog,
  kLibraryBytes,
  kLibraryDiskFreeBytes,
  kPullBytes,
  kPulls,
  // defs_device.cc
  kGpuInfo,
  kGpuReadingAge,
  kGpuUtilization,
  kGpuMemoryUtilization,
  kGpuEncoderUtilization,
  kGpuDecoderUtilization,
  kGpuMemoryTotal,
  kGpuMemoryFree,
  kGpuMemoryUsed,
  kGpuMemoryReserved,
  kGpuSmClock,
  kGpuMemoryClock,
  kGpuTemperature,
  kGpuMemoryTemperature,
  kGpuPower,
  kGpuPowerLimit,
  kGpuEnergy,
  kGpuFan,
  kGpuPerformanceState,
  kGpuPcieLinkGeneration,
  kGpuPcieLinkWidth,
  kGpuPcieReplays,
  kGpuPcieTransmit,
  kGpuPcieReceive,
  kGpuCorrectableRemappedRows,
  kGpuUncorrectableRemappedRows,
  kGpuRowRemapPending,
  kGpuRowRemapFailure,
  kGpuEccVolatileCorrected,
  kGpuEccVolatileUncorrected,
  kGpuEccAggregateCorrected,
  kGpuEccAggregateUncorrected,
  kGpuClocksEventReason,
  kGpuViolationSeconds,
  kGpuXidErrors,
  kGpuLastXid,
  kEngineGpuMemory,
  kEngineProcessCpuSeconds,
  kEngineProcessResidentMemory,
  kEngineProcessAnonymousMemory,
  kEngineProcessThreads,
  kEngineProcessOpenFds,
  kEngineProcessStartTime,
  kHostCpuSeconds,
  kHostLoad1,
  kHostLoad5,
  kHostLoad15,
  kHostMemoryTotal,
  kHostMemoryAvailable,
  kHostMemoryFree,
  kHostMemoryCached,
  kHostMemoryBuffers,
  kHostSwapTotal,
  kHostSwapFree,
  kHostFilesystemSize,
  kHostFilesystemFree,
  kHostFilesystemAvail,
  kHostFilesystemFiles,
  kHostFilesystemFilesFree,
  kHostFilesystemReadonly,
  kHostDiskReadsCompleted,
  kHostDiskWritesCompleted,
  kHostDiskReadBytes,
  kHostDiskWrittenBytes,
  kHostDiskIoTime,
  kHostNetworkReceiveBytes,
  kHostNetworkReceivePackets,
  kHostNetworkReceiveErrors,
  kHostNetworkReceiveDrops,
  kHostNetworkTransmitBytes,
  kHostNetworkTransmitPackets,
  kHostNetworkTransmitErrors,
  kHostNetworkTransmitDrops,
  kHostHwmonTemperature,
  kHostHwmonChipInfo,
  kHostHwmonSensorInfo,
  kHostThermalZoneTemperature,
  kHostCoreThrottles,
  kHostCpuWaiting,
  kHostIoWaiting,
  kHostMemoryWaiting,
  kHostFileHandles,
  kHostFileHandlesLimit,
  kHostBootTime,
  kHostTime,
  kHostUnameInfo,
  kHostOsInfo,
  kHostCpuUtilization,
  kHostMemoryUsed,
  kHostMemoryUsedRatio,
  kHostDiskUsed,
  kHostDiskFree,
  kHostDiskUsedRatio,
  kHostNetworkReceiveRate,
  kHostNetworkTransmitRate,
  kHostProcessors,
  kProcessCpuSeconds,
  kProcessResidentMemory,
  kProcessVirtualMemory,
  kProcessVirtualMemoryMax,
  kProcessStartTime,
  kProcessOpenFds,
  kProcessMaxFds,
  kProcessThreads,
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
  std::string_view observed;  // when a value is taken; for docs/METRICS.md
  std::string_view example;   // PromQL worth copying; empty: the usual one of the kind
};

// In the order of MetricId.
std::span<const MetricDef> MetricDefs();
const MetricDef& DefOf(MetricId id);

// The rows of each file, in the order of MetricId.
std::span<const MetricDef> EngineDefs();
std::span<const MetricDef> ServiceDefs();
std::span<const MetricDef> ApplianceDefs();
std::span<const MetricDef> DeviceDefs();

// "counter", "gauge", "histogram" or "summary".
std::string_view TypeName(Kind kind);

// What the series of a family are called, beside its name: {""} or {"_bucket", "_count", "_sum"},
// ...
std::span<const std::string_view> SeriesSuffixes(Kind kind);

// The 1-2-5 series up to the largest value <= max_model_len, as vLLM builds it.
std::span<const double> TokenBuckets(int max_model_len);

// The finish reasons of vllm:request_success_total; each exists at 0 from the start.
inline constexpr std::string_view kFinishReasons[] = {"stop", "length", "abort", "error",
                                                      "repetition"};

// Why a sequence waits; labels of vllm:num_requests_waiting_by_reason.
inline constexpr std::string_view kWaitingReasons[] = {"capacity", "deferred"};

// Labels of vllm:engine_sleep_state.
inline constexpr std::string_view kSleepStates[] = {"awake", "weights_offloaded", "discard_all"};

// Where a prompt token's keys and values came from; labels of vllm:prompt_tokens_by_source_total.
inline constexpr std::string_view kPromptTokenSources[] = {"local_compute", "local_cache_hit",
                                                           "external_kv_transfer"};

// How a request that got its whole answer ended; labels of hearth_requests_answered_total.
inline constexpr std::string_view kAnswerReasons[] = {"stop", "length"};

// Why a request ended without a whole answer; labels of hearth_request_failures_total. "lost" is a
// defect of this program: the request's handler returned and nobody said how the request ended.
inline constexpr std::string_view kFailureReasons[] = {"invalid_request",
                                                       "context_length_exceeded",
                                                       "model_not_found",
                                                       "overloaded",
                                                       "unavailable",
                                                       "engine_died",
                                                       "engine_error",
                                                       "request_quarantined",
                                                       "client_gone",
                                                       "lost"};

// The routes that reach an engine; their children exist at 0 from the start.
inline constexpr std::string_view kInferenceRoutes[] = {"/v1/chat/completions", "/v1/completions"};

// The states of hearth_model_state.
inline constexpr std::string_view kModelStates[] = {
    "loading", "ready", "restarting", "degraded", "failed", "stopped", "asleep"};

// How an engine ended unasked; labels of hearth_engine_crashes_total.
inline constexpr std::string_view kCrashReasons[] = {
    "exited", "killed", "stalled", "out_of_memory", "broken_frame", "not_started"};

// What a model's memory holds; labels of hearth_model_memory_bytes.
inline constexpr std::string_view kMemoryKinds[] = {"weights", "kv_cache", "workspace", "other"};

// What a service level objective may bound; labels of hearth_slo_target_seconds.
inline constexpr std::string_view kSloObjectives[] = {"ttft", "tpot", "e2e"};

}  // namespace hearth::metrics
