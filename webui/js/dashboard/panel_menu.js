// A panel's menu and the popover that explains it, both by keyboard too.

import { Dropdown } from '../shell/dropdown.js';
import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';

const kSteps = { ArrowDown: 1, ArrowUp: -1 };

/** Arrow keys, Home and End among the items of an open menu. */
function walk(event) {
  const items = [...event.currentTarget.querySelectorAll('[role="menuitem"]:not([aria-disabled="true"])')];
  const at = items.indexOf(document.activeElement);
  const ends = { Home: 0, End: items.length - 1 };
  const next = ends[event.key] ?? (kSteps[event.key] ? (at + kSteps[event.key] + items.length) % items.length : null);
  if (next === null) return;
  event.preventDefault();
  items[next].focus();
}

function menuItem({ text, key, run, href, disabled }, close) {
  const act = (event) => {
    if (disabled) return event.preventDefault();
    close();
    return run?.();
  };
  return el(href ? 'a' : 'button', {
    type: href ? null : 'button', href, class: 'choice', role: 'menuitem', tabindex: -1, 'aria-disabled': disabled && 'true', onclick: act,
  }, text, key && el('kbd', { 'aria-hidden': 'true' }, key));
}

/**
 * The button with three dots.
 * @param items() gives [{text, key, run | href, disabled}] at each opening; null stands for a line
 */
export function panelMenu(title, items) {
  const label = title ? t('Menu of {title}', { title }) : t('Panel menu');
  const button = el('button', { type: 'button', class: 'panel-menu', title: t('Panel menu'), 'aria-label': label }, icon('dots'));
  const dropdown = new Dropdown(button, (pane, self) => {
    const close = () => {
      self.close();
      button.focus({ preventScroll: true });
    };
    const list = items().map((item) => (item ? menuItem(item, close) : el('hr', { role: 'separator' })));
    const menu = el('div', { class: 'choices', role: 'menu', 'aria-label': label, onkeydown: walk }, ...list);
    menu.addEventListener('keydown', (event) => {
      if (event.key === 'Tab') self.close();
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      close();
    });
    pane.append(menu);
    menu.querySelector('[role="menuitem"]')?.focus({ preventScroll: true });
  });
  button.setAttribute('aria-haspopup', 'menu');
  return dropdown;
}

/** The button (i): what the panel shows, in words and in PromQL. @param queries() gives [{refId, expr}] */
export function panelInfo(panel, queries) {
  const label = t('About {title}', { title: panel.title });
  const button = el('button', { type: 'button', class: 'panel-info', title: panel.description || label, 'aria-label': label }, icon('info'));
  return new Dropdown(button, (pane) => {
    pane.classList.add('panel-pane');
    pane.append(el('div', { role: 'note', tabindex: -1, autofocus: true, 'aria-label': label },
      panel.description && el('p', { class: 'pane-text' }, panel.description),
      ...queries().map(({ refId, expr }) => el('div', { class: 'query' },
        el('span', { class: 'query-ref' }, refId), el('code', {}, expr)))));
  }, { align: 'left' });
}
