// kill -9 at random instants of an apply: of hearthd, of an engine, of all. Afterwards the box serves the
// old or the new revision, whole, and the trail says what became of every apply. Among the applies are
// ones that take the old engine's room, and ones whose model cannot answer, which are to be taken back.
//   HEARTH_KILLS=200   how many; HEARTH_SEED=n   the same instants again

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, sleep } from './appliance.mjs';
import { applyEnded, auditOf, beginApply, childrenOf, documentOf, llmConfig } from './applies.mjs';
import { kill, makeModels, randomOf, servesWhole, trailIsComplete, whatBecame } from './whole_box.mjs';

const kKills = Number(process.env.HEARTH_KILLS ?? 6);
const kSeed = Number(process.env.HEARTH_SEED ?? Date.now() % 1e6);
const kVictims = ['hearthd', 'an engine', 'all'];
const kNames = ['demo', 'second'];
// Killed again and again, the box is not to think that a revision is the reason.
const kSettings = { HEARTH_APPLY_WATCH_S: '0.4', HEARTH_RECOVERY_CRASHES_MAX: '100', HEARTH_RECOVERY_WITHIN_S: '1' };

/** What is served in a turn. Every fourth cannot answer and must never serve. */
const kindOf = (turn) => (turn % 4 === 3 ? 'nan' : turn % 2 === 0 ? 'plain' : 'contrary');

/** Two models of the same settings; their context length and what they answer tell one revision from another. */
function documentOfTurn(turn, models) {
  const engine = { max_model_len: 256 + 16 * (turn % 100), max_num_seqs: 4, kv_cache_memory_bytes: 16 << 20 };
  return documentOf(...kNames.map((name) => llmConfig(name, { source: models[kindOf(turn)], engine_kwargs: engine })));
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
    const begun = beginApply(box, documentOfTurn(turn, models)).catch((error) => ({ cutOff: error.message }));
    await sleep(afterMs);
    try {
      box = await strike(box, victim, random, options[Math.floor(random() * options.length)]);
      const { apply, cutOff } = await begun;
      if (apply && victim === 'an engine') await applyEnded(box, apply);
      // hearthd was there all the time: it answers, if only that the engine that was to plan was killed.
      if (cutOff && victim === 'an engine') assert.match(cutOff, /signal 9/);
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
