// Runs a panel's queries. A live panel asks only for what is new since its last answer, and not at all
// while nothing new can be there: then it hands out the very same answer, so that nobody draws it again.

import { queryInstant, queryRange } from '../prometheus/prometheus_api.js';
import { countsPerBucket } from '../prometheus/buckets.js';
import { nameSeries } from '../prometheus/series.js';
import { FieldConfigs, configureSeries } from './fields.js';
import { configureFrames, framesOf, seriesOf } from './frames.js';
import { applyTransformations } from './transformations.js';
import { interpolate, parseDuration, queryScope, queryStep } from './variables.js';

// The newest points of an answer still change while samples of their window arrive.
const kUnsettledMs = 5000;
const kMostPointsPerPixel = 2;
const kSameRange = 0.1;  // a live range that moved by less than this share of itself is the same view

/** A series' identity: its labels in order. */
function keyOf(series) {
  series.key ??= JSON.stringify(Object.entries(series.labels).sort());
  return series.key;
}

/** Joins a kept series list and a newer answer that begins at `newFromMs`. */
function joinSeries(kept, newer, newFromMs, fromMs) {
  const result = new Map();
  for (const series of kept) {
    const points = series.points.filter((point) => point.x >= fromMs && point.x < newFromMs);
    result.set(keyOf(series), { ...series, points });
  }
  for (const series of newer) {
    const before = result.get(keyOf(series))?.points ?? [];
    result.set(keyOf(series), { ...series, points: before.concat(series.points) });
  }
  return [...result.values()].filter((series) => series.points.length > 0);
}

function samePoints(a, b) {
  return a.length === b.length && a.every((point, index) => Object.is(point.y, b[index].y));
}

function sameSeries(a, b) {
  return a.length === b.length
    && a.every((series, index) => keyOf(series) === keyOf(b[index]) && samePoints(series.points, b[index].points));
}

const alignDown = (ms, stepMs) => Math.floor(ms / stepMs) * stepMs;

const stepOf = (plan) => plan.queries.reduce((least, query) => Math.min(least, query.stepS), Infinity);

/** A range that moved by less than a step shows the same points at the same pixels. */
function signatureOf(plan, fromMs, toMs) {
  const stepMs = stepOf(plan) * 1000;
  return `${alignDown(fromMs, stepMs)} ${alignDown(toMs, stepMs)} ${plan.text}`;
}

/** The panel's own time in place of the dashboard's: "Last 1h", shifted by "1d". */
export function panelRange(panel, fromMs, toMs) {
  const lengthS = parseDuration(panel.timeFrom);
  const shiftMs = (parseDuration(panel.timeShift) ?? 0) * 1000;
  const start = lengthS === null ? fromMs : toMs - lengthS * 1000;
  return { fromMs: start - shiftMs, toMs: toMs - shiftMs };
}

/** What a panel shows instead of the dashboard's time, in words; '' when it follows it. */
export function panelTimeText(panel) {
  return [panel.timeFrom && `now-${panel.timeFrom}`, panel.timeShift && `-${panel.timeShift}`].filter(Boolean).join(' ');
}

export class PanelData {
  constructor(panel) {
    this.panel_ = panel;
    this.kept_ = new Map();  // step and expression -> {series, fromMs, toMs, settled}
    this.planParts_ = [];
    this.keptPlan_ = null;
    this.timed_ = panel.targets.some(({ expr, legendFormat }) => /__(from|to)\b/.test(`${expr} ${legendFormat}`));
    this.abort_ = null;
    this.configs_ = new FieldConfigs(panel.fieldConfig);
    this.last_ = null;     // {signature, results, answer}
    this.pending_ = null;  // {key, fromMs, promise} of the load that is under way
  }

  /**
   * What is sent for each target: {queries, text}; the same object while nothing it depends on changed,
   * because a live dashboard asks for it every second.
   */
  plan_(variables, fromMs, toMs, widthPx) {
    const parts = [toMs - fromMs, widthPx, ...variables.flatMap(({ values, options }) => [values, options])];
    const known = this.planParts_.length === parts.length && parts.every((part, index) => part === this.planParts_[index]);
    if (!known || this.timed_) {
      const queries = this.panel_.targets.map((target) => this.query_(target, variables, fromMs, toMs, widthPx));
      this.planParts_ = parts;
      this.keptPlan_ = { queries, text: JSON.stringify(queries.map(({ expr, legend, stepS }) => [expr, legend, stepS])) };
    }
    return this.keptPlan_;
  }

  query_(target, variables, fromMs, toMs, widthPx) {
    const { panel_: panel } = this;
    const rangeS = (toMs - fromMs) / 1000;
    const width = Math.max(100, widthPx);
    const points = Math.min(panel.maxDataPoints ?? width, width * kMostPointsPerPixel);
    const extra = { fromMs, toMs, dashboard: panel.dashboard, scoped: panel.scoped };
    const minStep = target.minStep ? interpolate(target.minStep, queryScope(variables, 1, rangeS, extra), 'raw') : '';
    const minStepS = parseDuration(minStep);
    const stepS = queryStep(rangeS, points, minStepS ?? undefined) * (target.intervalFactor > 1 ? target.intervalFactor : 1);
    const scope = queryScope(variables, stepS, rangeS, { ...extra, minStepS });
    return {
      target, stepS,
      expr: interpolate(target.expr, scope),
      legend: interpolate(target.legendFormat ?? '', scope, 'glob'),
      instant: Boolean(target.instant && !target.range),
    };
  }

  /** The expressions as they are sent, for the panel's inspector. */
  expressions(variables, fromMs, toMs, widthPx) {
    const range = panelRange(this.panel_, fromMs, toMs);
    return this.plan_(variables, range.fromMs, range.toMs, widthPx).queries.map(({ expr }) => expr);
  }

  /** What is sent for each target: [{target, expr, legend, stepS, instant, fromMs, toMs}]. */
  requests(variables, dashboardFromMs, dashboardToMs, widthPx) {
    const { fromMs, toMs } = panelRange(this.panel_, dashboardFromMs, dashboardToMs);
    return this.plan_(variables, fromMs, toMs, widthPx).queries.map((query) => {
      const stepMs = query.stepS * 1000;
      const aligned = (ms) => (query.instant ? ms : Math.floor(ms / stepMs) * stepMs);
      return { ...query, fromMs: aligned(fromMs), toMs: aligned(toMs) };
    });
  }

  /** The last answer's series as they were before the panel's transformations. */
  untransformed() {
    const { last_: last, configs_: configs } = this;
    return { series: last ? configureSeries(configs, last.named) : [] };
  }

  cancel() {
    this.abort_?.abort();
    this.abort_ = null;
    this.pending_ = null;
  }

  /** The next load asks for everything anew. */
  forget() {
    this.kept_.clear();
    this.last_ = null;
  }

  /**
   * The answer that load() would give, when nothing has to be asked for it; null else.
   * @see load
   */
  current(variables, dashboardFromMs, dashboardToMs, widthPx) {
    const { fromMs, toMs } = panelRange(this.panel_, dashboardFromMs, dashboardToMs);
    const plan = this.plan_(variables, fromMs, toMs, widthPx);
    if (this.last_?.signature !== signatureOf(plan, fromMs, toMs)) return null;
    return plan.queries.every((query) => !query.instant && this.settled_(query, fromMs, toMs)) ? this.last_.answer : null;
  }

  /**
   * @param widthPx points are at most two per pixel of it
   * @returns {{series, tables, fromMs, toMs, stepS}}, the same object as before when nothing changed;
   *          throws ApiError, or AbortError after cancel() or a load of something else.
   */
  load(variables, dashboardFromMs, dashboardToMs, widthPx) {
    const { fromMs, toMs } = panelRange(this.panel_, dashboardFromMs, dashboardToMs);
    const plan = this.plan_(variables, fromMs, toMs, widthPx);
    const key = `${toMs - fromMs} ${plan.text}`;
    // A box slower than the refresh would never be heard out if each refresh cut off the one before.
    const onlyLater = this.pending_?.key === key && Math.abs(fromMs - this.pending_.fromMs) <= (toMs - fromMs) * kSameRange;
    if (onlyLater) return this.pending_.promise;
    this.cancel();
    this.abort_ = new AbortController();
    const pending = { key, fromMs, promise: this.ask_(plan, fromMs, toMs, this.abort_.signal) };
    this.pending_ = pending;
    const done = () => { if (this.pending_ === pending) this.pending_ = null; };
    pending.promise.then(done, done);
    return pending.promise;
  }

  async ask_(plan, fromMs, toMs, signal) {
    const results = await Promise.all(plan.queries.map((query) => (query.instant
      ? this.instant_(query, toMs, signal)
      : this.range_(query, fromMs, toMs, signal))));
    this.forgetOthers_(plan.queries);
    const signature = signatureOf(plan, fromMs, toMs);
    const { last_: last } = this;
    if (last?.signature === signature && results.every((result, index) => result === last.results[index])) return last.answer;
    const { answer, named } = this.answer_(plan.queries, results, { fromMs, toMs, stepS: stepOf(plan) });
    this.last_ = { signature, results, answer, named };
    return answer;
  }

  /** @returns {{named, answer}}: the series before transformations, and what load() gives */
  answer_(queries, results, range) {
    const targets = queries.map(({ target, legend }) => ({ ...target, legendFormat: legend }));
    const shaped = results.map((list, index) => (targets[index].format === 'heatmap' ? countsPerBucket(list) : list));
    const named = nameSeries(targets, shaped);
    const configs = this.configs_;
    if (this.panel_.transformations.length === 0) {
      const series = configureSeries(configs, named);
      // Time series never become tables unless a panel asks for them.
      return { named, answer: { series, ...range, get tables() { return configureFrames(configs, framesOf(targets, series)); } } };
    }
    const tables = configureFrames(configs, applyTransformations(framesOf(targets, named), this.panel_.transformations));
    const configured = seriesOf(tables, range.toMs).map((series) => ({ ...series, config: configs.of({ ...series, type: 'number' }) }));
    return { named, answer: { series: configured, tables, ...range } };
  }

  async instant_({ expr }, toMs, signal) {
    const key = `instant ${expr}`;
    const series = await queryInstant(expr, toMs, signal);
    const kept = this.kept_.get(key)?.series;
    if (kept && sameSeries(kept, series)) return kept;
    this.kept_.set(key, { series });
    return series;
  }

  /** What is kept of a query and needs no asking for this range; null else. */
  settled_({ expr, stepS }, rangeFromMs, toMs) {
    const kept = this.kept_.get(`${stepS} ${expr}`);
    const stepMs = stepS * 1000;
    if (!kept || kept.fromMs !== alignDown(rangeFromMs, stepMs) || kept.toMs !== alignDown(toMs, stepMs)) return null;
    // The last point is asked for twice: when it begins, and when its window is complete.
    return kept.settled || (stepMs >= kUnsettledMs && Date.now() - kept.toMs < kUnsettledMs) ? kept : null;
  }

  async range_(query, rangeFromMs, toMs, signal) {
    const known = this.settled_(query, rangeFromMs, toMs);
    if (known) return known.series;
    const { expr, stepS } = query;
    const stepMs = stepS * 1000;
    const fromMs = alignDown(rangeFromMs, stepMs);
    const alignedTo = alignDown(toMs, stepMs);
    const key = `${stepS} ${expr}`;
    const kept = this.kept_.get(key);
    const settledNow = Date.now() - alignedTo >= kUnsettledMs;
    const reusable = kept && kept.fromMs <= fromMs && kept.toMs >= fromMs && kept.toMs <= alignedTo;
    const queryFrom = reusable ? Math.max(fromMs, alignDown(kept.toMs - kUnsettledMs, stepMs)) : fromMs;
    let series = await queryRange(expr, queryFrom, alignedTo, stepS, signal);
    if (reusable) series = joinSeries(kept.series, series, queryFrom, fromMs);
    if (kept && kept.fromMs === fromMs && sameSeries(kept.series, series)) series = kept.series;
    this.kept_.set(key, { series, fromMs, toMs: alignedTo, settled: settledNow });
    return series;
  }

  forgetOthers_(queries) {
    const current = new Set(queries.map(({ expr, stepS, instant }) => (instant ? `instant ${expr}` : `${stepS} ${expr}`)));
    for (const key of this.kept_.keys()) {
      if (!current.has(key)) this.kept_.delete(key);
    }
  }
}
