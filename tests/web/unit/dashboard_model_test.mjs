import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { allPanels, applyVariables, readDashboard } from '../../../webui/js/dashboard/dashboard_model.js';
import { panelsOfOldRows, placePanels, repeatPanels } from '../../../webui/js/dashboard/layout.js';
import { newMappings, newPanel, newThresholds } from '../../../webui/js/dashboard/old_panels.js';

const features = JSON.parse(readFileSync(new URL('../../../webui/drawn_features.json', import.meta.url), 'utf8'));
const place = ({ gridPos }) => [gridPos.x, gridPos.y, gridPos.w, gridPos.h];
const override = (panel, name) => Object.fromEntries(panel.fieldConfig.overrides.find(({ matcher }) => matcher.options === name).properties.map(({ id, value }) => [id, value]));

test('layout: rows of before schema 16 flow by span and become rows', () => {
  const rows = [{ title: 'One', showTitle: true, height: '190px', panels: [{ id: 1, span: 6 }, { id: 2, span: 6 }, { id: 3, span: 12 }] },
    { title: 'Shut', collapse: true, panels: [{ id: 4, span: 4 }] }, { title: 'Last', showTitle: true, panels: [{ id: 5, span: 3 }] }];
  const panels = panelsOfOldRows(rows);
  assert.deepEqual(panels.map(place), [[0, 0, 24, 1], [0, 1, 12, 5], [12, 1, 12, 5], [0, 6, 24, 5], [0, 11, 24, 1], [0, 19, 24, 1], [0, 20, 6, 7]]);
  assert.equal(panels[4].panels.length, 1);
  assert.equal(panels[4].collapsed, true);
});

test('layout: panels without a place go below the others, those too wide are cut', () => {
  const panels = placePanels([{ gridPos: { x: 20, y: 0, w: 12, h: 4 } }, {}, {}, { gridPos: { w: 6, h: 3 } }]);
  assert.deepEqual(panels.map(place), [[12, 0, 12, 4], [0, 4, 12, 8], [12, 4, 12, 8], [0, 12, 6, 3]]);
});

test('layout: a repeated panel fills the width and pushes down what is below', () => {
  const panel = (id, y, more = {}) => ({ id, gridPos: { x: 0, y, w: 6, h: 4 }, scoped: {}, repeat: null, ...more });
  const options = ['a', 'b', 'c'].map((value) => ({ text: value, value }));
  const h = repeatPanels([panel(1, 0, { repeat: { variable: 'v', direction: 'h', maxPerRow: 2 } }), panel(2, 4)], () => options);
  assert.deepEqual(h.map(place), [[0, 0, 12, 4], [12, 0, 12, 4], [0, 4, 12, 4], [0, 8, 6, 4]]);
  assert.deepEqual(h.slice(0, 3).map(({ scoped }) => scoped.v.value), ['a', 'b', 'c']);
  assert.equal(new Set(h.map(({ id }) => id)).size, 4);
  const v = repeatPanels([panel(1, 0, { repeat: { variable: 'v', direction: 'v' } })], () => options);
  assert.deepEqual(v.map(place), [[0, 0, 6, 4], [0, 4, 6, 4], [0, 8, 6, 4]]);
  assert.equal(repeatPanels([panel(1, 0, { repeat: { variable: 'gone' } })], () => null).length, 1);
});

test('dashboard: rows and panels repeat with the variables, and only then are made anew', () => {
  const dashboard = readDashboard({
    templating: { list: [{ name: 'v', type: 'custom', query: 'a,b', multi: true, current: { value: ['a', 'b'] } }] },
    panels: [{ id: 1, type: 'row', title: 'Row $v', repeat: 'v', gridPos: { x: 0, y: 0, w: 24, h: 1 } },
      { id: 2, type: 'stat', title: 'Of ${v}', description: 'about $v', gridPos: { x: 0, y: 1, w: 6, h: 4 } }],
  });
  assert.deepEqual(dashboard.sections.map(({ title, panels }) => [title, panels[0].title, panels[0].description]),
    [['Row a', 'Of a', 'about a'], ['Row b', 'Of b', 'about b']]);
  assert.equal(applyVariables(dashboard), false);
  dashboard.variables[0].values = ['b'];
  assert.equal(applyVariables(dashboard), true);
  assert.deepEqual(dashboard.sections.map(({ title }) => title), ['Row b']);
});

test('dashboard: ids are given where they lack or repeat', () => {
  const dashboard = readDashboard({ panels: [{ type: 'stat' }, { id: 1, type: 'stat' }, { id: 1, type: 'stat' }] });
  const ids = allPanels(dashboard).map(({ id }) => id);
  assert.equal(new Set(ids).size, 3);
  assert.ok(ids.every(Number.isInteger));
});

test('dashboard: a library panel takes the model the file brings along, and other sources are left out', () => {
  const dashboard = readDashboard({
    __elements: { u: { model: { type: 'stat', title: 'Model', targets: [{ refId: 'A', expr: 'up' }] } } },
    panels: [{ id: 1, libraryPanel: { uid: 'u' }, title: 'Mine' }, { id: 2, libraryPanel: { uid: 'gone', name: 'Gone' } },
      { id: 3, type: 'stat', targets: [{ expr: 'up', hide: true }, { refId: 'B', expr: '{a="b"}', datasource: { type: 'loki' } }, { expr: 'up', interval: '1m' }] }],
  }, features);
  const [model, gone, mixed] = allPanels(dashboard);
  assert.deepEqual([model.type, model.title, model.targets.length], ['stat', 'Mine', 1]);
  assert.deepEqual(gone.undrawn, ['library panel "Gone" is not part of the file']);
  assert.deepEqual(mixed.targets.map(({ refId, minStep }) => [refId, minStep]), [['A', '1m']]);
  assert.deepEqual(mixed.undrawn, ['data source type loki is not queried']);
});

test('variables of a dashboard: what the file says of each type', () => {
  const list = [{ name: 'c', type: 'constant', query: '5' }, { name: 't', type: 'textbox', query: 'x' }, { name: 'i', type: 'interval', query: '1m,5m', auto: true },
    { name: 'q', type: 'query', query: { query: 'label_values(up, job)', refId: 'x' }, current: { value: '$__all' }, hide: 2 }, { name: 'f', type: 'adhoc' }];
  const { variables } = readDashboard({ templating: { list } }, features);
  assert.deepEqual(variables.map(({ name, values, hidden }) => [name, values, hidden]), [['c', ['5'], true], ['t', ['x'], false], ['i', [], false], ['q', ['$__all'], true]]);
  assert.equal(variables[3].query, 'label_values(up, job)');
});

test('old graph: axes, stacks, overrides, thresholds and legend in today’s words', () => {
  const graph = newPanel({
    type: 'graph', fill: 2, linewidth: 3, stack: true, percentage: true, bars: true, lines: false, nullPointMode: 'connected', steppedLine: true,
    yaxes: [{ format: 'bytes', min: '0', max: null, label: 'Size', logBase: 10 }, { format: 's', show: true }],
    seriesOverrides: [{ alias: '/late/', yaxis: 2, stack: false, color: '#ff0000', lines: true, transform: 'negative-Y', dashes: true, dashLength: 4 }],
    aliasColors: { up: 'green' }, thresholds: [{ value: 80, op: 'gt', colorMode: 'critical', line: true, fill: false }],
    legend: { show: true, values: true, avg: true, current: true, alignAsTable: true, rightSide: true, sort: 'current', sortDesc: true },
    tooltip: { shared: true, sort: 2 },
  });
  assert.equal(graph.type, 'timeseries');
  const { defaults } = graph.fieldConfig;
  assert.deepEqual([defaults.unit, defaults.min, defaults.max], ['bytes', 0, undefined]);
  assert.deepEqual(defaults.custom.scaleDistribution, { type: 'log', log: 10 });
  assert.deepEqual([defaults.custom.drawStyle, defaults.custom.lineWidth, defaults.custom.fillOpacity, defaults.custom.lineInterpolation, defaults.custom.spanNulls, defaults.custom.axisLabel],
    ['bars', 3, 20, 'stepAfter', true, 'Size']);
  assert.deepEqual(defaults.custom.stacking, { mode: 'percent', group: 'A' });
  assert.deepEqual(defaults.thresholds.steps, [{ color: 'transparent', value: null }, { color: 'red', value: 80 }]);
  assert.deepEqual(defaults.custom.thresholdsStyle, { mode: 'line' });
  const late = override(graph, '/late/');
  assert.deepEqual([late.unit, late['custom.axisPlacement'], late['custom.transform'], late['custom.drawStyle'], late['custom.stacking'].mode, late.color.fixedColor],
    ['s', 'right', 'negative-Y', 'line', 'none', '#ff0000']);
  assert.deepEqual(override(graph, 'up'), { color: { mode: 'fixed', fixedColor: 'green' } });
  assert.deepEqual(graph.options.legend, { showLegend: true, displayMode: 'table', placement: 'right', calcs: ['mean', 'lastNotNull'], sortBy: 'lastNotNull', sortDesc: true });
  assert.deepEqual(graph.options.tooltip, { mode: 'multi', sort: 'desc' });
  assert.equal(newPanel({ type: 'graph', xaxis: { mode: 'series', values: ['total'] } }).type, 'bargauge');
});

test('old singlestat: its value, colours, mappings and gauge', () => {
  const stat = newPanel({
    type: 'singlestat', format: 'percent', decimals: 1, valueName: 'avg', thresholds: '50,80', colors: ['green', 'orange', 'red'], colorBackground: true,
    sparkline: { show: true }, valueMaps: [{ op: '=', value: '1', text: 'UP' }, { op: '=', value: 'null', text: 'N/A' }], mappingType: 1,
  });
  assert.deepEqual([stat.type, stat.options.reduceOptions.calcs, stat.options.graphMode, stat.options.colorMode], ['stat', ['mean'], 'area', 'background']);
  assert.deepEqual(stat.fieldConfig.defaults.thresholds.steps, [{ color: 'green', value: null }, { color: 'orange', value: 50 }, { color: 'red', value: 80 }]);
  assert.deepEqual(stat.fieldConfig.defaults.mappings, [{ type: 'value', options: { 1: { text: 'UP', color: undefined } } }]);
  const gauge = newPanel({ type: 'singlestat', gauge: { show: true, minValue: 0, maxValue: 10 } });
  assert.deepEqual([gauge.type, gauge.fieldConfig.defaults.max], ['gauge', 10]);
});

test('old table: styles become overrides, its transform a transformation', () => {
  const table = newPanel({ type: 'table-old', transform: 'timeseries_aggregations', columns: [{ text: 'Avg', value: 'avg' }],
    styles: [{ pattern: 'Time', type: 'date', alias: 'When' }, { pattern: '/x/', type: 'number', unit: 's', decimals: 2, thresholds: ['1', '2'], colors: ['a', 'b', 'c'], colorMode: 'cell' }, { pattern: 'gone', type: 'hidden' }] });
  assert.equal(table.type, 'table');
  assert.deepEqual(table.transformations, [{ id: 'reduce', options: { reducers: ['mean'] } }]);
  assert.deepEqual(override(table, 'Time'), { displayName: 'When', unit: 'dateTimeAsIso' });
  assert.deepEqual(override(table, '/x/').thresholds.steps[2], { color: 'c', value: 2 });
  assert.equal(override(table, 'gone')['custom.hidden'], true);
});

test('old fields: fieldOptions, mappings and thresholds of Grafana 6 and 7', () => {
  const gauge = newPanel({ type: 'gauge', options: { fieldOptions: { calcs: ['last'], defaults: { unit: 's', max: 5, thresholds: [{ value: null, color: 'green' }, { value: 3, color: 'red' }] }, overrides: [] }, showThresholdLabels: true } });
  assert.deepEqual([gauge.options.reduceOptions.calcs, gauge.options.showThresholdLabels, gauge.fieldConfig.defaults.max], [['last'], true, 5]);
  assert.deepEqual(gauge.fieldConfig.defaults.thresholds, { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 3, color: 'red' }] });
  assert.deepEqual(newMappings([{ type: 2, from: '1', to: '5', text: 'few' }]), [{ type: 'range', options: { from: 1, to: 5, result: { text: 'few', color: undefined } } }]);
  assert.equal(newThresholds({ mode: 'percentage', steps: [] }).mode, 'percentage');
  const today = { type: 'stat', options: { a: 1 }, fieldConfig: { defaults: { unit: 's' }, overrides: [] } };
  assert.deepEqual(newPanel(today), today);
});
