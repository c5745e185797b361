// Transformations that make one frame of many: merge, joins, rows of all series, labels as columns.

import { columnNamed, kTime, makeColumn, rowCount, timeColumn } from './frames.js';

/** The rows of a frame as maps of column name to value. */
function rowsOf(frame) {
  return Array.from({ length: rowCount(frame) }, (_, row) => new Map(frame.columns.map((column) => [column.name, column.values[row] ?? null])));
}

/** One column description per name over all frames, in order of appearance. */
function allColumns(frames) {
  const byName = new Map();
  for (const column of frames.flatMap((frame) => frame.columns)) {
    if (!byName.has(column.name)) byName.set(column.name, column);
  }
  return [...byName.values()];
}

function frameOfRows(columns, rows, refId) {
  return { name: '', refId, columns: columns.map((column) => ({ ...column, values: rows.map((row) => row.get(column.name) ?? null) })) };
}

const conflicts = (row, other) => [...other].some(([name, value]) => value !== null && (row.get(name) ?? null) !== null && row.get(name) !== value);

/** All frames in one table; rows that agree in the columns common to all frames become one. */
export function mergeFrames(frames) {
  const filled = frames.filter((frame) => frame.columns.length > 0);
  if (filled.length < 2) return frames;
  const columns = allColumns(filled);
  const common = columns.filter(({ name }) => filled.every((frame) => frame.columns.some((column) => column.name === name)));
  const groups = new Map();
  const rows = [];
  for (const row of filled.flatMap(rowsOf)) {
    const key = JSON.stringify(common.map(({ name }) => row.get(name)));
    const fitting = groups.get(key)?.find((other) => !conflicts(other, row));
    if (fitting) {
      for (const [name, value] of row) if (value !== null) fitting.set(name, value);
    } else {
      groups.set(key, [...(groups.get(key) ?? []), row]);
      rows.push(row);
    }
  }
  return [frameOfRows(columns, rows, filled[0].refId)];
}

/** A name that no column has yet: the column's own, its frame's, or one with a number. */
function freeName(column, frame, taken) {
  const wishes = [column.name, `${column.name} ${frame.name || frame.refId || ''}`.trim()];
  for (let number = 1; ; number++) {
    const wish = wishes.shift() ?? `${column.name} ${number}`;
    if (!taken.has(wish)) return wish;
  }
}

/** Joins frames on a column, the time where none is named: one row per value of it. */
export function joinByField(frames, { byField, mode = 'outer' } = {}) {
  const keyed = frames.map((frame) => ({ frame, key: byField ? columnNamed(frame, byField) : timeColumn(frame) })).filter(({ key }) => key);
  if (keyed.length === 0) return frames;
  const keyColumn = keyed[0].key;
  const rows = new Map();  // key → {cells: Map, seen: number of frames that have it}
  const taken = new Set([keyColumn.name]);
  const columns = [keyColumn];
  for (const { frame, key } of keyed) {
    const own = frame.columns.filter((column) => column !== key).map((column) => ({ column, name: freeName(column, frame, taken) }));
    for (const { column, name } of own) {
      taken.add(name);
      columns.push({ ...column, name });
    }
    const here = new Set();
    key.values.forEach((value, index) => {
      const row = rows.get(value) ?? { cells: new Map([[keyColumn.name, value]]), seen: 0 };
      if (!here.has(value)) row.seen++;
      here.add(value);
      for (const { column, name } of own) row.cells.set(name, column.values[index]);
      rows.set(value, row);
    });
  }
  const kept = [...rows.values()].filter(({ seen }) => mode !== 'inner' || seen === keyed.length).map(({ cells }) => cells);
  if (keyColumn.type === 'time') kept.sort((a, b) => a.get(keyColumn.name) - b.get(keyColumn.name));
  return [frameOfRows(columns, kept, keyed[0].frame.refId)];
}

/** All columns side by side in one frame, shorter ones filled up. */
export function concatenate(frames) {
  const taken = new Set();
  const length = frames.reduce((most, frame) => Math.max(most, rowCount(frame)), 0);
  const columns = frames.flatMap((frame) => frame.columns.map((column) => {
    const name = freeName(column, frame, taken);
    taken.add(name);
    return { ...column, name, values: Array.from({ length }, (_, row) => column.values[row] ?? null) };
  }));
  return [{ name: '', refId: frames[0]?.refId, columns }];
}

/** Time, Metric, Value: a row per sample of every series, the newest first. */
export function seriesToRows(frames) {
  const rows = frames.flatMap((frame) => {
    const time = timeColumn(frame);
    const values = frame.columns.filter((column) => time && column.type === 'number');
    return values.flatMap((column) => column.values.map((value, index) => [time.values[index], column.name, value]));
  });
  rows.sort((a, b) => b[0] - a[0]);
  return [{
    name: '', refId: frames[0]?.refId,
    columns: [
      makeColumn(kTime, 'time', rows.map(([time]) => time)),
      makeColumn('Metric', 'string', rows.map(([, name]) => name)),
      makeColumn('Value', 'number', rows.map(([, , value]) => value)),
    ],
  }];
}

function labelRows(frame, keep) {
  const labels = Object.entries(frame.columns.find((column) => column.type === 'number')?.labels ?? {}).filter(([name]) => keep(name));
  return {
    name: frame.name, refId: frame.refId,
    columns: [makeColumn('label', 'string', labels.map(([name]) => name)), makeColumn('value', 'string', labels.map(([, value]) => value))],
  };
}

function withLabelColumns(frame, keep, valueLabel) {
  const length = rowCount(frame);
  const added = new Map();
  const columns = frame.columns.map((column) => {
    if (column.type !== 'number') return column;
    const { [valueLabel]: naming, ...labels } = column.labels ?? {};
    for (const [name, value] of Object.entries(labels)) {
      if (keep(name)) added.set(name, makeColumn(name, 'string', new Array(length).fill(value)));
    }
    return { ...column, name: naming ?? column.sourceName, labels: {} };
  });
  const times = columns.filter((column) => column.type === 'time');
  return { ...frame, columns: [...times, ...added.values(), ...columns.filter((column) => column.type !== 'time')] };
}

/** Labels as columns of one merged table, or as rows of label and value. */
export function labelsToFields(frames, { mode = 'columns', keepLabels, valueLabel } = {}) {
  const keep = (name) => !keepLabels?.length || keepLabels.includes(name);
  if (mode === 'rows') return frames.map((frame) => labelRows(frame, keep));
  return mergeFrames(frames.map((frame) => withLabelColumns(frame, keep, valueLabel)));
}
