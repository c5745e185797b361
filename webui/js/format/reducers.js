// Grafana's reducers: many values of one series become one. Nulls and NaN are skipped, as there.

import { msg } from '../shell/i18n.js';

const last = (values) => values[values.length - 1];
const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;
const max = (values) => values.reduce((most, value) => (value > most ? value : most));
const min = (values) => values.reduce((least, value) => (value < least ? value : least));
const ascending = (values) => [...values].sort((a, b) => a - b);

function median(values) {
  const sorted = ascending(values);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function variance(values) {
  const center = mean(values);
  return sum(values.map((value) => (value - center) ** 2)) / values.length;
}

function percentile(values, percent) {
  const sorted = ascending(values);
  return sorted[Math.round((sorted.length - 1) * percent / 100)];
}

/** The growth of a counter: a smaller value is a reset, from which it counts on from zero. */
function counterDelta(values) {
  let total = 0;
  for (let i = 1; i < values.length; i++) {
    total += values[i] >= values[i - 1] ? values[i] - values[i - 1] : values[i];
  }
  return total;
}

const steps = (values) => values.slice(1).map((value, index) => value - values[index]);

// id -> [title, function of the known numbers (at least one), title's short form for a column head]
const kNumberReducers = {
  lastNotNull: [msg('Last *'), last, msg('Last')],
  firstNotNull: [msg('First *'), (values) => values[0], msg('First')],
  min: [msg('Min'), min],
  max: [msg('Max'), max],
  mean: [msg('Mean'), mean],
  median: [msg('Median'), median],
  variance: [msg('Variance'), variance],
  stdDev: [msg('StdDev'), (values) => Math.sqrt(variance(values))],
  sum: [msg('Total'), sum],
  range: [msg('Range'), (values) => max(values) - min(values)],
  delta: [msg('Delta'), counterDelta],
  step: [msg('Step'), (values) => (values.length > 1 ? min(steps(values)) : null)],
  diff: [msg('Difference'), (values) => last(values) - values[0]],
  diffperc: [msg('Difference percent'), (values) => (last(values) - values[0]) / values[0]],
  logmin: [msg('Min (above zero)'), (values) => {
    const above = values.filter((value) => value > 0);
    return above.length ? min(above) : null;
  }],
};

// id -> [title, function of every value, null among them]
const kListReducers = {
  last: [msg('Last'), (values) => last(values) ?? null],
  first: [msg('First'), (values) => values[0] ?? null],
  count: [msg('Count'), (values, known) => known.length],
  countAll: [msg('Count all'), (values) => values.length],
  distinctCount: [msg('Distinct count'), (values, known) => new Set(known).size],
  changeCount: [msg('Change count'), (values, known) => known.filter((value, i) => i > 0 && value !== known[i - 1]).length],
  allIsNull: [msg('All nulls'), (values, known) => known.length === 0],
  allIsZero: [msg('All zeros'), (values, known) => known.length > 0 && known.every((value) => value === 0)],
};

// What older dashboards call them.
const kOldNames = {
  current: 'lastNotNull', avg: 'mean', total: 'sum',
};

const isKnown = (value) => value !== null && value !== undefined && !Number.isNaN(value);

/**
 * @param values numbers, or texts for the reducers that need no arithmetic
 * @returns null where nothing is left to reduce
 */
export function reduceValues(values, calc) {
  const id = kOldNames[calc] ?? calc;
  const known = values.filter(isKnown);
  if (Object.hasOwn(kListReducers, id)) return kListReducers[id][1](values, known);
  if (known.length === 0) return null;
  const percent = /^p(\d{1,2})$/.exec(id);
  if (percent) return percentile(known, Number(percent[1]));
  const numeric = typeof known[0] === 'number' ? known : null;
  if (id === 'lastNotNull' || !numeric) return id === 'firstNotNull' ? known[0] : last(known);
  return (kNumberReducers[id] ?? kNumberReducers.lastNotNull)[1](numeric);
}

/** Reduces the points of a series; infinite values (an empty histogram's quantile) count as unknown. */
export function reduce(points, calc) {
  return reduceValues(points.map((point) => (Number.isFinite(point.y) ? point.y : null)), calc);
}

/** The column title of a reducer, to be given to t(). */
export function reducerTitle(calc) {
  const id = kOldNames[calc] ?? calc;
  const known = kNumberReducers[id] ?? kListReducers[id];
  if (known) return known[2] ?? known[0];
  return /^p\d{1,2}$/.test(id) ? id : calc;
}

/** The reduced value of a count is no quantity of the field's unit. */
export function reducedUnit(calc, unit) {
  if (['count', 'countAll', 'distinctCount', 'changeCount'].includes(calc)) return 'none';
  if (calc === 'diffperc') return 'percentunit';
  if (calc === 'allIsNull' || calc === 'allIsZero') return 'bool';
  return unit;
}

/** The title as Grafana's transformations name their columns: "Last *". */
export function fullReducerTitle(calc) {
  const id = kOldNames[calc] ?? calc;
  return (kNumberReducers[id] ?? kListReducers[id])?.[0] ?? calc;
}
