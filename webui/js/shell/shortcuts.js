// Keyboard: one table drives both the keys and the help that "?" shows. A shortcut is one key ("r")
// or two in a row ("t z"), as Grafana's are.

import { closeDropdowns } from './dropdown.js';
import { el } from './dom.js';
import { msg, t } from './i18n.js';

const kSequenceMs = 1500;  // the second key comes within this time, or it is a first one again

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function keyNames({ label, keys }) {
  return (label ?? keys[0]).split(' ').map((key) => el('kbd', {}, key));
}

function buildHelp(shortcuts) {
  const dialog = el('dialog', { class: 'help', 'aria-label': t('Keyboard') },
    el('h2', {}, t('Keyboard')),
    el('dl', {}, ...shortcuts.flatMap((shortcut) => [
      el('dt', {}, ...keyNames(shortcut)), el('dd', {}, t(shortcut.text))])),
    el('form', { method: 'dialog' }, el('button', { class: 'primary' }, t('Close'))));
  document.body.append(dialog);
  return dialog;
}

/**
 * @param shortcuts [{keys: ['v', 't z'], label, text, run}]; text is marked with msg(). "?" is added.
 * @returns a function that shows the help.
 */
export function installShortcuts(shortcuts) {
  const all = [...shortcuts, { keys: ['?'], text: msg('Show this help') }];
  const help = buildHelp(all);
  const show = () => {
    closeDropdowns();
    help.showModal();
  };
  all[all.length - 1].run = show;
  const find = (text) => all.find(({ keys }) => keys.includes(text));
  const begins = new Set(all.flatMap(({ keys }) => keys.filter((key) => key.includes(' ')).map((key) => key.split(' ')[0])));
  let first = '';
  let firstMs = 0;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.target.closest?.('dialog[open], [role="menu"]')) return;
    const pending = event.timeStamp - firstMs < kSequenceMs ? first : '';
    first = '';
    const hit = (pending && find(`${pending} ${event.key}`)) || (begins.has(event.key) ? null : find(event.key));
    if (!hit) {
      if (begins.has(event.key)) [first, firstMs] = [event.key, event.timeStamp];
      return;
    }
    event.preventDefault();
    hit.run();
  });
  return show;
}
