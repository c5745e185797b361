import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { readDashboard } from '../../../webui/js/dashboard/dashboard_model.js';
import { emptyReason, kRangeFactQueries, readRangeFacts, usesEngineMetrics } from '../../../webui/js/prometheus/empty_reason.js';
import { interpolate, queryScope } from '../../../webui/js/dashboard/variables.js';

const kTtft = 'histogram_quantile(0.5, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[15s])))';
const kGoodput = 'rate(hearth_slo_good_requests_total[15s])';
const kNan = [{ labels: {}, points: [{ x: 1000, y: NaN }] }];
const one = (y, labels = {}) => ({ labels, points: [{ x: 1000, y }] });
const facts = (rest = {}) => ({ recorded: true, served: true, engineMetricsOff: [], ...rest });

test('engine metrics: known under vLLM’s and under Ray’s names, and nothing else is', () => {
  for (const expr of [kTtft, 'vllm:num_requests_running', 'sum(ray_vllm_num_requests_running)',
    'hearth_x / vllm:x', '{__name__=~"vllm:.*"}']) assert.ok(usesEngineMetrics([expr]), expr);
  for (const expr of [kGoodput, 'my_vllm:x', 'ray_serve_num_http_requests_total', 'x{job="vllm"}']) {
    assert.ok(!usesEngineMetrics([expr]), expr);
  }
  assert.ok(usesEngineMetrics([kGoodput, kTtft]));
});

test('empty panel: engine metrics that are switched off are named with their models', () => {
  assert.deepEqual(emptyReason([kTtft], [], facts({ engineMetricsOff: ['a'] })), {
    id: 'engine-metrics-off', text: 'Engine metrics are switched off for model a (log_engine_metrics: false)',
  });
  assert.match(emptyReason([kTtft], kNan, facts({ engineMetricsOff: ['a', 'b'], served: false })).text, /for models a, b \(/);
});

test('empty panel: the switch is no reason for a panel without engine metrics', () => {
  assert.equal(emptyReason([kGoodput], [], facts({ engineMetricsOff: ['a'] })).id, 'unknown');
});

test('empty panel: nothing but NaN and no answered request is nothing served', () => {
  assert.deepEqual(emptyReason([kTtft], kNan, facts({ served: false })), {
    id: 'nothing-served', text: 'Nothing served yet in this time range',
  });
});

test('empty panel: a metric that does not exist stays without data whether or not anything is served', () => {
  assert.equal(emptyReason(['hearth_gpu_power_watts'], [], facts({ served: false })).id, 'unknown');
  assert.deepEqual(emptyReason([kTtft], kNan, facts()), { id: 'unknown', text: 'No data in this time range' });
});

test('empty panel: a range without any record says so, whatever the queries', () => {
  const nothing = facts({ recorded: false, served: false });
  for (const expr of [kTtft, kGoodput]) assert.equal(emptyReason([expr], [], nothing).id, 'not-recorded');
});

test('empty panel: without facts nothing is claimed', () => {
  assert.equal(emptyReason([kTtft], kNan, null).id, 'unknown');
});

test('range facts: read from the answers of their queries', () => {
  const answers = {
    engineMetrics: [one(0, { model_name: 'b' }), one(1, { model_name: 'c' }), one(0, { model_name: 'a' })],
    answered: [one(2)],
    box: [one(1, { version: '1' })],
  };
  assert.deepEqual(readRangeFacts(answers), { recorded: true, served: true, engineMetricsOff: ['a', 'b'] });
  assert.deepEqual(readRangeFacts({ engineMetrics: [], answered: [], box: [] }),
    { recorded: false, served: false, engineMetricsOff: [] });
  for (const y of [0, NaN]) assert.equal(readRangeFacts({ ...answers, answered: [one(y)] }).served, false);
});

test('range facts: asked about the chosen models and the whole range', () => {
  const models = { name: 'model_name', values: ['m'], options: ['m', 'n'], multi: true, includeAll: true };
  const scope = queryScope([models], 1, 900);
  assert.equal(interpolate(kRangeFactQueries.engineMetrics, scope),
    'last_over_time(hearth_log_engine_metrics{model_name=~"m"}[900s])');
  assert.match(interpolate(kRangeFactQueries.answered, scope), /\{model_name=~"m"\}\[900s\]/);
});

test('llm.json: the choice of models and their service level need no engine metrics', () => {
  const file = new URL('../../../webui/dashboards/llm.json', import.meta.url);
  const dashboard = readDashboard(JSON.parse(readFileSync(file, 'utf8')));
  assert.ok(!usesEngineMetrics(dashboard.variables.map((variable) => variable.query)));
  const { panels } = dashboard.sections.find((section) => section.title === 'Service Level');
  for (const panel of panels) assert.ok(!usesEngineMetrics(panel.targets.map((target) => target.expr)), panel.title);
});
