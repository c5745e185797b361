// Prometheus histograms: a series per upper bound "le", each counting everything up to its bound.

import { parseSample } from './prometheus_api.js';

/** The upper bound of a bucket series; null where the labels name none. */
export function upperBound(labels) {
  const bound = labels?.le === undefined ? NaN : parseSample(labels.le);
  return Number.isNaN(bound) ? null : bound;
}

function otherLabels(labels) {
  return JSON.stringify(Object.entries(labels).filter(([name]) => name !== 'le').sort());
}

/** Counts of a bucket alone: what it counts up to its bound less what the bucket below counts. */
function alone(points, below) {
  if (!below) return points;
  const under = new Map(below.map((point) => [point.x, point.y]));
  return points.map(({ x, y }) => {
    const lower = under.get(x) ?? 0;
    // Rates of neighbouring buckets differ by rounding: what counts less than nothing is nothing.
    return { x, y: Math.max(0, y - (Number.isNaN(lower) ? 0 : lower)) };
  });
}

/**
 * What Grafana's query format "heatmap" does: cumulative buckets become counts per bucket, smallest
 * bound first, each histogram (labels other than le) by itself. Series without a bound follow as they are.
 * @param seriesList [{labels, points: [{x, y}], …}]
 */
export function countsPerBucket(seriesList) {
  const groups = new Map();
  const others = [];
  for (const series of seriesList) {
    if (upperBound(series.labels) === null) {
      others.push(series);
      continue;
    }
    const key = otherLabels(series.labels);
    groups.set(key, [...(groups.get(key) ?? []), series]);
  }
  const counted = [...groups.values()].flatMap((group) => {
    group.sort((a, b) => upperBound(a.labels) - upperBound(b.labels));
    return group.map((series, index) => ({ ...series, points: alone(series.points, group[index - 1]?.points) }));
  });
  return [...counted, ...others];
}
