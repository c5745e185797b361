// What /metrics says: the families every dashboard knows, in every format, and nothing but the truth.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Appliance, events, eventually, kBinaries, kDemoModel, kSourceRoot, parseMetrics, sleep, total }
  from './appliance.mjs';

const kVllmFamilies = join(kSourceRoot, '../shared/reference/vllm_metrics.json');
const kNoFamilies = existsSync(kVllmFamilies) ? false
  : 'the list of vLLM\'s families lies beside the project, in ../shared';

// {family: {type, help, series: [[name, {label: value}, value]]}} of a page in the text format.
function parsePage(text) {
  const families = {};
  let current;
  for (const line of text.split('\n')) {
    const [, kind, name, rest] = line.match(/^# (HELP|TYPE) (\S+) (.*)$/) ?? [];
    if (kind) {
      current = families[name] ??= { series: [] };
      current[kind.toLowerCase()] = rest;
    } else if (line) {
      const [, series, labels = '', value] = line.match(/^([^{ ]+)(?:\{(.*)\})? (\S+)$/);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]);
      current.series.push([series, Object.fromEntries(pairs), Number(value)]);
    }
  }
  return families;
}

const isAlwaysOn = ({ condition }) => condition === 'always' || condition.startsWith('registered always');

// The values of the labels that have a fixed set of them.
const kChildren = {
  finished_reason: ['abort', 'error', 'length', 'repetition', 'stop'],
  reason: ['capacity', 'deferred'],
  sleep_state: ['awake', 'discard_all', 'weights_offloaded'],
  source: ['external_kv_transfer', 'local_cache_hit', 'local_compute'],
};

// 1, 2, 5, 10 ... up to the context length.
function tokenBuckets(maxModelLen) {
  const bounds = [];
  for (let decade = 1; decade <= maxModelLen; decade *= 10) {
    bounds.push(...[1, 2, 5].map((step) => step * decade).filter((bound) => bound <= maxModelLen));
  }
  return bounds;
}

test('every always-on family of vLLM is there before the first request', { skip: kNoFamilies },
  async (t) => {
    const appliance = await Appliance.start();
    t.after(() => appliance.stop());
    await sleep(1300);
    const page = parsePage(await (await fetch(`${appliance.url}/metrics?view=vllm`)).text());
    const maxModelLen = (await appliance.status()).models[0].max_model_len;
    const wanted = JSON.parse(readFileSync(kVllmFamilies)).metrics.filter(isAlwaysOn);
    for (const { family, type, labels, buckets, bucket_expr: expression, help } of wanted) {
      const name = type === 'counter' && !family.endsWith('_total') ? `${family}_total` : family;
      const found = page[name];
      assert.ok(found, `${name} is missing`);
      assert.equal(found.type, type, name);
      assert.equal(found.help, help, name);
      const names = new Set(found.series.flatMap(([, pairs]) => Object.keys(pairs)));
      names.delete('le');
      assert.deepEqual([...names].sort(), [...labels].sort(), name);
      for (const label of labels.filter((label) => kChildren[label])) {
        const values = new Set(found.series.map(([, pairs]) => pairs[label]));
        assert.deepEqual([...values].sort(), kChildren[label], name);
      }
      for (const [series, pairs, value] of found.series) {
        const awake = pairs.sleep_state === 'awake';
        assert.equal(value, awake ? 1 : 0, `${series} ${JSON.stringify(pairs)}`);
      }
      if (type !== 'histogram') continue;
      const bounds = found.series.map(([, pairs]) => pairs.le).filter((le) => le && le !== '+Inf');
      const expected = expression?.includes('max_model_len') ? tokenBuckets(maxModelLen) : buckets;
      assert.deepEqual(bounds.map(Number), expected, name);
    }
    t.diagnostic(`${wanted.length} families of vLLM, each with its type, help, labels and buckets`);
  });

// What other projects chose, and who asks for exactly that. Our own names must be clean.
const kTheirs = [
  [/^vllm:/, /should not contain ':'/, 'vLLM: the colon'],
  [/^ray_vllm:/, /should not contain ':'/, 'Ray: the colon of its dashboard variables'],
  [/^(vllm:|ray_vllm_)iteration_tokens_total /, /non-counter metrics/, 'vLLM: a histogram with _total'],
  [/^(vllm:|ray_vllm_)healthy_pods_total /, /non-counter metrics/, 'production stack: a gauge with _total'],
  [/^ray_/, /snake_case|type 'counter'|abbreviated units|base unit|non-counter|counter metrics/,
    'Ray: WorkerId, _ms and request_counter'],
  [/^DCGM_/, /./, 'dcgm-exporter: capitals, no base units'],
  [/^autoscaler_/, /./, 'Ray'],
];

// {reason: count}; asserts that promtool complains of nothing else.
function lint(page) {
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
  const tally = {};
  const ours = [];
  for (const line of (promtool.stdout + promtool.stderr).trim().split('\n').filter(Boolean)) {
    const reason = kTheirs.find(([name, what]) => name.test(line) && what.test(line))?.[2];
    if (reason) tally[reason] = (tally[reason] ?? 0) + 1;
    else ours.push(line);
  }
  assert.deepEqual(ours, []);
  return tally;
}

test('promtool complains only of names that others chose', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  await appliance.ask('What is TTFT?');
  await sleep(1300);
  const get = async (query) => (await fetch(`${appliance.url}/metrics${query}`)).text();
  t.diagnostic(`whole page: ${JSON.stringify(lint(await get('')))}`);
  const canonical = lint(await get('?view=vllm&view=hearth'));
  t.diagnostic(`vllm and hearth: ${JSON.stringify(canonical)}`);
  assert.deepEqual(Object.keys(canonical).sort(), ['vLLM: a histogram with _total', 'vLLM: the colon']);
  assert.deepEqual(lint(await get('?view=hearth')), {});
});

test('the format is what the client prefers', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  await appliance.ask('What is TTFT?');
  await sleep(1300);
  const scrape = (accept, headers = {}) =>
    fetch(`${appliance.url}/metrics`, { headers: { accept, 'accept-encoding': 'identity', ...headers } });
  const kPrometheus2 = 'application/openmetrics-text;version=1.0.0,' +
    'application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const kPrometheus3 = 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,' +
    'application/openmetrics-text;version=0.0.1;q=0.4,' +
    'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
  for (const accept of [kPrometheus2, kPrometheus3]) {
    const response = await scrape(accept);
    assert.match(response.headers.get('content-type'), /^application\/openmetrics-text; version=1\.0\.0/);
    const page = await response.text();
    assert.ok(page.endsWith('\n# EOF\n'));
    assert.match(page, /^vllm:generation_tokens_total\{.*\} \d/m);
    assert.match(page, /^vllm:generation_tokens_created\{/m);
    assert.match(page, /^hearth_time_to_first_token_seconds_bucket\{.*\} 1 # \{request_id="[\w-]+"\} [\d.e-]+ \d/m);
    const blank = page.split('\n').slice(0, -1).filter((line) => line === '');
    assert.equal(blank.length, 0, 'OpenMetrics has no blank lines');
  }
  for (const accept of ['*/*', 'text/plain', '', 'application/openmetrics-text;q=0.1,text/plain']) {
    const response = await scrape(accept);
    assert.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/, accept);
  }
  const head = await fetch(`${appliance.url}/metrics`, { method: 'HEAD', headers: { 'accept-encoding': 'identity' } });
  assert.equal(await head.text(), '');
  assert.ok(Number(head.headers.get('content-length')) > 10000);
  const unknown = await fetch(`${appliance.url}/metrics?view=grafana`);
  assert.equal(unknown.status, 400);
  assert.match((await unknown.json()).error.message, /'grafana'.*production_stack/);
});

test('gzip is the same page', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const { request } = await import('node:http');
  const raw = await new Promise((done, failed) => {
    request(`${appliance.url}/metrics?view=hearth`, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => done({ headers: answer.headers, body: Buffer.concat(chunks) }));
    }).on('error', failed).end();
  });
  assert.equal(raw.headers['content-encoding'], 'gzip');
  assert.match(gunzipSync(raw.body).toString(), /^hearth_build_info\{/m);
});

// Sums of everything a scripted load did, as the clients saw it.
class Tally {
  prompt = 0;
  generated = 0;
  answered = { stop: 0, length: 0 };
  clientSeconds = 0;

  add({ usage, choices }, seconds) {
    this.prompt += usage.prompt_tokens;
    this.generated += usage.completion_tokens;
    ++this.answered[choices[0].finish_reason];
    this.clientSeconds += seconds;
  }
}

async function answeredRequests(appliance, tally) {
  const ask = async (content, fields) => {
    const start = performance.now();
    tally.add(await appliance.ask(content, fields), (performance.now() - start) / 1000);
  };
  await ask('What is TTFT?', { max_tokens: 200 });                      // ends by itself
  await ask('What is TTFT?', { max_tokens: 7, ignore_eos: true });      // by length
  await Promise.all([1, 2, 3, 4, 5, 6].map((turn) =>
    ask(`Question ${turn}?`, { max_tokens: 10 * turn, ignore_eos: true })));
  const start = performance.now();
  const response = await appliance.chat('What is TPOT?',
    { stream: true, max_tokens: 20, ignore_eos: true, stream_options: { include_usage: true } });
  let usage;
  for await (const event of events(response)) usage = event.usage ?? usage;
  tally.add({ usage, choices: [{ finish_reason: 'length' }] }, (performance.now() - start) / 1000);
}

const near = (actual, expected, name) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${name}: ${actual}, not ${expected}`);

test('counters are what happened', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const tally = new Tally();
  await answeredRequests(appliance, tally);
  const m = await appliance.settledMetrics();
  const count = tally.answered.stop + tally.answered.length;
  assert.equal(total(m, 'vllm:prompt_tokens_total'), tally.prompt);
  assert.equal(total(m, 'vllm:prompt_tokens_by_source_total'), tally.prompt);
  assert.equal(total(m, 'vllm:request_prompt_tokens_sum'), tally.prompt);
  assert.equal(total(m, 'vllm:generation_tokens_total'), tally.generated);
  assert.equal(total(m, 'vllm:request_generation_tokens_sum'), tally.generated);
  assert.equal(total(m, 'vllm:request_max_num_generation_tokens_sum'), tally.generated);
  assert.equal(total(m, 'vllm:request_params_max_tokens_sum'), 200 + 7 + 210 + 20);
  assert.equal(total(m, 'vllm:request_prefill_kv_computed_tokens_sum') +
    total(m, 'vllm:prompt_tokens_cached_total'), tally.prompt);
  for (const [reason, wanted] of Object.entries(tally.answered)) {
    assert.equal(total(m, 'vllm:request_success_total', `finished_reason="${reason}"`), wanted);
    assert.equal(total(m, 'hearth_requests_answered_total', `finish_reason="${reason}"`), wanted);
  }
  for (const name of ['time_to_first_token_seconds', 'e2e_request_latency_seconds',
    'request_queue_time_seconds', 'request_prefill_time_seconds', 'request_decode_time_seconds',
    'request_inference_time_seconds', 'request_time_per_output_token_seconds', 'request_params_n']) {
    assert.equal(total(m, `vllm:${name}_count`), count, name);
  }
  assert.equal(total(m, 'vllm:inter_token_latency_seconds_count'), tally.generated - count);
  assert.equal(total(m, 'ray_serve_deployment_request_counter_total'), count);
  assert.equal(total(m, 'ray_serve_num_http_requests_total'), count);
  assert.equal(total(m, 'ray_serve_llm_time_to_first_token_seconds_count'), 1, 'one was streamed');
  assert.equal(total(m, 'hearth_slo_requests_total'), count);

  // Clocks: the parts add up, and the whole lies between the engine's part and what clients measured.
  const sum = (name) => total(m, `vllm:${name}_sum`);
  near(sum('request_inference_time_seconds'),
    sum('request_prefill_time_seconds') + sum('request_decode_time_seconds'), 'inference');
  near(sum('inter_token_latency_seconds'), sum('request_decode_time_seconds'), 'inter-token');
  const e2e = sum('e2e_request_latency_seconds');
  assert.ok(e2e <= tally.clientSeconds, `${e2e} s, the clients saw ${tally.clientSeconds} s`);
  assert.ok(e2e >= sum('request_queue_time_seconds') + sum('request_inference_time_seconds'));
  t.diagnostic(`${count} requests: ${e2e.toFixed(4)} s end to end here, ` +
    `${tally.clientSeconds.toFixed(4)} s at the clients`);
});

test('every other end has its own child', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const before = await appliance.settledMetrics();
  assert.equal((await appliance.chat('hi', { temperature: 99 })).status, 400);
  assert.equal((await appliance.chat('hi', { model: 'other' })).status, 404);
  assert.equal((await appliance.chat('word '.repeat(20000))).status, 400);
  const left = new AbortController();
  const response = await appliance.chat('What is TTFT?',
    { stream: true, ignore_eos: true, signal: left.signal });
  for await (const _ of events(response)) break;
  left.abort();
  await eventually('the abort', async () =>
    total(await appliance.metrics(), 'vllm:request_success_total', 'finished_reason="abort"') === 1);
  const held = appliance.chat('What is TTFT?', { stream: true, ignore_eos: true })
    .then(async (stream) => { for await (const _ of events(stream)); });
  await eventually('a running request',
    async () => total(await appliance.metrics(), 'vllm:num_requests_running') === 1);
  process.kill((await appliance.status()).models[0].engine_pid, 'SIGKILL');
  await held;
  const m = await appliance.settledMetrics();
  const change = (name, part) => total(m, name, part) - total(before, name, part);
  for (const [reason, wanted] of Object.entries({ invalid_request: 1, model_not_found: 1,
    context_length_exceeded: 1, client_gone: 1, engine_died: 1, engine_error: 0, lost: 0 })) {
    assert.equal(change('hearth_request_failures_total', `reason="${reason}"`), wanted, reason);
  }
  assert.equal(change('vllm:request_success_total', 'finished_reason="abort"'), 1);
  assert.equal(change('vllm:request_success_total', 'finished_reason="error"'), 1);
  assert.equal(change('ray_serve_deployment_error_counter_total'), 1);
  assert.equal(change('ray_serve_num_http_error_requests_total'), 3, '400, 404 and 400');
  assert.equal(change('hearth_slo_requests_total'), 1, 'the box owed an answer once');
  assert.equal(change('hearth_slo_good_requests_total'), 0);
  assert.equal(total(m, 'hearth_requests_unaccounted'), 0);
  assert.equal(total(m, 'hearth_requests_in_flight'), 0);
  assert.equal(change('hearth_requests_started_total'), 5);
});

test('log_engine_metrics is switched live, under load', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  const pid = (await appliance.status()).models[0].engine_pid;
  let loading = true;
  const load = (async () => {
    let answers = 0;
    while (loading) answers += (await appliance.ask('What is TTFT?', { max_tokens: 20 })).choices.length;
    return answers;
  })();
  const families = async () => {
    await sleep(1300);
    const page = await (await fetch(`${appliance.url}/metrics`)).text();
    return new Set(Object.keys(parsePage(page)));
  };
  const shown = await families();
  assert.equal((await appliance.models('PATCH', 'demo', { log_engine_metrics: false })).status, 200);
  const offS = Date.now() / 1000;
  const hidden = await families();
  const gone = [...shown].filter((name) => !hidden.has(name));
  assert.ok(gone.length >= 60, `${gone.length} families disappeared`);
  assert.ok(gone.every((name) => /^(ray_)?vllm[:_]/.test(name)), gone.join(' '));
  for (const name of ['ray_serve_deployment_request_counter_total', 'hearth_model_state',
    'process_cpu_seconds_total', 'http_requests_total', 'hearth_time_to_first_token_seconds']) {
    assert.ok(hidden.has(name), name);
  }
  await sleep(3000);
  const status = await appliance.status();
  assert.equal(status.models[0].log_engine_metrics, false);
  const query = async (text) => (await (await fetch(`${appliance.url}/api/v1/query_range?` +
    new URLSearchParams({ query: text, start: offS + 2, end: Date.now() / 1000, step: 1 }))).json()).data.result;
  assert.deepEqual(await query('last_over_time(vllm:num_requests_running[1s])'), [], 'still recorded');
  assert.equal((await query('last_over_time(hearth_log_engine_metrics[1s])')).length, 1);
  assert.equal((await appliance.models('PATCH', 'demo', { log_engine_metrics: true })).status, 200);
  const back = await families();
  assert.deepEqual([...shown].filter((name) => !back.has(name)), [], 'not back again');
  loading = false;
  const answers = await load;
  assert.equal((await appliance.status()).models[0].engine_pid, pid, 'the engine was not restarted');
  t.diagnostic(`${gone.length} families went and came back while ${answers} requests were answered`);
  const bad = await appliance.models('PATCH', 'demo', { log_engine_metric: false });
  assert.equal(bad.status, 400);
  assert.match((await bad.json()).error.message, /log_engine_metric/);
});

test('scrapes go on through load, a crash and a model switch, and agree', async (t) => {
  const appliance = await Appliance.start();
  t.after(() => appliance.stop());
  // A third scraper in a process of its own takes the time: this one is busy with the streams.
  const stopwatch = promisify(execFile)(join(kBinaries, 'scrape_bench'), ['load', '--port',
    new URL(appliance.url).port, '--connections', '1', '--pause-ms', '20', '--seconds', '10']);
  const pages = [[], []];
  let scraping = true;
  const scraper = async (index) => {
    while (scraping) {
      const response = await fetch(`${appliance.url}/metrics`);
      const text = await response.text();
      assert.equal(response.status, 200);
      pages[index].push(parseMetrics(text));
      await sleep(20);
    }
  };
  const scrapers = [scraper(0), scraper(1)];
  const stream = async () => {
    const response = await appliance.chat('What is TTFT?', { stream: true, ignore_eos: true, max_tokens: 400 });
    for await (const _ of events(response));
  };
  await Promise.all(Array.from({ length: 8 }, stream));
  const streams = Promise.all(Array.from({ length: 8 }, stream));
  await sleep(200);
  process.kill((await appliance.status()).models[0].engine_pid, 'SIGKILL');
  await streams;
  assert.equal((await appliance.models('POST', '', { model: kDemoModel, model_name: 'second' })).status, 202);
  await eventually('the second model', async () =>
    (await appliance.chat('hi', { model: 'second', max_tokens: 1 })).status === 200);
  assert.equal((await appliance.models('DELETE', 'demo')).status, 200);
  await appliance.ask('hi', { model: 'second', max_tokens: 8 });
  await sleep(2500);
  scraping = false;
  await Promise.all(scrapers);

  const kNames = ['vllm:generation_tokens_total', 'vllm:request_success_total',
    'hearth_requests_started_total', 'vllm:e2e_request_latency_seconds_count'];
  for (const name of kNames) {
    for (const series of pages) {
      const values = series.map((page) => total(page, name));
      values.forEach((value, i) => assert.ok(i === 0 || value >= values[i - 1], `${name} went down`));
    }
    assert.equal(total(pages[0].at(-1), name), total(pages[1].at(-1), name), name);
  }
  assert.ok([...pages[0], ...pages[1]].every((page) => total(page, 'hearth_requests_unaccounted') === 0));
  const { requests, errors, latency_ms: latency } = JSON.parse((await stopwatch).stdout);
  assert.equal(errors, 0);
  t.diagnostic(`${pages[0].length} and ${pages[1].length} scrapes agree, none failed; ${requests} more, ` +
    `of which p50 ${latency.p50.toFixed(2)} ms, p99 ${latency.p99.toFixed(2)} ms, ` +
    `slowest ${latency.max.toFixed(2)} ms`);
});
