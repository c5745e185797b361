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

// Processor time of a process and of its children that still run, in seconds.
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

const cell = (value, digits, width) => (value === undefined ? '' : value.toFixed(digits)).padStart(width);

function print(what, result, limit) {
  console.log(what.padEnd(44) + cell(result.requests_per_s, 0, 9) +
    cell(result.requests_per_s / limit, 2, 10) +
    cell(result.latency_ms?.p50, 2, 8) + cell(result.latency_ms?.p99, 2, 8) + cell(result.latency_ms?.max, 1, 8) +
    cell(result.cpuUs, 1, 9) +
    (result.events_per_s ? cell(result.events_per_s, 0, 10) + cell(result.gap_ms.p50, 2, 9) + cell(result.gap_ms.p99, 2, 9) : ''));
}

const appliance = await Appliance.start({ model: process.env.MODEL ?? kDemoModel });
const port = Number(new URL(appliance.url).port);
const streams = { streams: kStreams, model: appliance.model };

// The box's own limit for pages of this size: what the same clients get from a server that only writes.
async function limits(bytes) {
  const alone = await withServer('raw', bytes, (raw, pid) => measured(raw, pid, {}));
  print(`raw socket server, ${bytes} bytes`, alone, alone.requests_per_s);
  print(`HTTP module, ${bytes} bytes`, await withServer('module', bytes, (module, pid) => measured(module, pid, {})),
    alone.requests_per_s);
  return alone.requests_per_s;
}

// While another generator keeps the streams running.
async function besideStreams(use) {
  const [result, stream] = await Promise.all([
    use(), load(port, { connections: 0, ...streams })]);
  return { ...result, events_per_s: stream.events_per_s, gap_ms: stream.gap_ms };
}

console.log(`${cpus().length} cores, ${kConnections} connections, ${kSeconds} s a row, ${kStreams} streams`);
console.log(`${''.padEnd(44)}    req/s  of limit  p50 ms  p99 ms  max ms   CPU us  events/s  gap p50  gap p99`);
const alone = await load(port, { connections: 0, ...streams });
print('streams alone', { ...alone, requests_per_s: undefined }, 1);
for (const encoding of ['identity', 'gzip']) {
  const answer = await load(port, { 'accept-encoding': encoding, seconds: 0.2 });
  const limit = await limits(answer.answer_bytes);
  const scrape = () => measured(port, appliance.child.pid, { 'accept-encoding': encoding });
  print(`/metrics, ${encoding}`, await scrape(), limit);
  const busyLimit = await besideStreams(() =>
    withServer('raw', answer.answer_bytes, (raw, pid) => measured(raw, pid, {})));
  print('raw socket server, beside streams', busyLimit, busyLimit.requests_per_s);
  print('HTTP module, beside streams', await besideStreams(() =>
    withServer('module', answer.answer_bytes, (module, pid) => measured(module, pid, {}))), busyLimit.requests_per_s);
  print(`/metrics, ${encoding}, beside streams`, await besideStreams(scrape), busyLimit.requests_per_s);
}
await appliance.stop();
