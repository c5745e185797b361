// Three models on a box that holds one: whoever is asked for gets the memory, again and again, and
// nothing is lost or left behind.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Appliance, eventually, isSanitized, sleep } from './appliance.mjs';
import { applyAndKeep, childrenOf, documentOf, eventsOf, llmConfig } from './applies.mjs';

const kMiB = 2 ** 20;
const kModels = ['red', 'green', 'blue'];
const kWarmUp = 6;
const kSwitches = 24;
const kClients = 3;  // of each model in turn

const fdsOf = (pid) => readdirSync(`/proc/${pid}/fd`).length;
const residentOf = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/RssAnon:\s+(\d+)/)[1]) * 1024;
const threadsOf = (pid) => readdirSync(`/proc/${pid}/task`).length;

async function threeModels(t) {
  // Of one model: 8 MB of weights, 33 MB of workspace, 64 MiB of KV cache.
  const box = await Appliance.start({ ownModel: false, waitReady: false, env: { HEARTH_MEMORY_LIMIT_BYTES: `${160 * kMiB}` } });
  t.after(() => box.stop());
  const apply = await applyAndKeep(box, documentOf(...kModels.map((name) => llmConfig(name, {
    engine_kwargs: { max_model_len: 512, kv_cache_memory_bytes: 64 * kMiB },
    deployment_config: { autoscaling_config: { min_replicas: 0, max_replicas: 1, downscale_to_zero_delay_s: 3600 } } }))));
  assert.equal(apply.state, 'confirmed', apply.message);
  return box;
}

test(`${kSwitches} switches in a row under load leave memory and descriptors as they were`, async (t) => {
  const box = await threeModels(t);
  const { pid } = box.child;
  const statuses = {};
  let asking = true;
  let turn = 0;
  // All ask for the model whose turn it is; the first of them wakes it, so that each turn is a switch.
  const ask = async () => {
    const response = await box.chat('What is TTFT?', { model: kModels[turn % kModels.length], max_tokens: 8 });
    await response.text();
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
  };
  const impatient = (async () => {  // somebody who asks for any model, all the time
    for (let i = 0; asking; ++i) {
      const response = await box.chat('What is TPOT?', { model: kModels[i % kModels.length], max_tokens: 4 });
      await response.text();
      statuses[response.status] = (statuses[response.status] ?? 0) + 1;
      await sleep(300);
    }
  })();
  let before;
  for (; turn < kWarmUp + kSwitches; ++turn) {
    if (turn === kWarmUp) before = { fds: fdsOf(pid), resident: residentOf(pid), threads: threadsOf(pid) };
    await Promise.all(Array.from({ length: kClients }, ask));
  }
  asking = false;
  await impatient;
  await eventually('one engine to be left', () => childrenOf(pid).length === 1);
  await sleep(500);
  const after = { fds: fdsOf(pid), resident: residentOf(pid), threads: threadsOf(pid) };
  const gaveWay = (await eventsOf(box, 'model_gave_way')).length;
  t.diagnostic(`${gaveWay} times a model gave way; answers ${JSON.stringify(statuses)}; descriptors ${before.fds} -> ${after.fds}, ` +
    `threads ${before.threads} -> ${after.threads}, memory ${(before.resident / kMiB).toFixed(1)} -> ${(after.resident / kMiB).toFixed(1)} MiB`);
  assert.deepEqual(Object.keys(statuses), ['200']);
  assert.ok(gaveWay >= kSwitches, `${gaveWay} switches`);
  assert.ok(Math.abs(after.fds - before.fds) <= 4, 'descriptors');
  assert.ok(Math.abs(after.threads - before.threads) <= 4, 'threads');
  if (!isSanitized(pid)) assert.ok(after.resident - before.resident < 16 * kMiB, 'memory');
});
