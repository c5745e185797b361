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
  assert.equal(formatValue(2500000, 'short'), '2.5 Mil');
  assert.equal(formatValue(1999, 'none'), '1999');
  assert.equal(formatValue(3, 'reqps'), '3 req/s');
  assert.equal(formatValue(1500, 'ops'), '1.5K ops/s');
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
  assert.equal(formatValue(1200, 'suffix:tok'), '1200 tok');
  assert.equal(formatValue(1200, 'prefix:v'), 'v1200');
  assert.equal(formatValue(1200, 'count:tok'), '1.2K tok');
  assert.equal(formatValue(1234, 'si:mV'), '1.23 V');
  assert.equal(formatValue(1, 'bool:up/down'), 'up');
});

test('units: data, rates and powers in their families', () => {
  const cases = [[2048, 'kbytes', '2 MiB'], [1500, 'decmbytes', '1.5 GB'], [1024, 'binBps', '1 KiB/s'], [1e6, 'bps', '1 Mb/s'], [1e6, 'Bps', '1 MB/s'],
    [3, 'MiBs', '3 MiB/s'], [12e6, 'Kbits', '12 Gb/s'], [1500, 'watt', '1.5 kW'], [0.25, 'watt', '250 mW'], [1.41e9, 'hertz', '1.41 GHz'],
    [65, 'celsius', '65 °C'], [2.5e12, 'flops', '2.5 TFLOPS'], [12, 'velocitykmh', '12 km/h'], [0, 'bytes', '0 B'], [0, 'watt', '0 W']];
  for (const [value, unit, text] of cases) assert.equal(formatValue(value, unit), text, unit);
});

test('units: times, durations and clocks', () => {
  const cases = [[3723, 'dthms', '01:02:03'], [90061, 'dtdhms', '1 d 01:01:01'], [90061, 'dtdurations', '1 day'], [3723000, 'clockms', '01h:02m:03s'],
    [90, 'm', '1.5 hours'], [36, 'h', '1.5 days'], [250, 'timeticks', '2.5 s']];
  for (const [value, unit, text] of cases) assert.equal(formatValue(value, unit), text, unit);
  assert.equal(formatValue(90061, 'dtdurations', 2), '1 day, 1 hour, 1 minute');
  assert.match(formatValue(1700000000000, 'dateTimeAsIso'), /^2023-11-1[45] \d\d:\d\d:20$/);
  assert.match(formatValue(1700000000000, 'time:YYYY/MM'), /^2023\/11$/);
});

test('units: money, truth and other bases', () => {
  assert.equal(formatValue(1234, 'currencyUSD'), '$1.23K');
  assert.equal(formatValue(12, 'currencySEK'), '12 kr');
  assert.equal(formatValue(12, 'currency:Fr.'), 'Fr.12');
  assert.deepEqual([1, 0].map((value) => formatValue(value, 'bool_yes_no')), ['Yes', 'No']);
  assert.equal(formatValue(255, 'hex0x'), '0xFF');
  assert.equal(formatValue(12345, 'sci'), '1.2345e+4');
  assert.equal(formatValue(1.5, 's', null), '1.5 s');
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
