// What dies and what does not: a killed engine, a killed hearthd, a model that cannot be loaded.

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, events, eventually, kDemoModel, sleep, total } from './appliance.mjs';

const kCounters = ['vllm:prompt_tokens_total', 'vllm:generation_tokens_total',
  'vllm:request_success_total', 'vllm:time_to_first_token_seconds_count',
  'ray_serve_deployment_request_counter_total'];

// Streams that would run for as long as the context allows; each resolves to how it ended.
function longStreams(appliance, count) {
  return Array.from({ length: count }, async () => {
    const seen = [];
    const response = await appliance.chat('What is TTFT?', { stream: true, ignore_eos: true });
    for await (const event of events(response)) seen.push(event);
    return { events: seen, endedAt: Date.now() };
  });
}

test('a killed engine takes nothing else with it', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  await appliance.ask('What is TTFT?');
  const streams = longStreams(appliance, 8);
  await eventually('running requests',
    async () => total(await appliance.metrics(), 'vllm:num_requests_running') === 8);
  const before = await appliance.settledMetrics();
  const pid = (await appliance.status()).models[0].engine_pid;

  let polls = 0;
  let failures = 0;
  let polling = true;
  const poller = (async () => {
    while (polling) {
      for (const path of ['/metrics', '/', '/health']) {
        const response = await fetch(appliance.url + path).catch(() => null);
        const fine = response && (response.ok || (path === '/health' && response.status === 503));
        ++polls;
        if (!fine) ++failures;
      }
      await sleep(5);
    }
  })();

  const killedAt = Date.now();
  process.kill(pid, 'SIGKILL');
  for (const stream of await Promise.all(streams)) {
    assert.ok(stream.endedAt - killedAt < 2000, `ended after ${stream.endedAt - killedAt} ms`);
    const { error } = stream.events.at(-1);  // and no [DONE]: the answer is not whole
    assert.equal(error.type, 'engine_restarted');
    assert.equal(error.code, 503);
    assert.ok(error.generated_tokens > 0);
    assert.ok(!stream.events.includes('[DONE]'));
  }
  const answer = await appliance.ask('What is TTFT?');
  assert.match(answer.choices[0].message.content, /time to first token/i);
  polling = false;
  await poller;
  assert.equal(failures, 0, `${failures} of ${polls} polls failed`);
  const after = await appliance.settledMetrics();
  for (const name of kCounters) {
    assert.ok(total(after, name) >= total(before, name), `${name} went down`);
  }
  assert.equal(total(after, 'hearth_engine_restarts_total'), 1);
  assert.equal(total(after, 'vllm:request_success_total', 'finished_reason="error"'), 8);
  t.diagnostic(`${polls} polls of /metrics, / and /health during the crash, none failed`);
});

async function queryRange(appliance, query, startS, endS) {
  const parameters = new URLSearchParams({ query, start: startS, end: endS, step: 1 });
  const response = await fetch(`${appliance.url}/api/v1/query_range?${parameters}`);
  const body = await response.json();
  assert.equal(body.status, 'success', JSON.stringify(body));
  return body.data.result[0]?.values ?? [];
}

test('a killed hearthd keeps its history but for the commit interval', async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'hearth-e2e-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  const kIntervalS = 3;  // given to hearthd below; the default is 60
  const args = ['--history-commit-interval', String(kIntervalS)];
  const first = await Appliance.start({ state, args });
  const startS = Date.now() / 1000;
  await first.ask('What is TTFT?');
  await sleep(3 * kIntervalS * 1000);
  const enginePid = (await first.status()).models[0].engine_pid;
  const killedS = Date.now() / 1000;
  const before = await queryRange(first, 'vllm:generation_tokens_total', startS, killedS);
  await first.kill9();
  await eventually('the end of the orphaned engine', () => {
    try {
      process.kill(enginePid, 0);
      return false;
    } catch {
      return true;
    }
  }, 5000);

  const second = await Appliance.start({ state, args });
  t.after(() => second.stop());
  const after = await queryRange(second, 'vllm:generation_tokens_total', startS, killedS);
  const kept = new Map(after.map(([time, value]) => [time, value]));
  const lost = before.filter(([time, value]) => kept.get(time) !== value).map(([time]) => time);
  t.diagnostic(`${before.length} points before the kill, ${lost.length} lost`);
  assert.ok(before.length >= 2 * kIntervalS);
  for (const time of lost) {
    assert.ok(time > killedS - kIntervalS - 2, `lost a point ${killedS - time} s before the kill`);
  }
  const increase = await queryRange(second, 'increase(vllm:generation_tokens_total[1m])', killedS, killedS);
  assert.ok(increase.length === 0 || Number(increase[0][1]) >= 0);
});

// HEARTH_KILLS: how often.
test('a hearthd that is killed again and again starts with all it had acknowledged', { timeout: 7200000 },
  async (t) => {
    const state = await mkdtemp(join(tmpdir(), 'hearth-e2e-'));
    t.after(() => rm(state, { recursive: true, force: true }));
    const kills = Number(process.env.HEARTH_KILLS ?? 5);
    const startsMs = [];
    let added, isKept;
    for (let i = 0; i <= kills; ++i) {
      const begin = Date.now();
      const appliance = await Appliance.start({ state, waitReady: false,
        args: ['--history-commit-interval', '1'] });
      startsMs.push(Date.now() - begin);
      t.after(() => appliance.kill9());
      const names = (await appliance.status()).models.map((model) => model.model_name);
      // One whose apply had not ended may be there or not, and nothing else.
      const isThere = names.includes(added);
      assert.deepEqual(names, isThere ? ['demo', added] : ['demo']);
      if (isKept) assert.ok(isThere, `${added} was kept`);
      assert.doesNotMatch(appliance.log, /set aside|cannot be read|is not served/);
      if (isThere) assert.equal((await appliance.models('DELETE', added)).status, 200);
      added = `model ${i}`;
      const answer = await appliance.models('POST', '', { model: kDemoModel, model_name: added });
      assert.equal(answer.status, 202);
      const { apply } = await answer.json();
      // Killed at any moment of the apply and of the next commit, too.
      await sleep(Math.random() * 1500);
      isKept = (await (await fetch(`${appliance.url}/api/config/applies/${apply}`)).json()).state === 'confirmed';
      await appliance.kill9();
    }
    startsMs.sort((a, b) => a - b);
    t.diagnostic(`${kills} kills; a start took ${startsMs[startsMs.length >> 1]} ms in the middle, ` +
      `${startsMs.at(-1)} ms at most`);
  });

async function brokenModel(t, breakIt) {
  const model = await mkdtemp(join(tmpdir(), 'hearth-model-'));
  t.after(() => rm(model, { recursive: true, force: true }));
  await cp(kDemoModel, model, { recursive: true });
  await breakIt(model);
  const appliance = await Appliance.start({ model, waitReady: false });
  t.after(() => appliance.stop());
  const health = await eventually('a failed model', async () => {
    const response = await fetch(`${appliance.url}/health`);
    const body = response.status === 503 ? await response.json() : null;
    return body?.error.message.includes('failed') && body.error;
  });
  assert.equal((await fetch(`${appliance.url}/`)).status, 200);
  assert.equal((await appliance.chat('hi')).status, 503);
  const [status] = (await appliance.status()).models;
  assert.equal(status.state, 'failed');
  assert.ok(appliance.log.includes(status.message), 'the log carries the same sentence');
  return health.message;
}

test('a truncated model file is one clear sentence', async (t) => {
  const message = await brokenModel(t, (model) => truncate(join(model, 'model.safetensors'), 1000000));
  assert.match(message, /model\.safetensors/);
});

test('a missing model file is one clear sentence', async (t) => {
  const message = await brokenModel(t, (model) => rm(join(model, 'tokenizer.json')));
  assert.match(message, /tokenizer\.json/);
});

test('a lying config is one clear sentence', async (t) => {
  const message = await brokenModel(t, (model) => writeFile(join(model, 'config.json'),
    JSON.stringify({ architectures: ['MysteryForCausalLM'], model_type: 'mystery' })));
  assert.match(message, /MysteryForCausalLM/);
});
