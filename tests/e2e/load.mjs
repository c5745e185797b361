// A bounded load of short conversations, for tests that look at a busy appliance.

import { events, sleep } from './appliance.mjs';

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
