// Explore's address, history, errors and table.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentExpr, stepSeconds } from '../../../webui/js/explore/explore_data.js';
import { readExploreUrl, readStep, writeExploreUrl } from '../../../webui/js/explore/explore_url.js';
import { labelCounts } from '../../../webui/js/explore/metric_browser.js';
import { readQueryError } from '../../../webui/js/explore/query_error.js';
import { QueryHistory, addEntry, searchEntries } from '../../../webui/js/explore/query_history.js';
import { sortRows, tableColumns } from '../../../webui/js/explore/result_table.js';

test('the address carries the whole state', () => {
  const state = {
    from: 'now-6h', to: 'now', refresh: '5s', style: 'stacked', view: 'table', step: 'min:15s',
    queries: [{ expr: 'up{a="b&c"}', legend: '{{a}}', on: true }, { expr: 'rate(x[5m])\n+ 1', legend: '', on: false }],
  };
  const search = writeExploreUrl(state, '?theme=light&q=old&left=x');
  assert.deepEqual(readExploreUrl(search), state);
  assert.equal(new URLSearchParams(search).get('theme'), 'light');
});

test('an empty or broken address is an empty page', () => {
  const empty = { from: 'now-1h', to: 'now', refresh: 'off', style: 'lines', view: 'both', step: '', queries: [{ expr: '', legend: '', on: true }] };
  assert.deepEqual(readExploreUrl(''), empty);
  assert.deepEqual(readExploreUrl('?style=3d&view=x&step=often&left={broken'), empty);
});

test('Grafana’s links open the same queries', () => {
  const query = { refId: 'A', expr: 'up', legendFormat: '{{job}}', datasource: { uid: 'x' } };
  const expected = { from: 'now-3h', to: 'now', queries: [{ expr: 'up', legend: '{{job}}', on: true }, { expr: 'down', legend: '', on: false }] };
  const check = (params) => {
    const { from, to, queries } = readExploreUrl(`?${new URLSearchParams(params)}`);
    assert.deepEqual({ from, to, queries }, expected);
  };
  const queries = [query, { expr: 'down', legendFormat: '__auto', hide: true }, { query: '{loki}' }];
  check({ left: JSON.stringify({ datasource: 'p', queries, range: { from: 'now-3h', to: 'now' } }) });
  check({ panes: JSON.stringify({ abc: { datasource: 'p', queries, range: { from: 'now-3h', to: 'now' } } }), schemaVersion: 1 });
  check({ left: JSON.stringify(['now-3h', 'now', 'Prometheus', ...queries]) });
});

test('steps are automatic, at least, or exact', () => {
  assert.deepEqual(readStep('15s'), { mode: 'exact', ms: 15000, text: '15s' });
  assert.deepEqual(readStep('min:1m'), { mode: 'min', ms: 60000, text: '1m' });
  assert.deepEqual(readStep('7'), { mode: 'exact', ms: 7000, text: '7' });
  assert.equal(readStep('').mode, 'auto');
  assert.equal(readStep('0s').mode, 'auto');
  const hour = 3600e3;
  assert.equal(stepSeconds('', 0, hour, 900), 5);
  assert.equal(stepSeconds('min:15s', 0, hour, 900), 15);
  assert.equal(stepSeconds('min:1s', 0, hour, 900), 5);
  assert.equal(stepSeconds('1s', 0, hour, 900), 1);
  assert.ok(stepSeconds('1s', 0, 24 * hour, 900) * 10999 >= 86400, 'never more points than a query may have');
  assert.equal(sentExpr('rate(x{m=~"$model_name"}[$__rate_interval])', 0, hour, 30), 'rate(x{m=~".*"}[31s])');
});

test('an error is found in the text it speaks of', () => {
  assert.deepEqual(readQueryError('invalid parameter "query": 1:18: parse error: unclosed left parenthesis', 'sum(rate(foo[5m])'),
    { message: 'unclosed left parenthesis', line: 1, column: 18, offset: 17 });
  assert.equal(readQueryError('2:3: parse error: x', 'abc\ndef').offset, 6);
  assert.equal(readQueryError('1:8: parse error: x', '"ä" + )').offset, 6, 'columns count bytes');
  assert.deepEqual(readQueryError('query timed out', 'up'), { message: 'query timed out', line: null, column: null, offset: null });
  assert.equal(readQueryError('9:1: parse error: x', 'up').offset, null);
});

test('the history keeps the newest of each, and stars for ever', () => {
  let entries = addEntry([], ['up '], 1);
  entries = addEntry(entries, ['down', ' '], 2);
  entries = addEntry(entries, ['up'], 3);
  assert.deepEqual(entries.map(({ exprs, timeMs }) => [exprs, timeMs]), [[['up'], 3], [['down'], 2]]);
  assert.equal(addEntry(entries, ['  '], 4), entries);
  entries[1].star = true;
  for (let i = 0; i < 300; ++i) entries = addEntry(entries, [`x${i}`], 10 + i);
  assert.equal(entries.length, 201);
  assert.deepEqual(searchEntries(entries, '', true).map(({ exprs }) => exprs), [['down']]);
  assert.deepEqual(searchEntries(entries, 'X29 99', false).map(({ exprs }) => exprs), [['x299']]);
});

test('the history survives a reload, another page’s entries and broken storage', () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  new QueryHistory(storage).add(['up'], 1);
  const first = new QueryHistory(storage);
  const second = new QueryHistory(storage);
  first.add(['a'], 2);
  second.add(['b'], 3);
  assert.deepEqual(new QueryHistory(storage).entries.map(({ exprs }) => exprs[0]), ['b', 'a', 'up']);
  const third = new QueryHistory(storage);
  third.star(third.entries[1]);
  third.remove(third.entries[0]);
  third.clear();
  assert.deepEqual(new QueryHistory(storage).entries.map(({ exprs, star }) => [exprs[0], star]), [['a', true]]);
  kept.set('hearth-explore-history', '{"not": "a list"}');
  assert.deepEqual(new QueryHistory(storage).entries, []);
  const forbidden = new QueryHistory(null);
  forbidden.add(['up'], 1);
  assert.equal(forbidden.entries.length, 1);
});

test('a table has a column a label and sorts numbers as numbers', () => {
  const rows = [
    { refId: 'A', labels: { __name__: 'up', x: 'r10' }, value: 2 }, { refId: 'A', labels: { __name__: 'up', x: 'r9' }, value: NaN },
    { refId: 'B', labels: { y: 'q' }, value: -1 }];
  const columns = tableColumns(rows);
  assert.deepEqual(columns.map(({ title }) => title), ['Query', 'Metric', 'x', 'y', 'Value']);
  assert.deepEqual(tableColumns(rows.slice(0, 2)).map(({ title }) => title), ['Metric', 'x', 'Value']);
  const sorted = (id, descending) => sortRows(rows, columns.find((column) => column.id === id), descending).map(({ value }) => value);
  assert.deepEqual(sorted('=', true), [2, -1, NaN]);
  assert.deepEqual(sorted('=', false), [-1, 2, NaN]);
  assert.deepEqual(sorted('x', false), [-1, NaN, 2]);
});

test('labels of a metric are counted', () => {
  const series = [{ __name__: 'm', a: '1', b: 'x' }, { __name__: 'm', a: '2', b: 'x' }, { __name__: 'm', a: '10' }];
  assert.deepEqual(labelCounts(series), [{ label: 'a', values: ['1', '10', '2'] }, { label: 'b', values: ['x'] }]);
});
