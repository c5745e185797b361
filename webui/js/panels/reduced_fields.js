// The values of a panel that shows values and not courses, before colours and elements: Grafana's
// reduceOptions over series and tables.

import { reduceValues, reducedUnit } from '../format/reducers.js';
import { toRegExp } from '../format/regexp.js';

const kMaxRows = 25;  // Grafana's, where no limit is set

/** Whether a panel's answer is tables, of which every column is a field, and not time series. */
const showsTables = (panel) => panel.transformations.length > 0 || panel.targets.some((target) => target.format === 'table');

/** Series, or the columns of tables, in one form: {name, type, values, points, config, labels, rowNames}. */
function fieldsOf(panel, data) {
  if (!showsTables(panel)) {
    return data.series.map((series) => ({
      ...series, type: 'number', values: series.points.map((point) => (Number.isFinite(point.y) ? point.y : null)), rowNames: [],
    }));
  }
  return data.tables.flatMap(({ columns, refId }) => {
    const texts = columns.filter((column) => column.type === 'string');
    const times = columns.find((column) => column.type === 'time');
    const rowNames = (columns[0]?.values ?? []).map((_, row) => texts.map((column) => column.values[row]).filter(Boolean).join(' '));
    return columns.map((column) => ({
      ...column, refId, rowNames,
      points: column.type === 'number' && times ? column.values.map((y, row) => ({ x: times.values[row], y: y ?? NaN })) : [],
    }));
  });
}

/** `fields` of the reduce options: '' is every number, '/…/' a pattern, else one field's name. */
function isWanted(field, fields) {
  if (!fields) return field.type === 'number';
  return fields.startsWith('/') ? toRegExp(fields)?.test(field.name) ?? false : field.name === fields;
}

/** Smallest and largest number over all fields: what relative colours and bars without limits lie between. */
export function globalLimits(panel, data) {
  let min = Infinity;
  let max = -Infinity;
  for (const { type, values } of fieldsOf(panel, data)) {
    if (type !== 'number') continue;
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }
  return min <= max ? { min, max } : {};
}

/**
 * @param panel with Grafana's options.reduceOptions {calcs, fields, values, limit}
 * @returns [{name, value, points, config, labels, calc}]: one entry per field and calculation, or one per row
 *          with `values`; config is the field's with the unit that the calculation leaves
 */
export function reducedFields(panel, data) {
  const options = panel.options.reduceOptions ?? {};
  const fields = fieldsOf(panel, data).filter((field) => isWanted(field, options.fields));
  if (options.values) {
    const limit = options.limit ?? kMaxRows;
    return fields.flatMap((field) => field.values.map((value, row) => ({ ...field, name: field.rowNames[row] || field.name, value, points: [] })))
      .slice(0, limit);
  }
  const calcs = options.calcs?.length ? options.calcs : ['lastNotNull'];
  return fields.flatMap((field) => calcs.map((calc) => ({
    ...field, calc: calcs.length > 1 ? calc : '', value: reduceValues(field.values, calc),
    config: { ...field.config, unit: reducedUnit(calc, field.config.unit) },
  })));
}

/**
 * How much of the range between its limits a value fills, 0 to 1.
 * @param limits used where the field sets none
 */
export function shareOf(value, config, limits = {}) {
  const min = config.min ?? limits.min ?? 0;
  const max = config.max ?? limits.max ?? 100;
  if (!Number.isFinite(value)) return 0;
  return max > min ? Math.min(1, Math.max(0, (value - min) / (max - min))) : 1;
}

/** Where the steps of the thresholds begin, as shares of the range: [{share, color, value}], the first at 0. */
export function thresholdStops(config, limits = {}) {
  const steps = config.thresholds?.steps ?? [];
  const percent = config.thresholds?.mode === 'percentage';
  const stops = steps.map(({ value, color }, index) => {
    if (index === 0 || value === null || value === undefined) return { share: 0, color, value: null };
    return { share: percent ? Math.min(1, Math.max(0, value / 100)) : shareOf(value, config, limits), color, value };
  });
  return stops.length ? stops : [{ share: 0, color: 'green', value: null }];
}

/** The change from the first to the last number, as a share of the first; null where there is none. */
export function changeOf(points) {
  const known = points.map((point) => point.y).filter(Number.isFinite);
  if (known.length < 2 || known[0] === 0) return null;
  return (known[known.length - 1] - known[0]) / Math.abs(known[0]);
}

/** Shares of a whole, largest first (or as `sort` says); what is nothing or negative has no slice. */
export function pieShares(entries, sort = 'desc') {
  const shown = entries.filter((entry) => entry.value > 0);
  const total = shown.reduce((sum, entry) => sum + entry.value, 0);
  const direction = { desc: -1, asc: 1 }[sort];
  if (direction) shown.sort((a, b) => direction * (a.value - b.value));
  return shown.map((entry) => ({ ...entry, share: entry.value / total }));
}

/**
 * Columns in which `count` tiles of the shape `aspect` (width by height) grow largest in a box.
 */
export function gridColumns(count, width, height, aspect) {
  let best = 1;
  let largest = 0;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const filled = count / (columns * rows);  // a hole in the last row is room given away
    const size = filled * Math.min(width / columns / aspect, height / rows);
    if (size > largest * 1.02) [best, largest] = [columns, size];
  }
  return best;
}
