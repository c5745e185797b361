// Every page in both themes and three widths: axe finds nothing, nothing sticks out sideways, nothing
// complains in the console; and the dashboard without a mouse. Leaves a screenshot of each.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, kSourceRoot } from './appliance.mjs';
import { runLoad } from './load.mjs';

const kOut = process.env.HEARTH_SCREENSHOTS ?? join(kSourceRoot, 'build/screenshots');
const kWidths = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 }, wall: { width: 3840, height: 2160 } };
const kSettleMs = 1000;

/** The addresses in the navigation and its menu, and the shipped dashboards. */
async function pageAddresses(page) {
  await page.click('#box-pages');
  const pages = await page.$$eval('.tabs a', (links) => links.map((link) => link.getAttribute('href')));
  const { dashboards } = await (await fetch(new URL('/api/dashboards', page.url()))).json();
  return [...pages, ...dashboards.filter(({ uid }) => uid !== 'hearthLlm').map(({ uid }) => `/d/${uid}`)];
}

const nameOf = (path) => path.replace(/^\//, '').replaceAll('/', '-') || 'dashboard';
const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.className);

test('the pages', { timeout: 900000 }, async (t) => {
  await mkdir(kOut, { recursive: true });
  const appliance = await Appliance.start({ name: 'hearth-demo' });
  t.after(() => appliance.stop());
  assert.deepEqual((await runLoad(appliance, { streams: 3, seconds: 5 })).errors, []);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, appliance.url, problems, kWidths.desk);
  await page.goto(appliance.url);
  await page.waitForSelector('.tabs a');
  const addresses = await pageAddresses(page);
  assert.ok(addresses.length >= 13, String(addresses));

  for (const path of addresses) {
    await t.test(path, async () => {
      for (const theme of ['dark', 'light']) {
        await page.setViewportSize(kWidths.desk);
        await page.goto(`${appliance.url}${path}?theme=${theme}`);
        await page.waitForTimeout(kSettleMs);
        assert.deepEqual(await violations(page), [], `${path} in the ${theme} theme`);
        for (const [width, viewport] of Object.entries(kWidths)) {
          await page.setViewportSize(viewport);
          await page.waitForTimeout(kSettleMs / 2);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          assert.ok(overflow <= 0, `${path} at ${viewport.width} px: ${overflow} px stick out`);
          await page.screenshot({ path: join(kOut, `${nameOf(path)}-${theme}-${width}.png`) });
        }
      }
    });
  }

  await t.test('without a mouse: time range, panel, legend', async () => {
    await page.setViewportSize(kWidths.desk);
    await page.goto(`${appliance.url}/?from=now-5m&to=now&refresh=off`);
    await page.waitForSelector('.panel[data-state="ready"]');
    const tabTo = async (selector) => {
      for (let presses = 0; presses < 200; ++presses) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
      }
      assert.fail(`Tab never comes to ${selector}; it stands on ${await focused(page)}`);
    };
    await tabTo('#time-picker');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.pane:not([hidden]) #time-from');
    assert.equal(await focused(page), 'time-from', 'the first field has the focus');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('now-7m');
    await page.keyboard.press('Enter');
    assert.equal(new URL(page.url()).searchParams.get('from'), 'now-7m');
    await tabTo('.panel-menu');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[role="menu"]:not([hidden])');
    await page.keyboard.press('Escape');
    assert.match(await focused(page), /panel-menu/, 'Escape gives the focus back');
    await page.locator('.panel[aria-label="TTFT"]').focus();
    await tabTo('.legend tbody button');
    const off = page.locator('.panel[aria-label="TTFT"] .legend tr.off');
    assert.equal(await off.count(), 0);
    await page.keyboard.press('Enter');
    assert.ok(await off.count() > 0, 'a legend entry answers to the keyboard');
    await page.keyboard.press('v');
    await page.waitForSelector('.panel.solo');
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.panel.solo').count(), 0);
  });

  assert.deepEqual([...new Set(problems)], []);
});
