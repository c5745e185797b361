// Dashboards of the box over /api/dashboards and on their page: kept through a kill, refused with a
// reason, exported as they came, and told apart from what is not drawn.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, eventually, kSourceRoot } from './appliance.mjs';

const kShipped = 'hearthLlm';

const kBoard = {
  uid: 'mine', title: 'My boards & pipes', tags: ['mine'], schemaVersion: 39, weekStart: '', custom: { kept: [1.5, null, 'é'] },
  templating: { list: [{ name: 'Filters', type: 'adhoc' }] },
  panels: [
    { id: 4, type: 'timeseries', title: 'Rates', datasource: { type: 'prometheus', uid: '${DS_PROMETHEUS}' }, targets: [{ refId: 'A', expr: 'up' }], gridPos: { x: 0, y: 0, w: 12, h: 8 } },
    { id: 5, type: 'geomap', title: 'Map', targets: [], gridPos: { x: 12, y: 0, w: 12, h: 8 } },
  ],
};
const kUndrawn = [
  { panel_id: 0, title: kBoard.title, what: 'variable Filters of type adhoc is not used' },
  { panel_id: 5, title: 'Map', what: 'panel type geomap is not drawn' },
];

async function call(appliance, method, path = '', body = undefined, headers = {}) {
  const response = await fetch(`${appliance.url}/api/dashboards${path}`,
    { method, headers, body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text), text, error: () => JSON.parse(text).error.message };
}

test('dashboards over the API', { timeout: 300000 }, async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'hearth-dashboards-'));
  let appliance = await Appliance.start({ state });
  t.after(async () => {
    await appliance.stop();
    await rm(state, { recursive: true, force: true });
  });

  await t.test('the shipped ones are listed, whole and read-only', async () => {
    const { body } = await call(appliance, 'GET');
    assert.ok(body.dashboards.length >= 2);
    assert.ok(body.dashboards.every(({ source, uid, title, panels }) => source === 'shipped' && uid && title && panels > 0));
    const one = await call(appliance, 'GET', `/${kShipped}`);
    const files = await Promise.all(['llm.json'].map((name) => readFile(join(kSourceRoot, 'webui/dashboards', name), 'utf8')));
    assert.deepEqual(one.body.dashboard, JSON.parse(files[0]));
    assert.equal(one.body.meta.source, 'shipped');
    for (const [method, sent] of [['PUT', { dashboard: kBoard, version: 1 }], ['PATCH', { title: 'x' }], ['DELETE', undefined]]) {
      const refused = await call(appliance, method, `/${kShipped}`, sent);
      assert.equal(refused.status, 409, refused.text);
      assert.match(refused.error(), /comes with the box/);
    }
  });

  await t.test('an upload is answered with what is not drawn', async () => {
    const { status, body } = await call(appliance, 'POST', '', kBoard);
    assert.equal(status, 201);
    assert.deepEqual(body, { uid: 'mine', url: '/d/mine', title: kBoard.title, version: 1, undrawn: kUndrawn });
    const got = await call(appliance, 'GET', '/mine');
    assert.deepEqual(got.body.dashboard, kBoard);
    assert.deepEqual(got.body.meta.undrawn, kUndrawn);
    assert.equal(got.headers.get('cache-control'), 'no-store');
    assert.equal((await fetch(`${appliance.url}/d/mine`)).status, 200);
  });

  await t.test('a uid that is taken, a version that is old: 409 and what to do', async () => {
    const again = await call(appliance, 'POST', '', kBoard);
    assert.equal(again.status, 409);
    assert.match(again.error(), /'mine'.*"overwrite": true/);
    assert.equal((await call(appliance, 'POST', '', { dashboard: { ...kBoard, uid: kShipped }, overwrite: true })).status, 409);
    const over = await call(appliance, 'POST', '', { dashboard: kBoard, overwrite: true, message: 'again' });
    assert.deepEqual([over.status, over.body.version], [200, 2]);
    const late = await call(appliance, 'PUT', '/mine', { dashboard: kBoard, version: 1 });
    assert.equal(late.status, 409);
    assert.match(late.error(), /version 2.*version 1/);
    assert.equal((await call(appliance, 'PUT', '/mine', { dashboard: kBoard, version: 2 })).body.version, 3);
  });

  await t.test('of many who change one version, one wins', async () => {
    const { body } = await call(appliance, 'GET', '/mine');
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => call(appliance, 'PUT', '/mine',
      { dashboard: { ...kBoard, winner: index }, version: body.meta.version })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(409)]);
  });

  await t.test('what is no dashboard is refused by name, value and limit', async () => {
    for (const [sent, part] of [
      ['{"title":', /invalid JSON/], [{ title: 'x', panels: 3 }, /'panels'/], [{ panels: [] }, /'title'/],
      [{ title: 'x', uid: '../x', panels: [] }, /"\.\.\/x".*1 to 40/], [{ title: 'x', panels: [], y: 'y'.repeat(1 << 20) }, /limit of 1048576/],
      [{ apiVersion: 'dashboard.grafana.app/v2beta1', kind: 'Dashboard', spec: { title: 'x', elements: {} } }, /schema version 2.*Classic/],
    ]) {
      const refused = await call(appliance, 'POST', '', sent);
      assert.equal(refused.status, 400, refused.text);
      assert.match(refused.error(), part);
    }
  });

  await t.test('no page of another origin changes anything', async () => {
    for (const [method, path, sent] of [['POST', '', kBoard], ['PATCH', '/mine', { title: 'x' }], ['DELETE', '/mine', undefined]]) {
      const refused = await call(appliance, method, path, sent, { Origin: 'http://evil.example' });
      assert.equal(refused.status, 403, method);
    }
  });

  await t.test('what was answered survives kill -9', async () => {
    const added = [];
    for (let i = 0; i < 5; ++i) added.push((await call(appliance, 'POST', '', { title: `Kept ${i}`, panels: [] })).body.uid);
    assert.equal((await call(appliance, 'PATCH', '/kept-0', { title: 'Renamed' })).status, 200);
    assert.equal((await call(appliance, 'DELETE', '/kept-1')).status, 200);
    await appliance.kill9();
    appliance = await Appliance.start({ state });
    const { dashboards } = (await call(appliance, 'GET')).body;
    const uploaded = dashboards.filter(({ source }) => source === 'uploaded');
    assert.deepEqual(uploaded.map(({ uid, title }) => [uid, title]).sort(),
      [['kept-0', 'Renamed'], ['kept-2', 'Kept 2'], ['kept-3', 'Kept 3'], ['kept-4', 'Kept 4'], ['mine', kBoard.title]]);
    assert.equal((await call(appliance, 'GET', '/kept-1')).status, 404);
  });

  await t.test('an export asks for the data source and comes back as it went', async () => {
    const file = await call(appliance, 'GET', '/mine/export');
    assert.equal(file.headers.get('content-disposition'), 'attachment; filename="my-boards-pipes.json"');
    const { __inputs: inputs, winner, ...rest } = file.body;
    assert.ok(winner >= 0);
    assert.deepEqual(inputs.map(({ name, type, pluginId }) => [name, type, pluginId]), [['DS_PROMETHEUS', 'datasource', 'prometheus']]);
    assert.deepEqual(rest, kBoard);
    await call(appliance, 'DELETE', '/mine');
    assert.equal((await call(appliance, 'POST', '', file.text)).status, 201);
    assert.equal((await call(appliance, 'GET', '/mine/export')).text, file.text);
    // A shipped file is its own export.
    assert.deepEqual((await call(appliance, 'GET', `/${kShipped}/export`)).body, (await call(appliance, 'GET', `/${kShipped}`)).body.dashboard);
  });

  await t.test('the page: search, upload, replace, rename, copy, delete', async () => {
    const browser = await launchBrowser();
    const problems = [];
    const page = await openPage(browser, appliance.url, problems);
    const row = (uid) => page.locator(`tr[data-uid="${uid}"]`);
    await page.goto(`${appliance.url}/dashboards`);
    await row('mine').waitFor();
    await page.fill('#search', 'pipes');
    await eventually('one row', async () => (await page.locator('#dashboards tbody tr').count()) === 1);
    assert.equal(new URL(page.url()).searchParams.get('search'), 'pipes');
    await page.fill('#search', '');

    const file = join(state, 'upload.json');
    await writeFile(file, JSON.stringify({ ...kBoard, uid: 'fresh', title: 'Fresh' }));
    await page.setInputFiles('#upload-file', file);
    const answer = page.locator('.answer').first();
    await answer.getByText('panel type geomap is not drawn').waitFor();
    await row('fresh').waitFor();
    await page.setInputFiles('#upload-file', file);
    await answer.getByRole('button', { name: 'Replace it' }).click();
    await eventually('version 2', async () => (await call(appliance, 'GET', '/fresh')).body.meta.version === 2);

    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData('text', JSON.stringify({ title: 'From the clipboard', panels: [] }));
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
    });
    await row('from-the-clipboard').waitFor();
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File([JSON.stringify({ title: 'Dropped', panels: [] })], 'dropped.json', { type: 'application/json' }));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await row('dropped').waitFor();

    await row('dropped').getByRole('button', { name: 'Rename' }).click();
    await page.keyboard.type('Renamed here');
    await page.keyboard.press('Enter');
    await row('dropped').getByRole('link', { name: 'Renamed here' }).waitFor();
    await row(kShipped).getByRole('button', { name: 'Copy' }).click();
    await row('llm-copy').waitFor();
    assert.equal(await row(kShipped).getByRole('button', { name: 'Delete' }).count(), 0);
    await row('dropped').getByRole('button', { name: 'Delete' }).click();
    await page.locator('dialog[open]').getByRole('button', { name: 'Delete' }).click();
    await row('dropped').waitFor({ state: 'detached' });
    assert.equal((await call(appliance, 'GET', '/dropped')).status, 404);

    assert.deepEqual(await violations(page), []);
    await page.setViewportSize({ width: 390, height: 844 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out on a phone');
    assert.deepEqual(await violations(page), []);
    // The browser itself reports the 409 of the second upload.
    assert.deepEqual(problems.filter((text) => !/status of 409/.test(text)), []);
    await browser.close();
  });
});
