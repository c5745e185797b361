// What Grafana's Prometheus data source does, against the running appliance: its calls in its own
// methods, headers and form fields, and every answer checked field by field.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Appliance, eventually, sleep } from './appliance.mjs';
import { runLoad } from './load.mjs';

// As Grafana's backend sends them.
const kHeaders = {
  'User-Agent': 'Grafana/11.4.0',
  'Accept-Encoding': 'gzip',
  'X-Datasource-Uid': 'PBFA97CFB590B2093',
  'X-Grafana-Org-Id': '1',
  'X-Dashboard-Uid': 'hearth-llm',
  'X-Panel-Id': '7',
};
const kForm = { ...kHeaders, 'Content-Type': 'application/x-www-form-urlencoded' };
const kMinIntervalS = 15;  // the data source's "scrape interval" of a Grafana that was not told ours

class DataSource {
  constructor(url) {
    this.url = url;
  }

  async read(response) {
    assert.match(response.headers.get('content-type'), /^application\/json/);
    const body = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    assert.equal(body.status, 'success');
    for (const kind of ['warnings', 'infos']) {
      for (const text of body[kind] ?? []) assert.equal(typeof text, 'string');
    }
    return body.data;
  }

  async get(path, parameters = {}) {
    const query = new URLSearchParams(parameters);
    return this.read(await fetch(`${this.url}/api/v1/${path}?${query}`, { headers: kHeaders }));
  }

  async post(path, fields) {
    const body = new URLSearchParams(fields);
    body.sort();  // Go's url.Values.Encode
    return this.read(await fetch(`${this.url}/api/v1/${path}`,
      { method: 'POST', headers: kForm, body: body.toString() }));
  }

  async instant(query, time = Date.now() / 1000) {
    return checkVector(await this.post('query', { query, time }));
  }

  // Grafana aligns the range to the step.
  async range(query, { startS, endS, stepS }) {
    const start = Math.floor(startS / stepS) * stepS;
    const end = Math.floor(endS / stepS) * stepS;
    const data = await this.post('query_range', { query, start, end, step: stepS });
    return checkMatrix(data, { start, end, stepS });
  }
}

function checkLabels(labels) {
  for (const [name, value] of Object.entries(labels)) {
    assert.match(name, /^[a-zA-Z_][a-zA-Z0-9_]*$/);
    assert.equal(typeof value, 'string');
  }
}

function checkSample(sample) {
  assert.ok(Array.isArray(sample) && sample.length === 2);
  const [time, value] = sample;
  assert.equal(typeof time, 'number');
  assert.match(value, /^(NaN|[+-]Inf|-?\d+(\.\d+)?(e[+-]\d+)?)$/);
}

function checkVector({ resultType, result }) {
  assert.equal(resultType, 'vector');
  for (const { metric, value, ...rest } of result) {
    checkLabels(metric);
    checkSample(value);
    assert.deepEqual(rest, {});
  }
  return result;
}

function checkMatrix({ resultType, result }, { start, end, stepS }) {
  assert.equal(resultType, 'matrix');
  for (const { metric, values, ...rest } of result) {
    checkLabels(metric);
    assert.ok(values.length > 0, 'a series without samples');
    let last = -Infinity;
    for (const sample of values) {
      checkSample(sample);
      const [time] = sample;
      assert.ok(time > last && time >= start && time <= end, `${time} is out of order or range`);
      assert.ok(Math.abs(((time - start) / stepS) % 1) < 1e-6, `${time} lies on no step`);
      last = time;
    }
    assert.deepEqual(rest, {});
  }
  return result;
}

function checkStrings(list) {
  assert.ok(Array.isArray(list));
  for (const text of list) assert.equal(typeof text, 'string');
  assert.deepEqual(list, [...new Set(list)].sort((a, b) => (a < b ? -1 : 1)));
  return list;
}

// $__rate_interval: max($__interval + scrape interval, 4 * scrape interval).
const rateIntervalS = (stepS) => Math.max(stepS + kMinIntervalS, 4 * kMinIntervalS);

function expand(query, stepS, rangeS) {
  return query.replaceAll('$__rate_interval', `${rateIntervalS(stepS)}s`)
    .replaceAll('$__interval', `${stepS}s`).replaceAll('$__range', `${rangeS}s`);
}

// What is checked, in the order in which a user of Grafana meets it.
const kCalls = [
  ['save & test', async ({ grafana }) => {
    const [time, value] = (await grafana.post('query', { query: '1+1', time: 4 })).result;
    assert.deepEqual([time, value], [4, '2']);
    assert.equal((await grafana.post('query', { query: '1+1', time: 4 })).resultType, 'scalar');
  }],
  ['heuristics: which Prometheus is this, and can it evaluate rules', async ({ grafana }) => {
    const info = await grafana.get('status/buildinfo');
    for (const field of ['version', 'revision', 'branch', 'buildUser', 'buildDate', 'goVersion']) {
      assert.equal(typeof info[field], 'string', field);
    }
    assert.match(info.version, /^3\.\d+\.\d+$/);
    assert.equal(info.features, undefined);  // of Mimir
    const { groups } = await grafana.get('rules');
    assert.ok(groups.length > 0);
  }],
  ['the query builder: metrics, labels, values and metadata', async ({ grafana, startS, endS }) => {
    const window = { start: startS, end: endS };
    const names = checkStrings(await grafana.get('label/__name__/values', { ...window, limit: 40000 }));
    assert.ok(names.includes('vllm:generation_tokens_total'));
    const labels = checkStrings(await grafana.post('labels', { ...window, limit: 40000 }));
    assert.deepEqual(['__name__', 'le', 'model_name'].filter((name) => !labels.includes(name)), []);
    const own = checkStrings(await grafana.post('labels',
      { ...window, 'match[]': 'vllm:request_success_total{model_name="demo"}' }));
    assert.ok(own.includes('finished_reason') && !own.includes('le'));
    const values = checkStrings(await grafana.get('label/model_name/values',
      { ...window, 'match[]': 'vllm:request_success_total' }));
    assert.deepEqual(values, ['demo']);
    assert.deepEqual(await grafana.get('label/model_name/values',
      { ...window, 'match[]': 'vllm:request_success_total{model_name="another"}' }), []);
    const metadata = await grafana.get('metadata', { limit: 40000 });
    for (const [name, [entry, ...more]] of Object.entries(metadata)) {
      assert.deepEqual(Object.keys(entry).sort(), ['help', 'type', 'unit'], name);
      assert.ok(['counter', 'gauge', 'histogram', 'summary', 'unknown', 'info'].includes(entry.type));
      assert.deepEqual(more, []);
    }
    assert.equal(metadata['vllm:time_to_first_token_seconds'][0].type, 'histogram');
    const few = await grafana.get('metadata', { limit: 3, limit_per_metric: 1 });
    assert.equal(Object.keys(few).length, 3);
  }],
  ['series for the label browser, truncated where it asks for it', async ({ appliance, grafana, startS, endS }) => {
    const match = 'vllm:time_to_first_token_seconds_bucket';
    const series = await grafana.post('series', { 'match[]': match, start: startS, end: endS });
    for (const labels of series) {
      checkLabels(labels);
      assert.equal(labels.__name__, match);
    }
    assert.ok(series.length > 10);
    const response = await fetch(`${appliance.url}/api/v1/series`, { method: 'POST', headers: kForm,
      body: new URLSearchParams({ 'match[]': match, limit: 2 }).toString() });
    const { data, warnings } = await response.json();
    assert.equal(data.length, 2);
    assert.deepEqual(warnings, ['results truncated due to limit']);
  }],
  ['suggestions: names of what fits what is typed so far', async ({ grafana }) => {
    const names = checkStrings(await grafana.get('label/__name__/values',
      { 'match[]': '{__name__=~".*first_token.*",model_name="demo"}', limit: 1000 }));
    assert.ok(names.length > 0 && names.every((name) => name.includes('first_token')));
  }],
  ['panels: query_range by POST', async ({ grafana, startS, endS }) => {
    const stepS = 5;
    const range = { startS, endS, stepS };
    const ask = (query) => grafana.range(expand(query, stepS, endS - startS), range);
    const [tokens] = await ask('sum(rate(vllm:generation_tokens_total{model_name=~"demo|other"}[$__rate_interval]))');
    assert.deepEqual(tokens.metric, {});
    assert.ok(tokens.values.some(([, value]) => Number(value) > 0));
    const quantiles = await ask('histogram_quantile(0.95, sum by(le, model_name) ' +
      '(rate(vllm:e2e_request_latency_seconds_bucket[$__rate_interval])))');
    assert.deepEqual(quantiles.map(({ metric }) => metric), [{ model_name: 'demo' }]);
    const ratio = await ask('sum(rate(vllm:time_to_first_token_seconds_sum[$__rate_interval])) / ' +
      'sum(rate(vllm:time_to_first_token_seconds_count[$__rate_interval]))');
    assert.equal(ratio.length, 1);
    const heat = await ask('sum by(le) (increase(vllm:time_to_first_token_seconds_bucket[$__rate_interval]))');
    assert.ok(heat.length > 10 && heat.every(({ metric }) => typeof metric.le === 'string'));
    const running = await ask('max_over_time(vllm:num_requests_running[$__interval])');
    assert.ok(running.length > 0 && running.every(({ metric }) => metric.__name__ === undefined));
    assert.deepEqual(await ask('nothing_of_this_name'), []);
  }],
  ['stat and table panels: instant queries over the whole range', async ({ grafana, startS, endS }) => {
    const rangeS = endS - startS;
    const [total] = await grafana.instant(
      expand('sum(increase(vllm:request_success_total[$__range]))', 1, rangeS), endS);
    assert.ok(Number(total.value[1]) > 0);
    const table = await grafana.instant('topk(3, vllm:request_success_total)', endS);
    assert.ok(table.length > 0 && table.length <= 3);
  }],
  ['variables: label_values, query_result, metrics', async ({ grafana, startS, endS }) => {
    assert.deepEqual(await grafana.get('label/model_name/values',
      { 'match[]': 'vllm:num_requests_running', start: startS, end: endS }), ['demo']);
    const result = await grafana.instant('count by (model_name) (vllm:num_requests_running)', endS);
    assert.deepEqual(result.map(({ metric }) => metric), [{ model_name: 'demo' }]);
  }],
  ['exemplars: none, in shape', async ({ grafana, startS, endS }) => {
    assert.deepEqual(await grafana.post('query_exemplars',
      { query: 'histogram_quantile(0.9, rate(vllm:e2e_request_latency_seconds_bucket[1m]))',
        start: startS, end: endS }), []);
  }],
  ['annotations: a range query for ALERTS', async ({ grafana, startS, endS }) => {
    const found = await grafana.range('ALERTS{alertstate="firing"}', { startS, endS, stepS: 60 });
    for (const { metric } of found) assert.equal(typeof metric.alertname, 'string');
    // The same over a series that is there: what an annotation draws from.
    const up = await grafana.range('up == 1', { startS, endS, stepS: 1 });
    assert.ok(up.length > 0);
  }],
  ['alert list: rules with their states', async ({ grafana, startS }) => {
    const groups = await eventually('an evaluation of every group', async () => {
      const answer = await grafana.get('rules', { type: 'alert', exclude_alerts: true });
      const rules = answer.groups.flatMap((group) => group.rules);
      return rules.every(({ health }) => health !== 'unknown') && answer.groups;
    }, 60000);
    for (const group of groups) {
      for (const field of ['name', 'file', 'lastEvaluation']) assert.equal(typeof group[field], 'string');
      for (const field of ['interval', 'limit', 'evaluationTime']) assert.equal(typeof group[field], 'number');
      assert.ok(group.rules.length > 0);
      for (const rule of group.rules) {
        assert.equal(rule.type, 'alerting');
        assert.ok(['inactive', 'pending', 'firing'].includes(rule.state));
        assert.ok(['ok', 'err', 'unknown'].includes(rule.health));
        assert.deepEqual(rule.alerts, []);
        for (const field of ['duration', 'keepFiringFor', 'evaluationTime']) {
          assert.equal(typeof rule[field], 'number', field);
        }
        checkLabels(rule.labels);
        checkLabels(rule.annotations);
        assert.equal(typeof rule.query, 'string');
        assert.ok(Date.parse(rule.lastEvaluation) > startS * 1000);
      }
    }
    const { groups: page, groupNextToken } = await grafana.get('rules', { group_limit: 1 });
    assert.equal(page.length, 1);
    const next = await grafana.get('rules', { group_limit: 1, group_next_token: groupNextToken });
    assert.notEqual(next.groups[0].name, page[0].name);
    const { alerts } = await grafana.get('alerts');
    assert.ok(Array.isArray(alerts));
  }],
  ['query inspector and Prometheus\'s own page: stats, format, status', async ({ grafana, endS }) => {
    const { stats } = await grafana.post('query', { query: 'sum(vllm:num_requests_running)', time: endS,
      stats: 'all' });
    for (const field of ['evalTotalTime', 'resultSortTime', 'queryPreparationTime', 'innerEvalTime',
      'execQueueTime', 'execTotalTime']) {
      assert.equal(typeof stats.timings[field], 'number', field);
    }
    assert.ok(stats.samples.totalQueryableSamples > 0 && stats.samples.peakSamples > 0);
    assert.equal(await grafana.post('format_query', { query: 'sum by(a)(b)' }), 'sum by (a) (b)');
    const tree = await grafana.post('parse_query', { query: 'sum by (a) (rate(b{c!="d"}[5m]))' });
    assert.deepEqual([tree.type, tree.op, tree.grouping], ['aggregation', 'sum', ['a']]);
    assert.equal(tree.expr.args[0].range, 300000);
    const flags = await grafana.get('status/flags');
    assert.equal(flags['query.max-samples'], '50000000');
    assert.match((await grafana.get('status/config')).yaml, /scrape_interval: 1s/);
    const runtime = await grafana.get('status/runtimeinfo');
    assert.ok(Math.abs(Date.parse(runtime.serverTime) - Date.now()) < 60000);
    assert.ok(Date.parse(runtime.startTime) <= Date.now());
    const tsdb = await grafana.get('status/tsdb');
    assert.ok(tsdb.headStats.numSeries > 100 && tsdb.seriesCountByMetricName.length === 10);
    assert.deepEqual((await grafana.get('targets')).activeTargets, []);
  }],
  ['answers are compressed for Grafana and plain for who asks for that', async ({ appliance }) => {
    const url = `${appliance.url}/api/v1/metadata`;
    const zipped = await fetch(url, { headers: kHeaders });
    assert.equal(zipped.headers.get('content-encoding'), 'gzip');
    const plain = await fetch(url, { headers: { 'Accept-Encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.deepEqual(await zipped.json(), await plain.json());
  }],
];

test('a Grafana data source works on the box itself', { timeout: 300000 }, async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const grafana = new DataSource(appliance.url);
  const startS = Math.floor(Date.now() / 1000);
  const { errors } = await runLoad(appliance, { streams: 4, seconds: 20 });
  assert.deepEqual(errors, []);
  await sleep(2000);
  const endS = Math.floor(Date.now() / 1000);

  for (const [name, check] of kCalls) {
    await t.test(name, () => check({ appliance, grafana, startS, endS }));
  }
});
