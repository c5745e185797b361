// The models page in a real browser over a real box: what it shows is what the box says, and its buttons
// wake, unload, pull, import, upload, check, serve and remove.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, eventually, kDemoModel } from './appliance.mjs';
import { filesOf, Hub } from './hub.mjs';

const kPatienceMs = 30000;
const kConfig = `llm_configs:
  - model_loading_config: { model_id: sleeper, model_source: ${kDemoModel} }
    deployment_config:
      autoscaling_config: { min_replicas: 0, max_replicas: 3, target_ongoing_requests: 1, look_back_period_s: 2, upscale_delay_s: 4, downscale_delay_s: 600 }
    engine_kwargs: { served_model_name: [sleeper, dozer], kv_cache_memory_bytes: 33554432 }
  - model_loading_config: { model_id: stays, model_source: ${kDemoModel} }
    deployment_config: { autoscaling_config: { min_replicas: 1, max_replicas: 1 } }
    engine_kwargs: { kv_cache_memory_bytes: 33554432 }
`;

let directory;
let hub;
let box;
let browser;
let page;
const problems = [];

const card = (name) => page.locator(`.model-card[data-model="${name}"]`);
const row = (id) => page.locator(`[data-library="${id}"]`);
const button = (place, what) => place.locator(`[data-do="${what}"]`);
const seen = (what, locator, pattern) => eventually(what, async () => {
  const text = (await locator.allInnerTexts()).join('\n');
  if (!pattern.test(text)) throw new Error(`it says: ${text}`);
  return true;
}, kPatienceMs);
const gone = (what, locator) => eventually(what, async () => (await locator.count()) === 0, kPatienceMs);
const usable = async (one) => (await one.getAttribute('aria-disabled')) !== 'true';
const api = async (path) => (await fetch(`${box.url}${path}`)).json();
const served = async (name) => (await api('/api/models')).models.find((model) => model.model_name === name);

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hearth-models-page-'));
  await writeFile(join(directory, 'models.yaml'), kConfig);
  hub = await Hub.start();
  hub.add('Org/Small', filesOf(kDemoModel));
  box = await Appliance.start({ ownModel: false, args: ['--model-config-file', join(directory, 'models.yaml')],
    env: { HF_ENDPOINT: hub.url, HEARTH_HUB_PART_BYTES: '1000000' } });
  browser = await launchBrowser();
  page = await openPage(browser, box.url, problems);
  await page.goto(`${box.url}/models`);
});

after(async () => {
  await browser?.close();
  await box?.stop();
  await hub?.stop();
  await rm(directory, { recursive: true, force: true });
});

test('what sleeps and what must stay are told apart, in words', async () => {
  await seen('the model that sleeps', card('sleeper'), /asleep[\s\S]*also called dozer[\s\S]*next request/);
  assert.ok(await usable(button(card('sleeper'), 'load')));
  assert.ok(!await usable(button(card('sleeper'), 'unload')));
  await seen('the model that stays', card('stays'), /ready[\s\S]*pinned[\s\S]*min_replicas is 1/);
  const unload = button(card('stays'), 'unload');
  assert.ok(!await usable(unload));
  const reason = await page.locator(`[id="${await unload.getAttribute('aria-describedby')}"]`).innerText();
  assert.match(reason, /cannot be unloaded/, 'the reason belongs to the button');
  await unload.click({ force: true });
  assert.equal((await served('stays')).state, 'ready', 'a button that cannot be used does nothing');
  const { replicas: [replica] } = await served('stays');
  await seen('its process', card('stays').locator('[data-replica="0"]'), new RegExp(`\\b${replica.engine_pid}\\b`));
  await seen('its memory', page.locator('.memory-list'), /stays, weights: [\d.]+ MiB[\s\S]*stays, KV cache: 32 MiB[\s\S]*free: /);
});

test('a model is woken and unloaded by a button, which keeps the focus', async () => {
  const load = button(card('sleeper'), 'load');
  await load.focus();
  await page.keyboard.press('Enter');
  await seen('the woken model', card('sleeper').locator('header .state'), /^ready$/);
  assert.ok(await load.evaluate((node) => node === document.activeElement), 'the focus stays where it was');
  await seen('the news', page.locator('.news'), /sleeper is ready/);
  const { replicas, autoscaling } = await served('sleeper');
  assert.ok(replicas[0].engine_pid > 0);
  await seen('the autoscaler’s sentence', card('sleeper').locator('.autoscaler'), new RegExp(autoscaling.sentence.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  assert.equal(await card('sleeper').locator('.scale').getAttribute('aria-label'), `min 0, ready 1, target 1, wanted by the load ${autoscaling.desired_replicas}, max 3`);
  await button(card('sleeper'), 'unload').click();
  await seen('the model at rest', card('sleeper').locator('header .state'), /^asleep$/);
  await eventually('its replicas gone from the page', async () => (await card('sleeper').locator('[data-replica]').count()) === 0);
});

test('under load the requests are counted, and the autoscaler says what it will do and does it', async () => {
  let isOver = false;
  const client = async () => {
    while (!isOver) assert.equal((await box.chat('Tell me a long story.', { model: 'sleeper', max_tokens: 1000, ignore_eos: true })).status, 200);
  };
  const clients = Promise.all([client(), client(), client()]);
  try {
    await seen('requests', card('sleeper').locator('.numbers'), /[1-3] ongoing[\s\S]*Last used\s+now/);
    await seen('what it will do', card('sleeper').locator('.autoscaler'), /More replicas in \ds/);
    await seen('the further replica', card('sleeper').locator('[data-replica="1"]'), /ready/);
    assert.ok((await served('sleeper')).autoscaling.current_replicas > 1);
  } finally {
    isOver = true;
    await clients;
  }
  await seen('the end of the load', card('sleeper').locator('.numbers'), /0 ongoing, 0 waiting/);
});

test('a model is pulled, with pause and progress, checked, served, and kept while it serves', async () => {
  hub.fail({ bytesPerS: 2e6 });
  await page.fill('#pull-model', 'Org/Small');
  await page.click('#pull .primary');
  const job = page.locator('.job[data-kind="pull"]');
  await seen('its numbers', job, /Pull of Org\/Small[\s\S]*under way[\s\S]*of 7\.\d+ MiB/);
  await eventually('a bar that grows', async () => Number(await job.locator('progress').getAttribute('value')) > 0, kPatienceMs);
  await button(job, 'pause').click();
  await seen('the pause', job, /paused/);
  hub.clear();
  await button(job, 'resume').click();
  await seen('the model', row('Org/Small'), /whole/);
  await seen('the news', page.locator('.news'), /Pull of Org\/Small: done/);
  const { models: [model] } = await api('/api/library');
  await seen('what it is', row('Org/Small'), new RegExp(`${model.revision.slice(0, 8)}[\\s\\S]*${model.content_hash.slice(7, 15)}`));
  await button(row('Org/Small'), 'verify').click();
  await seen('the check', page.locator('.news'), /Check of Org\/Small: done/);
  await button(row('Org/Small'), 'serve').click();
  await page.fill('dialog[open] input', 'small');
  await page.click('dialog[open] .primary');
  await seen('the news', page.locator('.news'), /small is in service/);
  assert.equal((await box.chat('hi', { model: 'small', max_tokens: 1 })).status, 200, 'it may sleep, as the first model may');
  await seen('the served model', card('small').locator('header .state'), /^ready$/);
  await seen('that it stays', row('Org/Small'), /small[\s\S]*In service/);
  assert.ok(!await usable(button(row('Org/Small'), 'remove')));
});

test('what cannot be pulled or imported is said in words', async () => {
  await page.fill('#pull-model', 'Org/Absent');
  await page.click('#pull .primary');
  await page.locator('.ended-jobs > summary').click();
  const job = page.locator('.job[data-state="failed"]');
  await seen('the failed pull', job, /Pull of Org\/Absent[\s\S]*failed[\s\S]*Org\/Absent/);
  await page.fill('#import-path', join(directory, 'absent'));
  await page.fill('#import-name', 'absent');
  await page.click('#import .primary');
  await seen('the refusal', page.locator('#import .field-error'), /there is no directory .*absent/);
});

test('a model is imported from a directory, and removed after a question', async () => {
  await page.fill('#import-path', kDemoModel);
  await page.fill('#import-name', 'local');
  await page.click('#import .primary');
  await seen('the import', row('local'), /whole/);
  const remove = button(row('local'), 'remove');
  await remove.click();
  await seen('the question', page.locator('dialog[open]'), /5 files .*7\.\d+ MiB become free/);
  await page.keyboard.press('Escape');
  assert.equal((await api('/api/library')).models.length, 2, 'nothing is removed unasked');
  await remove.click();
  await page.click('dialog[open] [data-choice="remove"]');
  await gone('the removed model', row('local'));
  assert.deepEqual((await api('/api/library')).models.map(({ id }) => id), ['Org/Small']);
});

test('a model is uploaded from the browser', async () => {
  await page.fill('#upload-name', 'sent');
  await page.setInputFiles('#upload-files', readdirSync(kDemoModel).map((name) => join(kDemoModel, name)));
  await page.click('#upload .primary');
  await seen('the upload', row('sent'), /whole/);
  assert.equal((await api('/api/library')).models.find(({ id }) => id === 'sent').source, 'upload');
});

test('an engine that was killed leaves its last words', async () => {
  const { replicas: [{ engine_pid: pid }] } = await served('stays');
  process.kill(pid, 'SIGKILL');
  const crash = card('stays').locator('.crash');
  await seen('the crash', crash.locator('summary'), /Last crash: .*signal 9/);
  await crash.locator('summary').click();
  await seen('what became of the requests', crash, /No request was lost/);
  await crash.locator('button').click();
  const { lines } = await api('/api/models/stays/log?lines=500');
  const log = card('stays').locator('.log .engine-log');
  await seen('the whole log', log, /./);
  assert.ok((await log.innerText()).includes(lines[0].text), 'the log is the engine’s');
  await seen('the engine after', card('stays').locator('header .state'), /^ready$/);
  await seen('the restart', card('stays').locator('[data-replica="0"] td').nth(3), /^1$/);
});

test('a box that makes no outbound connection says so where a model would be pulled', async (t) => {
  const offline = await Appliance.start({ env: { HF_HUB_OFFLINE: '1' } });
  t.after(() => offline.stop());
  const other = await openPage(browser, offline.url, problems);
  t.after(() => other.close());
  await other.goto(`${offline.url}/models`);
  await seen('the reason', other.locator('#pull'), /no outbound connection\. Import/);
  assert.ok(await other.locator('#pull .primary').isDisabled());
});

test('the page is accessible in both themes and fits a phone, and it did nothing a page must not do', async () => {
  for (const theme of ['dark', 'light']) {
    await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, theme);
    assert.deepEqual(await violations(page), [], theme);
  }
  for (const width of [390, 3840]) {
    await page.setViewportSize({ width, height: 900 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `nothing sticks out at ${width} px`);
  }
  assert.deepEqual([...new Set(problems)].filter((text) => !/status of 4\d\d/.test(text)), []);
});
