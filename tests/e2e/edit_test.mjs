// Editing dashboards in a browser over a real box: a query, the preview, a copy, two people at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { pagesOf } from '../web/page_sources.mjs';
import { Appliance, eventually } from './appliance.mjs';

const kPanelId = 13;  // the LLM dashboard's "Requests / s"
const dialogChoice = (page, choice) => page.click(`dialog[open] [data-choice="${choice}"]`);

async function openEditor(page, origin, path) {
  await page.goto(`${origin}${path}?from=now-5m&to=now&refresh=off&editPanel=${kPanelId}`);
  await page.waitForSelector('.edit-preview .panel:not(.edit-next)');
}

async function stored(appliance, uid) {
  return (await fetch(`${appliance.url}/api/dashboards/${uid}`)).json();
}

async function changesThePreview({ page, origin }) {
  await openEditor(page, origin, '/d/hearthLlm');
  assert.deepEqual(await violations(page), [], 'queries');
  await page.locator('.editor-field').first().fill('vector(40 + 2)');
  await page.locator('[id="edit-type"]').selectOption('stat');
  await page.click('#edit-tab-options');
  await page.fill('[data-path="title"] input', 'Forty-two');
  await page.fill('[data-path="fieldConfig.defaults.unit"] input', 'percent');
  await eventually('the preview', async () => /42%/.test(await page.locator('.edit-preview').innerText()));
  assert.deepEqual(await violations(page), [], 'options');
  await page.click('#edit-tab-queries');
  await page.locator('.editor-field').first().fill('vector(42');
  await eventually('the error in words', async () => (await page.locator('.edit-said').innerText()).length > 0);
  assert.match(await page.locator('.edit-preview').innerText(), /42%/, 'the last good drawing stays');
  await page.locator('.editor-field').first().fill('vector(42)');
  await page.click('#edit-apply');
  await eventually('the badge', async () => (await page.locator('.edit-badge').innerText()) === 'Unsaved changes');
}

async function savesACopy({ page }) {
  await page.click('#edit-save');
  assert.match(await page.locator('dialog[open]').innerText(), /came with the box/);
  assert.deepEqual(await violations(page), [], 'the dialog');
  await page.fill('#edit-ask', 'My copy');
  await page.click('dialog[open] button.primary');
  await page.waitForURL((url) => url.pathname.startsWith('/d/') && url.pathname !== '/d/hearthLlm');
  await page.waitForSelector(`[data-panel-id="${kPanelId}"][data-state="ready"]`);
  assert.match(await page.locator(`[data-panel-id="${kPanelId}"]`).innerText(), /Forty-two[^]*42%/);
  return decodeURIComponent(new URL(page.url()).pathname.split('/')[2]);
}

async function keepsWhatItDoesNotKnow({ appliance }, uid) {
  const original = await stored(appliance, 'hearthLlm');
  const { dashboard } = await stored(appliance, uid);
  const find = (json, id) => json.panels.flatMap((one) => [one, ...(one.panels ?? [])]).find((one) => one.id === id);
  assert.deepEqual(find(dashboard, 10), find(original.dashboard, 10), 'an untouched panel');
  assert.deepEqual(dashboard.templating, original.dashboard.templating);
  assert.equal(find(dashboard, kPanelId).targets[0].expr, 'vector(42)');
  assert.equal(find(dashboard, kPanelId).targets[0].legendFormat, find(original.dashboard, kPanelId).targets[0].legendFormat);
}

async function arrangesByKeyboardAndMouse({ page }) {
  await page.click('#edit');
  await page.waitForSelector('#edit-save');
  const panel = page.locator(`[data-panel-id="${kPanelId}"]`);
  const width = () => panel.evaluate((node) => Number(node.style.getPropertyValue('--w')));
  const column = () => panel.evaluate((node) => Number(node.style.getPropertyValue('--x')));
  const before = await width();
  await panel.focus();
  await page.keyboard.press('Shift+ArrowRight');
  await eventually('a wider panel', async () => (await width()) === before + 1);
  assert.match(await page.locator('.edit-tools .sr').innerText(), new RegExp(`${before + 1} wide`));
  const head = await panel.locator('.panel-head').boundingBox();
  await page.mouse.move(head.x + head.width / 2, head.y + 10);
  await page.mouse.down();
  await page.mouse.move(head.x + head.width / 2 + 400, head.y + 10, { steps: 4 });
  await page.mouse.up();
  await eventually('a moved panel', async () => (await column()) > 4);
  assert.deepEqual(await violations(page), [], 'edit mode');
}

/** Two people save one dashboard: the second is asked, and both versions are named. */
async function asksTheSecond({ browser, page, origin, problems, appliance }, uid) {
  const other = await openPage(browser, origin, problems);
  await other.goto(`${origin}/d/${uid}?refresh=off`);
  await other.click('#edit');
  await other.click('#edit-settings');
  await other.fill('dialog[open] [data-path="title"]', 'Renamed by another');
  assert.deepEqual(await violations(other), [], 'settings');
  await other.click('dialog[open] button.primary');
  await other.click('#edit-save');
  await dialogChoice(other, 'save');
  await eventually('the rename', async () => (await stored(appliance, uid)).dashboard.title === 'Renamed by another');
  await other.close();
  await page.click('#edit-save');
  await dialogChoice(page, 'save');
  await page.waitForSelector('dialog[open] [data-choice="overwrite"]');
  assert.match(await page.locator('dialog[open]').innerText(), /1[^]*2|2[^]*1/, 'both versions');
  await dialogChoice(page, 'overwrite');
  await eventually('the third version', async () => (await stored(appliance, uid)).meta.version === 3);
  assert.equal((await stored(appliance, uid)).dashboard.title, 'My copy');
  await eventually('nothing unsaved', async () => (await page.locator('.edit-badge').innerText()) === '');
  const expected = problems.filter((text) => /409/.test(text));
  assert.equal(expected.length, 1, 'the refused save');
  problems.splice(problems.indexOf(expected[0]), 1);
}

async function beginsWithAQuery({ page, origin }) {
  await page.goto(`${origin}/d/new?expr=${encodeURIComponent('vector(7)')}&from=now-5m&to=now&refresh=off`);
  await page.waitForSelector('.panel.type-timeseries[data-state="ready"]');
  await page.click('#edit-add-row');
  await page.waitForSelector('.row-title');
  await page.click('#edit-save');
  await page.fill('#edit-ask', 'From Explore');
  await page.click('dialog[open] button.primary');
  await page.waitForURL((url) => url.pathname !== '/d/new');
  assert.equal(new URL(page.url()).searchParams.has('expr'), false);
  await page.waitForSelector('.panel.type-timeseries[data-state="ready"]');
}

test('Editor: a dashboard is changed, copied, arranged and saved by two people', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const origin = await pagesOf(appliance, t);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, origin, problems);
  page.on('dialog', (dialog) => dialog.accept());
  const here = { appliance, origin, browser, page, problems };
  await changesThePreview(here);
  const badQueries = problems.splice(0).filter((text) => !/status of 400/.test(text));
  assert.deepEqual(badQueries, [], 'nothing but the query that did not parse');
  const uid = await savesACopy(here);
  await keepsWhatItDoesNotKnow(here, uid);
  await arrangesByKeyboardAndMouse(here);
  await asksTheSecond(here, uid);
  await beginsWithAQuery(here);
  assert.deepEqual(problems, []);
});
