// The history beside Debian's prometheus and VictoriaMetrics: the same samples, the same machine.
// Prints markdown tables for docs/PERFORMANCE.md.
//   node tests/bench/history_peer_bench.mjs [day] [month] [real]     all by default
//     day    420 made series every 10 s: sizes, writes, a panel
//     month  panels over 30 days of one histogram
//     real   what a box under load shows, each second for HEARTH_PEER_S seconds, 120
// Needs Debian's prometheus, victoria-metrics and strace, and in HEARTH_BIN history_bench,
// history_feed, history_server, hearthd and hearth-engine.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { Appliance, eventually, kBinaries, sleep } from '../e2e/appliance.mjs';
import { runMixedLoad } from '../e2e/load.mjs';
import { freePort, get, startPrometheus as startScraper } from '../e2e/prometheus.mjs';
import { replay } from '../e2e/replay.mjs';
import { encodeLabels, remoteWrite } from './remote_write.mjs';

const kRealS = Number(process.env.HEARTH_PEER_S ?? 120);
const kDayS = 86400;
const kIntervalS = 10;
const kRounds = 5;  // the best one counts
const kPanelPoints = 1000;
const kForEver = '36500d';
const kByTheClock = 'writes by the wall clock';  // a day sent in a minute is no day to it

const directory = await mkdtemp(join(tmpdir(), 'hearth-peers-'));
const running = [];

async function bytesUnder(path) {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath ?? entry.path, entry.name))).size;
  }
  return bytes;
}

// Starts a server; the returned stop() waits for its end.
function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], ...options });
  const exited = once(child, 'exit');
  const stop = () => { child.kill('SIGTERM'); return exited; };
  running.push(child);
  return { child, stop, exited };
}

// strace: the file for its counts.
async function startPrometheus(data, { strace } = {}) {
  const config = join(directory, 'prometheus.yml');
  await writeFile(config, '{}\n');
  const port = await freePort();
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`, '--web.enable-remote-write-receiver',
    `--storage.tsdb.retention.time=${kForEver}`];
  const server = strace
    ? start('strace', ['-f', '-c', '--seccomp-bpf', '-e', 'trace=fsync,fdatasync', '-o', strace,
      'prometheus', ...args])
    : start('prometheus', args);
  server.url = `http://127.0.0.1:${port}`;
  await eventually('prometheus', async () => (await fetch(`${server.url}/-/ready`)).ok, 60000);
  return server;
}

async function startVictoria(data) {
  const port = await freePort();
  const server = start('victoria-metrics', [`-storageDataPath=${data}`, '-retentionPeriod=100y',
    `-httpListenAddr=127.0.0.1:${port}`, '-search.disableCache', '-search.maxStalenessInterval=5m']);
  server.url = `http://127.0.0.1:${port}`;
  await eventually('victoria-metrics', async () => (await fetch(`${server.url}/health`)).ok, 60000);
  return server;
}

const feedArguments = (form, { firstS, seconds, intervalS, name = '' }) =>
  [form, `${firstS}`, `${seconds}`, `${intervalS}`, name];

// A history of the same samples behind the box's own API.
async function startHearth(data, writeFrames) {
  const server = start(join(kBinaries, 'history_server'), [data, '--replay']);
  const lines = createInterface({ input: server.child.stdout })[Symbol.asyncIterator]();
  await writeFrames(server.child.stdin);
  server.child.stdin.write('serve\n');
  server.url = (await lines.next()).value;
  server.sizes = JSON.parse((await lines.next()).value);
  server.stop = () => { server.child.stdin.end(); return server.exited; };
  assert.equal(server.sizes.lost, 0);
  return server;
}

const feedTo = (shape) => async (stdin) => {
  const feed = spawn(join(kBinaries, 'history_feed'), feedArguments('frames', shape));
  await pipeline(feed.stdout, stdin, { end: false });
};

async function feedFile(form, shape) {
  const file = join(directory, `${form}-${shape.seconds}.txt`);
  const feed = spawn(join(kBinaries, 'history_feed'), feedArguments(form, shape));
  await pipeline(feed.stdout, createWriteStream(file));
  return file;
}

async function importBlocks(file, data) {
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=744h',
    file, data], { stdio: 'ignore' });
  return data;
}

async function importVictoria(server, file) {
  const begin = performance.now();
  const response = await fetch(`${server.url}/api/v1/import/prometheus`,
    { method: 'POST', body: createReadStream(file), duplex: 'half' });
  assert.ok(response.ok, await response.text());
  await fetch(`${server.url}/internal/force_flush`);
  return (performance.now() - begin) / 1000;
}

async function panelMs(url, query, { endS, spanS }) {
  const stepS = Math.max(1, Math.floor(spanS / kPanelPoints));
  let best = Infinity;
  for (let round = 0; round < kRounds; ++round) {
    const begin = performance.now();
    const { result } = await get(`${url}/api/v1/query_range`,
      { query, start: endS - spanS, end: endS, step: stepS, nocache: 1 });
    best = Math.min(best, performance.now() - begin);
    assert.ok(result.length > 0 && result[0].values.length > kPanelPoints / 2, `${url}: ${query} is empty`);
  }
  return best;
}

const quantile = (spanS) => 'histogram_quantile(0.99, sum by (le) (rate(h0_bucket[' +
  `${Math.max(Math.floor(spanS / kPanelPoints) + 15, 4 * kIntervalS)}s])))`;

// bytes written and fsyncs of a running prometheus that is sent a day by remote write, one request a
// sample time, and has compacted it.
async function writeADay(shape) {
  const counts = join(directory, 'strace.txt');
  const server = await startPrometheus(join(directory, 'written'), { strace: counts });
  const feed = spawn(join(kBinaries, 'history_feed'), feedArguments('frames', shape));
  const labels = [];
  let samples = 0;
  const begin = performance.now();
  for await (const line of createInterface({ input: feed.stdout })) {
    const [kind, first, ...rest] = line.split(' ');
    if (kind === 'series') {
      labels.push(encodeLabels(JSON.parse(rest.join(' '))));
    } else {
      await remoteWrite(server.url, labels, Number(first), rest.map(Number));
      samples += rest.length;
    }
  }
  const seconds = (performance.now() - begin) / 1000;
  await eventually('the last compaction of the head', async () => {
    const [, minMs] = (await (await fetch(`${server.url}/metrics`)).text())
      .match(/^prometheus_tsdb_head_min_time (\S+)/m);
    return Number(minMs) > (shape.firstS + shape.seconds - 4 * 3600) * 1000;
  }, 600000);
  const pid = Number(execFileSync('pgrep', ['-P', `${server.child.pid}`], { encoding: 'utf8' }));
  const [, written] = (await readFile(`/proc/${pid}/io`, 'utf8')).match(/^write_bytes: (\d+)/m);
  process.kill(pid, 'SIGTERM');
  await server.exited;
  return { written: Number(written), syncs: countSyncs(await readFile(counts, 'utf8')),
    rate: samples / seconds };
}

// Of an strace -c table: "% time, seconds, usecs/call, calls, [errors], syscall".
const countSyncs = (table) => [...table.matchAll(/^\s*\S+\s+\S+\s+\S+\s+(\d+)\s.*(?:fsync|fdatasync)$/gm)]
  .reduce((sum, [, calls]) => sum + Number(calls), 0);

// What history_bench says of a day, its calls of fdatasync counted.
function benchADay() {
  const counts = join(directory, 'strace-hearth.txt');
  const data = join(directory, 'bench');
  const text = execFileSync('strace', ['-f', '-c', '--seccomp-bpf', '-e', 'trace=fsync,fdatasync', '-o',
    counts, join(kBinaries, 'history_bench'), 'day', data, `${kIntervalS}`], { encoding: 'utf8' });
  const number = (pattern) => Number(text.match(pattern)?.[1] ?? NaN);
  return { text, counts, written: number(/written in the day: (\S+) MiB/) * 2 ** 20,
    rate: number(/\((\S+) M samples\/s\)/) * 1e6 };
}

const tierLines = ({ sizes }) => sizes.tiers.filter(({ rows }) => rows > 0).map(
  ({ name, rows, bytes }) => `${name} ${(bytes / rows / sizes.series).toFixed(2)}`).join(', ');
const rawBytes = ({ sizes }) => sizes.tiers[0].bytes / sizes.tiers[0].rows / sizes.series;

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  console.log([line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n'));
}

const mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
const compared = (value, ours, unit) => `${value.toFixed(2)} ${unit} (${(value / ours).toFixed(1)}x)`;

// The made day: sizes, writes, and a panel over it.
async function benchMadeDay() {
  const shape = { firstS: Math.floor(Date.now() / 1000) - kDayS - 60, seconds: kDayS, intervalS: kIntervalS };
  const panel = { endS: shape.firstS + kDayS, spanS: kDayS };
  const samples = 420 * kDayS / kIntervalS;
  const bench = benchADay();
  console.log(`${bench.text}\n`);
  const written = await writeADay(shape);

  const hearth = await startHearth(await mkdtemp(join(directory, 'hearth-')), feedTo(shape));
  const blocks = await importBlocks(await feedFile('openmetrics', shape), join(directory, 'blocks'));
  const blockBytes = await bytesUnder(blocks) / samples;
  const prometheus = await startPrometheus(blocks);
  const victoria = await startVictoria(join(directory, 'victoria'));
  const imported = await importVictoria(victoria, await feedFile('prometheus', shape));
  await fetch(`${victoria.url}/internal/force_merge`);
  await sleep(5000);
  const victoriaBytes = await bytesUnder(join(directory, 'victoria/data')) / samples;
  const ms = [];
  for (const { url } of [hearth, prometheus, victoria]) ms.push(await panelMs(url, quantile(kDayS), panel));
  for (const server of [hearth, prometheus, victoria]) await server.stop();

  const syncs = countSyncs(await readFile(bench.counts, 'utf8'));
  const raw = rawBytes(hearth);
  table(['a day of 420 series every 10 s', 'Hearth', 'prometheus 2.42', 'victoria-metrics 1.79'], [
    ['bytes per sample', `${raw.toFixed(2)} (tiers: ${tierLines(hearth)})`, compared(blockBytes, raw, 'B'),
      compared(victoriaBytes, raw, 'B')],
    ['written in the day', `${mib(bench.written)} MiB`,
      `${mib(written.written)} MiB (${(written.written / bench.written).toFixed(1)}x)`, kByTheClock],
    ['fsync and fdatasync per hour', (syncs / 24).toFixed(0), (written.syncs / 24).toFixed(0), kByTheClock],
    ['samples taken per second', `${(bench.rate / 1e6).toFixed(1)} M, in the process`,
      `${(written.rate / 1e6).toFixed(2)} M, remote write`,
      `${(samples / imported / 1e6).toFixed(2)} M, one file`],
    ['p99 panel over the day, HTTP', `${ms[0].toFixed(1)} ms`, compared(ms[1], ms[0], 'ms'),
      compared(ms[2], ms[0], 'ms')],
  ]);
}

// One histogram of 18 buckets over 30 days.
async function benchMonth() {
  const seconds = 30 * kDayS;
  const shape = { firstS: Math.floor(Date.now() / 1000) - seconds - 60, seconds, intervalS: kIntervalS,
    name: 'h0_bucket' };
  const [hearth, openMetrics, text] = await Promise.all([
    startHearth(await mkdtemp(join(directory, 'hearth-')), feedTo(shape)),
    feedFile('openmetrics', shape), feedFile('prometheus', shape)]);
  const prometheus = await startPrometheus(await importBlocks(openMetrics, join(directory, 'month')));
  const victoria = await startVictoria(join(directory, 'victoria-month'));
  await importVictoria(victoria, text);
  const rows = [];
  for (const days of [1, 7, 30]) {
    const panel = { endS: shape.firstS + seconds, spanS: days * kDayS };
    const ms = [];
    for (const { url } of [hearth, prometheus, victoria]) {
      ms.push(await panelMs(url, quantile(panel.spanS), panel));
    }
    rows.push([`${days} d`, `${ms[0].toFixed(1)} ms`, compared(ms[1], ms[0], 'ms'),
      compared(ms[2], ms[0], 'ms')]);
  }
  for (const server of [hearth, prometheus, victoria]) await server.stop();
  table(['p99 panel of 18 buckets, 1000 points, HTTP', 'Hearth', 'prometheus 2.42',
    'victoria-metrics 1.79'], rows);
}

// What a box under load shows, scraped each second.
async function benchRealSeries() {
  const cleanups = [];
  const appliance = await Appliance.start();
  const prometheus = await startScraper({ after: (cleanup) => cleanups.push(cleanup) },
    new URL(appliance.url).host, { args: ['--web.enable-admin-api'] });
  await runMixedLoad(appliance, { seconds: kRealS });
  const endMs = Date.now();
  let sampleMs = [];
  const hearth = await startHearth(await mkdtemp(join(directory, 'hearth-')), async (stdin) => {
    sampleMs = await replay(prometheus, { reach: `${kRealS + 30}s`, endMs }, stdin);
  });
  const response = await fetch(`${prometheus}/api/v1/admin/tsdb/snapshot`, { method: 'POST' });
  const { data: { name } } = await response.json();
  const { 'storage.tsdb.path': data } = await get(`${prometheus}/api/v1/status/flags`, {});
  const { samples, series } = hearth.sizes;
  const snapshot = await bytesUnder(join(data, 'snapshots', name)) / samples;
  table([`a loaded box, ${series} series, ${sampleMs.length} samples at 1 s`, 'Hearth', 'prometheus 2.42'], [
    ['bytes per sample', `${rawBytes(hearth).toFixed(2)} (tiers: ${tierLines(hearth)})`,
      compared(snapshot, rawBytes(hearth), 'B')],
  ]);
  await hearth.stop();
  await appliance.stop();
  for (const cleanup of cleanups) await cleanup();
}

const kParts = { day: benchMadeDay, month: benchMonth, real: benchRealSeries };
const parts = process.argv.slice(2);
try {
  for (const part of parts.length > 0 ? parts : Object.keys(kParts)) await kParts[part]();
} finally {
  for (const child of running) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
}
