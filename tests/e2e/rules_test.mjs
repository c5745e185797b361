// Rules on the box: an engine that crashes makes an alert, which is shown, recorded and sent.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Appliance, eventually } from './appliance.mjs';

const kRules = `
groups:
  - name: crash
    interval: 1s
    rules:
      - record: model:restarts:total
        expr: sum by (model_name) (hearth_engine_restarts_total)
      - alert: EngineCrashed
        expr: increase(model:restarts:total[30s]) > 0
        for: 2s
        labels: {severity: warning}
        annotations: {summary: "{{ $labels.model_name }} crashed at {{ $labels.instance }}"}
`;

// Everything posted to it, as [{path, alerts}].
async function startReceiver() {
  const received = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ path: request.url, alerts: JSON.parse(body) });
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { received, server, url: `http://127.0.0.1:${server.address().port}` };
}

async function get(appliance, path) {
  const response = await fetch(`${appliance.url}/api/v1/${path}`);
  const body = await response.json();
  assert.equal(body.status, 'success', JSON.stringify(body));
  return body.data;
}

test('a crash of the engine becomes an alert that is shown, recorded and sent', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'hearth-rules-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const rules = join(directory, 'rules.yml');
  await writeFile(rules, kRules);
  const receiver = await startReceiver();
  t.after(() => receiver.server.close());
  const appliance = await Appliance.start(
    { args: ['--rules', rules, '--alert-webhook', receiver.url] });
  t.after(() => appliance.stop());

  await eventually('the first evaluation', async () =>
    (await get(appliance, 'query?query=model:restarts:total')).result.length === 1);
  const pid = (await appliance.status()).models[0].engine_pid;
  process.kill(pid, 'SIGKILL');
  const states = new Set();
  const alert = await eventually('the firing alert', async () => {
    const [seen] = (await get(appliance, 'alerts')).alerts;
    if (seen) states.add(seen.state);
    return seen?.state === 'firing' && seen;
  });
  assert.deepEqual([...states], ['pending', 'firing']);
  assert.equal(alert.labels.alertname, 'EngineCrashed');
  assert.match(alert.annotations.summary, /^demo crashed at \S+$/);

  const posted = await eventually('the webhook', () => receiver.received[0]);
  assert.equal(posted.path, '/api/v2/alerts');
  assert.deepEqual(posted.alerts[0].labels, alert.labels);
  assert.ok(Date.parse(posted.alerts[0].endsAt) > Date.now(), 'it is not resolved');

  const recorded = await eventually('ALERTS in the history', async () =>
    (await get(appliance, 'query?query=ALERTS{alertstate="firing"}')).result[0]);
  assert.equal(recorded.metric.alertname, 'EngineCrashed');
  const { groups: [group] } = await get(appliance, 'rules?type=alert');
  assert.equal(group.rules.length, 1);
  assert.equal(group.rules[0].state, 'firing');
  assert.equal(group.rules[0].health, 'ok');

  const { events } = await (await fetch(`${appliance.url}/api/events`)).json();
  const texts = events.map(({ kind, text }) => `${kind}: ${text}`);
  for (const expected of [/^model_loaded: .* is ready$/, /^engine_crashed: the engine of/, /^alert: \w+ is firing/]) {
    assert.ok(texts.some((text) => expected.test(text)), `${expected} is not among ${texts.join(', ')}`);
  }
  assert.equal((await fetch(`${appliance.url}/api/events?start=yesterday`)).status, 400);
  await eventually('the end of the alert', async () =>
    (await get(appliance, 'alerts')).alerts.length === 0, 60000);
  await eventually('the resolved alert at the webhook', () => receiver.received.some(
    ({ alerts }) => alerts.some(({ endsAt }) => Date.parse(endsAt) <= Date.now())));
  const gone = await get(appliance, 'query?query=ALERTS');
  assert.deepEqual(gone.result, []);
});

test('the shipped rules run by default, and nothing of them is wrong', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const groups = await eventually('an evaluation of every group', async () => {
    const { groups: all } = await get(appliance, 'rules');
    return all.every(({ rules }) => rules.every(({ health }) => health !== 'unknown')) && all;
  });
  const rules = groups.flatMap((group) => group.rules);
  assert.ok(rules.length > 40);
  for (const rule of rules) assert.equal(rule.health, 'ok', JSON.stringify(rule));
  assert.deepEqual((await get(appliance, 'alerts')).alerts, []);
});
