// The OpenAI API with the demo model: answers, streams, refusals, clients that leave.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
// The platform's fetch: with the client's own, node-fetch, Debian 12's Node 18 calls every chunked answer on
// a kept connection a "Premature close", whoever serves it.
import 'openai/shims/web';
import OpenAI from 'openai';
import { Appliance, events, eventually, total } from './appliance.mjs';

let appliance;
let openai;
before(async () => {
  appliance = await Appliance.start();
  openai = new OpenAI({ baseURL: `${appliance.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
after(async () => {
  const end = await appliance.stop();
  assert.equal(end.code, 0, `hearthd must end cleanly: ${appliance.log.slice(-2000)}`);
});

const kQuestion = 'What is TTFT?';

test('the demo model answers what TTFT is', async () => {
  const answer = await appliance.ask(kQuestion);
  const { content } = answer.choices[0].message;
  assert.match(content, /time to first token/i);
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test('a stream carries the same answer in pieces, its usage and its end', async () => {
  const whole = await appliance.ask(kQuestion);
  const response = await appliance.chat(kQuestion,
    { stream: true, stream_options: { include_usage: true } });
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const seen = [];
  for await (const event of events(response)) seen.push(event);
  assert.equal(seen.at(-1), '[DONE]');
  const chunks = seen.slice(0, -1);
  assert.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '' });
  const text = chunks.flatMap((chunk) => chunk.choices).map((c) => c.delta.content ?? '').join('');
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(chunks.at(-2).choices[0].finish_reason, 'stop');
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.completion_tokens, whole.usage.completion_tokens);
  assert.ok(chunks.length > 5, 'a stream comes token by token');
});

test('the openai client lists, streams and reads usage', async () => {
  const models = await openai.models.list();
  assert.equal(models.data[0].id, 'demo');
  assert.ok(models.data[0].max_model_len > 0 && models.data[0].root === 'demo');
  const stream = await openai.chat.completions.create({
    model: 'demo', messages: [{ role: 'user', content: kQuestion }], temperature: 0, stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let usage;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.match(text, /time to first token/i);
  assert.ok(usage.completion_tokens > 5);
});

test('completions take text and token ids', async () => {
  const byText = await openai.completions.create({ model: 'demo', prompt: 'TTFT', max_tokens: 4,
    temperature: 0 });
  assert.equal(byText.object, 'text_completion');
  assert.ok(byText.usage.completion_tokens <= 4);
  const byIds = await openai.completions.create({ model: 'demo', prompt: [5, 6, 7], max_tokens: 2,
    temperature: 0 });
  assert.equal(byIds.usage.prompt_tokens, 3);
});

test('stop strings, max_tokens and seeds do what they say', async () => {
  const full = (await appliance.ask(kQuestion)).choices[0].message.content;
  const stop = full.split(' ')[3];
  const stopped = await appliance.ask(kQuestion, { stop: [stop] });
  assert.equal(stopped.choices[0].message.content, full.slice(0, full.indexOf(stop)));
  assert.equal(stopped.choices[0].finish_reason, 'stop');
  const cut = await appliance.ask(kQuestion, { max_tokens: 3 });
  assert.equal(cut.usage.completion_tokens, 3);
  assert.equal(cut.choices[0].finish_reason, 'length');
  const draw = async (seed) =>
    (await appliance.ask(kQuestion, { temperature: 1.9, seed, max_tokens: 24 })).choices[0].message.content;
  assert.equal(await draw(7), await draw(7));
});

async function refused(path, body, headers = { 'Content-Type': 'application/json' }) {
  const response = await fetch(`${appliance.url}${path}`, { method: 'POST', headers, body });
  return { status: response.status, error: (await response.json()).error };
}

test('bad input is refused by name', async () => {
  const chat = (fields) => refused('/v1/chat/completions',
    JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], ...fields }));
  const unknown = await chat({ model: 'nobody' });
  assert.equal(unknown.status, 404);
  assert.equal(unknown.error.code, 'model_not_found');
  assert.match(unknown.error.message, /nobody.*demo/);

  const { data } = await openai.models.list();
  const long = await chat({ messages: [{ role: 'user', content: 'word '.repeat(data[0].max_model_len) }] });
  assert.equal(long.status, 400);
  assert.equal(long.error.code, 'context_length_exceeded');
  assert.match(long.error.message, new RegExp(`${data[0].max_model_len}.*\\d{3,}`));

  const wrong = await chat({ temperature: 'hot' });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.error.param, 'temperature');
  assert.equal(wrong.error.type, 'invalid_request_error');

  const path = '/v1/chat/completions';
  assert.equal((await refused(path, '{"messages":')).status, 400);
  assert.equal((await refused(path, '['.repeat(70) + ']'.repeat(70))).status, 400);
  assert.equal((await refused(path, '['.repeat(100000))).status, 400);
  const large = await refused(path, JSON.stringify({ x: 'y'.repeat(17 << 20) })).catch((error) => error);
  if (!(large instanceof Error)) assert.equal(large.status, 413);
  assert.equal((await fetch(`${appliance.url}/health`)).status, 200);
});

test('413 is answered to who waits for it', async () => {
  const { hostname, port } = new URL(appliance.url);
  const answer = await new Promise((done, failed) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: ${hostname}:${port}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n');
    });
    let text = '';
    socket.on('data', (data) => { text += data; });
    socket.on('close', () => done(text));
    socket.on('error', failed);
  });
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.match(answer, /99999999.*16777216/);
});

test('a client that leaves frees its blocks', async () => {
  const before = total(await appliance.metrics(), 'vllm:request_success_total', 'finished_reason="abort"');
  const controller = new AbortController();
  const response = await appliance.chat(kQuestion,
    { stream: true, ignore_eos: true, signal: controller.signal });
  let seen = 0;
  await (async () => {
    for await (const event of events(response)) {
      if (event !== '[DONE]' && ++seen === 3) controller.abort();
    }
  })().catch(() => {});
  const metrics = await eventually('the aborted request', async () => {
    const now = await appliance.metrics();
    return total(now, 'vllm:request_success_total', 'finished_reason="abort"') === before + 1 && now;
  }, 5000);
  assert.equal(total(metrics, 'vllm:num_requests_running'), 0);
  assert.equal(total(metrics, 'vllm:kv_cache_usage_perc'), 0);
});

test('32 streams at once say what each says alone', async () => {
  const questions = Array.from({ length: 32 }, (_, i) =>
    [kQuestion, 'What is TPOT?', 'How do I scrape the metrics?', 'Who are you?'][i % 4] + ' '.repeat(i / 4));
  const fields = { max_tokens: 64, return_token_ids: true };
  const alone = [];
  for (const question of questions) {
    alone.push((await appliance.ask(question, fields)).choices[0].token_ids);
  }
  assert.ok(alone.every((ids) => ids.length > 4));
  const together = await Promise.all(questions.map(async (question) => {
    const response = await appliance.chat(question, { ...fields, stream: true });
    const ids = [];
    for await (const event of events(response)) {
      if (event !== '[DONE]') ids.push(...(event.choices[0].token_ids ?? []));
    }
    return ids;
  }));
  assert.deepEqual(together, alone);
});
