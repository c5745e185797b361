// A real browser for the tests of the pages: started once, watched for everything a page must not do.

import { chromium } from 'playwright-core';

const kFlags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const kViewport = { width: 1440, height: 900 };

export const kActionTimeoutMs = 90000;  // a box under load and its browser may share two cores

/** CHROMIUM names another browser than /usr/bin/chromium. */
export function launchBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: kFlags });
}

/**
 * A page on which every console error, exception, CSP violation and request to another origin
 * becomes a sentence in `problems`.
 */
export async function openPage(browser, origin, problems, viewport = kViewport) {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(kActionTimeoutMs);
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`CSP violation: ${event.violatedDirective} blocks ${event.blockedURI}`);
    });
  });
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console error: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.stack}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) problems.push(`third-party request: ${url}`);
  });
  return page;
}

/** Every panel on show: {id, title, state, reason, note}; see PanelFrame for the states. */
export function readPanels(page) {
  return page.$$eval('.section:not([hidden]) .panel', (panels) => panels.map((panel) => ({
    id: Number(panel.dataset.panelId),
    title: panel.querySelector('h2').textContent,
    state: panel.dataset.state,
    reason: panel.dataset.reason ?? '',
    note: panel.querySelector('.panel-note').textContent,
  })));
}

/** Scrolls through the whole page, as panels out of sight ask for nothing. */
export async function visitPanels(page) {
  for (const panel of await page.$$('.section:not([hidden]) .panel')) await panel.scrollIntoViewIfNeeded();
}

/** Opens every row and scrolls on until every panel has settled, as panels out of sight ask for nothing; readPanels() then. */
export async function settlePanels(page, patienceMs = kActionTimeoutMs) {
  const deadline = Date.now() + patienceMs;
  await page.waitForSelector('.panel');
  for (let turn = 0; turn < 2 && await page.locator('.row-title[aria-expanded="false"]').count() > 0; ++turn) {
    await page.keyboard.press('o');
  }
  for (;;) {
    // Nothing is held on to: the page may make its panels anew when its variables have loaded.
    await page.evaluate(() => document.querySelector('.section:not([hidden]) .panel[data-state="loading"]')?.scrollIntoView());
    await page.waitForTimeout(100);
    const panels = await readPanels(page);
    const loading = panels.filter(({ state }) => state === 'loading');
    if (panels.length > 0 && loading.length === 0) return panels;
    if (Date.now() > deadline) throw new Error(`still loading: ${loading.map(({ title }) => title).join(', ') || 'every panel'}`);
  }
}
