// A model that follows its load from nothing to two replicas and back: as Ray's rules say, without a
// failed request, and its memory comes back.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Appliance, eventually, isSanitized, sleep } from './appliance.mjs';
import { applyAndKeep, askOnAndOn, childrenOf, documentOf, eventsOf, llmConfig, lost } from './applies.mjs';
import { changesOf, kPeriodMs, simulate } from './ray_rules.mjs';

const kScaling = { min_replicas: 0, max_replicas: 2, initial_replicas: 0, target_ongoing_requests: 2, look_back_period_s: 1,
  upscale_delay_s: 1, downscale_delay_s: 2, downscale_to_zero_delay_s: 3 };
// How many clients ask, and for how long.
const kScript = [[0, 1000], [1, 4000], [6, 6000], [1, 6000], [0, 7000], [3, 3000], [6, 3000], [0, 9000]];
// Both sides look ten times a second at their own instants, and a mean of a second moves between them.
const kApartMs = 1200;
const kStartMs = 400;  // a replica of the demo model, about
const kBaselineBytes = 16 * 2 ** 20;

const modelOf = async (box) => (await (await fetch(`${box.url}/api/models`)).json()).models[0];

const residentBytes = (pid) =>
  Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)?.[1] ?? 0) * 1024;

/** Samples until stop(): what the client has under way, and what the box says of its replicas. */
function watch(box, underWay) {
  const samples = [];
  let watching = true;
  const done = (async () => {
    const startMs = Date.now();
    for (let i = 0; watching; ++i) {
      await sleep(Math.max(0, startMs + i * kPeriodMs - Date.now()));
      const [ms, requests] = [Date.now() - startMs, underWay()];
      const { autoscaling } = await modelOf(box);
      samples.push({ ms, requests, target: autoscaling.target_replicas });
    }
  })();
  return { samples, stop: async () => { watching = false; await done; return samples; } };
}

async function sleepingBox(t, scaling = kScaling) {
  const box = await Appliance.start();
  t.after(() => box.stop());
  const apply = await applyAndKeep(box, documentOf(llmConfig('demo',
    { deployment_config: { autoscaling_config: scaling }, engine_kwargs: { max_model_len: 512, kv_cache_memory_bytes: 64 * 2 ** 20 } })));
  assert.equal(apply.state, 'confirmed', apply.message);
  await eventually('an idle model to sleep', async () => (await modelOf(box)).state === 'asleep');
  await eventually('its engine to be gone', () => childrenOf(box.child.pid).length === 0);
  return box;
}

test('the number of replicas is what Ray\'s rules make of the load', async (t) => {
  const box = await sleepingBox(t);
  await box.ask('What is TTFT?', { max_tokens: 8 });  // what a first use leaves in hearthd is there
  await eventually('it sleeps again', async () => (await modelOf(box)).state === 'asleep', 20000);
  await eventually('its engine to be gone', () => childrenOf(box.child.pid).length === 0);
  const before = residentBytes(box.child.pid);
  const answers = [];
  let streams = 0;
  const watched = watch(box, () => streams);
  for (const [clients, forMs] of kScript) {
    streams = clients;
    const load = askOnAndOn(box, { streams: clients, fields: { max_tokens: 48, ignore_eos: true } });
    await sleep(forMs);
    answers.push(...await load.stop());
  }
  const samples = await watched.stop();
  assert.deepEqual(lost(answers), [], `of ${answers.length} requests`);

  const seen = changesOf(samples, samples.map(({ target }) => target));
  const expected = changesOf(samples, simulate(samples, kScaling, kStartMs));
  for (let i = 0; i < Math.max(seen.length, expected.length); ++i) {
    const said = (change) => (change ? `${change.from} -> ${change.to} at ${(change.ms / 1000).toFixed(1)} s` : 'nothing');
    t.diagnostic(`Ray's rules: ${said(expected[i]).padEnd(20)} the box: ${said(seen[i])}`);
  }
  assert.deepEqual(seen.map(({ from, to }) => `${from}->${to}`), expected.map(({ from, to }) => `${from}->${to}`));
  seen.forEach((change, i) => assert.ok(Math.abs(change.ms - expected[i].ms) <= kApartMs, `change ${i} is late or early`));
  assert.ok(seen.length >= 8, `${seen.length} changes`);

  await eventually('all engines to be gone', () => childrenOf(box.child.pid).length === 0);
  const after = residentBytes(box.child.pid);
  t.diagnostic(`${answers.length} requests, none failed; hearthd ${(before / 2 ** 20).toFixed(1)} MiB before, ` +
    `${(after / 2 ** 20).toFixed(1)} MiB after, no engine`);
  if (!isSanitized(box.child.pid)) assert.ok(after - before < kBaselineBytes, `${after - before} bytes more`);
});

test('a sleeping model is woken by a crowd, and nobody is turned away', async (t) => {
  const box = await sleepingBox(t);
  const health = await fetch(`${box.url}/health`);
  assert.equal(health.status, 200, 'asleep is healthy');
  const answers = await Promise.all(Array.from({ length: 24 }, (_, i) => box.ask('What is TTFT?', { max_tokens: 8, seed: i })));
  assert.equal(answers.length, 24);
  assert.equal((await eventsOf(box, 'model_woken')).length, 1);
  const metrics = await box.settledMetrics();
  assert.equal(metrics['hearth_model_wakes_total{model_name="demo"}'], 1);
  assert.equal(metrics['hearth_model_wake_duration_seconds_count{model_name="demo"}'], 1);
});

test('a model that stays is not put to sleep, and says what would let it', async (t) => {
  const box = await Appliance.start();
  t.after(() => box.stop());
  const refused = await box.post('/api/models/demo/unload', {});
  assert.equal(refused.status, 409);
  assert.match((await refused.json()).error.message, /set min_replicas to 0/);
});
