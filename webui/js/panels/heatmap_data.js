// What a heatmap shows, before anything is drawn: rows (buckets or series) by columns of time.

import { upperBound } from '../prometheus/buckets.js';

const kTimeUnitsMs = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const kDefaultColumns = 30;
const kDefaultRows = 10;
const kMaxRows = 300;  // a size made for smaller values would fill the memory with empty rows

/** "30s", "1m" or a number of milliseconds; 0 where nothing is said. */
export function durationMs(text) {
  if (typeof text === 'number') return text;
  const match = /^\s*([\d.]+)\s*(ms|[smhdw])?\s*$/.exec(text ?? '');
  return match ? Number(match[1]) * kTimeUnitsMs[match[2] ?? 'ms'] : 0;
}

/**
 * Reads the options of both of Grafana's heatmaps: the one of today, and the one before version 9,
 * whose options stand in the panel itself.
 * @param panel {options, json}: json is the panel as the file has it
 */
export function heatmapOptions(panel) {
  const { options } = panel;
  const old = panel.json ?? {};
  if (options.color || options.calculate !== undefined || !old.dataFormat) return options;
  const exponent = old.color?.colorScale === 'linear' ? 1 : old.color?.exponent ?? 0.5;
  const bySize = (size, count) => (size ? { mode: 'size', value: String(size) } : { mode: 'count', value: count && String(count) });
  return {
    calculate: old.dataFormat !== 'tsbuckets',
    calculation: {
      xBuckets: bySize(old.xBucketSize, old.xBucketNumber),
      yBuckets: {
        ...bySize(old.yBucketSize, old.yBucketNumber),
        scale: old.yAxis?.logBase > 1 ? { type: 'log', log: old.yAxis.logBase } : { type: 'linear' },
      },
    },
    color: {
      mode: old.color?.mode === 'opacity' ? 'opacity' : 'scheme', scheme: old.color?.colorScheme, steps: 128,
      fill: old.color?.cardColor, exponent, oldExponent: exponent, min: old.color?.min, max: old.color?.max,
    },
    filterValues: old.hideZeroBuckets === false ? {} : { le: 1e-9 },
    cellGap: old.cards?.cardPadding ?? 1,
    yAxis: {
      unit: old.yAxis?.format, decimals: old.yAxis?.decimals ?? undefined, min: old.yAxis?.min ?? undefined,
      max: old.yAxis?.max ?? undefined, reverse: old.reverseYBuckets, bound: old.yBucketBound,
    },
    legend: { show: Boolean(old.legend?.show) },
    tooltip: { mode: old.tooltip?.show === false ? 'none' : 'single' },
  };
}

/** Adds up the series of one bound: the same bucket of several histograms. */
function rowsByBound(seriesList) {
  const rows = new Map();
  for (const series of seriesList) {
    const bound = upperBound(series.labels);
    const row = rows.get(bound) ?? { high: bound, counts: new Map() };
    for (const { x, y } of series.points) {
      if (Number.isFinite(y)) row.counts.set(x, (row.counts.get(x) ?? 0) + y);
    }
    rows.set(bound, row);
  }
  return [...rows.values()].sort((a, b) => a.high - b.high)
    .map((row, index, all) => ({ ...row, low: index === 0 ? -Infinity : all[index - 1].high }));
}

/**
 * Rows that the query already made: histogram buckets where every series has a bound, else a row per
 * series in the order of the query.
 * @returns {{rows: [{low, high, name}], cells: [{x, x2, row, v}]}}; a cell ends at its sample's time,
 * because a rate over a step counts what came before it.
 */
export function bucketRows(seriesList, stepMs) {
  const bounded = seriesList.length > 0 && seriesList.every((series) => upperBound(series.labels) !== null);
  const rows = bounded ? rowsByBound(seriesList) : seriesList.map((series) => ({
    name: series.name, counts: new Map(series.points.map((point) => [point.x, point.y])),
  }));
  const cells = rows.flatMap(({ counts }, row) => [...counts].filter(([, v]) => Number.isFinite(v))
    .map(([x, v]) => ({ x: x - stepMs, x2: x, row, v })));
  return { rows: rows.map(({ low, high, name }) => ({ low, high, name })), cells };
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `size`. */
function roundUp(size) {
  if (!(size > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].find((factor) => factor * power >= size * (1 - 1e-9)) * power;
}

const kTimeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400]
  .map((seconds) => seconds * 1000);

function columnWidthMs(config, fromMs, toMs, stepMs) {
  if (config?.mode === 'size' && durationMs(config.value) > 0) return Math.max(stepMs, durationMs(config.value));
  const wanted = (toMs - fromMs) / (Number(config?.value) || kDefaultColumns);
  const width = kTimeSteps.find((step) => step >= wanted) ?? Math.ceil(wanted / 864e5) * 864e5;
  return Math.max(width, stepMs);
}

/** Row edges over the values: {indexOf(value), edge(index)}. */
function rowGrid(config, min, max) {
  const log = config?.scale?.type === 'log' ? Number(config.scale.log) || 2 : 0;
  const value = Number(config?.value) || 0;
  if (log > 1) {
    const split = config.mode === 'count' && value > 0 ? value : 1;  // rows per power of the base
    return {
      indexOf: (y) => (y > 0 ? Math.floor(Math.log(y) / Math.log(log) * split + 1e-9) : null),
      edge: (index) => log ** (index / split),
    };
  }
  const size = config?.mode === 'size' && value > 0 ? Math.max(value, roundUp((max - min) / kMaxRows))
    : roundUp((max - min || Math.abs(max) || 1) / (value || kDefaultRows));
  return { indexOf: (y) => Math.floor(y / size + 1e-9), edge: (index) => index * size };
}

/**
 * Counts the samples of plain series by time and value ("calculate").
 * @param calculation Grafana's {xBuckets, yBuckets}: {mode: 'size' | 'count', value, scale}
 * @returns as bucketRows()
 */
export function countedRows(seriesList, calculation, { fromMs, toMs, stepMs }) {
  const points = seriesList.flatMap((series) => series.points.filter((point) => Number.isFinite(point.y)));
  if (points.length === 0) return { rows: [], cells: [] };
  const min = points.reduce((least, { y }) => Math.min(least, y), Infinity);
  const max = points.reduce((most, { y }) => Math.max(most, y), -Infinity);
  const width = columnWidthMs(calculation?.xBuckets, fromMs, toMs, stepMs);
  const grid = rowGrid(calculation?.yBuckets, min, max);
  const counts = new Map();  // column start -> row index -> count
  let first = Infinity;
  let last = -Infinity;
  for (const { x, y } of points) {
    const row = grid.indexOf(y);
    if (row === null) continue;
    first = Math.min(first, row);
    last = Math.max(last, row);
    const start = Math.floor(x / width) * width;
    const column = counts.get(start) ?? counts.set(start, new Map()).get(start);
    column.set(row, (column.get(row) ?? 0) + 1);
  }
  const rows = Array.from({ length: Math.max(0, last - first + 1) },
    (_, index) => ({ low: grid.edge(first + index), high: grid.edge(first + index + 1) }));
  const cells = [...counts].flatMap(([x, column]) => [...column]
    .map(([row, v]) => ({ x, x2: x + width, row: row - first, v })));
  return { rows, cells };
}

/**
 * The colour of each cell as a share of the scale: cells that the filter hides are left out.
 * @param filter Grafana's {le, ge}: values at or below le, or at or above ge, are hidden
 * @param color {min, max, exponent} of the scale; without them the smallest and largest cell
 * @returns {{cells, min, max}}: the shown cells, each with its `share` from 0 to 1
 */
export function colorShares(cells, filter, color) {
  const shown = cells.filter(({ v }) => !(v <= (filter?.le ?? -Infinity)) && !(v >= (filter?.ge ?? Infinity)));
  const min = color.min ?? shown.reduce((least, { v }) => Math.min(least, v), Infinity);
  const max = color.max ?? shown.reduce((most, { v }) => Math.max(most, v), -Infinity);
  const share = (v) => Math.min(1, Math.max(0, max > min ? (v - min) / (max - min) : 1)) ** (color.exponent ?? 1);
  for (const cell of shown) cell.share = share(cell.v);
  return { cells: shown, min, max };
}
