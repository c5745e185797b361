// The tables of the inspector: what a panel drew, as rows, and as CSV.

import { displayText } from '../format/display.js';

/**
 * All series in one table, a row per time, null where a series has no sample at it.
 * @param seriesList [{name, points: [{x: ms, y}], config}]
 * @returns {{name, columns: [{name, type, values, config}]}}
 */
export function joinedTable(seriesList) {
  const times = [...new Set(seriesList.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const rowOf = new Map(times.map((time, row) => [time, row]));
  const columns = seriesList.map((series) => {
    const values = new Array(times.length).fill(null);
    for (const { x, y } of series.points) values[rowOf.get(x)] = y;
    return { name: series.name, type: 'number', values, config: series.config ?? {} };
  });
  return { name: '', columns: [{ name: 'Time', type: 'time', values: times, config: {} }, ...columns] };
}

export function seriesTable(series) {
  return { ...joinedTable([series]), name: series.name };
}

export const rowsOf = (table) => table.columns[0]?.values.length ?? 0;

/** One cell as text. @param formatted false for the number as it came */
export function cellText(column, row, formatted, timeText) {
  const value = column.values[row];
  if (value === null || value === undefined) return '';
  if (column.type === 'time') return timeText(value);
  if (formatted && column.type === 'number') return displayText(value, column.config ?? {});
  return String(value);
}

const quoted = (text, separator) => (text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
// A cell that begins so is a formula to a spreadsheet; a label value may hold anything.
const harmless = (text) => (/^[=+@\t\r]|^-(?![\d.])/.test(text) ? `'${text}` : text);

/**
 * @param options {formatted, excel}: for Excel the file begins with a byte order mark and with the
 *   separator it is to use, and its lines end as Excel's do
 */
export function tableCsv(table, { formatted = false, excel = false } = {}) {
  const iso = (ms) => (excel ? new Date(ms).toISOString().replace('T', ' ').replace('Z', '') : new Date(ms).toISOString());
  const separator = ',';
  const line = (cells) => cells.map((text) => quoted(excel ? harmless(text) : text, separator)).join(separator);
  const lines = [line(table.columns.map(({ name }) => name))];
  for (let row = 0; row < rowsOf(table); row++) {
    lines.push(line(table.columns.map((column) => {
      if (column.type === 'number' && Number.isNaN(column.values[row])) return '';
      return cellText(column, row, formatted, iso);
    })));
  }
  const end = excel ? '\r\n' : '\n';
  return `${excel ? `\uFEFFsep=${separator}${end}` : ''}${lines.join(end)}${end}`;
}
