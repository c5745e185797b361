// What clients, probes and scrapers see while a real engine dies in every way an engine can.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { Appliance, events, eventually, isSanitized, sleep, total } from './appliance.mjs';

const kPollMs = 200;
const kPrompt = 'What is TTFT?';
const kLong = { ignore_eos: true };  // runs for as long as the context allows

const table = [];
after(() => {
  const columns = ['case', 'clients saw', 'longest', 'ready again', 'polls'];
  const rows = [columns, ...table.map((row) => columns.map((column) => `${row[column] ?? ''}`))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  console.log(rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')).join('\n'));
});

const engineOf = async (box) => (await box.status()).models[0];
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

// The end of one request: {status, error, tokens, done, ms}; it always resolves.
async function fate(box, content, fields = {}) {
  const began = Date.now();
  const end = { status: 0, tokens: 0, done: false };
  try {
    const response = await box.chat(content, fields);
    end.status = response.status;
    end.retryAfter = response.headers.get('retry-after');
    if (fields.stream && response.ok) {
      for await (const event of events(response)) {
        if (event === '[DONE]') end.done = true;
        else if (event.error) end.error = event.error;
        else end.tokens += event.choices?.[0]?.delta?.content ? 1 : 0;
      }
    } else {
      const body = await response.json();
      end.error = body.error;
      end.text = body.choices?.[0].message.content;
      end.done = response.ok;
    }
  } catch (error) {
    end.broken = error.message;
  }
  end.ms = Date.now() - began;
  return end;
}

function tally(ends) {
  const counts = new Map();
  for (const end of ends) {
    const what = end.broken ? 'broken' : end.error ? `${end.status} ${end.error.type}` : `${end.status} whole`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} x ${what}`).join(', ');
}

// Asks the probes every 200 ms until it is told to stop.
function watch(box) {
  const seen = { polls: 0, unready: [], ready: [], bad: [], reasons: new Set() };
  let over = false;
  const loop = (async () => {
    while (!over) {
      const at = Date.now();
      const [live, ready, metrics] = await Promise.all(['/health/live', '/health/ready', '/metrics']
        .map((path) => fetch(box.url + path).then(async (r) => ({ status: r.status, text: await r.text() }),
          (error) => ({ status: 0, text: error.message }))));
      ++seen.polls;
      if (live.status !== 200 || metrics.status !== 200 || ![200, 503].includes(ready.status)) {
        seen.bad.push(`${live.status} ${ready.status} ${metrics.status}`);
      }
      (ready.status === 200 ? seen.ready : seen.unready).push(at);
      if (ready.status === 503) seen.reasons.add(JSON.parse(ready.text).reason);
      await sleep(Math.max(0, kPollMs - (Date.now() - at)));
    }
  })();
  return { seen, async stop() { over = true; await loop; return seen; } };
}

// Waits for the engine that hearthd starts after `old`, without giving way to anything: it loads within
// milliseconds, and is to be met while it does.
function nextEngine(box, old) {
  const tasks = `/proc/${box.child.pid}/task`;
  const deadline = Date.now() + 20000;
  while (Date.now() < deadline) {
    for (const task of readdirSync(tasks)) {
      let children = '';
      try {
        children = readFileSync(`${tasks}/${task}/children`, 'utf8');
      } catch {
        continue;  // a thread that has ended meanwhile
      }
      const pid = children.split(' ').map(Number).find((each) => each > 0 && each !== old);
      if (pid) return pid;
    }
  }
  throw new Error('no engine was started');
}

// Requests that an engine has and cannot begin with: it is stopped.
async function stoppedUnder(box, pid, count, ask) {
  process.kill(pid, 'SIGSTOP');
  const requests = Array.from({ length: count }, (_, i) => ask(i));
  await eventually('requests with the engine', async () => (await engineOf(box)).num_ongoing_requests === count);
  return requests;
}

const isReady = async (box) => (await fetch(`${box.url}/health/ready`)).status === 200;

// Runs `wreck` under requests, and waits until the box is ready again. `requests` are promises of fate().
async function wrecked(box, name, requests, wreck, { readyMs = 30000 } = {}) {
  const before = await box.settledMetrics();
  const watching = watch(box);
  const began = Date.now();
  try {
    await wreck();
  } catch (error) {
    await watching.stop();
    throw error;
  }
  // Whatever a client is told, the probe knows it as soon: no readiness of an engine that is gone.
  const checked = requests.map(async (request) => {
    const end = await request;
    if (end.error?.type !== 'engine_restarted') return end;
    const ready = await (await fetch(`${box.url}/health/ready`)).json();
    const { restarts } = await engineOf(box);
    end.lied = ready.status === 'ready' && restarts === 0;
    return end;
  });
  const ends = await Promise.all(checked);
  await eventually('a ready box', () => isReady(box), readyMs);
  const readyAgain = Date.now() - began;
  await sleep(kPollMs);
  const seen = await watching.stop();
  const metrics = await box.settledMetrics();
  table.push({ case: name, 'clients saw': tally(ends), longest: seconds(Math.max(0, ...ends.map((e) => e.ms))),
    'ready again': seconds(readyAgain), polls: `${seen.polls}, 503: ${seen.unready.length} (${[...seen.reasons]})` });
  assert.deepEqual(seen.bad, [], 'the front answers throughout');
  assert.equal(ends.filter((end) => end.broken || end.lied).length, 0, JSON.stringify(ends));
  for (const [key, value] of Object.entries(before)) {
    if (/_total(\{|$)/.test(key) && !/process_|^node_|^DCGM_/.test(key) && key in metrics) assert.ok(metrics[key] >= value, `${key} went down`);
  }
  assert.equal(total(metrics, 'hearth_requests_unaccounted'), 0);
  assert.equal(total(metrics, 'hearth_requests_in_flight'), 0);
  return { ends, seen, readyAgain, metrics, grew: (key, part) => total(metrics, key, part) - total(before, key, part) };
}

// Resolves when every one of the streams has brought a token: what a client sees as "under way".
async function streamsUnderWay(box, count) {
  const streams = Array.from({ length: count }, (_, i) =>
    fate(box, `${kPrompt} ${i}`, { ...kLong, stream: true }));
  await eventually('running requests', async () => (await engineOf(box)).num_ongoing_requests === count);
  await sleep(150);
  return streams;
}

function assertBrokenOff(end) {
  assert.equal(end.error.type, 'engine_restarted');
  assert.equal(end.error.code, 503);
  assert.ok(end.error.request_id);
  assert.ok(!end.done, 'no [DONE] after an answer that is not whole');
}

test('killed under streams and under requests that have just come', { timeout: 120000 }, async (t) => {
  const box = await Appliance.start();
  t.after(() => box.stop());

  let { engine_pid: pid } = await engineOf(box);
  const streams = await streamsUnderWay(box, 8);
  const killed = await wrecked(box, 'SIGKILL under 8 streams', streams, () => process.kill(pid, 'SIGKILL'));
  assert.equal(killed.ends.length, 8);
  for (const end of killed.ends) {
    assertBrokenOff(end);
    assert.ok(end.error.generated_tokens > 0);
  }
  assert.equal(killed.grew('hearth_engine_crashes_total', 'reason="killed"'), 1);
  const { last_crash: crash } = await engineOf(box);
  assert.equal(crash.how, 'was killed by signal 9 (Killed)');
  assert.equal(crash.requests_failed, 8);
  assert.ok(crash.log.length > 0, 'the engine said something');
  const { lines } = await (await fetch(`${box.url}/api/models/demo/log?lines=20`)).json();
  assert.ok(lines.some((line) => line.text.includes('loaded Qwen2ForCausalLM')), JSON.stringify(lines));

  ({ engine_pid: pid } = await engineOf(box));
  const fresh = [];
  const asked = await wrecked(box, 'SIGKILL as 16 requests come', fresh, async () => {
    fresh.push(...await stoppedUnder(box, pid, 16, (i) => fate(box, `${kPrompt} (${i})`, { stream: i % 2 === 0 })));
    process.kill(pid, 'SIGKILL');
  });
  for (const end of asked.ends) assert.ok(end.status === 200 && end.done && !end.error, JSON.stringify(end));
  assert.equal(asked.grew('hearth_requests_requeued_total'), 16);
  assert.equal(asked.grew('hearth_requests_started_total'), 16, 'each counts once');
  assert.equal(asked.grew('vllm:request_success_total', 'finished_reason="error"'), 0);
});

test('stopped under streams: found, ended, started again', { timeout: 120000 }, async (t) => {
  const box = await Appliance.start();
  t.after(() => box.stop());
  const { engine_pid: pid } = await engineOf(box);
  const streams = await streamsUnderWay(box, 4);
  let stoppedAt;
  const stopped = await wrecked(box, 'SIGSTOP under 4 streams', streams, () => {
    stoppedAt = Date.now();
    process.kill(pid, 'SIGSTOP');
  });
  for (const end of stopped.ends) assertBrokenOff(end);
  assert.ok(stopped.seen.unready[0] - stoppedAt <= 12000, `503 after ${stopped.seen.unready[0] - stoppedAt} ms`);
  assert.ok(stopped.readyAgain <= 20000, `ready after ${stopped.readyAgain} ms`);
  assert.ok(stopped.seen.reasons.has('stalled'), 'said before it is acted on');
  assert.equal(stopped.grew('hearth_engine_stalls_total'), 1);
  const { events: told } = await (await fetch(`${box.url}/api/events`)).json();
  assert.ok(told.some((event) => event.kind === 'engine_stalled'));
  assert.match(box.log, /has not moved for 10 s .*its threads: T/);
});

test('killed while it loads, and while it reads a long prompt', { timeout: 120000 }, async (t) => {
  const box = await Appliance.start();
  t.after(() => box.stop());
  const first = (await engineOf(box)).engine_pid;
  const waiting = [];
  const loading = await wrecked(box, 'SIGKILL, and again while it loads', waiting, async () => {
    waiting.push(...await stoppedUnder(box, first, 4, (i) => fate(box, `${kPrompt} ${i}`)));
    process.kill(first, 'SIGKILL');
    process.kill(nextEngine(box, first), 'SIGKILL');
  });
  for (const end of loading.ends) assert.ok(end.status === 200 && end.done, JSON.stringify(end));
  assert.equal(loading.grew('hearth_engine_crashes_total'), 2);

  // 16 prompts of some 1,900 tokens are a dozen steps: when two of them are done, most have no token.
  const { engine_pid: pid, steps } = await engineOf(box);
  const long = [];
  const reading = await wrecked(box, 'SIGKILL while 16 long prompts are read', long, async () => {
    for (let i = 0; i < 16; ++i) {
      const prompt = `${i} ` + Array.from({ length: 600 }, (_, k) => `${(i * k) % 97}`).join(' ');
      long.push(fate(box, prompt, { max_tokens: 8, stream: true }));
    }
    await eventually('two steps', async () => (await engineOf(box)).steps >= steps + 2);
    process.kill(pid, 'SIGKILL');
  });
  for (const end of reading.ends) {
    assert.ok(end.status === 200, JSON.stringify(end));
    if (end.error) assertBrokenOff(end);
    else assert.ok(end.done);
  }
  assert.ok(reading.grew('hearth_requests_requeued_total') > 0);
});

test('a request that two engines died of is put away', { timeout: 120000 }, async (t) => {
  const box = await Appliance.start();
  t.after(() => box.stop());
  const poison = { ...kLong, stream: false };
  const ends = [];
  const put = await wrecked(box, 'SIGKILL twice under one request', ends, async () => {
    for (let i = 0; i < 2; ++i) {
      const engine = await eventually('a ready engine', async () => {
        const model = await engineOf(box);
        return model.state === 'ready' && model.restarts === i && model;
      });
      const request = fate(box, 'poison', poison);
      ends.push(request);
      // Two sequences decode for seconds: it is in the batch.
      await eventually('a step', async () => (await engineOf(box)).steps > engine.steps + 3);
      process.kill(engine.engine_pid, 'SIGKILL');
      await request;
    }
  });
  assert.equal(put.ends[0].status, 503);
  assert.ok(Number(put.ends[0].retryAfter) >= 1);
  assertBrokenOff(put.ends[0]);
  assert.equal(put.ends[1].status, 400);
  assert.equal(put.ends[1].error.code, 'request_quarantined');
  const again = await fate(box, 'poison', poison);
  assert.equal(again.status, 400);
  assert.equal(again.error.code, 'request_quarantined');
  assert.equal((await fate(box, 'another')).status, 200);
  assert.equal((await engineOf(box)).restarts, 2);
  await eventually('the event', async () => (await (await fetch(`${box.url}/api/events`)).json()).events
    .some((event) => event.kind === 'request_quarantined'));
});

test('memory runs out, while it serves and while it is loaded again', { timeout: 120000 }, async (t) => {
  const box = await Appliance.start();
  t.after(() => box.stop());
  const { engine_pid: pid } = await engineOf(box);
  if (isSanitized(pid)) return t.skip('a sanitizer ends the process itself when memory runs out');
  const limit = (process_id, mib) => execFileSync('prlimit', ['--pid', `${process_id}`, `--as=${mib * 1048576}`]);
  const ends = [];
  const ran = await wrecked(box, 'out of memory, also at the reload', ends, async () => {
    limit(pid, 64);
    ends.push(...await stoppedUnder(box, pid, 1, () => fate(box, 'word '.repeat(400000))));  // a frame of 2 MB
    process.kill(pid, 'SIGCONT');
    const next = nextEngine(box, pid);
    process.kill(next, 'SIGSTOP');
    limit(next, 64);
    process.kill(next, 'SIGCONT');
  });
  assert.equal(ran.ends[0].status, 400);
  assert.equal(ran.ends[0].error.code, 'context_length_exceeded', 'the answer of the engine that had memory');
  assert.ok(ran.grew('hearth_engine_crashes_total', 'reason="out_of_memory"') >= 1);
  assert.match(box.log, /out of memory in step \d+: /);
  assert.match(box.log, /could not be loaded again: .* (is|are) free/);
  assert.equal((await fate(box, kPrompt)).status, 200);
});

test('five crashes make it degraded, and it serves in safe mode', { timeout: 120000 }, async (t) => {
  const box = await Appliance.start();
  t.after(() => box.stop());
  for (let i = 0; i < 5; ++i) {
    const { engine_pid: pid } = await eventually('a ready engine', async () => {
      const model = await engineOf(box);
      return model.state === 'ready' && model.restarts === i && model;
    });
    process.kill(pid, 'SIGKILL');
  }
  const model = await eventually('safe mode', async () => {
    const now = await engineOf(box);
    return now.state === 'degraded' && now;
  });
  assert.ok(model.safe_mode);
  assert.match(model.message, /safe mode/);
  const ready = await fetch(`${box.url}/health/ready`);
  assert.equal(ready.status, 503);
  assert.equal((await ready.json()).reason, 'degraded');
  assert.equal((await fetch(`${box.url}/health`)).status, 200, 'as vLLM: it serves');
  const ends = await Promise.all(Array.from({ length: 4 }, (_, i) => fate(box, `${kPrompt} ${i}`)));
  assert.ok(ends.every((end) => end.status === 200), JSON.stringify(ends));
  const metrics = await box.settledMetrics();
  assert.equal(total(metrics, 'hearth_engine_degraded'), 1);
  table.push({ case: '5 x SIGKILL, then safe mode', 'clients saw': tally(ends),
    longest: seconds(Math.max(...ends.map((end) => end.ms))), polls: '503 (degraded)' });
});

test('an engine that hangs when it is unloaded is killed and gone', { timeout: 120000 }, async (t) => {
  const box = await Appliance.start();
  t.after(() => box.stop());
  const { engine_pid: pid } = await engineOf(box);
  process.kill(pid, 'SIGSTOP');
  const began = Date.now();
  assert.equal((await box.models('DELETE', 'demo')).status, 200);
  await eventually('the end of the engine', () => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
  table.push({ case: 'SIGSTOP, then unload', 'clients saw': '', longest: '', 'ready again': `gone after ${seconds(Date.now() - began)}` });
});
