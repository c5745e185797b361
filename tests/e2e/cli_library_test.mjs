// hearth library, pull, import, verify, rm and inspect over a real box and a look-alike hub.

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually, kDemoModel } from './appliance.mjs';
import { begin, onTerminal, run } from './command.mjs';
import { Hub, filesOf } from './hub.mjs';

const kModel = 'Org/Tiny-Demo';
let box, hub, usb;

test.before(async () => {
  hub = await Hub.start();
  hub.add(kModel, filesOf(kDemoModel));
  usb = await mkdtemp(join(tmpdir(), 'hearth-usb-'));
  await cp(kDemoModel, join(usb, 'stick'), { recursive: true });
  box = await Appliance.start({ env: { HF_ENDPOINT: hub.url } });
});
test.after(async () => {
  await box.stop();
  await hub.stop();
  await rm(usb, { recursive: true, force: true });
});
test.afterEach(() => hub.clear());

const hearth = (args, options) => run(['--url', box.url, ...args], options);

async function expecting(code, args, options) {
  const said = await hearth(args, options);
  assert.equal(said.code, code, `hearth ${args.join(' ')}\n${said.out}${said.err}`);
  return said;
}

const jsonOf = async (args) => JSON.parse((await expecting(0, [...args, '--json'])).out);
const modelOf = async (id) => (await jsonOf(['library'])).models.find((model) => model.id === id);
const remove = (id) => expecting(0, ['rm', id, '--yes']);

test('a model is pulled with progress in plain lines, listed, verified and removed', async () => {
  assert.match((await expecting(0, ['library'])).out, /is empty; 'hearth pull ORG\/NAME'/);
  hub.fail({ bytesPerS: 4e6 });
  const pulled = await expecting(0, ['pull', kModel]);
  assert.match(pulled.out, /^'Org\/Tiny-Demo' is pulled, 7\.\d MiB in \d/);
  assert.match(pulled.err, /^ *\d+ % {2}\d.* MiB of 7\.\d MiB {2}.*\/s/m, 'how far, how fast');
  assert.doesNotMatch(pulled.err, /[\r\x1b]/, 'no terminal, no bar');

  const model = await modelOf(kModel);
  assert.deepEqual([model.state, model.source, model.architecture, model.num_parameters],
    ['whole', 'hub', 'Qwen2ForCausalLM', 3936512]);
  assert.match((await expecting(0, ['library'])).out, /^Org\/Tiny-Demo +whole +7\.\d MiB +bfloat16 +0123456789ab +hub /m);
  assert.equal((await jsonOf(['verify', kModel])).state, 'done');
  assert.match((await expecting(0, ['verify', kModel])).out, /is verified/);

  const again = await jsonOf(['pull', kModel]);
  assert.equal(again.state, 'done', 'what is whole is pulled at once');
  await remove(kModel);
  assert.equal(await modelOf(kModel), undefined);
});

test('on a terminal a pull has a bar, and Ctrl-C leaves the job to the box', { timeout: 60000 }, async () => {
  hub.fail({ bytesPerS: 4e5 });
  const pull = onTerminal(['--url', box.url, 'pull', kModel]);
  await eventually('a bar', () => /\r\[#*\.+\] +\d+ % .* MiB .*\/s .* left/.test(pull.out));
  pull.type('\x03');
  const { code, out } = await pull.ended;
  assert.equal(code, 130, out);
  assert.match(out, /the box goes on with it; 'hearth library' shows how far it is, 'hearth pull Org\/Tiny-Demo --cancel' ends it/);
  const [job] = (await jsonOf(['library'])).jobs.filter(({ state }) => state === 'running');
  assert.equal(job?.model, kModel);
  assert.match((await expecting(0, ['library'])).out, /pull +Org\/Tiny-Demo +running +\d+ %/);

  const paused = await jsonOf(['pull', kModel, '--pause']);
  assert.equal(paused.id, job.id);
  await eventually('a pause', async () => (await jsonOf(['library'])).jobs.some(({ state }) => state === 'paused'));
  hub.clear();
  const ended = await jsonOf(['pull', kModel]);
  assert.deepEqual([ended.id, ended.state], [job.id, 'done'], 'the same job went on');
  await remove(kModel);
});

test('a pull is cancelled, and nothing of it stays', async () => {
  hub.fail({ bytesPerS: 2e5 });
  const begun = await jsonOf(['pull', kModel, '--no-wait']);
  assert.equal(begun.model, kModel);
  const waiting = begin(['--url', box.url, 'pull', kModel, '--json']);
  await eventually('bytes', async () => (await jsonOf(['library'])).jobs.some(({ bytes_done: bytes }) => bytes > 0));
  assert.match((await expecting(0, ['pull', kModel, '--cancel'])).out, /is cancelled and what it had is removed/);
  const { code, err } = await waiting.ended;
  assert.equal(code, 130);
  assert.match(err, /the pull of 'Org\/Tiny-Demo' was cancelled/);
  assert.equal(await modelOf(kModel), undefined);
  await expecting(3, ['pull', kModel, '--cancel']);
  assert.match((await expecting(0, ['library', '--gc'])).out, /were removed/);
  assert.ok('removed_bytes' in await jsonOf(['library', '--gc']));
});

test('a pull that fails says why', async () => {
  const absent = await expecting(1, ['pull', 'Org/Absent']);
  assert.match(absent.err, /the pull of 'Org\/Absent' failed: .*Org\/Absent/);
  const revision = await expecting(1, ['pull', kModel, '--revision', 'v9']);
  assert.match(revision.err, /no such revision/);
  const name = await expecting(2, ['pull', '../../etc']);
  assert.match(name.err, /^hearth: '\.\.\/\.\.\/etc' is no model id/);
  assert.match((await expecting(2, ['pull'])).err, /ORG\/NAME is required/);
});

test('a directory is imported under its own name or another, and damage is found', async () => {
  const stick = join(usb, 'stick');
  assert.match((await expecting(0, ['import', `${stick}/`])).out, /^'stick' is imported, 7\.\d MiB/);
  assert.equal((await jsonOf(['import', stick, '--name', 'second'])).state, 'done');
  const imported = await modelOf('stick');
  assert.equal(imported.source, 'import');
  await truncate(join(imported.path, 'tokenizer.json'), 100);
  const verified = await expecting(1, ['verify', 'stick']);
  assert.match(verified.err, /tokenizer\.json/);
  assert.match((await expecting(0, ['library'])).out, /^stick +damaged/m);
  assert.match((await expecting(0, ['inspect', 'stick'])).out, /^state +damaged: .*tokenizer\.json/m);
  assert.match((await expecting(1, ['import', stick, '--name', 'second'])).err, /second/);
  assert.notEqual((await hearth(['import', join(usb, 'nothing')])).code, 0);
  await remove('stick');
  await remove('second');
});

test('removing asks first, and what is served stays', async () => {
  await expecting(0, ['import', join(usb, 'stick'), '--name', 'asked']);
  assert.match((await expecting(2, ['rm', 'asked'])).err, /'asked' \(7\.\d MiB\) is removed for good; say so with --yes/);
  const no = onTerminal(['--url', box.url, 'rm', 'asked']);
  await eventually('a question', () => /Remove 'asked' \(7\.\d MiB\) from the disk\? \[y\/N\] $/.test(no.out));
  no.type('n\r');
  assert.equal((await no.ended).code, 130);
  assert.ok(await modelOf('asked'));

  const served = await modelOf('asked');
  const document = `llm_configs:\n- model_loading_config: {model_id: two, model_source: ${served.path}}\n`
    + `- model_loading_config: {model_id: demo, model_source: ${kDemoModel}}\n`;
  assert.equal((await hearth(['config', 'apply', '-f', '-', '--keep'], { input: document })).code, 0);
  const refused = await expecting(1, ['rm', 'asked', '--yes']);
  assert.match(refused.err, /'?two'?/, 'by whom');
  assert.match((await expecting(0, ['library'])).out, /^asked .* two$/m);

  const without = `llm_configs:\n- model_loading_config: {model_id: demo, model_source: ${kDemoModel}}\n`;
  assert.equal((await hearth(['config', 'apply', '-f', '-', '--keep'], { input: without })).code, 0);
  const yes = onTerminal(['--url', box.url, 'rm', 'asked']);
  await eventually('a question', () => /\[y\/N\] $/.test(yes.out));
  yes.type('y\r');
  const { code, out } = await yes.ended;
  assert.equal(code, 0, out);
  assert.equal(await modelOf('asked'), undefined);
  await expecting(3, ['rm', 'asked', '--yes']);
  await expecting(3, ['verify', 'asked']);
});

test('inspect reads a library model and a directory to the last tensor', async () => {
  await expecting(0, ['import', join(usb, 'stick'), '--name', 'seen']);
  const { kind, library, directory } = await jsonOf(['inspect', 'seen']);
  assert.deepEqual([kind, library.id, directory.num_parameters], ['library', 'seen', 3936512]);
  assert.match((await expecting(0, ['inspect', 'seen'])).out, /^content hash +sha256:[0-9a-f]{64}$[^]*^parameters +3\.9 million in 50 tensors/m);
  await remove('seen');

  // Without any box.
  const nowhere = ['--url', 'http://127.0.0.1:1', 'inspect'];
  const alone = await run([...nowhere, join(usb, 'stick'), '--json']);
  assert.equal(alone.code, 0, alone.err);
  const read = JSON.parse(alone.out).directory;
  assert.deepEqual(read.dtypes, { BF16: { tensors: 50, parameters: 3936512, bytes: 7873024 } });
  assert.equal(read.config.model_type, 'qwen2');
  assert.ok(read.files.some(({ path, bytes }) => path === 'tokenizer.json' && bytes > 0));
  const weights = join(usb, 'stick', 'model.safetensors');
  const whole = await readFile(weights);
  await truncate(weights, whole.length - 1);
  const cut = await run([...nowhere, join(usb, 'stick')]);
  assert.equal(cut.code, 1);
  assert.match(cut.err, /is no whole safetensors file: tensor '.*' lies at \d+ to \d+ of \d+ bytes/);
  await writeFile(weights, whole);
  assert.equal((await run([...nowhere, join(usb, 'none')])).code, 3);
  assert.equal((await run([...nowhere, 'demo'])).code, 4, 'a name needs a box');
});
