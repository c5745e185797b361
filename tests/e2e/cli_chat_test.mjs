// hearth chat and hearth bench over a real box, with pipes and on a terminal.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Appliance, eventually, total } from './appliance.mjs';
import { begin, onTerminal, run } from './command.mjs';

let box;
test.before(async () => { box = await Appliance.start(); });
test.after(() => box.stop());

const hearth = (args, options) => run(['--url', box.url, ...args], options);

// Greedy, so that the same question has one answer.
const kQuestion = ['chat', '--temperature', '0', 'What is TTFT?'];

// Long enough to be broken off: no answer of the demo model ends by itself within so many questions.
const kForever = ['bench', '--requests', '100000', '--output-tokens', '200', '--concurrency', '2'];

test('a prompt is answered, from the command line or from standard input', async () => {
  const expected = (await box.ask('What is TTFT?')).choices[0].message.content;
  const asked = await hearth(kQuestion);
  assert.deepEqual([asked.code, asked.err], [0, '']);
  assert.equal(asked.out, `${expected}\n`);
  assert.equal((await hearth(['chat', '--temperature', '0'], { input: 'What is TTFT?' })).out, `${expected}\n`);
  assert.equal((await hearth(['chat', '--temperature', '0', 'What', 'is', '-'], { input: 'TTFT?' })).out, `${expected}\n`);
  const system = await hearth(['chat', '--model', 'demo', '--system', 'Be short.', '--max-tokens', '2', 'What is TTFT?']);
  assert.equal(system.code, 0, system.err);
});

test('--json prints the chunks of the API, a line each', async () => {
  const { code, out } = await hearth([...kQuestion, '--json', '--max-tokens', '5']);
  assert.equal(code, 0);
  const chunks = out.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.ok(chunks.every(({ object }) => object === 'chat.completion.chunk'));
  assert.equal(chunks.at(-1).usage.completion_tokens, 5);
  const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
  assert.ok((await hearth(kQuestion)).out.startsWith(text));
});

test('what cannot be answered is one sentence and an exit status', async () => {
  for (const [code, args, message, input] of [
    [3, ['chat', '--model', 'nope', 'hi'], /^hearth: the model 'nope' does not exist; this box serves 'demo'\n$/],
    [2, ['chat'], /^hearth: there is nothing to ask/, '\n'],
    [2, ['chat', '--max-tokens', '0', 'hi'], /^hearth: .*max_.*tokens.*0/],
    [2, ['chat', '--temperature', 'warm', 'hi'], /--temperature.*warm/],
    [2, ['bench', '--prompt-tokens', '3'], /^hearth: --prompt-tokens 3 is less than a prompt of one word takes, about \d+\n$/],
    [2, ['bench', '--requests', '0'], /--requests.*0/],
    [2, ['bench', '--rate', '-1'], /--rate/],
    [4, ['bench', '--model', 'nope'], /^hearth: the box does not answer: 404: the model 'nope' does not exist/],
    [1, ['bench', '--requests', '2', '--output-tokens', '900000'], /^hearth: (2 of 2 requests failed|.*max_tokens)/],
  ]) {
    const said = await hearth(args, { input });
    assert.equal(said.code, code, `${args.join(' ')}: ${said.out}${said.err}`);
    assert.match(said.err, message, args.join(' '));
  }
  const nobody = await run(['--url', 'http://127.0.0.1:1', 'chat', 'hi']);
  assert.equal(nobody.code, 4);
  assert.match(nobody.err, /^hearth: http:\/\/127\.0\.0\.1:1\/.*connect/);
});

test('on a terminal it is a conversation, and Ctrl-C ends the answer only', { timeout: 60000 }, async () => {
  const chat = onTerminal(['--url', box.url, 'chat', '--temperature', '0']);
  const said = (pattern) => eventually(`${pattern} in ${JSON.stringify(chat.out)}`, () => pattern.test(chat.out));
  await said(/> $/);
  chat.type('What is TTFT?\r');
  await said(/tokens, the first after [^\n]*a second[^\n]*\n\r?> $/);
  assert.match(chat.out, /time to first token/);
  const before = (await box.status()).models[0];
  chat.type('/help\r');
  await said(/\/reset +forget what was said[^]*\r?> $/);
  chat.type('\x03');
  await said(/\(Ctrl-D leaves\)\r?\n\r?> $/);
  chat.type('And TPOT?\r');
  await said(/And TPOT\?[^]*tokens, the first after [^\n]*\n\r?> $/);
  chat.type('\x1b[A\x1b[A');
  await said(/\r> \/help$/);
  chat.type('\x15');
  chat.type('/reset\r');
  await said(/forgotten\.\r?\n\r?> $/);
  chat.type('/model nope\r');
  chat.type('hello\r');
  await said(/\(the model 'nope' does not exist/);
  chat.type('/model demo\r');
  chat.type('\x04');
  const { code } = await chat.ended;
  assert.equal(code, 0);
  assert.equal((await box.status()).models[0].engine_pid, before.engine_pid);
});

test('Ctrl-C during an answer breaks that request off at the engine too', { timeout: 60000 }, async () => {
  const running = begin(['--url', box.url, 'bench', ...kForever.slice(1)]);
  await eventually('load', async () => (await box.status()).models[0].num_ongoing_requests >= 2);
  running.child.kill('SIGINT');
  const { code, out, err } = await running.ended;
  assert.equal(code, 130, err);
  assert.match(err, /^hearth: interrupted; this is what was measured until then\n$/);
  assert.match(out, /^'demo': \d+ of 100000 requests answered/);
  await eventually('an idle engine', async () => (await box.status()).models[0].num_ongoing_requests === 0);

  const answer = begin(['--url', box.url, 'chat', '--max-tokens', '1500', '--temperature', '1.9', 'Tell me everything, and then go on.']);
  await eventually('the first words', () => answer.out.length > 0 || answer.child.exitCode !== null);
  answer.child.kill('SIGINT');
  const ended = await answer.ended;
  // Null: the interrupt came when the answer was over and nobody caught it any more.
  assert.ok([130, 0, null].includes(ended.code), `broken off, or it was over before: ${ended.code} ${ended.err}`);
  await eventually('an idle engine', async () => (await box.status()).models[0].num_ongoing_requests === 0);
});

const kSummaries = ['ttft_ms', 'tpot_ms', 'itl_ms', 'e2e_ms', 'send_delay_ms'];

test('bench measures what it asked for, and the box counts the same', { timeout: 60000 }, async () => {
  const before = await box.settledMetrics();
  const args = ['bench', '--requests', '12', '--concurrency', '3', '--prompt-tokens', '96', '--output-tokens', '20'];
  const { code, out, err } = await hearth([...args, '--json']);
  assert.deepEqual([code, err], [0, '']);
  const report = JSON.parse(out);
  assert.deepEqual([report.succeeded, report.failed, report.requests, report.rate], [12, 0, 12, null]);
  assert.equal(report.output_tokens, 12 * 20);
  assert.ok(Math.abs(report.prompt_tokens / 12 - 96) < 96 * 0.1, `${report.prompt_tokens / 12} prompt tokens each`);
  for (const name of kSummaries) {
    const { p50, p90, p99, max } = report[name];
    assert.ok(p50 <= p90 && p90 <= p99 && p99 <= max, name);
  }
  assert.ok(report.ttft_ms.p50 < report.e2e_ms.p50);
  assert.ok(report.tpot_ms.p50 > 0);
  const after = await box.settledMetrics();
  const grown = (name) => total(after, name) - total(before, name);
  assert.equal(grown('vllm:generation_tokens_total'), 12 * 20 + 2, 'and one each of the two that count words');
  assert.match((await hearth(args)).out, /time to first token \(TTFT\) +\d/);
});

test('bench with a rate counts from when a request was due', { timeout: 60000 }, async () => {
  // One stream for what needs many: the queue is in the client, and must show.
  const { code, out } = await hearth(['bench', '--json', '--requests', '20', '--rate', '400', '--concurrency', '1', '--output-tokens', '40']);
  assert.equal(code, 0);
  const report = JSON.parse(out);
  assert.equal(report.rate, 400);
  assert.ok(report.send_delay_ms.max > 0);
  assert.ok(report.ttft_ms.max >= report.send_delay_ms.max, 'the wait is part of what is measured');
  assert.ok(report.e2e_ms.max > report.e2e_ms.p50, 'later ones waited longer');
});
