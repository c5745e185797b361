// A prometheus that holds the box's own samples at the box's own times, so that both must compute the
// same from them; and what explains where they do not.

import assert from 'node:assert/strict';
import { kAsTheBox, kEveryView, get, startPrometheus } from './prometheus.mjs';
import { VersionDifferences, kClasses } from './version_differences.mjs';

const kLostMax = 0.01;  // of the box's samples, by a machine that is busy with something else
const kAheadMs = 6000;  // negative offsets look no further
const kAlwaysThere = 'hearth_build_info';

// Scrapes twice a second, so that no sample is missed; to be started before the box, so that the first
// is not.
export function startStampedPrometheus(t, target) {
  return startPrometheus(t, target, { scrapeS: 0.5, args: ['--web.enable-admin-api'],
    scrape: { ...kAsTheBox, params: { timestamps: ['1'], view: kEveryView } } });
}

// {ours, theirs, sampleMs: the times of all samples, lostMs: of those that only ours has, fromMs, toMs:
// what may be asked for}. Most windows of a minute shall lie within the samples.
export function sidesOf(ours, theirs, sampleMs, endMs, lostMs = []) {
  const toMs = endMs - kAheadMs;
  const fromMs = Math.min(sampleMs[0] + 62000, (sampleMs[0] + toMs) / 2);
  return { ours, theirs, sampleMs, lostMs, fromMs, toMs };
}

// The times of a series' samples, in milliseconds, over `reach` before endS.
async function sampleTimes(url, reach, endS) {
  const { result } = await get(`${url}/api/v1/query`, { query: `${kAlwaysThere}[${reach}]`, time: endS });
  return result.flatMap(({ values }) => values.map(([time]) => Math.round(time * 1000)));
}

// The box against a prometheus that has its sample times. What it scraped before the box recorded
// anything is deleted there.
export async function liveSides(t, ours, theirs, endMs, reach) {
  const recorded = await sampleTimes(ours, reach, endMs / 1000);
  const scraped = await sampleTimes(theirs, reach, endMs / 1000);
  for (const time of scraped.filter((time) => !recorded.includes(time))) {
    await fetch(`${theirs}/api/v1/admin/tsdb/delete_series?` + new URLSearchParams(
      { 'match[]': '{__name__=~".+"}', start: time / 1000, end: time / 1000 }), { method: 'POST' });
  }
  const lost = recorded.filter((time) => !scraped.includes(time));
  const found = `${lost.length} of the box's ${recorded.length} samples were not scraped`;
  t.diagnostic(found);
  assert.ok(lost.length < kLostMax * recorded.length, found);
  return sidesOf(ours, theirs, recorded, endMs, lost);
}

// Counts the points of each class that explains a difference; what no class explains is returned.
export async function explain(tally, sides) {
  const versions = new VersionDifferences(sides);
  const counts = Object.fromEntries(Object.keys(kClasses).map((name) => [name, 0]));
  const unexplained = [];
  for (const { query, window, different } of tally.different) {
    for (const point of different) {
      const found = point.atS && await versions.classOf(query, window, point);
      if (found) ++counts[found];
      else unexplained.push({ query, window, ...point });
    }
  }
  return { counts, unexplained };
}
