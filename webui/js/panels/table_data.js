// A table before it is drawn: which rows, in which order, and what stands under the columns.

import { reduceValues } from '../format/reducers.js';

const isMissing = (value) => value === null || value === undefined || Number.isNaN(value);

/** Numbers by size, texts by the alphabet with numbers in them by size; what is missing comes last. */
export function compareValues(a, b) {
  if (isMissing(a) || isMissing(b)) return Number(isMissing(a)) - Number(isMissing(b));
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true, sensitivity: 'base' });
}

/**
 * Row numbers in the order shown.
 * @param sort {column, desc} or null
 * @param filters Map of column index -> Set of the shown texts that stay
 * @param textOf(column, value) what a cell shows, which the filters compare
 */
export function rowOrder(columns, sort, filters = new Map(), textOf = (column, value) => String(value)) {
  const count = columns.reduce((most, column) => Math.max(most, column.values.length), 0);
  let rows = Array.from({ length: count }, (_, index) => index);
  for (const [index, texts] of filters) {
    const column = columns[index];
    if (column) rows = rows.filter((row) => texts.has(textOf(column, column.values[row])));
  }
  const values = sort && columns[sort.column]?.values;
  if (!values) return rows;
  const missingLast = (a, b) => isMissing(values[a]) || isMissing(values[b]);
  return rows.sort((a, b) => {
    const order = compareValues(values[a], values[b]);
    return sort.desc && !missingLast(a, b) ? -order : order;
  });
}

/** The different texts of a column with their counts, as its filter lists them. */
export function columnTexts(column, textOf) {
  const counts = new Map();
  for (const value of column.values) {
    const text = textOf(column, value);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => compareValues(a, b));
}

/**
 * The footer's values, one per column: reductions of number columns over the shown rows.
 * @param footer Grafana's {show, reducer: [id], fields: [name], countRows}
 * @returns [number | null], or null when there is no footer; countRows puts the count in the first column
 */
export function footerValues(columns, rows, footer) {
  if (!footer?.show) return null;
  const calc = footer.reducer?.[0] ?? 'sum';
  if (calc === 'count' && footer.countRows) return columns.map((_, index) => (index === 0 ? rows.length : null));
  const wanted = footer.fields?.length ? new Set([footer.fields].flat()) : null;
  return columns.map((column) => {
    if (column.type !== 'number' || (wanted && !wanted.has(column.name))) return null;
    return reduceValues(rows.map((row) => column.values[row]), calc);
  });
}

const kOldModes = {
  'color-text': { type: 'color-text' },
  'color-background': { type: 'color-background', mode: 'gradient' },
  'color-background-solid': { type: 'color-background', mode: 'basic' },
  'gradient-gauge': { type: 'gauge', mode: 'gradient' },
  'lcd-gauge': { type: 'gauge', mode: 'lcd' },
  basic: { type: 'gauge', mode: 'basic' },
  'json-view': { type: 'json-view' },
};

/** How a column's cells look: Grafana's cellOptions, or the displayMode of older files. */
export function cellOptions(config) {
  return config.custom?.cellOptions ?? kOldModes[config.custom?.displayMode] ?? { type: 'auto' };
}

/** Smallest and largest number of a column, for gauges and relative colours. */
export function columnLimits(column) {
  const known = column.values.filter((value) => typeof value === 'number' && Number.isFinite(value));
  if (known.length === 0) return {};
  return {
    min: known.reduce((least, value) => Math.min(least, value)), max: known.reduce((most, value) => Math.max(most, value)),
  };
}
