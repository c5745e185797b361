// The disk of the state is full for a while (HEARTH_ENOSPC_S seconds): requests are answered all the same,
// the metrics tell of it, and the history catches up once there is space.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, sleep, total } from './appliance.mjs';

const kFullS = Number(process.env.HEARTH_ENOSPC_S ?? 20);

function fill(file) {
  const block = Buffer.alloc(4096, 'x');
  for (;;) {
    try {
      appendFileSync(file, block);
    } catch (error) {
      assert.equal(error.code, 'ENOSPC');
      return;
    }
  }
}

function mounted(directory) {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', directory], { stdio: 'pipe' });
    return '';
  } catch (error) {
    return `cannot mount a tmpfs: ${error.stderr ?? error.message}`;
  }
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

async function timedAnswers(appliance, seconds, meanwhile = () => {}) {
  const times = [];
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const begin = performance.now();
    await appliance.ask('What is TTFT?', { max_tokens: 8 });
    times.push(performance.now() - begin);
    for (const path of ['/metrics', '/', '/health']) {
      assert.equal((await fetch(appliance.url + path)).status, 200, path);
    }
    await meanwhile();
    await sleep(50);
  }
  return median(times);
}

test('a full disk costs no answer and heals by itself', { timeout: 600000 + 2000 * kFullS }, async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'hearth-full-'));
  const reason = mounted(state);
  const started = [];
  t.after(async () => {  // in this order
    for (const each of started) await each.kill9();
    if (!reason) execFileSync('umount', ['-l', state]);
    await rm(state, { recursive: true, force: true });
  });
  if (reason) return t.skip(reason);
  const appliance = await Appliance.start({ state, args: ['--history-commit-interval', '1'] });
  started.push(appliance);
  const before = await timedAnswers(appliance, 5);

  const errors = async () => total(await appliance.metrics(), 'hearth_history_write_errors_total');
  assert.equal(await errors(), 0);
  const other = join(state, 'other');
  const during = await timedAnswers(appliance, kFullS, () => fill(other));
  const seen = await errors();
  const patched = await appliance.models('PATCH', 'demo', { log_engine_metrics: true });
  assert.ok([200, 429, 503].includes(patched.status), `a change on a full disk: ${patched.status}`);
  await rm(other);
  const begin = Date.now();
  let last = await errors();
  await eventually('commits without an error', async () => {
    await sleep(5000);
    const now = await errors();
    const quiet = now === last;
    last = now;
    return quiet;
  }, 60000);
  t.diagnostic(`median answer ${before.toFixed(1)} ms before, ${during.toFixed(1)} ms while full for ` +
    `${kFullS} s; ${seen} failed commits; recovered within ${Math.round((Date.now() - begin) / 1000)} s`);
  assert.doesNotMatch(appliance.log, /set aside/);
  await appliance.stop();
  const again = await Appliance.start({ state });
  started.push(again);
  assert.doesNotMatch(again.log, /set aside|broken/);
});
