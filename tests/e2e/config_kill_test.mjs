// kill -9 at random instants of an apply: of hearthd, of an engine, of all. Afterwards the box serves the
// old or the new revision, whole, and the trail says what became of every apply.
//   HEARTH_KILLS=200   how many; HEARTH_SEED=n   the same instants again

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, sleep } from './appliance.mjs';
import { applyEnded, auditOf, beginApply, childrenOf, documentOf, kPatienceMs, llmConfig } from './applies.mjs';

const kKills = Number(process.env.HEARTH_KILLS ?? 6);
const kSeed = Number(process.env.HEARTH_SEED ?? Date.now() % 1e6);
const kVictims = ['hearthd', 'an engine', 'all'];
const kNames = ['demo', 'second'];
// Killed again and again, the box is not to think that a revision is the reason.
const kSettings = { HEARTH_APPLY_WATCH_S: '1', HEARTH_RECOVERY_CRASHES_MAX: '100', HEARTH_RECOVERY_WITHIN_S: '1' };

// mulberry32: a number in [0, 1) for every step of the seed.
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Two models; their context length, the same for both, is what tells one revision from another. */
const lengthOf = (turn) => 256 + 16 * (turn % 100);
const documentOfTurn = (turn) => documentOf(...kNames.map((name) => llmConfig(name,
  { engine_kwargs: { max_model_len: lengthOf(turn), max_num_seqs: 4, kv_cache_memory_bytes: 16 << 20 } })));
const lengthIn = (document) => JSON.parse(document).llm_configs[0].engine_kwargs.max_model_len;

/** The box serves one revision, the active one, with all its models. */
async function servesWhole(box, candidates) {
  await box.ready();
  const { active } = await box.config();
  assert.ok(candidates.includes(active), `revision ${active} is active, not one of ${candidates.join(', ')}`);
  const { document } = await (await fetch(`${box.url}/api/config/revisions/${active}`)).json();
  const models = await eventually('all models ready', async () => {
    const { models: all } = await box.status();
    return all.length === kNames.length && all.every(({ state }) => state === 'ready') && all;
  }, kPatienceMs);
  assert.deepEqual(models.map(({ model_name, max_model_len }) => `${model_name} ${max_model_len}`).sort(),
    kNames.map((name) => `${name} ${lengthIn(document)}`).sort(), 'one revision, not a mixture');
  for (const model of kNames) {
    const answer = await box.ask('What is TTFT?', { model, max_tokens: 4 });
    assert.ok(answer.usage.completion_tokens > 0);
  }
  return active;
}

/** Every apply has begun once and ended once; the active revision is what the last end says. */
function trailIsComplete(trail, active) {
  const applies = new Map();
  let serves = 0;
  let lastId = 0;
  for (const { id, action, apply, revision } of trail) {
    assert.equal(id, lastId + 1, 'no row is missing');
    lastId = id;
    if (action === 'seeded' || action === 'confirmed') serves = revision;
    if (action === 'apply_started') {
      assert.ok(!applies.has(apply), `apply ${apply} began once`);
      applies.set(apply, null);
    }
    if (['confirmed', 'returned', 'failed'].includes(action)) {
      assert.equal(applies.get(apply), null, `apply ${apply} began, and ended once`);
      applies.set(apply, action);
    }
  }
  for (const [apply, end] of applies) assert.ok(end, `apply ${apply} has no end`);
  assert.equal(serves, active, 'the active revision is in the trail');
  return applies;
}

/** Kills; returns the box that serves afterwards. */
async function strike(box, victim, random, options) {
  const engines = childrenOf(box.child.pid);
  if (victim === 'an engine') {
    if (engines.length > 0) kill(engines[Math.floor(random() * engines.length)]);
    return box;
  }
  if (victim === 'all') engines.forEach(kill);
  await box.kill9();
  return Appliance.start(options);
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;  // it had ended by itself
  }
}

test(`an apply is killed ${kKills} times`, { timeout: 120000 + kKills * 30000 }, async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'hearth-kill-'));
  const options = { state, env: kSettings };
  const random = randomOf(kSeed);
  let box = await Appliance.start(options);
  t.after(async () => {
    await box.stop();
    await rm(state, { recursive: true, force: true });
  });
  const began = Date.now();
  const first = await beginApply(box, documentOfTurn(0));
  assert.equal((await applyEnded(box, first.apply)).state, 'confirmed');
  const applyMs = Date.now() - began;
  t.diagnostic(`HEARTH_SEED=${kSeed}; an apply takes ${applyMs} ms`);
  const count = {};
  for (let turn = 1; turn <= kKills; ++turn) {
    const { active: old, newest } = await box.config();
    const victim = kVictims[turn % kVictims.length];
    const afterMs = Math.round(random() * applyMs * 1.1);
    const where = `kill ${turn} of ${victim} after ${afterMs} ms`;
    const begun = beginApply(box, documentOfTurn(turn)).catch(() => null);  // it may be cut off
    await sleep(afterMs);
    box = await strike(box, victim, random, options);
    const { apply } = (await begun) ?? {};
    if (victim === 'an engine' && apply) await applyEnded(box, apply);
    try {
      const active = await servesWhole(box, [old, newest + 1]);
      const applies = trailIsComplete(await auditOf(box), active);
      const outcome = `${victim}: ${applies.get(apply) ?? 'cut off'}`;
      count[outcome] = (count[outcome] ?? 0) + 1;
    } catch (error) {
      error.message = `${where}: ${error.message}\n${box.log.slice(-3000)}`;
      throw error;
    }
  }
  t.diagnostic(JSON.stringify(count));
});
