// The four shipped dashboards under a mixed load, in Chromium: every panel has data; the numbers on the
// page are those of the box's API for the same instants; and those are Prometheus's.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { launchBrowser, openPage, settlePanels } from '../web/browser.mjs';
import { Appliance, eventually, kBinaries, kSourceRoot, sleep } from './appliance.mjs';
import { Tally, compare } from './differential.mjs';
import { runMixedLoad, secondsPastTheMinute, switchModel } from './load.mjs';
import { fill, ownTargets } from './panels.mjs';
import { freePort, get } from './prometheus.mjs';
import { Answers, sameNumbers, shownNumbers } from './shown_numbers.mjs';
import { explain, liveSides, startStampedPrometheus } from './stamped_prometheus.mjs';

const kLoadS = Number(process.env.HEARTH_DASHBOARDS_S ?? 35);
const kSettleMs = 3000;
const kQuietMs = 12000;  // between the end of the second model and the instant that prometheus is asked for
const kReach = '10m';
// Windows that lie within the time that was recorded, as those of a page do.
const kDurations = { $__rate_interval: '15s', $interval: '15s', $__range: '20s' };
const kScripted = join(kBinaries, '../lib/fake-nvml');
const kDashboards = { hearthLlm: 'llm', hearthVllm: 'vllm', hearthServe: 'serve', hearthBox: 'box' };

// Rows that stay away, and panels that may be empty: the reason.
const kHidden = {
  GPU: 'no GPU, and the build has no scripted driver',
  Sensors: 'a virtual machine has no sensors',
  'Remote Write': 'no receiver is configured',
};
const kMayBeEmpty = {
  'Core Throttling': 'not every processor counts its throttling',
};

const panelsOf = (uid) => JSON.parse(readFileSync(join(kSourceRoot, `webui/dashboards/${kDashboards[uid]}.json`)))
  .panels.flatMap((panel) => (panel.type === 'row' ? panel.panels : [panel]));

async function checkNumbers(uid, page, answers) {
  const panels = new Map(panelsOf(uid).map((panel) => [panel.id, panel]));
  const wrong = [];
  let count = 0;
  for (const { id, title, numbers } of await shownNumbers(page)) {
    if (numbers.length === 0) continue;
    const possible = await answers.possibleNumbers(panels.get(id));
    if (!possible.some((expected) => sameNumbers(numbers, expected))) wrong.push({ title, shown: numbers, expected: possible[0] });
    count += numbers.reduce((sum, [, ...texts]) => sum + texts.length, 0);
  }
  assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} panels show other numbers than the API`);
  return count;
}

const shortened = (expr) => Object.entries(kDurations).reduce((text, [name, value]) => text.replaceAll(name, value), expr);

// A prometheus that is given the times of samples does not notice that a series has ended.
const hasEnded = ({ key, ours }) => ours === undefined && key.includes('["model_name","second"]');

// Every query of the four files at one instant, of the box and of a prometheus that has its samples.
async function checkAgainstPrometheus(t, ours, theirs, endMs) {
  const sides = await liveSides(t, ours, theirs, endMs, kReach);
  // A whole second, or half past it, that is no sample's age: there 2.42 counts a sample on an edge.
  const residues = new Set(sides.sampleMs.map((time) => time % 1000));
  const atS = Math.floor(endMs / 1000) - 2 + (residues.has(0) ? 0.5 : 0);
  const tally = new Tally();
  for (const { expr } of ownTargets()) {
    const outcome = await compare(ours, theirs, fill(shortened(expr), 'demo'), { start: atS, end: atS, step: 1 });
    tally.add({ ...outcome, different: outcome.different.filter((point) => !hasEnded(point)) });
  }
  const { counts, unexplained } = await explain(tally, sides);
  t.diagnostic(`at one instant: ${tally}; ${JSON.stringify(counts)}`);
  assert.deepEqual(unexplained.slice(0, 5), [], `${unexplained.length} points differ for no known reason`);
  assert.ok(tally.answered > 0.9 * tally.outcomes.length, `${tally}`);
  const explained = Object.values(counts).reduce((sum, count) => sum + count, 0);
  assert.ok(explained < tally.points / 3, `${explained} of ${tally.points} points needed a reason`);
}

test('every panel of the shipped dashboards has data, the API\'s and Prometheus\'s', { timeout: 600000 }, async (t) => {
  const port = await freePort();
  const theirs = await startStampedPrometheus(t, `127.0.0.1:${port}`);
  await eventually('a first scrape', async () => (await get(`${theirs}/api/v1/query`, { query: 'up' })).result.length > 0);
  // The GPU panels read a scripted NVML where the build made one; a box has its driver's.
  const scripted = existsSync(kScripted);
  const startMs = Date.now();
  const appliance = await Appliance.start({ port, args: ['--history-commit-interval', '2'],
    env: scripted ? { LD_LIBRARY_PATH: kScripted } : {} });
  t.after(() => appliance.stop());
  const load = runMixedLoad(appliance, { seconds: secondsPastTheMinute(kLoadS) });
  await sleep(3000);
  await switchModel(appliance);
  await sleep(kQuietMs);
  const { counts, errors } = await load;
  assert.deepEqual(errors, []);
  t.diagnostic(`load: ${JSON.stringify(counts)}`);
  const endMs = Date.now();
  await sleep(kSettleMs);

  const browser = await launchBrowser();
  t.after(() => browser.close());
  for (const uid of Object.keys(kDashboards)) {
    await t.test(uid, async (t) => {
      const problems = [];
      const page = await openPage(browser, appliance.url, problems, { width: 1440, height: 3000 });
      const answers = new Answers(page);
      await page.goto(`${appliance.url}/d/${uid}?from=${startMs}&to=${endMs}&refresh=off`);
      const panels = await settlePanels(page);
      const without = panels.filter(({ state, title }) => state !== 'ready' && !kMayBeEmpty[title]);
      assert.deepEqual(without.map(({ title, state, note }) => `${title}: ${state}: ${note}`), []);
      const hidden = await page.$$eval('.section[hidden] .row-title', (rows) => rows.map((row) => row.childNodes[1].textContent));
      const unexpected = hidden.filter((title) => !kHidden[title] || (title === 'GPU' && scripted));
      assert.deepEqual(unexpected, [], 'rows that are away');
      const numbers = await checkNumbers(uid, page, answers);
      t.diagnostic(`${panels.length} panels have data, ${numbers} numbers are the API's; away: ${hidden.join(', ') || 'nothing'}`);
      assert.ok(numbers > panels.length, `only ${numbers} numbers`);
      assert.deepEqual([...new Set(problems)], []);
      await page.close();
    });
  }
  await t.test('the API and Prometheus', (t) => checkAgainstPrometheus(t, appliance.url, theirs, endMs));
});
