// The renderer's core in a real browser: one dashboard with all its features, over fixed answers.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, eventually, kSourceRoot } from './appliance.mjs';
import { asked, kDashboard, serveRenderer } from './renderer.mjs';

const kOut = process.env.HEARTH_SCREENSHOTS ?? join(kSourceRoot, 'build/screenshots');
const kTall = { width: 1440, height: 4200 };  // every panel is in sight

let appliance = null;
let browser = null;
let page = null;
const problems = [];

before(async () => {
  // HEARTH_URL names an appliance that runs already, or tests/web/dev_server.mjs over one.
  appliance = process.env.HEARTH_URL ? { url: process.env.HEARTH_URL, stop: () => {} } : await Appliance.start({ waitReady: false });
  browser = await launchBrowser();
  page = await openPage(browser, appliance.url, problems, kTall);
  await serveRenderer(page);
  await open('');
}, { timeout: 120000 });

after(async () => {
  await browser?.close();
  await appliance?.stop();
});

const panelOf = (title) => page.locator(`.panel[aria-label="${title}"]`);

async function open(search) {
  await page.goto(`${appliance.url}/d/${kDashboard.uid}${search}`);
  await page.waitForSelector('.panel[data-state="ready"]');
  await settled();
}

/** No panel is loading any more. */
function settled() {
  return eventually('panels that have loaded', async () => (await page.locator('.panel[data-state="loading"]').count()) === 0
    && (await page.locator('.panel-progress:not([hidden])').count()) === 0, 60000);
}

/** Rows of a legend table: [name, value, …]. */
const legendRows = (title) => panelOf(title).locator('.legend tbody tr')
  .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));

const textsOf = (locator) => locator.evaluateAll((nodes) => nodes.map((node) => node.textContent.trim()));

/** Whether a panel's canvas has pixels near a colour, [red, green, blue]. */
function hasColor(title, color) {
  return panelOf(title).locator('canvas').first().evaluate((canvas, [red, green, blue]) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) {
      const far = Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue);
      if (data[i + 3] > 200 && far < 24) return true;
    }
    return false;
  }, color);
}

test('renderer: every panel is drawn or says what it lacks', async () => {
  const states = await page.$$eval('.panel', (panels) => panels.map((panel) => [panel.getAttribute('aria-label'), panel.dataset.state]));
  const notReady = states.filter(([, state]) => state !== 'ready').map(([title, state]) => `${title}: ${state}`);
  assert.deepEqual(notReady.filter((line) => !/^(Map|Library|Other source)/.test(line)), []);
  assert.match(await panelOf('Map').textContent(), /panel type geomap is not drawn/);
  assert.match(await panelOf('Library').textContent(), /library panel "Shared" is not part of the file/);
  assert.match(await panelOf('Other source').textContent(), /data source type loki is not queried/);
  assert.ok(!asked.some(({ params }) => params.get('query')?.includes('|=')), 'LogQL was sent to the box');
  await mkdir(kOut, { recursive: true });
  await page.screenshot({ path: join(kOut, 'renderer.png') });
});

test('renderer: a legend table is sorted as the file says, and by its heads', async () => {
  assert.deepEqual(await legendRows('Sorted legend'), [['gamma', '30', '30', '30'], ['beta', '20', '20', '20'], ['alpha', '10', '10', '10']]);
  const head = panelOf('Sorted legend').locator('th[data-calc="lastNotNull"]');
  assert.equal(await head.getAttribute('aria-sort'), 'descending');
  await head.locator('button').click();
  assert.deepEqual((await legendRows('Sorted legend')).map(([name]) => name), ['alpha', 'beta', 'gamma']);
  await panelOf('Sorted legend').locator('th[data-calc="Name"] button').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  assert.deepEqual((await legendRows('Sorted legend')).map(([name]) => name), ['gamma', 'beta', 'alpha']);
});

test('renderer: the legend isolates and toggles by keyboard', async () => {
  const buttons = panelOf('Sorted legend').locator('.legend-name');
  const pressed = () => buttons.evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-pressed')));
  await buttons.first().focus();
  await page.keyboard.press('Enter');
  assert.deepEqual(await pressed(), ['true', 'false', 'false']);
  await page.keyboard.press('Enter');
  assert.deepEqual(await pressed(), ['true', 'true', 'true']);
  await buttons.first().click({ modifiers: ['Control'] });
  assert.deepEqual(await pressed(), ['false', 'true', 'true']);
  await buttons.first().click({ modifiers: ['Control'] });
});

test('renderer: overrides give units, names, colours and absence', async () => {
  assert.deepEqual(await legendRows('Two units'), [['memory', '3 GiB'], ['latency', '4 ms']]);
  assert.deepEqual((await legendRows('Hidden parts')).map(([name]) => name), ['Third gamma']);
  assert.ok(await hasColor('Smooth and points', [160, 59, 73]), 'dark-red is not drawn');
  const entries = await textsOf(panelOf('Percent stack').locator('.legend-list li'));
  assert.deepEqual(entries, ['alphaLast: 10', 'betaLast: 20', 'gammaLast: 30']);
});

test('renderer: the tooltip is sorted as asked and leaves hidden series out', async () => {
  const values = async (title) => {
    const box = await panelOf(title).locator('.plot').boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    return textsOf(page.locator('.tooltip:not([hidden]) .tooltip-name'));
  };
  assert.deepEqual(await values('Smooth and points'), ['alpha', 'beta', 'gamma']);
  assert.deepEqual(await values('Hidden parts'), ['Third gamma', 'beta']);
  await page.mouse.move(5, 5);
});

test('renderer: transformations feed values and tables', async () => {
  assert.equal(await panelOf('Reduced').locator('.stat-value').first().textContent(), '60');
  const heads = await textsOf(panelOf('Joined').locator('thead th'));
  assert.deepEqual(heads.map((head) => head.replace(/[^\w ]/g, '').trim()), ['Machine', 'Once', 'Twice']);
  assert.deepEqual(await textsOf(panelOf('Joined').locator('tbody tr').first().locator('td')), ['alpha', '10', '20']);
  assert.equal(await panelOf('Mapped').locator('.stat-value').textContent(), 'busy');
});

test('renderer: older panels look like today’s', async () => {
  assert.deepEqual((await legendRows('Old graph')).map((row) => row.join(' ')),
    ['alpha 10% 10%', 'beta 20% 20%', 'gamma 30% 30%', 'small 4 ms 4 ms']);
  assert.equal(await panelOf('Old stat').locator('.stat-value').textContent(), '82%');
});

test('renderer: a panel’s own time and least step go into its query', async () => {
  const mine = asked.filter(({ params }) => params.get('query') === 'ramp' && params.get('step') === '30');
  assert.ok(mine.length > 0, 'no query with the least step of 30 s');
  // The hour ends at 1700003600; shifted by an hour and cut to ten minutes on whole steps.
  assert.deepEqual(['start', 'end'].map((name) => Number(mine[0].params.get(name))), [1699999380, 1699999980]);
});

test('renderer: rows and panels repeat for the chosen values, titles carry them', async () => {
  assert.deepEqual(await textsOf(page.locator('.panel h2', { hasText: /^Host / })), ['Host alpha', 'Host beta']);
  assert.deepEqual(await textsOf(page.locator('.panel h2', { hasText: /^In the row of/ })), ['In the row of alpha', 'In the row of beta']);
  assert.equal(await panelOf('Host beta').locator('.stat-value').first().textContent(), '20');
  assert.equal(await panelOf('Of alpha + beta on a1').count(), 1);
  assert.deepEqual((await legendRows('Of alpha + beta on a1')).map(([name]) => name), ['alpha by Fast', 'beta by Fast']);
});

test('renderer: choosing other values asks the variables that hang on them, and repeats anew', async () => {
  await page.locator('[data-variable="host"]').click();
  const choices = page.locator('.variable-choices');
  assert.deepEqual(await textsOf(choices.locator('button')), ['All', 'alpha', 'beta', 'gamma']);
  await choices.getByText('alpha').click();
  await page.keyboard.press('Escape');
  await eventually('one repeated panel', async () => (await page.locator('.panel h2', { hasText: /^Host / }).count()) === 1, 20000);
  await settled();
  assert.equal(await page.locator('[data-variable="instance"] b').textContent(), 'b1');
  assert.deepEqual(await textsOf(page.locator('.panel h2', { hasText: /^Of / })), ['Of beta on b1']);
  assert.equal(new URL(page.url()).searchParams.get('var-host'), 'beta');
});

test('renderer: All repeats for every value and comes from the address', async () => {
  await open('?var-host=$__all');
  assert.deepEqual(await textsOf(page.locator('.panel h2', { hasText: /^Host / })), ['Host alpha', 'Host beta', 'Host gamma']);
});

test('renderer: what did not change is neither asked nor drawn again', async () => {
  const before = asked.filter(({ path }) => path.endsWith('query_range')).length;
  await page.keyboard.press('r');
  await settled();
  await page.waitForTimeout(300);
  assert.equal(asked.filter(({ path }) => path.endsWith('query_range')).length, before);
});

test('renderer: the page reports no error', () => {
  assert.deepEqual(problems, []);
});
