// The inspector: a drawer beside the dashboard that shows what is behind one panel.

import { closeDropdowns, toolButton } from '../shell/dropdown.js';
import { el } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { DataTab } from './data_tab.js';
import { JsonTab } from './json_tab.js';
import { QueryRuns, QueryTab, StatsTab } from './query_tabs.js';

const kTabs = [['data', msg('Data')], ['stats', msg('Stats')], ['json', msg('JSON')], ['query', msg('Query')]];

/** Writes the drawer's place into the address, as Grafana does; null takes it out. */
function writeAddress(id, tab) {
  const params = new URLSearchParams(location.search);
  params.delete('inspect');
  params.delete('inspectTab');
  if (id !== null) {
    params.set('inspect', String(id));
    params.set('inspectTab', tab);
  }
  history.replaceState(history.state, '', `?${params}`);
}

export class InspectDrawer {
  /** @param frame the PanelFrame to look into; its data is what is shown, as of opening a tab */
  constructor(frame) {
    this.frame_ = frame;
    const runs = new QueryRuns(frame);
    this.views_ = { data: new DataTab(frame), stats: new StatsTab(frame, runs), json: new JsonTab(frame), query: new QueryTab(frame, runs) };
    this.pane_ = el('div', { class: 'inspect-pane', role: 'tabpanel', id: 'inspect-pane' });
    this.tabs_ = kTabs.map(([id, title]) => el('button', {
      type: 'button', role: 'tab', id: `inspect-tab-${id}`, 'aria-controls': 'inspect-pane', onclick: () => this.show(id),
    }, t(title)));
    const close = toolButton('close', t('Close'), { onclick: () => this.dialog_.close() });
    this.dialog_ = el('dialog', { class: 'drawer inspect', 'aria-label': t('Inspect: {title}', { title: frame.panel.title }) },
      el('header', { class: 'drawer-head' }, el('h2', {}, t('Inspect: {title}', { title: frame.panel.title })), close),
      el('div', { class: 'drawer-tabs', role: 'tablist', onkeydown: (event) => this.walk_(event) }, ...this.tabs_), this.pane_);
    this.dialog_.addEventListener('close', () => {
      writeAddress(null);
      this.dialog_.remove();
      frame.element.focus({ preventScroll: true });
    });
    this.dialog_.addEventListener('click', (event) => {
      if (event.target === this.dialog_) this.dialog_.close();  // the dark beside it
    });
  }

  open(tab = 'data') {
    closeDropdowns();
    document.body.append(this.dialog_);
    this.dialog_.showModal();
    this.show(this.views_[tab] ? tab : 'data');
    this.tabs_.find((one) => one.getAttribute('aria-selected') === 'true').focus();
  }

  walk_(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = this.tabs_[(this.tabs_.indexOf(document.activeElement) + by + this.tabs_.length) % this.tabs_.length];
    next.focus();
    next.click();
  }

  show(tab) {
    kTabs.forEach(([id], index) => {
      this.tabs_[index].setAttribute('aria-selected', String(id === tab));
      this.tabs_[index].tabIndex = id === tab ? 0 : -1;
    });
    this.pane_.setAttribute('aria-labelledby', `inspect-tab-${tab}`);
    this.pane_.replaceChildren(this.views_[tab].element);
    writeAddress(this.frame_.panel.id, tab);
    return this.views_[tab].show();
  }
}
