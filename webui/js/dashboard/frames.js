// Query results as tables (Grafana's data frames), which transformations work on, and back to series.
// A frame is {name, refId, columns: [{name, sourceName, type: 'time'|'number'|'string'|'boolean',
// labels, values}]}; all columns of a frame are equally long, an empty cell is null.

import { fillDisplayName } from './fields.js';

export const kTime = 'Time';

export const rowCount = (frame) => frame.columns[0]?.values.length ?? 0;
export const columnNamed = (frame, name) => frame.columns.find((column) => column.name === name || column.sourceName === name);
export const timeColumn = (frame) => frame.columns.find((column) => column.type === 'time');
export const numberColumns = (frame) => frame.columns.filter((column) => column.type === 'number');

export function makeColumn(name, type, values, labels = {}) {
  return { name, sourceName: name, type, labels, values };
}

/** The frame with only the rows of the given indices, in their order. */
export function pickRows(frame, indices) {
  return { ...frame, columns: frame.columns.map((column) => ({ ...column, values: indices.map((index) => column.values[index]) })) };
}

/** What a list of mixed values is. */
export function typeOf(values) {
  const known = values.find((value) => value !== null && value !== undefined);
  return { number: 'number', boolean: 'boolean' }[typeof known] ?? (known === undefined ? 'number' : 'string');
}

function seriesFrame(series) {
  return {
    name: series.name,
    refId: series.refId,
    columns: [
      makeColumn(kTime, 'time', series.points.map((point) => point.x)),
      // What Grafana calls the field of every Prometheus series.
      { ...makeColumn(series.name, 'number', series.points.map((point) => point.y), series.labels), sourceName: 'Value' },
    ],
  };
}

/** One table per target: time, a column per label, value; one row per sample of every series. */
function tableFrame(refId, seriesList, valueName) {
  const names = [...new Set(seriesList.flatMap((series) => Object.keys(series.labels)))].sort();
  const rows = seriesList.flatMap((series) => series.points.map((point) => ({ series, point })));
  return {
    name: refId,
    refId,
    columns: [
      makeColumn(kTime, 'time', rows.map(({ point }) => point.x)),
      ...names.map((name) => makeColumn(name, 'string', rows.map(({ series }) => series.labels[name] ?? ''))),
      makeColumn(valueName, 'number', rows.map(({ point }) => point.y)),
    ],
  };
}

/**
 * @param targets of the panel, with `format`
 * @param seriesList of all of them, named
 */
export function framesOf(targets, seriesList) {
  const several = targets.length > 1;
  return targets.flatMap((target) => {
    const own = seriesList.filter((series) => series.refId === target.refId);
    if (target.format === 'table') return own.length ? [tableFrame(target.refId, own, several ? `Value #${target.refId}` : 'Value')] : [];
    return own.map(seriesFrame);
  });
}

function timedSeries(frame, time, column) {
  const points = [];
  column.values.forEach((y, index) => {
    if (y !== null && y !== undefined) points.push({ x: time.values[index], y });
  });
  return { name: column.name, sourceName: column.sourceName, labels: column.labels, refId: frame.refId, points };
}

/** Numbers without times: each column is a series of its rows, which only reducers can make use of. */
function timelessSeries(frame, column, toMs) {
  const points = column.values.map((y) => ({ x: toMs, y: y ?? NaN }));
  return { name: column.name, sourceName: column.sourceName, labels: column.labels, refId: frame.refId, points, timeless: true };
}

/**
 * The number columns of frames as series.
 * @param toMs stands for the time of values that have none; such series are marked `timeless`
 */
export function seriesOf(frames, toMs) {
  return frames.flatMap((frame) => {
    const time = timeColumn(frame);
    return numberColumns(frame).map((column) => (time ? timedSeries(frame, time, column) : timelessSeries(frame, column, toMs)));
  });
}

/** Every column with its field config, under its displayName if it has one. */
export function configureFrames(configs, frames) {
  return frames.map((frame) => ({
    ...frame,
    columns: frame.columns.map((column) => {
      const config = configs.of({ ...column, refId: frame.refId });
      // A default displayName is meant for values, and would give every label's column one name.
      const renames = config.displayName && (column.type === 'number' || config.displayName !== configs.defaultName);
      return { ...column, config, name: renames ? fillDisplayName(config.displayName, column) : column.name };
    }),
  }));
}
