// Applies under load: nobody who asks meanwhile loses a request, whether only a limit changes, the
// engine is exchanged beside the old one, or has to wait until the old one has gone.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, sleep, total } from './appliance.mjs';
import { applyAndKeep, applyEnded, applyWhen, askOnAndOn, beginApply, documentOf, llmConfig,
  lost } from './applies.mjs';
import { contraryModel } from './broken_models.mjs';

const kStreams = 16;
const kSettleMs = 1000;
const kDrainTimeoutS = 15;

async function startBox(t, options = {}) {
  const box = await Appliance.start(options);
  t.after(() => box.stop());
  return box;
}

/** Streams before, during and after `change`; what of them was lost, and how many there were. */
async function underStreams(box, t, change, fields) {
  const load = askOnAndOn(box, { streams: kStreams, fields });
  await eventually('all streams', async () => total(await box.metrics(), 'vllm:num_requests_running') > 0);
  await sleep(kSettleMs);
  const asked = load.answers.length;
  const result = await change();
  const meanwhile = load.answers.length - asked;
  await sleep(kSettleMs);
  const answers = await load.stop();
  assert.deepEqual(lost(answers), [], `of ${answers.length} requests`);
  assert.ok(answers.length > kStreams, `${answers.length} requests`);
  t.diagnostic(`${answers.length} requests, ${meanwhile} of them answered during the apply, none lost`);
  return { result, answers };
}

const engineOf = async (box) => (await box.status()).models[0];
const stepsOf = (apply) => Object.fromEntries(apply.steps.map((step) => [step.name, step]));

test('a limit is changed under 16 streams without a new engine', async (t) => {
  const box = await startBox(t);
  const before = await engineOf(box);
  const document = documentOf(llmConfig('demo', { deployment_config: { max_ongoing_requests: 4 } }));
  const { result: apply } = await underStreams(box, t, async () => {
    const { apply: id } = await beginApply(box, document);
    return applyEnded(box, id);
  });
  assert.equal(apply.state, 'confirmed', apply.message);
  assert.equal(stepsOf(apply).start.state, 'skipped');
  assert.equal((await engineOf(box)).engine_pid, before.engine_pid, 'the same engine');
  const metrics = await box.settledMetrics();
  assert.equal(total(metrics, 'hearth_engine_restarts_total'), 0);
  // The limit holds: of many at once no more than four are with the engine.
  const load = askOnAndOn(box, { streams: kStreams });
  const highest = [];
  for (let i = 0; i < 4; ++i) {
    await sleep(1000);
    highest.push(total(await box.metrics(), 'vllm:num_requests_running') + total(await box.metrics(), 'vllm:num_requests_waiting'));
  }
  assert.deepEqual(lost(await load.stop()), [], 'those above the limit wait their turn');
  assert.ok(Math.max(...highest) <= 4 && Math.max(...highest) > 0, highest.join(' '));
});

test('a model is swapped under 16 streams', async (t) => {
  const models = await mkdtemp(join(tmpdir(), 'hearth-models-'));
  t.after(() => rm(models, { recursive: true, force: true }));
  const other = join(models, 'other');
  await contraryModel(other);
  const box = await startBox(t);
  const before = await engineOf(box);
  const { result: apply, answers } = await underStreams(box, t, () => applyAndKeep(box, documentOf(
    llmConfig('demo', { source: other, engine_kwargs: { max_model_len: 1024, max_num_seqs: 8 } }))));
  assert.equal(apply.state, 'confirmed', apply.message);
  assert.equal(apply.announced_wait_s, 0, 'nobody was told to wait');
  const after = await engineOf(box);
  assert.notEqual(after.engine_pid, before.engine_pid);
  assert.equal(after.max_model_len, 1024);
  assert.match(apply.probe.text, /\S/);
  // Each answer is one model's from its first word to its last, and who asks after the switch gets the new one.
  const texts = new Set(answers.map(({ text }) => text));
  assert.equal(texts.size, 2, [...texts].join('\n'));
  assert.match(answers[0].text, /first token/i);
  const [last] = answers.toSorted((a, b) => a.beganMs - b.beganMs).slice(-1);
  assert.doesNotMatch(last.text, /first token/i);
  await eventually('the old engine to be gone', () => {
    try {
      return !process.kill(before.engine_pid, 0);
    } catch {
      return true;
    }
  });
});

test('what does not fit beside the old engine waits for it, no longer than announced', async (t) => {
  const box = await startBox(t, {
    env: { HEARTH_MEMORY_LIMIT_BYTES: `${64 << 20}`, HEARTH_APPLY_DRAIN_TIMEOUT_S: `${kDrainTimeoutS}` } });
  const document = documentOf(llmConfig('demo', { engine_kwargs: { max_model_len: 1024 } }));
  const seen = await (await box.post('/api/config/validate', { document })).json();
  assert.equal(seen.fit.fits, true, JSON.stringify(seen.fit));
  assert.equal(seen.fit.fits_together, false, JSON.stringify(seen.fit));
  assert.ok(seen.interruption.wait_s > 0);
  assert.match(seen.interruption.sentence, /wait at most \d+ s/);
  const { result: apply, answers } = await underStreams(box, t, () => applyAndKeep(box, document));
  assert.equal(apply.state, 'confirmed', apply.message);
  assert.ok(apply.announced_wait_s >= kDrainTimeoutS && apply.announced_wait_s < 4 * kDrainTimeoutS, `${apply.announced_wait_s} s`);
  const longest = Math.max(...answers.map(({ waitedMs }) => waitedMs));
  assert.ok(longest <= apply.announced_wait_s * 1000, `${longest} ms, announced ${apply.announced_wait_s} s`);
  assert.equal((await engineOf(box)).max_model_len, 1024);
  t.diagnostic(`announced ${apply.announced_wait_s} s, the longest wait was ${longest} ms`);
});

test('what does not fit at all is said before anything happens', async (t) => {
  const box = await startBox(t, { env: { HEARTH_MEMORY_LIMIT_BYTES: `${64 << 20}` } });
  const { engine_pid: pid } = await engineOf(box);
  const document = documentOf(llmConfig('demo', { engine_kwargs: { kv_cache_memory_bytes: 1 << 30 } }));
  const { fit } = await (await box.post('/api/config/validate', { document })).json();
  assert.equal(fit.fits, false);
  assert.ok(fit.models[0].largest_max_model_len > 0);
  const { apply: id } = await beginApply(box, document);
  const apply = await applyEnded(box, id);
  assert.equal(apply.reason, 'does_not_fit');
  assert.equal((await engineOf(box)).engine_pid, pid);
});

test('models come and go beside one that serves', async (t) => {
  const box = await startBox(t);
  const { engine_pid: pid } = await engineOf(box);
  const { result: apply } = await underStreams(box, t, async () => {
    const added = await applyAndKeep(box, documentOf(llmConfig('demo'), llmConfig('second')));
    assert.equal(added.state, 'confirmed', added.message);
    await box.ask('What is TTFT?', { model: 'second' });
    return applyAndKeep(box, documentOf(llmConfig('demo')));
  }, { model: 'demo' });
  assert.equal(apply.state, 'confirmed', apply.message);
  assert.equal((await engineOf(box)).engine_pid, pid, 'its engine was left alone');
  const response = await box.chat('What is TTFT?', { model: 'second' });
  assert.equal(response.status, 404);
  assert.match(await response.text(), /second/);
  assert.ok(!(await (await fetch(`${box.url}/v1/models`)).json()).data.some(({ id }) => id === 'second'));
});

test('two applies do not run at once', async (t) => {
  const box = await startBox(t);
  const { apply } = await beginApply(box, documentOf(llmConfig('demo', { engine_kwargs: { max_model_len: 512 } })));
  await applyWhen(box, apply, ({ state }) => state === 'watching');
  const { newest, active } = await box.config();
  const second = await box.post('/api/config/apply', { revision: active });
  assert.equal(second.status, 409);
  assert.match((await second.json()).error.message, new RegExp(`apply ${apply} of revision ${newest}`));
});
