// The history from outside: `hearth history`, backups of a box that serves, restores, and exports
// that Prometheus's own tool takes.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Appliance, kBinaries, sleep } from './appliance.mjs';

const run = promisify(execFile);
const kMaxOutput = 256 << 20;

// {code, stdout, stderr} of `hearth history ...`.
async function hearth(...args) {
  try {
    return { code: 0, ...await run(join(kBinaries, 'hearth'), ['history', ...args], { maxBuffer: kMaxOutput }) };
  } catch (error) {
    return { code: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

async function directory(t) {
  const path = await mkdtemp(join(tmpdir(), 'hearth-history-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function instant(appliance, query) {
  const response = await fetch(`${appliance.url}/api/v1/query?${new URLSearchParams({ query })}`);
  const body = await response.json();
  assert.equal(body.status, 'success', JSON.stringify(body));
  return body.data.result;
}

test('the command and the page see the same tiers', async (t) => {
  const appliance = await Appliance.start({ args: ['--history-commit-interval', '2'] });
  t.after(() => appliance.stop());
  await sleep(5000);
  const over = JSON.parse((await hearth('tiers', '--json', '--url', appliance.url)).stdout);
  const file = JSON.parse((await hearth('tiers', '--json', '--state', appliance.state)).stdout);
  const names = (stats) => stats.tiers.map(({ name, step_s, keep_s }) => [name, step_s, keep_s]);
  assert.deepEqual(names(over), names(file));
  assert.ok(file.series > 400 && file.series <= over.series, `${file.series} of ${over.series}`);
  assert.equal(over.bytes_max, 512 << 20);
  const table = (await hearth('tiers', '--url', appliance.url)).stdout;
  assert.match(table, /^tier +step +keep +rows +bytes +oldest +newest\nraw +- +6 h/);
  assert.match((await hearth('size', '--url', appliance.url)).stdout, /limit +512\.0 MiB/);
  assert.match((await hearth('check', '--url', appliance.url)).stdout, /^ok: \d+ samples/);
  const nowhere = await hearth('size', '--state', join(appliance.state, 'absent'));
  assert.equal(nowhere.code, 3);
  assert.match(nowhere.stderr, /there is no history/);
});

test('a backup of a serving box comes back in another', async (t) => {
  const first = await Appliance.start();
  t.after(() => first.stop());
  await first.ask('What is TTFT?');
  await sleep(3000);
  const file = join(await directory(t), 'backup.db');
  const made = await hearth('backup', file, '--url', first.url);
  assert.equal(made.code, 0, made.stderr);
  assert.equal((await hearth('backup', file, '--url', first.url)).code, 2, 'nothing is overwritten');
  assert.deepEqual((await readdir(first.state)).filter((name) => name.includes('temporary')), []);
  const query = 'sum(max_over_time(vllm:generation_tokens_total[1h]))';
  const [{ value: [, tokens] }] = await instant(first, query);
  assert.ok(Number(tokens) > 0);

  const state = await directory(t);
  const second = await Appliance.start({ state });
  t.after(() => second.kill9());  // where the test ends before its end
  await sleep(1500);
  const handed = await hearth('restore', file, '--url', second.url);
  assert.equal(handed.code, 0, handed.stderr);
  assert.equal(Number((await instant(second, query))[0].value[1]), 0, 'not before the next start');
  await second.stop();

  const third = await Appliance.start({ state });
  t.after(() => third.stop());
  await sleep(1500);
  assert.equal((await instant(third, query))[0].value[1], tokens);
  assert.ok((await readdir(state)).some((name) => name.includes('.before-restore-')));
  assert.match(third.log, /history_restored: restored from a backup/);
});

test('what is no backup is refused and changes nothing', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const place = await directory(t);
  const backup = join(place, 'backup.db');
  await hearth('backup', backup, '--url', appliance.url);

  const text = join(place, 'text');
  await writeFile(text, 'not a database, but long enough to be read as one. '.repeat(1000));
  const foreign = await hearth('restore', text, '--url', appliance.url);
  assert.notEqual(foreign.code, 0);
  assert.match(foreign.stderr, /not a database/);
  await truncate(backup, (await stat(backup)).size / 2);
  const half = await hearth('restore', backup, '--url', appliance.url);
  assert.notEqual(half.code, 0);
  const empty = await fetch(`${appliance.url}/api/history/restore`, { method: 'POST' });
  assert.equal(empty.status, 400);
  const names = await readdir(appliance.state);
  assert.deepEqual(names.filter((name) => /restore|upload/.test(name)), []);
});

// Runs promtool over the export and reads what it made, {'name{labels}': [[ms, value], ...]}.
async function throughPromtool(t, exportFile) {
  const blocks = await directory(t);
  await run('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', exportFile, blocks]);
  await mkdir(join(blocks, 'wal'));  // which dump looks for
  const { stdout } = await run('promtool', ['tsdb', 'dump', blocks], { maxBuffer: kMaxOutput });
  const series = {};
  for (const line of stdout.split('\n').filter(Boolean)) {
    const [, labels, value, ms] = line.match(/^(\{.*\}) (\S+) (\d+)$/);
    (series[labels] ??= []).push([Number(ms), Number(value)]);
  }
  return series;
}

test("promtool takes an OpenMetrics export, value for value", async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  await appliance.ask('What is TTFT?');
  await sleep(4000);
  const place = await directory(t);
  const backup = join(place, 'history.db');  // the state directory of a box that does not run
  assert.equal((await hearth('backup', backup, '--url', appliance.url)).code, 0);
  const file = join(place, 'export.om');
  const made = await hearth('export', '--format', 'openmetrics', '-o', file, '--state', place);
  assert.equal(made.code, 0, made.stderr);
  const theirs = await throughPromtool(t, file);

  const csv = (await hearth('export', '--format', 'csv', '--state', place)).stdout;
  const ours = new Map();
  for (const line of csv.trim().split('\n').slice(1)) {
    const [, time, series, value] = line.match(/^([^,]+),"(.*)",([^,]+)$/);
    const name = series.replaceAll('""', '"');
    if (!ours.has(name)) ours.set(name, []);
    ours.get(name).push([Date.parse(time), value === '+Inf' ? Infinity : Number(value)]);
  }
  assert.ok(ours.size > 400, `${ours.size} series`);
  assert.equal(Object.keys(theirs).length, ours.size);
  let samples = 0;
  for (const [name, points] of ours) {
    const [, metric, labels] = name.match(/^([^{]+)(?:\{(.*)\})?$/);
    // promtool writes {__name__="x", a="b"}, sorted by name.
    const pairs = [['__name__', `"${metric}"`],
      ...[...(labels ?? '').matchAll(/([a-zA-Z_]\w*)=("(?:[^"\\]|\\.)*")/g)].map((m) => [m[1], m[2]])];
    const key = `{${pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map((p) => p.join('=')).join(', ')}}`;
    assert.ok(theirs[key], `promtool lost ${key}`);
    assert.deepEqual(theirs[key], points, key);
    samples += points.length;
  }
  t.diagnostic(`${samples} samples of ${ours.size} series are the same`);
});
