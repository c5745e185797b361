// The list of earlier queries: search, star, delete, run again.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { formatMoment } from '../time/time_range.js';
import { searchEntries } from './query_history.js';

/** @param onChoose(exprs) @returns the pane's element */
export function historyPane(history, onChoose) {
  const search = el('input', { type: 'text', 'aria-label': t('Search the history'), placeholder: t('Search the history') });
  const starred = el('input', { type: 'checkbox', id: 'history-starred' });
  const list = el('ul', { class: 'history-list' });
  const nothing = el('p', { class: 'hint', role: 'status' });
  const show = () => {
    const entries = searchEntries(history.entries, search.value, starred.checked);
    nothing.textContent = entries.length > 0 ? '' : t('No query here yet');
    list.replaceChildren(...entries.map((entry) => entryItem(history, entry, onChoose)));
  };
  search.addEventListener('input', show);
  starred.addEventListener('change', show);
  history.addEventListener('change', show);
  show();
  return el('section', { class: 'side-pane', id: 'history', 'aria-label': t('History') },
    el('h2', {}, t('History')), search,
    el('div', { class: 'pane-line' }, starred, el('label', { for: starred.id }, t('Starred alone')),
      el('button', { type: 'button', class: 'tool wide', onclick: () => history.clear() }, t('Clear but the stars'))),
    nothing, list);
}

function entryItem(history, entry, onChoose) {
  const text = entry.exprs.join('\n');
  const small = (label, sign, run, pressed) => el('button', {
    type: 'button', class: 'small-tool', title: label, 'aria-label': `${label}: ${text}`, 'aria-pressed': pressed, onclick: run,
  }, sign);
  return el('li', { class: 'history-entry' },
    el('button', { type: 'button', class: 'history-query', onclick: () => onChoose(entry.exprs) }, el('code', {}, text)),
    el('span', { class: 'hint' }, formatMoment(entry.timeMs)),
    small(t('Star'), entry.star ? '★' : '☆', () => history.star(entry), String(Boolean(entry.star))),
    small(t('Delete'), '✕', () => history.remove(entry)));
}
