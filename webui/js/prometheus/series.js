// From query results to what the panels draw: gaps, names, CSV.

import { formatLegend } from './legend.js';

/**
 * Breaks the line where samples are missing: a NaN point stands in every hole wider than one and
 * a half steps, and Prometheus's own NaN (0/0, no request in the window) is a hole already.
 */
export function withGaps(points, stepMs) {
  const result = [];
  for (let i = 0; i < points.length; i++) {
    if (i > 0 && points[i].x - points[i - 1].x > 1.5 * stepMs) {
      result.push({ x: points[i - 1].x + stepMs, y: NaN });
    }
    result.push(Number.isFinite(points[i].y) ? points[i] : { x: points[i].x, y: NaN });
  }
  return result;
}

/** Named series of one panel from the results of its targets, in target order. */
export function nameSeries(targets, results) {
  const named = [];
  targets.forEach((target, index) => {
    for (const series of results[index] ?? []) {
      named.push({ ...series, refId: target.refId, name: formatLegend(target.legendFormat, series.labels) });
    }
  });
  return named;
}

export function hasData(seriesList) {
  return seriesList.some((series) => series.points.some((point) => Number.isFinite(point.y)));
}

const csvCell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** One line per time, one column per series, empty where a series has no sample. */
export function toCsv(seriesList) {
  const times = [...new Set(seriesList.flatMap((series) => series.points.map((point) => point.x)))];
  times.sort((a, b) => a - b);
  const columns = seriesList.map((series) => new Map(series.points.map((point) => [point.x, point.y])));
  const lines = [['Time', ...seriesList.map((series) => csvCell(series.name))].join(',')];
  for (const time of times) {
    const cells = columns.map((column) => {
      const value = column.get(time);
      return value === undefined || Number.isNaN(value) ? '' : String(value);
    });
    lines.push([new Date(time).toISOString(), ...cells].join(','));
  }
  return `${lines.join('\n')}\n`;
}

/** The last point at or before `x`, by bisection; null when there is none within `toleranceMs`. */
export function pointAt(points, x, toleranceMs) {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].x <= x) low = middle + 1;
    else high = middle;
  }
  const before = points[low - 1];
  const after = points[low];
  const near = before && (!after || x - before.x <= after.x - x) ? before : after;
  return near && Math.abs(near.x - x) <= toleranceMs ? near : null;
}
