// Opens a running appliance in a real browser and uses its pages as a person would.
//
//   node tests/web/browser_test.mjs --url http://127.0.0.1:8080 --out DIR
//
// The appliance must be serving requests, or its panels rightly have no data. CHROMIUM names another
// browser than /usr/bin/chromium. Leaves screenshots in DIR; exits 1 with the reasons on failure.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kActionTimeoutMs, launchBrowser, openPage, readPanels, visitPanels } from './browser.mjs';

const kDataTimeoutMs = 90000;

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, out: { type: 'string', default: '.' } },
});
if (!options.url) {
  console.error('usage: browser_test.mjs --url http://127.0.0.1:PORT [--out DIR]');
  process.exit(2);
}
const origin = new URL(options.url).origin;
mkdirSync(options.out, { recursive: true });
const problems = [];

function check(holds, sentence) {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${sentence}`);
  if (!holds) problems.push(sentence);
}

async function panelsWithoutData(page) {
  return (await readPanels(page)).filter((panel) => panel.state !== 'ready')
    .map((panel) => `${panel.title} (${panel.state}: ${panel.note})`);
}

/** Scrolls through the whole page, as panels out of sight ask for nothing, until all have data. */
async function waitForAllPanels(page) {
  const deadline = Date.now() + kDataTimeoutMs;
  let missing = ['the dashboard did not appear'];
  await page.waitForSelector('.panel[data-state="ready"]', { timeout: kDataTimeoutMs }).catch(() => {});
  while (Date.now() < deadline) {
    await visitPanels(page);
    await page.waitForTimeout(500);
    missing = await panelsWithoutData(page);
    if (missing.length === 0) break;
  }
  await page.evaluate(() => window.scrollTo(0, 0));
  const count = await page.locator('.section:not([hidden]) .panel').count();
  check(missing.length === 0 && count > 0, `every panel of ${count} has data${missing.length ? `; without: ${missing.join('; ')}` : ''}`);
}

async function shoot(page, name, fullPage = false) {
  await page.screenshot({ path: join(options.out, `${name}.png`), fullPage, timeout: kActionTimeoutMs });
}

const param = (page, name) => new URL(page.url()).searchParams.get(name);

async function testZoom(page) {
  const plot = page.locator('.type-timeseries .chart > .plot').first();
  const box = await plot.boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.5, y);
  check(await page.locator('.crosshair:not([hidden])').count() > 1, 'the crosshair stands on several charts at once');
  check(await page.locator('.tooltip').isVisible(), 'hovering shows the tooltip');
  check(await page.locator('#live').getAttribute('data-state') === 'paused', 'hovering pauses the refresh');
  await shoot(page, 'hover');
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, y, { steps: 5 });
  await page.mouse.up();
  await page.mouse.move(5, 5);
  const width = Number(param(page, 'to')) - Number(param(page, 'from'));
  check(width > 1000 && width < 900000, `dragging zooms the dashboard (to ${width} ms)`);
  await page.click('#zoom-out');
  const wider = Number(param(page, 'to')) - Number(param(page, 'from'));
  check(Math.abs(wider - 2 * width) <= 2, 'zooming out doubles the range');
  await page.click('#live');
  check(param(page, 'to') === 'now', 'the live button leads back to now');
}

async function testLegend(page) {
  const panel = page.locator('.panel[aria-label="TTFT"]');
  const rows = panel.locator('.legend tbody tr');
  const count = await rows.count();
  await rows.first().locator('button').click();
  check(count > 1 && await panel.locator('.legend tr.off').count() === count - 1, 'a click on a legend isolates its series');
  await rows.first().locator('button').click();
  check(await panel.locator('.legend tr.off').count() === 0, 'a second click shows all series again');
}

async function testPanelMenu(page) {
  const panel = page.locator('.panel[aria-label="TTFT"]');
  await panel.hover({ position: { x: 40, y: 12 } });
  await panel.locator('.panel-info').click();
  const about = await panel.locator('.panel-pane').innerText();
  check(about.includes('histogram_quantile') && !about.includes('$__'), 'the panel shows the PromQL that was sent');
  await page.keyboard.press('Escape');
  await panel.locator('.panel-menu').click();
  const download = page.waitForEvent('download');
  await panel.getByText('Download CSV').click();
  check((await download).suggestedFilename() === 'TTFT.csv', 'the panel menu downloads a CSV');
  await panel.hover({ position: { x: 40, y: 12 } });
  await page.keyboard.press('v');
  check(await panel.evaluate((node) => node.classList.contains('solo')), 'v shows the panel under the mouse alone');
  await shoot(page, 'panel');
  await page.keyboard.press('Escape');
  check(param(page, 'viewPanel') === null, 'Escape leaves the full screen');
  await page.keyboard.press('?');
  check(await page.locator('dialog.help').isVisible(), '? shows the keyboard help');
  await page.keyboard.press('Escape');
}

async function testTimePicker(page) {
  await page.click('#time-picker');
  await page.fill('#time-from', 'now-2m');
  await page.fill('#time-to', 'now');
  await page.getByText('Apply time range').click();
  check(param(page, 'from') === 'now-2m', 'the time picker takes a typed range into the address');
  await page.goBack();
  check(param(page, 'from') !== 'now-2m', 'the browser’s back button undoes it');
}

async function testTheme(page) {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await background();
  await page.click('#theme');
  check(await background() !== before, 'the theme button changes the theme');
}

async function testDashboard(browser) {
  for (const theme of ['dark', 'light']) {
    const page = await openPage(browser, origin, problems);
    const refresh = theme === 'dark' ? '1s' : '10s';
    await page.goto(`${origin}/?theme=${theme}&from=now-5m&to=now&refresh=${refresh}`);
    await waitForAllPanels(page);
    await page.waitForTimeout(500);
    await shoot(page, `dashboard-${theme}`);
    await shoot(page, `dashboard-${theme}-full`, true);
    if (theme === 'dark') {
      await testZoom(page);
      await testLegend(page);
      await testPanelMenu(page);
      await testTimePicker(page);
      await testTheme(page);
    }
    await page.close();
  }
  const phone = await openPage(browser, origin, problems, { width: 390, height: 844 });
  await phone.goto(`${origin}/?from=now-5m&to=now`);
  await phone.waitForSelector('.panel[data-state="ready"]');
  const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  check(overflow <= 0, 'nothing sticks out sideways on a phone');
  await shoot(phone, 'dashboard-phone');
  await phone.close();
}

async function testChat(browser) {
  const page = await openPage(browser, origin, problems);
  await page.goto(`${origin}/chat?theme=dark`);
  await page.locator('#model option').first().waitFor({ state: 'attached' });
  await page.fill('#prompt', 'What is TTFT?');
  await page.keyboard.press('Enter');
  const bubble = page.locator('.bubble.assistant').last();
  await bubble.locator('.content p').first().waitFor({ timeout: 60000 });
  await page.locator('.bubble.assistant:not(.streaming)').waitFor({ timeout: 120000 });
  const answer = await bubble.locator('.content').innerText();
  const figures = await bubble.locator('.figures').innerText();
  console.log(`     answer: ${JSON.stringify(answer.slice(0, 200))}\n     figures: ${JSON.stringify(figures)}`);
  check(answer.trim().length > 10, 'the chat shows an answer');
  check(/TTFT/.test(figures) && /tok\/s/.test(figures), 'the answer shows TTFT and tok/s');
  check(/prompt tokens/.test(figures), 'the answer shows the token counts of the server');
  await shoot(page, 'chat');
  await page.click('#new-chat');
  check(await page.locator('.bubble').count() === 0, 'a new chat is empty');
  await page.close();
}

const browser = await launchBrowser();
try {
  await testDashboard(browser);
  await testChat(browser);
} catch (error) {
  problems.push(`the test stopped: ${error.message}`);
} finally {
  await browser.close();
}
const distinct = [...new Set(problems)];
for (const problem of distinct) console.error(`FAIL ${problem}`);
console.log(distinct.length ? `${distinct.length} problems` : `all well; screenshots in ${options.out}`);
process.exit(distinct.length ? 1 : 0);
