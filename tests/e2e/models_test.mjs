// What is done over /api/models outlives hearthd, also one that is killed; what is broken of it does not
// stop the next start.

import assert from 'node:assert/strict';
import { cp, mkdtemp, open, readFile, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, kDemoModel } from './appliance.mjs';

async function stateDirectory(t) {
  const state = await mkdtemp(join(tmpdir(), 'hearth-e2e-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  return state;
}

async function modelCopy(t) {
  const model = await mkdtemp(join(tmpdir(), 'hearth-model-'));
  t.after(() => rm(model, { recursive: true, force: true }));
  await cp(kDemoModel, model, { recursive: true });
  return model;
}

async function answered(response, status) {
  assert.equal(response.status, status, await response.clone().text());
}

/** Adds a model and waits until it is kept: the answer comes when its engine has only begun to load. */
async function add(appliance, body) {
  const response = await appliance.models('POST', '', body);
  await answered(response, 202);
  const { apply } = await response.json();
  const ended = await eventually(`the end of apply ${apply}`, async () => {
    const now = await (await fetch(`${appliance.url}/api/config/applies/${apply}`)).json();
    return now.ended_ms > 0 && now;
  });
  assert.equal(ended.state, 'confirmed', ended.message);
}

const model = async (appliance, name) =>
  (await appliance.status()).models.find((each) => each.model_name === name);

const serves = (appliance, name) => eventually(`${name} to answer`, async () =>
  (await appliance.chat('hi', { model: name, max_tokens: 1 })).status === 200);

// Ends with the test, however that ends.
async function start(t, options) {
  const appliance = await Appliance.start(options);
  t.after(() => appliance.kill9());
  return appliance;
}

test('a model that was added is served again after a kill, with its settings', async (t) => {
  const state = await stateDirectory(t);
  const directory = await modelCopy(t);
  const first = await start(t, { state });
  await add(first, { model: directory, model_name: 'second',
    slo: { ttft_ms: 1234, e2e_ms: 60000 } });
  await serves(first, 'second');
  await answered(await first.models('PATCH', 'second', { log_engine_metrics: false }), 200);
  await answered(await first.models('PATCH', 'demo', { slo: { ttft_ms: null } }), 200);
  const before = [await model(first, 'second'), await model(first, 'demo')];
  await first.kill9();

  const second = await start(t, { state });
  await serves(second, 'second');
  for (const was of before) {
    const is = await model(second, was.model_name);
    assert.deepEqual(is.slo, was.slo, was.model_name);
    assert.equal(is.log_engine_metrics, was.log_engine_metrics, was.model_name);
  }
  assert.equal(before[0].log_engine_metrics, false);
  assert.equal(before[0].slo.ttft_ms, 1234);
  await answered(await second.models('DELETE', 'second'), 200);
  await second.kill9();

  const third = await start(t, { state });
  assert.equal(await model(third, 'second'), undefined);
  assert.equal((await model(third, 'demo')).slo.ttft_ms, null, 'settings outlive another model');
});

test('a command line that changed says what is served; what was served before comes back when asked', async (t) => {
  const state = await stateDirectory(t);
  const directory = await modelCopy(t);
  const first = await start(t, { state });
  await add(first, { model: directory, model_name: 'added' });
  await serves(first, 'added');
  const { active: before } = await first.config();
  await first.kill9();

  const second = await start(t, { state, args: ['--model', kDemoModel, '--served-model-name', 'second'] });
  assert.ok(second.log.includes(`serving model 'demo' from ${kDemoModel}\n`));
  assert.ok(second.log.includes(`serving model 'second' from ${kDemoModel}\n`));
  assert.equal(await model(second, 'added'), undefined);
  const { active, newest, revision } = await second.config();
  assert.ok(active > before && active === newest, 'a revision of its own');
  assert.match(revision.note, /command line/);
  await answered(await second.post('/api/config/restore', { revision: before, expected: newest }), 202);
  await serves(second, 'added');
  await second.post('/api/config/apply/confirm', {});
  await eventually('the restored revision', async () => (await second.config()).active > active);
  await second.stop();

  // The same command line again is no news: what was done since then stays.
  const third = await start(t, { state, args: ['--model', kDemoModel, '--served-model-name', 'second'] });
  assert.ok(third.log.includes(`serving model 'added' from ${directory}\n`), third.log);
  assert.equal(await model(third, 'second'), undefined);
});

test('an added model whose directory has vanished is listed with the reason', async (t) => {
  const state = await stateDirectory(t);
  const directory = await modelCopy(t);
  const first = await start(t, { state });
  await add(first, { model: directory, model_name: 'gone' });
  await first.kill9();
  await rm(directory, { recursive: true });

  const second = await start(t, { state, waitReady: false });
  const failed = await eventually('the failed model', async () => {
    const status = await model(second, 'gone');
    return status.state === 'failed' && status;
  });
  assert.ok(failed.message.includes(directory), failed.message);
  await serves(second, 'demo');
  await answered(await second.models('DELETE', 'gone'), 200);
});

// {what: how the file is damaged}; a file of no byte is a new one, the others are set aside.
const kDamages = {
  'cut to nothing': (file) => truncate(file, 0),
  'cut in half': async (file) => truncate(file, (await readFile(file)).length / 2),
  'with another beginning': (file) => overwrite(file, 0, Buffer.alloc(100, 0x5a)),
  'of random bytes': async (file) => {
    const bytes = await readFile(file);
    for (let i = 0; i < bytes.length; ++i) bytes[i] = (i * 2654435761) >>> 13;
    await overwrite(file, 0, bytes);
  },
};

async function overwrite(file, at, bytes) {
  const handle = await open(file, 'r+');
  await handle.write(bytes, 0, bytes.length, at);
  await handle.close();
}

async function pointsOf(appliance) {
  const parameters = new URLSearchParams({ query: 'count_over_time(hearth_build_info[1h])' });
  const body = await (await fetch(`${appliance.url}/api/v1/query?${parameters}`)).json();
  return Number(body.data.result[0]?.value[1] ?? 0);
}

for (const [damage, apply] of Object.entries(kDamages)) {
  for (const name of ['history.db', 'config.db']) {
    test(`a ${name} ${damage} costs what was in it and nothing else`, async (t) => {
      const state = await stateDirectory(t);
      const first = await start(t, { state });
      await add(first, { model: kDemoModel, model_name: 'second' });
      await first.settledMetrics();
      await first.settledMetrics();
      const points = await pointsOf(first);
      assert.ok(points >= 2);
      await first.stop();
      await apply(join(state, name));

      const second = await start(t, { state });
      assert.equal((await second.chat('hi', { model: 'demo', max_tokens: 1 })).status, 200);
      const lostHistory = name === 'history.db';
      assert.equal((await model(second, 'second')) === undefined, !lostHistory);
      if (!lostHistory) assert.ok((await pointsOf(second)) >= points, 'the history is whole');
      const aside = (await readdir(state)).filter((file) => file.startsWith(`${name}.corrupt-`));
      if (damage === 'cut to nothing') return;
      assert.ok(aside.length >= 1, `${name} was not set aside`);
      assert.ok(second.log.includes(aside[0]), 'the log says so');
    });
  }
}
