// hearth logs over a real box: what its engines said, and what is left of one that died.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, kDemoModel } from './appliance.mjs';
import { begin, run } from './command.mjs';

const kConfig = `llm_configs:
- model_loading_config: {model_id: steady, model_source: ${kDemoModel}}
  engine_kwargs: {kv_cache_memory_bytes: 16777216}
- model_loading_config: {model_id: sleepy, model_source: ${kDemoModel}}
  engine_kwargs: {kv_cache_memory_bytes: 16777216}
  deployment_config: {autoscaling_config: {min_replicas: 0, max_replicas: 1, downscale_delay_s: 3600, downscale_to_zero_delay_s: 3600}}
`;

let box, scratch;
test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hearth-logs-'));
  const file = join(scratch, 'models.yaml');
  await writeFile(file, kConfig);
  box = await Appliance.start({ ownModel: false, waitReady: false, env: { HEARTH_MODEL_CONFIG_FILE: file } });
  await eventually('a model that serves', async () => (await served('steady')).state === 'ready');
});
test.after(async () => {
  await box.stop();
  await rm(scratch, { recursive: true, force: true });
});

const hearth = (args, options) => run(['--url', box.url, ...args], options);

async function expecting(code, args, options) {
  const said = await hearth(args, options);
  assert.equal(said.code, code, `hearth ${args.join(' ')}\n${said.out}${said.err}`);
  return said;
}

const served = async (name) => JSON.parse((await expecting(0, ['inspect', name, '--json'])).out).served;

test('logs shows what engines said, and follows it', { timeout: 60000 }, async () => {
  await expecting(0, ['load', 'sleepy']);
  const all = await expecting(0, ['logs']);
  assert.match(all.out, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ steady#0 \S/m);
  assert.match(all.out, /^\S+ \S+Z sleepy#0 \S/m);
  const last = await expecting(0, ['logs', 'sleepy', '-n', '1']);
  assert.equal(last.out.trimEnd().split('\n').length, 1);
  const [line] = (await expecting(0, ['logs', 'sleepy', '-n', '1', '--json'])).out.trimEnd().split('\n').map((text) => JSON.parse(text));
  assert.deepEqual([line.model_name, typeof line.time_ms, typeof line.replica, typeof line.text], ['sleepy', 'number', 'number', 'string']);

  const follow = begin(['--url', box.url, 'logs', '-f', '-n', '0', 'sleepy']);
  await expecting(0, ['unload', 'sleepy']);
  await expecting(0, ['load', 'sleepy']);
  await eventually('lines of the new engine', () => /sleepy#0 \S/.test(follow.out));
  follow.child.kill('SIGINT');
  assert.equal((await follow.ended).code, 0);
  const lines = follow.out.trimEnd().split('\n');
  const whole = (await expecting(0, ['logs', 'sleepy', '-n', '500'])).out.trimEnd().split('\n');
  assert.deepEqual(lines, whole.slice(-lines.length), 'each line once, none left out');
  await expecting(3, ['logs', 'nope']);
  assert.match((await expecting(2, ['logs', '-n', 'all'])).err, /--lines/);
});

test('a crash is told with its log', { timeout: 60000 }, async () => {
  const before = await served('steady');
  process.kill(before.replicas[0].engine_pid, 'SIGKILL');
  await eventually('a new engine', async () => {
    const now = await served('steady');
    return now.state === 'ready' && now.replicas[0].engine_pid !== before.replicas[0].engine_pid;
  });
  assert.match((await expecting(0, ['inspect', 'steady'])).out, /^last_crash\n[^]*killed by signal 9/m);
});
