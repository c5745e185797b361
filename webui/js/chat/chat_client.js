// One streamed answer from the OpenAI endpoint, with its clocks as the reader of the page sees them.

import { t } from '../shell/i18n.js';
import { SseParser } from './sse.js';

// Below this the pieces of an answer came in one read of the browser.
const kDecodeMsMin = 50;

/** A refusal or a broken stream, in words fit to be shown. */
export class ChatError extends Error {}

/** The sentence of an OpenAI error body, or one about the HTTP status. */
export function errorSentence(status, body) {
  const message = body?.error?.message ?? (typeof body?.error === 'string' ? body.error : '');
  if (message) return message;
  if (status === 503) return 'The model is not ready yet: the strip above says what it is doing.';
  return `The box answered with HTTP ${status}.`;
}

async function refusal(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    // An error without JSON is told by its status alone.
  }
  return new ChatError(errorSentence(response.status, body));
}

/** Collects the chunks of one answer; times are performance.now() milliseconds. */
export class AnswerClock {
  constructor(startMs) {
    this.startMs = startMs;
    this.firstMs = null;
    this.lastMs = null;
    this.pieces = 0;
    this.usage = null;
    this.finishReason = null;
  }

  token(nowMs) {
    this.firstMs ??= nowMs;
    this.lastMs = nowMs;
    this.pieces += 1;
  }

  /** Output tokens: the server's count once it came, until then one per piece of text. */
  get tokens() {
    return this.usage?.completion_tokens ?? this.pieces;
  }

  get ttftMs() {
    return this.firstMs === null ? null : this.firstMs - this.startMs;
  }

  /**
   * Tokens per second after the first token; null before there are two. A fast model's whole answer can
   * reach the page in one piece: what lies between first and last is then the browser's rhythm, not the
   * model's, and the rate is taken over the whole request instead.
   */
  get tokensPerSecond() {
    if (this.tokens < 2) return null;
    const decodeMs = this.lastMs - this.firstMs;
    if (decodeMs >= kDecodeMsMin) return ((this.tokens - 1) * 1000) / decodeMs;
    const wholeMs = this.lastMs - this.startMs;
    return wholeMs > 0 ? (this.tokens * 1000) / wholeMs : null;
  }
}

/** Takes one SSE event of the stream into the clock; returns the text it carries. */
export function takeChunk(data, clock, nowMs) {
  let chunk;
  try {
    chunk = JSON.parse(data);
  } catch {
    throw new ChatError(t('The stream held a piece that is no JSON; the answer may be incomplete.'));
  }
  if (chunk.error) throw new ChatError(errorSentence(500, chunk));
  if (chunk.usage) clock.usage = chunk.usage;
  const choice = chunk.choices?.[0];
  if (!choice) return '';
  if (choice.finish_reason) clock.finishReason = choice.finish_reason;
  const text = choice.delta?.content ?? '';
  if (text !== '') clock.token(nowMs);
  return text;
}

/**
 * @param body of POST /v1/chat/completions without the stream fields
 * @param onText(text, clock) once per piece of text
 * @returns the AnswerClock; throws ChatError, or AbortError when the signal closed the connection.
 */
export async function streamChat(body, onText, signal) {
  const clock = new AnswerClock(performance.now());
  let response;
  try {
    response = await fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
      body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
      signal,
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ChatError(t('The box does not answer: check that hearthd runs and the network is up.'));
  }
  if (!response.ok) throw await refusal(response);
  let done = false;
  const parser = new SseParser(({ data }) => {
    if (data === '[DONE]') {
      done = true;
      return;
    }
    const text = takeChunk(data, clock, performance.now());
    if (text !== '') onText(text, clock);
  });
  await readAll(response.body.getReader(), parser);
  if (!done) throw new ChatError(t('The stream ended before the answer was complete.'));
  return clock;
}

async function readAll(reader, parser) {
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      parser.push(value);
    }
    parser.end();
  } catch (error) {
    if (error.name === 'AbortError' || error instanceof ChatError) throw error;
    throw new ChatError(t('The connection broke before the answer was complete.'));
  } finally {
    reader.cancel().catch(() => {});
  }
}
