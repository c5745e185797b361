// Every panel type beside time series in a real browser, from fixed answers: the numbers that stand in the
// page, and those that its canvases were given, are computed here anew.
//
// HEARTH_PAGES names a tests/web/dev_server.mjs, to try the pages of the source tree without a build.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, eventually } from './appliance.mjs';
import { bucketCount, kTypesDashboard, serveTypes } from './panel_types.mjs';

const kFromMs = 1700000000000;
const kToMs = kFromMs + 900000;
const kTall = { width: 1440, height: 2800 };

const panelId = (title) => kTypesDashboard.panels.find((panel) => panel.title === title).id;
const panelAt = (page, title) => page.locator(`[data-panel-id="${panelId(title)}"]`);

/** What Chart.js was given for the canvas of a panel: [{data, backgroundColor, label}]. */
function chartData(page, title) {
  return panelAt(page, title).locator('canvas').first().evaluate((canvas) =>
    globalThis.Chart.getChart(canvas).data.datasets.map(({ data, backgroundColor, label }) => ({ data, backgroundColor, label })));
}

const texts = (locator) => locator.allInnerTexts();

async function hover(page, title, shareX, shareY) {
  const box = await panelAt(page, title).locator('canvas').first().boundingBox();
  await page.mouse.move(box.x + box.width * shareX, box.y + box.height * shareY);
  return page.locator('.tooltip').innerText();
}

async function openTypes(t) {
  let url = process.env.HEARTH_PAGES;
  if (!url) {
    const appliance = await Appliance.start({ name: 'hearth-demo' });
    t.after(() => appliance.stop());
    url = appliance.url;
  }
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, url, problems, kTall);
  await serveTypes(page);
  const show = async (search = '') => {
    await page.goto(`${url}/d/panel-types?from=${kFromMs}&to=${kToMs}&refresh=off${search}`);
    await eventually('every panel to be drawn', () => page.$$eval('.panel',
      (all) => all.length > 30 && all.every((panel) => panel.dataset.state === 'ready')));
  };
  return { page, problems, show };
}

async function testHeatmap(page) {
  const [{ data }] = await chartData(page, 'Latency');
  const stepMs = data[0].x2 - data[0].x;
  for (const cell of data) assert.equal(cell.v, bucketCount(Math.round(cell.x2 / stepMs), cell.row), JSON.stringify(cell));
  assert.ok(data.length > 500 && data.every(({ v }) => v > 0), 'cells without a count are not drawn');
  const most = Math.max(...data.map(({ v }) => v));
  const scale = await texts(panelAt(page, 'Latency').locator('.heat-scale span'));
  assert.deepEqual(scale, [String(Math.min(...data.map(({ v }) => v))), String(most)]);
  assert.equal(data.find(({ v }) => v === most).color, 'rgb(255, 245, 235)', 'the most has the scheme’s far end');
  const label = await panelAt(page, 'Latency').locator('canvas').getAttribute('aria-label');
  assert.match(label, new RegExp(`heatmap of 8 rows; most, ${most}, in `));

  assert.match(await panelAt(page, 'Latency').locator('.event-handle').getAttribute('title'), /hearth-demo is ready/);

  const [old] = await chartData(page, 'Old heatmap');
  assert.ok(old.data.every(({ color }) => color.startsWith('rgba(115, 191, 105, ')), 'opacity of one colour');
  const [counted] = await chartData(page, 'Throughput counted');
  const samples = counted.data.reduce((sum, { v }) => sum + v, 0);
  assert.ok(samples % 3 === 0 && samples > 300, `every sample of three series is counted once: ${samples}`);
}

async function testHeatmapPointer(page) {
  const tip = await hover(page, 'Latency', 0.5, 0.5);
  assert.match(tip, /Bucket\s+.+ – .+/);
  assert.ok(await page.locator('.crosshair:not([hidden])').count() > 3, 'the crosshair stands on all charts over time');
  const box = await panelAt(page, 'Latency').locator('canvas').boundingBox();
  assert.ok(await panelAt(page, 'Latency').locator('.heat-cursor').isVisible() === / Count /.test(tip.replace(/\s+/g, ' ')), 'a cell with a count is framed');
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  const params = new URL(page.url()).searchParams;
  const width = Number(params.get('to')) - Number(params.get('from'));
  assert.ok(width > 150000 && width < 400000, `a quarter of the plot is dragged: ${width} ms`);
}

async function testHistogram(page) {
  const three = await chartData(page, 'Values');
  assert.deepEqual(three.map(({ label }) => label), ['hearth-demo', 'qwen-small', 'qwen-large']);
  const counts = three.map(({ data }) => data.reduce((sum, { y }) => sum + y, 0));
  assert.ok(counts[0] > 100 && counts.every((count) => count === counts[0]), `as many values of each: ${counts}`);
  const [combined] = await chartData(page, 'Combined');
  assert.equal(combined.data.reduce((sum, { y }) => sum + y, 0), 3 * counts[0]);
  assert.ok(combined.data.every(({ x }) => x % 10 === 5), 'buckets of 10 around …5');
  const legend = panelAt(page, 'Values').locator('.legend-entry');
  await legend.first().click();
  assert.deepEqual(await legend.evaluateAll((all) => all.map((one) => one.getAttribute('aria-pressed'))), ['true', 'false', 'false']);
  await legend.first().click();
  assert.match(await hover(page, 'Values', 0.5, 0.5), / – [^]*hearth-demo\s+\d+/);
}

async function testStates(page) {
  const [{ data }] = await chartData(page, 'Model state');
  const first = data.filter(({ row }) => row === 0);
  assert.ok(first.length > 3 && first.every(({ text }, index) => text !== first[index + 1]?.text), 'equal neighbours are one state');
  const colors = { ready: '#73bf69', loading: '#f2cc5c', failed: '#f2596f' };
  assert.ok(data.every(({ text, color }) => color === colors[text]), 'the colours of the mappings');
  assert.deepEqual((await texts(panelAt(page, 'Model state').locator('.legend-text'))).sort(), ['failed', 'loading', 'ready']);
  assert.match(await panelAt(page, 'Model state').locator('canvas').getAttribute('aria-label'), /hearth-demo is (ready|loading|failed) since /);
  assert.match(await hover(page, 'Model state', 0.5, 0.2), /hearth-demo\s+(ready|loading|failed)[^]*Duration\s+\d+s/);

  assert.equal(await panelAt(page, 'Model state').locator('.event-mark').count(), 1);

  const [history] = await chartData(page, 'Model samples');
  assert.ok(history.data.length > 3 * data.length, 'status history: a cell for each sample');
  const widths = new Set(history.data.map(({ x, x2 }) => x2 - x));
  assert.equal(widths.size, 1);
  const [load] = await chartData(page, 'GPU load');
  assert.deepEqual([...new Set(load.data.map(({ text }) => text))].sort(), ['60% – 85%', '< 60%', '≥ 85%']);
}

async function testTable(page) {
  const table = panelAt(page, 'Requests');
  const cells = async (column) => texts(table.locator(`tbody tr td:nth-child(${column})`));
  const heads = await texts(table.locator('thead .head-sort > span'));
  assert.deepEqual(heads, ['Time', '__name__', 'finish_reason', 'instance', 'model_name', 'Requests']);
  assert.deepEqual(await cells(6), ['3.01 K', '3 K', '2.01 K', '2 K', '1.01 K', '1 K'], 'sorted as the file says');
  assert.equal(await table.locator('th[aria-sort="descending"]').innerText().then((text) => text.split('\n')[0].trim()), 'Requests');
  assert.equal(await table.locator('tfoot td').last().innerText(), '12 K');
  assert.equal(await table.locator('tbody a').first().getAttribute('href'), '/models?name=qwen-large');
  assert.equal(await table.locator('tbody td').nth(2).evaluate((cell) => cell.style.background.includes('rgb(255, 154, 77)')), true);

  await table.locator('.head-sort').nth(4).focus();
  await page.keyboard.press('Enter');
  assert.deepEqual(await cells(5), ['hearth-demo', 'hearth-demo', 'qwen-large', 'qwen-large', 'qwen-small', 'qwen-small']);
  assert.equal(await page.evaluate(() => document.activeElement.innerText.includes('model_name')), true, 'the focus stays');
  await table.locator('.head-filter').nth(2).click();
  const pane = page.locator('.filter-pane:popover-open');
  await pane.getByText('None').click();
  await pane.getByLabel('stop').check();
  await pane.getByText('Apply').click();
  assert.deepEqual(await cells(3), ['stop', 'stop', 'stop']);
  assert.equal(await table.locator('tfoot td').last().innerText(), '6 K', 'the footer is of the shown rows');

  const pages = panelAt(page, 'Pages');
  const before = await pages.locator('tbody tr').count();
  await pages.getByLabel('Next page').click();
  assert.match(await pages.locator('.table-bar').innerText(), /2 of \d+ \(120 rows\)/);
  assert.equal(await pages.locator('tbody td').nth(1).innerText(), `slot-${before}`);
  const frames = panelAt(page, 'Frames');
  await frames.locator('select').selectOption({ label: 'qwen-large' });
  assert.deepEqual(await texts(frames.locator('thead .head-sort > span')), ['Time', 'qwen-large']);
}

async function testValues(page) {
  const stat = panelAt(page, 'Background');
  assert.deepEqual(await texts(stat.locator('.stat-value')), ['42%', '83%', '97%']);
  assert.deepEqual(await texts(stat.locator('.stat-name')), ['hearth-demo', 'qwen-small', 'qwen-large']);
  assert.match(await stat.locator('.stat-item').nth(2).getAttribute('style'), /rgb\(242, 89, 111\)/);
  assert.match(await panelAt(page, 'Change').locator('.stat-change').innerText(), /^[▲▼] [\d.]+%$/);
  assert.deepEqual(await texts(panelAt(page, 'Names').locator('.stat-value')), ['hearth-demo', 'qwen-small', 'qwen-large']);

  assert.equal(await panelAt(page, 'Change').locator('a').getAttribute('href'), '/requests?model=hearth-demo');

  const gauges = panelAt(page, 'Shares');
  assert.deepEqual(await texts(gauges.locator('.gauge-value')), ['42%', '83%', '97%']);
  const arcs = await gauges.locator('canvas').evaluateAll((all) => all.map((canvas) => globalThis.Chart.getChart(canvas).data.datasets.at(-1).data[0]));
  assert.deepEqual(arcs, [0.42, 0.83, 0.97]);
  const [ring] = await chartData(page, 'Shares');
  assert.deepEqual(ring.data.map((share) => Number(share.toFixed(4))), [0.8, 0.15, 0.05]);

  const bars = panelAt(page, 'Basic').locator('.bar');
  assert.deepEqual(await bars.evaluateAll((all) => all.map((bar) => bar.dataset.share)), ['0.4200', '0.8300', '0.9700']);
  assert.deepEqual(await texts(panelAt(page, 'Basic').locator('.bar-value')), ['42%', '83%', '97%']);
  const buckets = await texts(panelAt(page, 'Buckets').locator('.bar-value'));
  assert.equal(buckets.length, 8);
  assert.ok(buckets.every((text) => Number(text) < 40), `counts of each bucket, not cumulated: ${buckets}`);
}

async function testPie(page) {
  const pie = panelAt(page, 'Finish reasons');
  const [{ data }] = await chartData(page, 'Finish reasons');
  assert.deepEqual(data, [740, 210, 40, 10]);
  assert.deepEqual(await texts(pie.locator('.legend-value')), ['740', '74%', '210', '21%', '40', '4.0%', '10', '1.0%']);
  assert.equal(await pie.locator('canvas').getAttribute('aria-label'), 'Finish reasons: stop 740 (74%), length 210 (21%), abort 40 (4.0%), error 10 (1.0%)');
  await pie.locator('.legend-entry').first().click({ modifiers: ['Control'] });
  const [{ data: without }] = await chartData(page, 'Finish reasons');
  assert.deepEqual(without, [210, 40, 10], 'ctrl-click leaves a slice out');
}

async function testBars(page) {
  const [sums, most] = await chartData(page, 'By model');
  assert.deepEqual([sums.data, most.data], [[2010, 4010, 6010], [1010, 2010, 3010]]);
  const stacked = await chartData(page, 'Stacked');
  assert.equal(stacked.length, 3);
  assert.ok(stacked[0].data.length >= 15, 'a bar a minute');
  const [lying] = await chartData(page, 'Lying');
  assert.deepEqual(lying.backgroundColor, ['rgba(115, 191, 105, 0.9)', 'rgba(242, 204, 92, 0.9)', 'rgba(242, 89, 111, 0.9)'], 'thresholds colour each bar');
  assert.match(await panelAt(page, 'By model').locator('canvas').getAttribute('aria-label'), /3 bars\. Value \(sum\) from 2\.01 K at hearth-demo to 6\.01 K at qwen-large/);
  assert.match(await hover(page, 'By model', 0.5, 0.5), /qwen-small/);
}

async function testText(page) {
  const notes = panelAt(page, 'Notes');
  assert.equal(await notes.locator('h3').innerText(), 'Box hearth', 'a variable is filled in');
  assert.equal(await notes.getByText('the models').getAttribute('href'), '/models');
  assert.deepEqual(await texts(notes.locator('table td')), ['a', '1']);
  assert.deepEqual(await texts(notes.locator('ul ul li')), ['deep']);
  const html = panelAt(page, 'HTML');
  assert.match(await html.innerText(), /Hello\s+a word\s+This panel is written in HTML/);
  assert.equal(await html.locator('h1, script').count(), 0);
}

test('panel types', { timeout: 300000 }, async (t) => {
  const { page, problems, show } = await openTypes(t);
  await show();
  await t.test('heatmap', () => testHeatmap(page));
  await t.test('histogram', () => testHistogram(page));
  await t.test('state timeline and status history', () => testStates(page));
  await t.test('table', () => testTable(page));
  await t.test('stat, gauge and bar gauge', () => testValues(page));
  await t.test('pie', () => testPie(page));
  await t.test('bar chart', () => testBars(page));
  await t.test('text', () => testText(page));
  await t.test('heatmap: crosshair and drag', () => testHeatmapPointer(page));
  for (const theme of ['dark', 'light']) {
    await t.test(`${theme}: no violation of WCAG`, async () => {
      await show(`&theme=${theme}`);
      assert.deepEqual(await violations(page), []);
    });
  }
  assert.deepEqual([...new Set(problems)], []);
});
