// What metrics cost the engine: tokens per second of 32 streams with log_engine_metrics on and off, in
// pairs that follow each other on the same appliance, and the time hearthd spends on one engine step
// next to that step's own length.
//
//   node tests/bench/metrics_bench.mjs      HEARTH_BIN, MODEL, SECONDS (per half pair), PAIRS

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Appliance, events, kBinaries, kDemoModel, sleep, total } from '../e2e/appliance.mjs';

const kSeconds = Number(process.env.SECONDS ?? 8);
const kPairs = Number(process.env.PAIRS ?? 8);
const kStreams = 32;

const appliance = await Appliance.start({ model: process.env.MODEL ?? kDemoModel });
const { max_model_len: maxModelLen } = (await appliance.status()).models[0];
let loading = true;
let tokens = 0;

async function client() {
  while (loading) {
    const response = await appliance.chat('What is TTFT?', { stream: true, ignore_eos: true,
      return_token_ids: true, max_tokens: Math.min(512, maxModelLen - 64) });
    for await (const event of events(response)) tokens += event.choices?.[0]?.token_ids?.length ?? 0;
  }
}

async function tokensPerSecond(shown) {
  await appliance.models('PATCH', 'demo', { log_engine_metrics: shown });
  await sleep(500);
  const [before, start] = [tokens, performance.now()];
  await sleep(kSeconds * 1000);
  return (tokens - before) / ((performance.now() - start) / 1000);
}

const clients = Array.from({ length: kStreams }, client);
await sleep(2000);
const ratios = [];
for (let pair = 0; pair < kPairs; ++pair) {
  const first = pair % 2 === 0;  // who goes first alternates, so that a drift favours neither
  const one = await tokensPerSecond(first);
  const other = await tokensPerSecond(!first);
  const [on, off] = first ? [one, other] : [other, one];
  ratios.push(on / off);
  console.log(`pair ${pair + 1}: ${on.toFixed(0)} tok/s on, ${off.toFixed(0)} tok/s off, ` +
    `ratio ${(on / off).toFixed(4)}`);
}
await appliance.models('PATCH', 'demo', { log_engine_metrics: true });
const before = await appliance.settledMetrics();
const beforeAt = performance.now();
await sleep(3000);
const after = await appliance.settledMetrics();
const kSteps = 'vllm:iteration_tokens_total_count';
const stepUs = (performance.now() - beforeAt) * 1000 / (total(after, kSteps) - total(before, kSteps));
loading = false;
await Promise.all(clients);
await appliance.stop();

ratios.sort((a, b) => a - b);
const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
const spread = Math.sqrt(ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) /
  (ratios.length - 1) / ratios.length);
console.log(`on / off: mean ${mean.toFixed(4)} +- ${spread.toFixed(4)}, ` +
  `median ${ratios[ratios.length >> 1].toFixed(4)} of ${ratios.length} pairs`);
const cost = JSON.parse(execFileSync(join(kBinaries, 'observer_bench'), { encoding: 'utf8' }));
console.log(`observing a step of ${kStreams} sequences: ${cost.step_us} us of ${stepUs.toFixed(0)} us ` +
  `(${(cost.step_us / stepUs * 100).toFixed(2)} %)`);
console.log(`once a second: snapshot ${cost.snapshot_us} us; per format asked for: text ` +
  `${cost.text_us} us, OpenMetrics ${cost.open_metrics_us} us, gzip ${cost.gzip_us} us ` +
  `(${cost.series} series, ${cost.page_bytes} bytes)`);
