// What a client sees: tokens per second, TTFT and inter-token latency of the served demo model (or MODEL)
// at 1, 8 and 32 closed-loop streams, each against the same engine without HTTP at one stream.
//
//   node tests/bench/serving_bench.mjs      HEARTH_BIN, MODEL, SECONDS (per row) from the environment

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Appliance, events, kBinaries, kDemoModel } from '../e2e/appliance.mjs';

const kModel = process.env.MODEL ?? kDemoModel;
const kSeconds = Number(process.env.SECONDS ?? 10);
const kMaxTokens = 64;

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

async function stream(appliance, samples, turn) {
  const start = performance.now();
  let last;
  const response = await appliance.chat(`What is TTFT? (${turn})`,
    { stream: true, max_tokens: kMaxTokens, ignore_eos: true, stream_options: { include_usage: true } });
  for await (const event of events(response)) {
    const now = performance.now();
    if (event === '[DONE]') break;
    if (event.usage) samples.tokens += event.usage.completion_tokens;
    if (!event.choices[0]?.delta.content) continue;
    if (last === undefined) samples.ttft.push(now - start);
    else samples.itl.push(now - last);
    last = now;
  }
}

async function row(appliance, streams) {
  const samples = { tokens: 0, ttft: [], itl: [] };
  const start = performance.now();
  const until = start + kSeconds * 1000;
  await Promise.all(Array.from({ length: streams }, async (_, index) => {
    for (let turn = index; performance.now() < until; turn += streams) await stream(appliance, samples, turn);
  }));
  const seconds = (performance.now() - start) / 1000;
  samples.ttft.sort((a, b) => a - b);
  samples.itl.sort((a, b) => a - b);
  return { streams, tokensPerS: samples.tokens / seconds, samples };
}

// Tokens per second of the forward and greedy choice alone, from engine_generate's own report.
function engineAlone() {
  const run = spawnSync(join(kBinaries, 'engine_generate'),
    [kModel, '--bench', '32', '--max-tokens', '256'], { encoding: 'utf8' });
  process.stdout.write(run.stderr);
  const match = run.stderr.match(/decode[^\n]*?([\d.]+) tok\/s/);
  return match ? Number(match[1]) : NaN;
}

const alone = engineAlone();
const appliance = await Appliance.start({ model: kModel });
await row(appliance, 1);  // warm-up
console.log('streams   tok/s   of one stream without HTTP   TTFT p50/p99 ms   ITL p50/p99 ms');
for (const streams of [1, 8, 32]) {
  const { tokensPerS, samples } = await row(appliance, streams);
  const ms = (list, share) => percentile(list, share).toFixed(2);
  console.log(`${String(streams).padStart(7)} ${tokensPerS.toFixed(0).padStart(7)} ` +
    `${(tokensPerS / alone).toFixed(2).padStart(28)}   ` +
    `${ms(samples.ttft, 0.5)} / ${ms(samples.ttft, 0.99)}   ${ms(samples.itl, 0.5)} / ${ms(samples.itl, 0.99)}`);
}
await appliance.stop();
