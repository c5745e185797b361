// A configuration that is no good is taken back by the box itself, and the page, the events and a
// metric say why. Nobody who asks the old model meanwhile notices.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, eventually, sleep, total } from './appliance.mjs';
import { applyEnded, applyWhen, askOnAndOn, beginApply, childrenOf, documentOf, eventsOf, llmConfig,
  lost } from './applies.mjs';
import { modelOfNaN, wideModel } from './broken_models.mjs';

const kReadyTimeoutS = 2;
const kWideMlp = 1 << 17;
const kCrashAfterMs = 30000;  // of a watch of a minute

async function startBox(t, env) {
  const models = await mkdtemp(join(tmpdir(), 'hearth-models-'));
  const box = await Appliance.start({ env });
  t.after(async () => {
    await box.stop();
    await rm(models, { recursive: true, force: true });
  });
  return { box, models };
}

const countOf = async (box, labels) => total(await box.settledMetrics(), 'hearth_config_applies_total', labels);

/** All three places name the reason; the old revision is active and answers. */
async function saysWhy(box, apply, reason, pattern) {
  assert.equal(apply.state, 'returned');
  assert.equal(apply.reason, reason);
  assert.match(apply.message, pattern);
  const failed = apply.steps.filter((step) => step.state === 'failed');
  assert.equal(failed.length, 1, JSON.stringify(apply.steps));
  assert.ok(apply.steps.every((step) => step.state !== 'running'), 'no step is left running');
  const { active, apply: last } = await box.config();
  assert.equal(active, apply.previous);
  assert.equal(last.reason, reason);
  const [event] = (await eventsOf(box, 'config_returned')).slice(-1);
  assert.match(event.text, pattern);
  assert.match(event.text, new RegExp(reason));
  assert.equal(await countOf(box, `outcome="returned",reason="${reason}"`), 1);
  assert.equal(await countOf(box, 'outcome="confirmed"'), 0);
  assert.match((await box.ask('What is TTFT?')).choices[0].message.content, /time to first token/i);
  await pageSaysWhy(box, pattern);
}

async function pageSaysWhy(box, pattern) {
  const browser = await launchBrowser();
  try {
    const problems = [];
    const page = await openPage(browser, box.url, problems);
    await page.goto(`${box.url}/config`);
    await eventually('the page to say it', async () => {
      const said = await page.locator('main').innerText();
      return /was taken back|was not applied/.test(said) && pattern.test(said);
    });
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
}

test('a model that loads and cannot answer never serves', async (t) => {
  const { box, models } = await startBox(t);
  await modelOfNaN(join(models, 'nan'));
  const load = askOnAndOn(box, { streams: 4 });
  const { apply } = await beginApply(box, documentOf(llmConfig('demo', { source: join(models, 'nan') })));
  const ended = await applyEnded(box, apply);
  const answers = await load.stop();
  assert.deepEqual(lost(answers), [], 'requests meanwhile');
  assert.ok(answers.every(({ text }) => /first token/i.test(text)), 'the old model answered all of them');
  await saysWhy(box, ended, 'probe_failed', /did not answer/);
  t.diagnostic(`${answers.length} requests meanwhile; ${ended.message}`);
});

test('a model that never becomes ready is given up', async (t) => {
  const { box, models } = await startBox(t, { HEARTH_APPLY_READY_TIMEOUT_S: `${kReadyTimeoutS}` });
  await wideModel(join(models, 'wide'), kWideMlp);
  const [serving] = childrenOf(box.child.pid);
  const load = askOnAndOn(box, { streams: 2 });
  const { apply } = await beginApply(box, documentOf(llmConfig('demo', { source: join(models, 'wide') })));
  const stopped = await eventually('an engine that is loading', async () => {
    const { steps } = await applyWhen(box, apply, () => true);
    const starting = steps.find(({ name }) => name === 'start').state === 'running';
    return starting && childrenOf(box.child.pid).find((pid) => pid !== serving);
  });
  process.kill(stopped, 'SIGSTOP');
  const ended = await applyEnded(box, apply);
  const answers = await load.stop();
  assert.deepEqual(lost(answers), [], 'requests meanwhile');
  await saysWhy(box, ended, 'not_ready', /made no progress for 2 s/);
  await eventually('the engine that hung to be gone',
    () => childrenOf(box.child.pid).every((pid) => pid === serving));
  t.diagnostic(`${answers.length} requests meanwhile; ${ended.message}`);
});

test('an engine that crashes while it is watched brings the old one back', async (t) => {
  const { box } = await startBox(t);
  const { apply } = await beginApply(box, documentOf(llmConfig('demo', { engine_kwargs: { max_model_len: 512 } })));
  await applyWhen(box, apply, ({ state }) => state === 'watching');
  assert.equal((await box.status()).models[0].max_model_len, 512, 'the new one serves');
  await sleep(kCrashAfterMs);
  process.kill((await box.status()).models[0].engine_pid, 'SIGKILL');
  const ended = await applyEnded(box, apply);
  await saysWhy(box, ended, 'engine_crashed', /SIGKILL|signal|Killed/i);
  assert.equal((await box.status()).models[0].max_model_len, 2048, 'the old one serves');
  t.diagnostic(ended.message);
});

test('who gives up gets the old one back', async (t) => {
  const { box } = await startBox(t);
  const load = askOnAndOn(box, { streams: 4 });
  const { apply } = await beginApply(box, documentOf(llmConfig('demo', { engine_kwargs: { max_model_len: 512 } })));
  await applyWhen(box, apply, ({ state }) => state === 'watching');
  assert.equal((await box.post('/api/config/apply/cancel', {})).status, 202);
  const ended = await applyEnded(box, apply);
  assert.deepEqual(lost(await load.stop()), [], 'requests meanwhile');
  await saysWhy(box, ended, 'cancelled', /cancelled/);
});
