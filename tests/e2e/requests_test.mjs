// The request log: every way a request can go is in it with its end and its times, on the page too; no
// word of a prompt is; it is bounded and survives a restart.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, eventually, total } from './appliance.mjs';
import { runMixedLoad } from './load.mjs';

const kSlackMs = 50;  // between the engine's last stamp and the thread that answers, on two busy cores
const kSecret = 'xyzzyplugh';

const find = async (appliance, query = '') => {
  const response = await fetch(`${appliance.url}/api/requests?${query}`);
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  return body;
};
const matched = async (appliance, query) => (await find(appliance, `${query}&limit=1`)).matched;

function checkTimes(row) {
  const phases = [row.accept_ms, row.queue_ms, row.prefill_ms, row.decode_ms];
  assert.ok(phases.every((ms) => ms !== null && ms >= 0), JSON.stringify(row));
  const sum = phases.reduce((a, b) => a + b, 0);
  assert.ok(sum <= row.e2e_ms + 1, `${sum} ms of phases in ${row.e2e_ms} ms: ${JSON.stringify(row)}`);
  assert.ok(row.ttft_ms >= row.accept_ms + row.queue_ms + row.prefill_ms - 1, JSON.stringify(row));
  assert.ok(row.ttft_ms <= row.e2e_ms + 1, JSON.stringify(row));
  return row.e2e_ms - sum;
}

test('the request log', { timeout: 300000 }, async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'hearth-requests-'));
  const start = () => Appliance.start({ state, args: ['--history-commit-interval', '2'] });
  let appliance = await start();
  t.after(async () => {
    await appliance.stop();
    await rm(state, { recursive: true, force: true });
  });
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, appliance.url, problems);

  await t.test('an empty list says why', async () => {
    assert.deepEqual(await find(appliance), { requests: [], matched: 0, kept: 0, oldest_ms: null, models: [] });
    await page.goto(`${appliance.url}/requests`);
    await page.getByText('No request yet').waitFor();
  });

  await t.test('every kind of request is there once, with its status and outcome', async () => {
    const { counts, errors } = await runMixedLoad(appliance, { seconds: 8 });
    assert.deepEqual(errors, []);
    const good = counts.streamed + counts.whole + counts.long;
    await eventually('every request', async () => await matched(appliance, '') === Object.values(counts).reduce((a, b) => a + b, 0));
    assert.equal(await matched(appliance, 'outcome=answered&status=200'), good);
    assert.equal(await matched(appliance, 'outcome=client_gone&status=499'), counts.left);
    assert.equal(await matched(appliance, 'outcome=invalid_request&status=400'), counts.refused);
    assert.equal(await matched(appliance, 'outcome=model_not_found&status=404'), counts.unknown);
    assert.equal(await matched(appliance, 'outcome=context_length_exceeded&status=4xx'), counts.too_long);
    assert.equal(await matched(appliance, 'outcome=failed'), counts.left + counts.refused + counts.unknown + counts.too_long);
    const metrics = await appliance.settledMetrics();
    assert.equal(total(metrics, 'hearth_requests_started_total'), await matched(appliance, ''), 'the ledger says the same');
    assert.equal(total(metrics, 'hearth_request_log_dropped_total'), 0);
  });

  await t.test('times and tokens are those of the answers', async () => {
    const { requests } = await find(appliance, 'outcome=answered&limit=1000');
    const rests = requests.map(checkTimes).sort((a, b) => a - b);
    assert.ok(rests[Math.floor(rests.length / 2)] < kSlackMs, `half the requests have ${rests[Math.floor(rests.length / 2)]} ms of no phase`);
    const response = await appliance.chat('What is TTFT?', { max_tokens: 9 });
    const { usage } = await response.json();
    const id = response.headers.get('x-request-id');
    const row = await eventually('the row', async () => (await find(appliance, `id=${id}`)).requests[0]);
    assert.deepEqual([row.prompt_tokens, row.generation_tokens, row.model_name, row.endpoint, row.stream, row.error],
      [usage.prompt_tokens, usage.completion_tokens, 'demo', '/v1/chat/completions', false, null]);
    assert.ok(row.cached_tokens > 0, 'the question was asked before');
    const slowest = (await find(appliance, 'order=slowest&limit=1000')).requests.map(({ e2e_ms: ms }) => ms);
    assert.deepEqual(slowest, [...slowest].sort((a, b) => b - a));
  });

  await t.test('an exemplar of the metrics leads to its request', async () => {
    const query = new URLSearchParams({ query: 'vllm:e2e_request_latency_seconds_bucket', start: Date.now() / 1000 - 600, end: Date.now() / 1000 + 60 });
    const { data } = await (await fetch(`${appliance.url}/api/v1/query_exemplars?${query}`)).json();
    const ids = data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.request_id));
    assert.ok(ids.length > 0);
    for (const id of ids) assert.equal(await matched(appliance, `id=${id}`), 1, id);
  });

  await t.test('pages follow each other without gap or repeat', async () => {
    const all = (await find(appliance, 'limit=1000')).requests.map(({ id }) => id);
    const paged = [];
    for (let before = ''; ;) {
      const { requests } = await find(appliance, `limit=7${before}`);
      if (requests.length === 0) break;
      paged.push(...requests.map(({ id }) => id));
      before = `&before=${paged.at(-1)}`;
    }
    assert.deepEqual(paged, all);
  });

  await t.test('no word of a prompt is kept', async () => {
    const post = (path, body) => fetch(`${appliance.url}${path}`, { method: 'POST', body });
    for (const body of [`{"prompt":"${kSecret}`, JSON.stringify({ prompt: { [kSecret]: 1 } }), JSON.stringify({ prompt: 'x', stop: [kSecret, 3] })]) {
      assert.equal((await post('/v1/completions', body)).status, 400);
    }
    const chat = { messages: [{ role: kSecret, content: kSecret }, { role: 'user', content: [{ type: kSecret }] }] };
    await post('/v1/chat/completions', JSON.stringify(chat));
    await appliance.ask(kSecret, { max_tokens: 4 });
    await eventually('the rows', async () => (await find(appliance)).requests[0].outcome === 'length');
    assert.ok(!JSON.stringify(await find(appliance, 'limit=1000')).includes(kSecret));
  });

  await t.test('the page shows, filters, explains and pauses', async () => {
    await page.goto(`${appliance.url}/requests`);
    const rows = page.locator('#requests tbody tr');
    await rows.nth(20).waitFor();
    await page.selectOption('#outcome', 'model_not_found');
    const unknown = await matched(appliance, 'outcome=model_not_found');
    await eventually('only these rows', async () => await rows.count() === unknown);
    assert.equal(new URL(page.url()).searchParams.get('outcome'), 'model_not_found');
    await rows.first().getByRole('button').click();
    await page.locator('.detail').getByText('model_not_found (HTTP 404)').waitFor();
    await page.keyboard.press('Escape');
    await page.selectOption('#outcome', 'client_gone');
    await page.selectOption('#endpoint', '/v1/completions');
    await page.getByText(/None of the \d+ kept requests fits/).waitFor();

    const { requests: [slowest] } = await find(appliance, 'order=slowest&limit=1');
    await page.goto(`${appliance.url}/requests?id=${slowest.request_id}`);
    await page.locator('.detail').getByText(slowest.request_id).waitFor();
    const phases = page.locator('.detail .waterfall .phase');
    const widths = await phases.evaluateAll((pieces) => pieces.map((piece) => piece.getBoundingClientRect().width));
    const whole = await page.locator('.detail .waterfall').evaluate((bar) => bar.getBoundingClientRect().width);
    assert.ok(Math.abs(widths.reduce((a, b) => a + b, 0) - whole) < 2, `${widths} of ${whole}`);

    await page.goto(`${appliance.url}/requests`);
    await rows.nth(20).waitFor();
    const before = (await find(appliance)).kept;
    await appliance.ask('Who are you?', { max_tokens: 4 });
    await page.getByText(new RegExp(`of ${before + 1} requests`)).waitFor();
    await page.click('#live');
    assert.equal(await page.locator('#live').innerText(), 'Paused');
    assert.deepEqual(await violations(page), []);
    await page.setViewportSize({ width: 390, height: 844 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out on a phone');
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(problems, []);
  });

  await t.test('a restart keeps it, a kill costs what was not committed', async () => {
    const before = await find(appliance, 'limit=1000');
    await appliance.stop();
    appliance = await start();
    assert.deepEqual((await find(appliance, 'limit=1000')).requests, before.requests);
    await appliance.ask('Who are you?', { max_tokens: 4 });
    await eventually('the row', async () => (await find(appliance)).kept === before.kept + 1);
    const { id } = (await find(appliance)).requests[0];
    assert.equal(id, before.requests[0].id + 1, 'ids go on');
    await new Promise((done) => { setTimeout(done, 3000); });  // beyond the commit interval
    await appliance.kill9();
    appliance = await start();
    assert.equal((await find(appliance)).kept, before.kept + 1);
    for (const name of ['requests.db', 'requests.db-wal']) {
      assert.ok(!(await readFile(join(state, name)).catch(() => Buffer.alloc(0))).includes(kSecret), name);
    }
  });
});
