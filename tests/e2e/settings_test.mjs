// The configuration of the box: which source wins in a real process, what a wrong one says before it
// ends, what /api/settings tells, and the page that shows it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { violations } from '../web/accessibility.mjs';
import { launchBrowser, openPage } from '../web/browser.mjs';
import { Appliance, eventually, kBinaries, sleep } from './appliance.mjs';

const kAbsent = '/nonexistent/hearth.yaml';

/** A directory like /etc/hearth: {name: text}. */
async function configDirectory(t, files) {
  const directory = await mkdtemp(join(tmpdir(), 'hearth-config-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'conf.d'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

/** hearthd with these arguments until it ends by itself: {code, log}. */
async function runToEnd(args, env = {}) {
  const child = spawn(join(kBinaries, 'hearthd'), args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { log += data; });
  const [code] = await once(child, 'close');
  return { code, log };
}

async function startWith(t, options) {
  const appliance = await Appliance.start({ waitReady: false, ...options });
  t.after(() => appliance.stop());
  const { settings, files } = await (await fetch(`${appliance.url}/api/settings`)).json();
  return { appliance, files, settings, of: (path) => settings.find((setting) => setting.path === path) };
}

test('the command line wins over the environment, that over conf.d, that over the file', async (t) => {
  const directory = await configDirectory(t, {
    'hearth.yaml': '# the box\nlisten:\n  host: 127.0.0.1\napply:\n  watch_s: 1\n  probe_timeout_s: 2\n  drain_timeout_s: 3\n  ready_timeout_s: 4\n',
    'conf.d/20-later.yaml': 'apply: {probe_timeout_s: 22, drain_timeout_s: 23, ready_timeout_s: 24}\n',
    'conf.d/10-first.yaml': 'apply: {probe_timeout_s: 12}\nrecovery:\n  crashes_max: 7\n',
    'conf.d/notes.txt': 'not: read: at: all',
  });
  const file = join(directory, 'hearth.yaml');
  const { of, files, appliance } = await startWith(t, {
    args: ['--config', file, '--apply-ready-timeout-s', '44'],
    env: { HEARTH_APPLY_DRAIN_TIMEOUT_S: '33', HEARTH_APPLY_READY_TIMEOUT_S: '34' },
  });
  const told = (path) => {
    const { value, source, where, locked } = of(path);
    return [value, source, where, locked];
  };
  assert.deepEqual(told('apply.watch_s'), [1, 'file', `${file}:5`, true]);
  assert.deepEqual(told('apply.probe_timeout_s'), [22, 'conf.d', `${directory}/conf.d/20-later.yaml:1`, true]);
  assert.deepEqual(told('apply.drain_timeout_s'), [33, 'environment', 'HEARTH_APPLY_DRAIN_TIMEOUT_S', true]);
  assert.deepEqual(told('apply.ready_timeout_s'), [44, 'command line', '--apply-ready-timeout-s', true]);
  assert.deepEqual(told('recovery.crashes_max'), [7, 'conf.d', `${directory}/conf.d/10-first.yaml:3`, true]);
  assert.deepEqual(told('recovery.within_s'), [600, 'default', '', false]);
  assert.deepEqual(of('apply.ready_timeout_s').also.map(({ value, source }) => [value, source]),
    [[34, 'environment'], [24, 'conf.d'], [4, 'file']]);
  assert.deepEqual(files.map(({ path, exists, changed }) => [path, exists, changed]),
    ['hearth.yaml', 'conf.d/10-first.yaml', 'conf.d/20-later.yaml'].map((name) => [join(directory, name), true, false]));
  assert.equal(of('state_directory').value, appliance.state);

  await sleep(20);
  await writeFile(file, 'listen: {port: 1}\n');
  const after = await (await fetch(`${appliance.url}/api/settings`)).json();
  assert.deepEqual(after.files.map(({ changed }) => changed), [true, false, false], 'a file that was written later is told');
});

test('everything that is wrong is said at once, with its place, and the exit status is 2', async (t) => {
  const directory = await configDirectory(t, {
    'hearth.yaml': 'listen:\n  prot: 8080\n  port: 99999\nhistory:\n  commit_interval_s: soon\n',
    'conf.d/a.yaml': 'metrics: {views: [vlm]}\n',
    'conf.d/b.yaml': 'listen: [\n',
  });
  const { code, log } = await runToEnd(
    ['--config', join(directory, 'hearth.yaml'), '--apply-watch-s', '-1', '--max-num-seqs', 'many', '--model', '/nonexistent/m', '--no-such-flag'],
    { HEARTH_RECOVERY_CRASHES_MAX: '0.5' });
  assert.equal(code, 2, log);
  for (const said of [
    /hearth\.yaml:2.*listen\.prot.*port/, /hearth\.yaml:3.*listen\.port.*65535.*99999/, /hearth\.yaml:5.*history\.commit_interval_s.*soon/,
    /a\.yaml:1.*metrics\.views.*vlm/, /b\.yaml/, /HEARTH_RECOVERY_CRASHES_MAX.*0\.5/, /--apply-watch-s.*-1/, /--max-num-seqs.*many/, /--no-such-flag/,
  ]) assert.match(log, said);
});

test('a file that --config names must be there; the default one need not', async () => {
  const { code, log } = await runToEnd(['--config', kAbsent]);
  assert.equal(code, 2);
  assert.match(log, /\/nonexistent\/hearth\.yaml/);
});

test('a variable may name the file', async (t) => {
  const directory = await configDirectory(t, { 'box.yaml': 'recovery: {crashes_max: 8}\n' });
  const { of } = await startWith(t, { env: { HEARTH_CONFIG: join(directory, 'box.yaml') } });
  assert.equal(of('recovery.crashes_max').where, `${directory}/box.yaml:1`);
});

test('every flag that settings had before the file came still works', async (t) => {
  const secrets = await configDirectory(t, { password: 'p4ssw0rd\n', 'rules.yml': 'groups: []\n' });
  const { of } = await startWith(t, {
    args: ['--host', '127.0.0.1', '--engine', join(kBinaries, 'hearth-engine'), '--history-commit-interval', '5', '--metrics-views', 'hearth,vllm',
      '--rules', join(secrets, 'rules.yml'), '--alert-webhook', 'http://me:hush@127.0.0.1:9/', '--remote-write-url', 'http://127.0.0.1:9/w',
      '--remote-write-label', 'site=a', '--remote-write-label', 'rack=7', '--remote-write-views', 'hearth', '--remote-write-header', 'X-Tenant: t0psecret',
      '--remote-write-username', 'box', '--remote-write-password-file', join(secrets, 'password'), '--max-num-seqs', '8', '--dtype', 'float32',
      '--max-model-len', '256', '--enable-prefix-caching', 'true', '--slo-ttft-ms', '500'],
  });
  assert.deepEqual(of('metrics.views').value, ['hearth', 'vllm']);
  assert.deepEqual(of('remote_write.labels').value, { site: 'a', rack: '7' });
  assert.equal(of('history.commit_interval_s').where, '--history-commit-interval');
  assert.equal(of('remote_write.password_file').value, join(secrets, 'password'), 'the path of a secret is shown');
});

test('no secret leaves the box', async (t) => {
  const { settings, of } = await startWith(t, {
    args: ['--alert-webhook', 'http://me:hush@127.0.0.1:9/', '--remote-write-url', 'http://127.0.0.1:9/w', '--remote-write-header', 'X-Tenant: t0psecret'],
  });
  assert.ok(!JSON.stringify(settings).includes('t0psecret'));
  assert.ok(!JSON.stringify(settings).includes('hush'));
  assert.deepEqual(Object.keys(of('remote_write.headers').value), ['X-Tenant']);
  const { log } = await runToEnd(['--remote-write-header', 'no colon s3cret'], {});
  assert.ok(!log.includes('s3cret'), log);
});

test('the page shows every value, its source and how to change it', { timeout: 120000 }, async (t) => {
  const directory = await configDirectory(t, { 'hearth.yaml': '# a comment\napply:\n  watch_s: 5\n' });
  const { appliance, settings } = await startWith(t, {
    args: ['--config', join(directory, 'hearth.yaml')], env: { HEARTH_RECOVERY_CRASHES_MAX: '9' },
  });
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const problems = [];
  const page = await openPage(browser, appliance.url, problems);
  await page.goto(`${appliance.url}/settings`);
  const row = (path) => page.locator(`details[data-path="${path}"]`);
  await row('apply.watch_s').waitFor();
  assert.equal(await page.locator('details.setting').count(), settings.length);

  assert.match(await row('apply.watch_s').locator('.source.locked').innerText(), /File/);
  await row('apply.watch_s').locator('summary').click();
  assert.ok((await row('apply.watch_s').innerText()).includes(`Change line 3 of ${directory}/hearth.yaml.`));
  await row('recovery.crashes_max').locator('summary').focus();
  await page.keyboard.press('Enter');
  assert.match(await row('recovery.crashes_max').innerText(), /HEARTH_RECOVERY_CRASHES_MAX of the environment decides/);
  await row('recovery.within_s').locator('summary').click();
  assert.equal(await row('recovery.within_s').locator('pre').innerText(), 'recovery:\n  within_s: 600');
  assert.equal(await row('recovery.within_s').locator('.source.locked').count(), 0);

  await page.locator('#source').selectOption('set');
  assert.equal(await page.locator('details.setting').count(), settings.filter(({ source }) => source !== 'default').length);
  await page.locator('#search').fill('watch');
  assert.equal(await page.locator('details.setting').count(), 1);
  await page.locator('#search').fill('');
  await page.locator('#source').selectOption('');

  for (const theme of ['dark', 'light']) {
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(`${appliance.url}/settings?theme=${theme}#apply.watch_s`);
      await row('apply.watch_s').waitFor();
      assert.deepEqual(await violations(page), [], `${theme} at ${width} px`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} px stick out at ${width} px`);
    }
  }
  await sleep(20);
  await writeFile(join(directory, 'hearth.yaml'), 'apply: {watch_s: 6}\n');
  await eventually('the page tells that the file changed', async () => {
    await page.keyboard.press('r');
    return page.locator('.files .changed').count();
  });
  assert.deepEqual([...new Set(problems)], []);
});
