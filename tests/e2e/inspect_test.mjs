// The panel menu and the inspector in a browser over a real box.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { pagesOf } from '../web/page_sources.mjs';
import { Appliance, eventually } from './appliance.mjs';
import { runLoad } from './load.mjs';

const kPanelId = 9;  // the LLM dashboard's "TTFT"
const kPanel = `[data-panel-id="${kPanelId}"]`;
const focused = (page) => page.evaluate(() => document.activeElement.textContent);

async function walksTheMenu(page) {
  await page.focus(kPanel);
  await page.keyboard.press('Enter');
  await page.waitForSelector(`${kPanel} [role="menu"]`);
  assert.match(await focused(page), /^View/);
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowDown');
  assert.match(await focused(page), /^View/, 'after the last comes the first');
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'panel-menu');
  await page.click(`${kPanel} .panel-info`);
  assert.match(await page.locator(`${kPanel} .panel-pane`).innerText(), /Time to first token[^]*vllm:time_to_first_token_seconds_bucket/);
  await page.keyboard.press('Escape');
}

async function leadsToTheSlowestRequests(page) {
  const from = Math.floor(Date.now() / 1000) - 3600;
  const ttft = page.locator('.panel[aria-label="TTFT"]');
  await ttft.focus();
  await page.keyboard.press('Enter');
  const url = new URL(await ttft.getByRole('menuitem', { name: 'Slowest requests' }).getAttribute('href'), page.url());
  assert.equal(url.searchParams.get('order'), 'slowest');
  assert.ok(Number(url.searchParams.get('since')) >= from, url.search);
  const { requests } = await (await fetch(new URL(`/api/requests${url.search}`, page.url()))).json();
  assert.ok(requests.length > 1 && requests[0].e2e_ms >= requests[1].e2e_ms, JSON.stringify(requests.slice(0, 2)));
  await page.keyboard.press('Escape');
}

async function showsTheData(page) {
  await page.focus(kPanel);
  await page.keyboard.press('i');
  await page.waitForSelector('.inspect tbody tr');
  assert.ok(page.url().includes(`inspect=${kPanelId}&inspectTab=data`), page.url());
  assert.deepEqual(await violations(page), [], 'data');
  assert.match(await page.locator('.inspect tbody').innerText(), / ms/);
  await page.getByLabel('Formatted values').uncheck();
  assert.doesNotMatch(await page.locator('.inspect tbody').innerText(), / ms/);
  await page.getByRole('button', { name: 'Download CSV' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('option', { name: 'CSV', exact: true }).click()]);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
  assert.equal(lines[0], 'Time,P99,P95,P90,P50,Mean');
  assert.ok(lines.length > 3 && lines.slice(1).every((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z,/.test(line)));
  return lines.slice(1).filter((line) => line.split(',')[1] !== '').length;
}

/** `rows` is how many instants of the first series the data tab listed. */
async function showsTheQueries(page, rows) {
  await page.click('#inspect-tab-stats');
  await page.waitForSelector('.inspect-stats tbody tr');
  assert.deepEqual(await violations(page), [], 'stats');
  const [series, points] = await page.$$eval('.inspect-stats tbody tr:first-child td', (cells) => cells.slice(1, 3).map((cell) => Number(cell.textContent)));
  assert.deepEqual([series, points], [1, rows], 'series and points of the first query');
  await page.click('#inspect-tab-query');
  await page.waitForSelector('.inspect-query');
  assert.deepEqual(await violations(page), [], 'query');
  assert.match(await page.locator('.inspect-query').first().innerText(), /\$\w+[^]*\[\d+s\]/);
  await page.locator('.inspect-query summary').first().click();
  assert.equal(JSON.parse(await page.locator('.inspect-query pre').first().innerText()).status, 'success');
  assert.match(await page.locator('.inspect-queries > a').getAttribute('href'), /^\/explore\?from=now-2m&to=now&q=/);
  await page.click('#inspect-tab-json');
  assert.deepEqual(await violations(page), [], 'json');
  assert.equal(JSON.parse(await page.locator('.inspect-json pre').innerText()).id, kPanelId);
}

/** Six hours of a sample a second: more rows than a page may hold at once. */
async function pagesLongTables(page, origin) {
  const values = Array.from({ length: 21600 }, (_, index) => [1700000000 + index, String(index)]);
  const answer = { status: 'success', data: { resultType: 'matrix', result: [{ metric: { model_name: 'long' }, values }] } };
  const ofPanel = (url) => url.pathname === '/api/v1/query_range' && /^histogram_quantile\(0.99.*time_to_first_token_seconds/.test(url.searchParams.get('query'));
  await page.route(ofPanel, (route) => route.fulfill({ json: answer }));
  await page.goto(`${origin}/?from=1700000000000&to=1700021600000&refresh=off&inspect=${kPanelId}&inspectTab=data`);
  await page.waitForSelector('.inspect tbody tr');
  assert.equal(await page.locator('.inspect tbody tr').count(), 200);
  assert.match(await page.locator('.inspect-pages').innerText(), /Rows 1 to 200 of 21600/);
  await page.getByRole('button', { name: 'Later rows' }).click();
  assert.match(await page.locator('.inspect-pages').innerText(), /Rows 201 to 400 of 21600/);
}

test('Inspect: the menu by keyboard, the data, the queries, the address', async (t) => {
  const appliance = await Appliance.start({ name: 'hearth-demo' });
  t.after(() => appliance.stop());
  assert.deepEqual((await runLoad(appliance, { streams: 2, seconds: 10 })).errors, []);
  const origin = await pagesOf(appliance, t);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, origin, problems);
  await page.goto(`${origin}/?from=now-2m&to=now&refresh=off`);
  await page.waitForSelector(`${kPanel}[data-state="ready"]`);
  await walksTheMenu(page);
  await leadsToTheSlowestRequests(page);
  await showsTheQueries(page, await showsTheData(page));
  await page.reload();
  await page.waitForSelector('.inspect-json pre');
  await page.keyboard.press('Escape');
  await eventually('an address without the drawer', () => !/inspect/.test(page.url()));
  await pagesLongTables(page, origin);
  assert.deepEqual(problems, []);
});
