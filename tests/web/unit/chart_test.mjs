import assert from 'node:assert/strict';
import test from 'node:test';
import { keyed, nextHidden, sortCalc, sortEntries } from '../../../webui/js/panels/legend_table.js';
import { drawnPoints, toShares, valueExtent } from '../../../webui/js/panels/series_shape.js';
import { seriesStyle, toDataset } from '../../../webui/js/panels/series_style.js';
import { tooltipRows } from '../../../webui/js/panels/tooltip.js';
import { axesOf, axisLimits } from '../../../webui/js/panels/value_axes.js';

const points = (...pairs) => pairs.map(([x, y]) => ({ x, y }));
const drawn = (list, style, stepMs = 1000) => drawnPoints(list, stepMs, style).map(({ x, y }) => [x, Number.isNaN(y) ? null : y]);
const series = (name, values, config = {}, more = {}) => {
  const list = values.map((y, index) => ({ x: index * 1000, y }));
  return { name, points: list, drawn: list, config, hidden: false, stack: '', ...more };
};

test('drawn points: holes part a line unless nulls are to be spanned', () => {
  const list = points([0, 1], [1000, NaN], [2000, 3], [9000, 4]);
  assert.deepEqual(drawn(list), [[0, 1], [1000, null], [2000, 3], [3000, null], [9000, 4]]);
  assert.deepEqual(drawn(list, { spanNulls: true }), [[0, 1], [2000, 3], [9000, 4]]);
  assert.deepEqual(drawn(list, { spanNulls: 3000 }), [[0, 1], [2000, 3], [3000, null], [9000, 4]]);
});

test('drawn points: infinite values are holes, transforms turn and hold', () => {
  assert.deepEqual(drawn(points([0, Infinity], [1000, 2]), { transform: 'negative-Y' }), [[1000, -2]]);
  assert.deepEqual(drawn(points([0, 7], [1000, 2]), { transform: 'constant' }), [[0, 7], [1000, 7]]);
});

test('stacks: shares of a hundred, extents over the sums, hidden series left out', () => {
  const stacked = (name, values, more = {}) => series(name, values, {}, { stack: 'A', percent: true, ...more });
  const list = [stacked('a', [1, 0]), stacked('b', [3, 0]), stacked('c', [100, 100], { hidden: true })];
  assert.deepEqual(valueExtent(list), { min: 0, max: 4 });
  toShares(list);
  assert.deepEqual(list.slice(0, 2).map((one) => one.drawn.map(({ y }) => y)), [[25, 0], [75, 0]]);
  assert.deepEqual(valueExtent([series('up', [4], {}, { stack: 'A' }), series('down', [-6], {}, { stack: 'A' })]), { min: -6, max: 4 });
  assert.equal(valueExtent([series('gone', [NaN])]), null);
});

test('axes: one per unit and scale, the first left, further ones right, or as placed', () => {
  const list = [series('a', [1], { unit: 's' }), series('b', [2], { unit: 'bytes' }), series('c', [3], { unit: 's' }), series('d', [3], { unit: 'bytes', custom: { axisPlacement: 'hidden' } })];
  const axes = axesOf(list);
  assert.deepEqual(axes.map(({ unit, position, shown }) => [unit, position, shown]), [['s', 'left', true], ['bytes', 'right', true], ['bytes', 'right', false]]);
  assert.deepEqual(list.map(({ axis }) => axis), [0, 1, 0, 2]);
  assert.equal(axesOf([series('a', [1], { custom: { axisPlacement: 'right' } })])[0].position, 'right');
});

test('axis limits: soft ones give way to data, hard ones do not', () => {
  const limits = (values, config) => axisLimits(axesOf([series('a', values, config)])[0], 5);
  assert.deepEqual([limits([3, 9], {}).min, limits([3, 9], {}).max], [2, 10]);
  assert.equal(limits([3, 9], { custom: { axisSoftMin: 0, axisSoftMax: 50 } }).max, 50);
  assert.equal(limits([3, 90], { custom: { axisSoftMin: 0, axisSoftMax: 50 } }).max, 100);
  assert.deepEqual([limits([3, 9], { min: 1, max: 4 }).min, limits([3, 9], { min: 1, max: 4 }).max], [1, 4]);
  const centered = limits([-2, 9], { custom: { axisCenteredZero: true } });

test('axes: values that differ by rounding alone are one height', () => {
  const { min, max, ticks } = axisLimits(axesOf([series('a', [2, 2 - 2 ** -52, 2 + 2 ** -51], {})])[0], 5);
  assert.ok(min <= 2 && max > 2.1 && ticks.length >= 2 && ticks.length < 8, JSON.stringify({ min, max, ticks }));
});
  assert.equal(centered.min, -centered.max);
  assert.ok(centered.ticks.includes(0));
});

test('axis limits: a logarithmic axis counts in powers of its base', () => {
  const log = (values, base) => axisLimits(axesOf([series('a', values, { custom: { scaleDistribution: { type: 'log', log: base } } })])[0], 6);
  assert.deepEqual(log([0, 0.5, 900], 10), { min: 0.1, max: 1000, ticks: [0.1, 1, 10, 100, 1000] });
  assert.deepEqual(log([1, 8], 2), { min: 1, max: 8, ticks: [1, 2, 4, 8] });
});

test('styles: Grafana’s words become Chart.js’s', () => {
  const place = { stepPx: 2, names: ['low', 'high'] };
  const dataset = (custom, more = {}) => toDataset({ ...series('high', [1, 2]), color: '#ff0000', style: seriesStyle(custom), ...more }, place);
  assert.equal(dataset({ lineInterpolation: 'stepAfter' }).stepped, 'before');
  assert.equal(dataset({ lineInterpolation: 'smooth' }).cubicInterpolationMode, 'monotone');
  assert.deepEqual(dataset({ lineStyle: { fill: 'dash', dash: [3, 2] } }).borderDash, [3, 2]);
  assert.equal(dataset({ drawStyle: 'bars' }).type, 'bar');
  assert.equal(dataset({ drawStyle: 'points' }).showLine, false);
  assert.deepEqual(dataset({ fillBelowTo: 'low' }).fill, { target: 0 });
  assert.equal(dataset({ fillOpacity: 10 }, { stack: 'A' }).fill, 'stack');
  assert.equal(dataset({}).fill, false);
  assert.equal(dataset({ showPoints: 'always', pointSize: 6 }).pointRadius, 3);
  assert.equal(dataset({}).pointRadius, 0);
  const alone = [{ x: 0, y: 1 }, { x: 1, y: NaN }, { x: 2, y: 1 }, { x: 3, y: 2 }];
  assert.deepEqual(dataset({}, { drawn: alone }).pointRadius.map(Boolean), [true, false, false, false]);
});

test('legend: sorted by a calc’s value or by name, unknown values last', () => {
  const entries = keyed([series('b', [1, 5]), series('a', [9, 2]), series('c', [NaN]), series('b', [4, 4])]);
  const names = (calc, desc) => sortEntries(entries, calc, desc).map(([, { name }]) => name);
  assert.equal(new Set(entries.map(([key]) => key)).size, 4);
  assert.deepEqual(names('lastNotNull', true), ['b', 'b', 'a', 'c']);
  assert.deepEqual(names('max', false), ['b', 'b', 'a', 'c']);
  assert.deepEqual(names('Name', false), ['a', 'b', 'b', 'c']);
  assert.deepEqual(['Last *', 'Max', 'lastNotNull', 'Name', 'Mean', ''].map((title) => sortCalc(title, ['lastNotNull', 'max'])),
    ['lastNotNull', 'max', 'lastNotNull', 'Name', null, null]);
});

test('legend: a click isolates, a second shows all, a toggle hides one', () => {
  const names = ['a', 'b', 'c'];
  assert.deepEqual([...nextHidden(names, new Set(), 'b', false)], ['a', 'c']);
  assert.deepEqual([...nextHidden(names, new Set(['a', 'c']), 'b', false)], []);
  assert.deepEqual([...nextHidden(names, new Set(), 'b', true)], ['b']);
  assert.deepEqual([...nextHidden(names, new Set(['a', 'c']), 'b', true)], []);
});

test('tooltip: sorted as asked, without hidden series', () => {
  const view = { series: [series('a', [5]), series('b', [9], {}, { hidden: true }), series('c', [7]), series('d', [8], {}, { style: { hideFrom: { tooltip: true } } }), series('e', [0])] };
  const names = (options) => tooltipRows(view, 0, 1000, options).map((row) => row.series.name);
  assert.deepEqual(names({ sort: 'desc' }), ['c', 'a', 'e']);
  assert.deepEqual(names({ sort: 'asc', hideZeros: true }), ['a', 'c']);
  assert.deepEqual(names({ sort: 'none' }), ['a', 'c', 'e']);
});
