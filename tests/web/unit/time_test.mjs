import assert from 'node:assert/strict';
import test from 'node:test';
import { formatTimeTick, niceLimits, timeTicks, valueStep } from '../../../webui/js/format/ticks.js';
import {
  describeRange, formatDuration, isLive, normalizeTimeText, parseTime, resolveRange, shiftRange,
  formatStamp, zoomIn, zoomOut,
} from '../../../webui/js/time/time_range.js';
import { setTimeZone } from '../../../webui/js/time/zone.js';

const kNow = new Date(2026, 0, 14, 15, 30, 20).getTime();  // a Wednesday, local time

test('time grammar: offsets from now', () => {
  assert.equal(parseTime('now', kNow), kNow);
  assert.equal(parseTime('now-6h', kNow), kNow - 6 * 36e5);
  assert.equal(parseTime('now-90s', kNow), kNow - 9e4);
  assert.equal(parseTime('now-1h+5m', kNow), kNow - 55 * 6e4);
  assert.equal(parseTime('now-1M', kNow), new Date(2025, 11, 14, 15, 30, 20).getTime());
});

test('time grammar: rounding goes down at the start and up at the end of a range', () => {
  assert.equal(parseTime('now/d', kNow), new Date(2026, 0, 14).getTime());
  assert.equal(parseTime('now/d', kNow, true), new Date(2026, 0, 15).getTime() - 1);
  assert.equal(parseTime('now-1d/d', kNow), new Date(2026, 0, 13).getTime());
  assert.equal(parseTime('now/w', kNow), new Date(2026, 0, 12).getTime());
  assert.equal(parseTime('now/y', kNow), new Date(2026, 0, 1).getTime());
});

test('time grammar: epoch milliseconds and ISO text are absolute', () => {
  assert.equal(parseTime('1768400000000', kNow), 1768400000000);
  assert.equal(parseTime('2026-01-14 12:00', kNow), new Date(2026, 0, 14, 12).getTime());
});

test('time grammar: what is no time is refused', () => {
  for (const text of ['', 'yesterday', 'now-', 'now-6x', 'now6h', '2026-99-99', null]) {
    assert.equal(parseTime(text, kNow), null, String(text));
  }
  assert.match(resolveRange('soon', 'now', kNow).error, /"soon" is no time/);
  assert.match(resolveRange('now', 'now-1h', kNow).error, /ends before it begins/);
});

test('time range: words for people', () => {
  assert.equal(describeRange({ from: 'now-15m', to: 'now' }), 'Last 15 minutes');
  assert.equal(describeRange({ from: 'now-2m', to: 'now' }), 'now-2m to now');
  assert.equal(normalizeTimeText(' 13h '), 'now-13h');
  assert.equal(formatDuration(93784000), '1d 2h');
  assert.equal(isLive({ from: 'now-1h', to: 'now' }), true);
  assert.equal(isLive({ from: '1', to: '1768400000000' }), false);
});

test('time range: zooming out doubles and stops at now', () => {
  assert.deepEqual(zoomOut(1000, 2000, 10000), { fromMs: 500, toMs: 2500 });
  assert.deepEqual(zoomOut(1000, 2000, 2100), { fromMs: 100, toMs: 2100 });
});

test('time range: shifting moves by half widths and stops at now, zooming in keeps the middle', () => {
  assert.deepEqual(shiftRange(1000, 2000, -1, 9000), { fromMs: 500, toMs: 1500 });
  assert.deepEqual(shiftRange(1000, 2000, 1, 2100), { fromMs: 1100, toMs: 2100 });
  assert.deepEqual(zoomIn(1000, 2000), { fromMs: 1250, toMs: 1750 });
});

test('time zone: days, stamps and typed times are those of the chosen zone', () => {
  setTimeZone('utc');
  try {
    const noon = Date.UTC(2026, 0, 14, 12, 30, 5);
    assert.equal(parseTime('now/d', noon), Date.UTC(2026, 0, 14));
    assert.equal(parseTime('now-1M/M', noon), Date.UTC(2025, 11, 1));
    assert.equal(parseTime('2026-01-14', noon), Date.UTC(2026, 0, 14));
    assert.equal(parseTime('2026-01-14 12:00', noon), Date.UTC(2026, 0, 14, 12));
    assert.equal(parseTime('2026-01-14T12:00+02:00', noon), Date.UTC(2026, 0, 14, 10));
    assert.equal(formatStamp(noon), '2026-01-14 12:30:05');
    assert.equal(formatTimeTick(noon, 60000, 900000), '12:30');
  } finally {
    setTimeZone('browser');
  }
});

test('time ticks: round steps, days at local midnight', () => {
  const { ticks, step } = timeTicks(60000, 360000, 6);
  assert.equal(step, 60000);
  assert.deepEqual(ticks, [60000, 120000, 180000, 240000, 300000, 360000]);
  const twoHours = 72e5;
  const days = timeTicks(0, 4 * 864e5, 5, twoHours);
  assert.equal(days.step, 864e5);
  for (const tick of days.ticks) assert.equal((tick + twoHours) % 864e5, 0);
});

test('time ticks: as much of the clock as the step needs', () => {
  assert.equal(formatTimeTick(kNow, 5000, 60000), '15:30:20');
  assert.equal(formatTimeTick(kNow, 60000, 900000), '15:30');
  assert.equal(formatTimeTick(kNow, 36e5 * 6, 2 * 864e5), '01/14 15:30');
  assert.equal(formatTimeTick(kNow, 864e5, 7 * 864e5), '01/14');
});

test('value ticks: 1, 2, 2.5, 5 times a power of ten, powers of two for bytes', () => {
  assert.equal(valueStep(0, 10, 5), 2);
  assert.equal(valueStep(0, 0.9, 4), 0.25);
  assert.equal(valueStep(0, 3 * 2 ** 30, 4, 1024), 2 ** 30);
  assert.deepEqual(niceLimits(0, 9.3, 5), { min: 0, max: 10, step: 2 });
  assert.deepEqual(niceLimits(0, 0, 5), { min: 0, max: 1, step: 1 });
});
