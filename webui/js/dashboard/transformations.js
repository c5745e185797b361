// Grafana's transformations: functions of frames (see frames.js) to frames. What is not in the table
// below is named by undrawn(); drawn_features.json lists the same ids.

import { toRegExp } from '../format/regexp.js';
import { columnNamed, pickRows, rowCount } from './frames.js';
import { calculateField, groupBy, reduceFrames } from './transformations_calculate.js';
import { concatenate, joinByField, labelsToFields, mergeFrames, seriesToRows } from './transformations_join.js';

const mapFrames = (transform) => (frames, options) => frames.map((frame) => transform(frame, options));

/** Order, names and absence of columns: {indexByName, renameByName, excludeByName, includeByName}. */
function organize(frame, options) {
  const { indexByName = {}, renameByName = {}, excludeByName = {}, includeByName = {} } = options;
  const only = Object.values(includeByName).some(Boolean);
  const place = (column) => indexByName[column.name] ?? Infinity;
  const columns = frame.columns.filter((column) => !excludeByName[column.name] && (!only || includeByName[column.name]))
    .map((column, index) => ({ column, index }))
    .sort((a, b) => (place(a.column) === place(b.column) ? a.index - b.index : place(a.column) - place(b.column)))
    .map(({ column }) => ({ ...column, name: renameByName[column.name] || column.name }));
  return { ...frame, columns };
}

/** Whether a column's name is among `names` or fits `pattern`; null when neither is given. */
function namedBy(column, rule) {
  if (!rule || (!rule.pattern && !rule.names?.length)) return null;
  const pattern = rule.pattern ? toRegExp(rule.pattern.startsWith('/') ? rule.pattern : `/${rule.pattern}/`) : null;
  return Boolean(rule.names?.includes(column.name) || pattern?.test(column.name));
}

function filterFieldsByName(frame, { include, exclude }) {
  const columns = frame.columns.filter((column) => (namedBy(column, include) ?? true) && !(namedBy(column, exclude) ?? false));
  return { ...frame, columns };
}

function filterByRefId(frames, { include, exclude }) {
  const fits = (text, frame) => toRegExp(text.startsWith('/') ? text : `/^(?:${text})$/`)?.test(frame.refId ?? '') ?? false;
  return frames.filter((frame) => (!include || fits(include, frame)) && !(exclude && fits(exclude, frame)));
}

const isEmpty = (value) => value === null || value === undefined || value === '';
const equal = (a, b) => (typeof a === 'number' ? a === Number(b) : String(a) === String(b));
const inside = (text, part) => String(text ?? '').toLowerCase().includes(String(part ?? '').toLowerCase());

/** Grafana's value matchers: (value, options) → boolean. */
const kValueTests = {
  greater: (value, { value: limit }) => value > Number(limit),
  greaterOrEqual: (value, { value: limit }) => value >= Number(limit),
  lower: (value, { value: limit }) => value < Number(limit),
  lowerOrEqual: (value, { value: limit }) => value <= Number(limit),
  equal: (value, { value: other }) => equal(value, other),
  notEqual: (value, { value: other }) => !equal(value, other),
  between: (value, { from, to }) => value > Number(from) && value < Number(to),
  isNull: (value) => isEmpty(value),
  isNotNull: (value) => !isEmpty(value),
  regex: (value, { value: text }) => toRegExp(`/${text}/`)?.test(String(value)) ?? false,
  substring: (value, { value: text }) => inside(value, text),
  notSubstring: (value, { value: text }) => !inside(value, text),
};

function filterByValue(frame, { type = 'include', match = 'any', filters = [] }) {
  const tests = filters.map(({ fieldName, config }) => ({ column: columnNamed(frame, fieldName), test: kValueTests[config?.id], options: config?.options ?? {} }))
    .filter(({ column, test }) => column && test);
  if (tests.length === 0) return frame;
  const fits = (row) => ({ column, test, options }) => test(column.values[row], options);
  const rows = Array.from({ length: rowCount(frame) }, (_, row) => row)
    .filter((row) => (match === 'all' ? tests.every(fits(row)) : tests.some(fits(row))) === (type === 'include'));
  return pickRows(frame, rows);
}

function renameByRegex(frame, { regex = '', renamePattern = '' }) {
  const expression = toRegExp(regex.startsWith('/') ? regex : `/${regex}/`);
  if (!expression || regex === '') return frame;
  return { ...frame, columns: frame.columns.map((column) => (column.type === 'time' ? column : { ...column, name: column.name.replace(expression, renamePattern) })) };
}

/** Nulls and NaN stand last in either direction. */
function compare(a, b, sign) {
  const lacks = (value) => isEmpty(value) || Number.isNaN(value);
  if (lacks(a) || lacks(b)) return Number(lacks(a)) - Number(lacks(b));
  if (typeof a === 'string' && typeof b === 'string') return sign * a.localeCompare(b, 'en', { numeric: true });
  return sign * (Number(a) - Number(b));
}

export function sortFrame(frame, name, desc) {
  const column = columnNamed(frame, name);
  if (!column) return frame;
  const rows = column.values.map((_, index) => index);
  rows.sort((a, b) => compare(column.values[a], column.values[b], desc ? -1 : 1) || a - b);
  return pickRows(frame, rows);
}

function sortBy(frame, { sort = [] }) {
  return sort.length ? sortFrame(frame, sort[0].field, sort[0].desc) : frame;
}

function limit(frame, { limitField = 10 }) {
  const count = Number(limitField);
  return { ...frame, columns: frame.columns.map((column) => ({ ...column, values: column.values.slice(0, count) })) };
}

const kConversions = {
  number: (value) => (isEmpty(value) || Number.isNaN(Number(value)) ? null : Number(value)),
  string: (value) => (isEmpty(value) ? null : String(value)),
  boolean: (value) => (isEmpty(value) ? null : !(value === false || value === 0 || /^(false|0)$/i.test(String(value)))),
  time: (value) => {
    if (isEmpty(value)) return null;
    const time = typeof value === 'number' || /^\d{9,}$/.test(value) ? Number(value) : Date.parse(value);
    return Number.isNaN(time) ? null : time;
  },
};

function convertFieldType(frame, { conversions = [] }) {
  const columns = frame.columns.map((column) => {
    const wanted = conversions.find(({ targetField }) => targetField === column.name);
    const convert = kConversions[wanted?.destinationType];
    return convert ? { ...column, type: wanted.destinationType, values: column.values.map(convert) } : column;
  });
  return { ...frame, columns };
}

/** id → (frames, options) → frames */
export const kTransformations = {
  reduce: reduceFrames,
  organize: mapFrames(organize),
  merge: mergeFrames,
  calculateField,
  filterFieldsByName: mapFrames(filterFieldsByName),
  filterByRefId,
  filterByValue: mapFrames(filterByValue),
  renameByRegex: mapFrames(renameByRegex),
  joinByField,
  seriesToColumns: joinByField,
  concatenate,
  labelsToFields,
  sortBy: mapFrames(sortBy),
  groupBy: mapFrames(groupBy),
  limit: mapFrames(limit),
  seriesToRows,
  convertFieldType: mapFrames(convertFieldType),
};

/** Whether a transformation takes this frame (Grafana's "filter" on a query's letter). */
function takes(filter, frame) {
  if (filter?.id !== 'byRefId') return true;
  const wanted = String(filter.options ?? '');
  return toRegExp(wanted.startsWith('/') ? wanted : `/^(?:${wanted})$/`)?.test(frame.refId ?? '') ?? true;
}

/** @param transformations [{id, options, filter}] of a panel; unknown ids leave the frames as they are */
export function applyTransformations(frames, transformations) {
  return transformations.reduce((current, { id, options = {}, filter }) => {
    const transform = kTransformations[id];
    if (!transform) return current;
    const others = current.filter((frame) => !takes(filter, frame));
    return [...others, ...transform(current.filter((frame) => takes(filter, frame)), options)];
  }, frames);
}

