// The filter of a table's column: its different values with their counts, to be ticked.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';

const kMaxShown = 300;
const kMarginPx = 4;

/** The list inside an open filter. `chosen` is changed as values are ticked. */
function fillPane(pane, texts, chosen, apply) {
  const list = el('div', { class: 'filter-list' });
  const search = el('input', { type: 'search', 'aria-label': t('Search values'), placeholder: t('Search values') });
  const fill = () => {
    const wanted = search.value.toLowerCase();
    const found = texts.filter(([text]) => text.toLowerCase().includes(wanted)).slice(0, kMaxShown);
    list.replaceChildren(...found.map(([text, count]) => {
      const box = el('input', { type: 'checkbox', checked: chosen.has(text) });
      box.addEventListener('change', () => { if (!chosen.delete(text)) chosen.add(text); });
      return el('label', {}, box, el('span', {}, text || t('(empty)')), el('span', { class: 'muted' }, String(count)));
    }));
  };
  const setAll = (on) => {
    for (const [text] of texts) {
      if (on) chosen.add(text);
      else chosen.delete(text);
    }
    fill();
  };
  const act = (text, run) => el('button', { type: 'button', class: 'choice', onclick: run }, text);
  search.addEventListener('input', fill);
  fill();
  pane.replaceChildren(search, list, el('div', { class: 'filter-acts' },
    act(t('All'), () => setAll(true)), act(t('None'), () => setAll(false)), act(t('Apply'), apply)));
  search.focus();
}

/**
 * A button and the pane it opens. The pane is a popover: the table's scroll box would cut off any other.
 * @param texts() [[text, count]] of the column as it is now
 * @param filter the Set of texts that stay, or undefined while everything does
 * @param onApply(Set | null) null when every value is ticked
 */
export function columnFilter(title, texts, filter, onApply) {
  const label = t('Filter {column}', { column: title });
  const pane = el('div', { popover: 'auto', class: 'filter-pane', role: 'dialog', 'aria-label': label });
  const button = el('button', {
    type: 'button', class: filter ? 'head-filter on' : 'head-filter', title: label, 'aria-label': label,
    'aria-haspopup': 'dialog', 'aria-expanded': 'false', 'aria-pressed': String(Boolean(filter)),
  }, filter ? '▼' : '▽');
  button.addEventListener('click', () => {
    const all = texts();
    const chosen = new Set(filter ?? all.map(([text]) => text));
    pane.showPopover();
    fillPane(pane, all, chosen, () => {
      pane.hidePopover();
      onApply(chosen.size === all.length ? null : chosen);
    });
    const { left, bottom } = button.getBoundingClientRect();
    pane.style.left = `${Math.max(kMarginPx, Math.min(left, window.innerWidth - pane.offsetWidth - kMarginPx))}px`;
    pane.style.top = `${Math.max(kMarginPx, Math.min(bottom + kMarginPx, window.innerHeight - pane.offsetHeight - kMarginPx))}px`;
  });
  pane.addEventListener('toggle', (event) => button.setAttribute('aria-expanded', String(event.newState === 'open')));
  return [button, pane];
}
