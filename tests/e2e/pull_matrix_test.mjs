// Pulls against a look-alike of the hub that fails in every way a hub and the way to it fail. Prints a table:
// case, what happened, and how many bytes came twice.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Appliance, eventually, kDemoModel, total } from './appliance.mjs';
import { filesOf, Hub, sha256 } from './hub.mjs';
import { kEnds, LibraryClient } from './library.mjs';

const kFiles = filesOf(kDemoModel);
const kBytes = Object.values(kFiles).reduce((sum, data) => sum + data.length, 0);
const kWeights = 'model.safetensors';
const kOtherCommit = 'fedcba9876543210fedcba9876543210fedcba98';
// Small parts, so that a small model is fetched in many.
const kEnv = { HEARTH_HUB_PART_BYTES: '1000000', HEARTH_HUB_ALLOWED_HOSTS: 'hf.co,localhost,127.0.0.1,169.254.169.254,[::1]' };

const table = [];
const note = (name, happened, again = 0) => table.push({ name, happened, again });
const short = (text) => (text.length > 150 ? `${text.slice(0, 147)}...` : text);

let hub;
let box;
let library;

before(async () => {
  hub = await Hub.start();
  box = await Appliance.start({ env: { ...kEnv, HF_ENDPOINT: hub.url } });
  library = new LibraryClient(box);
});

after(async () => {
  await box.stop();
  await hub.stop();
  const width = Math.max(...table.map((row) => row.name.length));
  console.log(`\n${'case'.padEnd(width)}  bytes again  what happened`);
  for (const { name, happened, again } of table) console.log(`${name.padEnd(width)}  ${`${again}`.padStart(11)}  ${happened}`);
});

function assertWhole(model, files) {
  assert.equal(model.state, 'whole', model.problem);
  for (const [path, data] of Object.entries(files)) {
    assert.equal(sha256(readFileSync(join(model.path, path))), sha256(data), path);
  }
}

// A pull that shall fail, and leave nothing that could be served.
async function refused(name, id, pattern, revision) {
  const job = await library.pulled(id, revision);
  assert.equal(job.state, 'failed');
  assert.match(job.error, pattern);
  assert.ok(!(await library.view()).models.some((model) => model.id === id && model.state === 'whole'));
  note(name, `failed: ${short(job.error)}`);
  return job;
}

test('a connection that is cut twenty times costs little, and the model is served', async () => {
  hub.clear();
  hub.add('Org/Cut', kFiles);
  hub.fail({ cut: { left: 20, bytes: 300_000 } });
  const job = await library.pulled('Org/Cut');
  assert.equal(job.state, 'done', job.error);
  assert.equal(hub.faults.cut.left, 0, 'all twenty cuts happened');
  assertWhole(await library.model('Org/Cut'), kFiles);
  const again = hub.bytesSent - kBytes;
  assert.ok(again < kBytes / 2, `${again} bytes came twice`);
  assert.equal((await box.models('POST', '', { model: 'Org/Cut', model_name: 'cut' })).status, 202);
  const answer = await eventually('an answer of the pulled model', () => box.ask('What is TTFT?', { model: 'cut', max_tokens: 16 }));
  const original = await box.ask('What is TTFT?', { model: 'demo', max_tokens: 16 });
  assert.equal(answer.choices[0].message.content, original.choices[0].message.content);
  assert.deepEqual((await library.model('Org/Cut')).served_as, ['cut']);
  const kept = await library.remove('Org/Cut');
  assert.equal(kept.status, 409);
  assert.match(kept.error.message, /'cut'/);
  note('connection cut x20', 'done; served, answers as the original; cannot be removed meanwhile', again);
});

test('bytes with another hash are never served', async () => {
  hub.clear();
  hub.add('Org/Wrong', kFiles, { oids: { [kWeights]: sha256('something else') } });
  const job = await refused('wrong hash', 'Org/Wrong', /do not have the hash/);
  assert.ok(job.bytes_fetched < 2.1 * kBytes);
  table.at(-1).again = hub.bytesSent - kBytes;
});

test('a file that changes under a branch is fetched anew, and only that', async () => {
  hub.clear();
  hub.add('Org/Moved', kFiles);
  hub.fail({ bytesPerS: 1_000_000 });
  const begun = await library.pull('Org/Moved');
  await eventually('half of it', async () => (await library.job(begun.job.id)).bytes_done > kBytes / 2);
  const changed = { ...kFiles, 'generation_config.json': Buffer.from('{"temperature": 0.5}\n') };
  hub.add('Org/Moved', changed, { commit: kOtherCommit });
  hub.fail({ bytesPerS: undefined });
  const job = await library.until(begun.job.id, kEnds);
  assert.equal(job.state, 'done', job.error);
  const model = await library.model('Org/Moved');
  assert.equal(model.revision, kOtherCommit);
  assertWhole(model, changed);
  const again = hub.bytesSent - kBytes;
  assert.ok(again < kBytes / 2, `${again} bytes came twice`);
  note('changed file, branch', 'done with the new commit; what was the same was kept', again);
});

test('a file that changes under a pinned commit fails the pull clearly', async () => {
  hub.clear();
  const commit = '1'.repeat(40);
  hub.add('Org/Pinned', kFiles, { commit });
  hub.fail({ bytesPerS: 1_000_000 });
  const begun = await library.pull('Org/Pinned', commit);
  await eventually('some of it', async () => (await library.job(begun.job.id)).bytes_done > 500_000);
  hub.add('Org/Pinned', { ...kFiles, [kWeights]: randomBytes(kFiles[kWeights].length) }, { commit });
  hub.fail({ bytesPerS: undefined });
  const job = await library.until(begun.job.id, kEnds);
  assert.equal(job.state, 'failed');
  assert.match(job.error, /has changed on the hub/);
  note('changed file, pinned', `failed: ${short(job.error)}`, Math.max(0, hub.bytesSent - kBytes));
});

test('refusals are told at once with what to do', async () => {
  hub.clear();
  await refused('404', 'Org/Nowhere', /check the name/);
  assert.equal(hub.requests.length, 1, 'a refusal is not asked for again');
  hub.add('Org/Refused', kFiles);
  await refused('404 revision', 'Org/Refused', /no such revision/, 'nope');
  hub.token = 'hf_secret_of_the_test';
  await refused('401', 'Org/Refused', /HF_TOKEN/);
  hub.token = '';
  hub.fail({ status: { left: 100, code: 403, errorCode: 'GatedRepo', where: '/resolve/' } });
  await refused('403', 'Org/Refused', /accept its terms/);
  hub.clear();
  hub.add('Org/Pickles', { 'config.json': kFiles['config.json'], 'pytorch_model.bin': Buffer.alloc(10) });
  await refused('no safetensors', 'Org/Pickles', /safetensors/);
  hub.add('Org/NoConfig', { [kWeights]: kFiles[kWeights] });
  await refused('no config.json', 'Org/NoConfig', /config\.json/);
});

test('a busy hub is waited for as long as it says', async () => {
  for (const [name, status] of [['429', { left: 3, code: 429, retryAfter: 1 }], ['503', { left: 4, code: 503 }]]) {
    hub.clear();
    hub.add(`Org/Busy${name}`, kFiles);
    hub.fail({ status: { ...status, where: '/resolve/' } });
    const begun = await library.pull(`Org/Busy${name}`);
    const waiting = await eventually('a wait that is told', async () => {
      const job = await library.job(begun.job.id);
      return job.retry_in_s !== null && job;
    });
    assert.match(waiting.error, new RegExp(name));
    const job = await library.until(begun.job.id, kEnds);
    assert.equal(job.state, 'done', job.error);
    note(name, `done; waited ("${short(waiting.error)}")`, hub.bytesSent - kBytes);
  }
});

test('no redirect leads to a neighbour', async () => {
  let visits = 0;
  const neighbour = createServer((_, response) => { visits += 1; response.end('secret'); }).listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  const { port } = neighbour.address();
  hub.add('Org/Led', kFiles);
  for (const [where, pattern] of [
    [`http://127.0.0.1:${port}/x`, /neither https/],
    [`https://127.0.0.1:${port}/x`, /not a public one/],
    [`https://localhost:${port}/x`, /not a public one/],
    [`https://[::1]:${port}/x`, /not a public one/],
    ['https://169.254.169.254/latest/meta-data', /not a public one/],
    ['https://example.org/x', /not among hub\.allowed_hosts/],
    ['file:///etc/passwd', /no scheme|no URL/],
    [`${hub.url}/Org/Led/resolve/main/config.json`, /more than 3 times/],
  ]) {
    hub.clear();
    hub.fail({ redirect: where });
    await refused(`redirect to ${where.replace(/:\d+\//, ':PORT/').replace(hub.url, 'itself')}`, 'Org/Led', pattern);
  }
  assert.equal(visits, 0);
  neighbour.close();
});

test('no name leads out of the folder', async () => {
  hub.clear();
  const before_ = readdirSync(box.state).sort();
  const traversals = ['../../../evil.json', 'a/../../evil.json', '/tmp/evil.json', '..', 'x\\..\\evil.json', './evil.json', 'a//evil.json'];
  for (const [i, name] of traversals.entries()) {
    hub.add(`Org/Evil${i}`, { ...kFiles, [name]: Buffer.from('{}') });
    const job = await library.pulled(`Org/Evil${i}`);
    assert.equal(job.state, 'failed');
    assert.match(job.error, /outside of its own folder/);
  }
  const ids = ['../x', 'a/../b', '.x', 'a/.x', 'a/b/c', 'a//b', '/etc', 'a--b', '', 'a\u0000b', 'ä', 'x'.repeat(97)];
  for (const id of ids) assert.equal((await library.pull(id)).status, 400, id);
  for (const revision of ['../x', 'a/../b', '.x', 'a b']) assert.equal((await library.pull('Org/X', revision)).status, 400);
  assert.deepEqual(readdirSync(box.state).sort(), before_);
  assert.ok(!existsSync('/tmp/evil.json'));
  assert.equal(hub.bytesSent, 0);
  note('traversal names', `${traversals.length} repositories and ${ids.length} ids refused, nothing written`);
});

test('two pulls of one model are one', async () => {
  hub.clear();
  hub.add('Org/Twice', kFiles);
  hub.fail({ bytesPerS: 2_000_000, page: 2 });  // and its tree comes in pages
  const answers = await Promise.all(Array.from({ length: 5 }, () => library.pull('Org/Twice')));
  assert.equal(new Set(answers.map((answer) => answer.job.id)).size, 1);
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 200, 200, 200, 202]);
  const other = await library.pull('Org/Twice', 'v2');
  assert.equal(other.status, 409);
  const job = await library.until(answers[0].job.id, kEnds);
  assert.equal(job.state, 'done', job.error);
  assertWhole(await library.model('Org/Twice'), kFiles);
  note('five pulls of one model', 'one job', hub.bytesSent - kBytes);
  hub.clear();
  const again = await library.pulled('Org/Twice');
  assert.equal(again.state, 'done');
  assert.equal(hub.bytesSent, 0);
  note('a pull of what is here', 'done at once');
});

test('a killed hearthd goes on where it was', async (t) => {
  const mirror = await Hub.start();
  const state = await mkdtemp(join(tmpdir(), 'hearth-kill-'));
  const started = [];
  t.after(async () => {
    for (const each of started) await each.kill9();
    await mirror.stop();
    await rm(state, { recursive: true, force: true });
  });
  const options = { state, env: { ...kEnv, HF_ENDPOINT: mirror.url } };
  mirror.add('Org/Killed', kFiles);
  mirror.fail({ bytesPerS: 500_000 });  // of each connection
  const first = await Appliance.start(options);
  started.push(first);
  const begun = await new LibraryClient(first).pull('Org/Killed');
  await eventually('half of it', async () => (await new LibraryClient(first).job(begun.job.id)).bytes_done > kBytes / 2);
  await first.kill9();
  const sent = mirror.bytesSent;
  mirror.fail({ bytesPerS: undefined });
  const second = await Appliance.start(options);
  started.push(second);
  const client = new LibraryClient(second);
  const job = await client.until(begun.job.id, kEnds);
  assert.equal(job.state, 'done', job.error);
  assertWhole(await client.model('Org/Killed'), kFiles);
  const again = mirror.bytesSent - kBytes;
  assert.ok(again < sent, `${again} bytes came twice, ${sent} had come before`);
  note('kill -9 in the middle', 'the same job went on by itself: done', again);
});

function mounted(directory) {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory], { stdio: 'pipe' });
    return '';
  } catch (error) {
    return `cannot mount a tmpfs: ${error.stderr ?? error.message}`;
  }
}

test('a full disk pauses the pull, serves on, and it goes on when there is space', async (t) => {
  const models = await mkdtemp(join(tmpdir(), 'hearth-disk-'));
  const reason = mounted(models);
  if (reason) {
    await rm(models, { recursive: true });
    note('disk full', `not tried: ${reason}`);
    return t.skip(reason);
  }
  const mirror = await Hub.start();
  mirror.add('Org/Full', kFiles);
  mirror.fail({ bytesPerS: 400_000 });
  const MiB = 1 << 20;
  const started = [];
  t.after(async () => {
    for (const each of started) await each.stop();
    await mirror.stop();
    execFileSync('umount', ['-l', models]);
    await rm(models, { recursive: true });
  });
  const full = await Appliance.start({ env: { ...kEnv, HF_ENDPOINT: mirror.url, HEARTH_MODELS_DIRECTORY: models, HEARTH_HUB_DISK_RESERVE_BYTES: `${4 * MiB}` } });
  started.push(full);
  const client = new LibraryClient(full);
  const other = join(models, 'other');
  const served = async () => { for (let i = 0; i < 5; i += 1) await full.ask('What is TTFT?', { max_tokens: 4 }); };

  writeFileSync(other, Buffer.alloc(14 * MiB));
  const begun = await client.pull('Org/Full');
  const before_ = await client.until(begun.job.id, ['paused']);
  assert.match(before_.error, /not enough space/);
  assert.equal(mirror.bytesSent, 0, 'looked at before the first byte');
  await served();

  rmSync(other);
  await eventually('some of it', async () => (await client.job(begun.job.id)).bytes_done > 2 * MiB);
  const { disk } = await client.view();
  writeFileSync(other, Buffer.alloc(disk.free_bytes - 5 * MiB));
  const paused = await client.until(begun.job.id, ['paused']);
  const left = (await client.view()).disk.free_bytes;
  assert.ok(left >= 4 * MiB, `the reserve is kept: ${left} bytes are free`);
  const upload = await fetch(`${full.url}/api/library/uploads/up/${kWeights}`, { method: 'PUT', body: kFiles[kWeights] });
  assert.equal(upload.status, 507);
  assert.match((await upload.json()).error.message, /not enough space/);
  await served();
  assert.equal(total(await full.metrics(), 'hearth_pulls_total'), 0, 'a pause is no end');

  mirror.fail({ bytesPerS: undefined });
  rmSync(other);
  const job = await client.until(begun.job.id, kEnds);
  assert.equal(job.state, 'done', job.error);
  assertWhole(await client.model('Org/Full'), kFiles);
  note('disk full', `paused before the first byte and at ${paused.bytes_done} bytes with ${left} free; requests answered; done when there was space`, mirror.bytesSent - kBytes);
});

test('the throughput over loopback, for the record', async () => {
  hub.clear();
  const files = { ...kFiles, [kWeights]: randomBytes(256 << 20) };
  hub.add('Org/Big', files);
  hub.entryOf(hub.models.get('Org/Big'), kWeights);  // its hash is not the pull's time
  const begin = performance.now();
  const begun = await library.pull('Org/Big');
  const fetched = await library.until(begun.job.id, ['verifying', ...kEnds]);
  const fetchS = (performance.now() - begin) / 1000;
  const job = await library.until(begun.job.id, kEnds);
  assert.equal(job.state, 'done', `${fetched.state}: ${job.error}`);
  const wholeS = (performance.now() - begin) / 1000;
  note('256 MiB over loopback', `${(268 / fetchS).toFixed(0)} MB/s to the disk, ${(268 / wholeS).toFixed(0)} MB/s with the hash (hub and box share the machine)`);
});
