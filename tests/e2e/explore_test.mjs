// The Explore page as people use it: typing with completion, running, errors, history, links.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { pagesOf } from '../web/page_sources.mjs';
import { Appliance, eventually } from './appliance.mjs';
import { runLoad } from './load.mjs';

const kEditor = '.editor-field';
const param = (page, name) => new URL(page.url()).searchParams.getAll(name);
const options = (page) => page.locator('.completion-text').allInnerTexts();
const active = (page) => page.$eval(kEditor, (field) => document.getElementById(field.getAttribute('aria-activedescendant'))?.querySelector('.completion-text').textContent ?? null);
const offered = (page, text) => eventually(`completion of ${text}`, async () => (await active(page)) === text);

/** The answer of the box for the instant a page shows. */
async function ask(appliance, query, time) {
  const response = await fetch(`${appliance.url}/api/v1/query?${new URLSearchParams({ query, time })}`);
  return (await response.json()).data.result;
}

class Explore {
  static async start(t) {
    const explore = new Explore();
    explore.appliance = await Appliance.start({ name: 'hearth-demo' });
    t.after(() => explore.appliance.stop());
    assert.deepEqual((await runLoad(explore.appliance, { streams: 2, seconds: 4 })).errors, []);
    explore.origin = await pagesOf(explore.appliance, t);
    explore.browser = await launchBrowser();
    t.after(() => explore.browser.close());
    explore.problems = [];
    return explore;
  }

  /** @param query of the address, as pairs */
  async open(query = {}, viewport = undefined) {
    const page = await openPage(this.browser, this.origin, this.problems, viewport);
    await page.goto(`${this.origin}/explore?${new URLSearchParams(query)}`);
    await page.waitForSelector(kEditor);
    return page;
  }
}

async function completesByKeyboard({ open }) {
  const page = await open({ from: 'now-5m' });
  await page.focus(kEditor);
  await page.keyboard.type('hist');
  await offered(page, 'histogram_quantile');
  assert.match(await page.locator('.completion-help').innerText(), /histogram_quantile\(φ, instant-vector\)\s+The φ-quantile/);
  await page.keyboard.press('Tab');
  await eventually('the signature below', async () => (await page.locator('.signature').innerText()).startsWith('histogram_quantile(φ, instant-vector)'));
  await page.keyboard.type('0.9, sum b');
  await offered(page, 'by');
  await page.keyboard.press('Enter');
  await page.keyboard.type('le) (ra');
  await offered(page, 'rate');
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await active(page), 'rate');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.keyboard.type('hearth_time_to_first_token_seconds_b');
  await offered(page, 'hearth_time_to_first_token_seconds_bucket');
  assert.match(await page.locator('.completion[aria-selected="true"]').innerText(), /histogram/, 'the type stands beside the name');
  assert.match(await page.locator('.completion-help').innerText(), /Time to first token/, 'and its help below');
  await page.keyboard.press('Tab');
  await page.keyboard.type('{mod');
  await offered(page, 'model_name');
  assert.deepEqual(await options(page), ['model_name'], 'only labels that the metric has');
  await page.keyboard.press('Enter');
  await page.keyboard.type('="');
  await offered(page, 'hearth-demo');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.type('[5');
  await offered(page, '5m');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.completion-popup').isVisible(), false, 'Escape closes the list');
  await page.keyboard.type('m');
  await page.keyboard.press('Escape');
  const typed = 'histogram_quantile(0.9, sum by (le) (rate(hearth_time_to_first_token_seconds_bucket{model_name="hearth-demo"}[5m])))';
  assert.equal((await page.inputValue(kEditor)).trim(), typed);
  await page.keyboard.press('Shift+Enter');
  await page.waitForSelector('#graph canvas');
  assert.deepEqual(param(page, 'q'), [typed]);
  assert.match(await page.locator('.query-stats').innerText(), /^1 series · \d+ points · \d+ ms$/);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'legend-input', 'Tab leaves the field when no list is open');
  await page.close();
}

async function completesByMouse({ open }) {
  const page = await open();
  await page.focus(kEditor);
  await page.keyboard.type('hearth_requests_in');
  await page.locator('.completion', { hasText: 'hearth_requests_in_flight' }).click();
  assert.equal(await page.inputValue(kEditor), 'hearth_requests_in_flight');
  await page.keyboard.type(' ');
  await page.keyboard.press('Control+Space');
  await offered(page, 'and');
  await page.keyboard.press('Control+Z');
  await page.close();
}

async function showsTheBoxesNumbers({ open, appliance }) {
  const to = Math.floor(Date.now() / 1000) - 2;
  const query = 'sum by (finished_reason) (vllm:request_success_total)';
  const page = await open({ q: query, from: (to - 60) * 1000, to: to * 1000, step: '10s' });
  await page.waitForSelector('#table tbody tr');
  const rows = await page.$$eval('#table tbody tr', (list) => list.map((row) => [...row.cells].map((cell) => cell.textContent)));
  const expected = (await ask(appliance, query, to)).map(({ metric, value }) => [metric.finished_reason, String(Number(value[1]))]);
  assert.ok(expected.length > 1);
  assert.deepEqual(rows.sort(), expected.sort());
  assert.equal(await page.locator('#step-note').innerText(), '10s');
  await page.click('#table th.number button');
  assert.equal(await page.locator('#table th.number').getAttribute('aria-sort'), 'descending');
  const values = await page.$$eval('#table td.number', (cells) => cells.map((cell) => Number(cell.textContent)));
  assert.deepEqual(values, [...values].sort((a, b) => b - a));
  await page.click('[data-value="stacked"]');
  await page.click('[data-value="graph"]');
  assert.deepEqual([param(page, 'style'), param(page, 'view')], [['stacked'], ['graph']]);
  assert.equal(await page.locator('#table').isVisible(), false);
  await page.fill('#step', '20s');
  await page.check('#min-step');
  assert.deepEqual(param(page, 'step'), ['min:20s']);
  await page.goBack();
  await page.goBack();
  assert.deepEqual(param(page, 'step'), ['10s'], 'every change is one step back');
  assert.equal(await page.inputValue('#step'), '10s');
  await page.close();
}

async function saysWhatIsWrong({ open, problems }) {
  const page = await open({ q: 'sum(rate(up[5m])' });
  await page.waitForSelector('.query-error:not([hidden])');
  assert.equal(await page.locator('.query-error').innerText(), 'Line 1, column 17: unclosed left parenthesis');
  assert.equal(await page.locator('.tok.wrong').innerText(), ')', 'the place is marked in the text');
  await page.fill(kEditor, 'sum(rate(up[5m]))');
  assert.equal(await page.locator('.tok.wrong').count(), 0);
  await page.fill(kEditor, 'no_such_metric{a="b"}');
  await page.click('#run');
  await eventually('the reason', async () => /No series is called no_such_metric/.test(await page.locator('.query-stats').innerText()));
  await page.fill(kEditor, 'sum(rate(up[5m]))by(job)');
  await page.getByRole('button', { name: 'Format' }).click();
  await eventually('the formatted query', async () => (await page.inputValue(kEditor)) === 'sum by (job) (rate(up[5m]))');
  await page.close();
  // Chromium itself reports each refused query.
  const refused = problems.splice(0).filter((problem) => !/status of 400/.test(problem));
  assert.deepEqual(refused, []);
}

async function runsSeveralQueries({ open }) {
  const page = await open([['q', 'up'], ['q', 'hearth_requests_in_flight'], ['legend', ''], ['legend', 'in flight {{model_name}}'], ['from', 'now-5m']]);
  const names = () => page.locator('#graph .legend-name').allInnerTexts();
  await eventually('both queries', async () => (await names()).some((name) => name === 'in flight hearth-demo') && (await names()).some((name) => /^up\{/.test(name)));
  assert.deepEqual(await page.locator('.query-letter').allInnerTexts(), ['A', 'B']);
  await page.getByRole('button', { name: 'Run query A' }).click();
  await eventually('B alone', async () => !(await names()).some((name) => /^up\{/.test(name)));
  assert.deepEqual(param(page, 'off'), ['A']);
  await page.reload();
  await eventually('the same after a reload', async () => (await names()).some((name) => name === 'in flight hearth-demo') && !(await names()).some((name) => /^up/.test(name)));
  await page.click('#add-query');
  await page.keyboard.type('vector(1)');
  await page.keyboard.press('Shift+Enter');
  assert.deepEqual(param(page, 'q'), ['up', 'hearth_requests_in_flight', 'vector(1)']);
  assert.match(await page.locator('[data-action="to-dashboard"]').nth(2).getAttribute('href'), /^\/d\/new\?expr=vector%281%29$/);
  await page.getByRole('button', { name: 'Remove this query' }).first().click();
  assert.deepEqual(param(page, 'q'), ['hearth_requests_in_flight', 'vector(1)']);
  await page.close();
}

async function readsGrafanasLinks({ open }) {
  const left = { datasource: 'prometheus', queries: [{ refId: 'A', expr: 'up', legendFormat: 'is up' }], range: { from: 'now-15m', to: 'now' } };
  const page = await open({ left: JSON.stringify(left) });
  await eventually('its series', async () => (await page.locator('#graph .legend-name').allInnerTexts()).includes('is up'));
  assert.equal(await page.locator('#time-picker').innerText(), 'Last 15 minutes');
  await page.close();
}

async function remembersQueries({ open }) {
  const page = await open({ q: 'up' });
  for (const text of ['vector(17)', 'vector(18)']) {
    await page.fill(kEditor, text);
    await page.keyboard.press('Shift+Enter');
  }
  await page.click('#history-button');
  const entries = () => page.locator('.history-query').allInnerTexts();
  assert.deepEqual((await entries()).slice(0, 2), ['vector(18)', 'vector(17)']);
  await page.getByRole('button', { name: 'Star: vector(17)' }).click();
  await page.getByRole('button', { name: 'Clear but the stars' }).click();
  assert.deepEqual(await entries(), ['vector(17)']);
  await page.reload();
  await page.click('#history-button');
  await page.fill('#history input[type="text"]', '18');
  assert.deepEqual(await entries(), []);
  await page.fill('#history input[type="text"]', '17');
  await page.click('.history-query');
  assert.equal(await page.inputValue(kEditor), 'vector(17)');
  await page.getByRole('button', { name: 'Delete: vector(17)' }).click();
  assert.deepEqual(await entries(), []);
  await page.close();
}

async function browsesMetrics({ open }) {
  const page = await open();
  await page.click('#metrics-button');
  await page.fill('#metrics input', 'hearth_slo_target');
  await page.getByRole('button', { name: 'hearth_slo_target_seconds gauge' }).click();
  await eventually('its labels', async () => /objective\s+2 values/.test(await page.locator('.metric-details').innerText()));
  await page.getByRole('button', { name: 'ttft', exact: true }).click();
  assert.equal(await page.inputValue(kEditor), 'hearth_slo_target_seconds{objective="ttft"}');
  await page.waitForSelector('#table tbody tr');
  await page.close();
  const empty = await open();
  await empty.locator('.example', { hasText: 'Tokens per second' }).click();
  await empty.waitForSelector('#graph canvas');
  assert.equal(await empty.locator('.examples').isVisible(), false);
  await empty.close();
}

async function isAccessible({ open }) {
  for (const theme of ['dark', 'light']) {
    const page = await open({ theme, q: 'sum by (model_name) (rate(vllm:generation_tokens_total[1m]))', from: 'now-5m' });
    await page.waitForSelector('#table tbody tr');
    assert.deepEqual(await violations(page), [], `${theme}: an answer`);
    await page.click('#history-button');
    await page.click('#metrics-button');
    await page.waitForSelector('.metric-name');
    await page.focus(kEditor);
    await page.keyboard.press('End');
    await page.keyboard.type(' + ra');
    await offered(page, 'rate');
    // The list covers what is below it as long as it is open; that is no small target.
    const found = (await violations(page)).filter((violation) => !violation.startsWith('target-size'));
    assert.deepEqual(found, [], `${theme}: panes and completion`);
    await page.setViewportSize({ width: 390, height: 844 });
    await eventually('a page as wide as the phone', () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
    await page.close();
  }
}

test('Explore', { timeout: 300000 }, async (t) => {
  const explore = await Explore.start(t);
  const world = { ...explore, open: explore.open.bind(explore) };
  await t.test('completion by the keyboard, from a function to a duration', () => completesByKeyboard(world));
  await t.test('completion by the mouse and on demand', () => completesByMouse(world));
  await t.test('the table shows the numbers of the API; controls are in the address', () => showsTheBoxesNumbers(world));
  await t.test('errors stand where they are, empty answers have a reason, queries are formatted', () => saysWhatIsWrong(world));
  await t.test('several queries: legend, off, add, remove', () => runsSeveralQueries(world));
  await t.test('Grafana’s links', () => readsGrafanasLinks(world));
  await t.test('the history of queries', () => remembersQueries(world));
  await t.test('the metric browser', () => browsesMetrics(world));
  await t.test('axe, in both themes', () => isAccessible(world));
  assert.deepEqual([...new Set(explore.problems)], []);
});
