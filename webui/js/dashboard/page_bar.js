// The dashboard page's bar: variables, time, refresh, and the strip that says what is shown.

import { Dropdown, choiceList, toolButton } from '../shell/dropdown.js';
import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { buildTopBar } from '../shell/top_bar.js';
import { kRefreshChoices } from '../time/refresh_timer_rules.js';
import { TimePicker } from '../time/time_picker.js';
import { listDashboards } from './dashboard_source.js';
import { VariablePicker } from './variable_picker.js';

/** The title of a choice of automatic refresh. */
const refreshTitle = (choice) => t(kRefreshChoices.find(([value]) => value === choice)?.[1] ?? choice);

export class PageBar {
  /**
   * @param page the address in the navigation
   * @param actions {onVariable(variable), onRange(range), onZone(zone), zoomOut(), shift(steps), refresh(),
   *   setRefresh(choice), toggleKiosk(), showHelp(), backToNow(), toggleEvents()}
   */
  constructor(page, dashboard, state, actions) {
    this.state_ = state;
    this.actions_ = actions;
    this.picker = new TimePicker(state.range, actions.onRange, actions.onZone);
    this.variables_ = dashboard.variables.filter((variable) => !variable.hidden)
      .map((variable) => new VariablePicker(variable, () => actions.onVariable(variable)));
    this.element = buildTopBar(page, [
      el('div', { class: 'group' },
        toolButton('left', t('Earlier (t ←)'), { id: 'earlier', onclick: () => actions.shift(-1) }),
        this.picker.element,
        toolButton('right', t('Later (t →)'), { id: 'later', onclick: () => actions.shift(1) }),
        toolButton('zoomOut', t('Zoom out (t -)'), { id: 'zoom-out', onclick: actions.zoomOut })),
      el('div', { class: 'group' },
        toolButton('refresh', t('Refresh (r)'), { id: 'refresh', onclick: actions.refresh }), this.refreshMenu_()),
      toolButton('monitor', t('Kiosk: the dashboard alone (d k)'), { id: 'kiosk', onclick: actions.toggleKiosk }),
      toolButton('help', t('Keyboard (?)'), { id: 'help', onclick: actions.showHelp }),
    ]);
    this.strip = this.buildStrip_(dashboard);
  }

  refreshMenu_() {
    this.refreshLabel_ = el('span', {});
    const button = el('button', { type: 'button', class: 'tool wide', id: 'auto-refresh', title: t('Auto refresh') },
      this.refreshLabel_, icon('chevron'));
    const menu = new Dropdown(button, (pane) => {
      const choices = kRefreshChoices.map(([value, title]) => [value, t(title)]);
      pane.append(choiceList(choices, this.state_.refresh, (choice) => {
        menu.close();
        this.actions_.setRefresh(choice);
      }));
    });
    return menu.element;
  }

  buildStrip_(dashboard) {
    this.live_ = el('button', {
      type: 'button', class: 'live', id: 'live', title: t('Back to now'), onclick: this.actions_.backToNow,
    }, el('i', { class: 'dot' }), el('span', {}, ''));
    this.events_ = el('button', {
      type: 'button', class: 'tool', id: 'events', title: t('Events on the charts (a)'), 'aria-pressed': 'true',
      'aria-label': t('Events on the charts (a)'), onclick: this.actions_.toggleEvents,
    }, icon('flag'));
    this.facts = el('div', { class: 'facts-place' });
    this.tools = el('div', { class: 'strip-tools' });
    return el('section', { class: 'strip', 'aria-label': t('What is shown') }, this.dashboardMenu_(dashboard),
      ...this.variables_.map((picker) => picker.element), this.facts, this.tools, this.events_, this.live_);
  }

  /** The title, and below it every other dashboard. */
  dashboardMenu_(dashboard) {
    const button = el('button', { type: 'button', class: 'tool dashboard-title', id: 'dashboards' },
      el('h1', {}, dashboard.title), icon('chevron'));
    return new Dropdown(button, async (pane) => {
      try {
        const dashboards = await listDashboards();
        pane.replaceChildren(el('nav', { class: 'choices', 'aria-label': t('Dashboards') }, ...dashboards.map(({ uid, title }) => el('a', {
          class: uid === dashboard.uid ? 'choice current' : 'choice', href: `/d/${uid}${this.carried_()}`,
          'aria-current': uid === dashboard.uid && 'page',
        }, title))));
        pane.querySelector('a')?.focus();
      } catch (error) {
        pane.replaceChildren(el('p', { class: 'pane-text' }, error.message));
      }
    }, { align: 'left' }).element;
  }

  /** What goes along to another dashboard: time, refresh, theme, language, chosen models. */
  carried_() {
    return location.search;
  }

  /** @param live {state: 'live'|'paused'|'past'|'off', text} */
  show({ live, showEvents }) {
    this.picker.show(this.state_.range);
    this.variables_.forEach((picker) => picker.show());
    this.refreshLabel_.textContent = refreshTitle(this.state_.refresh);
    this.events_.setAttribute('aria-pressed', String(showEvents));
    this.live_.dataset.state = live.state;
    this.live_.lastChild.textContent = live.text;
  }
}
