// kill -9 at random instants of an apply: of hearthd, of an engine, of all. Afterwards the box serves the
// old or the new revision, whole, and the trail says what became of every apply. Among the applies are
// ones that take the old engine's room, and ones whose model cannot answer, which are to be taken back.
//   HEARTH_KILLS=200   how many; HEARTH_SEED=n   the same instants again

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, kDemoModel, sleep } from './appliance.mjs';
import { applyEnded, auditOf, beginApply, childrenOf, documentOf, kPatienceMs, llmConfig } from './applies.mjs';
import { contraryModel, modelOfNaN } from './broken_models.mjs';

const kKills = Number(process.env.HEARTH_KILLS ?? 6);
const kSeed = Number(process.env.HEARTH_SEED ?? Date.now() % 1e6);
const kVictims = ['hearthd', 'an engine', 'all'];
const kEnds = ['confirmed', 'returned', 'failed'];  // actions of the trail
const kNames = ['demo', 'second'];
// Killed again and again, the box is not to think that a revision is the reason.
const kSettings = { HEARTH_APPLY_WATCH_S: '0.4', HEARTH_RECOVERY_CRASHES_MAX: '100', HEARTH_RECOVERY_WITHIN_S: '1' };

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

/** The models of a test: {plain, contrary, nan}, a directory each. */
async function makeModels(root) {
  const models = { plain: kDemoModel, contrary: join(root, 'contrary'), nan: join(root, 'nan') };
  await contraryModel(models.contrary);
  await modelOfNaN(models.nan);
  return models;
}

/** What is served in a turn. Every fourth cannot answer and must never serve. */
const kindOf = (turn) => (turn % 4 === 3 ? 'nan' : turn % 2 === 0 ? 'plain' : 'contrary');

/** Two models of the same settings; their context length and what they answer tell one revision from another. */
function documentOfTurn(turn, models) {
  const engine = { max_model_len: 256 + 16 * (turn % 100), max_num_seqs: 4, kv_cache_memory_bytes: 16 << 20 };
  return documentOf(...kNames.map((name) => llmConfig(name, { source: models[kindOf(turn)], engine_kwargs: engine })));
}

/** The box serves one revision, the active one of `candidates`, with all its models. */
async function servesWhole(box, candidates, models) {
  await box.ready();
  const { active } = await box.config();
  assert.ok(candidates.includes(active), `revision ${active} is active, not one of ${candidates.join(', ')}`);
  const { document } = await (await fetch(`${box.url}/api/config/revisions/${active}`)).json();
  const wanted = JSON.parse(document).llm_configs;
  const served = await eventually('all models ready', async () => {
    const { models: all } = await box.status();
    return all.length === wanted.length && all.every(({ state }) => state === 'ready') && all;
  }, kPatienceMs);
  assert.deepEqual(served.map(({ model_name, max_model_len }) => `${model_name} ${max_model_len}`).sort(),
    wanted.map(({ model_loading_config: { model_id: id }, engine_kwargs }) => `${id} ${engine_kwargs.max_model_len}`).sort(),
    'one revision, not a mixture');
  for (const { model_loading_config: { model_id: model, model_source: source } } of wanted) {
    const { content } = (await box.ask('What is TTFT?', { model, max_tokens: 24 })).choices[0].message;
    assert.equal(/first token/i.test(content), source === models.plain, `'${model}' from ${source} says: ${content}`);
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
    if (kEnds.includes(action)) {
      assert.equal(applies.get(apply), null, `apply ${apply} began, and ended once`);
      applies.set(apply, action);
    }
  }
  for (const [apply, end] of applies) assert.ok(end, `apply ${apply} has no end`);
  assert.equal(serves, active, 'the active revision is in the trail');
}

/** How the apply of a revision ended, and the last step before: {end, step}. */
function whatBecame(trail, revision) {
  const apply = trail.find((entry) => entry.action === 'apply_started' && entry.revision === revision)?.apply;
  if (apply === undefined) return { end: 'cut off' };
  const rows = trail.filter((entry) => entry.apply === apply);
  return { end: rows.find(({ action }) => kEnds.includes(action)).action,
    step: rows.findLast(({ action }) => action === 'step')?.text ?? 'nothing' };
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

/** Half of the boxes have no room for old and new at once. */
async function boxOptions(box, state, document) {
  const { fit } = await (await box.post('/api/config/validate', { document })).json();
  const tight = { HEARTH_MEMORY_LIMIT_BYTES: `${Math.round(fit.needed_bytes * 1.5)}` };
  return [{ state, env: kSettings }, { state, env: { ...kSettings, ...tight } }];
}

test(`an apply is killed ${kKills} times`, { timeout: 120000 + kKills * 30000 }, async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'hearth-kill-'));
  const state = join(root, 'state');
  const models = await makeModels(root);
  const random = randomOf(kSeed);
  let box = await Appliance.start({ state, env: kSettings });
  t.after(async () => {
    await box.stop();
    await rm(root, { recursive: true, force: true });
  });
  const began = Date.now();
  const first = await beginApply(box, documentOfTurn(0, models));
  assert.equal((await applyEnded(box, first.apply)).state, 'confirmed');
  const applyMs = Date.now() - began;
  t.diagnostic(`HEARTH_SEED=${kSeed}; an apply takes ${applyMs} ms`);
  const options = await boxOptions(box, state, documentOfTurn(2, models));
  const ends = {};
  const steps = {};
  const tally = (count, what) => { count[what] = (count[what] ?? 0) + 1; };
  for (let turn = 1; turn <= kKills; ++turn) {
    const { active: old, newest } = await box.config();
    const victim = kVictims[turn % kVictims.length];
    const kind = kindOf(turn);
    const afterMs = Math.round(random() * applyMs * 1.1);
    const where = `kill ${turn} of ${victim} after ${afterMs} ms of a model that is ${kind}`;
    const begun = beginApply(box, documentOfTurn(turn, models)).catch(() => null);  // it may be cut off
    await sleep(afterMs);
    try {
      box = await strike(box, victim, random, options[Math.floor(random() * options.length)]);
      const { apply } = (await begun) ?? {};
      if (victim === 'an engine' && apply) await applyEnded(box, apply);
      const active = await servesWhole(box, kind === 'nan' ? [old] : [old, newest + 1], models);
      const trail = await auditOf(box);
      trailIsComplete(trail, active);
      const { end, step } = whatBecame(trail, newest + 1);
      tally(ends, `${victim}, ${kind === 'nan' ? 'no good' : 'good'}: ${end}`);
      if (end === 'returned') tally(steps, step);
    } catch (error) {
      error.message = `${where}: ${error.message}\n${box.log.slice(-3000)}`;
      throw error;
    }
  }
  t.diagnostic(`ended: ${JSON.stringify(ends)}`);
  t.diagnostic(`what was returned had come to: ${JSON.stringify(steps)}`);
});
