// Usage data of a real box with a real receiver: nothing arrives before somebody agreed, what arrives is
// what was shown, and each way to refuse ends both the sending and the record on the disk.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, eventually, kBinaries, sleep } from './appliance.mjs';

const kIntervalS = 1;
const kIntervals = 4;  // so many pass where nothing may arrive
const kSecretName = 'name-of-nobody-else';

/** A receiver on a free port: {url, received: [{method, type, body}]}; `answer.status` can be changed. */
async function startReceiver(t) {
  const received = [];
  const answer = { status: 200 };
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      received.push({ method: request.method, type: request.headers['content-type'], body: Buffer.concat(parts).toString(), headers: request.headers });
      response.writeHead(answer.status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/usage`, received, answer };
}

/** Kept between the starts of one test. */
async function stateDirectory(t) {
  const state = await mkdtemp(join(tmpdir(), 'hearth-usage-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  return state;
}

async function startBox(t, { state, receiver, intervalS = kIntervalS, args = [], env = {} }) {
  const appliance = await Appliance.start({
    state, name: kSecretName, env,
    args: ['--usage-stats-interval-s', `${intervalS}`, ...(receiver ? ['--usage-stats-url', receiver.url] : []), ...args],
  });
  let running = true;
  appliance.end = async () => {
    if (running) await appliance.stop();
    running = false;
  };
  t.after(appliance.end);
  appliance.record = join(appliance.state, 'usage_stats.json');
  appliance.usage = async () => (await fetch(`${appliance.url}/api/usage`)).json();
  appliance.answer = (enabled) => fetch(`${appliance.url}/api/usage`, { method: 'PUT', body: JSON.stringify({ enabled }) });
  return appliance;
}

/** Nothing more arrives, nothing is on the disk. What is under way may still end. */
async function isSilent(appliance, { received }) {
  const { next_report: next } = await appliance.usage();
  assert.equal(next, null);
  assert.equal(existsSync(appliance.record), false, 'no local record');
  const before = received.length;
  await sleep(kIntervals * kIntervalS * 1000);
  assert.equal(received.length, before, 'nothing arrives');
  assert.equal(existsSync(appliance.record), false, 'still no local record');
}

async function isRecording(appliance) {
  return eventually('a record', async () => (await appliance.usage()).next_report !== null && existsSync(appliance.record));
}

test('before anybody answers nothing is recorded or sent; after a yes exactly what was shown arrives', async (t) => {
  const receiver = await startReceiver(t);
  const box = await startBox(t, { receiver });
  const asked = await box.usage();
  assert.deepEqual([asked.enabled, asked.can_change, asked.decided_by, asked.receiver, asked.last], [null, true, '', receiver.url, null]);
  assert.equal(JSON.parse(asked.example_report).extra_usage_tags.llm_serve_models, 'Qwen2ForCausalLM', 'it is shown before the answer');
  await isSilent(box, receiver);
  assert.equal(receiver.received.length, 0);

  const answered = await box.answer(true);
  assert.equal(answered.status, 200);
  // Whatever was shown at some moment as the next report; each that arrives must be among them.
  const shown = new Set();
  const recorded = new Set();
  await eventually('three reports', async () => {
    const { next_report: next } = await box.usage();
    if (next !== null) shown.add(next);
    const text = await readFile(box.record, 'utf8').catch(() => '');
    if (text) recorded.add(text);
    return receiver.received.length >= 3;
  });
  for (const { method, type, body } of receiver.received) {
    assert.deepEqual([method, type], ['POST', 'application/json']);
    assert.ok(shown.has(body), `these bytes were shown before they were sent:\n${body}`);
    assert.ok([...recorded].some((text) => text.includes(body)), 'and stood in usage_stats.json');
    assert.ok(!body.includes(kSecretName) && !body.includes(box.state), 'no name of a model, no path');
  }
  assert.deepEqual(receiver.received.slice(0, 3).map(({ body }) => JSON.parse(body).seq_number), [0, 1, 2]);
  const { enabled, decider, last, fields } = await box.usage();
  assert.deepEqual([enabled, decider, last.status, last.error], [true, 'answer', 200, null]);
  const report = JSON.parse(receiver.received[0].body);
  assert.deepEqual(fields.map(({ name }) => name).sort(), [...Object.keys(report), ...Object.keys(report.extra_usage_tags)]
    .filter((name) => name !== 'extra_usage_tags').sort(), 'the page explains every field and no other');
});

test('a receiver that fails gets one attempt each interval and nothing again', async (t) => {
  const receiver = await startReceiver(t);
  receiver.answer.status = 503;
  const box = await startBox(t, { receiver });
  await box.answer(true);
  await eventually('three attempts', () => receiver.received.length >= 3);
  const bodies = receiver.received.map(({ body }) => body);
  assert.equal(new Set(bodies).size, bodies.length, 'no report is sent twice');
  const { last } = await box.usage();
  assert.equal(last.status, 503);
  assert.match(last.error, /503/);
  assert.ok(JSON.parse(bodies[2]).total_failed === 2);
  assert.equal(JSON.parse(await readFile(box.record, 'utf8')).success, false);
});

test('without a receiver the record is kept on the box alone', async (t) => {
  const box = await startBox(t, {});
  await box.answer(true);
  await isRecording(box);
  const { receiver, due_ms: dueMs, last, next_report: next } = await box.usage();
  assert.deepEqual([receiver, dueMs, last], ['', null, null]);
  assert.equal(JSON.parse(next).source, 'hearth');
});

test('a no on the page ends the sending and removes the record, and holds after a restart', async (t) => {
  const receiver = await startReceiver(t);
  const state = await stateDirectory(t);
  const box = await startBox(t, { state, receiver });
  await box.answer(true);
  await eventually('a report', () => receiver.received.length >= 1);
  assert.equal((await box.answer(false)).status, 200);
  assert.equal(existsSync(box.record), false, 'removed when the answer returns');
  await isSilent(box, receiver);
  await box.end();
  const again = await startBox(t, { state, receiver });
  assert.equal((await again.usage()).enabled, false);
  await isSilent(again, receiver);
  for (const wrong of ['{}', '{"enabled":1}', '{"enabled":true,"x":1}', 'yes']) {
    const response = await fetch(`${again.url}/api/usage`, { method: 'PUT', body: wrong });
    assert.equal(response.status, 400, wrong);
  }
  assert.equal((await again.usage()).enabled, false);
});

test('a no in the file of the box wins over an earlier yes; a yes there needs no answer', async (t) => {
  const receiver = await startReceiver(t);
  const state = await stateDirectory(t);
  const file = join(state, 'hearth.yaml');
  await writeFile(file, 'usage_stats:\n  enabled: true\n');
  const box = await startBox(t, { state, receiver, args: ['--config', file] });
  await eventually('a report', () => receiver.received.length >= 1);
  assert.equal((await box.usage()).place, `${file}:2`);
  assert.equal((await box.answer(true)).status, 200);
  await box.end();
  assert.ok(existsSync(box.record), 'a record that the next start finds');

  await writeFile(file, 'usage_stats:\n  enabled: false\n');
  const refused = await startBox(t, { state, receiver, args: ['--config', file] });
  const { enabled, can_change: canChange, decided_by: words } = await refused.usage();
  assert.deepEqual([enabled, canChange, words], [false, false, `the setting usage_stats.enabled of ${file}:2`]);
  const answered = await refused.answer(true);
  assert.equal(answered.status, 409);
  assert.match((await answered.json()).error.message, /hearth\.yaml:2/);
  await isSilent(refused, receiver);
});

for (const [name, value] of [['HEARTH_USAGE_STATS_ENABLED', '0'], ['RAY_USAGE_STATS_ENABLED', '0'], ['DO_NOT_TRACK', '1']]) {
  test(`${name}=${value} wins over the file, the command line and the page`, async (t) => {
    const receiver = await startReceiver(t);
    const state = await stateDirectory(t);
    const file = join(state, 'hearth.yaml');
    await writeFile(file, 'usage_stats: {enabled: true}\n');
    const args = ['--config', file, '--usage-stats-enabled', 'true'];
    const agreed = await startBox(t, { state, receiver, args });
    await agreed.answer(true);
    await isRecording(agreed);
    await agreed.end();
    assert.ok(existsSync(agreed.record));

    const box = await startBox(t, { state, receiver, args, env: { [name]: value } });
    const usage = await box.usage();
    assert.deepEqual([usage.enabled, usage.can_change, usage.place], [false, false, `${name}=${value}`]);
    const answered = await box.answer(true);
    assert.equal(answered.status, 409);
    assert.match((await answered.json()).error.message, new RegExp(`${name}=${value}`));
    await isSilent(box, receiver);
  });
}

test('an unclear word of the environment is an error at the start', async () => {
  for (const name of ['HEARTH_USAGE_STATS_ENABLED', 'RAY_USAGE_STATS_ENABLED']) {
    const child = spawn(join(kBinaries, 'hearthd'), ['--port', '0', '--state', '/nonexistent/never-made'],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, [name]: 'perhaps' } });
    let log = '';
    child.stderr.on('data', (data) => { log += data; });
    const [code] = await once(child, 'close');
    assert.equal(code, 2, log);
    assert.match(log, new RegExp(`${name}.*perhaps`));
  }
});

async function isAccessible(page, url) {
  for (const theme of ['dark', 'light']) {
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(`${url}/usage?theme=${theme}`);
      await page.locator('tbody tr').first().waitFor();
      assert.deepEqual(await violations(page), [], `${theme} at ${width} px`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} px stick out at ${width} px`);
    }
  }
}

test('the page shows the very text, explains each field and is the switch', { timeout: 120000 }, async (t) => {
  const receiver = await startReceiver(t);
  const box = await startBox(t, { receiver, intervalS: 3600 });
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, box.url, problems);

  await page.goto(`${box.url}/overview`);
  await page.locator('.question a').waitFor();
  await page.locator('.question a').click();
  await page.waitForURL('**/usage*');
  await page.locator('#usage-on').waitFor();
  assert.match(await page.locator('.usage-state').innerText(), /Nobody has answered yet/);
  assert.equal(await page.locator('tbody tr').count(), (await box.usage()).fields.length);
  await isAccessible(page, box.url);

  await page.locator('#usage-on').focus();
  await page.keyboard.press('Enter');
  await page.locator('#decided').waitFor();
  const next = await eventually('the next report', async () => (await box.usage()).next_report);
  await eventually('it on the page', async () => (await page.locator('#report').textContent()) === next);
  assert.match(await page.locator('.usage-state').innerText(), /on: it is recorded on this box and sent/);
  assert.ok(existsSync(box.record));
  await isAccessible(page, box.url);

  await page.locator('#usage-off').click();
  await eventually('it is off', async () => /Usage data is off/.test(await page.locator('.usage-state').innerText()));
  assert.equal(existsSync(box.record), false);
  assert.equal(receiver.received.length, 0);
  await page.goto(`${box.url}/overview`);
  await page.locator('.card').first().waitFor();
  assert.equal(await page.locator('.question a').count(), 0, 'an answered question is not asked again');
  assert.deepEqual([...new Set(problems)], []);
});

test('the page shows a lock and how to open it', { timeout: 120000 }, async (t) => {
  const box = await startBox(t, { env: { DO_NOT_TRACK: '1' } });
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, box.url, problems);
  await page.goto(`${box.url}/usage`);
  await page.locator('.usage-lock').waitFor();
  assert.match(await page.locator('.usage-lock').innerText(), /take DO_NOT_TRACK=1 out of the environment/);
  assert.equal(await page.locator('#usage-on, #usage-off').count(), 0);
  await isAccessible(page, box.url);
  assert.deepEqual([...new Set(problems)], []);
});
