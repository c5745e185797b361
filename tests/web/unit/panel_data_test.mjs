import assert from 'node:assert/strict';
import test from 'node:test';
import { PanelData, panelRange } from '../../../webui/js/dashboard/panel_data.js';
import { allPanels, readDashboard } from '../../../webui/js/dashboard/dashboard_model.js';

const kHour = 3600e3;
const kNow = Math.floor(Date.now() / kHour) * kHour - kHour;  // a whole hour, long settled

/** A box that answers every range query with one series of the sample times; it notes what was asked. */
function makeBox(value = (time) => time % 7) {
  const asked = [];
  globalThis.fetch = async (url) => {
    const { pathname, searchParams } = new URL(url, 'http://box');
    const params = Object.fromEntries(searchParams);
    asked.push({ path: pathname, ...params });
    const [start, end, step] = [params.start, params.end, params.step].map(Number);
    const values = [];
    for (let time = start; time <= end; time += step) values.push([time, String(value(time))]);
    const data = pathname.endsWith('query_range')
      ? { resultType: 'matrix', result: [{ metric: { job: 'j' }, values }] }
      : { resultType: 'vector', result: [{ metric: { job: 'j' }, value: [Number(params.time), String(value(0))] }] };
    return { ok: true, status: 200, json: async () => ({ status: 'success', data }) };
  };
  return asked;
}

function dataOf(panel) {
  const [read] = allPanels(readDashboard({ uid: 'u', title: 'T', panels: [{ id: 1, type: 'timeseries', ...panel }] }));
  return new PanelData(read);
}

const up = { targets: [{ refId: 'A', expr: 'up[$__rate_interval] $__interval', legendFormat: '{{job}}' }] };

test('panel data: a live panel asks only for what is new, and not at all within a step', async () => {
  const asked = makeBox();
  const data = dataOf(up);
  const first = await data.load([], kNow - kHour, kNow, 400);
  assert.equal(first.stepS, 10);
  assert.equal(first.series[0].points.length, 361);
  assert.equal(await data.load([], kNow - kHour + 3000, kNow + 3000, 400), first, 'the very same answer');
  assert.equal(asked.length, 1);
  assert.equal(data.current([], kNow - kHour + 3000, kNow + 3000, 400), first);
  assert.equal(data.current([], kNow - kHour + 20000, kNow + 20000, 400), null);
  const later = await data.load([], kNow - kHour + 20000, kNow + 20000, 400);
  assert.notEqual(later, first);
  assert.equal(asked.length, 2);
  assert.ok(Number(asked[1].start) >= kNow / 1000 - 10, 'only the end of the range was asked');
  assert.deepEqual(later.series[0].points.map(({ x }) => x), Array.from({ length: 361 }, (_, index) => kNow - kHour + 20000 + index * 10000));
});

test('panel data: other variables, legends or a forgotten answer ask again', async () => {
  const asked = makeBox();
  const data = dataOf({ targets: [{ refId: 'A', expr: 'up{m="$m"}', legendFormat: '$m' }] });
  const variable = (value) => [{ name: 'm', type: 'custom', values: [value], options: [], multi: false, includeAll: false }];
  const one = await data.load(variable('a'), kNow - kHour, kNow, 400);
  const two = await data.load(variable('b'), kNow - kHour, kNow, 400);
  assert.deepEqual([one.series[0].name, two.series[0].name], ['a', 'b']);
  assert.equal(asked[1].query, 'up{m="b"}');
  data.forget();
  await data.load(variable('b'), kNow - kHour, kNow, 400);
  assert.equal(asked.length, 3);
});

test('panel data: least steps of panel and target, maxDataPoints, and the macros that follow', async () => {
  const asked = makeBox();
  await dataOf({ ...up, interval: '1m' }).load([], kNow - kHour, kNow, 400);
  await dataOf({ ...up, maxDataPoints: 20 }).load([], kNow - kHour, kNow, 400);
  await dataOf({ targets: [{ refId: 'A', expr: 'up', interval: '2m', intervalFactor: 2 }] }).load([], kNow - kHour, kNow, 400);
  assert.deepEqual(asked.map(({ step, query }) => [step, query]), [['60', 'up[240s] 60s'], ['300', 'up[301s] 300s'], ['240', 'up']]);
});

test('panel data: a slow answer is waited for by the next refresh, a new range cuts it off', async () => {
  const aborted = [];
  globalThis.fetch = (url, { signal }) => new Promise((done, failed) => {
    signal.addEventListener('abort', () => { aborted.push(url); failed(new DOMException('', 'AbortError')); });
  });
  const data = dataOf(up);
  const first = data.load([], kNow - kHour, kNow, 400);
  assert.equal(data.load([], kNow - kHour + 1000, kNow + 1000, 400), first);
  assert.equal(aborted.length, 0);
  data.load([], kNow - 2 * kHour, kNow - kHour, 400).catch(() => {});
  await assert.rejects(first, { name: 'AbortError' });
  assert.equal(aborted.length, 1);
});

test('panel data: instant values that stay the same are the same answer', async () => {
  let value = 1;
  makeBox(() => value);
  const data = dataOf({ targets: [{ refId: 'A', expr: 'up', instant: true }] });
  const first = await data.load([], kNow - kHour, kNow, 400);
  assert.equal(await data.load([], kNow - kHour, kNow, 400), first);
  value = 2;
  assert.notEqual(await data.load([], kNow - kHour, kNow, 400), first);
});

test('panel data: series carry their config, transformations feed series and tables', async () => {
  makeBox(() => 4);
  const data = dataOf({
    targets: [{ refId: 'A', expr: 'up', instant: true, format: 'table' }],
    transformations: [{ id: 'calculateField', options: { mode: 'binary', binary: { left: 'Value', operator: '*', right: '3' }, alias: 'Thrice' } }],
    fieldConfig: { defaults: { unit: 's' }, overrides: [{ matcher: { id: 'byName', options: 'Thrice' }, properties: [{ id: 'unit', value: 'ms' }] }] },
  });
  const { series, tables } = await data.load([], kNow - kHour, kNow, 400);
  assert.deepEqual(series.map(({ name, config, points }) => [name, config.unit, points[0].y]), [['Value', 's', 4], ['Thrice', 'ms', 12]]);
  assert.deepEqual(tables[0].columns.map(({ name, type }) => [name, type]), [['Time', 'time'], ['job', 'string'], ['Value', 'number'], ['Thrice', 'number']]);
});

test('panel data: tables of time series are made when a panel asks for them', async () => {
  makeBox(() => 4);
  const answer = await dataOf(up).load([], kNow - kHour, kNow, 400);
  assert.equal(answer.tables[0].columns[1].name, 'j');
  assert.equal(answer.tables[0].columns[1].config, answer.series[0].config);
});

test('panel range: a panel’s own length and shift', () => {
  assert.deepEqual(panelRange({ timeFrom: '10m', timeShift: '1h' }, 0, 10 * kHour), { fromMs: 9 * kHour - 600e3, toMs: 9 * kHour });
  assert.deepEqual(panelRange({ timeFrom: '', timeShift: '' }, 5, 10), { fromMs: 5, toMs: 10 });
});
