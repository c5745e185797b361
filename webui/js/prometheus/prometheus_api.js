// Client of Prometheus's HTTP API as the appliance serves it. Every call takes an AbortSignal.

import { t } from '../shell/i18n.js';

/** The server's own error text, fit to be shown in a panel. */
export class ApiError extends Error {
  constructor(message, errorType = '') {
    super(message);
    this.name = 'ApiError';
    this.errorType = errorType;
  }
}

/**
 * @param params as URLSearchParams takes them
 * @returns `data` of a Prometheus answer; throws ApiError with the server's words
 */
export async function apiGet(path, params, signal) {
  const url = `${path}?${new URLSearchParams(params)}`;
  let response;
  try {
    response = await fetch(url, { signal, headers: { Accept: 'application/json' } });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(t('The box does not answer: check that hearthd runs and the network is up.'));
  }
  let body = null;
  try {
    body = await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
  }
  if (body?.status === 'success') return body.data;
  const message = body?.error?.message ?? body?.error ?? `HTTP ${response.status} from ${path}`;
  throw new ApiError(String(message), body?.errorType ?? '');
}

/** Prometheus writes numbers as text, among them NaN, +Inf and -Inf. */
export function parseSample(text) {
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}

/**
 * How long a sample stands for its series. Prometheus's five minutes are made for slow scrapes; the
 * box samples every second and keeps its older history in steps of 10 s, so what is not there after
 * 30 s has ended: a model that is gone, engine metrics switched off, a box that was down.
 */
const kLookbackS = 30;

/** The parameters of a range query, as it is sent. */
export function rangeParams(expr, fromMs, toMs, stepS) {
  return { query: expr, start: fromMs / 1000, end: toMs / 1000, step: stepS, lookback_delta: Math.max(kLookbackS, stepS) };
}

export function instantParams(expr, timeMs) {
  return { query: expr, time: timeMs / 1000, lookback_delta: kLookbackS };
}

/** @returns [{labels, points: [{x: ms, y}]}], points in time order. */
export async function queryRange(expr, fromMs, toMs, stepS, signal) {
  const data = await apiGet('/api/v1/query_range', rangeParams(expr, fromMs, toMs, stepS), signal);
  return data.result.map((series) => ({
    labels: series.metric,
    points: series.values.map(([time, value]) => ({ x: time * 1000, y: parseSample(value) })),
  }));
}

/** @returns the same shape as queryRange with one point per series. */
export async function queryInstant(expr, timeMs, signal) {
  const data = await apiGet('/api/v1/query', instantParams(expr, timeMs), signal);
  const result = data.resultType === 'scalar' ? [{ metric: {}, value: data.result }] : data.result;
  return result.map((series) => ({
    labels: series.metric,
    points: [{ x: series.value[0] * 1000, y: parseSample(series.value[1]) }],
  }));
}

/** The distinct values of `label` over the series of `selector` (all series when null), sorted. */
export async function labelValues(label, selector, fromMs, toMs, signal) {
  const params = { start: fromMs / 1000, end: toMs / 1000 };
  if (selector) params['match[]'] = selector;
  const data = await apiGet(`/api/v1/label/${encodeURIComponent(label)}/values`, params, signal);
  return [...data].sort();
}

/** The label names of the series of `selector` (all series when null), sorted. */
export async function labelNames(selector, fromMs, toMs, signal) {
  const params = { start: fromMs / 1000, end: toMs / 1000 };
  if (selector) params['match[]'] = selector;
  return [...await apiGet('/api/v1/labels', params, signal)].sort();
}

export async function seriesExist(selector, fromMs, toMs, signal) {
  const params = { 'match[]': selector, start: fromMs / 1000, end: toMs / 1000 };
  return (await apiGet('/api/v1/series', params, signal)).length > 0;
}
