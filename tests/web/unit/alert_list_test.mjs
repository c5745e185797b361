// The order and the filters of the alerts page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countStates, filterRules, listRules, readAlertEvent, sectionsOf, stateOf } from '../../../webui/js/alerts/alert_list.js';

const rule = (name, state, severity, changes = {}) => ({
  name, state, type: 'alerting', health: 'ok', query: `up < ${name.length}`, labels: severity ? { severity } : {}, annotations: {}, alerts: [], ...changes,
});
const kGroups = [
  { name: 'one', file: 'a.yml', interval: 15, rules: [rule('B', 'inactive', 'warning'), rule('A', 'inactive', 'critical'),
    { name: 'rec:x', type: 'recording', health: 'ok', query: 'sum(x)', labels: {} }] },
  { name: 'two', file: 'a.yml', interval: 30, rules: [rule('C', 'firing', 'warning'), rule('D', 'firing', 'critical'), rule('E', 'pending', ''),
    rule('F', 'inactive', 'warning', { health: 'err', lastError: 'boom' })] },
];
const names = (rules) => rules.map(({ name }) => name);

test('what fires comes first, then by severity and name', () => {
  const rules = listRules(kGroups);
  assert.deepEqual(names(rules), ['D', 'C', 'E', 'F', 'A', 'B', 'rec:x']);
  assert.deepEqual([rules[0].group, rules[0].interval], ['two', 30]);
  assert.equal(stateOf(kGroups[1].rules[3]), 'error');
  assert.deepEqual(countStates(rules), { firing: 2, pending: 1, error: 1, inactive: 2, recording: 1 });
});

test('active rules stand by themselves, the others in their groups', () => {
  assert.deepEqual(sectionsOf(listRules(kGroups)).map(({ group, rules }) => [group, names(rules)]),
    [['', ['D', 'C', 'E', 'F']], ['one', ['A', 'B', 'rec:x']]]);
});

test('rules are filtered by state and words', () => {
  const rules = listRules(kGroups);
  assert.deepEqual(names(filterRules(rules, 'firing')), ['D', 'C']);
  assert.deepEqual(names(filterRules(rules, 'active')), ['D', 'C', 'E', 'F']);
  assert.deepEqual(names(filterRules(rules, 'all', 'SUM x')), ['rec:x']);
  assert.deepEqual(names(filterRules(rules, 'inactive', 'critical')), ['A']);
});

test('an event of an alert is taken apart', () => {
  assert.deepEqual(readAlertEvent('HearthDiskFull is firing: / is full: now'), { name: 'HearthDiskFull', state: 'firing', summary: '/ is full: now' });
  assert.deepEqual(readAlertEvent('X is resolved'), { name: 'X', state: 'resolved', summary: '' });
  assert.deepEqual(readAlertEvent('something else'), { name: '', state: '', summary: 'something else' });
});
