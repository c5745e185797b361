// What the page asks before it does something: each resolves to what a person chose, or to null.

import { ask, choose } from '../edit/dialogs.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { diffOf } from './config_api.js';
import { changeList, diffTable } from './diff_view.js';
import { fitView } from './fit_bar.js';

const kNoteMax = 500;

const noteField = () => el('input', { type: 'text', id: 'config-note', maxlength: kNoteMax, autocomplete: 'off', autofocus: true });

function buttons(action, close) {
  return el('div', { class: 'edit-buttons' }, el('button', { class: 'primary', 'data-choice': 'go' }, action),
    el('button', { type: 'button', class: 'tool wide', onclick: () => close(null) }, t('Cancel')));
}

/** What is about to happen, in full, and a place for a note. @returns {note} or null */
export function askApply(title, checked, active, action = t('Apply')) {
  return ask(title, (close) => {
    const note = noteField();
    return [el('form', { onsubmit: (event) => { event.preventDefault(); close({ note: note.value.trim() }); } },
      changeList(checked.changes ?? []), checked.interruption?.sentence && el('p', {}, el('b', {}, checked.interruption.sentence)),
      fitView(checked.fit),
      el('label', { for: 'config-note' }, t('Note for the history (may stay empty)')), note,
      el('p', {}, active ? t('If anything goes wrong, or the box restarts meanwhile, revision {revision} serves again by itself.', { revision: active })
        : t('If anything goes wrong, the box goes back by itself.')),
      buttons(action, close))];
  });
}

export function askSave() {
  return ask(t('Save without applying'), (close) => {
    const note = noteField();
    return [el('form', { onsubmit: (event) => { event.preventDefault(); close({ note: note.value.trim() }); } },
      el('p', {}, t('The text becomes a revision; what serves stays as it is.')),
      el('label', { for: 'config-note' }, t('Note for the history (may stay empty)')), note, buttons(t('Save'), close))];
  });
}

/** Text to take the place of the whole document. @returns the text or null */
export function askPaste() {
  return ask(t('Paste a configuration'), (close) => {
    const field = el('textarea', { id: 'config-paste', class: 'code', rows: 14, spellcheck: 'false', required: true });
    return [el('form', { onsubmit: (event) => { event.preventDefault(); close(field.value); } },
      el('label', { for: 'config-paste' }, t('A Ray Serve application file, a list of llm_configs or one LLMConfig, as YAML, JSON or Python. It takes the place of the whole text; nothing is applied yet.')),
      field, buttons(t('Put it into the editor'), close))];
  });
}

/**
 * Somebody else saved while this text was written. The difference of both is shown.
 * @returns 'theirs' | 'mine' | null (look again)
 */
export async function askConflict(newest, text) {
  let difference;
  try {
    difference = diffTable((await diffOf({ from: newest.id, document: text })).lines,
      [t('Theirs: revision {id}', { id: newest.id }), t('Mine')]);
  } catch (error) {
    difference = el('p', {}, error.message);
  }
  return ask(t('Somebody else has changed the configuration'), (close) => [
    el('p', {}, t('Revision {id} was saved by {author} after this page had read the configuration. Nothing of yours is lost, and nothing was overwritten.', { id: newest.id, author: newest.author })),
    newest.note && el('p', {}, t('Their note: {note}', { note: newest.note })), difference,
    el('div', { class: 'edit-buttons' },
      el('button', { type: 'button', class: 'tool wide', 'data-choice': 'theirs', onclick: () => close('theirs') }, t('Take theirs, drop mine')),
      el('button', { type: 'button', class: 'tool wide', 'data-choice': 'mine', onclick: () => close('mine') }, t('Keep mine, on top of theirs')),
      el('button', { type: 'button', class: 'tool wide', onclick: () => close(null) }, t('Cancel')))]);
}

export function askDiscard() {
  return choose(t('Discard what you have changed?'), [t('The text becomes that of the newest revision again.')], [['discard', t('Discard')]]);
}

export function showDiff(title, lines, titles) {
  return ask(title, (close) => [diffTable(lines, titles),
    el('div', { class: 'edit-buttons' }, el('button', { type: 'button', class: 'primary', onclick: () => close(null) }, t('Close')))]);
}
