// Every query of the dashboards that vLLM and Ray ship, asked of a Prometheus that scrapes the box and of
// the box itself.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, kBinaries, sleep } from './appliance.mjs';
import { runMixedLoad, switchModel } from './load.mjs';
import { allTargets, fill, kPanelsAreHere, whyEmpty, withoutKubernetes } from './panels.mjs';
import { get, startPrometheus, textOnlyProxy } from './prometheus.mjs';

const kLoadS = Number(process.env.HEARTH_PANELS_S ?? 75);  // 300 for the record
const kScrapeS = 3;  // also the time a scrape may take on a machine that is busy with the load
const kScripted = join(kBinaries, '../lib/fake-nvml');

// 'value', 'NaN' (series without one number) or 'empty'.
async function answer(url, query, startS, endS) {
  const { result } = await get(`${url}/api/v1/query_range`,
    { query, start: startS, end: endS, step: 5 });
  if (result.length === 0) return 'empty';
  return result.some(({ values }) => values.some(([, value]) => value !== 'NaN')) ? 'value' : 'NaN';
}

// Loads and unloads shall have been seen: a counter that is born at 1 tells Prometheus of no increase.
async function switchModels(appliance) {
  for (let turn = 0; turn < 2; ++turn) await switchModel(appliance, 2 * kScrapeS * 1000);
}

test('every panel that vLLM and Ray ship is alive', { timeout: 900000,
  skip: kPanelsAreHere ? false : 'the panels lie beside the project, in ../shared' }, async (t) => {
  // The GPU panels read a scripted NVML where the build made one; a box has its driver's.
  const scripted = existsSync(kScripted);
  const appliance = await Appliance.start({ env: scripted ? { LD_LIBRARY_PATH: kScripted } : {} });
  t.after(() => appliance.stop());
  const target = new URL(appliance.url).host;
  // What a Kubernetes service monitor adds; the production stack's and Perses's panels ask for it.
  const labels = { endpoint: 'service-port', namespace: 'ns', service: 'svc' };
  const scrapers = {
    OpenMetrics: await startPrometheus(t, target, { scrapeS: kScrapeS, labels }),
    text: await startPrometheus(t, await textOnlyProxy(t, target), { scrapeS: kScrapeS, labels }),
  };
  const startS = Math.ceil(Date.now() / 1000);
  const load = runMixedLoad(appliance, { seconds: kLoadS });
  await sleep(5000);
  await switchModels(appliance);
  const { counts, errors } = await load;
  assert.deepEqual(errors, []);
  const endS = Math.floor(Date.now() / 1000);
  t.diagnostic(`load: ${JSON.stringify(counts)}`);

  for (const [format, url] of Object.entries(scrapers)) {
    const window = { query: `min_over_time(up[${endS - startS}s])`, time: endS };
    const [up] = (await get(`${url}/api/v1/query`, window)).result;
    const [scrapes] = (await get(`${url}/api/v1/query`,
      { ...window, query: `count_over_time(up[${endS - startS}s])` })).result;
    const { activeTargets } = await get(`${url}/api/v1/targets`, {});
    t.diagnostic(`${format}: ${scrapes.value[1]} scrapes, lowest up ${up.value[1]}`);
    assert.equal(up.value[1], '1', `a scrape of ${format} failed: ${activeTargets[0].lastError}`);
  }

  const targets = allTargets();
  const dead = [];
  const tally = {};
  for (const { source, title, expr } of targets) {
    const query = fill(expr, 'demo');
    const answers = await Promise.all(
      [scrapers.OpenMetrics, scrapers.text].map((url) => answer(url, query, startS, endS)));
    const kind = answers.includes('empty') ? 'empty' : answers.includes('NaN') ? 'NaN' : 'value';
    const reason = kind === 'value' ? '' : whyEmpty(query);
    tally[source] ??= { value: 0, excused: {} };
    if (kind === 'value') ++tally[source].value;
    else if (reason) tally[source].excused[reason] = (tally[source].excused[reason] ?? 0) + 1;
    else dead.push(`${kind}: ${source}: ${title}: ${query}`);
  }
  for (const [source, { value, excused }] of Object.entries(tally)) {
    t.diagnostic(`${source}: ${value} alive` + Object.entries(excused).map(
      ([reason, count]) => `; ${count} empty (${reason})`).join(''));
  }
  assert.deepEqual(dead, [], `${dead.length} of ${targets.length} targets are dead`);

  // The box answers the same queries from its own history.
  const deadHere = [];
  for (const { source, title, expr } of targets) {
    const query = withoutKubernetes(fill(expr, 'demo'));
    if (/\bup\b/.test(query) || whyEmpty(query)) continue;
    if (await answer(appliance.url, query, startS, endS) === 'empty') {
      deadHere.push(`${source}: ${title}: ${query}`);
    }
  }
  assert.deepEqual(deadHere, [], `${deadHere.length} targets are dead on the box's own history`);
});
