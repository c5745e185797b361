// The dashboard page as people use it who come from Grafana: time, refresh, kiosk, keys, address, language,
// paper. What panels draw is tested elsewhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, eventually } from './appliance.mjs';
import { runLoad } from './load.mjs';

const kHourMs = 3600000;
const param = (page, name) => new URL(page.url()).searchParams.get(name);
const range = (page) => [Number(param(page, 'from')), Number(param(page, 'to'))];

async function choose(page, button, text) {
  await page.click(button);
  await page.locator('.pane:not([hidden])').getByText(text, { exact: true }).first().click();
}

const keys = async (page, ...all) => {
  for (const key of all) await page.keyboard.press(key);
};

/** What a person does, and what must follow. open(path) gives a page whose panels have data. */
const kBehaviours = {
  'time: quick ranges, typed ones, what was used last': async ({ open }) => {
    const page = await open('/?from=now-5m&to=now');
    await choose(page, '#time-picker', 'Last 1 hour');
    assert.deepEqual([param(page, 'from'), param(page, 'to')], ['now-1h', 'now']);
    await page.click('#time-picker');
    await page.fill('#time-from', 'now-1x');
    await page.keyboard.press('Enter');
    assert.match(await page.locator('.field-error').innerText(), /"now-1x" is no time/);
    await page.fill('#time-from', '13h');
    await page.keyboard.press('Enter');
    assert.equal(param(page, 'from'), 'now-13h');
    await page.click('#time-picker');
    const recent = page.locator('.range-column .choices').first();
    assert.deepEqual(await recent.locator('.choice').allInnerTexts(), ['now-13h to now', 'Last 1 hour']);
    await recent.getByText('Last 1 hour').click();
    assert.equal(param(page, 'from'), 'now-1h');
    await page.goBack();
    assert.equal(param(page, 'from'), 'now-13h');
    await page.goForward();
    assert.equal(param(page, 'from'), 'now-1h');
    await page.close();
  },

  'time: earlier, later, in, out, absolute, and back to now by keys': async ({ open }) => {
    const page = await open('/?from=now-1h&to=now&refresh=off');
    const before = Date.now();
    await keys(page, 't', 'a');
    const [from, to] = range(page);
    assert.ok(Math.abs(to - before) < 60000 && to - from === kHourMs, `${from} ${to}`);
    assert.equal(await page.locator('#live').getAttribute('data-state'), 'past');
    await keys(page, 't', 'ArrowLeft');
    assert.deepEqual(range(page), [from - kHourMs / 2, to - kHourMs / 2]);
    await page.click('#later');
    assert.deepEqual(range(page), [from, to]);
    await keys(page, 't', '+');
    assert.deepEqual(range(page), [from + kHourMs / 4, to - kHourMs / 4]);
    await keys(page, 't', '-');
    assert.equal(range(page)[1] - range(page)[0], kHourMs);
    await keys(page, 't', 'n');
    assert.equal(param(page, 'to'), 'now');
    await page.close();
  },

  'time: UTC turns the axis and the address': async ({ browser, appliance }) => {
    const context = await browser.newContext({ timezoneId: 'Asia/Shanghai', viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    await page.goto(`${appliance.url}/?from=1768392000000&to=1768395600000`);  // 2026-01-14 12:00 to 13:00 UTC
    const label = () => page.locator('#time-picker').innerText();
    assert.match(await label(), /20:00:00/);
    await choose(page, '#time-picker', 'UTC');
    assert.match(await label(), /12:00:00/);
    assert.equal(param(page, 'timezone'), 'utc');
    await context.close();
  },

  'refresh: the menu, a pause by key, by mouse, by button': async ({ open }) => {
    const page = await open('/?from=now-5m&to=now&refresh=off');
    const state = () => page.locator('#live').getAttribute('data-state');
    assert.equal(await state(), 'still');
    let queries = 0;
    page.on('request', (request) => { queries += /query_range/.test(request.url()) ? 1 : 0; });
    await choose(page, '#auto-refresh', 'Live · 1s');
    assert.equal(param(page, 'refresh'), '1s');
    await page.mouse.move(2, 2);
    await eventually('a refresh by itself', () => queries > 20);
    await keys(page, ' ');
    assert.equal(await state(), 'paused');
    await page.waitForLoadState('networkidle');
    const atPause = queries;
    await page.waitForTimeout(2500);
    assert.equal(queries, atPause, 'paused is paused');
    await page.click('#live');
    assert.equal(await state(), 'live');
    await eventually('refreshes again', () => queries > atPause);
    await page.locator('.type-timeseries .plot').first().hover();
    assert.equal(await state(), 'paused', 'the mouse on a chart pauses');
    await page.mouse.move(2, 2);
    assert.equal(await state(), 'live');
    await choose(page, '#auto-refresh', 'Auto');
    assert.equal(param(page, 'refresh'), 'auto');
    await page.close();
  },

  'kiosk: by key, by button, by address, left by Escape': async ({ open }) => {
    const page = await open('/?from=now-5m&to=now');
    await keys(page, 'd', 'k');
    assert.equal(await page.locator('.topbar').isVisible(), false);
    assert.equal(param(page, 'kiosk'), 'true');
    await page.reload();
    await page.waitForSelector('.panel[data-state="ready"]');
    assert.equal(await page.locator('.topbar').isVisible(), false);
    await keys(page, 'Escape');
    assert.equal(await page.locator('.topbar').isVisible(), true);
    assert.equal(param(page, 'kiosk'), null);
    await page.click('#kiosk');
    assert.equal(await page.locator('.strip').isVisible(), false);
    await page.close();
  },

  'address: a link reproduces the view': async ({ open }) => {
    const page = await open('/?from=now-5m&to=now');
    await choose(page, '[data-variable="model_name"]', 'hearth-demo');
    await keys(page, 'Escape');
    await page.locator('.panel[aria-label="TTFT"]').hover({ position: { x: 40, y: 12 } });
    await keys(page, 'v');
    const other = await open(new URL(page.url()).pathname + new URL(page.url()).search);
    assert.equal(await other.locator('[data-variable="model_name"] b').innerText(), 'hearth-demo');
    assert.equal(await other.locator('.panel.solo').getAttribute('aria-label'), 'TTFT');
    await other.close();
    await page.close();
  },

  'keys: the help names them all, a key in a field is text': async ({ open }) => {
    const page = await open('/');
    await keys(page, '?');
    const help = await page.locator('dialog.help').innerText();
    for (const text of ['Zoom out', 'Kiosk', 'Full screen', 'Pause or go on', 'Copy the time range']) assert.ok(help.includes(text), text);
    await keys(page, 'Escape');
    await keys(page, 't', 't');
    await page.keyboard.type('d k');
    assert.equal(await page.locator('.topbar').isVisible(), true);
    await page.close();
  },

  'language: by address, by menu, kept': async ({ open, appliance }) => {
    const page = await open('/?lang=zh');
    assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
    assert.match(await page.locator('#time-picker').innerText(), /最近 15 分钟/);
    await page.goto(`${appliance.url}/`);
    await page.waitForSelector('.panel[data-state="ready"]');
    assert.equal(await page.locator('html').getAttribute('lang'), 'en', 'an address chooses for itself alone');
    await choose(page, '#language', '简体中文');
    await page.waitForSelector('html[lang="zh-CN"]');
    await page.goto(`${appliance.url}/chat`);
    await page.waitForSelector('html[lang="zh-CN"]');
    assert.match(await page.locator('.tabs').innerText(), /对话/);
    await page.close();
  },

  'paper: white, whole panels, nothing to click': async ({ open }) => {
    const page = await open('/?from=now-5m&to=now&theme=dark');
    await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'light');
    for (const selector of ['.tools', '.tabs', '#live']) assert.equal(await page.locator(selector).isVisible(), false, selector);
    assert.equal(await page.locator('.panel').first().isVisible(), true);
    assert.ok((await page.pdf()).length > 20000, 'a PDF with charts in it');
    await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    await page.close();
  },
};

test('the dashboard page', { timeout: 600000 }, async (t) => {
  const appliance = await Appliance.start({ name: 'hearth-demo' });
  t.after(() => appliance.stop());
  await runLoad(appliance, { streams: 2, seconds: 3 });
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const open = async (path, viewport) => {
    const page = await openPage(browser, appliance.url, problems, viewport);
    await page.goto(`${appliance.url}${path}`);
    await page.waitForSelector('.panel[data-state="ready"]');
    return page;
  };
  for (const [name, behaves] of Object.entries(kBehaviours)) {
    await t.test(name, () => behaves({ open, browser, appliance }));
  }
  assert.deepEqual([...new Set(problems)], []);
});
