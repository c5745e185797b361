// What the settings page makes of the API's answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterSettings, groupsOf, mainFile, placeOf, valueText, yamlOf } from '../../../webui/js/settings/settings_list.js';

const kSettings = [
  { path: 'listen.host', value: '127.0.0.1', source: 'default', help: 'address', variable: 'HEARTH_LISTEN_HOST', flag: '--host', where: '' },
  { path: 'listen.port', value: 9000, source: 'file', help: 'port', variable: 'HEARTH_LISTEN_PORT', flag: '--port', where: '/etc/hearth/hearth.yaml:3' },
  { path: 'metrics.views', value: ['vllm', 'ray'], source: 'environment', help: 'names', variable: 'HEARTH_METRICS_VIEWS', flag: '--metrics-views', where: 'HEARTH_METRICS_VIEWS' },
];

test('settings are grouped by their first word, in order; those of no group are together', () => {
  const all = [...kSettings, { path: 'state_directory' }, { path: 'memory_limit_bytes' }];
  assert.deepEqual(groupsOf(all).map(({ name, settings }) => [name, settings.length]), [['listen', 2], ['metrics', 1], ['', 2]]);
});

test('a filter takes a source, everything that is set, and words of name, help, value and place', () => {
  const paths = (...args) => filterSettings(kSettings, ...args).map(({ path }) => path);
  assert.deepEqual(paths(''), ['listen.host', 'listen.port', 'metrics.views']);
  assert.deepEqual(paths('set'), ['listen.port', 'metrics.views']);
  assert.deepEqual(paths('environment'), ['metrics.views']);
  assert.deepEqual(paths('', 'LISTEN 9000'), ['listen.port']);
  assert.deepEqual(paths('', 'ray'), ['metrics.views']);
  assert.deepEqual(paths('', 'hearth.yaml:3'), ['listen.port']);
  assert.deepEqual(paths('file', 'ray'), []);
});

test('a value is read as a person would write it', () => {
  assert.equal(valueText(null), '');
  assert.equal(valueText(''), '');
  assert.equal(valueText(false), 'false');
  assert.equal(valueText(0), '0');
  assert.equal(valueText(['a', 'b']), 'a, b');
  assert.equal(valueText({ job: 'hearth', rack: '7' }), 'job: hearth, rack: 7');
});

test('a place in a file has a line, a variable has none', () => {
  assert.deepEqual(placeOf('/etc/hearth/conf.d/10:x.yaml:12'), { file: '/etc/hearth/conf.d/10:x.yaml', line: 12 });
  assert.equal(placeOf('HEARTH_LISTEN_PORT'), null);
});

test('what to write into the file keeps the nesting and the type', () => {
  assert.equal(yamlOf('listen.port', 8080), 'listen:\n  port: 8080');
  assert.equal(yamlOf('state_directory', '/var/lib/hearth'), 'state_directory: "/var/lib/hearth"');
  assert.equal(yamlOf('usage_stats.enabled', null), 'usage_stats:\n  enabled: null');
});

test('the file to write into is the first one of the list, there or not', () => {
  assert.equal(mainFile([{ path: '/x.yaml', exists: false }, { path: '/conf.d/a.yaml', exists: true }]), '/x.yaml');
});
