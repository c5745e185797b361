// The box and Debian's prometheus compute the same from the same samples: every expression of the panel
// files and a few hundred generated ones, at random ranges and steps.
//
// A prometheus scrapes the times of our samples with their values (?timestamps=1) and is compared with
// the box itself, name views included. Two more scrape as usual, each second and every five, through
// whatever happens to the box; the samples they hold are replayed into a history, whose answers are
// compared with theirs.
//   HEARTH_DIFFERENTIAL_S     how long samples are taken, 120; 600 for the record
//   HEARTH_DIFFERENTIAL_SEED  of a run to repeat

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Appliance, eventually, kBinaries, sleep } from './appliance.mjs';
import { Tally, compare } from './differential.mjs';
import { ExpressionGenerator, randomNumbers } from './expressions.mjs';
import { runMixedLoad, switchModel } from './load.mjs';
import { allTargets, fill, kPanelsAreHere, ownTargets, withoutKubernetes } from './panels.mjs';
import { freePort, get, kAsTheBox, kEveryView, startPrometheus } from './prometheus.mjs';
import { replay } from './replay.mjs';
import { explain, liveSides, sidesOf, startStampedPrometheus } from './stamped_prometheus.mjs';
import { kClasses } from './version_differences.mjs';

const kSeconds = Number(process.env.HEARTH_DIFFERENTIAL_S ?? 120);
const kSeed = Number(process.env.HEARTH_DIFFERENTIAL_SEED ?? Date.now() % 1e6);
const kGenerated = 240;
const kEdges = 60;
const kPointsMax = 120;  // of a series in one answer
const kReach = `${kSeconds + 120}s`;

// A range query's window inside [fromMs, toMs]. No step minus a number of seconds is the time of a
// sample: there 2.42 counts the sample at a window's left edge and 3 does not. Steps are below 10 s, from
// which on long ranges are answered from a coarser tier, and so are single points.
function randomWindow(random, sides) {
  const residues = new Set(sides.sampleMs.map((time) => time % 1000));
  for (;;) {
    const stepMs = random() < 0.7 ? 1000 * (1 + Math.floor(random() * 9))
      : 1000 + Math.floor(random() * 8999);
    const startMs = Math.floor(sides.fromMs + random() * (sides.toMs - sides.fromMs));
    const steps = Math.floor(random() * Math.min(kPointsMax, (sides.toMs - startMs) / stepMs));
    if (steps === 0) continue;
    const times = Array.from({ length: steps + 1 }, (_, i) => startMs + i * stepMs);
    if (times.some((time) => residues.has(time % 1000))) continue;
    return { start: startMs / 1000, end: times.at(-1) / 1000, step: stepMs / 1000 };
  }
}

// The series that both can be asked for; not the scraper's own and OpenMetrics's creation times.
async function commonSeries({ theirs, fromMs, toMs }) {
  const all = await get(`${theirs}/api/v1/series`,
    { 'match[]': '{__name__=~".+"}', start: fromMs / 1000, end: toMs / 1000 });
  return all.filter(({ __name__: name }) => !/^up$|^scrape_|_created$/.test(name));
}

function panelExpressions() {
  const targets = [...ownTargets(), ...(kPanelsAreHere ? allTargets() : [])];
  return targets.map(({ expr }) => withoutKubernetes(fill(expr, 'demo')));
}

async function askBoth(t, name, sides) {
  const random = randomNumbers(kSeed);
  const series = await commonSeries(sides);
  const generated = new ExpressionGenerator(kSeed, series, kSeconds).make(kGenerated);
  const kinds = { 'panel expressions': panelExpressions(), 'generated expressions': generated };
  for (const [kind, expressions] of Object.entries(kinds)) {
    const tally = new Tally();
    for (const query of expressions) {
      if (/\bup\b/.test(query)) continue;  // the scraper's own
      tally.add(await compare(sides.ours, sides.theirs, query, randomWindow(random, sides)));
    }
    const { counts, unexplained } = await explain(tally, sides);
    t.diagnostic(`${name}, ${series.length} series, ${kind}: ${tally}`);
    for (const [kind, count] of Object.entries(counts).filter(([, count]) => count > 0)) {
      t.diagnostic(`  ${count} points: ${kind}: ${kClasses[kind]}`);
    }
    assert.deepEqual(unexplained.slice(0, 10), [], `${unexplained.length} points differ for no known reason`);
    assert.ok(tally.points > 1000, `only ${tally.points} points`);
    assert.ok(tally.answered > 0.7 * tally.outcomes.length, `${tally}`);
    const explained = Object.values(counts).reduce((sum, count) => sum + count, 0);
    assert.ok(explained < tally.points / 2, `${explained} of ${tally.points} points needed a reason`);
  }
  await askAtEdges(t, name, sides, new ExpressionGenerator(kSeed, series, kSeconds));
}

// Exactly a range after a sample, where 2.42 counts it and 3 does not: what the box says of a range is
// what 2.42 says of one that is a millisecond shorter.
async function askAtEdges(t, name, sides, generator) {
  const tally = new Tally();
  let counted = 0;
  for (let i = 0; i < kEdges; ++i) {
    const rangeS = generator.pick(generator.ranges.filter((range) => range < kSeconds / 3));
    const startMs = generator.pick(sides.sampleMs.slice(0, sides.sampleMs.length / 3)) + rangeS * 1000;
    if (sides.lostMs.some((time) => time > startMs - 1000 * rangeS && time < startMs + 10000)) continue;
    const window = { start: startMs / 1000, end: startMs / 1000 + 10, step: 1 };
    const selector = generator.selector(generator.anything());
    const text = (range) =>
      `${['count', 'sum', 'avg', 'min', 'max', 'stddev'][i % 6]}_over_time(${selector}[${range}])`;
    tally.add(await compare(sides.ours, sides.theirs, text(`${rangeS}s`), window,
      text(`${rangeS * 1000 - 1}ms`)));
    const closed = await compare(sides.ours, sides.theirs, text(`${rangeS}s`), window);
    counted += closed.different.length;
  }
  t.diagnostic(`${name}, ranges that begin at a sample: ${tally}; ${counted} points differ where 2.42 ` +
    'counts that sample');
  assert.deepEqual(tally.different, []);
  assert.ok(counted > 0, 'no range began at a sample');
}

// A history that holds what `theirs` scraped, served as the box serves its own.
async function replaySides(t, theirs, endMs) {
  const directory = await mkdtemp(join(tmpdir(), 'hearth-differential-'));
  const server = spawn(join(kBinaries, 'history_server'), [directory, '--replay'],
    { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(server, 'exit');
  t.after(async () => {
    server.stdin.end();
    await exited;
    await rm(directory, { recursive: true, force: true });
  });
  const sampleMs = await replay(theirs, { reach: kReach, endMs }, server.stdin);
  server.stdin.write('serve\n');
  const [ours] = await once(createInterface({ input: server.stdout }), 'line');
  return sidesOf(ours, theirs, sampleMs, sampleMs.at(-1));
}

test('the box and prometheus compute the same from the same samples', { timeout: 3600000 }, async (t) => {
  t.diagnostic(`HEARTH_DIFFERENTIAL_SEED=${kSeed} HEARTH_DIFFERENTIAL_S=${kSeconds}`);
  const port = await freePort();
  const target = `127.0.0.1:${port}`;
  const stamped = await startStampedPrometheus(t, target);
  const scrapers = {};
  for (const scrapeS of [1, 5]) {
    scrapers[scrapeS] = await startPrometheus(t, target,
      { scrapeS, scrape: { ...kAsTheBox, params: { view: kEveryView } } });
  }
  for (const url of [stamped, ...Object.values(scrapers)]) {
    await eventually('a first scrape', async () => (await get(`${url}/api/v1/query`,
      { query: 'up' })).result.length > 0);
  }
  const appliance = await Appliance.start({ port });
  t.after(() => appliance.stop());
  const { errors } = await runMixedLoad(appliance, { seconds: kSeconds - 25 });
  assert.deepEqual(errors, []);
  const endMs = Date.now();
  await switchModel(appliance);  // series begin and end
  await sleep(12000);

  await askBoth(t, 'the box, its own sample times', await liveSides(t, appliance.url, stamped, endMs, kReach));
  for (const [scrapeS, url] of Object.entries(scrapers)) {
    await askBoth(t, `scraped every ${scrapeS} s`, await replaySides(t, url, Date.now()));
  }
});
