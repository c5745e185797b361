// The table of an instant query: one row a series, one column a label, sortable, at the range's end.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';

const kMostRows = 500;

/** @returns the columns of rows [{refId, labels, value}]: Query when several ran, then labels, then the value */
export function tableColumns(rows) {
  const labels = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))]
    .sort((a, b) => (b === '__name__') - (a === '__name__') || a.localeCompare(b));
  const several = new Set(rows.map((row) => row.refId)).size > 1;
  return [
    ...(several ? [{ id: '#', title: t('Query'), of: (row) => row.refId }] : []),
    ...labels.map((label) => ({ id: label, title: label === '__name__' ? t('Metric') : label, of: (row) => row.labels[label] ?? '' })),
    { id: '=', title: t('Value'), of: (row) => row.value, number: true },
  ];
}

/** Rows in the order of one column; numbers by size with NaN last, texts as people count. */
export function sortRows(rows, column, descending) {
  const sign = descending ? -1 : 1;
  const compare = (a, b) => {
    const [x, y] = [column.of(a), column.of(b)];
    if (!column.number) return sign * x.localeCompare(y, undefined, { numeric: true });
    return Number.isNaN(x) - Number.isNaN(y) || (Number.isNaN(x) ? 0 : sign * (x - y));
  };
  return [...rows].sort(compare);
}

const numberText = (value) => (Number.isFinite(value) ? String(value) : { [Infinity]: '+Inf', [-Infinity]: '-Inf' }[value] ?? 'NaN');

export class ResultTable {
  constructor() {
    this.sort_ = { id: '', descending: false };
    this.rows_ = [];
    this.note_ = el('p', { class: 'hint' });
    this.box_ = el('div', { class: 'table-box', tabindex: 0, role: 'region', 'aria-label': t('Table') });
    this.element = el('div', {}, this.box_, this.note_);
  }

  /** @param rows [{refId, labels, value}] */
  draw(rows) {
    this.rows_ = rows;
    const columns = tableColumns(rows);
    const by = columns.find((column) => column.id === this.sort_.id);
    const ordered = by ? sortRows(rows, by, this.sort_.descending) : rows;
    const body = ordered.slice(0, kMostRows).map((row) => el('tr', {},
      ...columns.map((column) => el('td', { class: column.number && 'number' },
        column.number ? numberText(column.of(row)) : column.of(row)))));
    this.box_.replaceChildren(el('table', { class: 'data-table' },
      el('thead', {}, el('tr', {}, ...columns.map((column) => this.head_(column)))), el('tbody', {}, ...body)));
    this.note_.textContent = rows.length > kMostRows
      ? t('The first {shown} of {count} rows', { shown: kMostRows, count: rows.length }) : '';
  }

  head_(column) {
    const sorted = this.sort_.id === column.id;
    const order = this.sort_.descending ? 'descending' : 'ascending';
    return el('th', { scope: 'col', class: column.number && 'number', 'aria-sort': sorted ? order : 'none' },
      el('button', { type: 'button', 'data-column': column.id, onclick: () => this.sortBy_(column, sorted) },
        column.title, el('span', { 'aria-hidden': 'true' }, sorted ? (this.sort_.descending ? ' ↓' : ' ↑') : '')));
  }

  sortBy_(column, again) {
    this.sort_ = { id: column.id, descending: again ? !this.sort_.descending : Boolean(column.number) };
    this.draw(this.rows_);
    this.box_.querySelector(`[data-column="${CSS.escape(column.id)}"]`)?.focus();
  }
}
