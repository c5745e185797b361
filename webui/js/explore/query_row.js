// One query of Explore: its letter, the editor, the legend, what the server said of it.

import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { toolButton } from '../shell/dropdown.js';
import { apiGet } from '../prometheus/prometheus_api.js';
import { PromqlEditor } from './promql_editor.js';
import { readQueryError } from './query_error.js';

export class QueryRow {
  /**
   * @param query {expr, legend, on}
   * @param actions {known(context), onChange(), onRun(), onRemove(row), onFocus(row)}
   */
  constructor(query, actions) {
    this.actions_ = actions;
    this.on_ = query.on;
    this.editor = new PromqlEditor({
      label: t('Query'), value: query.expr, known: actions.known, onRun: actions.onRun,
      onInput: () => this.edited_(),
    });
    this.letter_ = el('button', { type: 'button', class: 'query-letter', onclick: () => this.toggle_() });
    this.legend_ = el('input', {
      type: 'text', class: 'legend-input', spellcheck: 'false', value: query.legend, placeholder: t('Legend: {{model_name}}'),
      'aria-label': t('Legend format'), onchange: actions.onChange,
    });
    this.toDashboard_ = el('a', { class: 'tool wide', 'data-action': 'to-dashboard' }, t('Add to dashboard'));
    this.remove_ = toolButton('close', t('Remove this query'), { onclick: () => actions.onRemove(this) });
    this.error_ = el('p', { class: 'query-error', role: 'alert', hidden: true });
    this.stats_ = el('p', { class: 'query-stats' });
    const format = el('button', { type: 'button', class: 'tool wide', onclick: () => this.format_() }, t('Format'));
    this.element = el('div', { class: 'query-row' }, this.letter_, this.editor.element,
      el('div', { class: 'query-tools' }, this.legend_, format, this.toDashboard_, this.remove_),
      el('div', { class: 'query-said' }, this.error_, this.stats_));
    this.element.addEventListener('focusin', () => actions.onFocus(this));
  }

  get query() {
    return { expr: this.editor.value, legend: this.legend_.value.trim(), on: this.on_ };
  }

  /** @param refId its letter @param alone the only query cannot be removed */
  show(refId, alone) {
    this.refId = refId;
    this.letter_.textContent = refId;
    this.letter_.setAttribute('aria-pressed', String(this.on_));
    this.letter_.setAttribute('aria-label', t('Run query {letter}', { letter: refId }));
    this.letter_.title = this.on_ ? t('Switch query {letter} off', { letter: refId }) : t('Switch query {letter} on', { letter: refId });
    this.element.classList.toggle('off', !this.on_);
    this.remove_.hidden = alone;
    this.linkToDashboard_();
  }

  linkToDashboard_() {
    const { expr, legend } = this.query;
    this.toDashboard_.href = `/d/new?${new URLSearchParams({ expr, ...(legend && { legend }) })}`;
  }

  toggle_() {
    this.on_ = !this.on_;
    this.show(this.refId, this.remove_.hidden);
    this.actions_.onChange();
  }

  edited_() {
    this.linkToDashboard_();
    this.say_('', '');
  }

  say_(error, stats) {
    this.error_.hidden = error === '';
    this.error_.textContent = error;
    this.stats_.textContent = stats;
  }

  /** @param sent the expression that `error` speaks of: macros filled in */
  showError(error, sent) {
    const { message, line, column, offset } = readQueryError(error.message, sent);
    // Macros before the error shift what stands behind them: the place is shown where it is the same.
    const same = offset !== null && sent.slice(0, offset) === this.editor.value.slice(0, offset);
    this.editor.showError(same ? offset : null);
    const place = line === null || !same ? '' : t('Line {line}, column {column}: ', { line, column });
    this.say_(place + message, '');
  }

  /** @param facts {series, points, ms} of the answer, and `empty` why there is nothing */
  showStats({ series, points, ms, empty }) {
    const count = new Intl.NumberFormat().format;
    this.editor.showError(null);
    this.say_('', empty ?? t('{series} series · {points} points · {ms} ms',
      { series: count(series), points: count(points), ms: Math.round(ms) }));
  }

  clear() {
    this.editor.showError(null);
    this.say_('', '');
  }

  async format_() {
    const before = this.editor.value;
    try {
      const text = await apiGet('/api/v1/format_query', { query: before });
      if (this.editor.value !== before) return;
      this.editor.value = text;
      this.edited_();
      this.actions_.onChange();
    } catch (error) {
      this.showError(error, before);
    }
  }
}

export const addButton = (onClick) => el('button', { type: 'button', class: 'tool wide', id: 'add-query', onclick: onClick },
  icon('plus'), t('Add query'));
