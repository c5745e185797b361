// What the configuration page makes of the box's answers, without a browser.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { defaultText, leavesOf, textOf, valueOf } from '../../../webui/js/config/form_values.js';
import { foldRows, sideBySide } from '../../../webui/js/config/diff_view.js';
import { barParts } from '../../../webui/js/config/fit_bar.js';
import { isWithin, problemsByField } from '../../../webui/js/config/problem_list.js';
import { lineTokens } from '../../../webui/js/config/yaml_tokens.js';

const yaml = createRequire(new URL('../../../webui/js/', import.meta.url))('yaml');

test('form: a text becomes a value of its field, and a wrong one stays for the box to judge', () => {
  const integer = { type: 'integer' };
  assert.equal(valueOf(' 8 ', integer, yaml), 8);
  assert.equal(valueOf('', integer, yaml), undefined);
  assert.equal(valueOf('eight', integer, yaml), 'eight');
  assert.equal(valueOf('1.5', integer, yaml), 1.5);
  assert.equal(valueOf('1e3', { type: 'number' }, yaml), 1000);
  assert.equal(valueOf('false', { type: 'boolean' }, yaml), false);
  assert.equal(valueOf('8', { type: 'string' }, yaml), '8');
  assert.deepEqual(valueOf('a: [1, 2]', { type: 'any' }, yaml), { a: [1, 2] });
  assert.equal(valueOf('a: [1, 2', { type: 'any' }, yaml), 'a: [1, 2');
});

test('form: a value shows as text that means it again', () => {
  for (const [type, value] of [['integer', 8], ['number', 2.5], ['boolean', false], ['string', 'A10G'], ['any', { a: [1, 'b'] }], ['any', 3], ['list', ['x']]]) {
    assert.deepEqual(valueOf(textOf(value, yaml), { type }, yaml), value);
  }
  assert.equal(textOf(undefined, yaml), '');
});

test('form: fields of objects are found at their path, inert objects as a whole', () => {
  const honoured = { effect: 'honoured' };
  const fields = [
    { name: 'engine_kwargs', type: 'object', ...honoured, fields: [{ name: 'max_num_seqs', type: 'integer', ...honoured }] },
    { name: 'lora_config', type: 'object', effect: 'inert', fields: [{ name: 'path', type: 'string', ...honoured }] },
  ];
  assert.deepEqual(leavesOf(fields).map(({ keys }) => keys.join('.')), ['engine_kwargs.max_num_seqs', 'lora_config']);
  assert.equal(defaultText({ default: 30, unit: 's' }, yaml), '30 s');
  assert.equal(defaultText({ default: 0, default_text: "the model's own" }, yaml), "the model's own");
});

test('problems: each goes to the field it is about, the rest to the model', () => {
  const paths = ['m.a', 'm.a.b', 'm.list'];
  const at = (path) => ({ path });
  const found = problemsByField([at('m.a.b'), at('m.a'), at('m.list[0].x'), at('m.unknown'), at('m.ab')], paths);
  assert.deepEqual(found.get('m.a.b'), [at('m.a.b')]);
  assert.deepEqual(found.get('m.a'), [at('m.a')]);
  assert.deepEqual(found.get('m.list'), [at('m.list[0].x')]);
  assert.deepEqual(found.get(null), [at('m.unknown'), at('m.ab')]);
  assert.ok(isWithin('llm_configs[0].x', 'llm_configs[0]'));
  assert.ok(!isWithin('llm_configs[10].x', 'llm_configs[1]'));
});

test('diff: what was removed stands beside what was added', () => {
  const line = (op, left, right, text) => ({ op, left, right, text });
  const rows = sideBySide([line(' ', 1, 1, 'a'), line('-', 2, null, 'b'), line('-', 3, null, 'c'), line('+', null, 2, 'B'), line(' ', 4, 3, 'd')]);
  assert.deepEqual(rows.map(({ left, right }) => [left?.text, right?.text]), [['a', 'a'], ['b', 'B'], ['c', undefined], ['d', 'd']]);
  assert.deepEqual(rows.map(({ changed }) => changed), [false, true, true, false]);
});

test('diff: what is far from a difference is folded, and no line is lost', () => {
  const rows = Array.from({ length: 40 }, (_, index) => ({ changed: index === 20, index }));
  const folded = foldRows(rows);
  assert.deepEqual(folded.map(({ skipped, index }) => skipped ?? `#${index}`),
    [17, '#17', '#18', '#19', '#20', '#21', '#22', '#23', 16]);
  for (let changed = 0; changed < 12; changed++) {
    const some = Array.from({ length: 12 }, (_, index) => ({ changed: index === changed || index === 9, index }));
    assert.equal(foldRows(some).reduce((sum, { skipped }) => sum + (skipped ?? 1), 0), 12);
  }
});

test('fit: the bar is as long as the memory, or as what is needed where that is more', () => {
  const segment = (bytes, state) => ({ model_name: 'a', kind: 'weights', bytes, state });
  const fit = { bytes_total: 100, bytes_limit: 0, fits_together: true, segments: [segment(20, 'goes'), segment(30, 'starts'), segment(0, 'runs'), { ...segment(10, 'runs'), kind: 'other' }] };
  const bar = barParts(fit);
  assert.deepEqual(bar.parts.map(({ share }) => share), [0.2, 0.3, 0.1]);
  assert.ok(Math.abs(bar.freeShare - 0.4) < 1e-9);
  assert.deepEqual(barParts({ ...fit, fits_together: false }).parts.map(({ share }) => share), [0.3, 0.1], 'what goes first takes no room');
  const limited = barParts({ ...fit, bytes_limit: 80 });
  assert.deepEqual([limited.scale, limited.limitShare, limited.isLimited], [80, null, true], 'what the models may take is the bar, and others are not in it');
  assert.deepEqual(limited.parts.map(({ share }) => share), [0.25, 0.375]);
  const over = barParts({ ...fit, bytes_limit: 40 });
  assert.deepEqual([over.scale, over.limitShare], [50, 0.8], 'the limit is a mark where more is needed');
  const full = barParts({ ...fit, bytes_limit: 0, segments: [segment(150, 'starts'), segment(50, 'runs')] });
  assert.deepEqual([full.scale, full.limitShare, full.freeShare], [200, null, 0]);
});

test('text: the coloured pieces of a line are the line', () => {
  const role = (line, text) => lineTokens(line).find((token) => token.text === text)?.role;
  for (const line of ['  - model_id: a # name', '{"a": [1, true, "x#y"]}', "k: 'it''s'", '"open', 'a: http://b#c', '', '\t\u2028é: "ü"', ': : - -', '&a *b !t |', 'x: "a" b']) {
    assert.equal(lineTokens(line).map(({ text }) => text).join(''), line);
  }
  assert.equal(role('  model_id: demo # name', 'model_id'), 'label');
  assert.equal(role('  model_id: demo # name', 'demo'), 'string');
  assert.equal(role('  model_id: demo # name', '# name'), 'comment');
  assert.equal(role('n: 1e3', '1e3'), 'number');
  assert.equal(role('b: true', 'true'), 'keyword');
  assert.equal(role('{"k": 1}', '"k"'), 'label');
});
