// The queries of a panel asked once more, one by one, and watched: how long, how much, what came.

import { instantParams, rangeParams } from '../prometheus/prometheus_api.js';

/** The address that a request of PanelData.requests() is sent to. */
export function requestUrl({ expr, instant, fromMs, toMs, stepS }) {
  if (instant) return `/api/v1/query?${new URLSearchParams(instantParams(expr, toMs))}`;
  return `/api/v1/query_range?${new URLSearchParams(rangeParams(expr, fromMs, toMs, stepS))}`;
}

/** Series and points of a Prometheus answer. */
export function countAnswer(body) {
  const { resultType, result } = body?.data ?? {};
  if (!Array.isArray(result)) return { series: 0, points: 0 };
  if (resultType === 'scalar' || resultType === 'string') return { series: 1, points: 1 };
  return { series: result.length, points: result.reduce((sum, { values }) => sum + (values?.length ?? 1), 0) };
}

/** @returns {{url, status, text, ms, bytes, series, points}} of one request; never rejects, `text` is the error then */
export async function runRequest(request) {
  const url = requestUrl(request);
  const begun = performance.now();
  try {
    const response = await fetch(url, { headers: { Accept: 'application/json' }, cache: 'no-store' });
    const buffer = await response.arrayBuffer();
    const ms = performance.now() - begun;
    const text = new TextDecoder().decode(buffer);
    let body = null;
    try {
      body = JSON.parse(text);
    } catch {
      // Something that is no JSON counts nothing; it is shown as it came.
    }
    return { url, status: response.status, text, ms, bytes: buffer.byteLength, ...countAnswer(body) };
  } catch (error) {
    return { url, status: 0, text: error.message, ms: performance.now() - begun, bytes: 0, series: 0, points: 0 };
  }
}
