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

const kTests = [
  ['an empty list says why', async (box) => {
    assert.deepEqual(await find(box.appliance), { requests: [], matched: 0, kept: 0, oldest_ms: null, models: [] });
    await box.page.goto(`${box.appliance.url}/requests`);
    await box.page.getByText('No request yet').waitFor();
  }],

  ['every kind of request is there once, with its status and outcome', async (box) => {
    const { counts, errors } = await runMixedLoad(box.appliance, { seconds: 8 });
    assert.deepEqual(errors, []);
    const good = counts.streamed + counts.whole + counts.long;
    await eventually('every request', async () => await matched(box.appliance, '') === Object.values(counts).reduce((a, b) => a + b, 0));
    assert.equal(await matched(box.appliance, 'outcome=answered&status=200'), good);
    assert.equal(await matched(box.appliance, 'outcome=client_gone&status=499'), counts.left);
    assert.equal(await matched(box.appliance, 'outcome=invalid_request&status=400'), counts.refused);
    assert.equal(await matched(box.appliance, 'outcome=model_not_found&status=404'), counts.unknown);
    assert.equal(await matched(box.appliance, 'outcome=context_length_exceeded&status=4xx'), counts.too_long);
    assert.equal(await matched(box.appliance, 'outcome=failed'), counts.left + counts.refused + counts.unknown + counts.too_long);
    const metrics = await box.appliance.settledMetrics();
    assert.equal(total(metrics, 'hearth_requests_started_total'), await matched(box.appliance, ''), 'the ledger says the same');
    assert.equal(total(metrics, 'hearth_request_log_dropped_total'), 0);
  }],

  ['times and tokens are those of the answers', async (box) => {
    const { requests } = await find(box.appliance, 'outcome=answered&limit=1000');
    const rests = requests.map(checkTimes).sort((a, b) => a - b);
    assert.ok(rests[Math.floor(rests.length / 2)] < kSlackMs, `half the requests have ${rests[Math.floor(rests.length / 2)]} ms of no phase`);
    const response = await box.appliance.chat('What is TTFT?', { max_tokens: 9 });
    const { usage } = await response.json();
    const id = response.headers.get('x-request-id');
    const row = await eventually('the row', async () => (await find(box.appliance, `id=${id}`)).requests[0]);
    assert.deepEqual([row.prompt_tokens, row.generation_tokens, row.model_name, row.endpoint, row.stream, row.error],
      [usage.prompt_tokens, usage.completion_tokens, 'demo', '/v1/chat/completions', false, null]);
    assert.ok(row.cached_tokens > 0, 'the question was asked before');
    const slowest = (await find(box.appliance, 'order=slowest&limit=1000')).requests.map(({ e2e_ms: ms }) => ms);
    assert.deepEqual(slowest, [...slowest].sort((a, b) => b - a));
  }],

  ['an exemplar of the metrics leads to its request', async (box) => {
    const page = await fetch(`${box.appliance.url}/metrics`, { headers: { Accept: 'application/openmetrics-text; version=1.0.0' } });
    const ids = [...(await page.text()).matchAll(/^vllm:e2e_request_latency_seconds_bucket.*# \{request_id="([^"]+)"/gm)].map(([, id]) => id);
    assert.ok(ids.length > 0);
    for (const id of ids) assert.equal(await matched(box.appliance, `id=${id}`), 1, id);
  }],

  ['pages follow each other without gap or repeat', async (box) => {
    const all = (await find(box.appliance, 'limit=1000')).requests.map(({ id }) => id);
    const paged = [];
    for (let before = ''; ;) {
      const { requests } = await find(box.appliance, `limit=7${before}`);
      if (requests.length === 0) break;
      paged.push(...requests.map(({ id }) => id));
      before = `&before=${paged.at(-1)}`;
    }
    assert.deepEqual(paged, all);
  }],

  ['no word of a prompt is kept', async (box) => {
    const post = (path, body) => fetch(`${box.appliance.url}${path}`, { method: 'POST', body });
    for (const body of [`{"prompt":"${kSecret}`, JSON.stringify({ prompt: { [kSecret]: 1 } }), JSON.stringify({ prompt: 'x', stop: [kSecret, 3] })]) {
      assert.equal((await post('/v1/completions', body)).status, 400);
    }
    const chat = { messages: [{ role: kSecret, content: kSecret }, { role: 'user', content: [{ type: kSecret }] }] };
    await post('/v1/chat/completions', JSON.stringify(chat));
    await box.appliance.ask(kSecret, { max_tokens: 4 });
    await eventually('the rows', async () => (await find(box.appliance)).requests[0].outcome === 'length');
    assert.ok(!JSON.stringify(await find(box.appliance, 'limit=1000')).includes(kSecret));
  }],

  ['the page shows, filters, explains and pauses', async (box) => {
    await box.page.goto(`${box.appliance.url}/requests`);
    const rows = box.page.locator('#requests tbody tr');
    await rows.nth(20).waitFor();
    await box.page.selectOption('#outcome', 'model_not_found');
    const unknown = await matched(box.appliance, 'outcome=model_not_found');
    await eventually('only these rows', async () => await rows.count() === unknown);
    assert.equal(new URL(box.page.url()).searchParams.get('outcome'), 'model_not_found');
    await rows.first().getByRole('button').click();
    await box.page.locator('.detail').getByText('model_not_found (HTTP 404)').waitFor();
    await box.page.keyboard.press('Escape');
    await box.page.selectOption('#outcome', 'client_gone');
    await box.page.selectOption('#endpoint', '/v1/completions');
    await box.page.getByText(/None of the \d+ kept requests fits/).waitFor();

    const { requests: [slowest] } = await find(box.appliance, 'order=slowest&limit=1');
    await box.page.goto(`${box.appliance.url}/requests?id=${slowest.request_id}`);
    await box.page.locator('.detail').getByText(slowest.request_id).waitFor();
    const phases = box.page.locator('.detail .waterfall .phase');
    const widths = await phases.evaluateAll((pieces) => pieces.map((piece) => piece.getBoundingClientRect().width));
    const whole = await box.page.locator('.detail .waterfall').evaluate((bar) => bar.getBoundingClientRect().width);
    assert.ok(Math.abs(widths.reduce((a, b) => a + b, 0) - whole) < 2, `${widths} of ${whole}`);

    await box.page.goto(`${box.appliance.url}/requests`);
    await rows.nth(20).waitFor();
    const before = (await find(box.appliance)).kept;
    await box.appliance.ask('Who are you?', { max_tokens: 4 });
    await box.page.getByText(new RegExp(`of ${before + 1} requests`)).waitFor();
    await box.page.click('#live');
    assert.equal(await box.page.locator('#live').innerText(), 'Paused');
    assert.deepEqual(await violations(box.page), []);
    await box.page.setViewportSize({ width: 390, height: 844 });
    assert.ok(await box.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out on a phone');
    assert.deepEqual(await violations(box.page), []);
    assert.deepEqual(box.problems, []);
  }],

  ['a restart keeps it, a kill costs what was not committed', async (box) => {
    const before = await find(box.appliance, 'limit=1000');
    await box.appliance.stop();
    box.appliance = await box.start();
    assert.deepEqual((await find(box.appliance, 'limit=1000')).requests, before.requests);
    await box.appliance.ask('Who are you?', { max_tokens: 4 });
    await eventually('the row', async () => (await find(box.appliance)).kept === before.kept + 1);
    const { id } = (await find(box.appliance)).requests[0];
    assert.equal(id, before.requests[0].id + 1, 'ids go on');
    await new Promise((done) => { setTimeout(done, 3000); });  // beyond the commit interval
    await box.appliance.kill9();
    box.appliance = await box.start();
    assert.equal((await find(box.appliance)).kept, before.kept + 1);
    for (const name of ['requests.db', 'requests.db-wal']) {
      assert.ok(!(await readFile(join(box.state, name)).catch(() => Buffer.alloc(0))).includes(kSecret), name);
    }
  }],
];

test('the request log', { timeout: 300000 }, async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'hearth-requests-'));
  const start = () => Appliance.start({ state, args: ['--history-commit-interval', '2'] });
  const browser = await launchBrowser();
  const box = { state, start, appliance: await start(), problems: [] };
  t.after(async () => {
    await browser.close();
    await box.appliance.stop();
    await rm(state, { recursive: true, force: true });
  });
  box.page = await openPage(browser, box.appliance.url, box.problems);
  for (const [name, run] of kTests) await t.test(name, () => run(box));
});
