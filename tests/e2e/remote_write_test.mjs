// Pushing to Debian's prometheus: what arrives is what the box has, whatever dies in between.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, parseMetrics, sleep } from './appliance.mjs';
import { Receiver } from './prometheus.mjs';

const kCommitS = 2;
const kWindow = '[20m]';

async function newDirectory(t, name) {
  const path = await mkdtemp(join(tmpdir(), `hearth-${name}-`));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function startBox(t, state, url, args = []) {
  const box = await Appliance.start({ state,
    args: ['--history-commit-interval', String(kCommitS), '--remote-write-url', `${url}/api/v1/write`,
      '--remote-write-label', 'instance=box7', '--remote-write-label', 'job=hearth', ...args] });
  t.after(() => box.kill9());
  return box;
}

// {'name{labels}': [[time, value], ...]} of a range selector, without the labels given by the push.
async function samples(url, selector, timeS) {
  const parameters = new URLSearchParams({ query: selector + kWindow, time: timeS });
  const answer = await (await fetch(`${url}/api/v1/query?${parameters}`)).json();
  assert.equal(answer.status, 'success', JSON.stringify(answer));
  const series = {};
  for (const { metric, values } of answer.data.result) {
    const { instance, job, ...labels } = metric;
    series[JSON.stringify(labels, Object.keys(labels).sort())] = values;
  }
  return series;
}

const kSelectors = ['vllm:generation_tokens_total', 'vllm:time_to_first_token_seconds_bucket',
  'ray_vllm_num_requests_running', 'hearth_batch_size_count', 'process_resident_memory_bytes'];

// Until the receiver has what the box had committed at `timeS`, then compares every sample in
// between. The counts, for the log.
async function assertEqualUntil(box, url, fromS, timeS, selectors = kSelectors) {
  await eventually('the receiver to be up to date', async () =>
    (await samples(url, 'process_resident_memory_bytes', Date.now() / 1000))[
      '{"__name__":"process_resident_memory_bytes"}']?.at(-1)[0] >= timeS, 60000);
  let compared = 0;
  for (const selector of selectors) {
    const within = (values) => values.filter(([time]) => time > fromS && time <= timeS);
    const ours = await samples(box.url, selector, timeS + 1);
    const theirs = await samples(url, selector, timeS + 1);
    assert.ok(Object.keys(ours).length > 0, `the box has no ${selector}`);
    assert.deepEqual(Object.keys(theirs).sort(), Object.keys(ours).sort(), selector);
    for (const [name, values] of Object.entries(ours)) {
      const expected = within(values).map(([time, value]) => [time, Number(value)]);
      const got = within(theirs[name]).map(([time, value]) => [time, Number(value)]);
      assert.deepEqual(got, expected, name);
      compared += expected.length;
    }
  }
  return compared;
}

// A time up to which the box's samples are on its disk.
async function committedTime(box) {
  const before = Date.now() / 1000 - 1;
  await sleep((kCommitS + 2) * 1000);
  return before;
}

test('what arrives is what the box has, through an outage of the receiver', async (t) => {
  const prometheus = await Receiver.start(t);
  const box = await startBox(t, await newDirectory(t, 'e2e'), prometheus.url);
  const fromS = Date.now() / 1000;
  await box.ask('What is TTFT?');
  await sleep(3000);
  const first = await assertEqualUntil(box, prometheus.url, fromS, await committedTime(box));
  await prometheus.stop();
  await box.ask('What is TTFT?');
  await sleep(8000);
  const during = parseMetrics(await (await fetch(`${box.url}/metrics`)).text());
  assert.ok(during.hearth_remote_write_backlog_seconds > 3, 'the backlog is told');
  assert.ok(during.hearth_remote_write_requests_failed_total > 0);
  await prometheus.resume();
  const all = await assertEqualUntil(box, prometheus.url, fromS, await committedTime(box));
  const after = parseMetrics(await (await fetch(`${box.url}/metrics`)).text());
  assert.equal(after['hearth_remote_write_samples_dropped_total{reason="http_400"}'], 0);
  assert.ok(all > first);
  t.diagnostic(`${all} samples compared, ${after.hearth_remote_write_samples_total} pushed`);
});

test('a killed hearthd leaves nothing missing and nothing double', async (t) => {
  const prometheus = await Receiver.start(t);
  const state = await newDirectory(t, 'e2e');
  let box = await startBox(t, state, prometheus.url);
  const fromS = Date.now() / 1000;
  for (let round = 0; round < 3; ++round) {
    await box.ask('What is TTFT?');
    await sleep(4000 + 500 * round);
    await box.kill9();
    box = await startBox(t, state, prometheus.url);
  }
  await box.ask('What is TTFT?');
  const untilS = await committedTime(box);
  // Ray's WorkerId is new with every process, at the receiver as in a scrape.
  const lasting = kSelectors.filter((selector) => !selector.startsWith('ray_'));
  const compared = await assertEqualUntil(box, prometheus.url, fromS, untilS, lasting);
  const increase = `sum(increase(vllm:generation_tokens_total[${Math.ceil(untilS - fromS)}s]))`;
  const counters = Object.values(await samples(prometheus.url, 'vllm:generation_tokens_total', untilS));
  for (const values of counters) {
    values.forEach(([, value], i) => assert.ok(i === 0 || Number(value) >= Number(values[i - 1][1]),
      'a counter that goes back would be counted twice'));
  }
  const at = new URLSearchParams({ query: increase, time: untilS });
  const [ours, theirs] = await Promise.all([box.url, prometheus.url].map(async (url) =>
    Number((await (await fetch(`${url}/api/v1/query?${at}`)).json()).data.result[0].value[1])));
  assert.ok(Math.abs(ours - theirs) <= 1e-9 * Math.abs(ours), `${ours} here, ${theirs} there`);
  t.diagnostic(`${compared} samples compared over three kills`);
});

test('speaks the protocol to a receiver that asks for a login', async (t) => {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    request.resume();
    const [status, headers] = [[503, {}], [429, { 'Retry-After': '1' }], [400, {}]][requests.length - 1]
      ?? [204, {}];
    request.on('end', () => response.writeHead(status, headers).end('no\n'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.close(); server.closeAllConnections(); });
  const state = await newDirectory(t, 'e2e');
  const password = join(state, 'password');
  await writeFile(password, 'open sesame\n');
  const box = await startBox(t, state, `http://127.0.0.1:${server.address().port}`,
    ['--remote-write-username', 'box', '--remote-write-password-file', password,
      '--remote-write-header', 'X-Scope-OrgID: tenant']);
  await eventually('acknowledged samples', async () =>
    (await box.metrics()).hearth_remote_write_samples_total > 0, 30000);
  assert.equal(requests[0].authorization, `Basic ${Buffer.from('box:open sesame').toString('base64')}`);
  assert.equal(requests[0]['x-prometheus-remote-write-version'], '0.1.0');
  assert.equal(requests[0]['content-encoding'], 'snappy');
  assert.equal(requests[0]['content-type'], 'application/x-protobuf');
  assert.equal(requests[0]['x-scope-orgid'], 'tenant');
  const metrics = await box.metrics();
  assert.equal(metrics.hearth_remote_write_requests_failed_total, 3);
  assert.ok(metrics['hearth_remote_write_samples_dropped_total{reason="http_400"}'] > 0);
  await box.stop();
  const cursor = JSON.parse(await readFile(join(state, 'remote_write.json'), 'utf8'));
  assert.ok(Math.abs(cursor.acknowledged_ms - Date.now()) < 60000);
});
