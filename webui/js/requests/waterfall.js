// Where one request's time went, as pieces of a bar.

import { msg } from '../shell/i18n.js';

/** In the order in which a request passes them. */
export const kPhases = [
  ['accept', 'accept_ms', msg('Accepted')],
  ['queue', 'queue_ms', msg('Queue')],
  ['prefill', 'prefill_ms', msg('Prefill')],
  ['decode', 'decode_ms', msg('Decode')],
];

/**
 * @param request a row of /api/requests
 * @returns [{phase, ms}] that add up to e2e_ms: the phases the engine told, then "rest" for what none of
 *          them is. Without the engine's times, "prefill" reaches to the first token if there was one.
 */
export function pieces(request) {
  let leftMs = Math.max(0, request.e2e_ms);
  const take = (phase, ms) => {
    const taken = Math.min(leftMs, Math.max(0, ms));
    leftMs -= taken;
    return { phase, ms: taken };
  };
  const told = kPhases.filter(([, field]) => request[field] !== null).map(([phase, field]) => take(phase, request[field]));
  if (told.length === 0 && request.ttft_ms !== null) told.push(take('unknown', request.ttft_ms), take('decode', leftMs));
  return [...told, take('rest', leftMs)].filter(({ ms }) => ms > 0);
}

/** Generated tokens per second of decoding, or null. The first token comes with the prefill. */
export function decodeRate({ generation_tokens: tokens, decode_ms: ms }) {
  return tokens > 1 && ms > 0 ? (tokens - 1) / (ms / 1000) : null;
}
