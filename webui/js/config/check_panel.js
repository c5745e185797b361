// Beside the editor: what is wrong, what the box caps, whether it fits, what would be interrupted; and
// the buttons that do something about it.

import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { changeList } from './diff_view.js';
import { fitView } from './fit_bar.js';
import { breakable, countErrors, problemList } from './problem_list.js';

const shown = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

function cappedList(effective) {
  return el('ul', { class: 'config-capped' }, ...effective.map(({ path, configured, effective: value, reason }) => el('li', {},
    el('code', {}, ...breakable(path)), el('p', {}, t('configured'), ' ', el('b', {}, shown(configured)), ' · ', t('effective'), ' ', el('b', {}, shown(value))),
    el('p', { class: 'muted' }, reason))));
}

function headline(checked) {
  const errors = countErrors(checked.problems);
  if (errors > 0) return ['error', errors === 1 ? t('One error') : t('{count} errors', { count: errors })];
  return checked.ok ? ['ok', t('Valid')] : ['busy', t('Not checked')];
}

export class CheckPanel {
  /** @param options {goTo(problem), rename(problem), apply(), save()} */
  constructor(options) {
    this.options_ = options;
    this.shown_ = '';
    this.head_ = el('p', { class: 'config-verdict', role: 'status' });
    this.parts_ = el('div', { class: 'config-parts' });
    this.apply_ = el('button', { type: 'button', class: 'primary', id: 'config-apply-open', 'aria-describedby': 'config-why', onclick: options.apply }, t('Apply …'));
    this.save_ = el('button', { type: 'button', class: 'tool wide', id: 'config-save', onclick: options.save }, t('Save without applying …'));
    this.why_ = el('p', { class: 'muted config-why', id: 'config-why' });
    this.element = el('aside', { class: 'config-check', id: 'config-check', 'aria-label': t('Check') },
      el('div', { class: 'config-decide' }, this.head_, el('div', { class: 'config-buttons' }, this.apply_, this.save_), this.why_), this.parts_);
  }

  /** The box is being asked: what it said of an older text allows nothing. */
  busy() {
    this.shown_ = '';
    this.head_.className = 'config-verdict busy';
    this.head_.replaceChildren(el('i', { class: 'dot' }), t('Checking …'));
    this.apply_.disabled = true;
    this.save_.disabled = true;
  }

  show(checked, { canApply, canSave, canEdit, why }) {
    const key = JSON.stringify([checked, canApply, canSave, canEdit, why]);
    if (key === this.shown_) return;
    this.shown_ = key;
    const [level, text] = headline(checked);
    this.head_.className = `config-verdict ${level}`;
    this.head_.replaceChildren(el('i', { class: 'dot' }), text);
    this.apply_.disabled = !canApply;
    this.save_.disabled = !canSave;
    this.why_.textContent = why ?? '';
    const part = (title, ...content) => el('section', {}, el('h2', {}, title), ...content);
    const { problems, effective, fit, interruption } = checked;
    const changes = checked.changes.some(({ kind }) => kind !== 'same');
    const list = (some) => problemList(some, { ...this.options_, canRename: canEdit });
    const errors = problems.filter(({ severity }) => severity === 'error');
    const notes = problems.filter(({ severity }) => severity !== 'error');
    this.parts_.replaceChildren(...[
      errors.length > 0 && part(t('What the box says'), list(errors)),
      checked.ok && part(t('What changes'), changeList(checked.changes),
        changes && interruption?.sentence && el('p', { class: interruption.wait_s > 0 ? 'config-wait busy' : 'config-wait' },
          interruption.wait_s > 0 && icon('clock'), interruption.sentence)),
      checked.ok && changes && part(t('Memory'), fitView(fit)),
      effective.length > 0 && part(t('Configured and effective'), cappedList(effective)),
      notes.length > 0 && el('details', { class: 'config-notes' },
        el('summary', {}, notes.length === 1 ? t('One field has no effect here') : t('{count} fields have no effect here', { count: notes.length })), list(notes)),
    ].filter(Boolean));
  }
}
