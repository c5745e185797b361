// Requests per second and latency of /metrics over kept connections, alone and beside 32 token streams,
// each next to the same load on a server that only writes bytes and on the HTTP module with a handler
// that costs nothing, all in the same run. The generator, the server, and the engine share all cores.
//
//   node tests/bench/scrape_bench.mjs      HEARTH_BIN, MODEL, SECONDS (per row), CONNECTIONS

import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { once } from 'node:events';
import { Appliance, kBinaries, kDemoModel } from '../e2e/appliance.mjs';

const kBench = join(kBinaries, 'scrape_bench');
const kSeconds = process.env.SECONDS ?? '5';
const kConnections = process.env.CONNECTIONS ?? '16';
const kStreams = 32;

// Processor time of a process in seconds.
async function cpuSeconds(pid) {
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(stat[11]) + Number(stat[12])) / 100;
}

async function load(port, options) {
  const words = Object.entries({ port, seconds: kSeconds, connections: kConnections, ...options })
    .flatMap(([name, value]) => [`--${name}`, String(value)]);
  return JSON.parse((await promisify(execFile)(kBench, ['load', ...words])).stdout);
}

// A server of scrape_bench with a page of `bytes`, while `use` runs with its port and pid.
async function withServer(mode, bytes, use) {
  const server = spawn(kBench, [mode, '--bytes', String(bytes)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(server, 'exit');
  const [port] = await once(server.stdout, 'data');
  try {
    return await use(Number(String(port)), server.pid);
  } finally {
    server.stdin.end();
    await exited;
  }
}

async function measured(port, pid, options) {
  const before = await cpuSeconds(pid);
  const result = await load(port, options);
  return { ...result, cpuUs: ((await cpuSeconds(pid)) - before) * 1e6 / result.requests };
}

const cell = (value, digits, width) => value.toFixed(digits).padStart(width);

function print(what, result, limit) {
  const { latency_ms: latency, gap_ms: gap } = result;
  let line = what.padEnd(46);
  if (latency) {
    line += cell(result.requests_per_s, 0, 9) + cell(result.requests_per_s / limit.requests_per_s, 2, 10) +
      cell(latency.p50, 2, 8) + cell(latency.p99, 2, 8) + cell(latency.max, 1, 8) + cell(result.cpuUs, 1, 8);
  } else {
    line += ' '.repeat(51);
  }
  if (gap) line += cell(result.events_per_s, 0, 10) + cell(gap.p50, 2, 9) + cell(gap.p99, 2, 9);
  console.log(line);
}

const appliance = await Appliance.start({ model: process.env.MODEL ?? kDemoModel });
const port = Number(new URL(appliance.url).port);
const streams = { streams: kStreams, model: appliance.model };

// While another generator keeps the streams running.
async function besideStreams(use) {
  const [result, stream] = await Promise.all([
    use(), load(port, { connections: 0, ...streams })]);
  return { ...result, events_per_s: stream.events_per_s, gap_ms: stream.gap_ms };
}

console.log(`${cpus().length} cores, ${kConnections} connections, ${kSeconds} s a row, ${kStreams} streams`);
console.log(`${''.padEnd(46)}    req/s  of limit  p50 ms  p99 ms  max ms  CPU us  events/s  gap p50  gap p99`);
print('streams alone', await load(port, { connections: 0, ...streams }));
// Two of the views make a page of about 50 kB, the size that the target of 20,000 per second is about.
for (const [path, encoding] of [['/metrics?view=vllm&view=hearth', 'identity'], ['/metrics', 'gzip'], ['/metrics', 'identity']]) {
  const request = { path, 'accept-encoding': encoding };
  const { answer_bytes: bytes } = await load(port, { ...request, seconds: 0.2 });
  const raw = () => withServer('raw', bytes, (rawPort, pid) => measured(rawPort, pid, {}));
  const module = () => withServer('module', bytes, (modulePort, pid) => measured(modulePort, pid, {}));
  const scrape = () => measured(port, appliance.child.pid, request);
  console.log(`${path}, ${encoding}: ${bytes} bytes`);
  for (const [where, run] of [['', (use) => use()], [', beside streams', besideStreams]]) {
    const limit = await run(raw);
    print(`  bytes written, nothing else${where}`, limit, limit);
    print(`  HTTP module${where}`, await run(module), limit);
    print(`  hearthd${where}`, await run(scrape), limit);
  }
}
await appliance.stop();
