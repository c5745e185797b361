// The frame around every panel: title, description, menu, and the states loading, error, no data.

import { SeriesColors } from '../format/colors.js';
import { download, el, icon } from '../shell/dom.js';
import { emptyReason } from '../prometheus/empty_reason.js';
import { PanelData, panelTimeText } from './panel_data.js';
import { panelInfo, panelMenu } from './panel_menu.js';
import { interpolate, queryScope } from './variables.js';
import { kTypes } from '../panels/types.js';
import { hasData, toCsv } from '../prometheus/series.js';
import { safeUrl } from '../shell/safe_url.js';
import { t } from '../shell/i18n.js';

// Families that measure a request's time, in every spelling.
const kRequestTimes = /(?:vllm|hearth|ray)[\w:]*[_:](?:latency|time_to_first_token|time_per_output_token|(?:queue|prefill|decode|inference)_time)_/;

/** A table of nothing but texts is data too. */
const hasRows = (tables) => tables.some(({ columns }) => columns[0]?.values.length > 0);

export const fileName = (title) => `${title.replace(/[^\w-]+/g, '_') || 'panel'}.csv`;

export class PanelFrame {
  /**
   * @param context of the dashboard: see TimeSeriesPanel (its colors are made here), plus
   *   onFullScreen(id) and, for what the menu offers beyond that, page (a DashboardPage)
   */
  constructor(panel, context) {
    this.panel = panel;
    this.context_ = context;
    this.data = new PanelData(panel);
    this.visible = true;
    this.answer = null;
    this.events_ = [];
    this.body_ = el('div', { class: 'panel-body' });
    this.note_ = el('div', { class: 'panel-note', hidden: true });
    this.badge_ = el('span', { class: 'panel-badge', role: 'img', hidden: true }, icon('warning'));
    this.progress_ = el('div', { class: 'panel-progress', hidden: true });
    // Grafana would show more than this panel does: it says so for as long as it stands.
    this.undrawn_ = el('p', { class: 'panel-undrawn', hidden: panel.undrawn.length === 0 || !kTypes[panel.type] },
      panel.undrawn.join(' · '));
    this.element = this.build_();
    this.place(panel.gridPos);
    const Type = kTypes[panel.type];
    // Colours are handed out per panel, in the order of its queries: a reload gives the same ones.
    if (Type) this.view_ = new Type(panel, this.body_, { ...context, colors: new SeriesColors() });
    else this.showNote_('unsupported', panel.undrawn.join('\n') || t('panel type {type} is not drawn', { type: panel.type }));
  }

  build_() {
    const { panel } = this;
    this.menu_ = panelMenu(panel.title, () => this.menuItems_());
    const info = panel.description || panel.targets.length > 0 ? panelInfo(panel, () => this.queries()).element : null;
    info?.classList.toggle('described', panel.description !== '');
    const time = panelTimeText(panel);
    const element = el('section', {
      class: panel.json?.transparent ? `panel type-${panel.type} transparent` : `panel type-${panel.type}`,
      'data-panel-id': panel.id, 'data-state': 'loading', 'data-size': panel.gridPos.w <= 4 ? 'tile' : 'normal',
      role: 'group', tabindex: 0, 'aria-label': panel.title || t('Panel {id}', { id: panel.id }), onkeydown: (event) => this.onKey_(event),
    },
    el('header', { class: 'panel-head' }, el('h2', { title: panel.title }, panel.title), info,
      time && el('span', { class: 'panel-time', title: t('This panel has a time of its own') }, icon('clock'), time),
      this.badge_, this.menu_.element),
    this.progress_, this.body_, this.note_, this.undrawn_);
    return element;
  }

  /** @param gridPos {x, w, h} in grid units */
  place({ x, w, h }) {
    for (const [name, value] of Object.entries({ x: x + 1, w, h })) {
      this.element.style.setProperty(`--${name}`, String(value));
    }
  }

  /** The panel's row in its section's grid, counted from 1. */
  setRow(row) {
    this.element.style.setProperty('--y', String(row));
  }

  onKey_(event) {
    const asks = event.key === 'Enter' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey);
    if (event.target !== this.element || !asks) return;
    event.preventDefault();
    this.menu_.open();
  }

  menuItems_() {
    const { panel, context_: { page } } = this;
    const own = (text, key, run) => ({ text, key, run });
    const explore = this.exploreLink();
    const items = [own(t('View'), 'v', () => this.context_.onFullScreen(panel.id))];
    if (page?.editPanel) items.push(own(t('Edit'), 'e', () => page.editPanel(panel.id)));
    if (page?.inspect) items.push(own(t('Inspect'), 'i', () => page.inspect(panel.id)));
    if (explore) items.push({ text: t('Explore'), key: 'x', href: explore });
    const slowest = this.slowestLink_();
    if (slowest) items.push({ text: t('Slowest requests of this time'), key: '', href: slowest });
    items.push({ ...own(t('Download CSV'), '', () => this.downloadCsv_()), disabled: !this.answer });
    items.push(own(t('Copy link to panel'), 'p u', () => this.copyLink()));
    if (page?.duplicatePanel) items.push(own(t('Duplicate'), 'p d', () => page.duplicatePanel(panel.id)));
    if (page?.editing) items.push(null, own(t('Remove'), 'p r', () => page.removePanel(panel.id)));
    const links = this.links_();
    return links.length > 0 ? [...items, null, ...links] : items;
  }

  /** The links its author gave the panel. */
  links_() {
    const scope = this.lastArguments_ ? queryScope(this.lastArguments_[0], 1, 1, { scoped: this.panel.scoped }) : {};
    return this.panel.links.flatMap(({ title, url }) => {
      const href = safeUrl(interpolate(url ?? '', scope, 'percentencode'));
      return href ? [{ text: title || href, href }] : [];
    });
  }

  /** [{refId, expr}] of its queries, as they were sent if they were. */
  queries() {
    const { targets } = this.panel;
    const exprs = this.lastArguments_ ? this.data.expressions(...this.lastArguments_) : targets.map((target) => target.expr);
    return exprs.map((expr, index) => ({ refId: targets[index].refId, expr }));
  }

  /** What is sent for each target, see PanelData.requests(); [] before the first load. */
  requests() {
    return this.lastArguments_ ? this.data.requests(...this.lastArguments_) : [];
  }

  /** The address of Explore with this panel's queries and time; null for a panel without any. */
  exploreLink() {
    if (this.panel.targets.length === 0) return null;
    const range = this.context_.page?.state.range ?? {};
    const params = new URLSearchParams(range.from ? { from: range.from, to: range.to } : {});
    for (const { expr } of this.queries()) params.append('q', expr);
    return `/explore?${params}`;
  }

  /** From a latency to the requests behind it; null for a panel of anything else. */
  slowestLink_() {
    if (!this.lastArguments_ || !this.panel.targets.some(({ expr }) => kRequestTimes.test(expr))) return null;
    return `/requests?${new URLSearchParams({ order: 'slowest', since: Math.floor(this.lastArguments_[1] / 1000) })}`;
  }

  copyLink() {
    const url = new URL(location.href);
    url.searchParams.set('viewPanel', String(this.panel.id));
    return navigator.clipboard?.writeText(url.href);
  }

  downloadCsv_() {
    download(fileName(this.panel.title), toCsv(this.answer.series), 'text/csv');
  }

  /** @param reason of an empty panel: the id of emptyReason() */
  showNote_(state, text, reason = '') {
    this.element.dataset.state = state;
    this.element.dataset.reason = reason;
    this.note_.hidden = state === 'ready';
    this.note_.textContent = text;
    this.badge_.hidden = state !== 'error';
    this.badge_.title = text;
    this.badge_.setAttribute('aria-label', text);
    // After an error the last drawing stays, with the reason over it.
    this.body_.classList.toggle('blank', state !== 'ready' && !(state === 'error' && this.answer));
  }

  /**
   * Loads and draws; never rejects. An answer that a newer load overtook is dropped.
   * @param facts the RangeFacts of this refresh, for a panel that turns out to be empty
   */
  async load(variables, fromMs, toMs, facts) {
    if (!this.view_) return;
    const query = [variables, fromMs, toMs, this.body_.clientWidth || 600];
    this.lastArguments_ = query;
    if (this.panel.targets.length === 0) {
      this.view_.setScope?.(queryScope(variables, 1, (toMs - fromMs) / 1000, { fromMs, toMs }));
      if (this.panel.type === 'text') this.showNote_('ready', '');
      else this.showNote_('empty', t('This panel has no query'), 'no-query');
      return;
    }
    const shown = ['ready', 'empty'].includes(this.element.dataset.state) && this.answer;
    if (shown && this.data.current(...query) === shown) return;  // nothing new can be there
    // A refresh that takes its usual moment is no news; a wait for something new is.
    const patienceMs = this.answer ? 1500 : 250;
    const slow = setTimeout(() => { this.progress_.hidden = false; }, patienceMs);
    try {
      await this.show_(await this.data.load(...query), query, facts);
    } catch (error) {
      if (error.name !== 'AbortError') this.showNote_('error', error.message);
    } finally {
      clearTimeout(slow);
      this.progress_.hidden = true;
    }
  }

  async show_(answer, query, facts) {
    if (answer === this.answer && ['ready', 'empty'].includes(this.element.dataset.state)) return;  // shown already
    this.answer = answer;
    if (hasData(answer.series) || (kTypes[this.panel.type].showsRows && hasRows(answer.tables))) {
      this.showNote_('ready', '');
      this.view_.draw(answer);
      this.view_.showEvents?.(this.events_);
      return;
    }
    const { id, text } = emptyReason(this.data.expressions(...query), answer.series, await facts.get());
    if (this.lastArguments_ === query) this.showNote_('empty', text, id);
  }

  /** @param events [{timeMs, kind, text}] of the shown time */
  showEvents(events) {
    this.events_ = events;
    if (this.answer && this.element.dataset.state === 'ready') this.view_.showEvents?.(events);
  }

  redraw() {
    if (this.answer && this.element.dataset.state === 'ready') this.view_.draw(this.answer);
  }

  destroy() {
    this.data.cancel();
    this.view_?.destroy();
  }
}
