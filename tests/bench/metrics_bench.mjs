// What metrics cost the engine: tokens per second of 32 streams while log_engine_metrics is switched on and
// off in turns, and the processor time that the box spends on a token; and the time hearthd spends on
// observing one engine step next to that step's own length.
//
// Every second of the run is one measurement, read from the box's own history. Turns are short, so that
// what else happens on the machine falls on both sides.
//
//   node tests/bench/metrics_bench.mjs      HEARTH_BIN, MODEL, TURNS (of each kind)

import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Appliance, kBinaries, kDemoModel, sleep } from '../e2e/appliance.mjs';

const kTurns = Number(process.env.TURNS ?? 30);
const kTurnS = 3;
const kStreams = 32;
const kTokens = 'hearth_inter_token_latency_seconds_count';
const kSteps = 'hearth_batch_size_count';
const kCpu = ['process_cpu_seconds_total', 'hearth_engine_process_cpu_seconds_total'];

const appliance = await Appliance.start({ model: process.env.MODEL ?? kDemoModel });
const seconds = 2 * kTurns * kTurnS + 4;
const load = promisify(execFile)(join(kBinaries, 'scrape_bench'), ['load', '--connections', '0',
  '--port', new URL(appliance.url).port, '--streams', String(kStreams), '--seconds', String(seconds)]);
await sleep(3000);

const turns = [];  // {shown, fromS, toS}
for (let turn = 0; turn < 2 * kTurns; ++turn) {
  const shown = (turn + (turn >> 1)) % 2 === 0;  // on off off on: a drift favours neither
  await appliance.models('PATCH', 'demo', { log_engine_metrics: shown });
  const fromS = Date.now() / 1000;
  await sleep(kTurnS * 1000);
  turns.push({ shown, fromS, toS: Date.now() / 1000 });
}
await load;
await sleep(1500);

// [[time, sum over the series of `name`]] of the whole run.
async function samples(name) {
  const parameters = new URLSearchParams({ query: `${name}[${seconds + 10}s]`, time: Date.now() / 1000 });
  const { data } = await (await fetch(`${appliance.url}/api/v1/query?${parameters}`)).json();
  const sums = new Map();
  for (const { values } of data.result) {
    for (const [time, value] of values) sums.set(time, (sums.get(time) ?? 0) + Number(value));
  }
  return [...sums].sort(([a], [b]) => a - b);
}

const tokens = await samples(kTokens);
const steps = new Map(await samples(kSteps));
const cpus = await Promise.all(kCpu.map(async (name) => new Map(await samples(name))));
await appliance.stop();

const rates = { true: [], false: [] };
const cpuUs = { true: [], false: [] };
const stepUs = [];
for (let i = 1; i < tokens.length; ++i) {
  const [[fromS, before], [toS, after]] = [tokens[i - 1], tokens[i]];
  const turn = turns.find((turn) => fromS >= turn.fromS && toS <= turn.toS);
  if (!turn || after === before) continue;
  const cpuS = cpus.reduce((sum, cpu) => sum + cpu.get(toS) - cpu.get(fromS), 0);
  rates[turn.shown].push((after - before) / (toS - fromS));
  cpuUs[turn.shown].push(cpuS * 1e6 / (after - before));
  stepUs.push((toS - fromS) * 1e6 / (steps.get(toS) - steps.get(fromS)));
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
function compare(what, { true: on, false: off }, digits) {
  const error = (values) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) /
    values.length) / mean(values);
  console.log(`${what}: on ${median(on).toFixed(digits)}, off ${median(off).toFixed(digits)}; on / off ` +
    `${(median(on) / median(off)).toFixed(4)} of medians, ${(mean(on) / mean(off)).toFixed(4)} of means ` +
    `+- ${Math.hypot(error(on), error(off)).toFixed(4)} (${on.length} and ${off.length} seconds)`);
}
compare('tokens per second', rates, 0);
compare('processor time per token, us', cpuUs, 2);
const cost = JSON.parse(execFileSync(join(kBinaries, 'observer_bench'), { encoding: 'utf8' }));
console.log(`observing a step of ${kStreams} sequences: ${cost.step_us} us of ${median(stepUs).toFixed(0)} us ` +
  `(${(cost.step_us / median(stepUs) * 100).toFixed(2)} %)`);
console.log(`once a second: snapshot ${cost.snapshot_us} us; per format asked for: text ` +
  `${cost.text_us} us, OpenMetrics ${cost.open_metrics_us} us, gzip ${cost.gzip_us} us ` +
  `(${cost.series} series, ${cost.page_bytes} bytes)`);
