// Whatever people do over the API, in any order and on top of each other: apply, restore, cancel, keep, edit
// a model, kill an engine. After each the box serves the active revision, whole, and of the streams that go
// on meanwhile only those are lost that were with an engine when one was killed.
//   HEARTH_TURNS=300   how many; HEARTH_SEED=n   the same decisions again

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, sleep } from './appliance.mjs';
import { askOnAndOn, auditOf, childrenOf, documentOf, llmConfig, lost } from './applies.mjs';
import { kill, makeModels, randomOf, servesWhole, trailIsComplete } from './whole_box.mjs';

const kTurns = Number(process.env.HEARTH_TURNS ?? 8);
const kSeed = Number(process.env.HEARTH_SEED ?? Date.now() % 1e6);
const kStreams = 4;
const kMeanwhileMs = 900;  // about what an apply takes with its watch
const kSettings = { HEARTH_APPLY_WATCH_S: '0.4' };
// A request may still be handed to an engine whose death hearthd has not noticed. It is not tried again:
// one that ends engines would end them all.
const kUnnoticedMs = 100;
const kRefusals = [400, 409];  // what is asked at the wrong moment, or is no good

class Users {
  constructor(box, models, random) {
    this.box_ = box;
    this.models_ = models;
    this.random_ = random;
    this.kills = [];  // when
    this.counts = {};
  }

  pick_(list) {
    return list[Math.floor(this.random_() * list.length)];
  }

  document_() {
    const config = (name) => llmConfig(name, { source: this.models_[this.pick_(['plain', 'contrary', 'contrary', 'plain', 'nan'])],
      engine_kwargs: { max_model_len: this.pick_([256, 512, 1024]), max_num_seqs: this.pick_([4, 8]), kv_cache_memory_bytes: 16 << 20 },
      deployment_config: { max_ongoing_requests: this.pick_([2, 8]) }, rest: { log_engine_metrics: this.pick_([true, false]) } });
    return documentOf(config('demo'), ...(this.random_() < 0.4 ? [config('second')] : []));
  }

  async send_(what, response, ...allowed) {
    const { status } = response;
    assert.ok([...allowed, ...kRefusals].includes(status), `${what}: ${status} ${await response.text()}`);
    const key = `${what} ${status}`;
    this.counts[key] = (this.counts[key] ?? 0) + 1;
  }

  async change() {
    const { newest } = await this.box_.config();
    const changes = {
      apply: async () => this.box_.post('/api/config/apply', { document: this.document_(), expected: newest }),
      restore: async () => this.box_.post('/api/config/restore', { revision: 1 + Math.floor(this.random_() * newest), expected: newest }),
      edit: async () => this.box_.models('PATCH', 'demo', { slo: { ttft_ms: this.pick_([100, 200, null]) } }),
    };
    const what = this.pick_(['apply', 'apply', 'apply', 'restore', 'edit']);
    await this.send_(what, await changes[what](), ...(what === 'edit' ? [200, 503] : [202]));  // 503: it was taken back
  }

  async meddle() {
    const meddling = {
      nothing: async () => {},
      cancel: async () => this.send_('cancel', await this.box_.post('/api/config/apply/cancel', {}), 202),
      keep: async () => this.send_('keep', await this.box_.post('/api/config/apply/confirm', {}), 202),
      change: () => this.change(),
      kill: async () => {
        const engines = childrenOf(this.box_.child.pid);
        this.kills.push(Date.now());
        if (engines.length > 0) kill(this.pick_(engines));
      },
    };
    await meddling[this.pick_(Object.keys(meddling))]();
  }
}

test(`${kTurns} changes and what comes in their way`, { timeout: 60000 + kTurns * 20000 }, async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'hearth-soak-'));
  const models = await makeModels(root);
  const box = await Appliance.start({ env: kSettings });
  let load;
  t.after(async () => {
    const stopped = load?.stop();
    await box.stop();
    await stopped;
    await rm(root, { recursive: true, force: true });
  });
  t.diagnostic(`HEARTH_SEED=${kSeed}`);
  const random = randomOf(kSeed);
  const users = new Users(box, models, random);
  load = askOnAndOn(box, { streams: kStreams, model: 'demo' });
  for (let turn = 1; turn <= kTurns; ++turn) {
    const meddle = async () => {
      for (let i = 0; i < 2; ++i) {
        await sleep(random() * kMeanwhileMs);
        await users.meddle();
      }
    };
    await Promise.all([users.change(), meddle()]);
    await eventually('the end of the apply', async () => (await box.config()).apply?.ended_ms !== 0);
    const { active } = await box.config();
    try {
      await servesWhole(box, [active], models);
      trailIsComplete(await auditOf(box), active);
    } catch (error) {
      error.message = `turn ${turn}: ${error.message}\n${box.log.slice(-3000)}`;
      throw error;
    }
  }
  const answers = await load.stop();
  const unexplained = lost(answers).filter(({ beganMs, endedMs }) => !users.kills.some((ms) => beganMs <= ms + kUnnoticedMs && ms <= endedMs));
  assert.deepEqual(unexplained, [], `of ${answers.length} requests; engines were killed at ${users.kills.join(' ')}`);
  t.diagnostic(`${answers.length} requests, ${lost(answers).length} of them with an engine that was killed; ${JSON.stringify(users.counts)}`);
});
