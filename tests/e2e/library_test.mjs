// The model library from outside: imports, uploads, verification, removal, pauses, the token, no network.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Appliance, eventually, kDemoModel, total } from './appliance.mjs';
import { filesOf, Hub } from './hub.mjs';
import { kEnds, LibraryClient } from './library.mjs';

const kFiles = filesOf(kDemoModel);
const kBytes = Object.values(kFiles).reduce((sum, data) => sum + data.length, 0);
const kToken = 'hf_secretOfTheTest';
const kEightDaysS = 8 * 24 * 3600;

let hub;
let box;
let library;
let work;

before(async () => {
  hub = await Hub.start({ token: kToken });
  work = await mkdtemp(join(tmpdir(), 'hearth-library-'));
  box = await Appliance.start({ env: { HF_ENDPOINT: hub.url, HF_TOKEN: kToken, HEARTH_HUB_PART_BYTES: '500000' } });
  library = new LibraryClient(box);
});

after(async () => {
  await box.stop();
  await hub.stop();
  await rm(work, { recursive: true, force: true });
});

async function serve(model, name) {
  const added = await box.models('POST', '', { model, model_name: name });
  assert.equal(added.status, 202, await added.text());
  const answer = await eventually(`an answer of ${name}`, () => box.ask('What is TTFT?', { model: name, max_tokens: 12 }));
  assert.ok(answer.choices[0].message.content.length > 0);
  await box.models('DELETE', name);
  await eventually(`${name} to be gone`, async () => !(await library.model(model)).served_as.includes(name));
}

async function ended(started) {
  assert.equal(started.status, 202, JSON.stringify(started));
  return library.until(started.job.id, kEnds);
}

test('a private model comes with the token, which is shown nowhere', async () => {
  hub.add('Org/Private', kFiles);
  const job = await library.pulled('Org/Private');
  assert.equal(job.state, 'done', job.error);
  assert.ok(hub.requests.every((request) => request.authorization === `Bearer ${kToken}`));
  for (const path of ['/api/settings', '/api/library', '/api/library/jobs', '/api/config', '/api/status']) {
    assert.ok(!(await (await fetch(box.url + path)).text()).includes(kToken), path);
  }
  assert.ok(!box.log.includes(kToken));
  const { models } = await (await fetch(`${box.url}/api/models`)).json();
  const engine = models[0].replicas[0].engine_pid;
  assert.ok(!readFileSync(`/proc/${engine}/environ`, 'utf8').includes(kToken), 'an engine has no need of it');
  await serve('Org/Private', 'private');
});

test('an import is copied, hashed, served, verified and removed', async () => {
  const source = join(work, 'stick');
  cpSync(kDemoModel, source, { recursive: true });
  writeFileSync(join(source, 'pytorch_model.bin'), 'a pickle');
  const job = await ended(await library.ask('POST', '/imports', { path: source, model: 'from-stick' }));
  assert.equal(job.state, 'done', job.error);
  assert.equal(job.bytes_done, kBytes);
  const model = await library.model('from-stick');
  assert.equal(model.source, 'import');
  assert.equal(model.content_hash, (await library.model('Org/Private')).content_hash, 'the same bytes have the same hash');
  assert.ok(!existsSync(join(model.path, 'pytorch_model.bin')));
  await serve('from-stick', 'stick');

  const good = await ended(await library.ask('POST', '/models/from-stick/verify'));
  assert.equal(good.state, 'done', good.error);
  const weights = readFileSync(join(model.path, 'model.safetensors'));
  weights[weights.length >> 1] ^= 1;
  writeFileSync(join(model.path, 'model.safetensors'), weights);
  const bad = await ended(await library.ask('POST', '/models/from-stick/verify'));
  assert.equal(bad.state, 'failed');
  assert.match(bad.error, /model\.safetensors has other bytes/);
  assert.equal((await library.model('from-stick')).state, 'damaged');
  assert.equal((await library.ask('POST', '/imports', { path: source, model: 'from-stick' })).status, 409);
  assert.equal((await library.remove('from-stick')).status, 200);
  assert.equal(await library.model('from-stick'), undefined);
});

test('no link of a source is followed out of it', async () => {
  const source = join(work, 'linked');
  mkdirSync(source);
  for (const name of ['config.json', 'model.safetensors']) cpSync(join(kDemoModel, name), join(source, name));
  symlinkSync('/etc/passwd', join(source, 'tokenizer.json'));
  const job = await ended(await library.ask('POST', '/imports', { path: source, model: 'linked' }));
  assert.equal(job.state, 'failed');
  assert.match(job.error, /leads out of its folder/);
  for (const [body, status] of [[{ path: 'relative', model: 'x' }, 400], [{ path: join(work, 'nowhere'), model: 'x' }, 404],
    [{ path: source, model: '../x' }, 400], [{ path: source }, 400], [{ path: join(box.state, 'models'), model: 'x' }, 400]]) {
    assert.equal((await library.ask('POST', '/imports', body)).status, status, JSON.stringify(body));
  }
});

test('files of a browser become a model', async () => {
  const put = (model, file, body) => fetch(`${box.url}/api/library/uploads/${encodeURIComponent(model)}/${encodeURIComponent(file)}`, { method: 'PUT', body, duplex: 'half' });
  for (const [model, file] of [['Org/Up', '../evil.json'], ['../Up', 'config.json'], ['Org/Up', 'pytorch_model.bin'], ['Org/Up', '.hidden.json'], ['Org/Up', 'hearth-manifest.json']]) {
    const refused = await put(model, file, 'x');
    assert.ok([400, 404].includes(refused.status), `${model} ${file}: ${refused.status}`);
  }
  const chunked = await put('Org/Up', 'config.json', new Blob(['{}']).stream());
  assert.equal(chunked.status, 400);
  assert.match(await chunked.text(), /Content-Length/);
  for (const [name, data] of Object.entries(kFiles)) {
    const taken = await put('Org/Up', name, data);
    assert.equal(taken.status, 201, await taken.text());
  }
  assert.equal((await library.model('Org/Up')).state, 'partial');
  const job = await ended(await library.ask('POST', '/uploads/Org%2FUp/finish'));
  assert.equal(job.state, 'done', job.error);
  const model = await library.model('Org/Up');
  assert.equal(model.state, 'whole');
  assert.equal(model.source, 'upload');
  await serve('Org/Up', 'up');
  assert.equal((await library.ask('POST', '/uploads/nothing/finish')).status, 404);
});

test('a pull is paused, stays so over a restart, goes on and is cancelled', async () => {
  hub.add('Org/Slow', kFiles);
  hub.fail({ bytesPerS: 400_000 });
  const begun = await library.pull('Org/Slow');
  const { id } = begun.job;
  const running = await eventually('a rate', async () => {
    const job = await library.job(id);
    return job.rate_bytes_s > 0 && job.eta_s > 0 && job.bytes_done > 1_000_000 && job;
  });
  assert.equal(running.bytes_total, kBytes);
  assert.equal((await library.ask('POST', `/jobs/${id}/pause`)).status, 202);
  const paused = await library.until(id, ['paused']);
  assert.equal((await library.model('Org/Slow')).state, 'partial');
  assert.equal((await library.remove('Org/Slow')).status, 409, 'a job works on it');
  const { state } = box;
  box.ownsState = false;
  await box.stop();
  hub.fail({ bytesPerS: 2_000_000 });
  box = await Appliance.start({ state, env: { HF_ENDPOINT: hub.url, HF_TOKEN: kToken, HEARTH_HUB_PART_BYTES: '500000' } });
  box.ownsState = true;
  library = new LibraryClient(box);
  assert.equal((await library.job(id)).state, 'paused');
  hub.bytesSent = 0;
  assert.equal((await library.ask('POST', `/jobs/${id}/resume`)).status, 202);
  const done = await library.until(id, kEnds);
  assert.equal(done.state, 'done', done.error);
  assert.ok(hub.bytesSent <= kBytes - paused.bytes_done + 100_000, `${hub.bytesSent} after ${paused.bytes_done}`);

  hub.add('Org/Never', kFiles);
  hub.fail({ bytesPerS: 400_000 });
  const other = await library.pull('Org/Never');
  await eventually('some bytes', async () => (await library.job(other.job.id)).bytes_done > 500_000);
  assert.equal((await library.ask('DELETE', `/jobs/${other.job.id}`)).status, 202);
  await library.until(other.job.id, ['cancelled']);
  assert.equal(await library.model('Org/Never'), undefined);
  assert.ok(!existsSync(join(state, 'models/models--Org--Never')));
  hub.clear();
});

test('what nobody goes on with is seen, may be deleted, and is forgotten after a week', async () => {
  const commit = 'd'.repeat(40);
  for (const name of ['Old', 'New']) {
    const partial = join(box.state, `models/models--Org--${name}/.partial/${commit}`);
    mkdirSync(join(partial, 'files'), { recursive: true });
    writeFileSync(join(partial, 'files/model.safetensors'), Buffer.alloc(1 << 20, 1));
    const then = Date.now() / 1000 - (name === 'Old' ? kEightDaysS : 60);
    for (const path of [join(partial, 'files/model.safetensors'), join(partial, 'files'), partial]) utimesSync(path, then, then);
  }
  const view = await library.view();
  assert.equal(view.models.find((model) => model.id === 'Org/New').state, 'partial');
  assert.equal(view.models.find((model) => model.id === 'Org/New').bytes, 1 << 20);
  assert.ok(view.garbage_bytes >= 1 << 20 && view.garbage_bytes < 2 << 20, `${view.garbage_bytes}`);
  assert.ok((await library.ask('POST', '/gc')).removed_bytes >= 1 << 20);
  assert.equal(await library.model('Org/Old'), undefined);
  assert.equal((await library.remove('Org/New')).status, 200);
  assert.equal(await library.model('Org/New'), undefined);
  assert.equal((await library.view()).garbage_bytes, 0);
});

test('of a model with several revisions the one that was named goes, and no other', async () => {
  const [old, newer, begun] = ['a', 'b', 'c'].map((digit) => digit.repeat(40));
  const repository = join((await library.view()).models_directory, 'models--Org--Several');
  for (const commit of [old, newer]) cpSync(kDemoModel, join(repository, 'snapshots', commit), { recursive: true });
  mkdirSync(join(repository, '.partial', begun, 'files'), { recursive: true });
  writeFileSync(join(repository, '.partial', begun, 'files', 'x'), 'x');
  const rows = async () => (await library.view()).models.filter(({ id }) => id === 'Org/Several');
  const remove = (path) => library.ask('DELETE', `/models/${encodeURIComponent('Org/Several')}?path=${encodeURIComponent(path)}`);
  assert.equal((await rows()).length, 3);
  assert.equal((await remove(join(repository, '.partial', begun))).status, 200);
  assert.deepEqual((await rows()).map(({ revision }) => revision).sort(), [old, newer]);
  assert.equal((await remove(join(repository, 'snapshots', old))).status, 200);
  assert.deepEqual((await rows()).map(({ revision }) => revision), [newer]);
  for (const elsewhere of [repository, kDemoModel, join(repository, 'snapshots')]) assert.equal((await remove(elsewhere)).status, 404);
  await serve('Org/Several', 'several');
});

test('a box without a network asks nobody', async (t) => {
  const quiet = await Appliance.start({ env: { HF_ENDPOINT: hub.url, HF_HUB_OFFLINE: '1' } });
  t.after(() => quiet.stop());
  hub.requests = [];
  const client = new LibraryClient(quiet);
  const refused = await client.pull('Org/Private');
  assert.equal(refused.status, 409);
  assert.match(refused.error.message, /HF_HUB_OFFLINE/);
  assert.equal((await client.view()).offline, true);
  const imported = await client.ask('POST', '/imports', { path: kDemoModel, model: 'here' });
  assert.equal((await client.until(imported.job.id, kEnds)).state, 'done');
  assert.equal(hub.requests.length, 0);
});

test('a token of a file is read for each pull', async (t) => {
  const file = join(work, 'token');
  writeFileSync(file, 'hf_anOldOne\n');
  const filed = await Appliance.start({ env: { HF_ENDPOINT: hub.url, HF_TOKEN: '', HEARTH_HUB_TOKEN_FILE: file } });
  t.after(() => filed.stop());
  const client = new LibraryClient(filed);
  const refused = await client.pulled('Org/Private');
  assert.equal(refused.state, 'failed');
  assert.match(refused.error, /check the token/);
  writeFileSync(file, `${kToken}\n`);
  assert.equal((await client.ask('POST', `/jobs/${refused.id}/resume`)).status, 202);
  const job = await client.until(refused.id, ['done']);
  assert.equal(job.bytes_done, kBytes);
});

test('what happened is told by events and metrics', async () => {
  const metrics = await box.settledMetrics();
  assert.ok(total(metrics, 'hearth_library_bytes') >= 3 * kBytes);
  assert.ok(total(metrics, 'hearth_library_disk_free_bytes') > 0);
  assert.equal(total(metrics, 'hearth_pulls_total', 'outcome="done"'), 1, 'since the restart');
  assert.equal(total(metrics, 'hearth_pulls_total', 'outcome="cancelled"'), 1);
  assert.ok(total(metrics, 'hearth_pull_bytes_total') > 500_000);
  const { events } = await (await fetch(`${box.url}/api/events?start=0`)).json();
  const kinds = new Set(events.map((event) => event.kind));
  for (const kind of ['model_pulled', 'model_imported', 'model_removed']) assert.ok(kinds.has(kind), `${kind} of ${[...kinds]}`);
});
