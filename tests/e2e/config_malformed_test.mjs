// Configurations that are wrong in one place each, several hundred of them: each is refused with a
// message that names the path and the value, and what serves stays as it is.
//   HEARTH_SEED=n   the same ones again

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Appliance, kDemoModel } from './appliance.mjs';
import { auditOf } from './applies.mjs';

const valid = () => ({ applications: [{ name: 'llm_app', route_prefix: '/', import_path: 'ray.serve.llm:build_openai_app',
  args: { llm_configs: [{
    model_loading_config: { model_id: 'demo', model_source: kDemoModel },
    engine_kwargs: { max_model_len: 1024, max_num_seqs: 8, dtype: 'auto', enable_prefix_caching: true },
    deployment_config: { max_ongoing_requests: 16, autoscaling_config: { min_replicas: 1, max_replicas: 1 } },
    experimental_configs: { slo_ttft_ms: 500 },
    log_engine_metrics: true,
  }] } }] });

const kModel = ['applications', 0, 'args', 'llm_configs', 0];

/** What a field of the schema does not take. */
function wrongValues({ type, min, max, choices, effect, fields }) {
  if (effect === 'refused') return [1, 'x', { a: 1 }];
  const beyond = [min !== undefined && min - 1, max !== undefined && max + 1].filter((value) => value !== false);
  const wrong = {
    boolean: ['maybe', 2, 'yes', [], { a: 1 }],
    integer: ['many', 1.5, true, '8', [], { a: 1 }, ...beyond],
    number: ['many', true, [], { a: 1 }, ...beyond],
    string: [3.5, true, [], { a: 1 }],
    choice: ['none of them', 7, []],
    object: [7, 'a map', [1], true, ...(fields ? [{ no_such_field: 1 }] : [])],
    map: [7, 'a map', [1]],
    list: [7, { a: 1 }],
  };
  return choices ? wrong.choice : wrong[type] ?? [];
}

/** [{path, value}] of all fields below `path`. */
function wrongFields(fields, path) {
  return fields.flatMap((field) => {
    const here = [...path, field.name];
    const inner = field.effect !== 'refused' && field.fields ? wrongFields(field.fields, here) : [];
    return [...wrongValues(field).map((value) => ({ path: here, value })), ...inner];
  });
}

const nameOf = (path) => path.reduce((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${key}` : key), '');

/** [{document, path, value}]: one thing is wrong in each. */
function malformed(schema) {
  const misspelt = ['max_model_length', 'Log_engine_metrics', '0', 'trust remote code'].map((name) => ({ path: [...kModel, name], value: 1 }));
  const wrong = [...misspelt, ...wrongFields(schema.fields, kModel), ...wrongFields(schema.application, ['applications', 0])];
  return wrong.map(({ path, value }) => {
    const document = valid();
    const inner = path.slice(0, -1).reduce((at, key) => (at[key] ??= {}), document);
    inner[path.at(-1)] = value;
    return { document, path: nameOf(path), value };
  });
}

/** In the text, in the order of the seed: as JSON, or broken JSON, or bytes taken out. */
function broken(seed) {
  const text = JSON.stringify(valid(), null, 1);
  let state = seed;
  const random = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  return Array.from({ length: 200 }, () => {
    const at = 1 + random(text.length - 2);
    return ['{', ']', '"', '\t: &'].map((mark) => text.slice(0, at) + mark + text.slice(at + 1))[random(4)];
  });
}

test('what is wrong is refused by path and value, and touches nothing', { timeout: 240000 }, async (t) => {
  const box = await Appliance.start();
  t.after(() => box.stop());
  const before = await box.config();
  const { engine_pid: pid } = (await box.status()).models[0];
  const refuse = async (document) => {
    const response = await box.post('/api/config/apply', { document, expected: before.newest });
    const body = await response.json();
    assert.equal(response.status, 400, `${document}\n${JSON.stringify(body)}`);
    assert.ok(body.problems.length > 0 && body.problems.every(({ message }) => /\S/.test(message)), document);
    return body.problems.filter(({ severity }) => severity === 'error');
  };
  const schema = await (await fetch(`${box.url}/api/config/schema`)).json();
  let refused = 0;
  for (const { document, path, value } of malformed(schema)) {
    const errors = await refuse(JSON.stringify(document));
    ++refused;
    const named = errors.find((problem) => problem.path.startsWith(path) || path.startsWith(problem.path));
    assert.ok(named, `${path} = ${JSON.stringify(value)}: ${JSON.stringify(errors)}`);
    assert.ok(named.message.includes(named.path), named.message);
  }
  assert.ok(refused >= 300, `${refused} were refused`);
  const seed = Number(process.env.HEARTH_SEED ?? Date.now() % 1e6);
  let unreadable = 0;
  for (const text of broken(seed)) {
    const seen = await (await box.post('/api/config/validate', { document: text })).json();
    if (seen.ok) continue;  // a mark inside a text may change nothing that is wrong
    await refuse(text);
    ++unreadable;
  }
  const after = await box.config();
  assert.deepEqual([after.active, after.newest], [before.active, before.newest]);
  assert.equal((await box.status()).models[0].engine_pid, pid);
  assert.deepEqual((await auditOf(box)).map(({ action }) => action), ['seeded'], 'nothing was begun');
  assert.match((await box.ask('What is TTFT?')).choices[0].message.content, /time to first token/i);
  t.diagnostic(`${refused} wrong values and ${unreadable} broken texts refused (HEARTH_SEED=${seed})`);
});
