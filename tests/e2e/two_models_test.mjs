// Two models at once, with limits of their own: each request is answered by the model it named, and
// each model's numbers are its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Appliance, eventually, kDemoModel, sleep, total } from './appliance.mjs';
import { applyAndKeep, askOnAndOn, documentOf, llmConfig, lost } from './applies.mjs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kSourceRoot } from './appliance.mjs';

const kLimits = { small: 1, large: 8 };  // max_ongoing_requests

async function twoModels(t) {
  const box = await Appliance.start({ ownModel: false, waitReady: false });
  t.after(() => box.stop());
  const config = (name, fields) => llmConfig(name, { deployment_config: { max_ongoing_requests: kLimits[name] }, source: kDemoModel, ...fields });
  const apply = await applyAndKeep(box, documentOf(
    config('small', { engine_kwargs: { max_model_len: 256, served_model_name: ['tiny'] } }),
    config('large', { engine_kwargs: { max_model_len: 1024 } })));
  assert.equal(apply.state, 'confirmed', apply.message);
  await box.ready();
  return box;
}

async function query(box, expression) {
  const response = await fetch(`${box.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
  return (await response.json()).data.result;
}

test('a mixed load ends at the models it named, within their limits', async (t) => {
  const box = await twoModels(t);
  const loads = Object.fromEntries(['small', 'large'].map((model) => [model,
    askOnAndOn(box, { streams: 6, model, fields: { max_tokens: 24, ignore_eos: true } })]));
  const busiest = { small: 0, large: 0 };
  for (const until = Date.now() + 8000; Date.now() < until;) {
    for (const model of (await (await fetch(`${box.url}/api/models`)).json()).models) {
      busiest[model.model_name] = Math.max(busiest[model.model_name], model.num_ongoing);
    }
    await sleep(50);
  }
  const answers = {};
  for (const [model, load] of Object.entries(loads)) answers[model] = await load.stop();
  const metrics = await box.settledMetrics();
  for (const model of ['small', 'large']) {
    assert.deepEqual(lost(answers[model]), [], model);
    assert.ok(busiest[model] <= kLimits[model], `${model} had ${busiest[model]} requests at a time`);
    assert.equal(total(metrics, 'vllm:request_success_total', `model_name="${model}"`), answers[model].length, model);
    assert.equal(total(metrics, 'hearth_requests_answered_total', `model_name="${model}"`), answers[model].length, model);
    assert.equal(total(metrics, 'vllm:generation_tokens_total', `model_name="${model}"`), 24 * answers[model].length, model);
    t.diagnostic(`${model}: ${answers[model].length} requests, none lost, at most ${busiest[model]} at a time of ${kLimits[model]}`);
  }
  assert.equal(busiest.large, 6);
});

test('names, aliases and limits are each model\'s own', async (t) => {
  const box = await twoModels(t);
  const listed = (await (await fetch(`${box.url}/v1/models`)).json()).data;
  assert.deepEqual(listed.map(({ id, root, max_model_len: length }) => [id, root, length]),
    [['small', 'small', 256], ['tiny', 'small', 256], ['large', 'large', 1024]]);
  assert.equal((await box.ask('What is TTFT?', { model: 'tiny', max_tokens: 4 })).model, 'small');
  const nameless = await box.chat('What is TTFT?');
  assert.equal(nameless.status, 400);
  assert.match((await nameless.json()).error.message, /'small', 'large'; say which in 'model'/);
  const long = 'The box keeps its own history. '.repeat(60);
  assert.equal((await box.chat(long, { model: 'small', max_tokens: 4 })).status, 400);
  assert.equal((await box.chat(long, { model: 'large', max_tokens: 4 })).status, 200);
});

test('a panel shows the model that was chosen', async (t) => {
  const box = await twoModels(t);
  await Promise.all([...Array(3)].map(() => box.ask('What is TTFT?', { model: 'small', max_tokens: 8, ignore_eos: true })));
  await box.ask('What is TTFT?', { model: 'large', max_tokens: 8, ignore_eos: true });
  await sleep(1500);
  const names = await (await fetch(`${box.url}/api/v1/label/model_name/values?match[]=vllm:num_requests_running`)).json();
  assert.deepEqual(names.data, ['large', 'small']);
  const tokens = async (model) => eventually(`tokens of ${model}`, async () =>
    Number((await query(box, `sum(vllm:generation_tokens_total{model_name="${model}"})`))[0]?.value[1]));
  assert.equal(await tokens('small'), 24);
  assert.equal(await tokens('large'), 8);
  // Every panel of the LLM dashboard that speaks of engines lets a model be chosen.
  const dashboard = JSON.parse(await readFile(join(kSourceRoot, 'webui/dashboards/llm.json'), 'utf8'));
  const expressions = JSON.stringify(dashboard.panels).match(/vllm:\w+\{[^}]*\}/g);
  assert.ok(expressions.length > 10);
  for (const expression of expressions) assert.match(expression, /model_name=/);
});
