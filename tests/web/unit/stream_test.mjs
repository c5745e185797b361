import assert from 'node:assert/strict';
import test from 'node:test';
import { AnswerClock, ChatError, errorSentence, takeChunk } from '../../../webui/js/chat/chat_client.js';
import { splitBlocks, splitInline } from '../../../webui/js/shell/rich_text.js';
import { SseParser } from '../../../webui/js/chat/sse.js';

const bytes = (text) => new TextEncoder().encode(text);

function parsed(chunks) {
  const events = [];
  const parser = new SseParser((event) => events.push(event));
  for (const chunk of chunks) parser.push(typeof chunk === 'string' ? bytes(chunk) : chunk);
  parser.end();
  return events.map((event) => event.data);
}

test('SSE: the same events however the bytes are cut', () => {
  const stream = bytes('data: {"a":"é😀"}\n\n: ping\n\ndata: two\r\ndata: lines\r\n\r\ndata: [DONE]\n\n');
  const whole = parsed([stream]);
  assert.deepEqual(whole, ['{"a":"é😀"}', 'two\nlines', '[DONE]']);
  for (let size = 1; size < stream.length; size++) {
    const chunks = [];
    for (let i = 0; i < stream.length; i += size) chunks.push(stream.slice(i, i + size));
    assert.deepEqual(parsed(chunks), whole, `pieces of ${size} bytes`);
  }
});

test('SSE: comments say nothing, an unfinished event is dropped', () => {
  assert.deepEqual(parsed([': hello\n\n', 'data: a\n\ndata: half']), ['a']);
});

test('SSE: one space after the colon belongs to the syntax', () => {
  assert.deepEqual(parsed(['data:  a\n\n', 'data:b\n\n', 'data\n\n']), [' a', 'b', '']);
});

const chunk = (delta, rest = {}) => JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }], ...rest });

test('chat: TTFT ends at the first text, not at the role', () => {
  const clock = new AnswerClock(1000);
  assert.equal(takeChunk(chunk({ role: 'assistant', content: '' }), clock, 1050), '');
  assert.equal(clock.ttftMs, null);
  assert.equal(takeChunk(chunk({ content: 'Hi' }), clock, 1200), 'Hi');
  takeChunk(chunk({ content: ' you' }), clock, 1700);
  assert.equal(clock.ttftMs, 200);
  assert.equal(clock.tokens, 2);
  assert.equal(clock.tokensPerSecond, 2);
});

test('chat: the server’s usage replaces the count of pieces', () => {
  const clock = new AnswerClock(0);
  takeChunk(chunk({ content: 'a' }), clock, 100);
  takeChunk(chunk({ content: 'b' }), clock, 1100);
  takeChunk(JSON.stringify({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 11 } }), clock, 1200);
  assert.equal(clock.tokens, 11);
  assert.equal(clock.tokensPerSecond, 10);
});

test('chat: an answer that comes in one piece is timed as a whole', () => {
  const clock = new AnswerClock(0);
  takeChunk(chunk({ content: 'a' }), clock, 99);
  takeChunk(chunk({ content: 'b' }), clock, 100);
  takeChunk(JSON.stringify({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 40 } }), clock, 100);
  assert.equal(clock.tokensPerSecond, 400);
});

test('chat: errors become sentences', () => {
  const clock = new AnswerClock(0);
  assert.throws(() => takeChunk('{"error":{"message":"The engine went away."}}', clock, 1), /The engine went away/);
  assert.throws(() => takeChunk('{broken', clock, 1), ChatError);
  assert.equal(errorSentence(400, { error: { message: 'too long' } }), 'too long');
  assert.match(errorSentence(503, null), /not ready/);
  assert.match(errorSentence(500, null), /HTTP 500/);
});

test('answer text: blocks and inline marks, an open fence included', () => {
  assert.deepEqual(splitBlocks('a\nb\n\nc\n```js\nx\n\ny\n```\nd').map(({ kind, text }) => [kind, text]),
    [['paragraph', 'a\nb'], ['paragraph', 'c'], ['code', 'x\n\ny'], ['paragraph', 'd']]);
  assert.deepEqual(splitBlocks('```\n<b>').map(({ kind, text }) => [kind, text]), [['code', '<b>']]);
  assert.deepEqual(splitInline('a `b` **c** <i>'), [
    { kind: 'text', text: 'a ' }, { kind: 'code', text: 'b' }, { kind: 'text', text: ' ' },
    { kind: 'bold', text: 'c' }, { kind: 'text', text: ' <i>' }]);
});
