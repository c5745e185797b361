import assert from 'node:assert/strict';
import test from 'node:test';
import { cellText, joinedTable, tableCsv } from '../../../webui/js/inspect/inspect_table.js';
import { countAnswer, requestUrl } from '../../../webui/js/inspect/query_runs.js';

const kSeries = [
  { name: 'a', config: { unit: 's' }, points: [{ x: 1000, y: 0.5 }, { x: 3000, y: NaN }] },
  { name: 'b,"c"', config: {}, points: [{ x: 2000, y: 2 }] },
];

test('inspect: series are joined by time, with holes where one has no sample', () => {
  const table = joinedTable(kSeries);
  assert.deepEqual(table.columns.map(({ name, values }) => [name, values]),
    [['Time', [1000, 2000, 3000]], ['a', [0.5, null, NaN]], ['b,"c"', [null, 2, null]]]);
  assert.equal(cellText(table.columns[1], 0, true, String), '500 ms');
  assert.equal(cellText(table.columns[1], 0, false, String), '0.5');
});

test('inspect: CSV quotes what needs it and leaves holes empty', () => {
  assert.equal(tableCsv(joinedTable(kSeries)), 'Time,a,"b,""c"""\n1970-01-01T00:00:01.000Z,0.5,\n1970-01-01T00:00:02.000Z,,2\n1970-01-01T00:00:03.000Z,,\n');
  assert.match(tableCsv(joinedTable(kSeries), { formatted: true }), /,500 ms,/);
});

test('inspect: CSV for Excel says its separator and runs no formula', () => {
  const table = { columns: [{ name: '=1+1', type: 'string', values: ['@cmd', '-5', '-x'] }] };
  assert.equal(tableCsv(table, { excel: true }), "\uFEFFsep=,\r\n'=1+1\r\n'@cmd\r\n-5\r\n'-x\r\n");
});

test('inspect: the address of a request is the one the panel asks', () => {
  assert.equal(requestUrl({ expr: 'up', fromMs: 1000, toMs: 61000, stepS: 60 }), '/api/v1/query_range?query=up&start=1&end=61&step=60&lookback_delta=60');
  assert.equal(requestUrl({ expr: 'up', instant: true, toMs: 61000, stepS: 60 }), '/api/v1/query?query=up&time=61&lookback_delta=30');
});

test('inspect: series and points of an answer are counted', () => {
  assert.deepEqual(countAnswer({ data: { resultType: 'matrix', result: [{ values: [1, 2] }, { values: [1] }] } }), { series: 2, points: 3 });
  assert.deepEqual(countAnswer({ data: { resultType: 'scalar', result: [1, '2'] } }), { series: 1, points: 1 });
  assert.deepEqual(countAnswer(null), { series: 0, points: 0 });
});
