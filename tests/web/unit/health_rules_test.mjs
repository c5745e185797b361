// From facts to findings: what the overview says of a box in trouble, and that it is silent otherwise.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findings, headline, sinceOf } from '../../../webui/js/overview/health_rules.js';
import { kPanels, panelLink } from '../../../webui/js/overview/panel_links.js';
import { kAllFacts, kFactQueries, readFacts } from '../../../webui/js/overview/overview_facts.js';

const kDashboards = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../../webui/dashboards');
const kNow = 1800000000000;
const kModel = { model_name: 'demo' };

const one = (value, labels = {}) => [{ labels, value }];

/** A box at work without trouble; `changes.values` replaces single facts. */
function box(changes = {}) {
  const calm = {
    failed: one(0, kModel), answered: one(100, kModel), lost: one(0, kModel), requests: one(0.3, kModel), ttftP50: one(0.1, kModel),
    ttftP95: one(0.4, kModel), ttftTarget: one(2, kModel), attainment: one(1, kModel), judged: one(100, kModel), waiting: one(0, kModel),
    waitingLong: one(0, kModel), kvCache: one(0.2, kModel), unaccounted: one(0, kModel), cpu: one(0.9), memory: one(0.5),
    memoryAvailable: one(8e9), gpuHot: one(60, { gpu: '0' }), gpuThrottled: one(0, { gpu: '0' }), gpuAge: one(1, { gpu: '0' }),
    gpuXid: one(0, { gpu: '0' }), diskFree: one(5e10, { mountpoint: '/' }), diskFreeShare: one(0.5, { mountpoint: '/' }),
    diskReadonly: one(0, { mountpoint: '/' }), historyErrors: one(0), historyLost: one(0), commitAge: one(30), sampleAge: one(1), unsent: one(0),
  };
  return {
    nowMs: kNow, alerts: [], groups: [], events: [], missing: [],
    status: { models: [{ model_name: 'demo', state: 'ready', restarts: 0 }] },
    ...changes, values: { ...readFacts([]), ...calm, ...changes.values },
  };
}

const idsOf = (facts) => findings(facts).map(({ id, severity }) => `${severity} ${id}`);
const withModel = (model) => ({ status: { models: [{ model_name: 'demo', restarts: 0, ...model }] } });

test('a box without trouble is silent', () => {
  assert.deepEqual(findings(box()), []);
  assert.equal(headline([]), 'Nothing needs attention.');
  assert.deepEqual(findings(box({ values: readFacts([]) })), [], 'nothing measured yet is no trouble');
  assert.deepEqual(findings(box(withModel({ state: 'loading', progress: 0.4 }))), [], 'a model that loads is no trouble');
});

test('no model, a failed one, one whose engine is started again', () => {
  assert.deepEqual(idsOf(box({ status: { models: [] } })), ['warning no-model']);
  const [failed] = findings(box({ ...withModel({ state: 'failed', message: 'config.json is missing' }),
    events: [{ timeMs: kNow - 60e3, kind: 'model_failed', text: 'demo cannot be served: config.json is missing' }] }));
  assert.equal(failed.severity, 'critical');
  assert.match(failed.what, /demo has failed: config.json is missing/);
  assert.equal(failed.sinceMs, kNow - 60e3);
  assert.equal(failed.link.href, '/d/hearthLlm?var-model_name=demo');
  const [restarting] = findings(box(withModel({ state: 'restarting', message: 'the engine was killed by signal 9' })));
  assert.match(restarting.what, /demo is being started again: the engine was killed by signal 9/);
});

test('a model that sleeps is no trouble; one in safe mode and one that cannot grow are', () => {
  assert.deepEqual(findings(box(withModel({ state: 'asleep' }))), []);
  const [degraded] = findings(box(withModel({ state: 'degraded', message: 'its engine ended three times' })));
  assert.equal(degraded.severity, 'warning');
  assert.match(degraded.what, /demo runs in safe mode: its engine ended three times/);
  assert.equal(degraded.link.href, '/models');
  const events = [{ timeMs: kNow - 60e3, kind: 'autoscale_prevented', text: "'demo' gets no further replica: 512 MiB are needed" },
    { timeMs: kNow - 30e3, kind: 'autoscale_prevented', text: "'demo-2' gets no further replica: 1 GiB is needed" }];
  const [prevented] = findings(box({ events, values: { scalingPrevented: one(1, kModel) } }));
  assert.deepEqual([prevented.id, prevented.what, prevented.sinceMs], ['scaling demo', events[0].text, kNow - 60e3]);
  assert.match(findings(box({ values: { scalingPrevented: one(1, kModel) } }))[0].what, /demo gets fewer replicas/);
  assert.deepEqual(findings(box({ events, values: { scalingPrevented: one(0, kModel) } })), [], 'it is over');
});

test('an engine that crashed and runs again is said for a quarter of an hour', () => {
  const crash = (agoMs) => ({ timeMs: kNow - agoMs, kind: 'engine_crashed', text: 'the engine of demo ended: killed by signal 9' });
  const [once] = findings(box({ events: [crash(60e3)], values: { lost: one(7.9, kModel) } }));
  assert.equal(once.severity, 'warning');
  assert.match(once.what, /demo crashed and runs again: .*signal 9/);
  assert.match(once.why, /^8 requests were lost/);
  assert.equal(once.sinceMs, kNow - 60e3);
  assert.deepEqual(findings(box({ events: [crash(16 * 60e3)] })), []);
  assert.deepEqual(idsOf(box({ events: [crash(3e5), crash(2e5), crash(1e5)] })), ['critical engine demo']);
  const other = { ...crash(60e3), text: 'the engine of demo-2 ended' };
  assert.deepEqual(findings(box({ events: [other] })), [], 'another model’s crash');
});

test('requests: failures, latency, objectives, queue, accounts', () => {
  assert.deepEqual(idsOf(box({ values: { failed: one(2, kModel) } })), ['warning errors demo']);
  assert.deepEqual(idsOf(box({ values: { failed: one(20, kModel) } })), ['critical errors demo']);
  assert.deepEqual(idsOf(box({ values: { failed: one(0.4, kModel), answered: one(1, kModel) } })), [], 'too few to say anything');
  const [slow] = findings(box({ values: { ttftP95: one(3.2, kModel), waiting: one(9, kModel) } }));
  assert.match(slow.what, /P95 is 3.2 s, the target 2 s/);
  assert.match(slow.action, /^9 requests wait now/);
  assert.deepEqual(findings(box({ values: { ttftP95: one(3, kModel), ttftTarget: [] } })), [], 'no target, no judgement');
  assert.deepEqual(findings(box({ values: { ttftP95: one(NaN, kModel) } })), []);
  assert.deepEqual(idsOf(box({ values: { attainment: one(0.9, kModel) } })), ['warning slo demo']);
  assert.deepEqual(idsOf(box({ values: { attainment: one(0.5, kModel) } })), ['critical slo demo']);
  assert.deepEqual(idsOf(box({ values: { attainment: one(0.5, kModel), judged: one(2, kModel) } })), []);
  assert.deepEqual(idsOf(box({ values: { waitingLong: one(12, kModel) } })), ['warning queue demo']);
  assert.deepEqual(idsOf(box({ values: { unaccounted: one(-1, kModel) } })), ['warning accounts demo']);
});

test('the box: disks, memory, GPUs, history, senders', () => {
  const root = { mountpoint: '/var' };
  const [disk] = findings(box({ values: { diskFreeShare: one(0.07, root), diskFree: one(7 * 2 ** 30, root) } }));
  assert.match(disk.what, /The disk of \/var is nearly full: 7 GiB free, 7/);
  assert.match(disk.action, /du -xh --max-depth=2 \/var/);
  assert.deepEqual(idsOf(box({ values: { diskFreeShare: one(0.01, root) } })), ['critical disk /var']);
  assert.deepEqual(idsOf(box({ values: { diskReadonly: one(1, root) } })), ['critical readonly /var']);
  assert.deepEqual(idsOf(box({ values: { memory: one(0.95) } })), ['warning memory']);
  const gpu = { gpu: '1' };
  assert.deepEqual(idsOf(box({ values: { gpuHot: one(97, gpu), gpuThrottled: one(1, gpu), gpuXid: one(1, gpu), gpuAge: one(40, gpu) } })),
    ['critical hot 1', 'critical xid 1', 'warning throttled 1', 'warning silent 1']);
  assert.deepEqual(idsOf(box({ values: { historyErrors: one(1) } })), ['warning history']);
  assert.deepEqual(idsOf(box({ values: { commitAge: one(400), historyLost: one(3), sampleAge: one(60) } })),
    ['warning history', 'warning history-lost', 'warning samples']);
  assert.deepEqual(idsOf(box({ values: { unsent: one(2), backlog: one(900) } })), ['warning unsent', 'warning backlog']);
});

const alert = (alertname, severity, labels = {}) => ({
  state: 'firing', activeAt: '2027-01-15T08:00:00Z', value: '1', labels: { alertname, severity, ...labels },
  annotations: { summary: `${alertname} on the box`, description: 'as it is', runbook: 'do this' },
});

test('a firing alert is a finding, unless one says the same already', () => {
  const [own] = findings(box({ alerts: [alert('CoffeeEmpty', 'critical')] }));
  assert.deepEqual([own.severity, own.what, own.why, own.action], ['critical', 'CoffeeEmpty on the box', 'as it is', 'do this']);
  assert.equal(own.sinceMs, Date.parse('2027-01-15T08:00:00Z'));
  assert.equal(own.link.href, '/alerts#CoffeeEmpty');
  const full = { values: { diskFreeShare: one(0.07, { mountpoint: '/' }) } };
  assert.deepEqual(idsOf(box({ ...full, alerts: [alert('HearthDiskNearlyFull', 'warning', { mountpoint: '/' })] })), ['warning disk /']);
  const [since] = findings(box({ ...full, alerts: [alert('HearthDiskNearlyFull', 'warning', { mountpoint: '/' })] }));
  assert.equal(since.sinceMs, Date.parse('2027-01-15T08:00:00Z'), 'the alert knows since when');
  assert.equal(findings(box({ ...full, alerts: [alert('HearthDiskNearlyFull', 'warning', { mountpoint: '/data' })] })).length, 2,
    'another disk is another matter');
  assert.deepEqual(idsOf(box({ ...full, alerts: [alert('HearthDiskFull', 'critical')] })), ['critical disk /'], 'the graver word counts');
  assert.deepEqual(findings(box({ alerts: [{ ...alert('Soon', 'critical'), state: 'pending' }] })), []);
});

test('what cannot be judged is said, and the gravest comes first', () => {
  const groups = [{ name: 'g', file: 'my.yml', rules: [{ name: 'R', health: 'err', lastError: 'boom' }, { name: 'S', health: 'ok' }] }];
  const facts = box({ groups, missing: [{ what: 'events', why: 'HTTP 500' }], alerts: [alert('A', 'critical')] });
  const found = findings(facts);
  assert.deepEqual(found.map(({ id }) => id.split(' ')[0]), ['alert', 'rule', 'missing']);
  assert.match(found[1].what, /R cannot be evaluated: boom/);
  assert.equal(headline(found), '3 things need attention.');
  assert.equal(headline(found.slice(0, 1)), 'One thing needs attention.');
});

test('a finding says what, why and what to do, and where to look', () => {
  const all = findings(box({ values: { memory: one(0.99), ttftP95: one(9, kModel), gpuHot: one(99, { gpu: '0' }) } }));
  assert.equal(all.length, 3);
  for (const { what, why, action, link, condition } of all) {
    for (const text of [what, why, action, link.text, condition]) assert.ok(text.length > 3 && !/undefined|NaN|\{/.test(text.replace(/\{[^}]*=[^}]*\}/g, '')), text);
    assert.match(link.href, /^\//);
  }
});

test('all facts are asked in one query, each under its name', () => {
  for (const fact of Object.keys(kFactQueries)) assert.ok(kAllFacts.includes(`"fact", "${fact}", ""`), fact);
  const values = readFacts([{ labels: { fact: 'cpu' }, points: [{ x: 0, y: 0.5 }] }, { labels: { fact: 'gpuHot', gpu: '1' }, points: [{ x: 0, y: 70 }] }]);
  assert.deepEqual(values.cpu, [{ labels: {}, value: 0.5 }]);
  assert.deepEqual(values.gpuHot, [{ labels: { gpu: '1' }, value: 70 }]);
  assert.deepEqual(values.memory, []);
});

test('since when: the last stretch without a hole', () => {
  const points = (...minutes) => [{ points: minutes.map((minute) => ({ x: minute * 60e3 })) }];
  assert.equal(sinceOf(points(1, 2, 5, 6, 7), 60e3, 7.5 * 60e3), 5 * 60e3);
  assert.equal(sinceOf([...points(1, 2), ...points(3, 4)], 60e3, 4 * 60e3), 60e3);
  assert.equal(sinceOf(points(1), 60e3, 9 * 60e3), null, 'it is over');
  assert.equal(sinceOf([], 60e3, 1), null);
});

test('links lead to panels that exist', () => {
  const shipped = readdirSync(kDashboards).map((name) => JSON.parse(readFileSync(join(kDashboards, name), 'utf8')));
  for (const [name, [uid, id, title]] of Object.entries(kPanels)) {
    const panels = shipped.find((dashboard) => dashboard.uid === uid)?.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]) ?? [];
    assert.equal(panels.find((panel) => panel.id === id)?.title, title, name);
  }
  assert.equal(panelLink('ttft', 'a b').href, '/d/hearthLlm?viewPanel=9&var-model_name=a+b');
});

test('a box in recovery mode says that, and nothing else of models that do not run', () => {
  const recovery = box({ status: { models: [], recovery: { reason: 'revision 4 crashed 5 times', crashes: 5 } },
    events: [{ kind: 'recovery_mode', text: 'revision 4', timeMs: kNow - 60e3 }] });
  assert.deepEqual(idsOf(recovery), ['critical recovery']);
  const [finding] = findings(recovery);
  assert.match(finding.what, /revision 4 crashed 5 times/);
  assert.equal(finding.sinceMs, kNow - 60e3);
  assert.equal(finding.link.href, '/config');
});

test('a change of the configuration that was taken back is told for a day', () => {
  const apply = { id: 7, revision: 5, previous: 4, state: 'returned', reason: 'probe_failed', message: 'no answer', ended_ms: kNow - 60e3 };
  assert.deepEqual(idsOf(box({ apply })), ['warning apply 7']);
  const [finding] = findings(box({ apply }));
  assert.match(finding.what, /Revision 5 .*no answer/);
  assert.match(finding.why, /revision 4/);
  assert.equal(finding.sinceMs, apply.ended_ms);
  assert.deepEqual(idsOf(box({ apply: { ...apply, ended_ms: kNow - 25 * 3600e3 } })), []);
  assert.deepEqual(idsOf(box({ apply: { ...apply, reason: 'cancelled' } })), [], 'somebody wanted that');
  assert.deepEqual(idsOf(box({ apply: { ...apply, state: 'confirmed', reason: '' } })), []);
  assert.deepEqual(idsOf(box({ apply: { ...apply, state: 'failed' } })), ['critical apply 7'], 'nothing came back');
});
