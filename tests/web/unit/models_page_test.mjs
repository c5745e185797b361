// The models page without a browser: states, memory, scale and jobs in words and numbers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLine, lossText } from '../../../webui/js/models/crash_view.js';
import {
  jobActions, jobChanges, jobNumbers, jobProblem, jobShare, jobState, proposedName, shortHash, sortJobs, uploadOrder,
} from '../../../webui/js/models/library_words.js';
import { memoryParts, modelMemory } from '../../../webui/js/models/memory_parts.js';
import {
  agoText, factsText, keptText, lastUsedText, loadAction, modelState, requestsText, stateChanges, stateOf, whyText,
} from '../../../webui/js/models/model_words.js';
import { directionText, loadShare, scaleOf } from '../../../webui/js/models/scale_marks.js';

const kNow = 1800000000000;
const kMiB = 1024 ** 2;

const replica = (fields = {}) => ({ index: 0, state: 'ready', progress: 1, memory: { weights: null, kv_cache: null, workspace: null, resident: null }, ...fields });
const model = (fields = {}) => ({
  model_name: 'demo', state: 'ready', why: '', num_ongoing: 0, num_waiting: 0, last_used_ms: 0, replicas: [replica()],
  autoscaling: { min_replicas: 0 }, ...fields,
});

test('a state has a word, a colour and, while it loads, how far it is', () => {
  assert.deepEqual(stateOf({ state: 'ready', progress: 1 }), { level: 'ok', text: 'ready' });
  assert.deepEqual(stateOf({ state: 'loading', progress: 0.434 }), { level: 'busy', text: 'loading, 43 %' });
  assert.deepEqual(stateOf({ state: 'loading', progress: 0 }), { level: 'busy', text: 'loading' });
  assert.deepEqual(stateOf({ state: 'dreaming' }), { level: 'off', text: 'dreaming' }, 'a word of a later release is shown as it is');
});

test('a model that loads is as far as the replica that is furthest', () => {
  const replicas = [replica({ state: 'loading', progress: 0.2 }), replica({ state: 'loading', progress: 0.7 })];
  assert.equal(modelState(model({ state: 'loading', replicas })).text, 'loading, 70 %');
  assert.equal(modelState(model({ replicas: [replica(), ...replicas] })).text, 'ready');
  assert.equal(modelState(model({ state: 'asleep', replicas: [] })).text, 'asleep');
});

test('what sleeps says that it wakes, unless the box says more', () => {
  assert.match(whyText(model({ state: 'asleep' })), /next request wakes it/);
  assert.equal(whyText(model({ state: 'asleep', why: 'it gave way to big' })), 'it gave way to big');
  assert.equal(whyText(model()), '');
});

test('last use: never, now, or so long ago', () => {
  assert.equal(lastUsedText(model(), kNow), 'not since the box was started');
  assert.equal(lastUsedText(model({ num_ongoing: 1 }), kNow), 'now');
  assert.equal(lastUsedText(model({ last_used_ms: kNow - 1000 }), kNow), 'now');
  assert.equal(lastUsedText(model({ last_used_ms: kNow - 179e3 }), kNow), '2 minutes ago');
  assert.equal(agoText(kNow - 26 * 3600e3, kNow), '1 day ago');
  assert.equal(agoText(kNow + 5000, kNow), 'now', 'the clocks of box and browser may differ');
});

test('requests are counted, with their limits where there are any', () => {
  const limits = { max_ongoing_requests: 1e9, max_queued_requests: -1 };
  assert.equal(requestsText(model({ num_ongoing: 3, num_waiting: 1, ...limits })), '3 ongoing, 1 waiting');
  assert.equal(requestsText(model({ ...limits, max_ongoing_requests: 64, max_queued_requests: 0 })),
    '0 ongoing, 0 waiting (at most 64 ongoing in each replica, at most 0 waiting)');
});

test('only what is not loaded can be loaded, and what must stay says why', () => {
  assert.equal(loadAction(model()), null);
  assert.equal(loadAction(model({ state: 'asleep' })), 'Load');
  assert.equal(loadAction(model({ state: 'failed' })), 'Try again');
  assert.equal(loadAction(model({ state: 'degraded' })), 'Try in normal mode');
  assert.equal(keptText(model()), '');
  assert.match(keptText(model({ autoscaling: { min_replicas: 2 } })), /min_replicas is 2/);
  assert.match(keptText(model({ state: 'asleep', replicas: [] })), /not loaded/);
});

test('a change of state is said once, and nothing at first', () => {
  const asleep = [model({ state: 'asleep' })];
  assert.deepEqual(stateChanges(null, asleep), []);
  assert.deepEqual(stateChanges(asleep, asleep), []);
  assert.deepEqual(stateChanges(asleep, [model()]), ['demo is ready.']);
  assert.deepEqual(stateChanges([model()], [model({ state: 'failed', why: 'config.json is missing' })]), ['demo is failed. config.json is missing']);
  assert.deepEqual(stateChanges(asleep, [...asleep, model({ model_name: 'new', state: 'loading' })]), ['new is served now: loading']);
});

test('what is known of a model before an engine has held it is nothing', () => {
  assert.equal(factsText(null), '');
  assert.match(factsText({ architecture: 'LlamaForCausalLM', dtype: 'bfloat16', num_parameters: 8e6, max_model_len: 4096, kv_cache_tokens: 0 }),
    /^LlamaForCausalLM · .*parameters · bfloat16 · context of 4,096 tokens$/);
});

test('memory: the parts fill the bar, whatever is known', () => {
  const memory = { weights: 10 * kMiB, kv_cache: 20 * kMiB, workspace: 0, resident: 40 * kMiB };
  const models = [model({ replicas: [replica({ memory }), replica({ memory })] }), model({ model_name: 'asleep', replicas: [] })];
  assert.deepEqual(modelMemory(models[0]), { weights: 20 * kMiB, kv_cache: 40 * kMiB, workspace: 0, total: 60 * kMiB });
  const { parts, limit, modelsBytes } = memoryParts(models, { total_bytes: 200 * kMiB, free_bytes: 100 * kMiB, limit_bytes: 150 * kMiB, models_bytes: 60 * kMiB });
  assert.deepEqual(parts.map(({ model: name, kind, bytes }) => [name, kind, bytes / kMiB]),
    [['demo', 'weights', 20], ['demo', 'kv_cache', 40], ['', 'other', 40], ['', 'free', 100]]);
  assert.equal(parts.reduce((sum, { share }) => sum + share, 0), 1);
  assert.deepEqual(limit, { bytes: 150 * kMiB, share: 0.75 });
  assert.equal(modelsBytes, 60 * kMiB);
});

test('memory: more free than there is room for, no limit, nothing known', () => {
  const { parts, limit } = memoryParts([], { total_bytes: 100, free_bytes: 300, limit_bytes: 0, models_bytes: 0 });
  assert.deepEqual(parts.map(({ kind, share }) => [kind, share]), [['free', 1]]);
  assert.equal(limit, null);
  assert.deepEqual(memoryParts([], { total_bytes: null, free_bytes: null, limit_bytes: 0, models_bytes: 7 }).parts, []);
});

const kScaling = {
  min_replicas: 0, max_replicas: 4, effective_max_replicas: 4, current_replicas: 1, target_replicas: 1, desired_replicas: 2,
  ongoing_requests: 3, target_ongoing_requests: 2, direction: 'up', delay_left_s: 3.2, prevented_by: '',
};

test('the scale reaches from no replica to the most that anything asks for', () => {
  const { length, at, ticks, allowed } = scaleOf(kScaling);
  assert.equal(length, 4);
  assert.deepEqual(ticks, [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(allowed, { from: 0, to: 1 });
  assert.equal(at(2), 0.5);
  assert.equal(scaleOf({ ...kScaling, desired_replicas: 8 }).at(4), 0.5, 'more may be wanted than there may be');
  assert.ok(scaleOf({ ...kScaling, max_replicas: 1000 }).ticks.length <= 25);
  assert.equal(scaleOf({ ...kScaling, max_replicas: 0, current_replicas: 0, target_replicas: 0, desired_replicas: 0 }).length, 1);
});

test('the direction names when, and the load how far it is from what is wished', () => {
  assert.equal(directionText(kScaling), 'More replicas in 4s.');
  assert.equal(directionText({ ...kScaling, direction: 'down', delay_left_s: 90 }), 'Fewer replicas in 1m 30s.');
  assert.equal(directionText({ ...kScaling, direction: 'up', delay_left_s: 0 }), 'More replicas now.');
  assert.equal(directionText({ ...kScaling, direction: 'none', delay_left_s: 0 }), 'It stays as it is.');
  assert.match(directionText({ ...kScaling, prevented_by: 'memory' }), /does not get them/);
  assert.equal(loadShare(kScaling), 1.5);
  assert.equal(loadShare({ ...kScaling, target_replicas: 0, ongoing_requests: 0 }), 0);
});

test('a crash says what became of the requests, and a line of the log has one time', () => {
  assert.equal(lossText({ requests_failed: 0, requests_requeued: 0 }), 'No request was lost with it.');
  assert.match(lossText({ requests_failed: 2, requests_requeued: 3 }), /^2 requests ended with an error. 3 requests .* once more.$/);
  assert.match(lossText({ requests_failed: 0, requests_requeued: 3 }), /^No request was lost with it. 3 requests/);
  assert.equal(logLine({ time_ms: kNow, replica: 1, text: '13:23:50.224 I loaded' }), '[1] 13:23:50.224 I loaded');
  assert.match(logLine({ time_ms: kNow, replica: 0, text: 'terminate called' }), /^\[0\] .*2027.* terminate called$/);
});

const job = (fields = {}) => ({
  id: '1', kind: 'pull', model: 'Org/Name', revision: 'main', state: 'running', bytes_done: 0, bytes_total: 0, rate_bytes_s: 0, eta_s: null,
  files: [], error: '', retry_in_s: null, started_ms: kNow, ended_ms: null, ...fields,
});

test('a job says how far it is, how fast and how long still', () => {
  assert.equal(jobNumbers(job({ bytes_done: 12 * kMiB, bytes_total: 400 * kMiB, rate_bytes_s: 4 * kMiB, eta_s: 97 })), '12 MiB of 400 MiB · 4 MiB/s · 1m 37s left');
  assert.equal(jobNumbers(job({ state: 'resolving' })), '');
  assert.equal(jobNumbers(job({ state: 'paused', bytes_done: kMiB, bytes_total: 2 * kMiB, rate_bytes_s: 5, eta_s: 3 })), '1 MiB of 2 MiB');
  assert.equal(jobShare(job()), null);
  assert.equal(jobShare(job({ bytes_done: 1, bytes_total: 4 })), 0.25);
  assert.equal(jobShare(job({ state: 'done' })), 1);
  assert.deepEqual(jobState(job({ state: 'failed' })), { level: 'error', text: 'failed' });
});

test('a job in trouble says what it is and when it tries again', () => {
  assert.equal(jobProblem(job()), '');
  assert.equal(jobProblem(job({ error: 'the hub answers 503', retry_in_s: 3.4 })), 'the hub answers 503. It tries again in 4s.');
  assert.equal(jobProblem(job({ state: 'failed', error: 'no such model', retry_in_s: 0 })), 'no such model');
});

test('a job may be paused while it works, resumed after, and left alone at its end', () => {
  assert.deepEqual(jobActions(job()), ['pause', 'cancel']);
  assert.deepEqual(jobActions(job({ state: 'paused' })), ['resume', 'cancel']);
  assert.deepEqual(jobActions(job({ state: 'failed' })), ['resume', 'cancel']);
  assert.deepEqual(jobActions(job({ state: 'done' })), []);
  assert.deepEqual(jobActions(job({ state: 'cancelled' })), []);
});

test('what ended is told once, with the reason of a failure', () => {
  const failed = job({ state: 'failed', error: 'no space' });
  assert.deepEqual(jobChanges([job()], [failed]), ['Pull of Org/Name: failed. no space']);
  assert.deepEqual(jobChanges([failed], [failed]), []);
  assert.deepEqual(jobChanges(null, [failed]), []);
  assert.deepEqual(jobChanges([], [failed]), ['Pull of Org/Name: failed. no space'], 'one that began and ended between two looks');
  assert.deepEqual(sortJobs([job(), failed]), { running: [job()], ended: [failed] });
});

test('short forms: hash, name for clients, order of files', () => {
  assert.equal(shortHash('sha256:0123456789abcdef'), '01234567');
  assert.equal(shortHash(''), '');
  assert.equal(proposedName('Qwen/Qwen2.5-0.5B'), 'Qwen2.5-0.5B');
  assert.equal(proposedName('local'), 'local');
  assert.deepEqual(uploadOrder([{ name: 'model.safetensors', size: 9 }, { name: 'config.json', size: 1 }]).map(({ name }) => name), ['config.json', 'model.safetensors']);
});
