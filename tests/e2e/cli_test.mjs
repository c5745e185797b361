// The hearth command over a real box: status, models, load, unload, inspect, doctor, completion, manual.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { cp, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, kDemoModel } from './appliance.mjs';
import { kHearth, run } from './command.mjs';

const configOf = (broken) => `llm_configs:
- model_loading_config: {model_id: steady, model_source: ${kDemoModel}}
  engine_kwargs: {kv_cache_memory_bytes: 16777216}
- model_loading_config: {model_id: sleepy, model_source: ${kDemoModel}}
  engine_kwargs: {kv_cache_memory_bytes: 16777216}
  deployment_config: {autoscaling_config: {min_replicas: 0, max_replicas: 1, downscale_delay_s: 3600, downscale_to_zero_delay_s: 3600}}
- model_loading_config: {model_id: broken, model_source: ${broken}}
  engine_kwargs: {kv_cache_memory_bytes: 16777216}
  deployment_config: {autoscaling_config: {min_replicas: 0, max_replicas: 1}}
`;

let box, scratch;
test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hearth-cli-'));
  const file = join(scratch, 'models.yaml');
  await cp(kDemoModel, join(scratch, 'broken'), { recursive: true });
  await writeFile(file, configOf(join(scratch, 'broken')));
  box = await Appliance.start({ ownModel: false, waitReady: false, env: { HEARTH_MODEL_CONFIG_FILE: file } });
  await eventually('a model that serves', async () => await stateOf('steady') === 'ready');
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

const jsonOf = async (args) => JSON.parse((await expecting(0, [...args, '--json'])).out);
const stateOf = async (name) => (await jsonOf(['models'])).models.find((model) => model.model_name === name).state;

test('load and unload wait until it is so, and say how long it took', { timeout: 60000 }, async () => {
  await expecting(0, ['load', 'sleepy']);
  assert.equal(await stateOf('sleepy'), 'ready');
  const unloaded = await expecting(0, ['unload', 'sleepy']);
  assert.match(unloaded.out, /^'sleepy' is asleep after \d/);
  assert.equal(await stateOf('sleepy'), 'asleep');
  const begun = await expecting(0, ['load', 'sleepy', '--no-wait']);
  assert.match(begun.out, /^'sleepy' loads; 'hearth models' shows how far it is\n$/);
  await eventually('a model that is awake', async () => await stateOf('sleepy') === 'ready');
  assert.equal((await jsonOf(['unload', 'sleepy'])).state, 'asleep');
  assert.equal((await jsonOf(['load', 'sleepy'])).state, 'ready');

  const pinned = await expecting(1, ['unload', 'steady']);
  assert.match(pinned.err, /^hearth: .*min_replicas/, 'what to do');
  assert.equal(await stateOf('steady'), 'ready');
  const absent = await expecting(3, ['load', 'nope']);
  assert.equal(absent.err, "hearth: there is no served model 'nope'; this box serves 'steady', 'sleepy', 'broken'\n");
  assert.match((await expecting(2, ['unload'])).err, /NAME is required/);
});

test('load of what cannot load ends with the reason, and unload gives up on it', { timeout: 60000 }, async () => {
  await expecting(0, ['unload', 'broken']);
  await truncate(join(scratch, 'broken', 'model.safetensors'), 1000);
  const failed = await expecting(4, ['load', 'broken']);
  assert.match(failed.err, /hearth: model 'broken' is (failed|degraded): .*model\.safetensors[^]*'hearth logs broken' shows what its engine said/);
  assert.equal((await hearth(['status'])).code, 4);
  await expecting(0, ['unload', 'broken']);
  assert.equal((await hearth(['status'])).code, 0, 'what sleeps is well');
});

test('status and models say what serves, on a line each and as JSON', async () => {
  await expecting(0, ['unload', 'sleepy']);
  const status = await expecting(0, ['status']);
  assert.match(status.out, /^hearthd \d+\.\d+\.\d+ at http.*, up for /);
  assert.match(status.out, /^device {5}cpu, \S/m);
  assert.match(status.out, /^memory {5}\d.* of models, \d.* free of /m);
  assert.match(status.out, /^disk {7}\d.* free of .* where models lie/m);
  assert.match(status.out, /^requests {3}0 ongoing, 0 waiting$/m);
  assert.match(status.out, /^alerts {5}\S/m);
  assert.match(status.out, /^name +state +replicas +ongoing +waiting +memory +last used$/m);
  assert.match(status.out, /^steady +ready +1\/1 +0 +0 +\d/m);
  assert.match(status.out, /^sleepy +asleep +0\/0 +0 +0 +- /m);
  const look = await jsonOf(['status']);
  assert.deepEqual(Object.keys(look), ['url', 'version', 'uptime_s', 'recovery', 'device', 'models', 'requests', 'memory', 'disk', 'alerts']);
  assert.ok(look.memory.total_bytes > 0 && look.disk.free_bytes > 0);
  assert.deepEqual(look.requests, { ongoing: 0, waiting: 0 });
  assert.deepEqual((await jsonOf(['models'])).models.map(({ model_name: name }) => name), ['steady', 'sleepy', 'broken']);
  assert.equal((await hearth(['chat', '--model', 'steady', 'What is TTFT?'])).code, 0);
  assert.match((await expecting(0, ['models'])).out, /^steady .* \d+ s ago$/m);
});

test('status ends with 4 when something does not serve', { timeout: 60000 }, async () => {
  const before = (await jsonOf(['inspect', 'steady'])).served;
  process.kill(before.replicas[0].engine_pid, 'SIGSTOP');
  process.kill(before.replicas[0].engine_pid, 'SIGKILL');
  const down = await eventually('a status that is not well', async () => {
    const said = await hearth(['status']);
    return said.code === 0 ? null : said;
  });
  assert.equal(down.code, 4);
  assert.match(down.err, /^hearth: model 'steady' is (restarting|loading|failed|degraded)/);
  await eventually('a box that is well again', async () => (await hearth(['status'])).code === 0);
  const after = (await jsonOf(['inspect', 'steady'])).served;
  assert.notEqual(after.replicas[0].engine_pid, before.replicas[0].engine_pid);
});

test('inspect of a served model shows all that the API knows', async () => {
  const { kind, served } = await jsonOf(['inspect', 'steady']);
  assert.equal(kind, 'served');
  const [listed] = (await jsonOf(['models'])).models;
  assert.deepEqual(Object.keys(served), Object.keys(listed));
  const shown = (await expecting(0, ['inspect', 'steady'])).out;
  for (const key of Object.keys(served)) assert.match(shown, new RegExp(`^${key}\\b`, 'm'), key);
  assert.match(shown, /^ {2}architecture +Qwen2ForCausalLM$/m);
  const absent = await expecting(3, ['inspect', 'nope']);
  assert.match(absent.err, /no served model 'nope'.*nor is it in the library/);
});

const doctor = async (args) => {
  const said = await run(['doctor', '--json', ...args]);
  const { checks, ...sums } = JSON.parse(said.out);
  return { ...said, ...sums, of: Object.fromEntries(checks.map((check) => [check.check, check])) };
};

test('doctor knows a running box, and names the process that listens', async () => {
  const found = await doctor(['--url', box.url]);
  assert.equal(found.code, 0, found.out);
  assert.deepEqual([found.ok, found.problems], [true, 0]);
  for (const check of ['configuration', 'GPU driver', 'processor', 'memory', 'disk of the state', 'disk of models', 'path of the state',
    'path of models', 'sandbox', 'open files', 'clock', 'port', 'box']) {
    assert.ok(found.of[check], check);
    assert.ok(found.of[check].verdict === 'ok' || found.of[check].remedy, `${check}: what to do`);
  }
  assert.match(found.of.port.found, new RegExp(`hearthd \\(process ${box.child.pid}\\) listens on 127\\.0\\.0\\.1:`));
  assert.match(found.of['path of the state'].found, new RegExp(box.state), 'the directory of that very box');
  assert.match(found.of.box.found, /answers, version/);
  assert.match((await expecting(0, ['doctor'])).out, /^ok +box +http/m);
});

test('doctor works without a box and finds what is in its way', async (t) => {
  const file = join(scratch, 'hearth.yaml');
  await writeFile(file, `state_directory: ${scratch}/state\nlisten: {port: 1}\n`);
  const alone = await doctor(['--config', file]);
  assert.equal(alone.code, 0, alone.out);
  assert.equal(alone.of.box.verdict, 'warning');
  assert.match(alone.of.port.found, /port 1 is free/);
  assert.match(alone.of['path of the state'].found, /is not there; '.*' may make it in/);

  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  taken.on('connection', (socket) => socket.end('no HTTP\n'));
  await writeFile(file, `state_directory: ${scratch}/hearth.yaml/state\nlisten: {port: ${taken.address().port}}\nlissen: {}\n`);
  const ill = await doctor(['--config', file]);
  assert.equal(ill.code, 1);
  assert.match(ill.err, /^hearth: \d problems keep this machine from being a box\n$/);
  assert.match(ill.of.configuration.found, /hearth\.yaml:3.*lissen/);
  assert.match(ill.of.port.found, new RegExp(`\\(process ${process.pid}\\) listens`));
  assert.match(ill.of['path of the state'].found, /hearth\.yaml' is no directory/);
  assert.match((await run(['doctor', '--config', file])).out, /^problem +port .*\n +-> end it, or give hearthd another port/m);
});

/** What bash would offer for a line that ends where the cursor is. */
function completed(line) {
  const script = `source <('${kHearth}' completion bash)
    read -ra COMP_WORDS <<< "$1"; [[ $1 == *' ' ]] && COMP_WORDS+=('')
    COMP_WORDS[0]='${kHearth}'; COMP_LINE=$1; COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _hearth; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'bash', line], { encoding: 'utf8', cwd: scratch });
  assert.deepEqual([status, stderr], [0, ''], line);
  return stdout.split('\n').filter((word) => word !== '');
}

test('the completion offers commands, options, values, names of the box and files', async () => {
  const { out } = await run(['completion', 'bash']);
  assert.equal(spawnSync('bash', ['-n'], { input: out }).status, 0, 'it is a script');
  const commands = completed('hearth ');
  for (const name of ['status', 'models', 'pull', 'doctor', 'config']) assert.ok(commands.includes(name), name);
  assert.ok(!commands.includes('names'));
  assert.deepEqual(completed('hearth un'), ['unload']);
  assert.deepEqual(completed('hearth config re'), ['restore']);
  assert.deepEqual(completed('hearth --json pull --rev'), ['--revision']);
  assert.ok(completed('hearth logs -').includes('--follow') && completed('hearth logs -').includes('--url'));
  assert.deepEqual(completed('hearth history export --format '), ['csv', 'openmetrics']);
  assert.deepEqual(completed('hearth completion '), ['bash']);
  assert.deepEqual(completed(`hearth --url ${box.url} load s`), ['steady', 'sleepy']);
  assert.deepEqual(completed(`hearth chat --url ${box.url} --model ste`), ['steady']);
  assert.deepEqual(completed('hearth config validate mod'), ['models.yaml']);
  assert.deepEqual(completed('hearth --url http://127.0.0.1:1 load '), [], 'no box, no names, no noise');
});

test('the manual page is made without a warning and shows every command', async () => {
  const { out } = await run(['man']);
  const groff = spawnSync('groff', ['-man', '-Tascii', '-ww', '-P-c'], { input: out, encoding: 'utf8' });
  assert.deepEqual([groff.status, groff.stderr], [0, '']);
  // groff -P-c draws bold by typing a letter over itself.
  const page = groff.stdout.replace(/.\x08/g, '');
  for (const heading of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'COMMANDS', 'EXIT STATUS', 'FILES', 'EXAMPLES']) {
    assert.match(page, new RegExp(`^${heading}$`, 'm'));
  }
  for (const command of ['hearth pull ORG/NAME', 'hearth chat [PROMPT ...]', 'hearth config diff [REVISION ...]', 'hearth logs [NAME]']) {
    assert.ok(page.includes(`\n       ${command}\n`), command);
  }
  assert.match(page, /--revision TEXT\s+A branch, a tag or a commit; main when absent\./);
});

test('help and mistakes of the command line', async () => {
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /^ +doctor +\S/m);
  assert.equal((await run(['pull', '--help'])).code, 0);
  for (const args of [[], ['nonsense'], ['pull'], ['load', 'a', 'b'], ['status', '--what']]) {
    assert.equal((await run(args)).code, 2, args.join(' '));
  }
  for (const args of [['status'], ['models'], ['load', 'x'], ['logs'], ['library'], ['pull', 'a/b'], ['verify', 'x'], ['inspect', 'x']]) {
    const { code, err } = await run(['--url', 'http://127.0.0.1:1', ...args]);
    assert.equal(code, 4, args.join(' '));
    assert.match(err, /^hearth: http:\/\/127\.0\.0\.1:1\/\S+: .*\n$/, 'one sentence');
  }
  const full = spawnSync('bash', ['-c', `'${kHearth}' man > /dev/full`], { encoding: 'utf8' });
  assert.equal(full.status, 4);
  assert.match(full.stderr, /cannot write to standard output: No space left/);
});
