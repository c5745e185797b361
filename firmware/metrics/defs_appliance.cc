// hearth_*: what no existing name can carry. Clean under `promtool check metrics`.
#include <array>

#include "firmware/metrics/metric_defs.h"

namespace hearth::metrics {
namespace {

using enum MetricId;
using enum Kind;
constexpr Source kFrom = Source::kAppliance;

constexpr std::string_view kVersion[] = {"version"};
constexpr std::string_view kModel[] = {"model_name"};
constexpr std::string_view kModelEngine[] = {"model_name", "engine"};
constexpr std::string_view kModelStateLabels[] = {"model_name", "state"};
constexpr std::string_view kReplicaStateLabels[] = {"model_name", "engine", "state"};
constexpr std::string_view kModelInfoLabels[] = {"model_name", "architecture", "device",
                                                 "device_name", "dtype"};
constexpr std::string_view kModelKind[] = {"model_name", "kind"};
constexpr std::string_view kModelReason[] = {"model_name", "reason"};
constexpr std::string_view kRuleGroup[] = {"rule_group"};
constexpr std::string_view kReason[] = {"reason"};
constexpr std::string_view kStateLabel[] = {"state"};
constexpr std::string_view kTierLabel[] = {"tier"};
constexpr std::string_view kReasonLabel[] = {"reason"};
constexpr std::string_view kOutcome[] = {"outcome"};
constexpr std::string_view kOutcomeReason[] = {"outcome", "reason"};
constexpr std::string_view kModelFinish[] = {"model_name", "finish_reason"};
constexpr std::string_view kModelObjective[] = {"model_name", "objective"};

// From half a millisecond, where vLLM's buckets see only their first.
constexpr double kWake[] = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 240, 600};
constexpr double kFine[] = {0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02,
                            0.03,   0.05,  0.075, 0.1,   0.15,  0.2,    0.3,  0.5,   0.75,
                            1,      1.5,   2,     3,     5,     7.5,    10,   15,    20,
                            30,     60,    120,   300,   600,   1800,   7200};
constexpr double kBatch[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024};

constexpr std::string_view kAtReady = "when the model becomes ready";
constexpr std::string_view kAtEvaluation = "when rules have been evaluated";
constexpr std::string_view kEachSecond = "every second";

constexpr std::array kRows = {
    MetricDef{kBuildInfo, "hearth_build_info", kGauge, kFrom, kVersion, {},
              "Always 1; the labels say what is running.", "at the start", ""},
    MetricDef{kModelState, "hearth_model_state", kGauge, kFrom, kModelStateLabels, {},
              "1 for the state the model is in, 0 for the others.", kEachSecond,
              "hearth_model_state{state!~\"ready|asleep\"} == 1"},
    MetricDef{kReplicaState, "hearth_replica_state", kGauge, kFrom, kReplicaStateLabels, {},
              "1 for the state the replica is in, 0 for the others.", "when the state changes", ""},
    MetricDef{kAutoscalingTotalRequests, "hearth_autoscaling_total_requests", kGauge, kFrom, kModel, {},
              "Requests of the model, ongoing and waiting, as the autoscaler sees them: their mean over "
              "look_back_period_s.",
              kEachSecond, ""},
    MetricDef{kAutoscalingDelayLeft, "hearth_autoscaling_delay_left_seconds", kGauge, kFrom, kModel, {},
              "Time until the number of replicas changes, should the load stay as it is; 0 when it does "
              "not change.",
              kEachSecond, ""},
    MetricDef{kAutoscalingPrevented, "hearth_autoscaling_prevented", kGauge, kFrom, kModel, {},
              "1 while there are fewer replicas than there shall be, for want of memory or because one "
              "failed.",
              kEachSecond, "hearth_autoscaling_prevented == 1"},
    MetricDef{kModelWakes, "hearth_model_wakes_total", kCounter, kFrom, kModel, {},
              "Times a request, or a person, has woken the model.", "when an engine is started for it",
              ""},
    MetricDef{kModelWakeDuration, "hearth_model_wake_duration_seconds", kHistogram, kFrom, kModel,
              kWake, "Time from the request that wakes a model until the model is ready.", kAtReady,
              ""},
    MetricDef{kModelEvictions, "hearth_model_evictions_total", kCounter, kFrom, kModel, {},
              "Times a replica of the model gave way to another model that needed its memory.",
              "when the replica goes", ""},
    MetricDef{kModelInfo, "hearth_model_info", kGauge, kFrom, kModelInfoLabels, {},
              "1; the labels say what the model is and where it runs.", kAtReady, ""},
    MetricDef{kModelLoadTime, "hearth_model_load_duration_seconds", kGauge, kFrom, kModel, {},
              "How long the last load took.", kEachSecond, ""},
    MetricDef{kLogEngineMetrics, "hearth_log_engine_metrics", kGauge, kFrom, kModel, {},
              "1 while the model's engine families (vllm:*) are shown and recorded, 0 while "
              "log_engine_metrics is false.",
              "when the setting changes", ""},
    MetricDef{kModelMemoryBytes, "hearth_model_memory_bytes", kGauge, kFrom, kModelKind, {},
              "Memory of the model's engine on its device by use; other is what the process holds "
              "beside the rest.",
              kEachSecond, "sum by (kind) (hearth_model_memory_bytes)"},
    MetricDef{kKvCacheCapacityTokens, "hearth_kv_cache_capacity_tokens", kGauge, kFrom, kModel, {},
              "Tokens the KV cache can hold.", kAtReady, ""},
    MetricDef{kKvCacheCapacityBytes, "hearth_kv_cache_capacity_bytes", kGauge, kFrom, kModel, {},
              "Bytes reserved for the KV cache.", kAtReady, ""},
    MetricDef{kEngineRestarts, "hearth_engine_restarts_total", kCounter, kFrom, kModel, {},
              "Times the model's engine process ended by itself and was started again.",
              "when an engine has ended unasked", "increase(hearth_engine_restarts_total[1h]) > 0"},
    MetricDef{kEngineCrashes, "hearth_engine_crashes_total", kCounter, kFrom, kModelReason, {},
              "Times an engine of the model ended unasked, by how.",
              "when an engine has ended unasked",
              "sum by (reason) (increase(hearth_engine_crashes_total[1h])) > 0"},
    MetricDef{kEngineStalls, "hearth_engine_stalls_total", kCounter, kFrom, kModel, {},
              "Times an engine of the model did not get on and was killed.", "when it is killed",
              "increase(hearth_engine_stalls_total[1h]) > 0"},
    MetricDef{kEngineDegraded, "hearth_engine_degraded", kGauge, kFrom, kModelEngine, {},
              "1 while the engine runs in safe mode since it kept ending.",
              "when an engine is started or has ended", "hearth_engine_degraded == 1"},
    MetricDef{kRequestsRequeued, "hearth_requests_requeued_total", kCounter, kFrom, kModel, {},
              "Requests that were given to an engine once more, since theirs ended before their first "
              "token.",
              "when a request is placed once more",
              "increase(hearth_requests_requeued_total[1h])"},
    MetricDef{kRequestsQuarantined, "hearth_requests_quarantined_total", kCounter, kFrom, kModel, {},
              "Requests ended or refused because two engines ended while they worked on the same one.",
              "when a request is ended or refused for it",
              "increase(hearth_requests_quarantined_total[1h]) > 0"},
    MetricDef{kRequestsStarted, "hearth_requests_started_total", kCounter, kFrom, kModel, {},
              "Inference requests received; model_name is empty while none of this box is meant.",
              "when a request's body has been read",
              "hearth_requests_started_total - on (model_name) sum by (model_name) "
              "(hearth_requests_answered_total) - on (model_name) sum by (model_name) "
              "(hearth_request_failures_total) - on (model_name) hearth_requests_in_flight"},
    MetricDef{kRequestsAnswered, "hearth_requests_answered_total", kCounter, kFrom, kModelFinish, {},
              "Inference requests that got their whole answer.", "when a request ends", ""},
    MetricDef{kRequestFailures, "hearth_request_failures_total", kCounter, kFrom, kModelReason, {},
              "Inference requests that ended without a whole answer, by reason.",
              "when a request ends",
              "sum by (reason) (rate(hearth_request_failures_total[5m]))"},
    MetricDef{kRequestsInFlight, "hearth_requests_in_flight", kGauge, kFrom, kModel, {},
              "Inference requests that have started and not ended.", "when a request starts or ends",
              ""},
    MetricDef{kRequestRate, "hearth_requests_per_second", kGauge, kFrom, kModel, {},
              "Inference requests started per second, over the last minute.", kEachSecond, ""},
    MetricDef{kRequestsUnaccounted, "hearth_requests_unaccounted", kGauge, kFrom, kModel, {},
              "Started - answered - failed - in flight. Anything but 0 is a defect of this program.",
              kEachSecond, "hearth_requests_unaccounted != 0"},
    MetricDef{kHearthTimeToFirstToken, "hearth_time_to_first_token_seconds", kHistogram, kFrom,
              kModel, kFine, "Time to first token, with buckets from 0.5 ms.",
              "with vllm:time_to_first_token_seconds", ""},
    MetricDef{kHearthInterTokenLatency, "hearth_inter_token_latency_seconds", kHistogram, kFrom,
              kModel, kFine, "Inter-token latency, with buckets from 0.5 ms.",
              "with vllm:inter_token_latency_seconds", ""},
    MetricDef{kHearthTimePerOutputToken, "hearth_time_per_output_token_seconds", kHistogram, kFrom,
              kModel, kFine, "Time per output token of a request, with buckets from 0.5 ms.",
              "with vllm:request_time_per_output_token_seconds", ""},
    MetricDef{kHearthE2eRequestLatency, "hearth_e2e_request_latency_seconds", kHistogram, kFrom,
              kModel, kFine, "Request latency, with buckets from 0.5 ms.",
              "with vllm:e2e_request_latency_seconds", ""},
    MetricDef{kHearthBatchSize, "hearth_batch_size", kHistogram, kFrom, kModel, kBatch,
              "Sequences that one engine step computed together.",
              "every engine step that computed a token",
              "rate(hearth_batch_size_sum[5m]) / rate(hearth_batch_size_count[5m])"},
    MetricDef{kSloTarget, "hearth_slo_target_seconds", kGauge, kFrom, kModelObjective, {},
              "The service level objective of the model; an objective without a target is left out.",
              "when the setting changes", ""},
    MetricDef{kSloRequests, "hearth_slo_requests_total", kCounter, kFrom, kModel, {},
              "Requests judged by the objectives: all but those the client broke off or got wrong.",
              "when a request ends",
              "rate(hearth_slo_good_requests_total[5m]) / rate(hearth_slo_requests_total[5m])"},
    MetricDef{kSloGoodRequests, "hearth_slo_good_requests_total", kCounter, kFrom, kModel, {},
              "Judged requests that were answered within every objective. Its rate is the goodput.",
              "when a request ends", ""},
    MetricDef{kMetricsRenders, "hearth_metrics_renders_total", kCounter, kFrom, {}, {},
              "Pages rendered for /metrics; many scrapes may share one.", "when a page is rendered",
              ""},
    MetricDef{kMetricsRenderSeconds, "hearth_metrics_render_seconds_total", kCounter, kFrom, {}, {},
              "Time spent on rendering pages for /metrics.", "when a page is rendered",
              "rate(hearth_metrics_render_seconds_total[5m]) / "
              "rate(hearth_metrics_renders_total[5m])"},
    MetricDef{kMetricsPageBytes, "hearth_metrics_page_bytes", kGauge, kFrom, {}, {},
              "Size of the last page rendered for /metrics, uncompressed.", "when a page is rendered",
              ""},
    MetricDef{kHistoryBytes, "hearth_history_bytes", kGauge, kFrom, {}, {},
              "Size of the metric history on disk.", kEachSecond,
              "hearth_history_bytes / hearth_history_limit_bytes"},
    MetricDef{kHistoryLimitBytes, "hearth_history_limit_bytes", kGauge, kFrom, {}, {},
              "What the metric history may grow to on disk.", kEachSecond, ""},
    MetricDef{kHistoryTierBytes, "hearth_history_tier_bytes", kGauge, kFrom, kTierLabel, {},
              "Samples of each tier of the metric history on disk.", kEachSecond, ""},
    MetricDef{kHistoryTierOldestTime, "hearth_history_tier_oldest_timestamp_seconds", kGauge, kFrom,
              kTierLabel, {}, "The oldest sample of each tier of the metric history.", kEachSecond,
              "time() - hearth_history_tier_oldest_timestamp_seconds"},
    MetricDef{kHistorySamplesAppended, "hearth_history_samples_appended_total", kCounter, kFrom, {},
              {}, "Samples handed to the metric history.", kEachSecond, ""},
    MetricDef{kHistoryWriteErrors, "hearth_history_write_errors_total", kCounter, kFrom, {}, {},
              "Commits of the metric history that failed; samples are kept in memory meanwhile.",
              kEachSecond, "increase(hearth_history_write_errors_total[10m]) > 0"},
    MetricDef{kHistoryLastCommitTime, "hearth_history_last_commit_timestamp_seconds", kGauge, kFrom,
              {}, {}, "When the metric history was last committed to disk.", kEachSecond, ""},
    MetricDef{kHistorySeries, "hearth_history_series", kGauge, kFrom, {}, {},
              "Series the metric history knows.", kEachSecond, ""},
    MetricDef{kHistorySeriesRefused, "hearth_history_series_refused_total", kCounter, kFrom, {}, {},
              "Series that the metric history does not record since it has too many.", kEachSecond,
              ""},
    MetricDef{kHistoryFramesLost, "hearth_history_frames_lost_total", kCounter, kFrom, kReasonLabel,
              {}, "Sample times given up before their time: deleted to make room on a full disk, in "
              "memory while nothing could be written, or found broken.",
              kEachSecond, "increase(hearth_history_frames_lost_total[1h]) > 0"},
    MetricDef{kHistoryRecovered, "hearth_history_recovered_total", kCounter, kFrom, {}, {},
              "Broken files of the metric history that were set aside for a fresh one.",
              kEachSecond, "increase(hearth_history_recovered_total[1d]) > 0"},
    MetricDef{kRequestLogDropped, "hearth_request_log_dropped_total", kCounter, kFrom, {}, {},
              "Requests that left the request log before they were on the disk, since it could not be "
              "written or more came than it keeps.",
              "when a request ends", "increase(hearth_request_log_dropped_total[1h]) > 0"},
    MetricDef{kConfigApplies, "hearth_config_applies_total", kCounter, kFrom, kOutcomeReason, {},
              "Applies of a model configuration that ended: confirmed, or returned with the reason.",
              "when an apply ends", "increase(hearth_config_applies_total{outcome!=\"confirmed\"}[1h]) > 0"},
    MetricDef{kConfigActiveRevision, "hearth_config_active_revision", kGauge, kFrom, {}, {},
              "The revision of the model configuration that serves; 0 when there is none.",
              "when a revision is confirmed", "changes(hearth_config_active_revision[1d])"},
    MetricDef{kConfigApplyInProgress, "hearth_config_apply_in_progress", kGauge, kFrom, {}, {},
              "1 while a revision is applied or watched.", "when an apply begins or ends", ""},
    MetricDef{kRecoveryMode, "hearth_recovery_mode", kGauge, kFrom, {}, {},
              "1 while no model is started, because the active revision ended hearthd again and again.",
              "at the start, and when another revision is confirmed", "hearth_recovery_mode == 1"},
    MetricDef{kRuleEvaluations, "hearth_rule_evaluations_total", kCounter, kFrom, kRuleGroup, {},
              "Evaluations of alerting and recording rules on the box.", kAtEvaluation, ""},
    MetricDef{kRuleEvaluationFailures, "hearth_rule_evaluation_failures_total", kCounter, kFrom,
              kRuleGroup, {}, "Evaluations of rules that failed; /api/v1/rules says why.",
              kAtEvaluation, "increase(hearth_rule_evaluation_failures_total[10m]) > 0"},
    MetricDef{kRuleGroupLastDuration, "hearth_rule_group_last_duration_seconds", kGauge, kFrom,
              kRuleGroup, {}, "How long the last evaluation of the group took.", kAtEvaluation, ""},
    MetricDef{kAlerts, "hearth_alerts", kGauge, kFrom, kStateLabel, {},
              "Alerts of the box's own rules that are pending or firing.", kAtEvaluation,
              "hearth_alerts{state=\"firing\"} > 0"},
    MetricDef{kAlertNotificationsSent, "hearth_alert_notifications_sent_total", kCounter, kFrom, {},
              {}, "Alerts that the webhook's receiver has taken, repetitions included.",
              kAtEvaluation, ""},
    MetricDef{kAlertNotificationsFailed, "hearth_alert_notifications_failed_total", kCounter, kFrom,
              {}, {}, "Alerts given up because the webhook's receiver refused them or was away.",
              kAtEvaluation, "increase(hearth_alert_notifications_failed_total[10m]) > 0"},
    MetricDef{kRemoteWriteSamples, "hearth_remote_write_samples_total", kCounter, kFrom, {}, {},
              "Samples that the receiver of remote writes has acknowledged.", kEachSecond,
              "rate(hearth_remote_write_samples_total[5m])"},
    MetricDef{kRemoteWriteSamplesRetried, "hearth_remote_write_samples_retried_total", kCounter,
              kFrom, {}, {},
              "Samples whose request has to be sent again: no link, a busy or failing receiver.",
              kEachSecond, ""},
    MetricDef{kRemoteWriteSamplesDropped, "hearth_remote_write_samples_dropped_total", kCounter,
              kFrom, kReason, {},
              "Samples that the receiver refused for good, by its status.", kEachSecond,
              "increase(hearth_remote_write_samples_dropped_total[1h]) > 0"},
    MetricDef{kRemoteWriteRequestsFailed, "hearth_remote_write_requests_failed_total", kCounter,
              kFrom, {}, {}, "Requests that the receiver did not acknowledge.", kEachSecond, ""},
    MetricDef{kRemoteWriteNewestSent, "hearth_remote_write_newest_sent_timestamp_seconds", kGauge,
              kFrom, {}, {}, "Time of the newest sample that the receiver has acknowledged.",
              kEachSecond, ""},
    MetricDef{kRemoteWriteBacklog, "hearth_remote_write_backlog_seconds", kGauge, kFrom, {}, {},
              "By how much the receiver is behind the history; a commit interval is usual.",
              kEachSecond, "hearth_remote_write_backlog_seconds > 600"},
    MetricDef{kLibraryBytes, "hearth_library_bytes", kGauge, kFrom, {}, {},
              "What the models directory takes on the disk, unfinished pulls included.",
              "every half a minute, and when a pull, an import or a removal ends", ""},
    MetricDef{kLibraryDiskFreeBytes, "hearth_library_disk_free_bytes", kGauge, kFrom, {}, {},
              "Free space of the file system of the models directory.", kEachSecond,
              "predict_linear(hearth_library_disk_free_bytes[6h], 86400) < 0"},
    MetricDef{kPullBytes, "hearth_pull_bytes_total", kCounter, kFrom, {}, {},
              "Bytes of models that came from a hub, repeated ones included.", "when bytes come",
              "rate(hearth_pull_bytes_total[1m])"},
    MetricDef{kPulls, "hearth_pulls_total", kCounter, kFrom, kOutcome, {},
              "Pulls that ended: done, failed or cancelled. A failed one that is resumed ends again.",
              "when a pull ends", "increase(hearth_pulls_total{outcome=\"failed\"}[1h]) > 0"},
};

}  // namespace

std::span<const MetricDef> ApplianceDefs() { return kRows; }

}  // namespace hearth::metrics
