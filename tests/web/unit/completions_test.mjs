// What the popup offers and how accepting changes the text; "|" is the cursor.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, choose, completionsFor, fit, opensByItself } from '../../../webui/js/explore/completions.js';
import { pairedEdit } from '../../../webui/js/explore/editing.js';
import { completionContext } from '../../../webui/js/explore/promql_context.js';
import { describeMetrics, selectorOf } from '../../../webui/js/explore/series_index.js';

const kKnown = {
  metrics: [
    { name: 'hearth_requests_in_flight', type: 'gauge', help: 'Requests now' },
    { name: 'vllm:num_requests_running', type: 'gauge', help: '' },
    { name: 'vllm:request_success_total', type: 'counter', help: 'Finished' },
  ],
  labels: ['__name__', 'engine', 'model_name', 'mode'],
  values: ['a.b', 'demo', 'say "hi"'],
};

function complete(marked) {
  const cursor = marked.indexOf('|');
  const text = marked.replace('|', '');
  const context = completionContext(text, cursor);
  return { text, context, items: completionsFor(context, kKnown) };
}

const texts = (marked) => complete(marked).items.map(({ text }) => text);

/** The text after accepting the item called `name`, with the cursor as "|". */
function accepted(marked, name) {
  const { text, context, items } = complete(marked);
  const item = items.find((one) => one.text === name);
  assert.ok(item, `${marked} offers ${items.map((one) => one.text)}`);
  const { from, to, insert, cursor } = accept(text, context, item);
  const result = text.slice(0, from) + insert + text.slice(to);
  return `${result.slice(0, cursor)}|${result.slice(cursor)}`;
}

test('a prefix fits better than a part, a part better than letters in order', () => {
  const ranks = ['rate', 'rates', 'vllm:rate_x', 'irate', 'r_a_t_e'].map((text) => fit(text, 'rate'));
  assert.deepEqual(ranks, [...ranks].sort((a, b) => a - b));
  assert.equal(new Set(ranks).size, ranks.length);
  assert.equal(fit('up', 'rate'), null);
  assert.equal(fit('anything', ''), 0);
  assert.deepEqual(choose([{ text: 'xab' }, { text: 'ab' }, { text: 'cd' }], 'ab').map(({ text }) => text), ['ab', 'xab']);
});

test('metrics, functions and aggregations where an expression begins', () => {
  assert.deepEqual(texts('requests|').slice(0, 2), ['hearth_requests_in_flight', 'vllm:num_requests_running']);
  assert.equal(texts('sum|')[0], 'sum');
  assert.ok(texts('hist|').includes('histogram_quantile'));
  assert.deepEqual(texts('ra|').slice(0, 2), ['rate', 'rad'], 'what is usual comes first');
  assert.ok(!texts('by|').includes('by'));
  assert.equal(texts('rate(|')[0], 'vllm:request_success_total', 'rate() wants a counter');
  assert.equal(texts('a / |').includes('on'), true);
  assert.equal(texts('a > b|').includes('bool'), true);
  assert.equal(texts('a + b|').includes('bool'), false);
});

test('what a word needs comes along, what is there is not doubled', () => {
  assert.equal(accepted('ra|', 'rate'), 'rate(|)');
  assert.equal(accepted('(ra|)', 'rate'), '(rate(|))');
  assert.equal(accepted('ra|x', 'rate'), 'rate(|x');
  assert.equal(accepted('ra|(x[5m])', 'rate'), 'rate|(x[5m])');
  assert.equal(accepted('ti|', 'time'), 'time()|');
  assert.equal(accepted('sum b|', 'by'), 'sum by (|)');
  assert.equal(accepted('foo{mo|}', 'model_name'), 'foo{model_name|}');
  assert.equal(accepted('foo{mode |', '=~'), 'foo{mode =~"|"');
  assert.equal(accepted('foo{mode |"}', '='), 'foo{mode ="|"}');
  assert.equal(accepted('foo{a="d|"}', 'demo'), 'foo{a="demo"|}');
  assert.equal(accepted('foo{a="d|', 'demo'), 'foo{a="demo"|');
  assert.equal(accepted('foo{a=|}', 'demo'), 'foo{a="demo"|}');
  assert.equal(accepted('foo{a="|"}', 'say "hi"'), 'foo{a="say \\"hi\\""|}');
  assert.equal(accepted('foo[5|]', '5m'), 'foo[5m|]');
});

test('in a regular expression the alternative being typed is completed, and escaped', () => {
  const context = completionContext('foo{a=~"demo|a', 14);
  const item = completionsFor(context, kKnown).find(({ text }) => text === 'a.b');
  const { from, to, insert } = accept('foo{a=~"demo|a', context, item);
  assert.equal('foo{a=~"demo|a'.slice(0, from) + insert + 'foo{a=~"demo|a'.slice(to), 'foo{a=~"demo|a\\\\.b"');
});

test('labels that are used already are not offered again', () => {
  assert.deepEqual(texts('foo{|}'), ['engine', 'model_name', 'mode']);
  assert.deepEqual(texts('foo{mode="x", |}'), ['engine', 'model_name']);
});

test('typing opens the popup where it helps, not after every blank', () => {
  const opens = (marked) => opensByItself(complete(marked).context);
  for (const marked of ['r|', 'foo{|', 'foo{a="|', 'sum by (|', 'foo[|', 'sum b|']) assert.equal(opens(marked), true, marked);
  for (const marked of ['|', 'foo |', 'rate(|', '5|', 'sum |']) assert.equal(opens(marked), false, marked);
});

test('brackets and quotes close themselves', () => {
  const press = (marked, key) => {
    const start = marked.indexOf('|');
    const text = marked.replace('|', '');
    const edit = pairedEdit(text, start, start, key);
    if (!edit) return null;
    const result = text.slice(0, edit.from) + edit.insert + text.slice(edit.to);
    return `${result.slice(0, edit.cursor)}|${result.slice(edit.cursor)}`;
  };
  assert.equal(press('rate|', '('), 'rate(|)');
  assert.equal(press('rate|foo', '('), null, 'not before a word');
  assert.equal(press('rate(|)', ')'), 'rate()|');
  assert.equal(press('foo{a=|}', '"'), 'foo{a="|"}');
  assert.equal(press('foo{a="x|"}', '"'), 'foo{a="x"|}');
  assert.equal(press('foo{a="x|', '"'), null, 'closes the open one');
  assert.equal(press('foo{|}', 'Backspace'), 'foo|');
  assert.equal(press('foo{|a}', 'Backspace'), null);
  assert.deepEqual(pairedEdit('a+b', 0, 3, '('), { from: 0, to: 3, insert: '(a+b)', cursor: 5 });
});

test('metrics are described by their metadata, parts of histograms by the whole', () => {
  const metadata = { h: [{ type: 'histogram', help: 'H' }], c_total: [{ type: 'counter', help: 'C' }] };
  assert.deepEqual(describeMetrics(['h_bucket', 'c_total', 'x'], metadata), [
    { name: 'h_bucket', type: 'histogram', help: 'H' }, { name: 'c_total', type: 'counter', help: 'C' }, { name: 'x', type: '', help: '' }]);
  assert.equal(selectorOf('m', [{ text: 'a="b"' }]), 'm{a="b"}');
  assert.equal(selectorOf('', []), null);
});
