// What the dashboard costs: bytes, first paint, a core's share in live mode, memory over an hour; beside
// a plain loop of Chart.js charts with default options that shows the same panels.
// Prints a markdown table for docs/PERFORMANCE.md.
//   node tests/bench/dashboard_bench.mjs [page] [live] [hour]     all by default
// Needs chromium, and hearthd and hearth-engine in HEARTH_BIN. HEARTH_WALL_S: seconds of live mode, 60.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Appliance, sleep } from '../e2e/appliance.mjs';
import { runLoad } from '../e2e/load.mjs';
import { launchBrowser } from '../web/browser.mjs';
import { startSteadyBox, wallDashboard } from './steady_box.mjs';

const kPanels = 40;
const kColumns = 8;
const kLiveS = Number(process.env.HEARTH_WALL_S ?? 60);
const kWall = { width: 3840, height: 2160 };
const kHourTicks = 3600;
const kTicksPerLook = 600;
const kPlainTicks = 60;  // each is most of a second of work
const kTicksPerSecond = 100;  // of the browser: clock ticks of /proc

const parts = process.argv.slice(2);
const asked = (part) => parts.length === 0 || parts.includes(part);
const rows = [];
const note = (what, value) => { rows.push([what, value]); console.log(`${what}: ${value}`); };

// A loop as one writes it first: every second each chart gets all its points anew.
const kPlainLoop = `<!DOCTYPE html><meta charset="utf-8"><style>body{display:grid;grid-template-columns:repeat(${kColumns},1fr);gap:8px}
div{position:relative;height:250px}</style><body><script src="/vendor/chart.umd.js"></script><script>
const charts = Array.from({length: ${kPanels}}, () => {
  const canvas = document.createElement('canvas');
  const box = document.createElement('div');
  box.append(canvas); document.body.append(box);
  return new Chart(canvas, {type: 'line', data: {datasets: []}, options: {maintainAspectRatio: false, scales: {x: {type: 'linear'}}}});
});
async function refresh() {
  const end = Math.floor(Date.now() / 60000) * 60;
  await Promise.all(charts.map(async (chart, index) => {
    const response = await fetch('/api/v1/query_range?query=made_up_' + index + '&start=' + (end - 21600) + '&end=' + end + '&step=60');
    const {data} = await response.json();
    chart.data.datasets = data.result.map((series) => ({label: series.metric.model_name,
      data: series.values.map(([x, y]) => ({x: x * 1000, y: Number(y)}))}));
    chart.update();
  }));
}
window.onload = () => { refresh(); setInterval(refresh, 1000); };
</script>`;

/** CPU seconds used so far by the process and all below it. */
function cpuSeconds(pid) {
  const children = new Map();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const parent = Number(fields[1]);
      children.set(parent, [...(children.get(parent) ?? []), { pid: Number(entry), ticks: Number(fields[11]) + Number(fields[12]) }]);
    } catch {
      // It ended meanwhile.
    }
  }
  const below = (parent) => (children.get(parent) ?? []).reduce((sum, child) => sum + child.ticks + below(child.pid), 0);
  return below(pid) / kTicksPerSecond;
}

async function openCounted(browser, url, viewport, clock = false) {
  const page = await browser.newPage({ viewport });
  if (clock) await page.clock.install({ time: Date.now() });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  page.on("pageerror", (error) => console.error(`exception: ${error.stack}`));
  page.on("console", (message) => message.type() === "error" && console.error(message.text()));
  await page.goto(url);
  const metrics = async () => {
    const answer = await session.send('Performance.getMetrics');
    return Object.fromEntries(answer.metrics.map(({ name, value }) => [name, value]));
  };
  const heap = async () => {
    await session.send('HeapProfiler.collectGarbage');
    return (await metrics()).JSHeapUsedSize;
  };
  return { page, metrics, heap };
}

async function benchPage(appliance, browser) {
  const session = await (await browser.newContext()).newPage();
  const cdp = await session.context().newCDPSession(session);
  await cdp.send('Network.enable');
  const bytes = { all: 0, requests: 0 };
  const urls = new Map();
  cdp.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (/\/api\//.test(urls.get(requestId) ?? '')) return;
    bytes.all += encodedDataLength;
    ++bytes.requests;
  });
  await session.setViewportSize({ width: 1440, height: 900 });
  await session.goto(`${appliance.url}/`);
  await session.waitForSelector('.panel[data-state="ready"] canvas');
  const times = await session.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    drawn: performance.now(),
  }));
  note('files of the dashboard page, compressed', `${(bytes.all / 1000).toFixed(1)} kB in ${bytes.requests} files`);
  note('first contentful paint', `${times.paint.toFixed(0)} ms`);
  note('first panel with data at most', `${times.drawn.toFixed(0)} ms`);
  await session.close();
}

/** Share of a core and scripting per refresh over kLiveS seconds of a page that refreshes itself. */
async function benchLive(name, browser, url) {
  const { page, metrics } = await openCounted(browser, url, kWall);
  await sleep(8000);
  const [cpu0, before] = [cpuSeconds(process.pid), await metrics()];
  await sleep(kLiveS * 1000);
  const [cpu1, after] = [cpuSeconds(process.pid), await metrics()];
  const script = (after.ScriptDuration - before.ScriptDuration) / kLiveS * 1000;
  const task = (after.TaskDuration - before.TaskDuration) / kLiveS * 1000;
  note(`${name}: all of Chromium`, `${((cpu1 - cpu0) / kLiveS * 100).toFixed(1)} % of a core`);
  note(`${name}: scripting per refresh`, `${script.toFixed(1)} ms (main thread ${task.toFixed(1)} ms)`);
  await page.close();
}

/** An hour of live mode with the page's clock run forward, second by second. */
async function benchHour(name, browser, url, ticks = kHourTicks) {
  const { page, heap } = await openCounted(browser, url, kWall, true);
  for (let second = 0; second < 30; ++second) await page.clock.runFor(1000);
  await page.waitForLoadState('networkidle');
  const sizes = [await heap()];
  for (let second = 1; second <= ticks; ++second) {
    await page.clock.runFor(1000);
    if (second % kTicksPerLook === 0) sizes.push(await heap());
  }
  if (ticks < kTicksPerLook) sizes.push(await heap());
  note(`${name}: heap over ${ticks} s of live mode`, sizes.map((size) => (size / 1048576).toFixed(1)).join(' → ') + ' MiB');
  await page.close();
}

const appliance = await Appliance.start({ name: 'hearth-demo' });
const wall = wallDashboard('bench', kPanels, kColumns);
const box = await startSteadyBox(appliance.url, {
  '/api/dashboards/bench': { dashboard: wall, meta: { source: 'uploaded', version: 1, undrawn: [] } },
  '/plain': kPlainLoop,
});
const browser = await launchBrowser();
try {
  note('browser', execFileSync('chromium', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim());
  if (asked('page')) {
    await runLoad(appliance, { streams: 2, seconds: 5 });
    await benchPage(appliance, browser);
  }
  if (asked('live')) {
    await benchLive(`${kPanels} panels × 6 h at 1 s`, browser, `${box.url}/d/bench?refresh=1s`);
    await benchLive('plain loop of Chart.js', browser, `${box.url}/plain`);
  }
  if (asked('hour')) {
    await benchHour('dashboard', browser, `${box.url}/d/bench?refresh=1s`);
    await benchHour('plain loop of Chart.js', browser, `${box.url}/plain`, kPlainTicks);
  }
} finally {
  await browser.close();
  box.server.close();
  box.server.closeAllConnections();
  await appliance.stop();
}
console.log(`\n| what | figure |\n|---|---|\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}`);
