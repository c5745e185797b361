import assert from 'node:assert/strict';
import test from 'node:test';
import { describeStatus } from '../../../webui/js/shell/status_text.js';

const model = (rest) => ({ model_name: 'm', state: 'ready', phase: '', progress: 1, message: '', ...rest });
const texts = (list) => list.map((item) => item.text);

test('status: a ready model, the device and the uptime are facts', () => {
  const { facts, alerts } = describeStatus({
    version: '0.1.0', uptime_s: 3700, device: { kind: 'cpu', name: 'EPYC' }, models: [model()],
  });
  assert.deepEqual(texts(facts), ['m ready', 'running on the CPU · EPYC', 'up 1h 1m', 'Hearth 0.1.0']);
  assert.deepEqual(alerts, []);
});

test('status: loading says how far it is, and nothing is said about an unknown device', () => {
  const { facts } = describeStatus({ device: null, models: [model({ state: 'loading', phase: 'weights', progress: 0.42 })] });
  assert.deepEqual(texts(facts), ['m loading: weights 42 %']);
});

test('status: a failure is an alert with the whole sentence', () => {
  const { facts, alerts } = describeStatus({ models: [model({ state: 'failed', message: 'config.json is missing: copy it.' })] });
  assert.equal(facts[0].level, 'error');
  assert.deepEqual(alerts, [{ level: 'error', text: 'm: config.json is missing: copy it.' }]);
});

test('status: a model that sleeps warns of nothing, one in safe mode is named', () => {
  const { facts, alerts } = describeStatus({ models: [model({ state: 'asleep' }), model({ state: 'degraded' })] });
  assert.deepEqual(facts.map(({ level, text }) => [level, text]), [['off', 'm asleep'], ['busy', 'm in safe mode']]);
  assert.deepEqual(alerts, []);
});

test('status: any other state is named as the box names it', () => {
  assert.deepEqual(texts(describeStatus({ models: [model({ state: 'stopped' })] }).facts), ['m stopped']);
  assert.match(describeStatus({ models: [] }).alerts[0].text, /No model/);
});

test('status: a model whose engine metrics are switched off says so beside its state', () => {
  const { facts, alerts } = describeStatus({ models: [model({ log_engine_metrics: false }), model({ log_engine_metrics: true })] });
  assert.deepEqual(texts(facts), ['m ready', 'm ready', 'm: engine metrics off']);
  assert.deepEqual(alerts, []);
});

test('status: recovery mode is said on every page, with the way out', () => {
  const { alerts } = describeStatus({ models: [], recovery: { reason: 'revision 3 crashed 5 times within 600 s' } });
  assert.equal(alerts.length, 1, 'that no model runs is part of it');
  assert.match(alerts[0].text, /Recovery mode: revision 3 crashed 5 times/);
  assert.equal(alerts[0].link.href, '/config');
});
