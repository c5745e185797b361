// How often each value occurs: Grafana's histogram, with its bucket sizes.

const kBucketCount = 30;
const kMaxBuckets = 2000;  // a size far too small for its values would never end

/** 1, 2, 2.5, 4, 5 times the powers of ten; below 10 whole numbers stay whole. */
function* bucketSizes() {
  for (let power = -9; power <= 15; power++) {
    for (const factor of [1, 2, 2.5, 4, 5]) {
      if (power !== 0 || factor !== 2.5) yield Number(`${factor}e${power}`);
    }
  }
}

/** Grafana's choice: about `count` buckets, none narrower than the gap between two values. */
export function bucketSizeOf(values, count = kBucketCount) {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  if (sorted.length < 2) return 1;
  let gap = Infinity;
  for (let i = 1; i < sorted.length; i++) gap = Math.min(gap, sorted[i] - sorted[i - 1]);
  const wanted = (sorted[sorted.length - 1] - sorted[0]) / count;
  for (const size of bucketSizes()) {
    if (size > wanted && size >= gap * (1 - 1e-9)) return size;
  }
  return wanted;
}

const finiteValues = (series) => series.points.map((point) => point.y).filter(Number.isFinite);

/**
 * @param options Grafana's {bucketSize, bucketOffset, bucketCount, combine}
 * @returns {{size, starts: [lower edge of each bucket], series: [{name, counts, …}]}}: one series of
 * counts per input series, or a single one when they are combined
 */
export function binValues(seriesList, options) {
  const lists = options.combine
    ? [{ name: '', values: seriesList.flatMap(finiteValues) }]
    : seriesList.map((series) => ({ ...series, values: finiteValues(series) }));
  const all = lists.flatMap((list) => list.values);
  if (all.length === 0) return { size: 1, starts: [], series: [] };
  const offset = Number(options.bucketOffset) || 0;
  const min = all.reduce((least, value) => Math.min(least, value));
  const max = all.reduce((most, value) => Math.max(most, value));
  const asked = Number(options.bucketSize) > 0 ? Number(options.bucketSize) : bucketSizeOf(all, Number(options.bucketCount) || kBucketCount);
  const size = Math.max(asked, (max - min) / kMaxBuckets);
  const indexOf = (value) => Math.floor((value - offset) / size + 1e-9);
  const first = indexOf(min);
  const count = indexOf(max) - first + 1;
  const starts = Array.from({ length: count }, (_, index) => Number(((first + index) * size + offset).toPrecision(12)));
  const series = lists.map(({ values, ...rest }) => {
    const counts = new Array(count).fill(0);
    for (const value of values) counts[indexOf(value) - first]++;
    return { ...rest, counts };
  });
  return { size, starts, series };
}
