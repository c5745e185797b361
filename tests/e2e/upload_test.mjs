// Ray's and vLLM's own dashboards, uploaded to the box and opened in Chromium: every panel is drawn, is
// empty for a reason, or says what of it is not drawn. None fails and none is blank.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchBrowser, openPage, readPanels, settlePanels } from '../web/browser.mjs';
import { Appliance, sleep } from './appliance.mjs';
import { runMixedLoad, secondsPastTheMinute, switchModel } from './load.mjs';
import { kPanelsAreHere, whyEmpty } from './panels.mjs';
import { referenceDashboards } from './reference_dashboards.mjs';

const kLoadS = 25;

async function upload(appliance, dashboard) {
  const response = await fetch(`${appliance.url}/api/dashboards`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ dashboard }),
  });
  const answer = await response.json();
  assert.equal(response.status, 201, JSON.stringify(answer));
  assert.equal(answer.url, `/d/${dashboard.uid}`);
  return answer;
}

// Ids of panels that claim to be drawn and show nothing: no text, and no canvas with a pixel on it.
const blankPanels = (page) => page.$$eval('.section:not([hidden]) .panel[data-state="ready"]', (panels) => {
  const isPainted = (canvas) => canvas.width > 0 && canvas.height > 0 &&
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
  const isBlank = (panel) => panel.querySelector('.panel-body').textContent.trim() === '' &&
    ![...panel.querySelectorAll('canvas')].some(isPainted);
  return panels.filter(isBlank).map((panel) => Number(panel.dataset.panelId));
});

// {drawn, empty, unsupported, failed}: titles, and what the page says of those that are not drawn.
function sorted(panels, blank, dashboard) {
  const sorts = { drawn: [], empty: [], unsupported: [], failed: [] };
  for (const { id, title, state, note } of panels) {
    const { targets } = dashboard.panels.find((panel) => panel.id === id);
    const reasons = targets.map(({ expr }) => whyEmpty(expr));
    if (state === 'ready' && !blank.includes(id)) sorts.drawn.push(title);
    else if (state === 'empty' && reasons.every(Boolean)) sorts.empty.push(`${title} (${reasons[0]})`);
    else if (state === 'unsupported' && note) sorts.unsupported.push(`${title} (${note})`);
    else sorts.failed.push(`${title}: ${state}: ${note}`);
  }
  return sorts;
}

test('the dashboards of Ray and vLLM upload and draw', { timeout: 600000,
  skip: kPanelsAreHere ? false : 'the panels lie beside the project, in ../shared' }, async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const startMs = Date.now();
  const load = runMixedLoad(appliance, { seconds: secondsPastTheMinute(kLoadS) });
  await switchModel(appliance);
  await switchModel(appliance);
  const { errors } = await load;
  assert.deepEqual(errors, []);
  await sleep(2000);
  const endMs = Date.now();

  const browser = await launchBrowser();
  t.after(() => browser.close());
  const failed = [];
  t.diagnostic('dashboard | panels | drawn | empty | not drawn | failed');
  for (const dashboard of referenceDashboards()) {
    const { undrawn } = await upload(appliance, dashboard);
    const problems = [];
    const page = await openPage(browser, appliance.url, problems, { width: 1440, height: 3000 });
    await page.goto(`${appliance.url}/d/${dashboard.uid}?from=${startMs}&to=${endMs}&refresh=off`);
    const panels = await settlePanels(page);
    assert.equal(panels.length, dashboard.panels.filter(({ type }) => type !== 'row').length, 'every panel is on the page');
    const sorts = sorted(panels, await blankPanels(page), dashboard);
    const { drawn, empty, unsupported } = sorts;
    t.diagnostic([dashboard.title, panels.length, drawn.length, empty.length, unsupported.length, sorts.failed.length].join(' | '));
    for (const text of [...empty, ...unsupported]) t.diagnostic(`  ${text}`);
    assert.equal(unsupported.length > 0, undrawn.some(({ what }) => what.includes('panel type')), 'the upload named what is not drawn');
    failed.push(...[...sorts.failed, ...new Set(problems)].map((text) => `${dashboard.title}: ${text}`));
    await page.close();
  }
  assert.deepEqual(failed, []);
});
