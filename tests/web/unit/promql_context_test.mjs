// Tokens of PromQL and what can be completed where; "|" in an expression is the cursor.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { completionContext, enclosingCall } from '../../../webui/js/explore/promql_context.js';
import { annotate, bracketsAt, kAggregations, tokenize } from '../../../webui/js/explore/promql_tokens.js';
import { kAggregationWords, kFunctions, signatureOf } from '../../../webui/js/explore/promql_words.js';

const kPromql = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../../storage/promql');

function at(marked) {
  const cursor = marked.indexOf('|');
  assert.ok(cursor >= 0, marked);
  return completionContext(marked.slice(0, cursor) + marked.slice(cursor + 1), cursor);
}

/** Checks the named facts of the context alone. */
function expectAt(marked, wanted) {
  const context = at(marked);
  const seen = Object.fromEntries(Object.keys(wanted).map((key) => [key, context[key]]));
  assert.deepEqual(seen, wanted, marked);
}

const roles = (text) => annotate(text).tokens.filter(({ role }) => role !== 'space').map(({ role, text: word }) => `${role} ${word}`);

test('tokens cover the whole text, whatever it is', () => {
  const texts = ['', 'up', 'sum by (a) (rate(x{b="c",d!~\'e\'}[5m:1m] offset -1h))', '"open', "'open\nnext", '`raw\nraw`', '{{{]])', 'a # comment\nb',
    '$__rate_interval ${x:regex}', '1e3 0x1F .5 5.', 'µ§\\', 'foo{a="\\"}"}', '@ end()'];
  for (const text of texts) {
    assert.equal(tokenize(text).map((token) => token.text).join(''), text);
  }
});

test('words are told apart by where they stand', () => {
  assert.deepEqual(roles('sum by (job) (rate(http:x_total{code=~"5.."}[5m])) > bool 0x10'), ['aggregation sum', 'keyword by', 'bracket (',
    'label job', 'bracket )', 'bracket (', 'function rate', 'bracket (', 'metric http:x_total', 'bracket {', 'label code', 'operator =~',
    'string "5.."', 'bracket }', 'bracket [', 'duration 5m', 'bracket ]', 'bracket )', 'bracket )', 'operator >', 'keyword bool', 'number 0x10']);
  assert.deepEqual(roles('rate + count'), ['metric rate', 'operator +', 'aggregation count'], 'a function without a call is a metric');
  assert.deepEqual(roles('sum{by="on"}'), ['metric sum', 'bracket {', 'label by', 'operator =', 'string "on"', 'bracket }']);
  assert.deepEqual(roles('x[$__range:5m]'), ['metric x', 'bracket [', 'variable $__range', 'operator :', 'duration 5m', 'bracket ]']);
  assert.deepEqual(roles('a # (b'), ['metric a', 'comment # (b']);
});

test('a bracket at the cursor finds its partner, or nobody', () => {
  const { tokens } = annotate('sum(a{b="("}) + (');
  assert.deepEqual(bracketsAt(tokens, 3), [3, 12]);
  assert.deepEqual(bracketsAt(tokens, 13), [12, 3]);
  assert.deepEqual(bracketsAt(tokens, 5), [5, 11], 'a bracket in a string is none');
  assert.deepEqual(bracketsAt(tokens, 17), [16]);
  assert.deepEqual(bracketsAt(tokens, 8), []);
});

test('an expression begins', () => {
  expectAt('|', { kind: 'expression', word: '' });
  expectAt('ra|', { kind: 'expression', word: 'ra', from: 0, to: 2 });
  expectAt('rate(vllm:re|', { kind: 'expression', word: 'vllm:re', from: 5, call: 'rate', argument: 0 });
  expectAt('rate(vllm:re|quests[5m])', { kind: 'expression', word: 'vllm:re', to: 12 });
  expectAt('histogram_quantile(0.9, |', { kind: 'expression', call: 'histogram_quantile', argument: 1 });
  expectAt('sum by (le) (|', { kind: 'expression', call: 'sum' });
  expectAt('foo / |', { kind: 'expression', binary: true, comparison: false });
  expectAt('foo >= |', { kind: 'expression', binary: true, comparison: true });
  expectAt('foo and |', { kind: 'expression', binary: true });
  expectAt('topk(5, |', { kind: 'expression', binary: false });
});

test('after an operand come operators, after an aggregation its grouping', () => {
  expectAt('foo |', { kind: 'operator', afterCall: false });
  expectAt('foo{a="b"} |', { kind: 'operator', afterCall: false });
  expectAt('foo[5m] of|', { kind: 'operator', word: 'of' });
  expectAt('sum(foo) b|', { kind: 'operator', word: 'b', afterCall: true });
  expectAt('5 |', { kind: 'operator' });
  expectAt('sum |', { kind: 'grouping', word: '' });
  expectAt('sum wi|', { kind: 'grouping', word: 'wi' });
});

test('labels inside braces, without those that are there', () => {
  expectAt('foo{|', { kind: 'label', metrics: ['foo'], matchers: [], word: '' });
  expectAt('foo{mo|}', { kind: 'label', metrics: ['foo'], word: 'mo', from: 4 });
  expectAt('{|}', { kind: 'label', metrics: [] });
  expectAt('foo{a="b", |, c=~"d"}', {
    kind: 'label', matchers: [{ label: 'a', text: 'a="b"' }, { label: 'c', text: 'c=~"d"' }] });
  expectAt('foo{a |', { kind: 'matchOperator' });
  expectAt('rate(foo{a="b"}[5m]) / bar{|', { kind: 'label', metrics: ['bar'], matchers: [] });
});

test('values inside a matcher, whatever the quotes', () => {
  expectAt('foo{a="|', { kind: 'value', label: 'a', quote: '"', word: '', metric: 'foo', operator: '=' });
  expectAt('foo{a="x y|"}', { kind: 'value', word: 'x y', from: 7, to: 10 });
  expectAt("foo{a=~'x|'}", { kind: 'value', quote: "'", operator: '=~', word: 'x' });
  expectAt('foo{a=`|`}', { kind: 'value', quote: '`' });
  expectAt('foo{a=|}', { kind: 'value', quote: '', label: 'a' });
  expectAt('foo{a="\\"|', { kind: 'value', word: '\\"' });
  expectAt('{__name__="|', { kind: 'value', label: '__name__', metric: '' });
  expectAt('foo{z="1", a="x|", b="c"} / sum(bar{d="e"})', {
    kind: 'value', metric: 'foo', matchers: [{ label: 'z', text: 'z="1"' }, { label: 'b', text: 'b="c"' }] });
  expectAt('foo{a="x", a="|"}', { kind: 'value', matchers: [] });
});

test('labels of a grouping come from what is grouped', () => {
  expectAt('sum by (|) (rate(foo[5m])) / bar', { kind: 'label', metrics: ['foo'], matchers: [] });
  expectAt('sum by (|', { kind: 'label', metrics: [] });
  expectAt('sum(rate(foo[5m])) by (a, |)', { kind: 'label', metrics: ['foo'] });
  expectAt('bar + sum(foo) without (in|', { kind: 'label', metrics: ['foo'], word: 'in' });
  expectAt('foo / on (|) bar', { kind: 'label', metrics: ['foo', 'bar'] });
  expectAt('foo * on (a) group_left (|) bar', { kind: 'label', metrics: ['foo', 'bar'] });
});

test('durations in brackets and after offset', () => {
  expectAt('foo[|', { kind: 'duration', word: '' });
  expectAt('foo[5|]', { kind: 'duration', word: '5', from: 4 });
  expectAt('foo[5m|]', { kind: 'duration', word: '5m' });
  expectAt('foo[1h:|]', { kind: 'duration', word: '' });
  expectAt('foo[$__r|', { kind: 'duration', word: '$__r', from: 4 });
  expectAt('foo offset |', { kind: 'duration' });
  expectAt('foo offset 5|', { kind: 'duration', word: '5' });
});

test('nothing in comments, numbers, and strings that name nothing', () => {
  for (const marked of ['a # c|', '5|', '1e|', '"|', 'label_replace(foo, "a", "$1|', 'foo{a="b"|', 'foo{a="b" |', 'sum(5|)']) {
    assert.equal(at(marked).kind, 'none', marked);
  }
});

test('labels are the arguments of some functions', () => {
  expectAt('label_replace(foo, "|', { kind: 'label', quote: '"', metrics: ['foo'] });
  expectAt('label_join(foo, "x", ",", "a|"', { kind: 'label', word: 'a' });
  expectAt('count_values("|', { kind: 'label', quote: '"' });
});

test('the call around the cursor, for its signature', () => {
  const call = (marked) => enclosingCall(marked.replace('|', ''), marked.indexOf('|'));
  assert.deepEqual(call('rate(foo[|5m])'), { name: 'rate', argument: 0 });
  assert.deepEqual(call('histogram_quantile(0.9, sum(x) |)'), { name: 'histogram_quantile', argument: 1 });
  assert.deepEqual(call('sum by (a) (x|'), { name: 'sum', argument: 0 });
  assert.equal(call('rate(x)|'), null);
  assert.equal(call('(x|)'), null);
  assert.deepEqual(signatureOf('clamp').arguments, ['instant-vector', 'min', 'max']);
  assert.equal(signatureOf('nothing'), null);
});

test('the functions offered are those that the box evaluates', () => {
  const source = readFileSync(join(kPromql, 'functions.cc'), 'utf8');
  const table = source.slice(source.indexOf('MakeTable'), source.indexOf('std::sort'));
  const known = [...table.matchAll(/(?:\{|Range\(|Map\(|Date\()"(\w+)"/g)].map(([, name]) => name);
  assert.ok(known.length > 50, 'the scan finds the functions');
  assert.deepEqual(kFunctions.map(([name]) => name), known.sort());
  const lexer = readFileSync(join(kPromql, 'lexer.cc'), 'utf8');
  const aggregators = [...lexer.matchAll(/\{"(\w+)", TokenKind::kAggregator\}/g)].map(([, name]) => name);
  assert.deepEqual(new Set(kAggregationWords.map(([name]) => name)), new Set(aggregators));
  assert.deepEqual(kAggregations, new Set(aggregators));
});
