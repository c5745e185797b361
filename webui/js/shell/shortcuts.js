// Keyboard: one table drives both the keys and the help that "?" shows.

import { closeDropdowns } from './dropdown.js';
import { el } from './dom.js';

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function buildHelp(shortcuts) {
  const dialog = el('dialog', { class: 'help' },
    el('h2', {}, 'Keyboard'),
    el('dl', {}, ...shortcuts.flatMap(({ label, keys, text }) => [
      el('dt', {}, el('kbd', {}, label ?? keys[0])), el('dd', {}, text)])),
    el('form', { method: 'dialog' }, el('button', { class: 'primary' }, 'Close')));
  document.body.append(dialog);
  return dialog;
}

/** @param shortcuts [{keys: ['v'], label, text, run}]; "?" is added. @returns a function that shows the help. */
export function installShortcuts(shortcuts) {
  const all = [...shortcuts, { keys: ['?'], text: 'Show this help' }];
  const help = buildHelp(all);
  const show = () => {
    closeDropdowns();
    help.showModal();
  };
  all[all.length - 1].run = show;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || help.open) return;
    const hit = all.find(({ keys }) => keys.includes(event.key));
    if (!hit) return;
    event.preventDefault();
    hit.run();
  });
  return show;
}
