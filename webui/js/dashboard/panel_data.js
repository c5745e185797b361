// Runs a panel's queries. A live panel asks only for what is new since its last answer.

import { queryInstant, queryRange } from '../prometheus/prometheus_api.js';
import { nameSeries } from '../prometheus/series.js';
import { FieldConfigs, configureSeries } from './fields.js';
import { interpolate, queryScope, queryStep } from './variables.js';

// The newest points of an answer still change while samples of their window arrive.
const kUnsettledMs = 5000;

/** Joins a kept series list and a newer answer that begins at `newFromMs`. */
function joinSeries(kept, newer, newFromMs, fromMs) {
  const key = (series) => JSON.stringify(Object.entries(series.labels).sort());
  const result = new Map();
  for (const series of kept) {
    const points = series.points.filter((point) => point.x >= fromMs && point.x < newFromMs);
    result.set(key(series), { ...series, points });
  }
  for (const series of newer) {
    const before = result.get(key(series))?.points ?? [];
    result.set(key(series), { ...series, points: before.concat(series.points) });
  }
  return [...result.values()].filter((series) => series.points.length > 0);
}

export class PanelData {
  constructor(panel) {
    this.panel_ = panel;
    this.kept_ = new Map();  // expression and step -> {series, toMs}
    this.abort_ = null;
    this.configs_ = new FieldConfigs(panel.fieldConfig);
  }

  /** The expressions as they are sent, for the panel's inspector. */
  expressions(variables, fromMs, toMs, widthPx) {
    const rangeS = (toMs - fromMs) / 1000;
    const scope = queryScope(variables, queryStep(rangeS, widthPx), rangeS);
    return this.panel_.targets.map((target) => interpolate(target.expr, scope));
  }

  cancel() {
    this.abort_?.abort();
    this.abort_ = null;
  }

  /**
   * @param widthPx points are at most one per pixel of it
   * @returns {{series, fromMs, toMs, stepS}}; throws ApiError, or AbortError after cancel().
   */
  async load(variables, fromMs, toMs, widthPx) {
    this.cancel();
    this.abort_ = new AbortController();
    const { signal } = this.abort_;
    const stepS = queryStep((toMs - fromMs) / 1000, Math.max(100, widthPx));
    const exprs = this.expressions(variables, fromMs, toMs, Math.max(100, widthPx));
    const stepMs = stepS * 1000;
    const alignedFrom = Math.floor(fromMs / stepMs) * stepMs;
    const results = await Promise.all(this.panel_.targets.map((target, index) => (target.instant
      ? queryInstant(exprs[index], toMs, signal)
      : this.range_(exprs[index], alignedFrom, toMs, stepS, signal))));
    this.forgetOthers_(exprs, stepS);
    const series = configureSeries(this.configs_, nameSeries(this.panel_.targets, results));
    return { series, fromMs, toMs, stepS };
  }

  async range_(expr, fromMs, toMs, stepS, signal) {
    const stepMs = stepS * 1000;
    const alignedTo = Math.floor(toMs / stepMs) * stepMs;
    const key = `${stepS} ${expr}`;
    const kept = this.kept_.get(key);
    const reusable = kept && kept.fromMs <= fromMs && kept.toMs >= fromMs && kept.toMs <= alignedTo;
    const settled = reusable ? Math.floor((kept.toMs - kUnsettledMs) / stepMs) * stepMs : fromMs;
    const queryFrom = Math.max(fromMs, settled);
    let series = await queryRange(expr, queryFrom, alignedTo, stepS, signal);
    if (reusable) series = joinSeries(kept.series, series, queryFrom, fromMs);
    this.kept_.set(key, { series, fromMs, toMs: alignedTo });
    return series;
  }

  forgetOthers_(exprs, stepS) {
    const current = new Set(exprs.map((expr) => `${stepS} ${expr}`));
    for (const key of this.kept_.keys()) {
      if (!current.has(key)) this.kept_.delete(key);
    }
  }
}
