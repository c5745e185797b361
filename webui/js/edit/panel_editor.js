// The editor of one panel: it takes the dashboard's place on the page until it is applied or left.

import { el } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { SeriesIndex } from '../explore/series_index.js';
import { kTypes } from '../panels/types.js';
import { sameJson } from './dashboard_edits.js';
import { jsonField, OptionForm } from './option_form.js';
import { Preview } from './preview.js';
import { QueryList } from './query_list.js';

const kTypeTitles = {
  timeseries: msg('Time series'), stat: msg('Stat'), gauge: msg('Gauge'), bargauge: msg('Bar gauge'), piechart: msg('Pie chart'),
  text: msg('Text'), heatmap: msg('Heatmap'), histogram: msg('Histogram'), table: msg('Table'),
  'state-timeline': msg('State timeline'), 'status-history': msg('Status history'), barchart: msg('Bar chart'),
};
const kTabs = [['queries', msg('Queries')], ['options', msg('Options')], ['json', msg('Panel JSON')]];

export class PanelEditor {
  /**
   * @param page the DashboardPage @param json the dashboard's JSON @param panel of it
   * @param actions {onApply(panel), onLeave()}
   */
  constructor(page, json, panel, actions) {
    this.page_ = page;
    this.original_ = panel;
    this.panel_ = panel;
    this.actions_ = actions;
    this.preview_ = new Preview(page, json);
    const index = new SeriesIndex(() => page.state.resolved());
    this.queries_ = new QueryList((context) => index.known(context), (targets) => this.edited_({ ...this.panel_, targets }));
    this.options_ = new OptionForm((next) => this.edited_(next));
    this.pane_ = el('div', { class: 'edit-pane', role: 'tabpanel', id: 'edit-pane' });
    this.element = this.build_();
    this.show('queries');
    this.preview_.show(panel);
  }

  build_() {
    this.tabs_ = kTabs.map(([id, title]) => el('button', {
      type: 'button', role: 'tab', id: `edit-tab-${id}`, 'aria-controls': 'edit-pane', onclick: () => this.show(id) }, t(title)));
    this.type_ = el('select', { id: 'edit-type', onchange: (event) => this.setType_(event.target.value) });
    this.heading_ = el('h2', {});
    const apply = el('button', { type: 'button', class: 'primary', id: 'edit-apply', onclick: () => this.actions_.onApply(this.panel_) }, t('Apply'));
    const leave = el('button', { type: 'button', class: 'tool wide', id: 'edit-discard', onclick: () => this.actions_.onLeave() }, t('Discard'));
    return el('main', { class: 'panel-editor' },
      el('header', { class: 'edit-head' }, this.heading_, el('label', { class: 'edit-inline' }, t('Panel type'), this.type_), leave, apply),
      this.preview_.element,
      el('div', { class: 'edit-side' },
        el('div', { class: 'drawer-tabs', role: 'tablist', 'aria-label': t('Panel'), onkeydown: (event) => this.walk_(event) }, ...this.tabs_), this.pane_));
  }

  walk_(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = this.tabs_[(this.tabs_.indexOf(document.activeElement) + by + this.tabs_.length) % this.tabs_.length];
    next.focus();
    next.click();
  }

  /** Types the pages draw, and the panel's own where they do not. */
  fillTypes_() {
    const { type } = this.panel_;
    const types = Object.keys(kTypes).includes(type) ? Object.keys(kTypes) : [type, ...Object.keys(kTypes)];
    this.type_.replaceChildren(...types.map((one) => el('option', { value: one, selected: one === type }, kTypeTitles[one] ? t(kTypeTitles[one]) : one)));
    this.heading_.textContent = t('Edit: {title}', { title: this.panel_.title || this.panel_.id });
  }

  setType_(type) {
    this.edited_({ ...this.panel_, type });
    this.show(this.tab_);
  }

  show(tab) {
    this.tab_ = tab;
    kTabs.forEach(([id], index) => {
      this.tabs_[index].setAttribute('aria-selected', String(id === tab));
      this.tabs_[index].tabIndex = id === tab ? 0 : -1;
    });
    this.pane_.setAttribute('aria-labelledby', `edit-tab-${tab}`);
    this.fillTypes_();
    if (tab === 'queries') {
      this.queries_.show(this.panel_.targets ?? []);
      this.pane_.replaceChildren(this.queries_.element);
    } else if (tab === 'options') {
      this.options_.show(this.panel_);
      this.pane_.replaceChildren(this.options_.element);
    } else {
      const set = (panel) => this.edited_({ ...panel, id: this.original_.id, gridPos: panel.gridPos ?? this.original_.gridPos });
      this.pane_.replaceChildren(jsonField({ value: this.panel_, set, kind: 'object', rows: 28, label: t('Panel JSON') }));
    }
  }

  edited_(panel) {
    this.panel_ = panel;
    this.fillTypes_();
    this.preview_.later(panel);
  }

  get changed() {
    return !sameJson(this.panel_, this.original_);
  }

  /** Asks the box anew, for another time or other variables. */
  refresh() {
    return this.preview_.show(this.panel_);
  }

  destroy() {
    this.preview_.destroy();
    this.element.remove();
  }
}
