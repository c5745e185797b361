// The revisions: who saved what and when, how it went, and the ways back.

import { el } from '../shell/dom.js';
import { locale, msg, t } from '../shell/i18n.js';
import { kReasons } from './apply_view.js';
import { exportAddress, listAudit, listRevisions } from './config_api.js';

const kPage = 20;
const kAuditRows = 500;
const kActions = {
  seeded: msg('begun with'), saved: msg('saved'), apply_started: msg('apply began'), step: msg('step'), confirmed: msg('kept'), returned: msg('taken back'),
  failed: msg('not applied'), cancel_asked: msg('cancel asked'), recovery_mode: msg('recovery mode'),
};
const kStates = {
  active: msg('active'), confirmed: msg('served before'), returned: msg('taken back'), failed: msg('not applied'), saved: msg('saved only'),
  running: msg('being applied'),
};

export const momentText = (ms) => (ms > 0 ? new Date(ms).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'medium' }) : '');

function outcomeCell({ state, outcome, reason }) {
  const why = reason && t(kReasons[reason] ?? '{reason}', { reason });
  const more = outcome && outcome !== state && outcome !== 'confirmed' && t(kStates[outcome] ?? '{outcome}', { outcome });
  return [el('span', { class: `config-badge state-${state}` }, t(kStates[state] ?? '{state}', { state })),
    [more, why].filter(Boolean).length > 0 && el('p', {}, [more, why].filter(Boolean).join(': '))];
}

export class RevisionList {
  /** @param options {view(revision), restore(revision), canChange()} */
  constructor(options) {
    this.options_ = options;
    this.rows_ = [];
    this.body_ = el('tbody', {});
    this.more_ = el('button', { type: 'button', class: 'tool wide', hidden: true, onclick: () => this.loadMore_() }, t('Older revisions'));
    const heads = [t('Revision'), t('Saved'), t('By'), t('Note'), t('State'), t('Actions')];
    this.element = el('div', { class: 'config-revisions' },
      el('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': t('Revisions') }, el('table', { class: 'rows' },
        el('thead', {}, el('tr', {}, ...heads.map((text) => el('th', { scope: 'col' }, text)))), this.body_)), this.more_);
  }

  async load() {
    this.rows_ = await listRevisions(Math.max(kPage, this.rows_.length));
    this.show_();
  }

  async loadMore_() {
    this.rows_.push(...await listRevisions(kPage, this.rows_.at(-1).id));
    this.show_();
  }

  show_() {
    this.more_.hidden = this.rows_.length === 0 || this.rows_.at(-1).id <= 1 || this.rows_.length % kPage !== 0;
    this.body_.replaceChildren(...this.rows_.map((revision) => this.row_(revision)));
    if (this.rows_.length === 0) this.body_.append(el('tr', {}, el('td', { class: 'none', colspan: 6 }, t('Nothing has been saved yet.'))));
  }

  row_(revision) {
    const { id, created_ms: created, author, note, state } = revision;
    const named = (text) => `${text}: ${t('revision {id}', { id })}`;
    const action = (text, run) => el('button', { type: 'button', class: 'tool wide', 'aria-label': named(text), onclick: run }, text);
    const exported = (text, format) => el('a', {
      class: 'tool wide', href: exportAddress(id, format), download: '', 'aria-label': `${t('Export as {format}', { format: text })}: ${t('revision {id}', { id })}` }, text);
    return el('tr', { 'data-revision': id },
      el('td', { class: 'number' }, el('b', {}, String(id))), el('td', { class: 'nowrap' }, momentText(created)), el('td', {}, author),
      el('td', { class: 'config-note' }, note), el('td', {}, ...outcomeCell(revision)),
      el('td', {}, el('div', { class: 'actions' }, action(t('Compare'), () => this.options_.view(revision)),
        state !== 'active' && this.options_.canChange() && action(t('Restore'), () => this.options_.restore(revision)),
        exported('YAML', 'yaml'), exported('JSON', 'json'))));
  }
}

/** The trail of everything that was done, newest first; the steps of each apply where they are asked for. */
export async function auditTable() {
  const entries = await listAudit(kAuditRows);
  const place = el('div', {}, auditRows(entries.filter(({ action }) => action !== 'step')));
  const steps = el('input', { type: 'checkbox', onchange: () => place.replaceChildren(auditRows(entries.filter(({ action }) => steps.checked || action !== 'step'))) });
  return el('div', { class: 'config-audit' }, el('label', {}, steps, t('with each step')), place);
}

function auditRows(entries) {
  if (entries.length === 0) return el('p', { class: 'muted' }, t('Nothing has been done yet.'));
  const heads = [t('When'), t('By'), t('What'), t('Revision'), t('In words')];
  return el('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': t('Audit trail') }, el('table', { class: 'rows' },
    el('thead', {}, el('tr', {}, ...heads.map((text) => el('th', { scope: 'col' }, text)))),
    el('tbody', {}, ...entries.map((entry) => el('tr', {}, el('td', { class: 'nowrap' }, momentText(entry.time_ms)), el('td', {}, entry.author),
      el('td', {}, t(kActions[entry.action] ?? '{action}', { action: entry.action })), el('td', { class: 'number' }, entry.revision ? String(entry.revision) : ''), el('td', {}, entry.text))))));
}
