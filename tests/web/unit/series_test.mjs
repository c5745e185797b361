import assert from 'node:assert/strict';
import test from 'node:test';
import { SeriesColors, thresholdColor, withAlpha } from '../../../webui/js/format/colors.js';
import { reduce } from '../../../webui/js/format/reducers.js';
import { parseSample } from '../../../webui/js/prometheus/prometheus_api.js';
import { refreshMs } from '../../../webui/js/time/refresh_timer_rules.js';
import { hasData, nameSeries, pointAt, toCsv, withGaps } from '../../../webui/js/prometheus/series.js';

const points = (...pairs) => pairs.map(([x, y]) => ({ x, y }));

test('gaps: a hole in the samples breaks the line', () => {
  const drawn = withGaps(points([0, 1], [1000, 2], [5000, 3]), 1000);
  assert.deepEqual(drawn.map((point) => point.x), [0, 1000, 2000, 5000]);
  assert.ok(Number.isNaN(drawn[2].y));
});

test('gaps: NaN and infinity are holes', () => {
  const drawn = withGaps(points([0, 1], [1000, NaN], [2000, Infinity]), 1000);
  assert.deepEqual(drawn.map((point) => Number.isNaN(point.y)), [false, true, true]);
});

test('reduce: Grafana’s calculations skip what is no number', () => {
  const list = points([0, 4], [1, NaN], [2, 2], [3, NaN]);
  assert.equal(reduce(list, 'lastNotNull'), 2);
  assert.equal(reduce(list, 'mean'), 3);
  assert.equal(reduce(list, 'max'), 4);
  assert.equal(reduce(list, 'min'), 2);
  assert.equal(reduce(list, 'sum'), 6);
  assert.equal(reduce(points([0, NaN]), 'mean'), null);
  assert.equal(hasData([{ points: points([0, NaN]) }]), false);
});

test('samples: Prometheus’s spellings of special numbers', () => {
  assert.equal(parseSample('1.5e3'), 1500);
  assert.equal(parseSample('+Inf'), Infinity);
  assert.equal(parseSample('-Inf'), -Infinity);
  assert.ok(Number.isNaN(parseSample('NaN')));
});

test('pointAt: the nearest sample within the tolerance', () => {
  const list = points([0, 1], [1000, 2], [9000, 3]);
  assert.equal(pointAt(list, 400, 1000).y, 1);
  assert.equal(pointAt(list, 600, 1000).y, 2);
  assert.equal(pointAt(list, 5000, 1000), null);
  assert.equal(pointAt([], 0, 1000), null);
});

test('CSV: one row per time, cells quoted where needed, holes empty', () => {
  const series = nameSeries([{ refId: 'A', legendFormat: '{{a}}' }],
    [[{ labels: { a: 'x,"y' }, points: points([0, 1], [1000, NaN]) }, { labels: { a: 'z' }, points: points([1000, 2]) }]]);
  assert.equal(toCsv(series), 'Time,"x,""y",z\n1970-01-01T00:00:00.000Z,1,\n1970-01-01T00:00:01.000Z,,2\n');
});

test('colours: the same name keeps its colour, percentiles have theirs everywhere', () => {
  const colors = new SeriesColors();
  const first = colors.name('a');
  assert.notEqual(colors.name('b'), first);
  assert.equal(colors.name('a'), first);
  assert.equal(colors.name('P99'), new SeriesColors().name('P99'));
  assert.equal(withAlpha('#ff8000', 0.5), 'rgba(255, 128, 0, 0.5)');
});

test('thresholds: the highest step reached gives the colour', () => {
  const thresholds = { steps: [{ value: null, color: 'green' }, { value: 0.8, color: 'yellow' }, { value: 0.95, color: 'red' }] };
  assert.deepEqual([0, 0.8, 0.99].map((value) => thresholdColor(thresholds, value)), ['green', 'yellow', 'red']);
});

test('refresh: Auto follows the range, between a second and a minute', () => {
  assert.equal(refreshMs('off', 9e5, 450), null);
  assert.equal(refreshMs('5s', 9e5, 450), 5000);
  assert.equal(refreshMs('1m', 9e5, 450), 60000);
  assert.equal(refreshMs('auto', 3e5, 450), 1000);
  assert.equal(refreshMs('auto', 9e5, 450), 2000);
  assert.equal(refreshMs('auto', 30 * 864e5, 450), 60000);
});
