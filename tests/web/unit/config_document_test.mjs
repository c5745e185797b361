// A configuration's text edited by a form: few letters change, comments stay, and what reads out is
// what was meant.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { withIndentedItems } from '../../../webui/js/config/repair.js';
import { ConfigDocument, getIn, pathText } from '../../../webui/js/config/config_document.js';

const yaml = createRequire(new URL('../../../webui/js/', import.meta.url))('yaml');
const read = (text) => new ConfigDocument(yaml, text);

// As people write it: deep indentation, comments everywhere, a blank line.
const kText = `# mine
applications:
- args:
    llm_configs:
        - model_loading_config:
            model_id: qwen-0.5b   # the name
            model_source: Qwen/Qwen2.5-0.5B-Instruct
          accelerator_type: A10G

          deployment_config:
            autoscaling_config:
                min_replicas: 1
                max_replicas: 2 # two
          # at the end
          log_engine_metrics: false  # Disable
  import_path: ray.serve.llm:build_openai_app
  name: llm_app
  route_prefix: "/"
`;
const kModel = ['applications', 0, 'args', 'llm_configs', 0];

/** The lines that differ: "-old" and "+new", in order of the texts. */
function changedLines(before, after) {
  const [left, right] = [before.split('\n'), after.split('\n')];
  return [...left.filter((line) => !right.includes(line)).map((line) => `-${line}`), ...right.filter((line) => !left.includes(line)).map((line) => `+${line}`)];
}

test('ConfigDocument: a value is replaced where it stands', () => {
  const after = read(kText).set([...kModel, 'deployment_config', 'autoscaling_config', 'max_replicas'], 3);
  assert.deepEqual(changedLines(kText, after), ['-                max_replicas: 2 # two', '+                max_replicas: 3 # two']);
});

test('ConfigDocument: a new field comes below the others of its map, indented as they are', () => {
  const after = read(kText).set([...kModel, 'engine_kwargs', 'max_num_seqs'], 8);
  assert.deepEqual(changedLines(kText, after), ['+          engine_kwargs:', '+            max_num_seqs: 8']);
  assert.equal(getIn(read(after).json, [...kModel, 'engine_kwargs', 'max_num_seqs']), 8);
});

test('ConfigDocument: a field that is taken out takes its line along, and a map that becomes empty', () => {
  const without = read(kText).set([...kModel, 'accelerator_type'], undefined);
  assert.deepEqual(changedLines(kText, without), ['-          accelerator_type: A10G']);
  const one = read(kText).set([...kModel, 'deployment_config', 'autoscaling_config', 'min_replicas'], undefined);
  const none = read(one).set([...kModel, 'deployment_config', 'autoscaling_config', 'max_replicas'], undefined);
  assert.equal(getIn(read(none).json, [...kModel, 'deployment_config']), undefined);
  assert.match(none, /# at the end/);
});

test('ConfigDocument: models come and go', () => {
  const two = read(kText).addModel({ model_loading_config: { model_id: 'b' } });
  assert.deepEqual(read(two).models().map(({ json }) => json.model_loading_config.model_id), ['qwen-0.5b', 'b']);
  assert.equal(changedLines(kText, two).filter((line) => line.startsWith('-')).length, 0);
  const [first, second] = read(two).models();
  assert.equal(read(two).removeModel(second.path), kText);
  assert.deepEqual(read(read(two).removeModel(first.path)).models().map(({ json }) => json.model_loading_config.model_id), ['b']);
  assert.deepEqual(read(read(kText).removeModel(kModel)).models(), []);
});

test('ConfigDocument: every form Ray takes is read', () => {
  const model = 'model_loading_config: {model_id: a}';
  for (const [text, path] of [[`llm_configs:\n- ${model}\n`, 'llm_configs[0]'], [`- ${model}\n`, '[0]'], [`${model}\n`, ''],
    [`{"llm_configs": [{"model_loading_config": {"model_id": "a"}}]}`, 'llm_configs[0]'], [kText, 'applications[0].args.llm_configs[0]']]) {
    assert.deepEqual(read(text).models().map((one) => pathText(one.path)), [path], text);
  }
  assert.equal(read(`${model}\n`).canAddModel, false, 'one LLMConfig is no list');
  assert.deepEqual(read(read('').addModel({ a: 1 })).json, { llm_configs: [{ a: 1 }] });
  assert.deepEqual(read(read('llm_configs: []\n').addModel({ a: 1 })).json, { llm_configs: [{ a: 1 }] });
});

test('ConfigDocument: JSON stays JSON', () => {
  const text = '{"model_loading_config": {"model_id": "a"},\n "engine_kwargs": {"max_num_seqs": 4}}';
  assert.equal(read(text).set(['engine_kwargs', 'max_num_seqs'], 8), text.replace('4', '8'));
  const added = read(text).set(['engine_kwargs', 'dtype'], 'bfloat16');
  assert.equal(JSON.parse(added).engine_kwargs.dtype, 'bfloat16');
});

test('ConfigDocument: words that YAML would read as something else are quoted', () => {
  for (const value of ['true', '8', 'null', 'a: b', '# no', '', ' x ', 'two\nlines', '*a', '0x10']) {
    const after = read(kText).set([...kModel, 'model_loading_config', 'model_id'], value);
    assert.equal(getIn(read(after).json, [...kModel, 'model_loading_config', 'model_id']), value);
  }
});

test('ConfigDocument: an edit of any text reads back as what was meant', () => {
  // A generator of its own, so that a failure comes again: every shape a person may have written.
  let seed = 20261123;
  const random = (count) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * count);
  };
  const scalar = () => [1, 2.5, true, 'word', 'two words', null, 'x # y', '"q"'][random(8)];
  const map = (depth) => Object.fromEntries(Array.from({ length: 1 + random(4) }, (_, index) => [`k${index}`, depth > 0 && random(2) ? map(depth - 1) : scalar()]));
  for (let turn = 0; turn < 400; turn++) {
    const json = { llm_configs: Array.from({ length: 1 + random(2) }, () => map(2)) };
    const written = yaml.stringify(json, { indent: 2 + random(3), flowCollectionPadding: random(2) === 0, collectionStyle: random(5) === 0 ? 'flow' : 'any', indentSeq: random(2) === 0 });
    const text = written.split('\n').map((line) => (line && random(4) === 0 && !/["'{[]/.test(line) ? `${line}  # note` : line)).join('\n');
    const path = ['llm_configs', random(json.llm_configs.length), ...['k0', 'k1', 'new'].slice(random(3)).slice(0, 1 + random(2))];
    const value = random(4) === 0 ? undefined : scalar();
    const before = read(text);
    const after = read(before.set(path, value));
    const found = getIn(after.json, path);
    assert.equal(after.problem, null, `${text}\n${path} = ${value}`);
    assert.deepEqual(found, value, `${text}\n${path} = ${value}\n${after.text}`);
  }
});

test('ConfigDocument: a key gets the name that was meant', () => {
  const text = kText.replace('accelerator_type', 'acelerator_type');
  assert.equal(read(text).renameKey([...kModel, 'acelerator_type'], 'accelerator_type'), kText);
  assert.equal(read('{"a": 1}').renameKey(['a'], 'b'), '{"b": 1}');
  assert.equal(read(kText).renameKey([...kModel, 'none'], 'some'), null);
});

test('ConfigDocument: a text that cannot be read says why', () => {
  assert.match(read('a: [1, 2').problem, /\w/);
  assert.match(read('a: 1\na: 2\n').problem, /unique/);
  assert.deepEqual(read('a: [1').models(), []);
});

test('repair: the fields below a dash move beside its first one, as Ray\'s documentation means them', () => {
  const text = `applications:
- args:
    llm_configs:
        - model_loading_config:
            model_id: a
        # a note
        accelerator_type: A10G
        deployment_config:
            num_replicas: 1
        - model_loading_config:
            model_id: b
        accelerator_type: L4
  name: llm_app
`;
  const reads = (one) => read(one).problem === null;
  assert.ok(!reads(text));
  assert.deepEqual(read(withIndentedItems(text, reads)).json, { applications: [{ args: { llm_configs: [
    { model_loading_config: { model_id: 'a' }, accelerator_type: 'A10G', deployment_config: { num_replicas: 1 } },
    { model_loading_config: { model_id: 'b' }, accelerator_type: 'L4' }] }, name: 'llm_app' }] });
  assert.equal(withIndentedItems('a: [1, 2', reads), null, 'another mistake is no business of it');
  assert.equal(withIndentedItems(kText, reads), null);
});
