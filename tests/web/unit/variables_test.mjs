import assert from 'node:assert/strict';
import test from 'node:test';
import { readUrlState, writeUrlState } from '../../../webui/js/dashboard/url_state.js';
import {
  applyRegex, chooseValue, customOptions, dependents, inOrderOfNeed, keepValues, parseVariableQuery, sortOptions,
} from '../../../webui/js/dashboard/variable_options.js';
import {
  interpolate, parseDuration, queryScope, queryStep, rateInterval, variableText,
} from '../../../webui/js/dashboard/variables.js';

const variable = (values, rest = {}) => ({ name: 'model_name', values, options: [], multi: true, includeAll: true, ...rest });

const option = (value, text = value) => ({ text, value });

test('variables: every spelling is replaced, an unknown name stays', () => {
  const scope = { model_name: 'a', __rate_interval: '15s' };
  assert.equal(interpolate('x{m=~"$model_name"}[$__rate_interval]', scope), 'x{m=~"a"}[15s]');
  assert.equal(interpolate('${model_name} ${model_name:regex} [[model_name]] [[model_name:csv]]', scope), 'a a a a');
  assert.equal(interpolate('$model_names $other $__timeFilter', scope), '$model_names $other $__timeFilter');
});

test('variables: All is its allValue, else every option', () => {
  assert.equal(variableText(variable(['$__all'], { allValue: '.*' })), '.*');
  assert.equal(variableText(variable(['$__all'], { options: [option('a'), option('b.c')] })), '(a|b\\\\.c)');
  assert.equal(variableText(variable(['$__all'])), '.*');
});

test('variables: values are escaped for a quoted regular expression', () => {
  assert.equal(variableText(variable(['Qwen/Qwen2.5-0.5B'])), 'Qwen/Qwen2\\\\.5-0\\\\.5B');
  assert.equal(variableText(variable(['a', 'b'])), '(a|b)');
  assert.equal(variableText(variable(['a.b'], { multi: false, includeAll: false })), 'a.b');
  assert.equal(variableText(variable(['a"b'], { multi: false, includeAll: false })), 'a\\"b');
});

test('variables: Grafana’s formats', () => {
  const options = [option('a.b', 'First'), option("c'd", 'Second')];
  const scope = { v: { ...variable(['a.b', "c'd"], { options }), name: 'v' } };
  const cases = {
    regex: "(a\\.b|c'd)", pipe: "a.b|c'd", csv: "a.b,c'd", raw: "a.b,c'd", glob: "{a.b,c'd}", json: '["a.b","c\'d"]',
    queryparam: 'var-v=a.b&var-v=c%27d', doublequote: '"a.b","c\'d"', singlequote: "'a.b','c\\'d'",
    percentencode: '%7Ba.b%2Cc%27d%7D', text: 'First + Second', sqlstring: "'a.b','c''d'",
  };
  for (const [format, text] of Object.entries(cases)) assert.equal(interpolate(`\${v:${format}}`, scope), text, format);
  assert.equal(interpolate('${v:json}', { v: variable(['x']) }), '"x"');
});

test('variables: the range’s ends, the dashboard, and a variable inside another one', () => {
  const scope = queryScope([{ ...variable(['$other-1'], { multi: false, includeAll: false }), name: 'a' },
    { ...variable(['b'], { multi: false, includeAll: false }), name: 'other' }], 15, 3600,
  { fromMs: 1700000000123, toMs: 1700003600123, dashboard: { uid: 'u', title: 'T' } });
  assert.equal(interpolate('$__from ${__to} ${__from:date:seconds} ${__from:date}', scope),
    '1700000000123 1700003600123 1700000000 2023-11-14T22:13:20.123Z');
  assert.match(interpolate('${__from:date:YYYY-MM}', scope), /^2023-11$/);
  assert.equal(interpolate('$__dashboard ${__dashboard.uid}', scope), 'T u');
  assert.equal(interpolate('$a', scope), 'b-1');
});

test('variables: an interval’s auto follows the range and its least step', () => {
  const auto = { name: 'i', type: 'interval', values: ['$__auto_interval_i'], options: [], autoCount: 30, autoMin: '10s' };
  assert.equal(interpolate('rate(x[$i])', queryScope([auto], 1, 3600)), 'rate(x[120s])');
  assert.equal(interpolate('$i', queryScope([auto], 1, 60)), '10s');
});

test('variables: a repeated panel stands for one of the values', () => {
  const scope = queryScope([variable(['a', 'b'])], 1, 60, { scoped: { model_name: option('b') } });
  assert.equal(interpolate('{m=~"$model_name"}', scope), '{m=~"b"}');
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
  assert.equal(interpolate('$model_name', scope), 'a');
  assert.equal(queryScope([], 60, 21600, { minStepS: 30 }).__rate_interval, '120s');
  assert.equal(queryStep(300, 450, 30), 30);
  assert.equal(queryStep(86400, 450, 30), 300);
});

test('durations: what stands in panels and variables', () => {
  assert.deepEqual(['1m30s', '>=5s', '90', '500ms', 'soon', ''].map(parseDuration), [90, 5, 90, 0.5, null, null]);
});

test('variable queries: Grafana’s functions of Prometheus', () => {
  assert.deepEqual(parseVariableQuery('label_values(vllm:x{a=~"b,c"}, model_name)'),
    { kind: 'labelValues', selector: 'vllm:x{a=~"b,c"}', label: 'model_name' });
  assert.deepEqual(parseVariableQuery('label_values(model_name)'), { kind: 'labelValues', selector: null, label: 'model_name' });
  assert.deepEqual(parseVariableQuery('label_names()'), { kind: 'labelNames', selector: null });
  assert.deepEqual(parseVariableQuery('metrics(vllm.*)'), { kind: 'metrics', pattern: 'vllm.*' });
  assert.deepEqual(parseVariableQuery('query_result(topk(5, sum by (a) (b)))'), { kind: 'queryResult', expr: 'topk(5, sum by (a) (b))' });
  assert.deepEqual(parseVariableQuery('up{a="b"}'), { kind: 'series', selector: 'up{a="b"}' });
});

test('variable options: a regex keeps, cuts and names', () => {
  const options = ['up{instance="a:1"} 1 0', 'up{instance="b:2"} 1 0', 'down'].map((text) => option(text));
  assert.deepEqual(applyRegex(options, '/instance="([^"]+)"/').map(({ value }) => value), ['a:1', 'b:2']);
  assert.deepEqual(applyRegex(options, '/instance="(?<text>\\w):(?<value>\\d)"/'), [option('1', 'a'), option('2', 'b')]);
  assert.deepEqual(applyRegex(options, 'down').map(({ value }) => value), ['down']);
  assert.deepEqual(applyRegex([option('a-b')], '/\\w/g').map(({ value }) => value), ['a', 'b']);
});

test('variable options: the orders by letter, number and case', () => {
  const options = ['b10', 'B2', 'a1'].map((text) => option(text));
  const sorted = (sort) => sortOptions(options, sort).map(({ text }) => text);
  assert.deepEqual(sorted(0), ['b10', 'B2', 'a1']);
  assert.deepEqual(sorted(1), ['B2', 'a1', 'b10']);
  assert.deepEqual(sorted(2), ['b10', 'a1', 'B2']);
  assert.deepEqual(sorted(3), ['a1', 'B2', 'b10']);
  assert.deepEqual(sorted(4), ['b10', 'B2', 'a1']);
  assert.deepEqual(sorted(5), ['a1', 'b10', 'B2']);
  assert.deepEqual(sorted(6), ['B2', 'b10', 'a1']);
});

test('variable options: custom lists have pairs and escaped commas', () => {
  assert.deepEqual(customOptions('a, Two : 2, x\\,y'), [option('a'), option('2', 'Two'), option('x,y')]);
});

test('variable options: who is asked first, and who has to be asked again', () => {
  const make = (name, query) => ({ name, query, regex: '', values: [] });
  const list = [make('pod', 'label_values(x{ns="$ns"}, pod)'), make('ns', 'label_values(x{c="${c}"}, ns)'), make('c', 'label_values(c)')];
  assert.deepEqual(inOrderOfNeed(list).map(({ name }) => name), ['c', 'ns', 'pod']);
  assert.deepEqual(dependents(list, list[2]).map(({ name }) => name), ['ns', 'pod']);
  assert.deepEqual(dependents(list, list[0]), []);
});

test('variable options: values that are gone give way to the first option or All', () => {
  const options = [option('a'), option('b')];
  assert.deepEqual(keepValues({ type: 'custom', values: ['b', 'z'], options }), ['b']);
  assert.deepEqual(keepValues({ type: 'custom', values: ['z'], options }), ['a']);
  assert.deepEqual(keepValues({ type: 'custom', values: [], includeAll: true, options }), ['$__all']);
  assert.deepEqual(keepValues({ type: 'query', values: ['z'], options }), ['a']);
  assert.deepEqual(keepValues({ type: 'query', values: ['z'], options }, true), ['z']);
  assert.deepEqual(keepValues({ type: 'textbox', values: ['x'], options: [] }), ['x']);
});

test('variable options: All and single values exclude each other', () => {
  const many = { multi: true, includeAll: true, values: ['$__all'] };
  assert.deepEqual(chooseValue(many, 'a'), ['a']);
  assert.deepEqual(chooseValue({ ...many, values: ['a'] }, 'b'), ['a', 'b']);
  assert.deepEqual(chooseValue({ ...many, values: ['a'] }, 'a'), ['$__all']);
  assert.deepEqual(chooseValue({ multi: false, values: ['a'] }, 'b'), ['b']);
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
