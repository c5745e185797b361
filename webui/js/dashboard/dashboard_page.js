// The dashboard page: puts the model, the panels, the bar and the address together.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { onThemeChange, theme } from '../shell/theme.js';
import { eventsBetween } from '../prometheus/events_api.js';
import { seriesExist } from '../prometheus/prometheus_api.js';
import { RangeFacts } from '../prometheus/range_facts.js';
import { HoverSync } from '../time/hover.js';
import { RefreshTimer } from '../time/refresh_timer.js';
import { refreshMs } from '../time/refresh_timer_rules.js';
import { setTimeZone } from '../time/zone.js';
import { applyVariables, readDashboard } from './dashboard_model.js';
import { fetchDashboard, kHomeUid, uidOfPath } from './dashboard_source.js';
import { DashboardView } from './dashboard_view.js';
import { PageBar } from './page_bar.js';
import { pageKeys } from './page_keys.js';
import { PageState } from './page_state.js';
import { drawnFeatures } from './undrawn.js';
import { dependents, loadVariables, ofTimeRange } from './variable_options.js';
import { queryScope } from './variables.js';

const kAutoRefreshWidthPx = 450;  // about the width of a panel: Auto asks once per pixel of it
const kResizeRestMs = 300;
const kNewUid = 'new';

export class DashboardPage {
  /**
   * @param source {dashboard, meta} as /api/dashboards/<uid> gives it
   * @param features what is drawn, see undrawn.js
   */
  constructor(source, features) {
    this.source = source;
    this.features = features;
    this.editing = false;
    this.dashboard = readDashboard(source.dashboard, features);
    this.state = new PageState(this.dashboard);
    this.hover_ = new HoverSync();
    this.events_ = [];
    this.showEvents_ = true;
    this.paused_ = false;
    this.status_ = new StatusView();
    this.timer_ = new RefreshTimer(() => this.refresh(), () => !this.hover_.active && !this.paused_);
    this.view = this.makeView_();
    this.build_();
    this.listen_();
  }

  makeView_() {
    this.context = {
      hover: this.hover_,
      theme,
      page: this,
      onZoom: (fromMs, toMs) => this.change((state) => state.zoomTo(fromMs, toMs)),
      onZoomOut: () => this.change((state) => state.zoomOut()),
      onFullScreen: (id) => this.setSolo(id),
    };
    return new DashboardView(this.dashboard, this.context, () => this.loadMissing_());
  }

  build_() {
    this.showHelp_ = installShortcuts(pageKeys(this));
    this.bar = this.makeBar_();
    this.bar.facts.append(this.status_.facts);
    this.offerEdit();
    document.title = `${this.dashboard.title} · Hearth`;
    document.body.prepend(this.bar.element, this.status_.alerts, this.bar.strip, this.view.element,
      el('button', { type: 'button', class: 'leave-kiosk', onclick: () => this.toggleKiosk() }, t('Leave kiosk (Esc)')));
  }

  makeBar_() {
    const set = (run) => this.change(run);
    const page = uidOfPath(location.pathname) === kHomeUid ? '/' : '';
    return new PageBar(page, this.dashboard, this.state, {
      onVariable: (variable) => this.variableChanged_(variable),
      onRange: (range) => set((state) => { state.range = range; }),
      onZone: (zone) => set(() => setTimeZone(zone)),
      zoomOut: () => set((state) => state.zoomOut()),
      shift: (steps) => set((state) => state.shift(steps)),
      refresh: () => this.refresh(),
      setRefresh: (choice) => set((state) => { state.refresh = choice; }),
      toggleKiosk: () => this.toggleKiosk(),
      showHelp: this.showHelp_,
      backToNow: () => (this.state.live ? this.togglePause() : set((state) => state.backToNow())),
      toggleEvents: () => this.toggleEvents(),
    });
  }

  listen_() {
    this.hover_.addEventListener('move', () => this.showLive_());
    this.hover_.addEventListener('leave', () => this.showLive_());
    onThemeChange(() => this.view.redraw());
    window.addEventListener('popstate', () => {
      this.state.readAddress();
      this.show_();
      this.refresh();
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
        this.refresh();
      }, kResizeRestMs);
    });
  }

  async start() {
    this.show_();
    await this.loadVariables_();
    this.showConditional_();
    await this.refresh();
    const params = new URLSearchParams(location.search);
    if (params.has('editPanel')) await this.editPanel(Number(params.get('editPanel')));
    if (params.has('inspect')) await this.inspect(Number(params.get('inspect')), params.get('inspectTab') ?? 'data');
  }

  showConditional_() {
    const { fromMs, toMs } = this.state.resolved();
    this.view.showConditional((selector) => seriesExist(selector, fromMs, toMs));
  }

  /** @param only the variables to ask, all when null */
  async loadVariables_(only = null) {
    const { fromMs, toMs } = this.state.resolved();
    const { dashboard } = this;
    const scopeOf = () => queryScope(dashboard.variables, 1, (toMs - fromMs) / 1000, { fromMs, toMs, dashboard });
    await loadVariables(dashboard.variables, scopeOf, fromMs, toMs, { only });
    this.show_();
  }

  /** Variables whose options hang on the one that a person changed are asked before the panels. */
  async variableChanged_(variable) {
    const hanging = dependents(this.dashboard.variables, variable);
    if (hanging.length > 0) await this.loadVariables_(hanging);
    this.change(() => {});
  }

  /** Titles and repeated panels follow the variables: other ones need other frames. */
  replaceView_() {
    const old = this.view;
    this.view = this.makeView_();
    old.element.replaceWith(this.view.element);
    old.destroy();
    this.showConditional_();
  }

  /** Everything that follows from the state, except for the panels' data. */
  show_() {
    if (applyVariables(this.dashboard)) this.replaceView_();
    if (!this.view.setSolo(this.state.viewPanel)) this.state.viewPanel = null;
    document.body.classList.toggle('kiosk', this.state.kiosk);
    const { fromMs, toMs } = this.state.resolved();
    this.timer_.setPeriod(this.state.live ? refreshMs(this.state.refresh, toMs - fromMs, kAutoRefreshWidthPx) : null);
    this.showLive_();
  }

  showLive_() {
    let live = { state: 'live', text: t('Live') };
    if (!this.state.live) live = { state: 'past', text: t('Past') };
    else if (this.state.refresh === 'off') live = { state: 'still', text: t('Refresh off') };
    else if (this.paused_ || this.hover_.active) live = { state: 'paused', text: t('Paused') };
    this.bar.show({ live, showEvents: this.showEvents_ });
  }

  /** The person changed the view: a new address, then new data. */
  change(run) {
    const { range } = this.state;
    run(this.state);
    const asked = ofTimeRange(this.dashboard.variables);
    if (this.state.range !== range && asked.length > 0) this.loadVariables_(asked);
    this.state.writeAddress();
    this.show_();
    return this.refresh();
  }

  /** @param id of the panel that fills the page, null for all */
  setSolo(id) {
    if (this.state.viewPanel !== id) this.change((state) => { state.viewPanel = id; });
  }

  /** The panel under the mouse, or with the keyboard's focus; null when there is none. */
  panelAtHand() {
    const hovered = [...document.querySelectorAll('.panel:hover')].pop() ?? document.activeElement;
    return hovered && this.view.frameAt(hovered);
  }

  toggleSolo() {
    if (this.state.viewPanel !== null) return this.setSolo(null);
    const frame = this.panelAtHand();
    return frame && this.setSolo(frame.panel.id);
  }

  toggleKiosk() {
    this.change((state) => { state.kiosk = !state.kiosk; });
  }

  /** Escape: one step out. */
  leave() {
    if (this.state.viewPanel !== null) this.setSolo(null);
    else if (this.state.kiosk) this.toggleKiosk();
  }

  /** Opens the inspector; its modules come when somebody wants it. @param tab data, stats, json or query */
  async inspect(id, tab = 'data') {
    const frame = this.view.frames.find((one) => one.panel.id === id);
    if (!frame) return;
    if (!frame.answer && frame.panel.targets.length > 0) await this.load_(frame);
    const { InspectDrawer } = await import('../inspect/inspect_drawer.js');
    new InspectDrawer(frame).open(tab);
  }

  /** The editor; its modules come when somebody wants it. */
  async editor() {
    const { DashboardEditor } = await import('../edit/dashboard_editor.js');
    this.editor_ ??= new DashboardEditor(this);
    return this.editor_;
  }

  /** The button into edit mode. */
  offerEdit() {
    this.bar.tools.replaceChildren(el('button', {
      type: 'button', class: 'tool wide', id: 'edit', onclick: async () => (await this.editor()).start() }, t('Edit dashboard')));
  }

  /** Goes into edit mode and does something there. */
  async edit(run) {
    const editor = await this.editor();
    if (!this.editing) editor.start();
    run(editor);
  }

  editPanel(id) {
    return this.edit((editor) => editor.editPanel(id));
  }

  duplicatePanel(id) {
    return this.edit((editor) => editor.duplicatePanel(id));
  }

  removePanel(id) {
    return this.edit((editor) => editor.removePanel(id));
  }

  /** Shows another JSON of the same dashboard; variables keep what was chosen. */
  showDashboard(json) {
    this.source = { ...this.source, dashboard: json };
    const next = readDashboard(json, this.features);
    const same = (a, b) => JSON.stringify([a.name, a.type, a.query, a.label, a.multi, a.includeAll, a.regex, a.hidden])
      === JSON.stringify([b.name, b.type, b.query, b.label, b.multi, b.includeAll, b.regex, b.hidden]);
    const old = this.dashboard.variables;
    next.variables = next.variables.map((variable) => old.find((one) => same(one, variable)) ?? variable);
    const others = next.variables.length !== old.length || next.variables.some((variable, index) => variable !== old[index]);
    const renamed = next.title !== this.dashboard.title;
    Object.assign(this.dashboard, next, { sectionsKey: '' });
    if (others || renamed) this.replaceBar_();
    applyVariables(this.dashboard);
    this.replaceView_();
    this.show_();
    if (others) this.loadVariables_().then(() => this.refresh());
    else this.refresh();
  }

  replaceBar_() {
    const old = this.bar;
    this.bar = this.makeBar_();
    this.bar.tools.append(...old.tools.childNodes);
    this.bar.facts.append(this.status_.facts);
    old.element.replaceWith(this.bar.element);
    old.strip.replaceWith(this.bar.strip);
    document.title = `${this.dashboard.title} · Hearth`;
  }

  togglePause() {
    this.paused_ = !this.paused_;
    this.showLive_();
  }

  toggleEvents() {
    this.showEvents_ = !this.showEvents_;
    this.showLive_();
    const { fromMs, toMs } = this.state.resolved();
    return this.loadEvents_(fromMs, toMs);
  }

  /** Loads all panels in view for one and the same range. */
  async refresh() {
    const { fromMs, toMs } = this.state.resolved();
    const frames = this.view.wanted();
    this.loading_ = { fromMs, toMs, facts: new RangeFacts(this.dashboard.variables, fromMs, toMs) };
    this.loaded_ = new Set(frames);
    this.bar.picker.show(this.state.range);
    this.editor_?.refresh();
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
    for (const frame of this.view.frames) frame.showEvents(this.showEvents_ ? this.events_ : []);
  }

  /** Panels scrolled into view since the last refresh take part in it late. */
  loadMissing_() {
    if (!this.loading_) return;
    for (const frame of this.view.wanted()) {
      if (this.loaded_.has(frame)) continue;
      this.loaded_.add(frame);
      this.load_(frame);
    }
  }

  load_(frame) {
    const { fromMs, toMs, facts } = this.loading_;
    return frame.load(this.dashboard.variables, fromMs, toMs, facts);
  }
}

/** /d/new: an empty dashboard in edit mode, or one with a panel of ?expr=… */
async function startNew() {
  const { emptyDashboard, panelOf } = await import('../edit/dashboard_edits.js');
  const source = { dashboard: emptyDashboard(t('New dashboard')), meta: { source: 'new', version: 0, undrawn: [] } };
  const page = new DashboardPage(source, await drawnFeatures());
  const params = new URLSearchParams(location.search);
  await page.start();
  await page.edit((editor) => {
    if (params.get('expr')) editor.addPanel(panelOf(params.get('expr'), params.get('legend') ?? ''), false);
  });
}

async function main() {
  const uid = uidOfPath(location.pathname);
  try {
    if (uid === kNewUid) return await startNew();
    const page = new DashboardPage(...await Promise.all([fetchDashboard(uid), drawnFeatures()]));
    await page.start();
  } catch (error) {
    document.body.append(el('p', { class: 'alert error', role: 'alert' },
      t('The dashboard {uid} cannot be shown: {reason}', { uid, reason: error.message })));
    throw error;
  }
}

main();
