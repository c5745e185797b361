// The overview and the alerts page of a real box: calm, with a killed engine, with a firing rule, with
// answers of a box in other trouble, and without a box.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { pagesOf } from '../web/page_sources.mjs';
import { Appliance, eventually } from './appliance.mjs';
import { applyEnded, beginApply, documentOf, llmConfig } from './applies.mjs';
import { modelOfNaN } from './broken_models.mjs';
import { runLoad } from './load.mjs';

const kReceiver = 'http://127.0.0.1:9/away';
const kRules = `
groups:
  - name: kitchen
    interval: 1s
    rules:
      - record: kitchen:models:count
        expr: count(hearth_model_state{state="ready"} == 1)
      - alert: KettleHot
        expr: kitchen:models:count > 0
        labels: {severity: warning, room: kitchen}
        annotations: {summary: "kettle {{ $value }} is hot", runbook: "Pour the tea."}
      - alert: KettleCold
        expr: kitchen:models:count < 0
        labels: {severity: critical}
`;

const headlineOf = (page) => page.locator('.headline').innerText();
const findingsOf = (page) => page.$$eval('.finding', (list) => list.map((one) => ({
  id: one.dataset.finding, severity: one.className.replace('finding ', ''), text: one.textContent,
})));

async function untilFinding(page, id) {
  return eventually(`the finding ${id}`, async () => (await findingsOf(page)).find((finding) => finding.id === id));
}

/** Answers of the box, changed on their way to the page. */
async function changeAnswers(page, path, change) {
  await page.route((url) => url.pathname === path, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: change(await response.json()) });
  });
}

async function isCalm({ open, appliance }) {
  const page = await open('/overview');
  await eventually('an answer', async () => (await headlineOf(page)) !== 'Looking at the box …');
  // The machine of the test may have trouble of its own; the model has none, and the sentence counts.
  const findings = await findingsOf(page);
  assert.deepEqual(findings.filter(({ text }) => text.includes('hearth-demo')), []);
  const count = findings.length;
  const sentence = count === 0 ? 'Nothing needs attention.' : count === 1 ? 'One thing needs attention.' : `${count} things need attention.`;
  assert.equal(await headlineOf(page), sentence);
  const numbers = await page.$$eval('.card', (cards) => Object.fromEntries(cards.filter((card) => card.querySelector('h3'))
    .map((card) => [card.querySelector('h3').textContent, Object.fromEntries([...card.querySelectorAll('dl > div')]
      .map((row) => [row.querySelector('dt').textContent, row.querySelector('dd').textContent]))])));
  assert.equal(numbers['hearth-demo'].State, 'ready');
  assert.match(numbers['hearth-demo']['TTFT P95'], / m?s$/);
  assert.match(numbers['Disk and history'].History, / of \d/);
  assert.equal(numbers.Box.Version, (await appliance.status()).version);
  assert.match(await page.locator('.event-list').innerText(), /hearth-demo is ready/);
  await page.close();
}

async function hasNoColourWhenCalm({ open }) {
  const page = await open('/overview', async (fresh) => {
    await changeAnswers(fresh, '/api/v1/query', (answer) => ({ ...answer, data: { ...answer.data, result: [] } }));
    await changeAnswers(fresh, '/api/v1/alerts', (answer) => ({ ...answer, data: { alerts: [] } }));
  });
  await eventually('calm', async () => (await headlineOf(page)) === 'Nothing needs attention.');
  const colourful = await page.evaluate(() => [...document.querySelectorAll('main, main *')].filter((node) => {
    const style = getComputedStyle(node);
    return [style.color, style.backgroundColor, style.borderLeftColor].some((colour) => {
      const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
      return alpha > 0 && Math.max(red, green, blue) - Math.min(red, green, blue) > 40;
    });
  }).map((node) => node.outerHTML.slice(0, 80)));
  assert.deepEqual(colourful, []);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.close();
}

async function namesKilledEngine({ open, appliance }) {
  const page = await open('/overview');
  await eventually('an answer', async () => (await headlineOf(page)) !== 'Looking at the box …');
  process.kill((await appliance.status()).models[0].engine_pid, 'SIGKILL');
  const finding = await untilFinding(page, 'engine hearth-demo');
  assert.match(finding.text, /The engine of hearth-demo (crashed and runs again|is being started again): .*signal 9/);
  assert.match(await headlineOf(page), /attention\.$/);
  assert.notEqual(await headlineOf(page), 'Nothing needs attention.');
  const settled = await eventually('the engine runs again', async () => {
    const now = (await findingsOf(page)).find(({ id }) => id === 'engine hearth-demo');
    return now?.text.includes('crashed and runs again') && now;
  });
  assert.match(settled.text, /Since .*What to do:.*journalctl/);
  assert.equal(settled.severity, 'warning');
  assert.match(await page.locator('.event-list').innerText(), /the engine of hearth-demo ended/);
  assert.equal(await page.locator('.finding a').first().getAttribute('href'), '/d/hearthLlm?var-model_name=hearth-demo');
  await page.close();
}

/** Facts of a box whose disk is nearly full and whose memory is, as the page asks for them. */
function inTrouble(answer) {
  const values = { diskFree: 7 * 2 ** 30, diskFreeShare: 0.07, memory: 0.985 };
  const result = answer.data.result.map((series) => {
    const value = values[series.metric.fact];
    return value === undefined ? series : { ...series, value: [series.value[0], String(value)] };
  });
  return { ...answer, data: { ...answer.data, result } };
}

const kAlert = {
  labels: { alertname: 'RoofLeaks', severity: 'critical' }, state: 'firing', activeAt: '2026-01-31T12:00:00Z', value: '1e+00',
  annotations: { summary: 'Water above the box', description: 'It drips.', runbook: 'Fetch a bucket.' },
};

async function ordersTrouble({ open, origin, browser }) {
  for (const theme of ['dark', 'light']) {
    const page = await open(`/overview?theme=${theme}`, async (fresh) => {
      await changeAnswers(fresh, '/api/v1/query', inTrouble);
      await changeAnswers(fresh, '/api/v1/alerts', (answer) => ({ ...answer, data: { alerts: [kAlert] } }));
    });
    await untilFinding(page, 'disk /');
    const findings = (await findingsOf(page)).filter(({ id }) => /^(disk|memory|alert)/.test(id));
    assert.deepEqual(findings.map(({ id, severity }) => `${severity} ${id.split(' ')[0]}`), ['critical memory', 'critical alert', 'warning disk']);
    assert.match(findings[1].text, /Water above the box.*Since .*It drips\..*Fetch a bucket\./);
    assert.match(findings[2].text, /nearly full: 7 GiB free, 7/);
    assert.deepEqual(await violations(page), [], theme);
    for (const width of [390, 1440, 3840]) {
      await page.setViewportSize({ width, height: 900 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} px stick out at ${width} px`);
    }
    const panel = await browser.newPage();  // what a dashboard's own console says is another test's
    await panel.goto(origin + await page.getByRole('link', { name: 'Panel “File Systems”' }).getAttribute('href'));
    await panel.waitForSelector('.panel.solo[aria-label="File Systems"]');
    await panel.close();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.close();
  }
}

async function showsRules({ open }) {
  const page = await open('/alerts');
  await eventually('the firing rule', async () => (await page.locator('.rule-bar .said').innerText()) === 'One rule fires.');
  const first = page.locator('.rule').first();
  assert.match(await first.innerText(), /Firing\s+KettleHot\s+warning/);
  assert.match(await first.innerText(), /kettle 1 is hot/, 'annotations of the alert, filled in');
  assert.match(await first.innerText(), /room=kitchen/);
  assert.match(await first.innerText(), /Evaluated\s+.*every 1s/);
  assert.deepEqual(await page.locator('.rule summary b').allInnerTexts(), ['KettleHot', 'KettleCold', 'kitchen:models:count']);
  assert.deepEqual(await page.locator('.filters button').allInnerTexts(), ['All 3', 'Firing 1', 'Inactive 1', 'Recording 1']);
  await page.getByRole('button', { name: 'Inactive 1' }).click();
  assert.deepEqual(await page.locator('.rule summary b').allInnerTexts(), ['KettleCold']);
  await page.reload();
  await eventually('the filter of the address', async () => (await page.locator('.rule summary b').allInnerTexts()).join() === 'KettleCold');
  await page.getByRole('button', { name: 'All 3' }).click();
  await page.fill('.rule-bar input', 'tea');
  assert.deepEqual(await page.locator('.rule summary b').allInnerTexts(), ['KettleHot']);
  assert.ok((await page.locator('.box').first().innerText()).includes(kReceiver), 'says where alerts are sent');
  assert.match(await page.locator('.box').nth(1).innerText(), /Firing\s+KettleHot/);
  const href = await page.locator('.rule dd a').first().getAttribute('href');
  assert.equal(new URL(href, 'http://box').searchParams.get('q'), 'kitchen:models:count > 0');
  await page.close();
  for (const theme of ['dark', 'light']) {
    const themed = await open(`/alerts?theme=${theme}`);
    await themed.waitForSelector('.rule.firing');
    assert.deepEqual(await violations(themed), [], theme);
    await themed.close();
  }
}

async function showsFiringAlert({ open }) {
  const page = await open('/overview');
  const finding = await eventually('the alert', async () => (await findingsOf(page)).find(({ text }) => text.includes('kettle 1 is hot')));
  assert.match(finding.text, /Pour the tea\./);
  await page.getByRole('link', { name: 'Alert KettleHot' }).click();
  await page.waitForSelector('.rule.firing[open]');
  await page.close();
}

async function tellsTakenBackConfiguration({ open, appliance, directory }) {
  const page = await open('/overview');
  await modelOfNaN(join(directory, 'nan'));
  const { apply, revision } = await beginApply(appliance, documentOf(llmConfig('hearth-demo', { source: join(directory, 'nan') })));
  const { previous, message } = await applyEnded(appliance, apply);
  const finding = await untilFinding(page, `apply ${apply}`);
  assert.equal(finding.severity, 'warning');
  assert.ok(finding.text.includes(`Revision ${revision} of the configuration was taken back: ${message}`), finding.text);
  assert.ok(finding.text.includes(`serves as before, with revision ${previous}`), finding.text);
  assert.equal(await page.locator(`[data-finding="apply ${apply}"] a`).getAttribute('href'), '/config');
  await page.close();
}

async function saysSilence({ open, appliance }) {
  const page = await open('/overview');
  await eventually('an answer', async () => (await headlineOf(page)) !== 'Looking at the box …');
  await appliance.kill9();
  await eventually('silence', async () => (await headlineOf(page)) === 'The box does not answer.');
  assert.match(await page.locator('.seen').innerText(), /^Since .*\d\d:\d\d:\d\d\. What stands below/);
  assert.ok(await page.locator('.card').count() > 2, 'what it said last stays');
  await page.close();
}

test('the overview and the alerts', { timeout: 300000 }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'hearth-overview-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const rules = join(directory, 'rules.yml');
  await writeFile(rules, kRules);
  const appliance = await Appliance.start({ name: 'hearth-demo', state: directory, args: ['--rules', rules, '--alert-webhook', kReceiver] });
  t.after(() => appliance.stop());
  assert.deepEqual((await runLoad(appliance, { streams: 2, seconds: 4 })).errors, []);
  const origin = await pagesOf(appliance, t);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const open = async (path, prepare = () => {}) => {
    const page = await openPage(browser, origin, problems);
    await prepare(page);
    await page.goto(origin + path);
    return page;
  };
  const world = { open, appliance, origin, browser, directory };
  await t.test('calm: one sentence and the numbers of the box', () => isCalm(world));
  await t.test('calm: no colour', () => hasNoColourWhenCalm(world));
  await t.test('rules by state, receivers, past alerts', () => showsRules(world));
  await t.test('a firing alert needs attention, and leads to its rule', () => showsFiringAlert(world));
  await t.test('an engine that is killed', () => namesKilledEngine(world));
  await t.test('a disk that is nearly full, memory, an alert: the gravest first', () => ordersTrouble(world));
  await t.test('a configuration that was taken back', () => tellsTakenBackConfiguration(world));
  assert.deepEqual([...new Set(problems)], []);
  await t.test('a box that does not answer', () => saysSilence(world));
});

test('recovery mode', { timeout: 120000 }, async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'hearth-overview-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  const start = () => Appliance.start({ state, waitReady: false, args: ['--recovery-crashes-max', '1'] });
  await (await start()).kill9();
  const appliance = await start();
  t.after(() => appliance.stop());
  const origin = await pagesOf(appliance, t);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, origin, problems);
  await page.goto(`${origin}/overview`);
  const finding = await untilFinding(page, 'recovery');
  assert.equal(finding.severity, 'critical');
  assert.match(finding.text, /recovery mode: .*has ended hearthd 1 times.*What to do: Correct the configuration/);
  assert.deepEqual((await findingsOf(page)).filter(({ id }) => /^(no-model|model-failed|engine)/.test(id)), [], 'it is said once');
  assert.deepEqual(await violations(page), []);
  assert.deepEqual([...new Set(problems)], []);
});
