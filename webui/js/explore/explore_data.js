// Runs Explore's queries, each by itself: one that fails leaves the others' answers alone.

import { FieldConfigs, configureSeries } from '../dashboard/fields.js';
import { interpolate, queryScope, queryStep } from '../dashboard/variables.js';
import { t } from '../shell/i18n.js';
import { emptyReason } from '../prometheus/empty_reason.js';
import { queryInstant, queryRange } from '../prometheus/prometheus_api.js';
import { RangeFacts } from '../prometheus/range_facts.js';
import { nameSeries } from '../prometheus/series.js';
import { readStep } from './explore_url.js';
import { annotate } from './promql_tokens.js';

const kMostPoints = 11000;  // a series; Prometheus refuses more, and so does the box
const kAllModels = [{ name: 'model_name', includeAll: true, allValue: '.*', values: ['$__all'], options: [] }];
const kConfigs = new FieldConfigs({});

/** Seconds of one step for `stepText` of the address over a range drawn `widthPx` wide. */
export function stepSeconds(stepText, fromMs, toMs, widthPx) {
  const rangeS = (toMs - fromMs) / 1000;
  const auto = queryStep(rangeS, Math.max(100, widthPx));
  const { mode, ms } = readStep(stepText);
  const wanted = { auto, min: Math.max(auto, ms / 1000), exact: ms / 1000 }[mode];
  return Math.max(wanted, rangeS / (kMostPoints - 1));
}

/** The expression as it is sent: the macros of step and range filled in. */
export function sentExpr(expr, fromMs, toMs, stepS) {
  return interpolate(expr, queryScope(kAllModels, stepS, (toMs - fromMs) / 1000));
}

/**
 * @param query {expr, legend, refId}
 * @param view {fromMs, toMs, stepS, graph, table}
 * @returns {{series, rows, points, ms}}: the named series of the graph, and of the table with one
 * point each; `ms` from question to answer. Throws ApiError, or AbortError after an abort.
 */
export async function runQuery(query, view, signal) {
  const { fromMs, toMs, stepS } = view;
  const stepMs = stepS * 1000;
  const expr = sentExpr(query.expr, fromMs, toMs, stepS);
  const begun = performance.now();
  const [range, instant] = await Promise.all([
    view.graph ? queryRange(expr, Math.floor(fromMs / stepMs) * stepMs, Math.floor(toMs / stepMs) * stepMs, stepS, signal) : [],
    view.table ? queryInstant(expr, toMs, signal) : [],
  ]);
  const ms = performance.now() - begun;
  const targets = [{ refId: query.refId, legendFormat: query.legend }];
  const series = configureSeries(kConfigs, nameSeries(targets, [range]));
  return { series, rows: instant, points: range.reduce((sum, { points }) => sum + points.length, 0), ms };
}

/** Why a query found nothing, in one sentence. @param metrics those that have series in the range */
export async function explainEmpty(expr, view, metrics) {
  const known = new Set(metrics.map(({ name }) => name));
  const unknown = annotate(expr).tokens.find((token) => token.role === 'metric' && !known.has(token.text));
  if (unknown && metrics.length > 0) {
    return t('No series is called {name} in this time range', { name: unknown.text });
  }
  const facts = await new RangeFacts(kAllModels, view.fromMs, view.toMs).get();
  return emptyReason([expr], [], facts).text;
}
