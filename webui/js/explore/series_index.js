// What completion and the metric browser know of the box: metrics with type and help, labels, values.
// Asked when needed and kept for a minute.

import { apiGet, labelValues } from '../prometheus/prometheus_api.js';

const kKeepMs = 60000;
const kPartOf = /_(bucket|sum|count|total)$/;  // a histogram's metadata stand under its own name

/** `metric{a="1"}` of a metric's name and matchers as they stand in a query; null for no matcher. */
export function selectorOf(metric, matchers) {
  const inside = matchers.map((matcher) => matcher.text).join(',');
  if (metric) return inside ? `${metric}{${inside}}` : metric;
  return inside ? `{${inside}}` : null;
}

/** @param metadata of /api/v1/metadata @returns [{name, type, help}] for the names that have series */
export function describeMetrics(names, metadata) {
  return names.map((name) => {
    const entry = metadata[name]?.[0] ?? metadata[name.replace(kPartOf, '')]?.[0] ?? {};
    return { name, type: entry.type ?? '', help: entry.help ?? '' };
  });
}

export class SeriesIndex {
  /** @param range() gives {fromMs, toMs}: what is known is known of that time */
  constructor(range) {
    this.range_ = range;
    this.kept_ = new Map();  // question -> {atMs, answer}
  }

  /** The answer of `ask`, kept for a minute; `otherwise` when the box does not say. */
  async keep_(question, ask, otherwise) {
    const kept = this.kept_.get(question);
    if (kept && Date.now() - kept.atMs < kKeepMs) return kept.answer;
    const answer = ask().catch(() => {
      this.kept_.delete(question);  // the next keystroke asks again
      return otherwise;
    });
    this.kept_.set(question, { atMs: Date.now(), answer });
    return answer;
  }

  key_(...parts) {
    const { fromMs, toMs } = this.range_();
    return JSON.stringify([Math.round(fromMs / kKeepMs), Math.round(toMs / kKeepMs), ...parts]);
  }

  metrics() {
    return this.keep_(this.key_('metrics'), async () => {
      const { fromMs, toMs } = this.range_();
      const [names, metadata] = await Promise.all([
        labelValues('__name__', null, fromMs, toMs), apiGet('/api/v1/metadata', {})]);
      return describeMetrics(names, metadata);
    }, []);
  }

  /** @param metrics whose labels are meant; all when empty */
  labels(metrics, matchers = []) {
    const selectors = metrics.length > 0 ? metrics.map((metric) => selectorOf(metric, matchers))
      : [selectorOf('', matchers)].filter(Boolean);
    return this.keep_(this.key_('labels', selectors), () => {
      const { fromMs, toMs } = this.range_();
      return apiGet('/api/v1/labels', [['start', fromMs / 1000], ['end', toMs / 1000],
        ...selectors.map((selector) => ['match[]', selector])]);
    }, []);
  }

  values(label, metric, matchers) {
    const selector = selectorOf(metric, matchers);
    return this.keep_(this.key_('values', label, selector), () => {
      const { fromMs, toMs } = this.range_();
      return labelValues(label, selector, fromMs, toMs);
    }, []);
  }

  /** The series of one metric, as their labels. */
  series(metric) {
    return this.keep_(this.key_('series', metric), () => {
      const { fromMs, toMs } = this.range_();
      return apiGet('/api/v1/series', { 'match[]': metric, start: fromMs / 1000, end: toMs / 1000 });
    }, []);
  }

  /** What completionsFor() needs at a place of completionContext(). */
  async known(context) {
    const known = { metrics: [], labels: [], values: [] };
    if (context.kind === 'expression' || (context.kind === 'label' && context.metrics.length > 0)) {
      known.metrics = await this.metrics();
    }
    if (context.kind === 'label') {
      const exist = context.metrics.filter((metric) => known.metrics.some(({ name }) => name === metric));
      known.labels = await this.labels(exist, context.matchers);
      // Matchers that nothing fits would leave nothing to choose from.
      if (known.labels.length === 0) known.labels = await this.labels(exist);
    }
    if (context.kind === 'value') {
      known.values = await this.values(context.label, context.metric, context.matchers);
      if (known.values.length === 0) known.values = await this.values(context.label, '', []);
    }
    return known;
  }
}
