// A bounded load of short conversations, for tests that look at a busy appliance.

import assert from 'node:assert/strict';
import { events, kDemoModel, sleep } from './appliance.mjs';

const kQuestions = ['What is TTFT?', 'What is TPOT?', 'How do I scrape the metrics?', 'Who are you?',
  'What is the KV cache?', 'How do I roll back the config?', 'What is continuous batching?'];

// Keeps `streams` clients asking until `seconds` have passed, each with a pause after an answer as a
// person would make. Returns how many were answered and what went wrong.
export async function runLoad(appliance, { streams, seconds, pauseMs = 0 }) {
  const until = Date.now() + seconds * 1000;
  const outcome = { answered: 0, errors: [] };
  const client = async (index) => {
    for (let turn = index; Date.now() < until; ++turn) {
      try {
        const response = await appliance.chat(kQuestions[turn % kQuestions.length],
          { stream: true, max_tokens: 16 + 16 * (turn % 4), temperature: 0.7, seed: turn });
        let last;
        for await (const event of events(response)) last = event;
        if (last !== '[DONE]') throw new Error(`the stream ended with ${JSON.stringify(last)}`);
        ++outcome.answered;
        await sleep(pauseMs);
      } catch (error) {
        outcome.errors.push(error.message);
      }
    }
  };
  await Promise.all(Array.from({ length: streams }, (_, index) => client(index)));
  return outcome;
}

const kFiller = 'The box keeps its own history and draws its own dashboard. ';

// Every way a request can go, all at once: short and long prompts that begin alike, streams, whole
// answers, clients that leave, refusals. Runs until `seconds` have passed; returns how often each
// happened. What is expected to fail must fail, what is expected to work must work.
export async function runMixedLoad(appliance, { seconds, model = 'demo' }) {
  const until = Date.now() + seconds * 1000;
  const counts = { streamed: 0, whole: 0, long: 0, left: 0, refused: 0, unknown: 0, too_long: 0 };
  const errors = [];
  const repeat = async (kind, pauseMs, once) => {
    for (let turn = 0; Date.now() < until; ++turn) {
      try {
        await once(turn);
        ++counts[kind];
      } catch (error) {
        errors.push(`${kind}: ${error.message}`);
      }
      await sleep(pauseMs);
    }
  };
  const expectStatus = async (response, status) => {
    const text = await response.text();
    if (response.status !== status) throw new Error(`${response.status}, not ${status}: ${text}`);
  };
  const stream = async (content, fields) => {
    const response = await appliance.chat(content, { model, stream: true, ...fields });
    let last;
    for await (const event of events(response)) last = event;
    if (last !== '[DONE]') throw new Error(`the stream ended with ${JSON.stringify(last)}`);
  };
  const leave = async (turn) => {
    const left = new AbortController();
    const response = await appliance.chat(kQuestions[turn % kQuestions.length],
      { model, stream: true, ignore_eos: true, max_tokens: 1000, signal: left.signal });
    for await (const _ of events(response)) break;
    left.abort();
  };
  const question = (turn) => kQuestions[turn % kQuestions.length];
  await Promise.all([
    repeat('streamed', 50, (turn) => stream(question(turn), { max_tokens: 16 + 16 * (turn % 4) })),
    repeat('streamed', 150, (turn) => stream(question(turn + 3), { max_tokens: 64 })),
    repeat('whole', 200, (turn) => appliance.ask(question(turn), { model, max_tokens: 24 })),
    repeat('long', 500, (turn) => stream(kFiller.repeat(20) + question(turn), { max_tokens: 16 })),
    repeat('left', 700, leave),
    repeat('refused', 900, async () => expectStatus(
      await appliance.chat('hi', { model, temperature: 99 }), 400)),
    repeat('unknown', 1100, async () => expectStatus(await appliance.chat('hi', { model: 'x' }), 404)),
    repeat('too_long', 1300, async () => expectStatus(
      await appliance.chat(kFiller.repeat(4000), { model }), 400)),
  ]);
  return { counts, errors };
}

// At least `leastS` seconds, and so many that a whole minute of the clock passes after the first few:
// subqueries with a step of a minute look at nothing else.
export function secondsPastTheMinute(leastS) {
  const toMinuteS = 60 - Date.now() / 1000 % 60;
  return Math.ceil(Math.max(leastS, (toMinuteS < 8 ? toMinuteS + 60 : toMinuteS) + 1));
}

// A second model comes, answers, stays for a while and goes.
export async function switchModel(appliance, stayMs = 3000) {
  const posted = await appliance.models('POST', '', { model: kDemoModel, model_name: 'second' });
  assert.equal(posted.status, 202, await posted.text());
  while ((await appliance.chat('What is TTFT?', { model: 'second', max_tokens: 8 })).status !== 200) {
    await sleep(200);
  }
  await sleep(stayMs);
  const deleted = await appliance.models('DELETE', 'second');
  assert.equal(deleted.status, 200, await deleted.text());
}
