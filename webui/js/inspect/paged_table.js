// A table of any length: a page of it stands in the document at a time.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { cellText, rowsOf } from './inspect_table.js';

const kPageRows = 200;
const timeText = (ms) => new Date(ms).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });

/** @param table of inspect_table.js @returns an element */
export function pagedTable(table, { formatted, label }) {
  const total = rowsOf(table);
  const pages = Math.max(1, Math.ceil(total / kPageRows));
  let page = 0;
  const body = el('tbody', {});
  const where = el('span', { role: 'status' });
  const step = (text, by) => el('button', { type: 'button', class: 'tool wide', onclick: () => show(page + by) }, text);
  const [back, on] = [step(t('Earlier rows'), -1), step(t('Later rows'), 1)];
  const show = (wanted) => {
    page = Math.min(pages - 1, Math.max(0, wanted));
    const first = page * kPageRows;
    const last = Math.min(total, first + kPageRows);
    const rows = Array.from({ length: last - first }, (_, index) => el('tr', {}, ...table.columns.map((column) => el('td',
      { class: column.type }, cellText(column, first + index, formatted, timeText)))));
    body.replaceChildren(...rows);
    where.textContent = total === 0 ? t('No rows') : t('Rows {first} to {last} of {total}', { first: first + 1, last, total });
    [back.disabled, on.disabled] = [page === 0, page === pages - 1];
  };
  show(0);
  return el('div', { class: 'inspect-table' },
    el('div', { class: 'inspect-scroll', tabindex: 0, role: 'region', 'aria-label': label },
      el('table', {}, el('thead', {}, el('tr', {}, ...table.columns.map(({ name, type }) => el('th', { scope: 'col', class: type }, name)))), body)),
    el('div', { class: 'inspect-pages' }, where, pages > 1 && back, pages > 1 && on));
}
