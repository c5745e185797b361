// vLLM's engine families (V1), read from its sources of 2026-08: names, types, labels, buckets and help
// as there. "observed" says when ours move; where vLLM has known gaps (aborts and errors that are never
// counted) ours are right under the same names.
#include <array>

#include "firmware/metrics/buckets.h"
#include "firmware/metrics/metric_defs.h"

namespace hearth::metrics {
namespace {

using enum MetricId;
using enum Kind;
constexpr Source kFrom = Source::kEngine;

constexpr std::string_view kEngine[] = {"model_name", "engine"};
constexpr std::string_view kByReason[] = {"model_name", "engine", "reason"};
constexpr std::string_view kBySleepState[] = {"model_name", "engine", "sleep_state"};
constexpr std::string_view kBySource[] = {"model_name", "engine", "source"};
constexpr std::string_view kByFinish[] = {"model_name", "engine", "finished_reason"};
// vLLM's own family has no model_name; two models of one box would collide without it.
constexpr std::string_view kCacheConfig[] = {
    "model_name",     "engine",         "block_size",           "cache_dtype",
    "num_gpu_blocks", "num_cpu_blocks", "enable_prefix_caching", "gpu_memory_utilization",
    "sliding_window", "kv_cache_size_tokens", "kv_cache_max_concurrency"};

constexpr double kIteration[] = {1,   8,   16,   32,   64,   128,  256,
                                 512, 1024, 2048, 4096, 8192, 16384};
constexpr double kParamsN[] = {1, 2, 5, 10, 20};
constexpr double kPreemptions[] = {1, 2, 3, 4, 5, 10, 20};

constexpr std::string_view kAtStep = "after every engine step";
constexpr std::string_view kAtFinish =
    "when a request finishes: stop, length, abort or error";
constexpr std::string_view kNever =
    "never: this box has no such cache; exposed at 0 because dashboards divide by it";

constexpr std::array kRows = {
    MetricDef{kNumRequestsRunning, "vllm:num_requests_running", kGauge, kFrom, kEngine, {},
              "Number of requests in model execution batches.", kAtStep, ""},
    MetricDef{kNumRequestsWaiting, "vllm:num_requests_waiting", kGauge, kFrom, kEngine, {},
              "Number of requests waiting to be processed.", kAtStep, ""},
    MetricDef{kNumRequestsWaitingByReason, "vllm:num_requests_waiting_by_reason", kGauge, kFrom,
              kByReason, {},
              "Number of waiting requests by reason. Reason labels: 'capacity' = waiting for "
              "scheduling capacity; 'deferred' = deferred by transient constraints (LoRA budget, KV "
              "transfer, blocked status). Sum of all reasons equals vllm:num_requests_waiting.",
              kAtStep, "sum by (reason) (vllm:num_requests_waiting_by_reason)"},
    MetricDef{kEngineSleepState, "vllm:engine_sleep_state", kGauge, kFrom, kBySleepState, {},
              "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is "
              "awake; weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep level 2.",
              "when the model becomes ready (awake) and when its engine ends (discard_all: the "
              "weights are gone)",
              "vllm:engine_sleep_state{sleep_state=\"awake\"} == 0"},
    MetricDef{kKvCacheUsage, "vllm:kv_cache_usage_perc", kGauge, kFrom, kEngine, {},
              "KV-cache usage. 1 means 100 percent usage.",
              "after every engine step; blocks that only the prefix cache holds count as free",
              "max_over_time(vllm:kv_cache_usage_perc[5m])"},
    MetricDef{kPrefixCacheQueries, "vllm:prefix_cache_queries_total", kCounter, kFrom, kEngine, {},
              "Prefix cache queries, in terms of number of queried tokens.",
              "when a request is scheduled first; what a preemption looks up again is not counted",
              ""},
    MetricDef{kPrefixCacheHits, "vllm:prefix_cache_hits_total", kCounter, kFrom, kEngine, {},
              "Prefix cache hits, in terms of number of cached tokens.",
              "when a request is scheduled first",
              "rate(vllm:prefix_cache_hits_total[5m]) / rate(vllm:prefix_cache_queries_total[5m])"},
    MetricDef{kExternalPrefixCacheQueries, "vllm:external_prefix_cache_queries_total", kCounter,
              kFrom, kEngine, {},
              "External prefix cache queries from KV connector cross-instance cache sharing, in "
              "terms of number of queried tokens.",
              kNever, ""},
    MetricDef{kExternalPrefixCacheHits, "vllm:external_prefix_cache_hits_total", kCounter, kFrom,
              kEngine, {},
              "External prefix cache hits from KV connector cross-instance cache sharing, in terms "
              "of number of cached tokens.",
              kNever, ""},
    MetricDef{kMmCacheQueries, "vllm:mm_cache_queries_total", kCounter, kFrom, kEngine, {},
              "Multi-modal cache queries, in terms of number of queried items.", kNever, ""},
    MetricDef{kMmCacheHits, "vllm:mm_cache_hits_total", kCounter, kFrom, kEngine, {},
              "Multi-modal cache hits, in terms of number of cached items.", kNever, ""},
    MetricDef{kNumPreemptions, "vllm:num_preemptions_total", kCounter, kFrom, kEngine, {},
              "Cumulative number of preemption from the engine.", kAtStep, ""},
    MetricDef{kPromptTokens, "vllm:prompt_tokens_total", kCounter, kFrom, kEngine, {},
              "Number of prefill tokens processed.",
              "when a request's prefill completes: its whole prompt, cached tokens included", ""},
    MetricDef{kPromptTokensBySource, "vllm:prompt_tokens_by_source_total", kCounter, kFrom, kBySource,
              {}, "Number of prompt tokens by source.", "with vllm:prompt_tokens_total",
              "sum by (source) (rate(vllm:prompt_tokens_by_source_total[5m]))"},
    MetricDef{kPromptTokensCached, "vllm:prompt_tokens_cached_total", kCounter, kFrom, kEngine, {},
              "Number of cached prompt tokens (local + external).", "with vllm:prompt_tokens_total",
              ""},
    MetricDef{kGenerationTokens, "vllm:generation_tokens_total", kCounter, kFrom, kEngine, {},
              "Number of generation tokens processed.", kAtStep, ""},
    MetricDef{kRequestSuccess, "vllm:request_success_total", kCounter, kFrom, kByFinish, {},
              "Count of successfully processed requests.",
              "when a request finishes; unlike vLLM's, aborts and errors are counted too",
              "sum by (finished_reason) (rate(vllm:request_success_total[5m]))"},
    MetricDef{kRequestPromptTokens, "vllm:request_prompt_tokens", kHistogram, kFrom, kEngine, {},
              "Number of prefill tokens processed.", kAtFinish, ""},
    MetricDef{kRequestGenerationTokens, "vllm:request_generation_tokens", kHistogram, kFrom, kEngine,
              {}, "Number of generation tokens processed.", kAtFinish, ""},
    MetricDef{kIterationTokens, "vllm:iteration_tokens_total", kHistogram, kFrom, kEngine, kIteration,
              "Histogram of number of tokens per engine_step.",
              "every engine step that computed a token: prompt tokens computed + tokens generated",
              "rate(vllm:iteration_tokens_total_sum[5m]) / rate(vllm:iteration_tokens_total_count[5m])"},
    MetricDef{kRequestMaxNumGenerationTokens, "vllm:request_max_num_generation_tokens", kHistogram,
              kFrom, kEngine, {}, "Histogram of maximum number of requested generation tokens.",
              "when a request finishes: the longest of its n answers", ""},
    MetricDef{kRequestParamsN, "vllm:request_params_n", kHistogram, kFrom, kEngine, kParamsN,
              "Histogram of the n request parameter.", kAtFinish, ""},
    MetricDef{kRequestParamsMaxTokens, "vllm:request_params_max_tokens", kHistogram, kFrom, kEngine,
              {}, "Histogram of the max_tokens request parameter.",
              "when a request finishes that named max_tokens", ""},
    MetricDef{kTimeToFirstToken, "vllm:time_to_first_token_seconds", kHistogram, kFrom, kEngine,
              kTtftBuckets, "Histogram of time to first token in seconds.",
              "when a request's first token arrives: from the arrival in the HTTP front", ""},
    MetricDef{kInterTokenLatency, "vllm:inter_token_latency_seconds", kHistogram, kFrom, kEngine,
              kItlBuckets, "Histogram of inter-token latency in seconds.",
              "one sample for every later step that brought a request tokens", ""},
    MetricDef{kRequestTimePerOutputToken, "vllm:request_time_per_output_token_seconds", kHistogram,
              kFrom, kEngine, kItlBuckets, "Histogram of time_per_output_token_seconds per request.",
              "when a request finishes: decode time / (tokens - 1), 0 for a single token", ""},
    MetricDef{kE2eRequestLatency, "vllm:e2e_request_latency_seconds", kHistogram, kFrom, kEngine,
              kRequestLatencyBuckets, "Histogram of e2e request latency in seconds.",
              "when a request finishes: from the arrival in the HTTP front", ""},
    MetricDef{kRequestQueueTime, "vllm:request_queue_time_seconds", kHistogram, kFrom, kEngine,
              kRequestLatencyBuckets, "Histogram of time spent in WAITING phase for request.",
              "when a request finishes: from the engine's queue to the first step it took part in",
              ""},
    MetricDef{kRequestInferenceTime, "vllm:request_inference_time_seconds", kHistogram, kFrom,
              kEngine, kRequestLatencyBuckets, "Histogram of time spent in RUNNING phase for request.",
              "when a request finishes: from its first step to its last token", ""},
    MetricDef{kRequestPrefillTime, "vllm:request_prefill_time_seconds", kHistogram, kFrom, kEngine,
              kRequestLatencyBuckets, "Histogram of time spent in PREFILL phase for request.",
              "when a request finishes: from its first step to its first token", ""},
    MetricDef{kRequestDecodeTime, "vllm:request_decode_time_seconds", kHistogram, kFrom, kEngine,
              kRequestLatencyBuckets, "Histogram of time spent in DECODE phase for request.",
              "when a request finishes: from its first token to its last", ""},
    MetricDef{kRequestPrefillKvComputedTokens, "vllm:request_prefill_kv_computed_tokens", kHistogram,
              kFrom, kEngine, {},
              "Histogram of new KV tokens computed during prefill (excluding cached tokens).",
              kAtFinish, ""},
    MetricDef{kRequestNumPreemptions, "vllm:request_num_preemptions", kHistogram, kFrom, kEngine,
              kPreemptions, "Histogram of the number of preemptions per request.", kAtFinish, ""},
    MetricDef{kEstimatedFlops, "vllm:estimated_flops_per_gpu_total", kCounter, kFrom, kEngine, {},
              "Estimated number of floating point operations per GPU (for Model Flops Utilization "
              "calculations).",
              kAtStep, "rate(vllm:estimated_flops_per_gpu_total[5m]) / 1e12"},
    MetricDef{kEstimatedReadBytes, "vllm:estimated_read_bytes_per_gpu_total", kCounter, kFrom,
              kEngine, {},
              "Estimated number of bytes read from memory per GPU (for Model Flops Utilization "
              "calculations).",
              kAtStep, ""},
    MetricDef{kEstimatedWriteBytes, "vllm:estimated_write_bytes_per_gpu_total", kCounter, kFrom,
              kEngine, {},
              "Estimated number of bytes written to memory per GPU (for Model Flops Utilization "
              "calculations).",
              kAtStep, ""},
    MetricDef{kCacheConfigInfo, "vllm:cache_config_info", kGauge, kFrom, kCacheConfig, {},
              "Information of the LLMEngine CacheConfig", "when the model becomes ready", ""},
};

}  // namespace

std::span<const MetricDef> EngineDefs() { return kRows; }

}  // namespace hearth::metrics
