// The panels of Ray's and vLLM's own dashboards (../shared/reference/panels), and in what the shipped
// dashboards differ from them on purpose. The unit test holds the files to this list, both ways.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const kRoot = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
const kPanels = join(kRoot, '../shared/reference/panels');

export const kOriginalsAreHere = existsSync(join(kPanels, 'ray_panels.json'));

const read = (name) => JSON.parse(readFileSync(join(kPanels, name), 'utf8'));

/** @returns {title: [panel, …]} of the dashboards that one shipped file stands for. */
export function originalsOf(file) {
  const ray = read('ray_panels.json');
  const lists = {
    'llm.json': () => ray.panels,
    'serve.json': () => [...ray.serve_dashboard_panels, ...ray.serve_deployment_dashboard_panels],
    'vllm.json': () => read('vllm_panels.json').dashboards.flatMap(({ panels }) => panels),
  };
  const byTitle = {};
  for (const panel of lists[file]?.() ?? []) (byTitle[panel.title] ??= []).push(panel);
  return byTitle;
}

/** A query without what the shipped files write otherwise throughout: names of variables, spaces, the cluster. */
export function plainQuery(expr) {
  const names = { vllm_model_name: 'model_name', Application: 'application', HTTP_Route: 'route', Route: 'route',
    Deployment: 'deployment', Replica: 'replica', Deployment_id: 'model_name' };
  return expr.replace(/,?\s*ray_io_cluster=~"\$Cluster"/g, '')
    .replace(/\$(\w+)/g, (_, name) => `$${names[name] ?? name}`)
    .replaceAll('[5m]', '[$interval]')
    .replace(/\s+/g, '').replaceAll("'", '"').replaceAll('{}', '');
}

const kNixl = 'NIXL moves KV blocks between machines';
const kOffload = 'KV offload needs a KV connector, which the box does not have';

/** Panels that no shipped file has: title -> reason. */
export const kLeftOut = {
  'llm.json': {
    'NIXL: Transfer Latency': kNixl,
    'NIXL: Transfer Throughput': kNixl,
    'NIXL: Transfer Rate': kNixl,
    'NIXL: Avg Post Time': kNixl,
    'NIXL: KV Transfer Failures': kNixl,
    'NIXL: KV Expired Requests': kNixl,
    'KV Offload: Store Throughput': kOffload,
    'KV Offload: Reload Throughput': kOffload,
    'KV Offload: Store and Reload Operations/s': kOffload,
    'KV Offload: Store Bandwidth': kOffload,
    'KV Offload: Reload Bandwidth': kOffload,
    'KV Offload: CPU Capacity Pinned by Transfers': kOffload,
    'KV Offload: External Prefix Hit Rate': kOffload,
    'KV Offload: Overall Prefix Hit Rate': kOffload,
    'KV Offload: Lookup Delay -- P90': kOffload,
  },
  'serve.json': {
    'Node count': 'the box is one node',
    'Ongoing gRPC Requests': 'the box does not speak gRPC',
  },
  'vllm.json': {
    'Scrape Targets Up': 'the box is its own and only target',
  },
};

/** The same panel under several titles: title -> the one that shows it. */
export const kMerged = {
  'vllm.json': {
    'GPU Cache Usage (%)': 'GPU KV Usage Percentage',
    'KV Cache (%) by Pod': 'GPU KV Usage Percentage',
    'KV Cache Usage (%) – over time': 'GPU KV Usage Percentage',
    'KV Cache Usage (%) – now': 'KV Cache Usage (avg %)',
    'KV Cache Usage (0–1)': 'KV Cache Usage (avg %)',
    'Running Requests (now)': 'Running Requests (sum)',
    'Waiting Requests (now)': 'Waiting Requests (sum)',
    'Running Over Time': 'Number of Running Requests',
    'Waiting Over Time': 'Number of Pending Requests',
    'Running by Pod': 'Running Requests by Pod',
    'Waiting by Pod': 'Waiting Requests by Pod',
    'Request Rate (real vLLM)': 'Successful Requests Over Time',
    'p50 Latency (real vLLM)': 'p50 Latency',
    'p90 Latency (real vLLM)': 'p90 Latency',
    'p99 Latency (real vLLM)': 'p99 Latency',
    'Input Tokens / sec (real vLLM)': 'Input Tokens Over Time',
    'Output Tokens / sec (real vLLM)': 'Output Tokens Over Time',
    'TTFT over Time': 'TTFT Over Time',
    'ITL (Time per Output Token) over Time': 'ITL (Time Per Output Token) Over Time',
    'TPS (Tokens/sec) over Time': 'TPS (Tokens Per Second) Over Time',
  },
};

const kNotMs = 'the series is in seconds';
const kNotCps = 'tokens, not counts per second';

/** Units that differ where the original has one: title -> [unit, reason]. */
export const kUnits = {
  'serve.json': {
    'Controller Control Loop Duration': ['s', 'the word "seconds" does not scale, and the value is some µs'],
  },
  'vllm.json': {
    'p50 Latency': ['s', kNotMs],
    'p90 Latency': ['s', kNotMs],
    'p99 Latency': ['s', kNotMs],
    'Input Token Size Distribution': ['short', kNotCps],
    'Input Token Size p90': ['short', kNotCps],
    'Input Token Size p50': ['short', kNotCps],
    'Input Token Size Avg': ['short', kNotCps],
    'Input Token Size p99': ['short', kNotCps],
    'Input Tokens Over Time': ['tokens/s', kNotCps],
    'Input Tokens/Sec Avg': ['tokens/s', kNotCps],
    'Output Tokens Over Time': ['tokens/s', kNotCps],
    'Output Tokens/Sec Avg': ['tokens/s', kNotCps],
  },
};

/** Panel types that differ: title -> [type, reason]. Perses's chart names count as Grafana's. */
export const kPanelTypes = {
  'vllm.json': {
    'Input Token Size Distribution': ['bargauge', 'a histogram counts how often a value occurs, and the values are rates of buckets'],
  },
};

const kPersesTypes = { TimeSeriesChart: 'timeseries', StatChart: 'stat' };

/** Grafana's name of an original's panel type. */
export const panelType = (type) => kPersesTypes[type] ?? type;

/** Units that are words of the originals and no ids of Grafana's: they stand behind the number. */
export const kUnitWords = new Set(['%', 'Requests', 'loops', 'model', 'models', 'qps', 'replicas', 'req/s',
  'requests', 'tasks', 'times', 'tokens/s', 'tokens/sec (tps)']);
