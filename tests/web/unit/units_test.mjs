import assert from 'node:assert/strict';
import test from 'node:test';
import { formatLegend, seriesName } from '../../../webui/js/prometheus/legend.js';
import { formatParts, formatValue } from '../../../webui/js/format/units.js';

test('units: seconds scale from nanoseconds to years', () => {
  const cases = [[0, '0 s'], [0.0123, '12.3 ms'], [0.000004, '4 µs'], [1, '1 s'], [2.5, '2.5 s'],
    [90, '1.5 mins'], [7200, '2 hours'], [86400, '1 days'], [-0.5, '-500 ms']];
  for (const [value, text] of cases) assert.equal(formatValue(value, 's'), text);
  assert.equal(formatValue(1500, 'ms'), '1.5 s');
});

test('units: counts, rates and bytes get their prefixes', () => {
  assert.equal(formatValue(1234, 'short'), '1.23 K');
  assert.equal(formatValue(2500000, 'short'), '2.5 M');
  assert.equal(formatValue(1999, 'none'), '1999');
  assert.equal(formatValue(3, 'reqps'), '3 req/s');
  assert.equal(formatValue(1500, 'ops'), '1.5 K ops/s');
  assert.equal(formatValue(1536, 'bytes'), '1.5 KiB');
  assert.equal(formatValue(2 ** 31, 'bytes'), '2 GiB');
  assert.equal(formatValue(1500, 'decbytes'), '1.5 kB');
});

test('units: a ratio and a percentage are told apart', () => {
  assert.equal(formatValue(0.425, 'percentunit'), '42.5%');
  assert.equal(formatValue(42.5, 'percent'), '42.5%');
});

test('units: an unknown id is a suffix', () => {
  assert.equal(formatValue(12, 'tokens/s'), '12 tokens/s');
  assert.equal(formatValue(1200, 'suffix:tok'), '1.2 K tok');
});

test('units: fixed decimals hold and what is no number is a dash', () => {
  assert.equal(formatValue(0.5, 'percentunit', 0), '50%');
  assert.equal(formatValue(2, 's', 2), '2.00 s');
  for (const value of [NaN, null, undefined]) assert.deepEqual(formatParts(value, 's'), { text: '–', suffix: '', prefix: '' });
  assert.equal(formatValue(Infinity, 's'), '∞');
});

test('legend: placeholders are filled and absent labels vanish', () => {
  const labels = { model_name: 'a', engine: '0' };
  assert.equal(formatLegend('{{model_name}} / {{ engine }}', labels), 'a / 0');
  assert.equal(formatLegend('In: {{nothing}}', labels), 'In:');
  assert.equal(formatLegend('P50', labels), 'P50');
});

test('legend: without a format a series is spelled as Prometheus does', () => {
  assert.equal(seriesName({ __name__: 'up', b: '2', a: 'x"y' }), 'up{a="x\\"y", b="2"}');
  assert.equal(seriesName({ __name__: 'up' }), 'up');
  assert.equal(formatLegend('__auto', {}), 'Value');
});
