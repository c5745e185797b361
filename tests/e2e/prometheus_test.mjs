// Debian's prometheus scrapes the appliance under load; its numbers are compared with ours.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Appliance, sleep } from './appliance.mjs';
import { runLoad, runMixedLoad } from './load.mjs';
import { get, startPrometheus } from './prometheus.mjs';

const kLoadS = Number(process.env.HEARTH_PROMETHEUS_S ?? 120);  // at least 80: windows are a minute long
// Both look at the same counters, but at instants up to a second apart, and a busy second's tokens are
// worth more than a sixtieth of a window of 60 s: single points differ, the bulk must not.
const kDifferenceMax = 0.15;
const kMedianDifferenceMax = 0.03;

const kExpressions = [
  'sum(rate(vllm:generation_tokens_total[1m]))',
  'sum(rate(vllm:request_success_total[1m]))',
  'histogram_quantile(0.9, sum by (le) (rate(vllm:e2e_request_latency_seconds_bucket[1m])))',
  'sum(rate(vllm:time_to_first_token_seconds_sum[1m])) / sum(rate(vllm:time_to_first_token_seconds_count[1m]))',
  'sum by (finished_reason) (increase(vllm:request_success_total[1m]))',
];

const keyOf = (metric) => JSON.stringify(Object.entries(metric).sort());

// The relative differences of two matrices' common points: the largest, the median, how many.
function compare(ours, theirs) {
  const points = new Map();
  for (const { metric, values } of theirs) {
    for (const [time, value] of values) points.set(keyOf(metric) + time, Number(value));
  }
  const differences = [];
  for (const { metric, values } of ours) {
    for (const [time, text] of values) {
      const other = points.get(keyOf(metric) + time);
      const value = Number(text);
      if (other === undefined || Number.isNaN(value) || Number.isNaN(other)) continue;
      const scale = Math.max(Math.abs(value), Math.abs(other));
      differences.push(scale > 0 ? Math.abs(value - other) / scale : 0);
    }
  }
  differences.sort((a, b) => a - b);
  return { worst: differences.at(-1) ?? 0, median: differences[differences.length >> 1] ?? 0,
    common: differences.length };
}

test('prometheus scrapes under load and computes our numbers', { timeout: 600000 }, async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const prometheus = await startPrometheus(t, new URL(appliance.url).host);
  const startS = Math.ceil(Date.now() / 1000);
  const load = await runLoad(appliance, { streams: 8, seconds: kLoadS });
  assert.deepEqual(load.errors, []);
  await sleep(2000);
  const endS = Math.floor(Date.now() / 1000) - 1;

  const [up] = (await get(`${prometheus}/api/v1/query`,
    { query: `min_over_time(up[${endS - startS}s])`, time: endS })).result;
  assert.equal(up.value[1], '1', 'a scrape failed');
  const { activeTargets } = await get(`${prometheus}/api/v1/targets`, {});
  assert.equal(activeTargets[0].lastError, '');
  const [scrapes] = (await get(`${prometheus}/api/v1/query`,
    { query: `count_over_time(up[${endS - startS}s])`, time: endS })).result;
  t.diagnostic(`${load.answered} requests answered; ${scrapes.value[1]} scrapes, none failed`);

  const rampS = 62;  // windows that reach before the first sample differ by design
  for (const query of kExpressions) {
    const parameters = { query, start: startS + rampS, end: endS, step: 1 };
    const ours = await get(`${appliance.url}/api/v1/query_range`, parameters);
    const theirs = await get(`${prometheus}/api/v1/query_range`, parameters);
    const { worst, median, common } = compare(ours.result, theirs.result);
    t.diagnostic(`${(worst * 100).toFixed(2)} % at most, ${(median * 100).toFixed(2)} % in the median ` +
      `of ${common} points: ${query}`);
    assert.ok(common > 10, `only ${common} common points for ${query}`);
    assert.ok(worst < kDifferenceMax, `${query} differs by ${worst}`);
    assert.ok(median < kMedianDifferenceMax, `${query} differs by ${median} in the median`);
  }
});

// The labels that a scrape adds are not ours.
function keyWithoutTarget(metric) {
  const { job, instance, ...own } = metric;
  return keyOf(own);
}

test('every value that prometheus scraped is one the box recorded', { timeout: 120000 }, async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const prometheus = await startPrometheus(t, new URL(appliance.url).host);
  const { errors } = await runMixedLoad(appliance, { seconds: 20 });
  assert.deepEqual(errors, []);
  const timeS = Math.floor(Date.now() / 1000);
  await sleep(2000);
  const theirs = await get(`${prometheus}/api/v1/query`, { query: '{job="hearth"}[15s]', time: timeS });
  const ours = await get(`${appliance.url}/api/v1/query`,
    { query: '{__name__=~".+"}[20s]', time: timeS + 1 });
  const recorded = new Map(ours.result.map(({ metric, values }) => [keyOf(metric), values]));
  // Prometheus's own, and OpenMetrics's creation times, which are no samples.
  const isAdded = (name) => /^(up|scrape_.*)$|_created$/.test(name);
  let compared = 0;
  const wrong = [];
  for (const { metric, values } of theirs.result) {
    if (isAdded(metric.__name__)) continue;
    const own = recorded.get(keyWithoutTarget(metric)) ?? [];
    for (const [scrapedS, value] of values) {
      ++compared;
      // The page shows the newest sample; one may be taken while the scrape is on its way.
      const found = own.some(([sampledS, sampled]) => Number(sampled) === Number(value) &&
        sampledS > scrapedS - 3 && sampledS < scrapedS + 1);
      if (!found) wrong.push(`${JSON.stringify(metric)} ${value} at ${scrapedS}`);
    }
  }
  t.diagnostic(`${compared} scraped values of ${theirs.result.length} series, ${wrong.length} not ours`);
  assert.ok(compared > 10000, `only ${compared} values`);
  assert.deepEqual(wrong.slice(0, 10), []);
});
