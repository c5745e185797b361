// What must be true of a box at any quiet moment, whatever was done to it before.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually, kDemoModel } from './appliance.mjs';
import { kPatienceMs } from './applies.mjs';
import { contraryModel, modelOfNaN } from './broken_models.mjs';

const kDemoModelLen = 2048;  // its own, where nothing is set
const kEnds = ['confirmed', 'returned', 'failed'];  // actions of the trail

/** mulberry32: a number in [0, 1) for every step of the seed. */
export function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The models of a test: {plain, contrary, nan}, a directory each. */
export async function makeModels(root) {
  const models = { plain: kDemoModel, contrary: join(root, 'contrary'), nan: join(root, 'nan') };
  await contraryModel(models.contrary);
  await modelOfNaN(models.nan);
  return models;
}

/** The box serves one revision, the active one of `candidates`, with all its models. */
export async function servesWhole(box, candidates, models) {
  await box.ready();
  const { active } = await box.config();
  assert.ok(candidates.includes(active), `revision ${active} is active, not one of ${candidates.join(', ')}`);
  const { llm_configs: wanted } = await (await fetch(`${box.url}/api/config/revisions/${active}/export?format=json`)).json();
  const served = await eventually('all models ready', async () => {
    const { models: all } = await box.status();
    return all.length === wanted.length && all.every(({ state }) => state === 'ready') && all;
  }, kPatienceMs);
  assert.deepEqual(served.map(({ model_name, max_model_len }) => `${model_name} ${max_model_len}`).sort(),
    wanted.map(({ model_loading_config: { model_id: id }, engine_kwargs }) => `${id} ${engine_kwargs?.max_model_len ?? kDemoModelLen}`).sort(),
    'one revision, not a mixture');
  for (const { model_loading_config: { model_id: model, model_source: source } } of wanted) {
    const { content } = (await box.ask('What is TTFT?', { model, max_tokens: 24 })).choices[0].message;
    assert.equal(/first token/i.test(content), source === models.plain, `'${model}' from ${source} says: ${content}`);
  }
  return active;
}

/** Every apply has begun once and ended once; the active revision is what the last end says. */
export function trailIsComplete(trail, active) {
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
export function whatBecame(trail, revision) {
  const apply = trail.find((entry) => entry.action === 'apply_started' && entry.revision === revision)?.apply;
  if (apply === undefined) return { end: 'cut off' };
  const rows = trail.filter((entry) => entry.apply === apply);
  return { end: rows.find(({ action }) => kEnds.includes(action)).action,
    step: rows.findLast(({ action }) => action === 'step')?.text ?? 'nothing' };
}

/** The process may have ended by itself. */
export function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
