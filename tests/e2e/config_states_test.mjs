// The configuration page where not everything is well: an engine that answers nonsense, a box in
// recovery mode, a configuration that a file pins; and two models in one form.

import assert from 'node:assert/strict';
import { cp, mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { pagesOf } from '../web/page_sources.mjs';
import { Appliance, eventually, kDemoModel } from './appliance.mjs';

const kPatienceMs = 60000;
const kCrashes = 2;
const kPhone = { width: 390, height: 844 };

async function directory(t) {
  const made = await mkdtemp(join(tmpdir(), 'hearth-config-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** A copy of the demo model whose weights are no numbers: it loads, and cannot answer. */
async function damagedModel(t) {
  const model = await directory(t);
  await cp(kDemoModel, model, { recursive: true });
  const path = join(model, 'model.safetensors');
  const bytes = await readFile(path);
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  for (let at = begin; at + 1 < bytes.length; at += 2) bytes.writeUInt16LE(0x7fc0, at);  // NaN in bfloat16
  const file = await open(path, 'r+');
  await file.write(bytes, begin, bytes.length - begin, begin);
  await file.close();
  return model;
}

const documentOf = (models) => models.map(([name, source]) => `- model_loading_config:\n    model_id: ${name}\n    model_source: ${source}\n`).join('');

/** A page at /config of a running box; what complains in it fails the test. */
async function configPage(t, appliance, viewport) {
  const origin = await pagesOf(appliance, t);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, origin, problems, viewport);
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto(`${origin}/config`);
  await page.waitForSelector('.config-model, .config-none:not([hidden])');
  return { page, origin, problems };
}

const says = (page, selector, pattern) => eventually(`${selector} says ${pattern}`,
  async () => pattern.test((await page.locator(selector).allInnerTexts()).join('\n')), kPatienceMs);

async function putText(page, text) {
  await page.click('#config-view-text');
  await page.fill('#config-text', text);
  await page.click('#config-view-form');
}

async function start(t, options) {
  const appliance = await Appliance.start(options);
  t.after(() => appliance.kill9());
  return appliance;
}

test('a model that loads but cannot answer is taken back, and the page says why, also later', { timeout: 120000 }, async (t) => {
  const model = await damagedModel(t);
  const appliance = await start(t);
  const { page, problems } = await configPage(t, appliance);
  await putText(page, documentOf([['damaged', model]]));
  await page.click('#config-apply-open:not([disabled])');
  await page.click('dialog[open] [data-choice="go"]');
  await says(page, '#config-apply', /was taken back[^]*the probe failed[^]*not a number[^]*Revision 1 serves as before/);
  assert.equal(await page.locator('.apply-step.failed').getAttribute('data-step'), 'probe');
  assert.equal(await page.locator('.apply-step.running').count(), 0);
  assert.deepEqual(await violations(page), []);
  await appliance.ask('What is TTFT?', { model: 'demo', max_tokens: 4 });
  await page.reload();
  await says(page, '#config-apply', /was taken back[^]*the probe failed/);
  await says(page, '.alerts', /is the newest text, but revision 1 is what serves/);
  await page.click('#config-active');
  await says(page, '.config-model h2', /^demo$/);  // what serves is in the editor again
  await page.click('#config-tab-revisions');
  await says(page, '.config-revisions tr', /taken back\s*the probe failed/);
  assert.deepEqual(problems, []);
});

test('a model that failed is started again once its files are whole', { timeout: 120000 }, async (t) => {
  const model = await directory(t);
  await cp(kDemoModel, model, { recursive: true });
  const weights = join(model, 'model.safetensors');
  await rename(weights, `${weights}.away`);
  const appliance = await start(t, { model, waitReady: false });
  await eventually('a failed model', async () => (await appliance.status()).models[0].state === 'failed');
  const { page, problems } = await configPage(t, appliance);
  await says(page, '.config-problems .error', /model\.safetensors/);
  assert.ok(await page.isDisabled('#config-apply-open'));
  await rename(`${weights}.away`, weights);
  await page.reload();
  await says(page, '.config-changes', /demo gets a new engine/);
  await page.click('#config-apply-open:not([disabled])');
  await page.click('dialog[open] [data-choice="go"]');
  await page.locator('#apply-confirm').click({ timeout: kPatienceMs });
  await says(page, '#config-apply', /is active/);
  await appliance.ask('What is TTFT?', { max_tokens: 4 });
  await says(page, '.config-why', /This is what serves/);
  assert.deepEqual(problems, []);
});

test('recovery mode is said on every page, and ends with a revision that works', { timeout: 120000 }, async (t) => {
  const state = await directory(t);
  const options = { state, waitReady: false, env: { HEARTH_RECOVERY_CRASHES_MAX: `${kCrashes}` } };
  for (let crash = 0; crash < kCrashes; ++crash) await (await Appliance.start(options)).kill9();
  const appliance = await start(t, options);
  assert.equal((await appliance.chat('hi')).status, 503);
  const { page, origin, problems } = await configPage(t, appliance);
  await says(page, '.alerts', /Recovery mode[^]*that ends recovery mode/);
  assert.deepEqual(await violations(page), []);
  await page.goto(`${origin}/chat`);
  await says(page, '.alerts', /Recovery mode/);
  await page.click('.alerts a');
  await page.click('#config-apply-open:not([disabled])');
  await page.click('dialog[open] [data-choice="go"]');
  await page.waitForSelector('#apply-confirm', { timeout: kPatienceMs });
  await appliance.ask('What is TTFT?', { max_tokens: 4 });  // while it is watched
  await page.click('#apply-confirm');
  await says(page, '#config-apply', /is active/);
  await eventually('no word of it any more', async () => !/Recovery mode/.test((await page.locator('.alerts').allInnerTexts()).join('')));
  assert.deepEqual(problems.filter((text) => !/503/.test(text)), []);
});

test('a pinned configuration is shown whole and cannot be changed; models fold', { timeout: 120000 }, async (t) => {
  const place = await directory(t);
  const models = join(place, 'models.yaml');
  await writeFile(models, documentOf([['first', kDemoModel], ['second', kDemoModel]]));
  await writeFile(join(place, 'hearth.yaml'), `model_config: {file: ${models}, mode: pin}\n`);
  const appliance = await start(t, { args: ['--config', join(place, 'hearth.yaml')], ownModel: false });
  const { page, problems } = await configPage(t, appliance, kPhone);
  await says(page, '.alerts', /read-only[^]*models\.yaml/);
  const buttons = ['#config-apply-open', '#config-save', '#config-paste-open', '#config-open', '#config-add-model'];
  for (const button of buttons) assert.ok(await page.isDisabled(button), button);
  assert.equal(await page.locator('.config-model :is(input, select, textarea):enabled').count(), 0);
  const folds = page.locator('.config-fold');
  assert.deepEqual(await folds.evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-expanded'))), ['true', 'false']);
  await folds.nth(1).focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.config-field[data-path$="[1].model_loading_config.model_id"] input').inputValue(), 'second');
  assert.deepEqual(await violations(page), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
  const refused = await appliance.post('/api/config/apply', { document: '[]', note: '', expected: 1 });
  assert.ok(refused.status >= 400 && refused.status < 500, String(refused.status));
  assert.match((await refused.json()).error.message, /pinned/);
  assert.deepEqual(problems, []);
});
