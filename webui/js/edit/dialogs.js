// The editor's dialogs: each resolves to what a person chose, or to null.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';

/** @param fill(close) gives the dialog's children; close(value) ends it */
export function ask(title, fill) {
  return new Promise((resolve) => {
    let answer = null;
    const close = (value) => {
      answer = value;
      dialog.close();
    };
    const dialog = el('dialog', { class: 'help edit-dialog', 'aria-label': title }, el('h2', {}, title));
    dialog.append(...fill(close).flat().filter(Boolean));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** @param choices [[value, title]]; the first is the main one */
export function choose(title, sentences, choices) {
  return ask(title, (close) => [sentences.map((text) => el('p', {}, text)),
    el('div', { class: 'edit-buttons' }, ...choices.map(([value, text], index) => el('button', {
      type: 'button', class: index ? 'tool wide' : 'primary', 'data-choice': value, onclick: () => close(value) }, text)),
    el('button', { type: 'button', class: 'tool wide', onclick: () => close(null) }, t('Cancel')))]);
}

/** One line of text, trimmed; null when it was left. @param extra elements below the field */
export function askText(title, label, value, action, extra = []) {
  return ask(title, (close) => {
    const field = el('input', { type: 'text', id: 'edit-ask', value, required: true });
    return [el('form', { onsubmit: (event) => { event.preventDefault(); close(field.value.trim()); } },
      ...extra, el('label', { for: 'edit-ask' }, label), field,
      el('div', { class: 'edit-buttons' }, el('button', { class: 'primary' }, action),
        el('button', { type: 'button', class: 'tool wide', onclick: () => close(null) }, t('Cancel'))))];
  });
}
