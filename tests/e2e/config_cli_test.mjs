// hearth config over a real box: what it prints, and its exit status, by which scripts tell what happened:
// 0 done, 1 not taken, 2 the caller got it wrong, 3 it is not there, 4 perhaps later.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, kBinaries, kDemoModel } from './appliance.mjs';
import { applyEnded, applyWhen } from './applies.mjs';
import { modelOfNaN } from './broken_models.mjs';

const kYaml = `# by hand
llm_configs:
- model_loading_config:
    model_id: demo
    model_source: ${kDemoModel}
  engine_kwargs:
    max_model_len: 512  # short
`;

/** hearth --url <box> config <args>: {code, out, err}. */
async function hearth(box, args, input = '') {
  const child = spawn(join(kBinaries, 'hearth'), ['--url', box.url, 'config', ...args]);
  const said = { out: '', err: '' };
  child.stdout.on('data', (data) => { said.out += data; });
  child.stderr.on('data', (data) => { said.err += data; });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, ...said };
}

/** The same, which is to end with `code`. */
async function expecting(code, box, args, input) {
  const said = await hearth(box, args, input);
  assert.equal(said.code, code, `hearth config ${args.join(' ')}\n${said.out}${said.err}`);
  assert.equal(said.err === '', code === 0, `only what went wrong is told on standard error: ${said.err}`);
  return said;
}

const jsonOf = async (box, args, input) => JSON.parse((await expecting(0, box, ['--json', ...args], input)).out);

async function startBox(t, options) {
  const box = await Appliance.start(options);
  t.after(() => box.stop());
  return box;
}

async function directory(t) {
  const path = await mkdtemp(join(tmpdir(), 'hearth-cli-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

const lengthServed = async (box) => (await box.status()).models[0].max_model_len;

test('a file is checked, applied step by step, and read back as it was written', async (t) => {
  const box = await startBox(t);
  const file = join(await directory(t), 'models.yaml');
  await writeFile(file, kYaml);

  const checked = await expecting(0, box, ['validate', file]);
  assert.match(checked.out, /^would replace 'demo' .*max_model_len$/m);
  assert.match(checked.out, /It fits beside what runs now/);
  const { ok, changes, fit } = await jsonOf(box, ['validate'], kYaml);
  assert.ok(ok && fit.fits);
  assert.deepEqual(changes.map(({ kind, model }) => [kind, model]), [['replace', 'demo']]);

  const applied = await expecting(0, box, ['apply', '--file', file, '--keep', '--note', 'shorter']);
  const steps = [...applied.out.matchAll(/^(\w+) (done|failed)/gm)].map(([, name, state]) => `${name} ${state}`);
  for (const step of ['validate', 'fit', 'start', 'probe', 'switch', 'watch', 'confirm']) {
    assert.ok(steps.includes(`${step} done`), `${step}\n${applied.out}`);
  }
  assert.match(applied.out, /^watch done .*kept by hearth command/m);
  assert.equal(await lengthServed(box), 512);
  const { newest, active } = await box.config();
  assert.equal(active, newest);

  assert.equal((await expecting(0, box, ['get'])).out, kYaml, 'comments too');
  assert.equal((await jsonOf(box, ['get'])).document, kYaml);
  const history = await jsonOf(box, ['history']);
  assert.deepEqual(history.revisions.map(({ id, state, note }) => [id, state, note])[0], [newest, 'active', 'shorter']);
  assert.match((await expecting(0, box, ['history'])).out, /^revision +when +state +who +note\n2 .* active +hearth command from 127\.0\.0\.1 +shorter\n1 .* confirmed/);
  const audit = await expecting(0, box, ['audit']);
  assert.match(audit.out, /confirmed +2 +1 /);
  assert.match(audit.out, /seeded +1 +- /);
});

test('a field is set, compared, applied, exported and taken away again', async (t) => {
  const box = await startBox(t);
  const set = ['set', 'llm_configs[0].engine_kwargs.max_model_len=640', 'applications[0].args.llm_configs[0].log_engine_metrics=false'];
  const saved = await expecting(0, box, [...set, '--note', 'less']);
  assert.match(saved.out, /^saved as revision 2; 'hearth config apply'/);
  assert.equal((await box.config()).active, 1, 'saved is not applied');
  assert.match((await expecting(0, box, ['diff'])).out, /^--- revision 1\n\+\+\+ revision 2\n[^]*^\+ +max_model_len: 640$/m);
  const { lines } = await jsonOf(box, ['diff', '2', '1']);
  assert.ok(lines.some(({ op, text }) => op === '-' && /max_model_len: 640/.test(text)));

  const applied = await jsonOf(box, ['apply', '--keep']);
  assert.equal(applied.state, 'confirmed');
  assert.equal(applied.revision, 2);
  assert.equal(await lengthServed(box), 640);

  const yaml = (await expecting(0, box, ['export'])).out;
  const json = JSON.parse((await expecting(0, box, ['export', '--format', 'json'])).out);
  assert.equal(json.llm_configs[0].engine_kwargs.max_model_len, 640);
  for (const text of [yaml, JSON.stringify(json)]) {
    const { ok, changes } = await jsonOf(box, ['validate', '-'], text);
    assert.ok(ok, 'what is exported is valid');
    assert.deepEqual(changes.map(({ kind }) => kind), ['same'], 'and says what serves');
  }

  // Without a new engine, and confirmed at once.
  const live = await expecting(0, box, ['set', '--unset', 'llm_configs[0].log_engine_metrics', '--apply']);
  assert.doesNotMatch(live.out, /^start/m);
  assert.match(live.out, /^confirm done/m);
  const restored = await expecting(0, box, ['restore', '1', '--keep']);
  assert.match(restored.out, /^revision 4 is applied\n/);
  assert.equal(await lengthServed(box), 2048);
  assert.match((await expecting(0, box, ['history', '--limit', '1'])).out, /restored revision 1/);
});

test('what is wrong is named where it stands, and changes nothing', async (t) => {
  const box = await startBox(t);
  const wrong = kYaml.replace('max_model_len: 512', 'max_modle_len: 512');
  const file = join(await directory(t), 'models.yaml');
  await writeFile(file, wrong);
  const validated = await expecting(2, box, ['validate', file]);
  assert.match(validated.out, new RegExp(`^${file}:7:5: error: .*max_modle_len.*did you mean 'max_model_len'`, 'm'));
  assert.match(validated.err, /^hearth: the configuration is refused/);
  const applied = await expecting(2, box, ['apply', '-f', '-'], wrong);
  assert.match(applied.out, /:7:5: error: /);
  const set = await expecting(2, box, ['set', 'llm_configs[0].engine_kwargs.max_num_seqs=many']);
  assert.match(set.out, /error: .*max_num_seqs.*many/);

  for (const [code, args, message] of [
    [2, ['set', 'llm_configs[0].log_engine_metrics'], /must be PATH=VALUE/],
    [2, ['set', 'llm_configs[0]..x=1'], /is no path/],
    [2, ['set', 'llm_configs[7].x=1'], /there is no item \[7\]; the list has 1/],
    [3, ['set', '--unset', 'llm_configs[0].lora_config'], /there is no llm_configs\[0\]\.lora_config/],
    [3, ['get', '99'], /no revision 99/],
    [3, ['apply', '99'], /no revision 99/],
    [3, ['restore', '99'], /no revision 99/],
    [3, ['validate', '/nonexistent/models.yaml'], /No such file/],
    [2, ['get', 'newest'], /REVISION/],
    [2, ['restore'], /REVISION/],
    [2, [], /subcommand/],
    [1, ['cancel'], /no apply is running/],
    [1, ['keep'], /no apply is being watched/],
  ]) {
    const { err } = await expecting(code, box, args);
    assert.match(err, message, args.join(' '));
  }
  assert.equal((await box.config()).newest, 1, 'nothing was saved');
  const { code, err } = await hearth({ url: 'http://127.0.0.1:1' }, ['get']);
  assert.equal(code, 4, err);
});

test('an apply that is taken back, cancelled or in the way of another is told by the exit status', async (t) => {
  const box = await startBox(t);
  const nan = join(await directory(t), 'nan');
  await modelOfNaN(nan);
  const failed = await expecting(1, box, ['apply', '-f', '-'], kYaml.replace(kDemoModel, nan));
  assert.match(failed.out, /^probe failed/m);
  assert.match(failed.err, /^hearth: revision 2 was not taken \(probe_failed\): /);
  assert.match((await expecting(0, box, ['history'])).out, /^2 .*returned \(probe_failed\)/m);

  const begun = await jsonOf(box, ['apply', '-f', '-', '--no-wait'], kYaml);
  await applyWhen(box, begun.apply, ({ state }) => state === 'watching');
  const conflict = await expecting(1, box, ['apply', '1']);
  assert.match(conflict.err, new RegExp(`apply ${begun.apply} of revision ${begun.revision} is running`));
  await expecting(0, box, ['cancel']);
  assert.equal((await applyEnded(box, begun.apply)).reason, 'cancelled');
  assert.equal(await lengthServed(box), 2048);

  const kept = await jsonOf(box, ['apply', '3', '--no-wait']);
  await applyWhen(box, kept.apply, ({ state }) => state === 'watching');
  await expecting(0, box, ['keep']);
  assert.equal((await applyEnded(box, kept.apply)).state, 'confirmed');
});

test('two who set at the same time: the one that comes second is told', async (t) => {
  const box = await startBox(t);
  const sets = Array.from({ length: 8 }, (_, i) => hearth(box, ['set', `llm_configs[0].engine_kwargs.max_num_seqs=${i + 2}`]));
  const ended = await Promise.all(sets);
  const saved = ended.filter(({ code }) => code === 0);
  assert.ok(saved.length >= 1);
  for (const { code, err } of ended) {
    if (code !== 0) assert.match(`${code} ${err}`, /^1 hearth: .*revision \d+/);
  }
  assert.equal((await box.config()).newest, 1 + saved.length, 'a refused one saved nothing');
});

test('a pinned box shows its configuration and keeps it', async (t) => {
  const file = join(await directory(t), 'models.yaml');
  await writeFile(file, kYaml);
  const box = await startBox(t, { ownModel: false, env: { HEARTH_MODEL_CONFIG_FILE: file, HEARTH_MODEL_CONFIG_MODE: 'pin' } });
  assert.equal((await expecting(0, box, ['get'])).out, kYaml);
  assert.equal(await lengthServed(box), 512);
  const longer = kYaml.replace('512', '1024');
  assert.match((await expecting(0, box, ['validate'], longer)).out, /would replace 'demo'/);
  for (const [args, input] of [[['set', 'llm_configs[0].engine_kwargs.max_model_len=1024']], [['apply', '1']],
    [['apply', '-f', '-'], longer], [['restore', '1']]]) {
    const { err } = await expecting(1, box, args, input);
    assert.match(err, new RegExp(`pinned to .*${file}.*change that file`), args.join(' '));
  }
  assert.equal((await box.config()).newest, 1);
});
