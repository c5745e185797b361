// Headless Chromium on the dashboard of a busy appliance: see tests/web/browser_test.mjs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, kSourceRoot, sleep } from './appliance.mjs';
import { runLoad } from './load.mjs';

const kOut = process.env.HEARTH_SCREENSHOTS ?? join(kSourceRoot, 'build/screenshots');
const kWarmUpS = Number(process.env.HEARTH_DASHBOARD_WARM_UP_S ?? 30);

test('the dashboard shows data in every panel', { timeout: 600000 }, async (t) => {
  await mkdir(kOut, { recursive: true });
  const appliance = await Appliance.start({ name: 'hearth-demo' });
  t.after(() => appliance.stop());
  let busy = true;
  const load = (async () => {
    const errors = [];
    while (busy) errors.push(...(await runLoad(appliance,
      { streams: 8, seconds: 3, pauseMs: 400 })).errors);
    return errors;
  })();
  await sleep(kWarmUpS * 1000);
  const browser = spawn('node', [join(kSourceRoot, 'tests/web/browser_test.mjs'),
    '--url', appliance.url, '--out', kOut], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  browser.stdout.on('data', (data) => { output += data; });
  browser.stderr.on('data', (data) => { output += data; });
  const [code] = await once(browser, 'exit');
  busy = false;
  const errors = await load;
  t.diagnostic(output.trim().split('\n').join(' | '));
  assert.equal(code, 0, output);
  assert.deepEqual(errors, []);
});
