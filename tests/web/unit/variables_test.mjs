import assert from 'node:assert/strict';
import test from 'node:test';
import { readUrlState, writeUrlState } from '../../../webui/js/dashboard/url_state.js';
import {
  interpolate, parseLabelValues, queryScope, queryStep, rateInterval, variableText,
} from '../../../webui/js/dashboard/variables.js';

const variable = (values, rest = {}) => ({ name: 'model_name', values, options: [], multi: true, includeAll: true, ...rest });

test('variables: every spelling is replaced, an unknown name stays', () => {
  const scope = { model_name: 'a', __rate_interval: '15s' };
  assert.equal(interpolate('x{m=~"$model_name"}[$__rate_interval]', scope), 'x{m=~"a"}[15s]');
  assert.equal(interpolate('${model_name} ${model_name:regex} [[model_name]]', scope), 'a a a');
  assert.equal(interpolate('$model_names $other', scope), '$model_names $other');
});

test('variables: All is its allValue, else every option', () => {
  assert.equal(variableText(variable(['$__all'], { allValue: '.*' })), '.*');
  assert.equal(variableText(variable(['$__all'], { options: ['a', 'b.c'] })), 'a|b\\\\.c');
  assert.equal(variableText(variable(['$__all'])), '.*');
});

test('variables: values are escaped for a quoted regular expression', () => {
  assert.equal(variableText(variable(['Qwen/Qwen2.5-0.5B'])), 'Qwen/Qwen2\\\\.5-0\\\\.5B');
  assert.equal(variableText(variable(['a', 'b'])), '(a|b)');
  assert.equal(variableText(variable(['a.b'], { multi: false, includeAll: false })), 'a.b');
});

test('intervals: one point per pixel at most, on a ladder of round steps', () => {
  assert.equal(queryStep(300, 450), 1);
  assert.equal(queryStep(900, 450), 2);
  assert.equal(queryStep(21600, 450), 60);
  assert.equal(queryStep(30 * 86400, 450), 7200);
  for (const range of [1, 60, 3600, 86400, 1e7, 1e9]) assert.ok(range / queryStep(range, 450) <= 450);
});

test('intervals: Grafana’s rate interval, never under its floor', () => {
  assert.equal(rateInterval(1), 15);
  assert.equal(rateInterval(60), 61);
  assert.equal(rateInterval(1, 0), 4);
  const scope = queryScope([variable(['a'])], 60, 21600);
  assert.equal(scope.__interval, '60s');
  assert.equal(scope.__range, '21600s');
  assert.equal(scope.model_name, 'a');
});

test('label_values: with and without a selector', () => {
  assert.deepEqual(parseLabelValues('label_values(vllm:x{a=~"b,c"}, model_name)'),
    { selector: 'vllm:x{a=~"b,c"}', label: 'model_name' });
  assert.deepEqual(parseLabelValues('label_values(model_name)'), { selector: null, label: 'model_name' });
  assert.equal(parseLabelValues('metrics(x)'), null);
});

test('address: what is written is read back', () => {
  const state = {
    from: 'now-1h', to: 'now', refresh: '5s', viewPanel: 12, kiosk: true, timezone: 'utc',
    variables: { model_name: ['a', 'b & c'] },
  };
  const search = writeUrlState(state, '?theme=light&from=old&var-gone=1');
  assert.deepEqual(readUrlState(search), state);
  assert.equal(new URLSearchParams(search).get('theme'), 'light');
});

test('address: Grafana’s own spellings are understood', () => {
  const state = readUrlState('?viewPanel=panel-7&var-model_name=All');
  assert.equal(state.viewPanel, 7);
  assert.deepEqual(state.variables, { model_name: ['$__all'] });
});
