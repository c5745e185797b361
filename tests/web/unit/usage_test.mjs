// What the usage page says: on or off, who decided, the lock, the last sending.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decidedSentence, lastSentence, lockSentence, shownReport, stateSentence, valueText, withoutTime } from '../../../webui/js/usage/usage_text.js';

test('no answer, a no and a yes are told apart, and a yes without a receiver', () => {
  assert.match(stateSentence({ enabled: null }), /Nobody has answered/);
  assert.match(stateSentence({ enabled: false }), /off/);
  assert.match(stateSentence({ enabled: true, receiver: 'http://r' }), /recorded on this box and sent/);
  assert.match(stateSentence({ enabled: true, receiver: '' }), /nothing is sent/);
});

test('who decided, and how to change what is locked', () => {
  assert.equal(decidedSentence({ decider: '' }), '');
  assert.match(decidedSentence({ decider: 'answer' }), /this page/);
  const variable = { decider: 'environment', place: 'DO_NOT_TRACK=1', can_change: false };
  assert.match(decidedSentence(variable), /DO_NOT_TRACK=1/);
  assert.match(lockSentence(variable), /take DO_NOT_TRACK=1 out/);
  const file = { decider: 'setting', place: '/etc/hearth/hearth.yaml:3', can_change: false };
  assert.match(decidedSentence(file), /hearth\.yaml:3/);
  assert.match(lockSentence(file), /hearth\.yaml:3/);
  assert.equal(lockSentence({ can_change: true, decider: 'answer' }), '');
});

test('the last sending, taken and not', () => {
  const moment = (ms) => `at ${ms}`;
  assert.match(lastSentence(null, moment), /None/);
  assert.equal(lastSentence({ sent_ms: 5, status: 200, error: null }, moment), 'at 5: the receiver took it (HTTP 200).');
  assert.equal(lastSentence({ sent_ms: 5, status: 0, error: 'no route.' }, moment), 'at 5: no route. It is not sent again.');
});

test('the next report is shown where there is one, else what it would be', () => {
  assert.deepEqual(shownReport({ next_report: 'n', example_report: 'e' }), { text: 'n', isNext: true });
  assert.deepEqual(shownReport({ next_report: null, example_report: 'e' }), { text: 'e', isNext: false });
});

test('values are written as in the report, texts without quotes unless empty', () => {
  assert.equal(valueText(''), '""');
  assert.equal(valueText('a,b'), 'a,b');
  assert.equal(valueText(3), '3');
});

test('two examples that differ in their time alone are the same', () => {
  const example = (ms, cpus) => `{\n  "collect_timestamp_ms": ${ms},\n  "total_num_cpus": ${cpus}\n}`;
  assert.equal(withoutTime(example(1, 2)), withoutTime(example(77, 2)));
  assert.notEqual(withoutTime(example(1, 2)), withoutTime(example(1, 3)));
});
