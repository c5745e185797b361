import assert from 'node:assert/strict';
import test from 'node:test';
import { FieldConfigs, configureSeries, fillDisplayName } from '../../../webui/js/dashboard/fields.js';
import { continuousColor, themeColor, thresholdColor, valueColor } from '../../../webui/js/format/colors.js';
import { display, displayText } from '../../../webui/js/format/display.js';
import { reduceValues, reducedUnit, reducerTitle } from '../../../webui/js/format/reducers.js';

const override = (id, options, properties) => ({
  matcher: { id, options }, properties: Object.entries(properties).map(([key, value]) => ({ id: key, value })),
});
const number = (name, more = {}) => ({ name, type: 'number', refId: 'A', ...more });

test('fields: overrides are laid over the defaults in their order', () => {
  const configs = new FieldConfigs({
    defaults: { unit: 's', custom: { lineWidth: 1, stacking: { mode: 'none' } } },
    overrides: [override('byName', 'a', { unit: 'ms', 'custom.lineWidth': 3 }), override('byRegexp', '/^[ab]$/', { 'custom.stacking.mode': 'normal' }),
      override('byFrameRefID', 'B', { decimals: 2 }), override('byType', 'string', { unit: 'none' }), override('byMoonPhase', 'full', { unit: 'x' })],
  });
  assert.deepEqual(configs.of(number('a')), { unit: 'ms', custom: { lineWidth: 3, stacking: { mode: 'normal' } } });
  assert.deepEqual(configs.of(number('z', { refId: 'B' })), { unit: 's', decimals: 2, custom: { lineWidth: 1, stacking: { mode: 'none' } } });
  assert.equal(configs.of({ ...number('z'), type: 'string' }).unit, 'none');
  assert.equal(configs.of(number('b')), configs.of(number('b')), 'one config object for the same overrides');
});

test('fields: matchers by several names and by value', () => {
  const configs = new FieldConfigs({ overrides: [
    override('byNames', { mode: 'exclude', names: ['keep'] }, { 'custom.hideFrom': { viz: true } }),
    override('byValue', { reducer: 'max', op: '>=', value: 10 }, { unit: 'big' }),
  ] });
  assert.deepEqual(configs.of(number('keep')).custom, {});
  assert.deepEqual(configs.of(number('other')).custom, { hideFrom: { viz: true } });
  assert.equal(configs.of(number('keep', { points: [{ x: 0, y: 12 }] })).unit, 'big');
});

test('fields: a display name is filled from the series', () => {
  const series = number('up', { labels: { job: 'j', host: 'h' } });
  assert.equal(fillDisplayName('${__field.labels.job} on ${__field.labels.host}', series), 'j on h');
  assert.equal(fillDisplayName('${__series.name}: ${__field.labels}', series), 'up: job="j", host="h"');
  const [named] = configureSeries(new FieldConfigs({ defaults: { displayName: 'All' } }), [{ ...series }]);
  assert.equal(named.name, 'All');
});

test('display: mappings of values, ranges, patterns and special values come first', () => {
  const mappings = [{ type: 'value', options: { 1: { text: 'up', color: 'green' } } }, { type: 'range', options: { from: 5, to: null, result: { text: 'many' } } },
    { type: 'regex', options: { pattern: '/^v(\\d)/', result: { text: 'version $1' } } }, { type: 'special', options: { match: 'null+nan', result: { text: 'nothing', color: 'gray' } } }];
  assert.deepEqual(display(1, { mappings }), { text: 'up', suffix: '', prefix: '', color: 'green' });
  assert.deepEqual([7, 'v3x', NaN, null, 2].map((value) => displayText(value, { mappings })), ['many', 'version 3', 'nothing', 'nothing', '2']);
  assert.deepEqual(display(3, { mappings: [{ type: 'value', options: { 3: { color: 'red' } } }], unit: 's' }), { text: '3', suffix: ' s', prefix: '', color: 'red' });
  assert.equal(displayText(null, { noValue: 'none yet' }), 'none yet');
  assert.equal(displayText(null, {}), '–');
});

test('colours: thresholds absolute and in percent, gradients, fixed', () => {
  const steps = [{ value: null, color: 'green' }, { value: 50, color: 'yellow' }, { value: 90, color: 'red' }];
  assert.equal(thresholdColor({ mode: 'percentage', steps }, 3, { min: 0, max: 4 }), 'yellow');
  assert.equal(thresholdColor({ mode: 'absolute', steps }, 3, { min: 0, max: 4 }), 'green');
  assert.equal(valueColor({ color: { mode: 'thresholds' }, thresholds: { mode: 'absolute', steps } }, 95), 'red');
  assert.equal(valueColor({ color: { mode: 'fixed', fixedColor: 'dark-blue' } }, 1), 'dark-blue');
  assert.equal(valueColor({ color: { mode: 'palette-classic' } }, 1), '');
  assert.equal(themeColor(continuousColor('continuous-GrYlRd', 0, { min: 0, max: 10 }), 'dark'), themeColor('green', 'dark'));
  assert.equal(themeColor(continuousColor('continuous-GrYlRd', 10, { min: 0, max: 10 }), 'dark'), themeColor('red', 'dark'));
  assert.equal(themeColor(continuousColor('continuous-GrYlRd', 5, { min: 0, max: 10 }), 'dark'), themeColor('yellow', 'dark'));
});

test('colours: shades lie between the hue and white or black', () => {
  const light = (name) => [1, 3, 5].reduce((sum, at) => sum + parseInt(themeColor(name, 'dark').slice(at, at + 2), 16), 0);
  const shades = ['dark-red', 'semi-dark-red', 'red', 'light-red', 'super-light-red'].map(light);
  assert.deepEqual(shades, [...shades].sort((a, b) => a - b));
  assert.equal(themeColor('#abc', 'dark'), '#abc');
  assert.equal(themeColor('transparent', 'light'), 'transparent');
});

test('reducers: Grafana’s calculations', () => {
  const values = [4, null, 2, 8, 3, NaN];
  const cases = {
    last: NaN, lastNotNull: 3, first: 4, firstNotNull: 4, min: 2, max: 8, mean: 4.25, median: 3.5, sum: 17, count: 4, countAll: 6, range: 6,
    diff: -1, diffperc: -0.25, delta: 2 + 6 + 3, step: -5, variance: 5.1875, changeCount: 3, distinctCount: 4, p50: 4, p95: 8, allIsNull: false, allIsZero: false,
    logmin: 2, total: 17, avg: 4.25, current: 3,
  };
  for (const [calc, expected] of Object.entries(cases)) assert.deepEqual(reduceValues(values, calc), expected, calc);
  assert.ok(Math.abs(reduceValues(values, 'stdDev') - Math.sqrt(5.1875)) < 1e-12);
  assert.equal(reduceValues([null, NaN], 'mean'), null);
  assert.equal(reduceValues([null], 'allIsNull'), true);
  assert.equal(reduceValues([0, 0], 'allIsZero'), true);
  assert.equal(reduceValues(['a', 'b'], 'lastNotNull'), 'b');
  assert.deepEqual([reducerTitle('lastNotNull'), reducerTitle('sum'), reducerTitle('p95')], ['Last', 'Total', 'p95']);
  assert.deepEqual([reducedUnit('count', 's'), reducedUnit('diffperc', 's'), reducedUnit('max', 's')], ['none', 'percentunit', 's']);
});
