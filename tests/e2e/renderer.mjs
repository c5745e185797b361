// A dashboard with everything that the renderer's core does, and fixed answers to its queries, so that
// the test knows each number. Metrics are functions of time; labels that a query matches select them.

const kHosts = ['alpha', 'beta', 'gamma'];
const kInstances = { alpha: ['a1', 'a2'], beta: ['b1'], gamma: ['g1'] };

/** metric → [{labels, at(seconds) → value}] */
const kMetrics = {
  ramp: kHosts.map((host, index) => ({ labels: { host }, at: () => 10 * (index + 1) })),
  wave: kHosts.map((host, index) => ({ labels: { host }, at: (time) => (index + 1) * (2 + Math.sin(time / 60)) })),
  signed: [{ labels: { dir: 'in' }, at: () => 4 }, { labels: { dir: 'out' }, at: () => 6 }],
  bytes: [{ labels: {}, at: () => 3 * 2 ** 30 }],
  small: [{ labels: {}, at: () => 0.004 }],
  large: [{ labels: {}, at: () => 5000 }],
  holes: [{ labels: {}, at: (time) => (time % 120 < 60 ? 5 : NaN) }],
  load: [{ labels: {}, at: () => 82 }],
};

/** What the mock was asked, for the test to look at: [{path, params}]. */
export const asked = [];

function selected(query) {
  const match = /(\w+)(?:\{(\w+)=~?"([^"]*)"\})?/.exec(query.replace(/^\w+\(/, ''));
  const series = kMetrics[match?.[1]] ?? [];
  if (!match?.[2]) return series;
  const wanted = new RegExp(`^(?:${match[3].replaceAll('\\\\', '\\')})$`);
  return series.filter(({ labels }) => wanted.test(labels[match[2]] ?? ''));
}

const text = (value) => (Number.isNaN(value) ? 'NaN' : String(value));

function queryAnswer(path, params) {
  const series = selected(params.get('query'));
  if (!path.endsWith('/query_range')) {
    const time = Number(params.get('time'));
    return { resultType: 'vector', result: series.map(({ labels, at }) => ({ metric: labels, value: [time, text(at(time))] })) };
  }
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(params.get(name)));
  const times = Array.from({ length: Math.floor((end - start) / step + 1e-9) + 1 }, (_, index) => start + index * step);
  return { resultType: 'matrix', result: series.map(({ labels, at }) => ({ metric: labels, values: times.map((time) => [time, text(at(time))]) })) };
}

function apiAnswer(path, params) {
  if (path.endsWith('/label/host/values')) return kHosts;
  if (path.endsWith('/label/instance/values')) {
    const wanted = /host=~?"([^"]*)"/.exec(params.get('match[]') ?? '')?.[1];
    const hosts = kHosts.filter((host) => !wanted || new RegExp(`^(?:${wanted})$`).test(host));
    return hosts.flatMap((host) => kInstances[host]);
  }
  if (/\/query(_range)?$/.test(path)) return queryAnswer(path, params);
  return [];
}

let nextId = 0;
const target = (expr, legendFormat = '', more = {}) => ({ refId: 'A', expr, legendFormat, ...more });

function panel(type, title, gridPos, targets, more = {}) {
  nextId += 1;
  return { id: nextId, type, title, gridPos, targets, fieldConfig: { defaults: {}, overrides: [] }, options: {}, ...more };
}

const byName = (name, properties) => ({
  matcher: { id: 'byName', options: name }, properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
});
const table = (calcs, more = {}) => ({ legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs, ...more } });
const custom = (options, more = {}) => ({ defaults: { custom: options, ...more }, overrides: [] });

const kPanels = [
  panel('timeseries', 'Sorted legend', { x: 0, y: 0, w: 12, h: 8 }, [target('ramp', '{{host}}')], { options: table(['lastNotNull', 'mean', 'max'], { sortBy: 'Last *', sortDesc: true }) }),
  panel('timeseries', 'Two units', { x: 12, y: 0, w: 12, h: 8 }, [target('bytes', 'memory'), target('small', 'latency', { refId: 'B' })], {
    fieldConfig: { defaults: { unit: 'bytes', custom: { axisLabel: 'Memory' } }, overrides: [byName('latency', { unit: 's', 'custom.axisPlacement': 'right' })] }, options: table(['lastNotNull']) }),
  panel('timeseries', 'Percent stack', { x: 0, y: 8, w: 8, h: 7 }, [target('ramp', '{{host}}')], {
    fieldConfig: custom({ stacking: { mode: 'percent', group: 'A' }, fillOpacity: 60 }), options: { legend: { displayMode: 'list', calcs: ['lastNotNull'] } } }),
  panel('timeseries', 'Negative bars', { x: 8, y: 8, w: 8, h: 7 }, [target('signed', '{{dir}}')], {
    fieldConfig: { defaults: { custom: { drawStyle: 'bars', fillOpacity: 70, axisCenteredZero: true } }, overrides: [byName('out', { 'custom.transform': 'negative-Y' })] } }),
  panel('timeseries', 'Log and thresholds', { x: 16, y: 8, w: 8, h: 7 }, [target('small', 'small'), target('large', 'large', { refId: 'B' })], {
    fieldConfig: custom({ scaleDistribution: { type: 'log', log: 10 }, thresholdsStyle: { mode: 'dashed+area' }, lineStyle: { fill: 'dash', dash: [8, 4] } },
      { thresholds: { mode: 'absolute', steps: [{ color: 'green', value: null }, { color: 'red', value: 100 }] } }) }),
  panel('timeseries', 'Smooth and points', { x: 0, y: 15, w: 8, h: 7 }, [target('wave', '{{host}}')], {
    fieldConfig: { defaults: { custom: { lineInterpolation: 'smooth' } }, overrides: [byName('beta', { 'custom.drawStyle': 'points' }), byName('gamma', { 'custom.lineInterpolation': 'stepAfter', color: { mode: 'fixed', fixedColor: 'dark-red' } })] },
    options: { tooltip: { mode: 'multi', sort: 'asc' } } }),
  panel('timeseries', 'Hidden parts', { x: 8, y: 15, w: 8, h: 7 }, [target('ramp', '{{host}}')], {
    fieldConfig: { defaults: {}, overrides: [byName('alpha', { 'custom.hideFrom': { viz: true, legend: true, tooltip: true } }), byName('beta', { 'custom.hideFrom': { legend: true } }), byName('gamma', { displayName: 'Third ${__field.labels.host}' })] } }),
  panel('timeseries', 'Holes joined', { x: 16, y: 15, w: 8, h: 7 }, [target('holes', 'holes')], { fieldConfig: custom({ spanNulls: true }) }),
  panel('stat', 'Reduced', { x: 0, y: 22, w: 6, h: 4 }, [target('ramp', '{{host}}', { format: 'table', instant: true })], {
    transformations: [{ id: 'reduce', options: { reducers: ['sum'] } }] }),
  panel('table', 'Joined', { x: 6, y: 22, w: 9, h: 6 }, [target('ramp', '', { format: 'table', instant: true }), target('wave', '', { refId: 'B', format: 'table', instant: true })], {
    transformations: [{ id: 'merge', options: {} }, { id: 'calculateField', options: { mode: 'binary', binary: { left: 'Value #A', operator: '*', right: '2' }, alias: 'Twice' } },
      { id: 'organize', options: { excludeByName: { Time: true, 'Value #B': true }, renameByName: { host: 'Machine', 'Value #A': 'Once' }, indexByName: { host: 0 } } }] }),
  panel('stat', 'Mapped', { x: 15, y: 22, w: 4, h: 4 }, [target('load', 'load')], {
    fieldConfig: { defaults: { mappings: [{ type: 'range', options: { from: 80, to: 100, result: { text: 'busy', color: 'orange' } } }] }, overrides: [] } }),
  panel('timeseries', 'Of $host on $instance', { x: 0, y: 28, w: 12, h: 6 }, [target('ramp{host=~"$host"}', '{{host}} by ${mode:text}')]),
  panel('timeseries', 'Own time', { x: 12, y: 28, w: 12, h: 6 }, [target('ramp', '{{host}}', { interval: '30s' })], { timeFrom: '10m', timeShift: '1h' }),
  panel('stat', 'Host $host', { x: 0, y: 34, w: 24, h: 4 }, [target('ramp{host=~"$host"}', '{{host}}')], { repeat: 'host', repeatDirection: 'h', maxPerRow: 2 }),
  { id: 60, type: 'row', title: 'Row of $host', gridPos: { x: 0, y: 40, w: 24, h: 1 }, repeat: 'host', panels: [] },
  panel('stat', 'In the row of $host', { x: 0, y: 41, w: 6, h: 4 }, [target('ramp{host=~"$host"}', '{{host}}')]),
  { id: 61, type: 'row', title: 'Older and undrawn', gridPos: { x: 0, y: 46, w: 24, h: 1 }, panels: [] },
  { id: 62, type: 'graph', title: 'Old graph', gridPos: { x: 0, y: 47, w: 8, h: 7 }, targets: [target('ramp', '{{host}}'), target('small', 'small', { refId: 'B' })], stack: true, fill: 3, lines: true,
    yaxes: [{ format: 'percent', label: 'Share' }, { format: 's', show: true }], seriesOverrides: [{ alias: 'small', yaxis: 2, stack: false }],
    legend: { show: true, values: true, avg: true, current: true, alignAsTable: true } },
  { id: 63, type: 'singlestat', title: 'Old stat', gridPos: { x: 8, y: 47, w: 4, h: 4 }, targets: [target('load', '')], format: 'percent', valueName: 'current', thresholds: '50,80', colors: ['green', 'orange', 'red'], colorValue: true },
  { id: 64, type: 'geomap', title: 'Map', gridPos: { x: 12, y: 47, w: 4, h: 4 } },
  { id: 65, type: 'timeseries', title: 'Other source', gridPos: { x: 16, y: 47, w: 8, h: 4 }, datasource: { type: 'loki', uid: 'x' }, targets: [{ refId: 'A', expr: '{app="x"} |= "y"' }] },
  { id: 66, title: 'Library', gridPos: { x: 8, y: 51, w: 4, h: 4 }, libraryPanel: { uid: 'abc', name: 'Shared' } },
];

export const kDashboard = {
  uid: 'renderer', title: 'Renderer', schemaVersion: 39, time: { from: '1700000000000', to: '1700003600000' }, refresh: '',
  templating: { list: [
    { name: 'host', type: 'query', query: 'label_values(ramp, host)', multi: true, includeAll: true, refresh: 1, sort: 1, current: { text: ['alpha', 'beta'], value: ['alpha', 'beta'] } },
    { name: 'instance', type: 'query', query: 'label_values(ramp{host=~"$host"}, instance)', regex: '/^([abg]\\d)$/', refresh: 1 },
    { name: 'mode', type: 'custom', query: 'Fast : f, Slow : s', current: { text: 'Fast', value: 'f' } },
    { name: 'note', type: 'textbox', query: 'hello' },
    { name: 'Filters', type: 'adhoc' },
  ] },
  panels: kPanels,
};

/** Gives a page the dashboard and the answers, wherever the page asks for them. */
export async function serveRenderer(page, dashboard = kDashboard) {
  const json = (body) => ({ status: 200, contentType: 'application/json', body: JSON.stringify(body) });
  await page.route('**/api/v1/**', (route) => {
    const url = new URL(route.request().url());
    const params = new URLSearchParams(route.request().method() === 'POST' ? route.request().postData() : url.search);
    asked.push({ path: url.pathname, params });
    return route.fulfill(json({ status: 'success', data: apiAnswer(url.pathname, params) }));
  });
  await page.route('**/api/events**', (route) => route.fulfill(json({ events: [] })));
  await page.route('**/api/dashboards/*', (route) => route.fulfill(json({
    dashboard, meta: { source: 'uploaded', version: 1, updated_ms: 0, undrawn: [] },
  })));
}
