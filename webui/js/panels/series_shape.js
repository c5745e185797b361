// What is drawn of a series: gaps, transforms, shares of a stack. Pure; points are {x: ms, y}.

const kGapSteps = 1.5;  // a hole wider than this many steps is one

/**
 * @param points in time order; NaN and infinite values are holes
 * @param style  {spanNulls: true (join all), milliseconds (join shorter holes) or false, insertNulls: ms,
 *               transform: 'negative-Y' | 'constant'}
 * @returns new points with a NaN between two that must not be joined
 */
export function drawnPoints(points, stepMs, style = {}) {
  const joinsMs = style.spanNulls === true ? Infinity : Math.max(kGapSteps * stepMs, Number(style.spanNulls) || 0);
  const breakMs = style.insertNulls > 0 && style.spanNulls !== true ? Math.max(stepMs, style.insertNulls) : joinsMs;
  const sign = style.transform === 'negative-Y' ? -1 : 1;
  const result = [];
  let before = null;
  let hole = false;  // a value that is no number came since
  for (const point of points) {
    if (!Number.isFinite(point.y)) {
      hole = true;
      continue;
    }
    const parted = before && (point.x - before.x > breakMs || (hole && !style.spanNulls));
    if (parted) result.push({ x: Math.min(before.x + stepMs, (before.x + point.x) / 2), y: NaN });
    result.push(sign === 1 ? point : { x: point.x, y: -point.y });
    before = point;
    hole = false;
  }
  return style.transform === 'constant' ? constant(result) : result;
}

function constant(points) {
  const first = points.find((point) => Number.isFinite(point.y));
  return first ? points.map(({ x, y }) => ({ x, y: Number.isNaN(y) ? NaN : first.y })) : points;
}

/** Stack groups by name: series that are shown and stacked together. */
function groupsOf(seriesList) {
  const groups = new Map();
  for (const series of seriesList) {
    if (series.hidden || !series.stack) continue;
    groups.set(series.stack, [...(groups.get(series.stack) ?? []), series]);
  }
  return [...groups.values()];
}

/** Sums per time and sign of a list of series: [{x → sum above zero}, {x → sum below}]. */
function stackSums(seriesList) {
  const sums = [new Map(), new Map()];
  for (const { drawn } of seriesList) {
    for (const { x, y } of drawn) {
      if (!Number.isFinite(y)) continue;
      const side = sums[y < 0 ? 1 : 0];
      side.set(x, (side.get(x) ?? 0) + y);
    }
  }
  return sums;
}

/** Turns the values of stacks in percent into their share of the stack, 0 to 100. */
export function toShares(seriesList) {
  for (const group of groupsOf(seriesList.filter((series) => series.percent))) {
    const [above, below] = stackSums(group);
    for (const series of group) {
      series.drawn = series.drawn.map(({ x, y }) => {
        const sum = (above.get(x) ?? 0) - (below.get(x) ?? 0);
        return { x, y: sum === 0 ? (Number.isNaN(y) ? NaN : 0) : 100 * y / sum };
      });
    }
  }
}

/** Smallest and largest drawn value of the shown series, stacks added up; null when nothing is shown. */
export function valueExtent(seriesList) {
  let min = Infinity;
  let max = -Infinity;
  const take = (value) => {
    if (value < min) min = value;
    if (value > max) max = value;
  };
  for (const series of seriesList) {
    if (series.hidden) continue;
    for (const { y } of series.drawn) if (Number.isFinite(y)) take(y);
  }
  for (const group of groupsOf(seriesList)) {
    for (const side of stackSums(group)) for (const value of side.values()) take(value);
  }
  return min <= max ? { min, max } : null;
}

/** The smallest drawn value above zero, from which a logarithmic axis starts. */
export function smallestPositive(seriesList) {
  let least = Infinity;
  for (const series of seriesList) {
    if (series.hidden) continue;
    for (const { y } of series.drawn) if (y > 0 && y < least) least = y;
  }
  return Number.isFinite(least) ? least : null;
}
