// Headless Chromium on the dashboard of an appliance: busy (tests/web/browser_test.mjs), and while its
// panels have nothing to show.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { allPanels, readDashboard } from '../../webui/js/dashboard/dashboard_model.js';
import { usesEngineMetrics } from '../../webui/js/prometheus/empty_reason.js';
import { launchBrowser, openPage, readPanels } from '../web/browser.mjs';
import { Appliance, eventually, kSourceRoot, sleep } from './appliance.mjs';
import { runLoad } from './load.mjs';

const kOut = process.env.HEARTH_SCREENSHOTS ?? join(kSourceRoot, 'build/screenshots');
const kWarmUpS = Number(process.env.HEARTH_DASHBOARD_WARM_UP_S ?? 15);
const kTall = { width: 1440, height: 9500 };  // every panel is in sight and takes part in a refresh
const kPatienceMs = 120000;

// Asks until stop() is called, which returns what went wrong.
function keepBusy(appliance, streams) {
  let busy = true;
  const load = (async () => {
    const errors = [];
    while (busy) errors.push(...(await runLoad(appliance, { streams, seconds: 3, pauseMs: 400 })).errors);
    return errors;
  })();
  return { stop: () => { busy = false; return load; } };
}

// Ids of the panels that show engine metrics of the shown range alone.
async function enginePanelIds() {
  const file = join(kSourceRoot, 'webui/dashboards/llm.json');
  return allPanels(readDashboard(JSON.parse(await readFile(file, 'utf8'))))
    .filter(({ targets }) => targets.every(({ expr }) => usesEngineMetrics([expr]) && !/\[(1[dhw]\]|24h:)/.test(expr)))
    .map(({ id }) => id);
}

test('the dashboard shows data in every panel', { timeout: 600000 }, async (t) => {
  await mkdir(kOut, { recursive: true });
  const appliance = await Appliance.start({ name: 'hearth-demo' });
  t.after(() => appliance.stop());
  const load = keepBusy(appliance, 8);
  t.after(() => load.stop());
  await sleep(kWarmUpS * 1000);
  const browser = spawn('node', [join(kSourceRoot, 'tests/web/browser_test.mjs'),
    '--url', appliance.url, '--out', kOut], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  browser.stdout.on('data', (data) => { output += data; });
  browser.stderr.on('data', (data) => { output += data; });
  const [code] = await once(browser, 'exit');
  const errors = await load.stop();
  t.diagnostic(output.trim().split('\n').join(' | '));
  assert.equal(code, 0, output);
  assert.deepEqual(errors, []);
});

test('an empty panel says why', { timeout: 600000 }, async (t) => {
  await mkdir(kOut, { recursive: true });
  const appliance = await Appliance.start({ name: 'hearth-demo' });
  t.after(() => appliance.stop());
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, appliance.url, problems, kTall);
  const panelsWhen = (what, holds) => eventually(what, async () => {
    const panels = await readPanels(page);
    return holds(panels) && panels;
  }, kPatienceMs);
  const panel = (panels, title) => panels.find((one) => one.title === title);
  const switchEngineMetrics = async (on) => assert.equal(
    (await appliance.models('PATCH', 'hearth-demo', { log_engine_metrics: on })).status, 200);
  const showRange = async (from) => {
    await page.click('#time-picker');
    await page.fill('#time-from', from);
    await page.fill('#time-to', 'now');
    await page.getByText('Apply time range').click();
  };
  const eventTexts = () => page.$$eval('.event-handle', (all) => all.map((one) => one.title).join('\n'));
  const engineIds = await enginePanelIds();
  assert.ok(engineIds.length > 10, String(engineIds));

  await page.goto(`${appliance.url}/?from=now-15m&to=now&refresh=1s`);
  await panelsWhen('TTFT to say that nothing was served', (panels) =>
    panel(panels, 'TTFT')?.note === 'Nothing served yet in this time range');

  const load = keepBusy(appliance, 3);
  t.after(() => load.stop());
  await panelsWhen('data in every panel, without a reload', (panels) =>
    panels.every((one) => one.state === 'ready'));

  await switchEngineMetrics(false);
  await page.getByText('hearth-demo: engine metrics off').waitFor();
  await showRange('now-10s');
  const off = await panelsWhen('the switch to be named in every panel of engine metrics', (panels) =>
    panels.filter((one) => engineIds.includes(one.id)).every((one) => one.reason === 'engine-metrics-off'));
  assert.equal(panel(off, 'TTFT').note,
    'Engine metrics are switched off for model hearth-demo (log_engine_metrics: false)');
  for (const title of ['Goodput', 'SLO Attainment', 'TTFT -- Fine Buckets', 'Average Batch Size', 'Model Memory']) {
    assert.equal(panel(off, title).state, 'ready', `${title}: ${panel(off, title).note}`);
  }
  await page.screenshot({ path: join(kOut, 'dashboard-engine-metrics-off.png') });

  await switchEngineMetrics(true);
  await panelsWhen('data in every panel again, without a reload', (panels) =>
    panels.every((one) => one.state === 'ready'));
  await page.getByText('hearth-demo: engine metrics off').waitFor({ state: 'detached' });

  await showRange('now-15m');
  for (const text of ['hearth-demo is ready', 'log_engine_metrics of hearth-demo is false', 'log_engine_metrics of hearth-demo is true']) {
    await eventually(`"${text}" on the charts`, async () => (await eventTexts()).includes(text), kPatienceMs);
  }
  await page.screenshot({ path: join(kOut, 'dashboard-events.png') });
  await page.keyboard.press('a');
  assert.equal(await eventTexts(), '');
  assert.deepEqual(await load.stop(), []);
  assert.deepEqual([...new Set(problems)], []);
});
