import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { framesOf, seriesOf } from '../../../webui/js/dashboard/frames.js';
import { applyTransformations, kTransformations } from '../../../webui/js/dashboard/transformations.js';

const column = (name, values, type = 'number', labels = {}) => ({ name, sourceName: name, type, labels, values });
const frame = (columns, refId = 'A', name = '') => ({ name, refId, columns });
/** A frame as {column: values}. */
const shape = (one) => Object.fromEntries(one.columns.map(({ name, values }) => [name, values]));
const apply = (frames, id, options = {}) => applyTransformations(frames, [{ id, options }]).map(shape);

const kServers = frame([column('Time', [1, 2, 3, 4], 'time'), column('Server', ['a', 'b', 'a', 'b'], 'string'),
  column('CPU', [80, 64, 60, null])]);

test('transformations: what is listed as drawn is what is done', () => {
  const features = JSON.parse(readFileSync(new URL('../../../webui/drawn_features.json', import.meta.url), 'utf8'));
  assert.deepEqual(Object.keys(kTransformations).sort(), [...features.transformations].sort());
});

test('frames: series are frames of their own, tables have a column per label', () => {
  const series = [{ name: 'x', refId: 'A', labels: { host: 'h' }, points: [{ x: 1, y: 2 }] }];
  assert.deepEqual(framesOf([{ refId: 'A' }], series).map(shape), [{ Time: [1], x: [2] }]);
  assert.deepEqual(framesOf([{ refId: 'A', format: 'table' }], series).map(shape), [{ Time: [1], host: ['h'], Value: [2] }]);
  const two = framesOf([{ refId: 'A', format: 'table' }, { refId: 'B', format: 'table' }], [series[0], { ...series[0], refId: 'B' }]);
  assert.deepEqual(two.map((one) => Object.keys(shape(one)).pop()), ['Value #A', 'Value #B']);
});

test('frames: number columns are series again, without times they are timeless', () => {
  const [timed] = seriesOf([frame([column('Time', [1, 2], 'time'), column('v', [5, null])])], 99);
  assert.deepEqual(timed.points, [{ x: 1, y: 5 }]);
  const [timeless] = seriesOf([frame([column('Field', ['a'], 'string'), column('Last', [7])])], 99);
  assert.deepEqual([timeless.points, timeless.timeless], [[{ x: 99, y: 7 }], true]);
});

test('reduce: a row per field, or each frame in one row', () => {
  const frames = [frame([column('Time', [1, 2], 'time'), column('a', [1, 3], 'number', { h: 'x' })]), frame([column('Time', [1, 2], 'time'), column('b', [4, null])], 'B')];
  assert.deepEqual(apply(frames, 'reduce', { reducers: ['mean', 'lastNotNull', 'count'] }),
    [{ Field: ['a', 'b'], Mean: [2, 4], 'Last *': [3, 4], Count: [2, 1] }]);
  assert.deepEqual(apply(frames, 'reduce', { reducers: ['max'], mode: 'reduceFields' }), [{ a: [3] }, { b: [4] }]);
  assert.deepEqual(apply(frames.slice(0, 1), 'reduce', { reducers: ['max'], labelsToFields: true }), [{ Field: ['a'], h: ['x'], Max: [3] }]);
});

test('organize: excludes, orders and renames', () => {
  const options = { excludeByName: { Time: true }, indexByName: { CPU: 0, Server: 1 }, renameByName: { CPU: 'Load' } };
  const [result] = applyTransformations([kServers], [{ id: 'organize', options }]);
  assert.deepEqual(result.columns.map(({ name }) => name), ['Load', 'Server']);
  assert.deepEqual(Object.keys(apply([kServers], 'organize', { includeByName: { CPU: true } })[0]), ['CPU']);
});

// The example of Grafana's documentation: two queries that share a job become one row.
test('merge: rows that agree in the common columns become one', () => {
  const a = frame([column('Time', [1, 1], 'time'), column('Job', ['node', 'postgre'], 'string'), column('Uptime', [25, 30])]);
  const b = frame([column('Time', [1, 1], 'time'), column('Job', ['postgre', 'node'], 'string'), column('Errors', [1, 15])], 'B');
  assert.deepEqual(apply([a, b], 'merge'), [{ Time: [1, 1], Job: ['node', 'postgre'], Uptime: [25, 30], Errors: [15, 1] }]);
});

test('merge: rows that contradict each other stay apart', () => {
  const a = frame([column('Job', ['x'], 'string'), column('Value', [1])]);
  const b = frame([column('Job', ['x'], 'string'), column('Value', [2])], 'B');
  assert.deepEqual(apply([a, b], 'merge'), [{ Job: ['x', 'x'], Value: [1, 2] }]);
});

test('calculateField: two fields, a row, one field, the row’s number', () => {
  const two = frame([column('a', [6, 8]), column('b', [2, null])]);
  assert.deepEqual(apply([two], 'calculateField', { mode: 'binary', binary: { left: 'a', operator: '/', right: 'b' } })[0]['a / b'], [3, null]);
  assert.deepEqual(apply([two], 'calculateField', { mode: 'binary', binary: { left: { matcher: { id: 'byName', options: 'a' } }, operator: '*', right: { fixed: '10' } }, alias: 'ten' })[0].ten, [60, 80]);
  assert.deepEqual(apply([two], 'calculateField', { mode: 'binary', binary: { left: { matcher: { id: 'byType', options: 'number' } }, operator: '+', right: { fixed: '1' } } })[0]['a + 1'], [7, 9]);
  assert.deepEqual(apply([two], 'calculateField', { mode: 'reduceRow', reduce: { reducer: 'sum' } })[0].Total, [8, 8]);
  assert.deepEqual(apply([two], 'calculateField', { mode: 'reduceRow', reduce: { reducer: 'max', include: ['b'] }, alias: 'top', replaceFields: true }), [{ top: [2, null] }]);
  assert.deepEqual(apply([frame([column('a', [-1.5])])], 'calculateField', { mode: 'unary', unary: { operator: 'abs', fieldName: 'a' } })[0]['abs(a)'], [1.5]);
  assert.deepEqual(apply([two], 'calculateField', { mode: 'index' })[0].Row, [0, 1]);
  assert.deepEqual(apply([two], 'calculateField', { mode: 'cumulativeFunctions', cumulative: { field: 'a', reducer: 'sum' }, alias: 'c' })[0].c, [6, 14]);
  assert.deepEqual(apply([two], 'calculateField', { mode: 'windowFunctions', window: { field: 'a', reducer: 'mean', windowSize: 2, windowSizeMode: 'fixed' }, alias: 'w' })[0].w, [6, 7]);
});

test('calculateField: series are joined on their times first', () => {
  const frames = [frame([column('Time', [1, 2], 'time'), column('a', [1, 2])]), frame([column('Time', [2, 3], 'time'), column('b', [10, 20])], 'B')];
  const [result] = apply(frames, 'calculateField', { mode: 'binary', binary: { left: 'a', operator: '+', right: 'b' }, alias: 'sum' });
  assert.deepEqual(result, { Time: [1, 2, 3], a: [1, 2, null], b: [null, 10, 20], sum: [null, 12, null] });
});

test('filters: by name, by query, by value', () => {
  assert.deepEqual(Object.keys(apply([kServers], 'filterFieldsByName', { include: { names: ['Time', 'CPU'] } })[0]), ['Time', 'CPU']);
  assert.deepEqual(Object.keys(apply([kServers], 'filterFieldsByName', { exclude: { pattern: '/^S/' } })[0]), ['Time', 'CPU']);
  assert.equal(apply([kServers, frame([], 'B')], 'filterByRefId', { include: 'A|C' }).length, 1);
  const where = (config, more = {}) => apply([kServers], 'filterByValue', { type: 'include', match: 'any', filters: [{ fieldName: 'CPU', config }], ...more })[0].CPU;
  assert.deepEqual(where({ id: 'greater', options: { value: 60 } }), [80, 64]);
  assert.deepEqual(where({ id: 'greater', options: { value: 60 } }, { type: 'exclude' }), [60, null]);
  assert.deepEqual(where({ id: 'isNull', options: {} }), [null]);
  assert.deepEqual(where({ id: 'between', options: { from: 60, to: 70 } }), [64]);
  const both = [{ fieldName: 'CPU', config: { id: 'lowerOrEqual', options: { value: 80 } } }, { fieldName: 'Server', config: { id: 'equal', options: { value: 'b' } } }];
  assert.deepEqual(apply([kServers], 'filterByValue', { type: 'include', match: 'all', filters: both })[0].CPU, [64, null]);
});

test('renameByRegex: groups go into the new name', () => {
  assert.deepEqual(Object.keys(apply([frame([column('web-01.eu', [1])])], 'renameByRegex', { regex: '^(\\w+)-(\\d+).*', renamePattern: '$2 $1' })[0]), ['01 web']);
});

test('joinByField: outer and inner, equal names told apart by their frame', () => {
  const a = frame([column('Time', [1, 2], 'time'), column('Value', [1, 2])], 'A', 'x');
  const b = frame([column('Time', [2, 3], 'time'), column('Value', [20, 30])], 'B', 'y');
  assert.deepEqual(apply([a, b], 'joinByField', { byField: 'Time', mode: 'outer' }), [{ Time: [1, 2, 3], Value: [1, 2, null], 'Value y': [null, 20, 30] }]);
  assert.deepEqual(apply([a, b], 'seriesToColumns', { byField: 'Time', mode: 'inner' }), [{ Time: [2], Value: [2], 'Value y': [20] }]);
  assert.deepEqual(apply([a, b], 'concatenate')[0].Time, [1, 2]);
});

test('labelsToFields: labels as columns of one table, or as rows', () => {
  const make = (server, value) => frame([column('Time', [1], 'time'), { ...column(`up ${server}`, [value], 'number', { server, dc: 'eu' }), sourceName: 'Value' }]);
  assert.deepEqual(apply([make('a', 1), make('b', 2)], 'labelsToFields'), [{ Time: [1, 1], server: ['a', 'b'], dc: ['eu', 'eu'], Value: [1, 2] }]);
  assert.deepEqual(apply([make('a', 1)], 'labelsToFields', { mode: 'columns', valueLabel: 'server', keepLabels: ['dc'] }), [{ Time: [1], dc: ['eu'], a: [1] }]);
  assert.deepEqual(apply([make('a', 1)], 'labelsToFields', { mode: 'rows' }), [{ label: ['server', 'dc'], value: ['a', 'eu'] }]);
});

test('sortBy, limit and groupBy', () => {
  assert.deepEqual(apply([kServers], 'sortBy', { sort: [{ field: 'CPU' }] })[0].CPU, [60, 64, 80, null]);
  assert.deepEqual(apply([kServers], 'sortBy', { sort: [{ field: 'CPU', desc: true }] })[0].CPU, [80, 64, 60, null]);
  assert.deepEqual(apply([kServers], 'limit', { limitField: 2 })[0].CPU, [80, 64]);
  const fields = { Server: { operation: 'groupby' }, CPU: { operation: 'aggregate', aggregations: ['mean', 'count'] }, Time: { operation: 'aggregate', aggregations: ['last'] } };
  assert.deepEqual(apply([kServers], 'groupBy', { fields }), [{ Server: ['a', 'b'], 'Time (last)': [3, 4], 'CPU (mean)': [70, 64], 'CPU (count)': [2, 1] }]);
});

test('seriesToRows: the newest first', () => {
  const frames = [frame([column('Time', [1, 3], 'time'), column('a', [10, 30])]), frame([column('Time', [2], 'time'), column('b', [20])], 'B')];
  assert.deepEqual(apply(frames, 'seriesToRows'), [{ Time: [3, 2, 1], Metric: ['a', 'b', 'a'], Value: [30, 20, 10] }]);
});

test('convertFieldType: texts become numbers, times and truth', () => {
  const texts = frame([column('n', ['1.5', 'x'], 'string'), column('t', ['2026-01-01T00:00:00Z', ''], 'string'), column('b', ['false', 'yes'], 'string')]);
  const conversions = [{ targetField: 'n', destinationType: 'number' }, { targetField: 't', destinationType: 'time' }, { targetField: 'b', destinationType: 'boolean' }];
  assert.deepEqual(apply([texts], 'convertFieldType', { conversions }), [{ n: [1.5, null], t: [Date.UTC(2026, 0, 1), null], b: [false, true] }]);
});

test('transformations: a filter on a query leaves the other frames alone, unknown ids do nothing', () => {
  const frames = [frame([column('a', [1, 2])]), frame([column('b', [1, 2])], 'B')];
  const limited = applyTransformations(frames, [{ id: 'limit', options: { limitField: 1 }, filter: { id: 'byRefId', options: 'B' } }, { id: 'unknown' }]);
  assert.deepEqual(limited.map(shape), [{ a: [1, 2] }, { b: [1] }]);
});
