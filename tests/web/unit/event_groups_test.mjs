import assert from 'node:assert/strict';
import test from 'node:test';
import { groupEvents } from '../../../webui/js/dashboard/event_groups.js';

const event = (timeMs, kind = 'model_loaded', text = 'demo is ready') => ({ timeMs, kind, text });
const draw = (events) => groupEvents(events, (timeMs) => timeMs / 10);

test('events: those that would overlap share a mark, in order', () => {
  const groups = draw([event(0), event(50), event(79), event(80), event(1000)]);
  assert.deepEqual(groups.map(({ x, events }) => [x, events.length]), [[0, 3], [8, 1], [100, 1]]);
});

test('events: a mark is bad when something in it is, and an alert that is resolved is not', () => {
  const [first, second, third] = draw([
    event(0), event(10, 'engine_crashed', 'the engine of demo ended'),
    event(1000, 'alert', 'HearthDiskFull is resolved'),
    event(2000, 'alert', 'HearthDiskFull is firing: no space'),
  ]);
  assert.deepEqual([first.severity, second.severity, third.severity], ['bad', 'plain', 'bad']);
});

test('events: none, no marks', () => assert.deepEqual(draw([]), []));
