// Where a variable's options come from: what the dashboard lists, or what the box answers.

import { toRegExp } from '../format/regexp.js';
import { seriesName } from '../prometheus/legend.js';
import { labelNames, labelValues, queryInstant } from '../prometheus/prometheus_api.js';
import { interpolate, kAll, kAutoInterval, parseLabelValues } from './variables.js';

const kMetricName = '__name__';

/**
 * Grafana's Prometheus variable queries.
 * @returns {{kind: 'labelValues', label, selector}}, {{kind: 'labelNames', selector}},
 *          {{kind: 'metrics', pattern}}, {{kind: 'queryResult', expr}} or, for anything else,
 *          {{kind: 'series', selector}}, as Grafana takes it
 */
export function parseVariableQuery(query) {
  const text = query.trim();
  const values = parseLabelValues(text);
  if (values) return { kind: 'labelValues', ...values };
  const names = /^label_names\(\s*(.*?)\s*\)$/s.exec(text);
  if (names) return { kind: 'labelNames', selector: names[1] || null };
  const metrics = /^metrics\(\s*(.*?)\s*\)$/s.exec(text);
  if (metrics) return { kind: 'metrics', pattern: metrics[1] };
  const result = /^query_result\(\s*(.+?)\s*\)$/s.exec(text);
  if (result) return { kind: 'queryResult', expr: result[1] };
  return { kind: 'series', selector: text };
}

const option = (text, value = text) => ({ text, value });

const kAsk = {
  labelValues: async ({ label, selector }, range) => (await labelValues(label, selector, ...range)).map((one) => option(one)),
  labelNames: async ({ selector }, range) => (await labelNames(selector, ...range)).map((one) => option(one)),
  metrics: async ({ pattern }, range) => {
    const expression = new RegExp(pattern || '.*');
    return (await labelValues(kMetricName, null, ...range)).filter((one) => expression.test(one)).map((one) => option(one));
  },
  // "name{labels} value time", from which a regex cuts what it needs.
  queryResult: async ({ expr }, [, toMs, signal]) => (await queryInstant(expr, toMs, signal))
    .map(({ labels, points }) => option(`${seriesName(labels)} ${points[0].y} ${points[0].x}`)),
  series: async ({ selector }, [, toMs, signal]) => (await queryInstant(selector, toMs, signal))
    .map(({ labels }) => option(seriesName(labels))),
};

/** Keeps and cuts options by a variable's regex: its groups "text" and "value", or its first group. */
export function applyRegex(options, regex) {
  const expression = regex ? toRegExp(regex.startsWith('/') ? regex : `/${regex}/`) : null;
  if (!expression) return options;
  const result = [];
  const global = new RegExp(expression.source, `${expression.flags}g`);
  for (const { text } of options) {
    for (const found of text.matchAll(global)) {
      const { text: asText, value: asValue } = found.groups ?? {};
      const first = found[1] ?? found[0];
      const value = asValue ?? (asText === undefined ? first : asText);
      result.push(option(asText ?? value, value));
      if (!/\/[a-z]*g[a-z]*$/.test(regex)) break;
    }
  }
  return [...new Map(result.map((one) => [one.value, one])).values()];
}

const digits = (text) => Number(/\d+(\.\d+)?/.exec(text)?.[0] ?? NaN);
const byText = (fold) => (a, b) => (fold(a.text) < fold(b.text) ? -1 : Number(fold(a.text) > fold(b.text)));
const byNumber = (a, b) => (digits(a.text) || 0) - (digits(b.text) || 0) || byText(String)(a, b);

// Grafana's sort ids: 1, 2 by letter, 3, 4 by number, 5, 6 by letter in either case, 7, 8 naturally.
const kOrders = [null, byText(String), byText(String), byNumber, byNumber,
  byText((text) => text.toLowerCase()), byText((text) => text.toLowerCase()),
  (a, b) => a.text.localeCompare(b.text, 'en', { numeric: true }),
  (a, b) => a.text.localeCompare(b.text, 'en', { numeric: true })];

export function sortOptions(options, sort) {
  const order = kOrders[sort];
  if (!order) return options;
  const sorted = [...options].sort(order);
  return sort % 2 ? sorted : sorted.reverse();
}

/** "a, b : c, d\, e" → options; a pair is "text : value". */
export function customOptions(query) {
  const parts = query.match(/(?:\\,|[^,])+/g) ?? [];
  return parts.map((part) => {
    const text = part.trim().replaceAll('\\,', ',');
    const pair = /^(\S.*?)\s+:\s+(\S.*)$/.exec(text);
    return pair ? option(pair[1], pair[2]) : option(text);
  }).filter(({ text }) => text !== '');
}

function intervalOptions(variable) {
  const options = variable.query.split(',').map((text) => text.trim().replace(/^"|"$/g, '')).filter(Boolean).map((text) => option(text));
  return variable.auto ? [option('auto', kAutoInterval + variable.name), ...options] : options;
}

async function askOptions(variable, scope, range) {
  switch (variable.type) {
    case 'custom': return customOptions(interpolate(variable.query, scope, 'raw'));
    case 'interval': return intervalOptions(variable);
    case 'constant': return [option(variable.query)];
    case 'datasource': return [option('Hearth', variable.values.find((value) => value !== kAll) ?? 'hearth')];
    case 'query': {
      const query = parseVariableQuery(interpolate(variable.query, scope));
      return sortOptions(applyRegex(await kAsk[query.kind](query, range), interpolate(variable.regex ?? '', scope, 'raw')), variable.sort);
    }
    default: return variable.options;
  }
}

/**
 * The values that stay chosen among new options; the first, or All, where none of them is left.
 * @param keepMissing a value of the address may belong to a series that is not there yet: it stays
 */
export function keepValues(variable, keepMissing = false) {
  if (variable.type === 'textbox') return variable.values;
  const known = variable.values.filter((value) => value === kAll || variable.options.some((one) => one.value === value));
  if (known.length > 0) return known;
  if (keepMissing && variable.values.length > 0 && variable.type === 'query') return variable.values;
  return variable.includeAll ? [kAll] : variable.options.slice(0, 1).map(({ value }) => value);
}

/** Fills variable.options; a query asks the box. `range` is [fromMs, toMs, signal]. */
export async function loadOptions(variable, scope, range, keepMissing) {
  variable.options = await askOptions(variable, scope, range);
  variable.values = keepValues(variable, keepMissing);
}

/** Names of the variables that the text refers to, of those given. */
function references(text, names) {
  return names.filter((name) => new RegExp(`\\$${name}\\b|\\$\\{${name}\\b|\\[\\[${name}\\b`).test(text));
}

/** Variables in the order in which they can be asked: one that another's query names comes first. */
export function inOrderOfNeed(variables) {
  const names = variables.map(({ name }) => name);
  const ordered = [];
  const visit = (variable, path) => {
    if (ordered.includes(variable) || path.includes(variable.name)) return;
    for (const name of references(`${variable.query} ${variable.regex ?? ''}`, names)) {
      visit(variables.find((one) => one.name === name), [...path, variable.name]);
    }
    if (!ordered.includes(variable)) ordered.push(variable);
  };
  for (const variable of variables) visit(variable, []);
  return ordered;
}

/** The variables whose options hang on `changed`, directly or over others. */
export function dependents(variables, changed) {
  const found = new Set([changed.name]);
  return inOrderOfNeed(variables).filter((variable) => {
    const hangs = variable !== changed
      && references(`${variable.query} ${variable.regex ?? ''}`, [...found]).length > 0;
    if (hangs) found.add(variable.name);
    return hangs;
  });
}

/**
 * Fills the options of all variables, each after those that its query names.
 * @param scopeOf() gives the scope as it is now, the variables that are done included
 * @param only the variables to ask; all when null, as after the page was opened
 * @returns what could not be asked: [{variable, error}]
 */
export async function loadVariables(variables, scopeOf, fromMs, toMs, { only = null, signal } = {}) {
  const failed = [];
  for (const variable of inOrderOfNeed(variables)) {
    if (only && !only.includes(variable)) continue;
    try {
      await loadOptions(variable, scopeOf(), [fromMs, toMs, signal], only === null);
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      // The panels ask the same box and show its answer; All needs no options.
      if (variable.values.length === 0 && variable.includeAll) variable.values = [kAll];
      failed.push({ variable, error });
    }
  }
  return failed;
}

/** The variables that Grafana asks again when the time range changes (refresh: 2). */
export function ofTimeRange(variables) {
  return variables.filter((variable) => variable.type === 'query' && variable.refresh === 2);
}

/** The values after `clicked` was chosen: All and single values exclude each other. */
export function chooseValue(variable, clicked) {
  if (clicked === kAll || !variable.multi) return [clicked];
  const single = variable.values.filter((value) => value !== kAll);
  const next = single.includes(clicked) ? single.filter((value) => value !== clicked) : [...single, clicked];
  return next.length === 0 && variable.includeAll ? [kAll] : next;
}
