// The box's query API beside Debian's prometheus: the same requests to both, good and bad; status,
// error type and error text, and the whole answer where it depends on no data, must be the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Appliance } from './appliance.mjs';
import { startPrometheus } from './prometheus.mjs';

const kTimeS = 1700000000;
const kRange = { start: kTimeS, end: kTimeS + 60, step: 15 };
const kDeep = `${'('.repeat(90)}1${')'.repeat(90)}`;

// [path, parameters]; compared in every field.
const kRequests = [
  // Values of every type.
  ['query', { query: '1+1', time: kTimeS }],
  ['query', { query: '"a string \\"quoted\\""', time: kTimeS }],
  ['query', { query: 'vector(1.5)', time: kTimeS }],
  ['query', { query: 'vector(1)[5m:1m]', time: kTimeS }],
  ['query', { query: 'time()', time: kTimeS + 0.125 }],
  ['query', { query: '-Inf', time: '2023-11-14T22:13:20Z' }],
  ['query', { query: 'NaN', time: '2023-11-14T23:13:20+01:00' }],
  ['query', { query: '1e-7', time: kTimeS }],
  ['query', { query: 'vector(1e-7)', time: kTimeS }],
  ['query', { query: 'vector(1e21)', time: kTimeS }],
  ['query', { query: 'vector(Inf)', time: kTimeS }],
  ['query', { query: '123456789012345678901234567890', time: kTimeS }],
  ['query', { query: '0.1 + 0.2', time: kTimeS }],
  ['query', { query: 'absent(nothing{job="a",instance=~".+"})', time: kTimeS }],
  ['query', { query: 'nothing', time: kTimeS }],
  ['query', { query: 'nothing[5m]', time: kTimeS }],
  ['query', { query: 'sum by (a) (nothing)', time: kTimeS }],
  ['query', { query: 'label_replace(vector(1), "a", "$1-x", "b", "(.*)")', time: kTimeS }],
  ['query', { query: 'sort_desc(vector(1) or label_replace(vector(2), "a", "b", "", ""))', time: kTimeS }],
  ['query', { query: 'hour() + minute() / 60', time: kTimeS }],
  ['query', { query: kDeep, time: kTimeS }],
  ['query', { query: '1', time: kTimeS, timeout: '10s', lookback_delta: '1m' }],
  ['query_range', { query: 'time()', ...kRange }],
  ['query_range', { query: 'vector(time()) > 1700000020', ...kRange }],
  ['query_range', { query: '1', ...kRange, step: '1m' }],
  ['query_range', { query: '1', ...kRange, step: '0.5' }],
  ['query_range', { query: '1', start: kTimeS, end: kTimeS, step: 1 }],
  ['query_range', { query: '1', start: kTimeS, end: kTimeS + 11000, step: 1 }],
  ['query_range', { query: 'nothing', ...kRange }],
  ['query_exemplars', { query: 'nothing', start: kTimeS, end: kTimeS + 60 }],
  ['series', { 'match[]': 'nothing' }],
  ['labels', { 'match[]': 'nothing' }],
  ['label/job/values', { 'match[]': 'nothing' }],
  ['label/nothing/values', {}],
  ['metadata', { metric: 'nothing' }],
  ['rules', { type: 'alert', 'rule_name[]': 'nothing' }],
  ['alerts', {}],
  ['alertmanagers', {}],
  ['targets/metadata', { metric: 'nothing' }],
  ['format_query', { query: 'sum(rate(x[5m]))by(a)' }],
  ['format_query', { query: 'foo/on(a,b)group_left(c)bar{x="y"} offset 5m' }],
  // The language's errors.
  ['query', { query: '', time: kTimeS }],
  ['query', { query: 'sum(', time: kTimeS }],
  ['query', { query: 'up{', time: kTimeS }],
  ['query', { query: 'up{a}', time: kTimeS }],
  ['query', { query: 'up{a="b"', time: kTimeS }],
  ['query', { query: '1 +', time: kTimeS }],
  ['query', { query: '1 + "a"', time: kTimeS }],
  ['query', { query: 'rate(up)', time: kTimeS }],
  ['query', { query: 'nofunction(up)', time: kTimeS }],
  ['query', { query: 'up[5m', time: kTimeS }],
  ['query', { query: 'up[0s]', time: kTimeS }],
  ['query', { query: 'up[5x]', time: kTimeS }],
  ['query', { query: '{}', time: kTimeS }],
  ['query', { query: '{a=~".*"}', time: kTimeS }],
  ['query', { query: 'up{a=~"("}', time: kTimeS }],
  ['query', { query: 'sum(up[5m])', time: kTimeS }],
  ['query', { query: 'topk(up, up)', time: kTimeS }],
  ['query', { query: '1 == 1', time: kTimeS }],
  ['query', { query: 'up and 1', time: kTimeS }],
  ['query', { query: 'a + on(x) group_left(x) b', time: kTimeS }],
  ['query', { query: 'a and on(x) group_left b', time: kTimeS }],
  ['query', { query: 'up offset 5m offset 5m', time: kTimeS }],
  ['query', { query: 'up @ 1 @ 2', time: kTimeS }],
  ['query', { query: 'up[5m] offset', time: kTimeS }],
  ['query', { query: 'sum by (a (up)', time: kTimeS }],
  ['query', { query: 'up $ 1', time: kTimeS }],
  ['query', { query: '"abc', time: kTimeS }],
  ['query', { query: 'up\n  +\n  +-', time: kTimeS }],
  ['query', { query: 'round(up, 1, 2)', time: kTimeS }],
  ['query', { query: 'vector(1) + on() (vector(1) or label_replace(vector(1), "a", "b", "", ""))', time: kTimeS }],
  ['query', { query: 'label_replace(vector(1), "a", "b", "", "(")', time: kTimeS }],
  ['query_range', { query: 'up[5m]', ...kRange }],
  ['query_range', { query: '"a"', ...kRange }],
  // Bounds.
  ['query', { query: 'vector(1)', time: kTimeS, timeout: '0' }],
  ['query', { query: 'vector(1)', time: kTimeS, timeout: '-1' }],
  ['query_range', { query: 'vector(1)', ...kRange, timeout: '0' }],
  // The parameters' errors.
  ['query', { query: '1', time: 'yesterday' }],
  ['query', { query: '1', time: kTimeS, timeout: 'long' }],
  ['query', { query: '1', time: kTimeS, timeout: '1e300' }],
  ['query_range', { query: '1' }],
  ['query_range', { query: '1', start: kTimeS, step: 1 }],
  ['query_range', { query: '1', ...kRange, start: 'x' }],
  ['query_range', { query: '1', ...kRange, end: kTimeS - 1 }],
  ['query_range', { query: '1', ...kRange, step: '' }],
  ['query_range', { query: '1', ...kRange, step: '0' }],
  ['query_range', { query: '1', ...kRange, step: '-5' }],
  ['query_range', { query: '1', ...kRange, step: 'x' }],
  ['query_range', { query: '1', ...kRange, step: 'NaN' }],
  ['query_range', { query: '1', ...kRange, step: '1e300' }],
  ['query_range', { query: '1', start: kTimeS, end: kTimeS + 11001, step: 1 }],
  ['query_exemplars', { query: 'sum(', start: kTimeS, end: kTimeS }],
  ['query_exemplars', { query: 'up', start: kTimeS, end: kTimeS - 1 }],
  ['query_exemplars', { query: 'up', start: 'x' }],
  ['series', {}],
  ['series', { 'match[]': '' }],
  ['series', { 'match[]': '{}' }],
  ['series', { 'match[]': 'up{' }],
  ['series', { 'match[]': 'up + 1' }],
  ['series', { 'match[]': 'up[5m]' }],
  ['series', { 'match[]': 'up', start: 'x' }],
  ['series', { 'match[]': 'up', end: 'x' }],
  ['labels', { 'match[]': '{}' }],
  ['labels', { 'match[]': '{a=~".*"}' }],
  ['labels', { start: 'x' }],
  ['label/job/values', { 'match[]': '{' }],
  ['metadata', { limit: 'x' }],
  ['targets/metadata', { limit: 'x' }],
  ['targets/metadata', { match_target: '{' }],
  ['rules', { type: 'x' }],
  ['format_query', { query: 'sum(' }],
  ['format_query', {}],
];

// Where Debian's prometheus (2.42) and the version whose API is spoken here (3.x) differ: what the
// older one says, rewritten to what the newer one does. Each is named, used, and only then allowed.
const kVersionDifferences = [
  { name: '3.x writes the name of a bad time parameter after a small letter',
    rewrite: (theirs) => theirs.replace(': Invalid time value for', ': invalid time value for') },
  { name: '3.x reads numbers where 2.42 wants durations',
    rewrite: (theirs) => theirs.replace('bad duration syntax', 'bad number or duration syntax')
      .replace('expected duration', 'expected number or duration') },
  { name: '3.x quotes a regular expression as it was written',
    rewrite: (theirs) => theirs.replace(/`\^\(\?:(.*)\)\$`/, '`$1`') },
  { name: 'an expired query is found in the queue or later, as threads fall',
    sometimes: true, rewrite: (theirs) => theirs.replace(/in query (queue|execution)"/, 'in expression evaluation"') },
  { name: '3.x blames the query for a range query of another type',
    rewrite: (theirs) => theirs.replace('"error":"invalid expression type',
      '"error":"invalid parameter \\"query\\": invalid expression type') },
];

async function ask(server, method, [path, parameters]) {
  const form = new URLSearchParams(parameters);
  const url = `${server}/api/v1/${path}`;
  const response = method === 'GET' ? await fetch(`${url}?${form}`) :
    await fetch(url, { method, body: form });
  return { status: response.status, type: response.headers.get('content-type'),
    body: await response.text() };
}

// The differences by which `theirs` becomes `ours`, or null. JSON's keys may come in any order.
function differencesBetween(ours, theirs) {
  const same = (text) => {
    try {
      assert.deepEqual(JSON.parse(ours.body), JSON.parse(text));
      return true;
    } catch {
      return false;
    }
  };
  if (ours.status !== theirs.status || ours.type !== theirs.type) return null;
  if (same(theirs.body)) return [];
  const changing = kVersionDifferences.filter(({ rewrite }) => rewrite(theirs.body) !== theirs.body);
  const rewritten = changing.reduce((text, { rewrite }) => rewrite(text), theirs.body);
  return same(rewritten) ? changing.map(({ name }) => name) : null;
}

const kPosted = new Set(['query', 'query_range', 'query_exemplars', 'series', 'labels', 'format_query']);

// What 2.42 does not know or, of the last two, does not bound.
const kNewerRequests = [
  ['query', { query: '1', time: kTimeS, lookback_delta: 'x' },
    'error parsing lookback delta duration: cannot parse "x" to a valid duration'],
  ['query', { query: '1', limit: 'x' },
    'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'],
  ['series', { 'match[]': 'up', limit: '-1' },
    'invalid parameter "limit": limit must be non-negative'],
  ['metadata', { limit_per_metric: 'x' }, 'limit_per_metric must be a number'],
  ['rules', { exclude_alerts: 'x' }, 'invalid parameter "exclude_alerts": error converting ' +
    'exclude_alerts: strconv.ParseBool: parsing "x": invalid syntax'],
  ['rules', { group_next_token: 'x' }, 'invalid parameter "group_next_token": group_limit needs ' +
    'to be present in order to paginate over the groups'],
  ['status/tsdb', { limit: '0' }, 'limit must be a positive number'],
  ['parse_query', { query: 'sum(' },
    'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'],
  ['query', { query: `${'('.repeat(20000)}1` }, 'invalid parameter "query": 1:101: parse error: ' +
    'expression nests deeper than 100 levels; split it'],
  ['query', { query: `1${' + 1'.repeat(100000)}` }, 'invalid parameter "query": the query has ' +
    '400001 bytes, at most 262144 are read; shorten it'],
];

test('answers and errors are those of prometheus', { timeout: 120000 }, async (t) => {
  const appliance = await Appliance.start({ waitReady: false });
  t.after(() => appliance.stop());
  const prometheus = await startPrometheus(t, '127.0.0.1:9');
  const seen = new Map();
  const wrong = [];
  let compared = 0;
  for (const request of kRequests) {
    for (const method of kPosted.has(request[0]) ? ['POST', 'GET'] : ['GET']) {
      if (method === 'GET' && (request[1].query ?? '').length > 8000) continue;  // a header's bound
      const [ours, theirs] = await Promise.all(
        [ask(appliance.url, method, request), ask(prometheus, method, request)]);
      ++compared;
      const names = differencesBetween(ours, theirs);
      if (names === null) wrong.push({ method, request, ours, theirs });
      for (const name of names ?? []) seen.set(name, (seen.get(name) ?? 0) + 1);
    }
  }
  t.diagnostic(`${compared} requests compared, ${wrong.length} differ`);
  for (const [name, times] of seen) t.diagnostic(`${times} times: ${name}`);
  assert.deepEqual(wrong, []);
  for (const { name, sometimes } of kVersionDifferences) {
    assert.ok(seen.has(name) || sometimes, `no longer a difference: ${name}`);
  }
});

test('what prometheus 2.42 does not refuse is refused in the words of 3.x', async (t) => {
  const appliance = await Appliance.start({ waitReady: false });
  t.after(() => appliance.stop());
  for (const request of kNewerRequests) {
    const method = kPosted.has(request[0]) ? 'POST' : 'GET';
    const { status, body } = await ask(appliance.url, method, request);
    assert.equal(status, 400);
    assert.deepEqual(JSON.parse(body),
      { status: 'error', errorType: 'bad_data', error: request[2] });
  }
});
