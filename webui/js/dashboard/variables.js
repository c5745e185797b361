// Template variables and the macros of panel queries, after Grafana's rules.

import { kFormats, formatDate } from './variable_formats.js';

export const kScrapeIntervalS = 1;  // the box samples itself every second
export const kAll = '$__all';
export const kAutoInterval = '$__auto_interval_';

const kLadderS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
const kDurationS = { ms: 1e-3, s: 1, m: 60, h: 3600, d: 86400, w: 604800, M: 2592000, y: 31536000 };

/**
 * The step of a range query: at most `maxPoints` points, on whole seconds, and from 10 s up on a
 * 1-2-5 ladder so that neighbouring panels of different widths share one step.
 * @param minStepS what the panel or target asks for at least
 */
export function queryStep(rangeS, maxPoints, minStepS = kScrapeIntervalS) {
  const wanted = Math.max(kScrapeIntervalS, rangeS / Math.max(1, maxPoints));
  if (minStepS >= wanted) return Math.max(1, Math.round(minStepS));
  return kLadderS.find((step) => step >= wanted) ?? Math.ceil(wanted / 86400) * 86400;
}

/**
 * Grafana's $__rate_interval: max(step + scrape interval, 4 × scrape interval). The floor stands in
 * for Grafana's "min step": at one sample a second the rule alone gives 4 s, and one request every
 * few seconds then turns each latency quantile into single dots. 15 s is Prometheus's own default
 * scrape interval, so a central Grafana smooths at least as much.
 */
export function rateInterval(stepS, floorS = 15) {
  return Math.max(stepS + kScrapeIntervalS, 4 * kScrapeIntervalS, floorS);
}

/** "1m30s", ">5m" or "90" (seconds) in seconds; null when the text is no duration. */
export function parseDuration(text) {
  const input = String(text ?? '').trim().replace(/^>=?/, '').trim();
  if (/^\d+(\.\d+)?$/.test(input)) return Number(input);
  const parts = [...input.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwMy])/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== input) return null;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * kDurationS[unit], 0);
}

/** The chosen values; All stands for every option. */
function chosenValues(variable) {
  const values = variable.values ?? [];
  return values.includes(kAll) ? variable.options.map((option) => option.value) : values;
}

/** What the bar and titles show: the options' texts. */
export function variableLabel(variable) {
  const values = variable.values ?? [];
  if (values.includes(kAll)) return 'All';
  return values.map((value) => variable.options.find((option) => option.value === value)?.text ?? value).join(' + ');
}

/**
 * One variable as text.
 * @param format of kFormats, "promql" (as it stands between quotes, inside =~ or =) where none is written
 */
export function variableText(variable, format = 'promql') {
  if (format === 'text') return variableLabel(variable);
  if (variable.values?.includes(kAll)) {
    if (variable.allValue && format !== 'queryparam') return variable.allValue;
    if (variable.options.length === 0 && format === 'promql') return '.*';
  }
  const values = chosenValues(variable);
  const single = !variable.multi && !variable.includeAll;
  return (kFormats[format] ?? kFormats.glob)(values, { name: variable.name, single });
}

/**
 * Replaces $name, ${name}, ${name:format} and [[name:format]].
 * @param scope a map of name to text, to a variable, or to a function (format, path) → text; an unknown
 *              name stays as written, so the server's error names it.
 * @param format where none is written
 */
export function interpolate(text, scope, format = 'promql') {
  if (typeof text !== 'string' || !/[$[]/.test(text)) return text;
  const kReference = /\$\{(\w+)(?:\.(\w+))?(?::([^}]+))?\}|\[\[(\w+)(?::(\w+))?\]\]|\$(\w+)/g;
  return text.replace(kReference, (whole, braced, path, bracedFormat, bracket, bracketFormat, plain) => {
    const name = braced ?? bracket ?? plain;
    if (!Object.hasOwn(scope, name)) return whole;
    const entry = scope[name];
    const asked = bracedFormat ?? bracketFormat;
    if (typeof entry === 'function') return entry(asked, path) ?? whole;
    if (typeof entry !== 'object') return String(entry);
    return interpolate(variableText(entry, asked ?? format), { ...scope, [name]: whole }, format);
  });
}

/** Seconds an interval variable's "auto" stands for. */
function autoInterval(variable, rangeS) {
  const least = parseDuration(variable.autoMin) ?? 10;
  return queryStep(rangeS, variable.autoCount || 30, least);
}

function ofRange(variable, rangeS) {
  if (variable.type !== 'interval' || !variable.values.some((value) => String(value).startsWith(kAutoInterval))) return variable;
  return { ...variable, values: [`${autoInterval(variable, rangeS)}s`] };
}

/**
 * The scope of one query: the macros of its step and range, and every variable.
 * @param extra {fromMs, toMs, dashboard: {uid, title}, minStepS, scoped: {name: {text, value}}}: the
 *              last are the values that a repeated panel stands for
 */
export function queryScope(variables, stepS, rangeS, extra = {}) {
  const { minStepS, scoped = {} } = extra;
  const rate = minStepS ? Math.max(stepS + minStepS, 4 * minStepS) : rateInterval(stepS);
  const scope = {
    __interval: `${stepS}s`,
    __interval_ms: String(stepS * 1000),
    __rate_interval: `${rate}s`,
    __rate_interval_ms: String(rate * 1000),
    __range: `${Math.max(1, Math.round(rangeS))}s`,
    __range_s: String(Math.max(1, Math.round(rangeS))),
    __range_ms: String(Math.round(rangeS * 1000)),
  };
  if (extra.fromMs !== undefined) {
    scope.__from = (format) => formatDate(extra.fromMs, format);
    scope.__to = (format) => formatDate(extra.toMs, format);
  }
  if (extra.dashboard) scope.__dashboard = (format, path) => extra.dashboard[path ?? 'title'];
  for (const variable of variables) {
    const one = scoped[variable.name];
    scope[variable.name] = one
      ? { ...variable, values: [one.value], options: [one] }
      : ofRange(variable, rangeS);
  }
  return scope;
}

/** `label_values(metric{...}, label)` or `label_values(label)`; null for any other query. */
export function parseLabelValues(query) {
  const match = /^label_values\(\s*(?:(.+?)\s*,\s*)?([a-zA-Z_$][\w.$]*)\s*\)$/s.exec(query.trim());
  return match ? { selector: match[1] ?? null, label: match[2] } : null;
}
