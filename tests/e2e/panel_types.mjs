// A dashboard with every panel type, and fixed answers to its queries: what a panel must show is known
// to the last digit. Used by panel_types_test.mjs, and by hand to look at the panels.

const kBounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, Infinity];
const kModels = ['hearth-demo', 'qwen-small', 'qwen-large'];

/** Counts per bucket at a step, before they are cumulated: a hill that wanders up and down. */
export function bucketCount(index, bucket) {
  const middle = 3 + 2 * Math.sin(index / 14);
  return Math.max(0, Math.round(40 * Math.exp(-((bucket - middle) ** 2) / 1.6)) - 1);
}

const cumulated = (index, bucket) => Array.from({ length: bucket + 1 }, (_, below) => bucketCount(index, below))
  .reduce((sum, count) => sum + count, 0);

const leText = (bound) => (bound === Infinity ? '+Inf' : String(bound));
const wave = (index, model) => 40 + 30 * Math.sin(index / 9 + model) + 7 * model;

/** query -> [{labels, at(index) => number | null}] */
const kSeries = {
  latency_bucket: kBounds.map((bound, bucket) => ({ labels: { le: leText(bound) }, at: (index) => cumulated(index, bucket) })),
  throughput: kModels.map((name, model) => ({ labels: { model_name: name }, at: (index) => wave(index, model) })),
  waves: kModels.map((name, model) => ({ labels: { model_name: name }, at: (index) => Math.round(wave(index, model)) })),
  model_state: kModels.map((name, model) => ({
    labels: { model_name: name }, at: (index) => (index % 40 > 34 && model === 1 ? null : Math.floor((index + 11 * model) / 23) % 3),
  })),
  gpu_load: [{ labels: { gpu: '0' }, at: (index) => 50 + 45 * Math.sin(index / 13) }],
  answered: [
    { labels: { finish_reason: 'stop' }, at: () => 740 }, { labels: { finish_reason: 'length' }, at: () => 210 },
    { labels: { finish_reason: 'abort' }, at: () => 40 }, { labels: { finish_reason: 'error' }, at: () => 10 },
  ],
  single: [{ labels: { model_name: 'hearth-demo' }, at: (index) => 1200 + 10 * (index % 1000) }],
  share: kModels.map((name, model) => ({ labels: { model_name: name }, at: () => [0.42, 0.83, 0.97][model] })),
  requests_info: kModels.flatMap((name, model) => ['stop', 'length'].map((reason, at) => ({
    labels: { __name__: 'requests_info', model_name: name, finish_reason: reason, instance: 'localhost:9090' },
    at: () => 1000 * (model + 1) + 10 * at,
  }))),
  many: Array.from({ length: 120 }, (_, index) => ({ labels: { slot: `slot-${index}` }, at: () => (index * 37) % 120 })),
};

/** Prometheus's answer to /api/v1/query and /api/v1/query_range. */
export function answer(path, params) {
  if (path.endsWith('/query_range')) {
    const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(params.get(name)));
    const times = [];
    for (let time = start; time <= end + 1e-9; time += step) times.push(time);
    const result = (kSeries[params.get('query')] ?? []).map(({ labels, at }) => ({
      metric: labels,
      values: times.map((time) => [time, at(Math.round(time / step))]).filter(([, value]) => value !== null)
        .map(([time, value]) => [time, String(value)]),
    }));
    return { status: 'success', data: { resultType: 'matrix', result } };
  }
  const time = Number(params.get('time'));
  const result = (kSeries[params.get('query')] ?? []).map(({ labels, at }) => ({ metric: labels, value: [time, String(at(0))] }));
  return { status: 'success', data: { resultType: 'vector', result } };
}

const kStates = [{
  type: 'value',
  options: { 0: { text: 'ready', color: 'green' }, 1: { text: 'loading', color: 'yellow' }, 2: { text: 'failed', color: 'red' } },
}];
const kThresholds = {
  mode: 'absolute', steps: [{ color: 'green', value: null }, { color: 'yellow', value: 60 }, { color: 'red', value: 85 }],
};

let nextId = 1;
function panel(type, title, gridPos, expr, { target = {}, defaults = {}, overrides = [], ...rest } = {}) {
  return {
    id: nextId++, type, title, gridPos,
    targets: expr ? [{ refId: 'A', expr, legendFormat: '{{model_name}}', ...target }] : [],
    fieldConfig: { defaults: { color: { mode: 'palette-classic' }, ...defaults }, overrides }, ...rest,
  };
}

const byThresholds = { color: { mode: 'thresholds' }, thresholds: kThresholds };
const shares = { unit: 'percentunit', min: 0, max: 1, color: { mode: 'thresholds' },
  thresholds: { mode: 'absolute', steps: [{ color: 'green', value: null }, { color: 'yellow', value: 0.8 }, { color: 'red', value: 0.95 }] } };
const buckets = { target: { format: 'heatmap', legendFormat: '{{le}}' } };
const last = (more) => ({ reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, ...more });

const kPanels = [
  panel('heatmap', 'Latency', { x: 0, y: 0, w: 12, h: 9 }, 'latency_bucket', {
    ...buckets, options: { calculate: false, color: { mode: 'scheme', scheme: 'Oranges', steps: 64 }, yAxis: { unit: 's' }, cellGap: 1, filterValues: { le: 1e-9 } } }),
  panel('heatmap', 'Throughput counted', { x: 12, y: 0, w: 6, h: 9 }, 'throughput', {
    options: { calculate: true, color: { mode: 'scheme', scheme: 'Spectral', steps: 64 } } }),
  panel('heatmap', 'Old heatmap', { x: 18, y: 0, w: 6, h: 9 }, 'latency_bucket', {
    ...buckets, dataFormat: 'tsbuckets', yAxis: { format: 's' }, color: { mode: 'opacity', cardColor: '#73bf69', exponent: 0.5 },
    legend: { show: true }, hideZeroBuckets: true }),
  panel('heatmap', 'Small heatmap', { x: 0, y: 9, w: 3, h: 3 }, 'latency_bucket', {
    ...buckets, options: { color: { scheme: 'Turbo' }, yAxis: { unit: 's' } } }),
  panel('histogram', 'Values', { x: 3, y: 9, w: 9, h: 9 }, 'waves', { defaults: { unit: 'short', custom: { fillOpacity: 60 } } }),
  panel('histogram', 'Combined', { x: 12, y: 9, w: 9, h: 9 }, 'waves', {
    defaults: { unit: 'ms' }, options: { combine: true, bucketSize: 10 } }),
  panel('histogram', 'Small histogram', { x: 21, y: 9, w: 3, h: 3 }, 'waves'),
  panel('state-timeline', 'Model state', { x: 0, y: 18, w: 12, h: 7 }, 'model_state', {
    defaults: { mappings: kStates }, options: { mergeValues: true, showValue: 'auto', rowHeight: 0.85 } }),
  panel('state-timeline', 'GPU load', { x: 12, y: 18, w: 9, h: 7 }, 'gpu_load', {
    target: { legendFormat: 'GPU {{gpu}}' }, defaults: { ...byThresholds, unit: 'percent' } }),
  panel('state-timeline', 'Small state-timeline', { x: 21, y: 18, w: 3, h: 3 }, 'model_state', { defaults: { mappings: kStates } }),
  panel('status-history', 'Model samples', { x: 0, y: 25, w: 12, h: 7 }, 'model_state', { defaults: { mappings: kStates } }),
  panel('status-history', 'Small status-history', { x: 12, y: 25, w: 3, h: 3 }, 'model_state', { defaults: { mappings: kStates } }),
  panel('table', 'Requests', { x: 15, y: 25, w: 9, h: 7 }, 'requests_info', {
    target: { format: 'table', instant: true },
    defaults: { unit: 'short', custom: { filterable: true } },
    overrides: [
      { matcher: { id: 'byName', options: 'Value' }, properties: [{ id: 'custom.cellOptions', value: { type: 'gauge', mode: 'gradient' } }, { id: 'displayName', value: 'Requests' }, { id: 'color', value: { mode: 'continuous-BlPu' } }] },
      { matcher: { id: 'byName', options: 'finish_reason' }, properties: [{ id: 'custom.cellOptions', value: { type: 'color-background' } }, { id: 'mappings', value: [{ type: 'value', options: { stop: { color: 'green' }, length: { color: 'orange' } } }] }] },
      { matcher: { id: 'byName', options: 'model_name' }, properties: [{ id: 'links', value: [{ title: 'Model', url: '/models?name=${__value.text}' }] }] },
    ],
    options: { sortBy: [{ displayName: 'Requests', desc: true }], footer: { show: true, reducer: ['sum'] } } }),
  panel('table', 'Pages', { x: 0, y: 32, w: 8, h: 8 }, 'many', {
    target: { format: 'table', instant: true }, options: { footer: { enablePagination: true } } }),
  panel('table', 'Frames', { x: 8, y: 32, w: 8, h: 8 }, 'throughput', { defaults: { unit: 'ops', decimals: 2 } }),
  panel('table', 'Small table', { x: 16, y: 32, w: 3, h: 3 }, 'requests_info', { target: { format: 'table', instant: true } }),
  panel('table', 'Texts', { x: 19, y: 40, w: 2, h: 5 }, 'requests_info', {
    target: { format: 'table', instant: true }, transformations: [{ id: 'filterFieldsByName', options: { include: { names: ['model_name'] } } }] }),
  panel('text', 'Notes', { x: 19, y: 32, w: 5, h: 8 }, null, { options: { mode: 'markdown', content:
    '# Box **$host**\n\nSee [the models](/models) and `vllm:num_requests_running`.\n\n- one\n  - deep\n- two\n\n| key | value |\n|:--|--:|\n| a | 1 |\n\n```\nsum(rate(x[5m]))\n```' } }),
  panel('text', 'HTML', { x: 16, y: 35, w: 3, h: 5 }, null, { options: { mode: 'html', content: '<h1>Hello</h1><script>alert(1)</script><p>a <b>word</b></p>' } }),
  panel('stat', 'Several', { x: 0, y: 40, w: 9, h: 5 }, 'throughput', { defaults: { unit: 'ops', ...byThresholds }, options: last({ graphMode: 'area', colorMode: 'value' }) }),
  panel('stat', 'Background', { x: 9, y: 40, w: 6, h: 5 }, 'share', { defaults: shares, options: last({ graphMode: 'none', colorMode: 'background', textMode: 'value_and_name' }) }),
  panel('stat', 'Change', { x: 15, y: 40, w: 4, h: 5 }, 'single', { defaults: { unit: 'short', links: [{ title: 'Requests', url: '/requests?model=${__field.labels.model_name}' }] }, options: last({ graphMode: 'area', colorMode: 'none', showPercentChange: true, justifyMode: 'center' }) }),
  panel('stat', 'Small stat', { x: 21, y: 40, w: 3, h: 3 }, 'single', { defaults: { unit: 'bytes' }, options: last({ graphMode: 'area' }) }),
  panel('stat', 'Names', { x: 21, y: 43, w: 3, h: 3 }, 'share', { defaults: shares, options: last({ textMode: 'name', colorMode: 'background' }) }),
  panel('gauge', 'Shares', { x: 0, y: 46, w: 9, h: 6 }, 'share', { defaults: shares, options: last({ showThresholdLabels: true, showThresholdMarkers: true }) }),
  panel('gauge', 'One', { x: 9, y: 46, w: 6, h: 6 }, 'gpu_load', { target: { legendFormat: '' }, defaults: { ...byThresholds, unit: 'percent', min: 0, max: 100 }, options: last({}) }),
  panel('gauge', 'Small gauge', { x: 15, y: 46, w: 3, h: 3 }, 'gpu_load', { defaults: { ...byThresholds, unit: 'percent', min: 0, max: 100 }, options: last({}) }),
  panel('bargauge', 'Small bargauge', { x: 15, y: 49, w: 3, h: 3 }, 'share', { defaults: shares, options: last({ orientation: 'horizontal' }) }),
  panel('bargauge', 'Basic', { x: 18, y: 46, w: 6, h: 6 }, 'share', { defaults: shares, options: last({ orientation: 'horizontal', displayMode: 'basic' }) }),
  panel('bargauge', 'Gradient', { x: 0, y: 52, w: 8, h: 7 }, 'waves', { defaults: { unit: 'short', ...byThresholds, min: 0, max: 100 }, options: last({ orientation: 'vertical', displayMode: 'gradient' }) }),
  panel('bargauge', 'Retro', { x: 8, y: 52, w: 8, h: 7 }, 'waves', { defaults: { unit: 'short', ...byThresholds, min: 0, max: 100 }, options: last({ orientation: 'horizontal', displayMode: 'lcd' }) }),
  panel('bargauge', 'Buckets', { x: 16, y: 52, w: 8, h: 7 }, 'latency_bucket', { ...buckets, defaults: { unit: 'short' }, options: last({ displayMode: 'gradient' }) }),
  panel('piechart', 'Finish reasons', { x: 0, y: 59, w: 8, h: 7 }, 'answered', { target: { legendFormat: '{{finish_reason}}' },
    options: last({ pieType: 'donut', displayLabels: ['percent'], legend: { showLegend: true, displayMode: 'table', placement: 'right', values: ['value', 'percent'] } }) }),
  panel('piechart', 'Pie', { x: 8, y: 59, w: 8, h: 7 }, 'answered', { target: { legendFormat: '{{finish_reason}}' },
    options: last({ pieType: 'pie', displayLabels: ['name', 'value'], legend: { showLegend: true, displayMode: 'list', placement: 'bottom' } }) }),
  panel('piechart', 'Small piechart', { x: 16, y: 59, w: 3, h: 3 }, 'answered', { target: { legendFormat: '{{finish_reason}}' }, options: last({ pieType: 'donut' }) }),
  panel('barchart', 'By model', { x: 0, y: 66, w: 8, h: 7 }, 'requests_info', {
    target: { format: 'table', instant: true }, defaults: { unit: 'short' }, options: { xField: 'model_name', stacking: 'none', showValue: 'auto', legend: { showLegend: true } },
    transformations: [{ id: 'groupBy', options: { fields: { model_name: { operation: 'groupby', aggregations: [] }, Value: { operation: 'aggregate', aggregations: ['sum', 'max'] } } } }] }),
  panel('barchart', 'Stacked', { x: 8, y: 66, w: 8, h: 7 }, 'waves', {
    target: { interval: '60s' }, defaults: { unit: 'short' }, options: { stacking: 'normal', legend: { showLegend: true, placement: 'right' } } }),
  panel('barchart', 'Lying', { x: 16, y: 66, w: 8, h: 7 }, 'share', {
    target: { format: 'table', instant: true }, defaults: { ...shares, custom: { fillOpacity: 90 } },
    options: { orientation: 'horizontal', xField: 'model_name', legend: { showLegend: false } } }),
];

export const kTypesDashboard = {
  uid: 'panel-types', title: 'Panel types', schemaVersion: 39, version: 1,
  time: { from: 'now-15m', to: 'now' }, refresh: '',
  templating: { list: [{ name: 'host', type: 'constant', query: 'hearth', current: { value: 'hearth' } }] },
  panels: kPanels,
};

/** Gives a page the dashboard and its answers, wherever the page asks for them. */
export async function serveTypes(page) {
  const json = (body) => ({ status: 200, contentType: 'application/json', body: JSON.stringify(body) });
  await page.route('**/api/v1/query**', (route) => {
    const url = new URL(route.request().url());
    const params = new URLSearchParams(route.request().method() === 'POST' ? route.request().postData() : url.search);
    return route.fulfill(json(answer(url.pathname, params)));
  });
  await page.route('**/api/events**', (route) => route.fulfill(json({
    events: [{ time: Number(new URL(route.request().url()).searchParams.get('start')) + 300, kind: 'model_ready', text: 'hearth-demo is ready' }],
  })));
  await page.route('**/dashboards/llm.json', (route) => route.fulfill(json(kTypesDashboard)));
  await page.route('**/api/dashboards/*', (route) => route.fulfill(json({
    dashboard: kTypesDashboard, meta: { source: 'uploaded', version: 1, updated_ms: 0, undrawn: [] },
  })));
}
