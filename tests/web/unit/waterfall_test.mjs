import assert from 'node:assert/strict';
import test from 'node:test';
import { matches } from '../../../webui/js/dashboards/search.js';
import { decodeRate, pieces } from '../../../webui/js/requests/waterfall.js';

const request = (fields) => ({ accept_ms: null, queue_ms: null, prefill_ms: null, decode_ms: null, ttft_ms: null, e2e_ms: 100, ...fields });
const sum = (list) => list.reduce((total, { ms }) => total + ms, 0);

test('waterfall: phases and what is left add up to the whole', () => {
  const list = pieces(request({ accept_ms: 5, queue_ms: 0, prefill_ms: 25, decode_ms: 60, ttft_ms: 31 }));
  assert.deepEqual(list, [{ phase: 'accept', ms: 5 }, { phase: 'prefill', ms: 25 }, { phase: 'decode', ms: 60 }, { phase: 'rest', ms: 10 }]);
});

test('waterfall: a client that left shows the wait for its first token', () => {
  assert.deepEqual(pieces(request({ ttft_ms: 30 })), [{ phase: 'unknown', ms: 30 }, { phase: 'decode', ms: 70 }]);
});

test('waterfall: a refusal is all rest, and clocks that disagree never make a bar too long', () => {
  assert.deepEqual(pieces(request({})), [{ phase: 'rest', ms: 100 }]);
  for (const one of [request({ accept_ms: 80, queue_ms: 80 }), request({ accept_ms: -3, decode_ms: 200 }), request({ e2e_ms: 0, queue_ms: 1 })]) {
    assert.equal(sum(pieces(one)), one.e2e_ms);
  }
});

test('waterfall: the first token is not decoded', () => {
  assert.equal(decodeRate({ generation_tokens: 11, decode_ms: 500 }), 20);
  assert.equal(decodeRate({ generation_tokens: 1, decode_ms: 0 }), null);
  assert.equal(decodeRate({ generation_tokens: null, decode_ms: null }), null);
});

test('dashboards: every word and every tag must fit', () => {
  const board = { title: 'GPU memory', description: 'of one box', uid: 'gpuMem', tags: ['gpu', 'hearth'] };
  assert.ok(matches(board, '', new Set()));
  assert.ok(matches(board, 'MEM box', new Set(['gpu'])));
  assert.ok(!matches(board, 'memory cpu', new Set()));
  assert.ok(!matches(board, 'gpu', new Set(['llm'])));
});
