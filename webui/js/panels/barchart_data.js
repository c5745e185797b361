// Bars by category before they are drawn: one list of categories, a value for each per field.

/** The column that names the bars: the asked one, else the first text, else the time. */
function categoryColumn(frame, xField) {
  const { columns } = frame;
  return columns.find((column) => xField && [column.name, column.sourceName].includes(xField))
    ?? columns.find((column) => column.type === 'string') ?? columns.find((column) => column.type === 'time');
}

/**
 * Joins frames by their categories, in order of appearance; times in order.
 * @param tables of the panel's data
 * @param xField the name of the category column, if the panel sets one
 * @returns {{kind: 'time' | 'text', keys: [time or text], series: [{name, config, labels, values: [number | null]}]}}
 */
export function barsOf(tables, xField) {
  const keys = new Map();  // category -> its place
  let kind = 'text';
  const series = [];
  for (const frame of tables) {
    const category = categoryColumn(frame, xField);
    if (!category) continue;
    if (category.type === 'time') kind = 'time';
    const places = category.values.map((key) => keys.get(key) ?? keys.set(key, keys.size).get(key));
    for (const column of frame.columns) {
      if (column === category || column.type !== 'number') continue;
      const values = [];
      places.forEach((place, row) => { values[place] = column.values[row]; });
      series.push({ name: column.name, config: column.config, labels: column.labels, values });
    }
  }
  const list = [...keys.keys()];
  const order = list.map((_, index) => index);
  if (kind === 'time') order.sort((a, b) => list[a] - list[b]);
  return {
    kind,
    keys: order.map((index) => list[index]),
    series: series.map((one) => ({ ...one, values: order.map((index) => (Number.isFinite(one.values[index]) ? one.values[index] : null)) })),
  };
}

/** Values as shares of their category's sum, for stacks to 100 %. */
export function percentBars(series) {
  const sums = (series[0]?.values ?? []).map((_, index) => series.reduce((sum, one) => sum + Math.abs(one.values[index] ?? 0), 0));
  return series.map((one) => ({ ...one, drawn: one.values.map((value, index) => (value === null || sums[index] === 0 ? null : value / sums[index])) }));
}
