// What the panel types compute before they draw.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemeColors } from '../../../webui/js/format/color_schemes.js';
import { contrast, readable, textOn, withGround } from '../../../webui/js/format/contrast.js';
import { bucketRows, colorShares, countedRows, durationMs, heatmapOptions } from '../../../webui/js/panels/heatmap_data.js';
import { binValues, bucketSizeOf } from '../../../webui/js/panels/histogram_data.js';
import { barsOf, percentBars } from '../../../webui/js/panels/barchart_data.js';
import { dataLink } from '../../../webui/js/panels/links.js';
import { changeOf, gridColumns, pieShares, reducedFields, shareOf, thresholdStops } from '../../../webui/js/panels/reduced_fields.js';
import { distinctStates, stateAt, statesOf, thresholdLabel } from '../../../webui/js/panels/states.js';
import { cellOptions, columnLimits, columnTexts, compareValues, footerValues, rowOrder } from '../../../webui/js/panels/table_data.js';
import { countsPerBucket } from '../../../webui/js/prometheus/buckets.js';

const points = (...values) => values.map((y, index) => ({ x: index * 1000, y }));
const bucket = (le, ...values) => ({ name: le, labels: { le }, points: points(...values) });

test('buckets: cumulative counts become counts of each bucket, by size of the bound', () => {
  const counted = countsPerBucket([bucket('+Inf', 9, 12), bucket('0.5', 4, 5), bucket('10', 7, 12)]);
  assert.deepEqual(counted.map(({ name, points: list }) => [name, ...list.map(({ y }) => y)]), [['0.5', 4, 5], ['10', 3, 7], ['+Inf', 2, 0]]);
});

test('buckets: each histogram by itself, rounding below nothing is nothing, no bound stays as it is', () => {
  const ofModel = (model, le, y) => ({ labels: { le, model }, points: [{ x: 0, y }] });
  const plain = { labels: {}, points: points(3) };
  const counted = countsPerBucket([ofModel('a', '1', 5), plain, ofModel('b', '2', 1), ofModel('a', '2', 4.999), ofModel('b', '1', 1)]);
  assert.deepEqual(counted.map(({ labels, points: [{ y }] }) => [labels.model, labels.le, y]),
    [['a', '1', 5], ['a', '2', 0], ['b', '1', 1], ['b', '2', 0], [undefined, undefined, 3]]);
});

test('buckets: a sample that the bucket below lacks counts whole', () => {
  const [, upper] = countsPerBucket([{ labels: { le: '1' }, points: [{ x: 1000, y: 2 }] }, bucket('2', 5, 6)]);
  assert.deepEqual(upper.points.map(({ y }) => y), [5, 4]);
});

test('heatmap: a row per bucket with its bounds, a cell ends at its sample', () => {
  const { rows, cells } = bucketRows([bucket('1', 4, NaN), bucket('+Inf', 0, 2)], 1000);
  assert.deepEqual(rows.map(({ low, high }) => [low, high]), [[-Infinity, 1], [1, Infinity]]);
  assert.deepEqual(cells, [{ x: -1000, x2: 0, row: 0, v: 4 }, { x: -1000, x2: 0, row: 1, v: 0 }, { x: 0, x2: 1000, row: 1, v: 2 }]);
});

test('heatmap: one bound of several histograms is one row; series without bounds are rows by name', () => {
  const twice = [bucket('1', 4), { ...bucket('1', 6), labels: { le: '1', model: 'b' } }];
  assert.deepEqual(bucketRows(twice, 1000).cells.map(({ v }) => v), [10]);
  assert.deepEqual(bucketRows([{ name: 'slow', labels: {}, points: points(1) }], 1000).rows[0].name, 'slow');
});

test('heatmap: plain series are counted by time and value', () => {
  const series = [{ points: points(1, 2, 11, 12) }, { points: points(3, 4, 13, NaN) }];
  const calculation = { xBuckets: { mode: 'size', value: '2s' }, yBuckets: { mode: 'size', value: '10' } };
  const { rows, cells } = countedRows(series, calculation, { fromMs: 0, toMs: 4000, stepMs: 1000 });
  assert.deepEqual(rows, [{ low: 0, high: 10 }, { low: 10, high: 20 }]);
  assert.deepEqual(cells, [{ x: 0, x2: 2000, row: 0, v: 4 }, { x: 2000, x2: 4000, row: 1, v: 3 }]);
});

test('heatmap: a size far too small for its values gives no more rows than can be seen', () => {
  const calculation = { yBuckets: { mode: 'size', value: '1' } };
  const { rows } = countedRows([{ points: points(0, 1e9) }], calculation, { fromMs: 0, toMs: 4000, stepMs: 1000 });
  assert.ok(rows.length > 100 && rows.length < 302, `${rows.length} rows`);
});

test('heatmap: rows by powers; what has no logarithm is left out', () => {
  const calculation = { yBuckets: { scale: { type: 'log', log: 10 } } };
  const { rows, cells } = countedRows([{ points: points(0, 5, 50, 5000) }], calculation, { fromMs: 0, toMs: 4000, stepMs: 1000 });
  assert.deepEqual(rows.map(({ low }) => low), [1, 10, 100, 1000]);
  assert.equal(cells.reduce((sum, { v }) => sum + v, 0), 3);
});

test('heatmap: the filter hides, the scale goes from the least to the most of what is left', () => {
  const cells = [0, 1, 3, 5].map((v) => ({ v }));
  const scale = colorShares(cells, { le: 1e-9 }, {});
  assert.deepEqual([scale.min, scale.max], [1, 5]);
  assert.deepEqual(scale.cells.map(({ share }) => share), [0, 0.5, 1]);
  assert.deepEqual(colorShares(cells, { ge: 5 }, { min: 0, max: 3, exponent: 0.5 }).cells.map(({ share }) => Number(share.toFixed(3))), [0, 0.577, 1]);
});

test('heatmap: options of before Grafana 9', () => {
  const json = {
    dataFormat: 'tsbuckets', color: { mode: 'spectrum', colorScheme: 'interpolateSpectral', exponent: 0.5 }, hideZeroBuckets: true,
    yAxis: { format: 's', logBase: 1 }, cards: { cardPadding: 2 }, legend: { show: true },
  };
  const options = heatmapOptions({ options: {}, json });
  assert.equal(options.calculate, false);
  assert.deepEqual([options.color.mode, options.color.scheme, options.yAxis.unit, options.cellGap], ['scheme', 'interpolateSpectral', 's', 2]);
  const counted = heatmapOptions({ options: {}, json: { dataFormat: 'timeseries', xBucketSize: '1m', yAxis: { logBase: 2 } } });
  assert.deepEqual(counted.calculation, { xBuckets: { mode: 'size', value: '1m' }, yBuckets: { mode: 'count', value: undefined, scale: { type: 'log', log: 2 } } });
  assert.deepEqual(heatmapOptions({ options: { calculate: true }, json }), { calculate: true });
  assert.deepEqual(['90s', '1.5m', 250, '', undefined].map(durationMs), [90000, 90000, 250, 0, 0]);
});

test('colour schemes: from low to high, turned with the theme and on request', () => {
  assert.deepEqual(schemeColors('Oranges', 2, 'dark'), ['rgb(127, 39, 4)', 'rgb(255, 245, 235)']);
  assert.deepEqual(schemeColors('Oranges', 2, 'light'), ['rgb(255, 245, 235)', 'rgb(127, 39, 4)']);
  assert.deepEqual(schemeColors('Viridis', 2, 'dark'), schemeColors('Viridis', 2, 'light'));
  assert.deepEqual(schemeColors('Spectral', 2, 'light'), ['rgb(94, 79, 162)', 'rgb(158, 1, 66)']);
  assert.deepEqual(schemeColors('Spectral', 2, 'light', true), ['rgb(158, 1, 66)', 'rgb(94, 79, 162)']);
  assert.deepEqual(schemeColors('interpolateBlues', 3, 'light')[1], 'rgb(107, 174, 214)');
});

test('contrast: text is dark or light by what is read better, and coloured text is moved until it is', () => {
  assert.equal(textOn('#f2cc5c'), '#10131a');
  assert.equal(textOn('rgb(30, 60, 120)'), '#ffffff');
  assert.equal(Math.round(contrast('#fff', '#000000')), 21);
  assert.ok(contrast('#b88406', '#ffffff') < 4.5);
  assert.ok(contrast(readable('#b88406', '#ffffff'), '#ffffff') >= 4.5);
  assert.equal(readable('#73bf69', '#16191f'), '#73bf69');
  assert.match(withGround('#73bf69', 'background'), /^linear-gradient\(.*#73bf69, rgb\(/);
  assert.equal(withGround('#73bf69', 'background_solid'), '#73bf69');
});

test('histogram: Grafana’s bucket sizes', () => {
  assert.equal(bucketSizeOf([0, 30]), 40, 'two values: no bucket narrower than the gap between them');
  assert.equal(bucketSizeOf(Array.from({ length: 301 }, (_, index) => index)), 20);
  assert.equal(bucketSizeOf(Array.from({ length: 100 }, (_, index) => index / 1000)), 0.004);
  assert.equal(bucketSizeOf([7, 7, 7]), 1);
});

test('histogram: every value falls into one bucket, with size and offset as asked', () => {
  const { starts, series } = binValues([{ name: 'a', points: points(0, 9, 10, 19.9, NaN) }, { name: 'b', points: points(25) }], { bucketSize: 10 });
  assert.deepEqual(starts, [0, 10, 20]);
  assert.deepEqual(series.map(({ name, counts }) => [name, ...counts]), [['a', 2, 2, 0], ['b', 0, 0, 1]]);
  const shifted = binValues([{ points: points(0, 9, 10) }, { points: points(4) }], { bucketSize: '10', bucketOffset: 5, combine: true });
  assert.deepEqual([shifted.starts, shifted.series[0].counts], [[-5, 5], [2, 2]]);
  assert.deepEqual(binValues([{ points: points(NaN) }], {}).starts, []);
  const tenths = binValues([{ points: points(0.1, 0.2, 0.3) }], { bucketSize: 0.1 });
  assert.deepEqual([tenths.starts, tenths.series[0].counts], [[0.1, 0.2, 0.3], [1, 1, 1]]);
});

const show = (value) => ({ text: String(value), color: value > 1 ? 'red' : 'green' });

test('states: equal neighbours are one, a hole ends a state, the last lasts a step', () => {
  const list = [{ x: 0, y: 1 }, { x: 1000, y: 1 }, { x: 2000, y: 2 }, { x: 5000, y: 2 }, { x: 6000, y: NaN }, { x: 7000, y: 1 }];
  const states = statesOf(list, 1000, show, true);
  assert.deepEqual(states.map(({ x, x2, text }) => [x, x2, text]),
    [[0, 2000, '1'], [2000, 3000, '2'], [5000, 6000, '2'], [7000, 8000, '1']]);
  assert.equal(statesOf(list, 1000, show, false).length, 5);
  assert.equal(stateAt(states, 1999).text, '1');
  assert.equal(stateAt(states, 4000), null);
  assert.deepEqual(distinctStates([{ states }]), [{ text: '1', color: 'green' }, { text: '2', color: 'red' }]);
});

test('states: values that show the same are one state', () => {
  const same = () => ({ text: 'ok', color: 'green' });
  assert.equal(statesOf(points(1, 2, 3), 1000, same, true).length, 1);
});

test('states: steps of thresholds have names', () => {
  const thresholds = { steps: [{ value: null }, { value: 60 }, { value: 85 }] };
  assert.deepEqual([10, 60, 99].map((value) => thresholdLabel(thresholds, value, (bound) => `${bound}%`)), ['< 60%', '60% – 85%', '≥ 85%']);
});

const column = (name, type, values, config = {}) => ({ name, type, values, config });

test('table: order by number or text, what is missing last both ways', () => {
  const columns = [column('n', 'number', [3, null, 10, NaN, -1]), column('s', 'string', ['b10', 'b9', 'A', '', 'c'])];
  assert.deepEqual(rowOrder(columns, { column: 0, desc: false }), [4, 0, 2, 1, 3]);
  assert.deepEqual(rowOrder(columns, { column: 0, desc: true }), [2, 0, 4, 1, 3]);
  assert.deepEqual(rowOrder(columns, { column: 1, desc: false }), [3, 2, 1, 0, 4]);
  assert.deepEqual(rowOrder(columns, { column: -1, desc: false }), [0, 1, 2, 3, 4]);
  assert.ok(compareValues('slot-9', 'slot-10') < 0);
});

test('table: filters keep the rows whose cells show a chosen text', () => {
  const columns = [column('n', 'number', [1, 2, 1]), column('s', 'string', ['x', 'x', 'y'])];
  const textOf = (one, value) => `<${value}>`;
  assert.deepEqual(columnTexts(columns[0], textOf), [['<1>', 2], ['<2>', 1]]);
  assert.deepEqual(rowOrder(columns, null, new Map([[0, new Set(['<1>'])], [1, new Set(['<y>'])]]), textOf), [2]);
});

test('table: the footer reduces the shown rows of number columns', () => {
  const columns = [column('s', 'string', ['a', 'b', 'c']), column('n', 'number', [1, 2, 4]), column('m', 'number', [1, 1, 1])];
  assert.equal(footerValues(columns, [0, 1, 2], { show: false }), null);
  assert.deepEqual(footerValues(columns, [1, 2], { show: true, reducer: ['sum'], fields: ['n'] }), [null, 6, null]);
  assert.deepEqual(footerValues(columns, [0, 1, 2], { show: true, reducer: ['max'] }), [null, 4, 1]);
  assert.deepEqual(footerValues(columns, [0, 1], { show: true, reducer: ['count'], countRows: true }), [2, null, null]);
});

test('table: cell types of old and new files, limits of a column', () => {
  assert.deepEqual(cellOptions({ custom: { displayMode: 'lcd-gauge' } }), { type: 'gauge', mode: 'lcd' });
  assert.deepEqual(cellOptions({ custom: { cellOptions: { type: 'color-text' } } }), { type: 'color-text' });
  assert.deepEqual(cellOptions({}), { type: 'auto' });
  assert.deepEqual(columnLimits(column('n', 'number', [3, null, -2, NaN])), { min: -2, max: 3 });
});

test('links: value, labels and other cells are filled in; what could run is dropped', () => {
  const field = { name: 'p99', labels: { model: 'a b' }, value: 7, text: '7 ms', row: (path) => (path === '__data.fields.id' ? 'q/1' : undefined) };
  assert.deepEqual(dataLink({ title: '${__value.text}', url: '/m/${__field.labels.model}?v=${__value.raw}&r=${__data.fields.id}' }, field),
    { url: '/m/a%20b?v=7&r=q%2F1', title: '7 ms', newTab: false });
  assert.equal(dataLink({ url: 'javascript:alert(1)' }, field), null);
});

const panelOf = (reduceOptions, rest = {}) => ({ options: { reduceOptions }, transformations: [], targets: [{}], ...rest });

test('reduce options: calculations, fields by name and pattern', () => {
  const data = { series: [{ name: 'cpu', points: points(1, 2, 3), config: { unit: 's' } }, { name: 'gpu', points: points(4, Infinity), config: {} }] };
  const values = (options) => reducedFields(panelOf(options), data).map(({ name, value }) => [name, value]);
  assert.deepEqual(values(undefined), [['cpu', 3], ['gpu', 4]]);
  assert.deepEqual(values({ calcs: ['min', 'max'] }), [['cpu', 1], ['cpu', 3], ['gpu', 4], ['gpu', 4]]);
  assert.deepEqual(values({ calcs: ['mean'], fields: '/^g/' }), [['gpu', 4]]);
  assert.deepEqual(values({ calcs: ['mean'], fields: 'cpu' }), [['cpu', 2]]);
  assert.equal(reducedFields(panelOf({ calcs: ['count'] }), data)[0].config.unit, 'none');
});

test('reduce options: all values of a table, named by its texts, up to the limit', () => {
  const tables = [{ refId: 'A', columns: [column('Time', 'time', [0, 0, 0]), column('job', 'string', ['x', 'y', 'z']), column('Value', 'number', [1, 2, 3])] }];
  const panel = (options) => panelOf(options, { targets: [{ format: 'table' }] });
  const values = (options) => reducedFields(panel(options), { series: [], tables }).map(({ name, value }) => [name, value]);
  assert.deepEqual(values({ values: true, limit: 2 }), [['x', 1], ['y', 2]]);
  assert.deepEqual(values({ calcs: ['lastNotNull'] }), [['Value', 3]]);
  assert.deepEqual(values({ calcs: ['lastNotNull'], fields: 'job' }), [['job', 'z']]);
});

test('shares: a value between its limits, thresholds along them, change, slices, tiles', () => {
  assert.deepEqual([-1, 0.5, 9].map((value) => shareOf(value, { min: 0, max: 2 })), [0, 0.25, 1]);
  assert.equal(shareOf(null, {}), 0);
  const steps = [{ color: 'green', value: null }, { color: 'red', value: 80 }];
  assert.deepEqual(thresholdStops({ min: 0, max: 160, thresholds: { mode: 'absolute', steps } }).map(({ share }) => share), [0, 0.5]);
  assert.deepEqual(thresholdStops({ min: 0, max: 160, thresholds: { mode: 'percentage', steps } }).map(({ share }) => share), [0, 0.8]);
  assert.equal(changeOf(points(NaN, 10, 15)), 0.5);
  assert.equal(changeOf(points(0, 15)), null);
  const slices = pieShares([{ value: 1 }, { value: 3 }, { value: 0 }, { value: null }, { value: -2 }]);
  assert.deepEqual(slices.map(({ value, share }) => [value, share]), [[3, 0.75], [1, 0.25]]);
  assert.deepEqual(pieShares([{ value: 3 }, { value: 1 }], 'none').map(({ value }) => value), [3, 1]);
  assert.deepEqual([gridColumns(3, 600, 100, 1.8), gridColumns(4, 200, 200, 1), gridColumns(3, 100, 600, 1.8)], [3, 2, 1]);
});

test('bars: frames are joined by their category, times in order', () => {
  const frame = (name, keys, values, type = 'string') => ({ columns: [column('key', type, keys), column(name, 'number', values)] });
  const { kind, keys, series } = barsOf([frame('a', ['x', 'y'], [1, 2]), frame('b', ['y', 'z'], [3, NaN])]);
  assert.deepEqual([kind, keys, series.map(({ name, values }) => [name, ...values])], ['text', ['x', 'y', 'z'], [['a', 1, 2, null], ['b', null, 3, null]]]);
  const timed = barsOf([frame('a', [2000, 3000], [2, 3], 'time'), frame('b', [1000], [1], 'time')]);
  assert.deepEqual([timed.kind, timed.keys, timed.series[0].values], ['time', [1000, 2000, 3000], [null, 2, 3]]);
  const asked = barsOf([{ columns: [column('Time', 'time', [0]), column('job', 'string', ['x']), column('pod', 'string', ['p']), column('Value', 'number', [1])] }], 'pod');
  assert.deepEqual(asked.keys, ['p']);
  assert.deepEqual(percentBars([{ values: [1, 0] }, { values: [3, 0] }]).map(({ drawn }) => drawn), [[0.25, null], [0.75, null]]);
});
