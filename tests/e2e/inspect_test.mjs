// The panel menu and the inspector in a browser over a real box.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { pagesOf } from '../web/page_sources.mjs';
import { Appliance, eventually } from './appliance.mjs';
import { runLoad } from './load.mjs';

const kPanel = '[data-panel-id="9"]';
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
  assert.match(await page.locator(`${kPanel} .panel-pane`).innerText(), /Finished requests per second[^]*vllm:request_success_total/);
  await page.keyboard.press('Escape');
}

async function showsTheData(page) {
  await page.focus(kPanel);
  await page.keyboard.press('i');
  await page.waitForSelector('.inspect tbody tr');
  assert.match(page.url(), /inspect=9&inspectTab=data/);
  assert.deepEqual(await violations(page), [], 'data');
  assert.match(await page.locator('.inspect tbody').innerText(), /req\/s/);
  await page.getByLabel('Formatted values').uncheck();
  assert.doesNotMatch(await page.locator('.inspect tbody').innerText(), /req\/s/);
  await page.getByRole('button', { name: 'Download CSV' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('option', { name: 'CSV', exact: true }).click()]);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
  assert.equal(lines[0], 'Time,hearth-demo,Total QPS');
  assert.ok(lines.length > 3 && lines.slice(1).every((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z,/.test(line)));
}

async function showsTheQueries(page) {
  await page.click('#inspect-tab-stats');
  await page.waitForSelector('.inspect-stats tbody tr');
  assert.deepEqual(await violations(page), [], 'stats');
  const [series, points] = await page.$$eval('.inspect-stats tbody tr:first-child td', (cells) => cells.slice(1, 3).map((cell) => Number(cell.textContent)));
  assert.ok(series === 1 && points > 3, `${series} series, ${points} points`);
  await page.click('#inspect-tab-query');
  await page.waitForSelector('.inspect-query');
  assert.deepEqual(await violations(page), [], 'query');
  assert.match(await page.locator('.inspect-query').first().innerText(), /\$__rate_interval[^]*\[15s\]/);
  await page.locator('.inspect-query summary').first().click();
  assert.equal(JSON.parse(await page.locator('.inspect-query pre').first().innerText()).status, 'success');
  assert.match(await page.locator('.inspect-queries > a').getAttribute('href'), /^\/explore\?from=now-2m&to=now&q=/);
  await page.click('#inspect-tab-json');
  assert.deepEqual(await violations(page), [], 'json');
  assert.equal(JSON.parse(await page.locator('.inspect-json pre').innerText()).id, 9);
}

/** Six hours of a sample a second: more rows than a page may hold at once. */
async function pagesLongTables(page, origin) {
  const values = Array.from({ length: 21600 }, (_, index) => [1700000000 + index, String(index)]);
  const answer = { status: 'success', data: { resultType: 'matrix', result: [{ metric: { model_name: 'long' }, values }] } };
  const ofPanel = (url) => url.pathname === '/api/v1/query_range' && /^sum.*request_(success|counter)_total/.test(url.searchParams.get('query'));
  await page.route(ofPanel, (route) => route.fulfill({ json: answer }));
  await page.goto(`${origin}/?from=1700000000000&to=1700021600000&refresh=off&inspect=9&inspectTab=data`);
  await page.waitForSelector('.inspect tbody tr');
  assert.equal(await page.locator('.inspect tbody tr').count(), 200);
  assert.match(await page.locator('.inspect-pages').innerText(), /Rows 1 to 200 of 21600/);
  await page.getByRole('button', { name: 'Later rows' }).click();
  assert.match(await page.locator('.inspect-pages').innerText(), /Rows 201 to 400 of 21600/);
}

test('Inspect: the menu by keyboard, the data, the queries, the address', async (t) => {
  const appliance = await Appliance.start({ name: 'hearth-demo' });
  t.after(() => appliance.stop());
  assert.deepEqual((await runLoad(appliance, { streams: 2, seconds: 4 })).errors, []);
  const origin = await pagesOf(appliance, t);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, origin, problems);
  await page.goto(`${origin}/?from=now-2m&to=now&refresh=off`);
  await page.waitForSelector(`${kPanel}[data-state="ready"]`);
  await walksTheMenu(page);
  await showsTheData(page);
  await showsTheQueries(page);
  await page.reload();
  await page.waitForSelector('.inspect-json pre');
  await page.keyboard.press('Escape');
  await eventually('an address without the drawer', () => !/inspect/.test(page.url()));
  await pagesLongTables(page, origin);
  assert.deepEqual(problems, []);
});
