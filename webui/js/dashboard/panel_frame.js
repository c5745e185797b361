// The frame around every panel: title, description, menu, and the states loading, error, no data.

import { SeriesColors } from '../format/colors.js';
import { Dropdown } from '../shell/dropdown.js';
import { download, el, icon } from '../shell/dom.js';
import { emptyReason } from '../prometheus/empty_reason.js';
import { PanelData } from './panel_data.js';
import { queryScope } from './variables.js';
import { kTypes } from '../panels/types.js';
import { hasData, toCsv } from '../prometheus/series.js';
import { t } from '../shell/i18n.js';

/** A table of nothing but texts is data too. */
const hasRows = (tables) => tables.some(({ columns }) => columns[0]?.values.length > 0);

const fileName = (title) => `${title.replace(/[^\w-]+/g, '_')}.csv`;

export class PanelFrame {
  /** @param context of the dashboard: see TimeSeriesPanel (its colors are made here), plus onFullScreen(id). */
  constructor(panel, context) {
    this.panel = panel;
    this.context_ = context;
    this.data_ = new PanelData(panel);
    this.visible = true;
    this.answer_ = null;
    this.events_ = [];
    this.body_ = el('div', { class: 'panel-body' });
    this.note_ = el('div', { class: 'panel-note', hidden: true });
    this.badge_ = el('span', { class: 'panel-badge', hidden: true }, icon('warning'));
    this.progress_ = el('div', { class: 'panel-progress', hidden: true });
    // Grafana would show more than this panel does: it says so for as long as it stands.
    this.undrawn_ = el('p', { class: 'panel-undrawn', hidden: panel.undrawn.length === 0 || !kTypes[panel.type] },
      panel.undrawn.join(' · '));
    this.element = this.build_();
    this.place_();
    const Type = kTypes[panel.type];
    // Colours are handed out per panel, in the order of its queries: a reload gives the same ones.
    if (Type) this.view_ = new Type(panel, this.body_, { ...context, colors: new SeriesColors() });
    else this.showNote_('unsupported', panel.undrawn.join('\n') || t('panel type {type} is not drawn', { type: panel.type }));
  }

  build_() {
    const { panel } = this;
    const menuButton = el('button', { type: 'button', class: 'panel-menu', title: 'Panel menu', 'aria-label': `Menu of ${panel.title}` },
      icon('dots'));
    const menu = new Dropdown(menuButton, (pane, dropdown) => this.fillMenu_(pane, dropdown));
    const info = panel.description
      && el('span', { class: 'panel-info', tabindex: 0, title: panel.description, 'aria-label': panel.description }, icon('info'));
    return el('section', {
      class: `panel type-${panel.type}`, 'data-panel-id': panel.id, 'data-state': 'loading',
      'data-size': panel.gridPos.w <= 4 ? 'tile' : 'normal', tabindex: -1, 'aria-label': panel.title,
    },
    el('header', { class: 'panel-head' }, el('h2', { title: panel.title }, panel.title), info || null, this.badge_, menu.element),
    this.progress_, this.body_, this.note_, this.undrawn_);
  }

  place_() {
    const { x, w, h } = this.panel.gridPos;
    for (const [name, value] of Object.entries({ x: x + 1, w, h })) {
      this.element.style.setProperty(`--${name}`, String(value));
    }
  }

  /** The panel's row in its section's grid, counted from 1. */
  setRow(row) {
    this.element.style.setProperty('--y', String(row));
  }

  fillMenu_(pane, dropdown) {
    const { panel } = this;
    const exprs = this.answer_ ? this.data_.expressions(...this.lastArguments_) : panel.targets.map((target) => target.expr);
    pane.classList.add('panel-pane');
    const action = (text, key, run, disabled) => el('button', {
      type: 'button', class: 'choice', disabled, onclick: () => { dropdown.close(); run(); },
    }, text, key && el('kbd', {}, key));
    pane.append(
      action('View', 'v', () => this.context_.onFullScreen(panel.id)),
      action('Download CSV', '', () => this.downloadCsv_(), !this.answer_),
      panel.description ? el('p', { class: 'pane-text' }, panel.description) : '',
      ...exprs.map((expr, index) => el('div', { class: 'query' },
        el('span', { class: 'query-ref' }, panel.targets[index].refId), el('code', {}, expr))),
    );
  }

  downloadCsv_() {
    download(fileName(this.panel.title), toCsv(this.answer_.series), 'text/csv');
  }

  /** @param reason of an empty panel: the id of emptyReason() */
  showNote_(state, text, reason = '') {
    this.element.dataset.state = state;
    this.element.dataset.reason = reason;
    this.note_.hidden = state === 'ready';
    this.note_.textContent = text;
    this.badge_.hidden = state !== 'error';
    this.badge_.title = text;
    // After an error the last drawing stays, with the reason over it.
    this.body_.classList.toggle('blank', state !== 'ready' && !(state === 'error' && this.answer_));
  }

  /**
   * Loads and draws; never rejects. An answer that a newer load overtook is dropped.
   * @param facts the RangeFacts of this refresh, for a panel that turns out to be empty
   */
  async load(variables, fromMs, toMs, facts) {
    if (!this.view_) return;
    if (this.panel.targets.length === 0) {
      this.view_.setScope?.(queryScope(variables, 1, (toMs - fromMs) / 1000, { fromMs, toMs }));
      this.showNote_('ready', '');
      return;
    }
    const query = [variables, fromMs, toMs, this.body_.clientWidth || 600];
    this.lastArguments_ = query;
    const shown = ['ready', 'empty'].includes(this.element.dataset.state) && this.answer_;
    if (shown && this.data_.current(...query) === shown) return;  // nothing new can be there
    // A refresh that takes its usual moment is no news; a wait for something new is.
    const patienceMs = this.answer_ ? 1500 : 250;
    const slow = setTimeout(() => { this.progress_.hidden = false; }, patienceMs);
    try {
      const answer = await this.data_.load(...query);
      if (shown && answer === shown) return;
      this.answer_ = answer;
      if (hasData(answer.series) || (kTypes[this.panel.type].showsRows && hasRows(answer.tables))) {
        this.showNote_('ready', '');
        this.view_.draw(answer);
        this.view_.showEvents?.(this.events_);
      } else {
        const { id, text } = emptyReason(this.data_.expressions(...query), answer.series, await facts.get());
        if (this.lastArguments_ === query) this.showNote_('empty', text, id);
      }
    } catch (error) {
      if (error.name !== 'AbortError') this.showNote_('error', error.message);
    } finally {
      clearTimeout(slow);
      this.progress_.hidden = true;
    }
  }

  /** @param events [{timeMs, kind, text}] of the shown time */
  showEvents(events) {
    this.events_ = events;
    if (this.answer_ && this.element.dataset.state === 'ready') this.view_.showEvents?.(events);
  }

  redraw() {
    if (this.answer_ && this.element.dataset.state === 'ready') this.view_.draw(this.answer_);
  }

  destroy() {
    this.data_.cancel();
    this.view_?.destroy();
  }
}
