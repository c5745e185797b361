// Transformations that compute: reduce, add a field from calculation, group by.

import { fullReducerTitle, reduceValues } from '../format/reducers.js';
import { columnNamed, makeColumn, numberColumns, rowCount, timeColumn, typeOf } from './frames.js';
import { joinByField } from './transformations_join.js';

const forReducer = (values) => values.map((value) => (Number.isNaN(value) ? null : value));

/** One row per number column of all frames: its name, its labels if wished, a column per reducer. */
function seriesToRows(frames, { reducers = [], labelsToFields = false, includeTimeField = false }) {
  const fields = frames.flatMap((frame) => frame.columns
    .filter((column) => column.type === 'number' || (includeTimeField && column.type === 'time')));
  const names = labelsToFields ? [...new Set(fields.flatMap((field) => Object.keys(field.labels ?? {})))].sort() : [];
  const columns = [
    makeColumn('Field', 'string', fields.map((field) => (labelsToFields ? field.sourceName : field.name))),
    ...names.map((name) => makeColumn(name, 'string', fields.map((field) => field.labels?.[name] ?? null))),
    ...reducers.map((id) => {
      const values = fields.map((field) => reduceValues(forReducer(field.values), id));
      return makeColumn(fullReducerTitle(id), typeOf(values), values);
    }),
  ];
  return [{ name: '', refId: frames[0]?.refId, columns }];
}

/** Every frame in one row, each number column reduced. */
function reduceFields(frames, { reducers = [], includeTimeField = false }) {
  return frames.map((frame) => ({
    ...frame,
    columns: frame.columns.filter((column) => column.type === 'number' || (includeTimeField && column.type === 'time'))
      .flatMap((column) => reducers.map((id) => {
        const value = reduceValues(forReducer(column.values), id);
        const name = reducers.length > 1 ? `${column.name} ${fullReducerTitle(id)}` : column.name;
        return { ...column, name, values: [value] };
      })),
  }));
}

export function reduceFrames(frames, options) {
  return options.mode === 'reduceFields' ? reduceFields(frames, options) : seriesToRows(frames, options);
}

const kBinary = {
  '+': (a, b) => a + b, '-': (a, b) => a - b, '*': (a, b) => a * b, '/': (a, b) => a / b,
  '**': (a, b) => a ** b, '%': (a, b) => a % b,
};
const kUnary = { abs: Math.abs, exp: Math.exp, ln: Math.log, log: Math.log, floor: Math.floor, ceil: Math.ceil, round: Math.round };

/** A side of a binary operation: {matcher: byName}, {fixed}, a column's name, or a number. */
function operand(frame, side) {
  const given = typeof side === 'object' ? side?.matcher?.options ?? side?.fixed : side;
  if (given === undefined || given === null || given === '') return null;
  const column = columnNamed(frame, String(given));
  if (column) return { name: column.name, at: (row) => column.values[row] };
  const constant = Number(given);
  return Number.isNaN(constant) ? null : { name: String(constant), at: () => constant };
}

const compute = (operation, a, b) => (a === null || a === undefined || b === null || b === undefined ? null : operation(a, b));

function binaryColumns(frame, { left, operator = '+', right }, alias) {
  const operation = kBinary[operator];
  const second = operand(frame, right);
  if (!operation || !second) return [];
  const ofType = left?.matcher?.id === 'byType';
  const firsts = ofType ? numberColumns(frame).map((column) => ({ name: column.name, at: (row) => column.values[row] })) : [operand(frame, left)];
  return firsts.filter(Boolean).map((first) => {
    const values = Array.from({ length: rowCount(frame) }, (_, row) => compute(operation, first.at(row), second.at(row)));
    return makeColumn(alias && !ofType ? alias : `${first.name} ${operator} ${second.name}`, 'number', values);
  });
}

function rowColumn(frame, { include, reducer = 'sum' } = {}, alias) {
  const columns = numberColumns(frame).filter((column) => !include?.length || include.includes(column.name));
  if (columns.length === 0) return [];
  const values = Array.from({ length: rowCount(frame) }, (_, row) => reduceValues(forReducer(columns.map((column) => column.values[row])), reducer));
  return [makeColumn(alias || fullReducerTitle(reducer), 'number', values)];
}

function unaryColumn(frame, { fieldName, operator = 'abs' } = {}, alias) {
  const column = columnNamed(frame, fieldName);
  if (!column || !kUnary[operator]) return [];
  return [makeColumn(alias || `${operator}(${column.name})`, 'number', column.values.map((value) => (value === null ? null : kUnary[operator](value))))];
}

function indexColumn(frame, { asPercentile } = {}, alias) {
  const count = rowCount(frame);
  const values = Array.from({ length: count }, (_, row) => (asPercentile ? row / Math.max(1, count - 1) : row));
  return [makeColumn(alias || 'Row', 'number', values)];
}

function cumulativeColumn(frame, { field, reducer = 'sum' } = {}, alias) {
  const column = columnNamed(frame, field) ?? numberColumns(frame)[0];
  if (!column) return [];
  let total = 0;
  const values = column.values.map((value, row) => {
    total += Number.isFinite(value) ? value : 0;
    return reducer === 'mean' ? total / (row + 1) : total;
  });
  return [makeColumn(alias || `cumulative ${reducer}(${column.name})`, 'number', values)];
}

/** The reducer over a window of rows that ends at each row, or has it in its middle. */
function windowColumn(frame, options = {}, alias) {
  const { field, reducer = 'mean', windowSize = 0.1, windowSizeMode = 'percentage', windowAlignment = 'trailing' } = options;
  const column = columnNamed(frame, field) ?? numberColumns(frame)[0];
  if (!column) return [];
  const count = rowCount(frame);
  const size = Math.max(1, Math.round(windowSizeMode === 'percentage' ? windowSize * count : windowSize));
  const ahead = windowAlignment === 'centered' ? Math.floor((size - 1) / 2) : 0;
  const values = column.values.map((_, row) => {
    const end = row + ahead + 1;
    return reduceValues(forReducer(column.values.slice(Math.max(0, end - size), end)), reducer);
  });
  return [makeColumn(alias || `moving ${reducer}(${column.name})`, 'number', values)];
}

/** mode → (frame, options, alias) → new columns */
const kModes = {
  binary: (frame, options) => binaryColumns(frame, options.binary ?? {}, options.alias),
  reduceRow: (frame, options) => rowColumn(frame, options.reduce, options.alias),
  unary: (frame, options) => unaryColumn(frame, options.unary, options.alias),
  index: (frame, options) => indexColumn(frame, options.index, options.alias),
  cumulativeFunctions: (frame, options) => cumulativeColumn(frame, options.cumulative, options.alias),
  windowFunctions: (frame, options) => windowColumn(frame, options.window, options.alias),
};

/** A new column from others. Series are joined on their times first, as they stand in frames of their own. */
export function calculateField(frames, options) {
  const timed = frames.length > 1 && frames.every((frame) => timeColumn(frame));
  const source = timed && options.timeSeries !== false ? joinByField(frames) : frames;
  return source.map((frame) => {
    const added = (kModes[options.mode ?? 'reduceRow'] ?? (() => []))(frame, options);
    if (added.length === 0) return frame;
    const kept = options.replaceFields ? frame.columns.filter((column) => column.type === 'time') : frame.columns;
    return { ...frame, columns: [...kept, ...added] };
  });
}

/** Rows with the same values of the grouping columns become one; other columns are aggregated. */
export function groupBy(frame, { fields = {} }) {
  const operation = (column) => fields[column.name]?.operation;
  const keys = frame.columns.filter((column) => operation(column) === 'groupby');
  if (keys.length === 0) return frame;
  const groups = new Map();
  for (let row = 0; row < rowCount(frame); row++) {
    const key = JSON.stringify(keys.map((column) => column.values[row]));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const rows = [...groups.values()];
  const aggregated = frame.columns.filter((column) => operation(column) === 'aggregate')
    .flatMap((column) => (fields[column.name].aggregations ?? []).map((id) => {
      const values = rows.map((indices) => reduceValues(forReducer(indices.map((index) => column.values[index])), id));
      const type = column.type === 'time' && /first|last|min|max/.test(id) ? 'time' : typeOf(values);
      return makeColumn(`${column.name} (${id})`, type, values);
    }));
  return { ...frame, columns: [...keys.map((column) => ({ ...column, values: rows.map(([first]) => column.values[first]) })), ...aggregated] };
}
