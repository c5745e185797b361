// The dashboard page: puts the model, the panels, the bar and the address together.

import { readDashboard } from './dashboard_model.js';
import { DashboardView } from './dashboard_view.js';
import { Dropdown, choiceList, toolButton } from '../shell/dropdown.js';
import { el, icon } from '../shell/dom.js';
import { eventsBetween } from '../prometheus/events_api.js';
import { HoverSync } from '../time/hover.js';
import { seriesExist } from '../prometheus/prometheus_api.js';
import { RangeFacts } from '../prometheus/range_facts.js';
import { RefreshTimer } from '../time/refresh_timer.js';
import { kRefreshChoices, refreshMs } from '../time/refresh_timer_rules.js';
import { buildTopBar } from '../shell/top_bar.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { nextTheme, onThemeChange, theme } from '../shell/theme.js';
import { TimePicker } from '../time/time_picker.js';
import { isLive, resolveRange, zoomOut } from '../time/time_range.js';
import { readUrlState, writeUrlState } from './url_state.js';
import { VariablePicker, loadOptions } from './variable_picker.js';
import { drawnFeatures } from './undrawn.js';
import { queryScope } from './variables.js';

const kDashboardUrl = '/dashboards/llm.json';
const kMinZoomMs = 5000;

class DashboardPage {
  constructor(dashboard) {
    this.dashboard_ = dashboard;
    this.readAddress_();
    this.events_ = [];
    this.showEvents_ = true;
    this.hover_ = new HoverSync();
    const context = {
      hover: this.hover_,
      theme,
      onZoom: (fromMs, toMs) => this.zoom_(fromMs, toMs),
      onZoomOut: () => this.zoomOut_(),
      onFullScreen: (id) => this.setSolo_(id),
    };
    this.view_ = new DashboardView(dashboard, context, () => this.loadMissing_());
    this.timer_ = new RefreshTimer(() => this.refresh_(), () => !this.hover_.active);
    this.build_();
  }

  /** Takes over what the address says; the dashboard's own defaults fill the rest. */
  readAddress_() {
    const state = readUrlState(location.search);
    const asked = { from: state.from ?? this.dashboard_.time.from, to: state.to ?? this.dashboard_.time.to };
    const valid = !resolveRange(asked.from, asked.to, Date.now()).error;
    this.range_ = valid ? asked : { ...this.dashboard_.time };
    const known = kRefreshChoices.some(([value]) => value === state.refresh);
    this.refreshChoice_ = known ? state.refresh : this.dashboard_.refresh;
    this.viewPanel_ = state.viewPanel;
    for (const variable of this.dashboard_.variables) {
      if (state.variables[variable.name]) variable.values = state.variables[variable.name];
    }
  }

  build_() {
    this.status_ = new StatusView();
    this.picker_ = new TimePicker(this.range_, (range) => this.setRange_(range));
    this.variables_ = this.dashboard_.variables.filter((variable) => !variable.hidden)
      .map((variable) => new VariablePicker(variable, () => this.changed_()));
    this.live_ = el('button', { type: 'button', class: 'live', id: 'live', title: 'Back to now', onclick: () => this.backToNow_() },
      el('i', { class: 'dot' }), el('span', {}, ''));
    const showHelp = installShortcuts(this.shortcuts_());
    document.body.prepend(buildTopBar('/', [
      ...this.variables_.map((picker) => picker.element),
      el('div', { class: 'group' }, this.picker_.element,
        toolButton('zoomOut', 'Zoom out (z)', { id: 'zoom-out', onclick: () => this.zoomOut_() })),
      el('div', { class: 'group' },
        toolButton('refresh', 'Refresh (r)', { id: 'refresh', onclick: () => this.refresh_() }), this.refreshMenu_()),
      toolButton('help', 'Keyboard (?)', { onclick: showHelp }),
    ]));
    document.querySelector('.topbar').after(
      this.status_.alerts,
      el('div', { class: 'strip' }, el('h1', {}, this.dashboard_.title), this.status_.facts, this.live_),
      this.view_.element,
    );
    this.hover_.addEventListener('move', () => this.showLive_());
    this.hover_.addEventListener('leave', () => this.showLive_());
    onThemeChange(() => this.view_.frames.forEach((frame) => frame.redraw()));
    window.addEventListener('popstate', () => {
      this.readAddress_();
      this.show_();
      this.refresh_();
    });
    this.watchWidth_();
  }

  /** Another width wants another step: the panels are asked again once the window rests. */
  watchWidth_() {
    let timer = 0;
    let width = window.innerWidth;
    window.addEventListener('resize', () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (window.innerWidth === width) return;
        width = window.innerWidth;
        this.refresh_();
      }, 300);
    });
  }

  refreshMenu_() {
    this.refreshLabel_ = el('span', {});
    const button = el('button', { type: 'button', class: 'tool wide', id: 'auto-refresh', title: 'Auto refresh' },
      this.refreshLabel_, icon('chevron'));
    const menu = new Dropdown(button, (pane) => {
      pane.append(choiceList(kRefreshChoices, this.refreshChoice_, (choice) => {
        menu.close();
        this.refreshChoice_ = choice;
        this.changed_();
      }));
    });
    return menu.element;
  }

  shortcuts_() {
    return [
      { keys: ['r'], text: 'Refresh now', run: () => this.refresh_() },
      { keys: ['z'], text: 'Zoom out', run: () => this.zoomOut_() },
      { keys: ['n'], text: 'Back to now', run: () => this.backToNow_() },
      { keys: ['v'], text: 'Full screen: the panel under the mouse', run: () => this.toggleSolo_() },
      { keys: ['Escape'], label: 'Esc', text: 'Leave full screen', run: () => this.setSolo_(null) },
      { keys: ['e'], text: 'Show or hide events', run: () => this.toggleEvents_() },
      { keys: ['o'], text: 'Open or close all rows', run: () => this.view_.toggleRows() },
      { keys: ['t'], text: 'Dark, light or automatic theme', run: nextTheme },
      { keys: ['c'], text: 'Chat', run: () => { location.href = '/chat'; } },
    ];
  }

  async start() {
    this.show_();
    await this.loadVariables_();
    const { fromMs, toMs } = this.resolved_();
    this.view_.showConditional((selector) => seriesExist(selector, fromMs, toMs));
    await this.refresh_();
  }

  resolved_() {
    return resolveRange(String(this.range_.from), String(this.range_.to), Date.now());
  }

  async loadVariables_() {
    const { fromMs, toMs } = this.resolved_();
    for (const variable of this.dashboard_.variables) {
      const scope = queryScope(this.dashboard_.variables, 1, (toMs - fromMs) / 1000);
      try {
        await loadOptions(variable, scope, fromMs, toMs);
      } catch {
        // The panels ask the same box and show its answer; All needs no options.
        if (variable.values.length === 0) variable.values = ['$__all'];
      }
    }
    this.variables_.forEach((picker) => picker.show());
  }

  /** Bar and full-screen panel after the state changed. */
  show_() {
    this.picker_.show(this.range_);
    this.variables_.forEach((picker) => picker.show());
    this.refreshLabel_.textContent = this.refreshChoice_ === 'off' ? 'Off' : this.refreshChoice_;
    if (!this.view_.setSolo(this.viewPanel_)) this.viewPanel_ = null;
    const { fromMs, toMs } = this.resolved_();
    this.timer_.setPeriod(isLive(this.range_) ? refreshMs(this.refreshChoice_, toMs - fromMs, 450) : null);
    this.showLive_();
  }

  showLive_() {
    let state = 'live';
    if (!isLive(this.range_)) state = 'past';
    else if (this.refreshChoice_ === 'off') state = 'still';
    else if (this.hover_.active) state = 'paused';
    if (this.live_.dataset.state === state) return;
    this.live_.dataset.state = state;
    this.live_.lastChild.textContent = { live: 'Live', past: 'Past', still: 'Refresh off', paused: 'Paused' }[state];
  }

  /** The person changed the view: a new address, then new data. */
  changed_() {
    const state = {
      ...this.range_,
      refresh: this.refreshChoice_,
      viewPanel: this.viewPanel_,
      variables: Object.fromEntries(this.dashboard_.variables.map((variable) => [variable.name, variable.values])),
    };
    history.pushState(null, '', writeUrlState(state, location.search));
    this.show_();
    this.refresh_();
  }

  setRange_(range) {
    this.range_ = range;
    this.changed_();
  }

  zoom_(fromMs, toMs) {
    const missing = Math.max(0, kMinZoomMs - (toMs - fromMs)) / 2;
    this.setRange_({ from: String(Math.round(fromMs - missing)), to: String(Math.round(toMs + missing)) });
  }

  zoomOut_() {
    const { fromMs, toMs } = this.resolved_();
    const wider = zoomOut(fromMs, toMs, Date.now());
    this.setRange_({ from: String(wider.fromMs), to: String(wider.toMs) });
  }

  backToNow_() {
    if (!isLive(this.range_)) this.setRange_({ ...this.dashboard_.time });
  }

  setSolo_(id) {
    if (this.viewPanel_ === id) return;
    this.viewPanel_ = id;
    this.changed_();
  }

  toggleEvents_() {
    this.showEvents_ = !this.showEvents_;
    const { fromMs, toMs } = this.resolved_();
    this.loadEvents_(fromMs, toMs);
  }

  toggleSolo_() {
    if (this.viewPanel_ !== null) {
      this.setSolo_(null);
      return;
    }
    const hovered = [...document.querySelectorAll('.panel:hover')].pop() ?? document.activeElement;
    const frame = hovered && this.view_.frameAt(hovered);
    if (frame) this.setSolo_(frame.panel.id);
  }

  /** Loads all panels in view for one and the same range. */
  async refresh_() {
    const { fromMs, toMs } = this.resolved_();
    const frames = this.view_.wanted();
    this.loading_ = { fromMs, toMs, facts: new RangeFacts(this.dashboard_.variables, fromMs, toMs) };
    this.loaded_ = new Set(frames);
    this.picker_.show(this.range_);
    await Promise.all([this.loadEvents_(fromMs, toMs), ...frames.map((frame) => this.load_(frame))]);
  }

  /** What happened in the shown time; the panels themselves report a box that does not answer. */
  async loadEvents_(fromMs, toMs) {
    if (this.showEvents_) {
      try {
        this.events_ = await eventsBetween(fromMs, toMs);
      } catch {
        this.events_ = [];
      }
    }
    for (const frame of this.view_.frames) frame.showEvents(this.showEvents_ ? this.events_ : []);
  }

  /** Panels scrolled into view since the last refresh take part in it late. */
  loadMissing_() {
    if (!this.loading_) return;
    for (const frame of this.view_.wanted()) {
      if (this.loaded_.has(frame)) continue;
      this.loaded_.add(frame);
      this.load_(frame);
    }
  }

  load_(frame) {
    const { fromMs, toMs, facts } = this.loading_;
    return frame.load(this.dashboard_.variables, fromMs, toMs, facts);
  }
}

async function main() {
  try {
    const response = await fetch(kDashboardUrl);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const page = new DashboardPage(readDashboard(await response.json(), await drawnFeatures()));
    await page.start();
  } catch (error) {
    document.body.append(el('p', { class: 'alert error' }, `${kDashboardUrl} cannot be shown: ${error.message}`));
    throw error;
  }
}

main();
