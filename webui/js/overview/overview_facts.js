// Everything the overview looks at, in one round: status, alerts, rules, events, and one PromQL query
// whose series say by their label `fact` what they are.

import { apiGet, queryInstant } from '../prometheus/prometheus_api.js';
import { eventsBetween } from '../prometheus/events_api.js';

const kEventsMs = 24 * 3600e3;

// Failures that are the box's own; a client that left or sent nonsense is none.
const kOurs = 'reason=~"overloaded|unavailable|engine_died|engine_error|lost"';
const kThrottled = 'reason=~"sw_thermal_slowdown|hw_thermal_slowdown|hw_power_brake_slowdown"';

const ttft = (quantile) => `histogram_quantile(${quantile}, sum by (model_name, le) (rate(hearth_time_to_first_token_seconds_bucket[5m])))`;

/** PromQL by the name of its fact; units are those of the metrics: seconds, bytes, shares of 1. */
export const kFactQueries = {
  failed: `sum by (model_name) (increase(hearth_request_failures_total{${kOurs}}[5m]))`,
  answered: 'sum by (model_name) (increase(hearth_requests_answered_total[5m]))',
  lost: 'sum by (model_name) (increase(hearth_request_failures_total{reason="engine_died"}[15m]))',
  requests: 'sum by (model_name) (rate(hearth_requests_started_total[1m]))',
  ttftP50: ttft(0.5),
  ttftP95: ttft(0.95),
  ttftTarget: 'max by (model_name) (hearth_slo_target_seconds{objective="ttft"})',
  attainment: 'sum by (model_name) (rate(hearth_slo_good_requests_total[5m])) / sum by (model_name) (rate(hearth_slo_requests_total[5m]))',
  judged: 'sum by (model_name) (increase(hearth_slo_requests_total[5m]))',
  waiting: 'sum by (model_name) (vllm:num_requests_waiting)',
  waitingLong: 'sum by (model_name) (min_over_time(vllm:num_requests_waiting[2m]))',
  running: 'sum by (model_name) (vllm:num_requests_running)',
  kvCache: 'max by (model_name) (vllm:kv_cache_usage_perc)',
  scalingPrevented: 'max by (model_name) (hearth_autoscaling_prevented)',
  unaccounted: 'sum by (model_name) (hearth_requests_unaccounted)',
  cpu: 'avg(avg_over_time(hearth_host_cpu_utilization_ratio[1m]))',
  memory: 'max(hearth_host_memory_used_ratio)',
  memoryAvailable: 'min(hearth_host_memory_available_bytes)',
  gpu: 'avg by (gpu) (avg_over_time(hearth_gpu_utilization_ratio[1m]))',
  gpuMemory: 'max by (gpu) (hearth_gpu_memory_used_bytes / hearth_gpu_memory_total_bytes)',
  gpuHot: 'max by (gpu) (avg_over_time(hearth_gpu_temperature_celsius[1m]))',
  gpuThrottled: `max by (gpu) (avg_over_time(hearth_gpu_clocks_event_reason{${kThrottled}}[5m]))`,
  gpuAge: 'max by (gpu) (hearth_gpu_reading_age_seconds)',
  gpuXid: 'sum by (gpu) (increase(hearth_gpu_xid_errors_total[1h]))',
  diskFree: 'min by (mountpoint) (hearth_host_filesystem_avail_bytes)',
  diskFreeShare: 'min by (mountpoint) (hearth_host_filesystem_avail_bytes / hearth_host_filesystem_size_bytes)',
  diskReadonly: 'max by (mountpoint) (hearth_host_filesystem_readonly)',
  historyBytes: 'max(hearth_history_bytes)',
  historyLimit: 'max(hearth_history_limit_bytes)',
  historyErrors: 'sum(increase(hearth_history_write_errors_total[10m]))',
  historyLost: 'sum(increase(hearth_history_frames_lost_total[1h]))',
  commitAge: 'time() - max(hearth_history_last_commit_timestamp_seconds)',
  sampleAge: 'time() - max(timestamp(hearth_build_info))',
  unsent: 'sum(increase(hearth_alert_notifications_failed_total[1h]))',
  backlog: 'max(hearth_remote_write_backlog_seconds)',
};

export const kAllFacts = Object.entries(kFactQueries)
  .map(([fact, expr]) => `label_replace(${expr}, "fact", "${fact}", "", "")`).join(' or ');

/** @param series of kAllFacts @returns {fact: [{labels, value}]}, every fact of the table in it */
export function readFacts(series) {
  const values = Object.fromEntries(Object.keys(kFactQueries).map((fact) => [fact, []]));
  for (const { labels: { fact, ...labels }, points } of series) values[fact]?.push({ labels, value: points[0].y });
  return values;
}

async function getJson(path, signal) {
  const response = await fetch(path, { signal, headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`HTTP ${response.status} from ${path}`);
  return response.json();
}

/** Part of the facts may fail while the box answers: it is then missing, and `missing` says why. */
async function orMissing(promise, what, otherwise, missing) {
  try {
    return await promise;
  } catch (error) {
    missing.push({ what, why: error.message });
    return otherwise;
  }
}

/** @returns the facts of findings(); rejects when the box does not answer */
export async function loadFacts(signal) {
  const missing = [];
  const nowMs = Date.now();
  const [status, series, alerts, rules, events, apply, usage] = await Promise.all([
    getJson('/api/status', signal),
    orMissing(queryInstant(kAllFacts, nowMs, signal), 'query', [], missing),
    orMissing(apiGet('/api/v1/alerts', {}, signal), 'alerts', { alerts: [] }, missing),
    orMissing(apiGet('/api/v1/rules', {}, signal), 'rules', { groups: [] }, missing),
    orMissing(eventsBetween(nowMs - kEventsMs, nowMs), 'events', [], missing),
    orMissing(getJson('/api/config/apply', signal), 'apply', null, missing),
    orMissing(getJson('/api/usage', signal), 'usage', null, missing),
  ]);
  return { nowMs, status, values: readFacts(series), alerts: alerts.alerts, groups: rules.groups, events, apply, usage, missing };
}
