// The page where questions are asked: queries, their graph and their table, and everything in the address.

import { readDashboard } from '../dashboard/dashboard_model.js';
import { FieldConfigs, configureSeries } from '../dashboard/fields.js';
import { SeriesColors } from '../format/colors.js';
import { TimeSeriesPanel } from '../panels/timeseries.js';
import { Dropdown, choiceList, toolButton } from '../shell/dropdown.js';
import { el, icon } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { nextTheme, onThemeChange, theme } from '../shell/theme.js';
import { buildTopBar } from '../shell/top_bar.js';
import { HoverSync } from '../time/hover.js';
import { RefreshTimer } from '../time/refresh_timer.js';
import { kRefreshChoices, refreshMs } from '../time/refresh_timer_rules.js';
import { TimePicker } from '../time/time_picker.js';
import { formatDuration, isLive, resolveRange, zoomOut } from '../time/time_range.js';
import { explainEmpty, runQuery, sentExpr, stepSeconds } from './explore_data.js';
import { kDefaults, kMostQueries, readExploreUrl, readStep, refIdOf, writeExploreUrl } from './explore_url.js';
import { historyPane } from './history_pane.js';
import { MetricBrowser } from './metric_browser.js';
import { QueryHistory } from './query_history.js';
import { QueryRow, addButton } from './query_row.js';
import { ResultTable } from './result_table.js';
import { SeriesIndex } from './series_index.js';

const kMostDrawn = 100;  // series; more are drawn when asked for
const kStyles = [['lines', msg('Lines')], ['stacked', msg('Stacked')], ['bars', msg('Bars')], ['points', msg('Points')]];
const kViews = [['both', msg('Graph and table')], ['graph', msg('Graph')], ['table', msg('Table')]];
const kCustom = {
  lines: { lineWidth: 1, fillOpacity: 4 },
  stacked: { lineWidth: 1, fillOpacity: 30, stacking: { mode: 'normal' } },
  bars: { drawStyle: 'bars', fillOpacity: 80 },
  points: { drawStyle: 'points', lineWidth: 0, pointSize: 4 },
};

/** [title, PromQL]: what people come for, and a beginning for what else they want. */
const kExamples = [
  [msg('Tokens per second'), 'sum by (model_name) (rate(vllm:generation_tokens_total[$__rate_interval]))'],
  [msg('Time to first token, P95'), 'histogram_quantile(0.95, sum by (model_name, le) (rate(hearth_time_to_first_token_seconds_bucket[$__rate_interval])))'],
  [msg('Failures by reason'), 'sum by (reason) (rate(hearth_request_failures_total[$__rate_interval])) > 0'],
  [msg('Metrics with the most series'), 'topk(10, count by (__name__) ({__name__=~".+"}))'],
];

function storage() {
  try {
    return window.localStorage;
  } catch {
    return null;  // forbidden by the browser
  }
}

function graphPanel(style) {
  const panel = {
    id: 1, type: 'timeseries', title: t('Graph'), gridPos: { x: 0, y: 0, w: 24, h: 12 }, targets: [],
    fieldConfig: { defaults: { custom: kCustom[style] }, overrides: [] },
    options: { legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'mean', 'max', 'min'] } },
  };
  return readDashboard({ panels: [panel] }).sections[0].panels[0];
}

/** Buttons of which one is pressed. @param choices [[value, title]] */
function segmented(label, choices, onChoose) {
  const buttons = choices.map(([value, title]) => el('button', {
    type: 'button', class: 'tool wide', 'data-value': value, onclick: () => onChoose(value),
  }, t(title)));
  const element = el('div', { class: 'group segmented', role: 'group', 'aria-label': label }, ...buttons);
  const show = (value) => buttons.forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.value === value)));
  return { element, show };
}

class ExplorePage {
  constructor() {
    this.state_ = readExploreUrl(location.search);
    this.history_ = new QueryHistory(storage());
    this.index_ = new SeriesIndex(() => this.resolved_());
    this.hover_ = new HoverSync();
    this.abort_ = null;
    this.rows_ = [];
    this.answers_ = [];
    this.drawAll_ = false;
    this.timer_ = new RefreshTimer(() => this.run_(), () => !this.hover_.active);
    this.build_();
    this.adopt_();
    onThemeChange(() => this.drawGraph_());
    window.addEventListener('popstate', () => {
      this.state_ = readExploreUrl(location.search);
      this.adopt_();
    });
  }

  build_() {
    this.status_ = new StatusView();
    this.picker_ = new TimePicker(this.state_, (range) => this.change_(range));
    const showHelp = installShortcuts([
      { keys: ['r'], text: msg('Run the queries'), run: () => this.run_() },
      { keys: ['q', '/'], text: msg('Write a query'), run: () => this.rows_[0].editor.focus() },
      { keys: ['t z', 't -'], label: 't -', text: msg('Zoom out'), run: () => this.zoomOut_() },
      { keys: ['m'], text: msg('Metrics'), run: () => this.togglePane_('metrics') },
      { keys: ['h'], text: msg('History'), run: () => this.togglePane_('history') },
      { keys: [], label: 'Shift Enter', text: msg('In a query: run it') },
      { keys: [], label: 'Ctrl Space', text: msg('In a query: what can stand here') },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
    ]);
    const run = el('button', { type: 'button', class: 'primary', id: 'run', title: 'Shift+Enter', onclick: () => this.commit_() }, t('Run'));
    document.body.prepend(
      buildTopBar('/explore', [
        el('div', { class: 'group' }, this.picker_.element,
          toolButton('zoomOut', t('Zoom out (t -)'), { id: 'zoom-out', onclick: () => this.zoomOut_() })),
        el('div', { class: 'group' }, run, this.refreshMenu_()),
        toolButton('help', t('Keyboard (?)'), { id: 'help', onclick: showHelp })]),
      this.status_.alerts,
      el('section', { class: 'strip', 'aria-label': t('State of the box') }, el('h1', {}, t('Explore')), this.status_.facts, this.paneButtons_()),
      el('main', { class: 'explore' }, el('div', { class: 'explore-work' }, this.buildQueries_(), this.buildResults_()),
        this.side_ = el('div', { class: 'explore-side', hidden: true })));
  }

  refreshMenu_() {
    this.refreshLabel_ = el('span', {});
    const button = el('button', { type: 'button', class: 'tool wide', id: 'auto-refresh', title: t('Auto refresh') },
      this.refreshLabel_, icon('chevron'));
    const menu = new Dropdown(button, (pane) => pane.append(choiceList(
      kRefreshChoices.map(([value, title]) => [value, t(title)]), this.state_.refresh, (refresh) => {
        menu.close();
        this.change_({ refresh });
      })));
    return menu.element;
  }

  paneButtons_() {
    const button = (id, title) => el('button', {
      type: 'button', class: 'tool wide', id: `${id}-button`, 'aria-expanded': 'false', onclick: () => this.togglePane_(id),
    }, title);
    const share = el('button', { type: 'button', class: 'tool wide', id: 'share', onclick: () => this.share_(share) }, t('Copy link'));
    return el('div', { class: 'strip-tools' }, button('metrics', t('Metrics')), button('history', t('History')), share);
  }

  buildQueries_() {
    this.list_ = el('div', { class: 'query-list' });
    this.style_ = segmented(t('Style'), kStyles, (style) => this.change_({ style }, false));
    this.views_ = segmented(t('View'), kViews, (view) => this.change_({ view }));
    this.step_ = el('input', { type: 'text', class: 'step-input', id: 'step', spellcheck: 'false', placeholder: t('auto'), onchange: () => this.readStep_() });
    this.minStep_ = el('input', { type: 'checkbox', id: 'min-step', onchange: () => this.readStep_() });
    this.stepNote_ = el('span', { class: 'hint', id: 'step-note' });
    return el('section', { class: 'queries', 'aria-label': t('Queries') }, this.list_,
      el('div', { class: 'query-bar' }, this.add_ = addButton(() => this.addRow_()),
        el('div', { class: 'step' }, el('label', { for: 'step' }, t('Step')), this.step_, this.minStep_,
          el('label', { for: 'min-step' }, t('at least')), this.stepNote_),
        this.style_.element, this.views_.element));
  }

  buildResults_() {
    this.graphBody_ = el('div', { class: 'graph-body' });
    this.graphNote_ = el('p', { class: 'graph-note', role: 'status' });
    this.examples_ = el('div', { class: 'examples', hidden: true }, ...kExamples.map(([title, expr]) => el('button', {
      type: 'button', class: 'example', onclick: () => this.recall_([expr]),
    }, t(title), el('br'), el('code', {}, expr))));
    this.more_ = el('button', { type: 'button', class: 'tool wide', hidden: true, onclick: () => {
      this.drawAll_ = true;
      this.drawGraph_();
    } });
    this.graph_ = el('section', { class: 'result', id: 'graph', 'aria-label': t('Graph') }, this.graphBody_, this.graphNote_, this.examples_, this.more_);
    this.table_ = new ResultTable();
    this.tableBox_ = el('section', { class: 'result', id: 'table', 'aria-label': t('Table'), hidden: true }, this.table_.element);
    return el('div', { class: 'results', 'aria-busy': 'false' }, this.graph_, this.tableBox_);
  }

  /** Takes over the state of the address: rows, controls, and runs it. */
  adopt_() {
    for (const row of this.rows_) row.destroy();
    this.rows_ = this.state_.queries.map((query) => this.makeRow_(query));
    this.list_.replaceChildren(...this.rows_.map((row) => row.element));
    this.current_ = this.rows_[0];
    const step = readStep(this.state_.step);
    this.step_.value = step.text;
    this.minStep_.checked = step.mode === 'min';
    if (resolveRange(this.state_.from, this.state_.to, Date.now()).error) {
      Object.assign(this.state_, { from: kDefaults.from, to: kDefaults.to });
    }
    this.show_();
    this.run_();
  }

  makeRow_(query) {
    return new QueryRow(query, {
      known: (context) => this.index_.known(context),
      onChange: () => this.commit_(),
      onRun: () => this.commit_(),
      onRemove: (row) => this.remove_(row),
      onFocus: (row) => { this.current_ = row; },
    });
  }

  addRow_(expr = '') {
    const row = this.makeRow_({ expr, legend: '', on: true });
    this.rows_.push(row);
    this.list_.append(row.element);
    this.show_();
    row.editor.focus();
  }

  remove_(row) {
    row.destroy();
    this.rows_ = this.rows_.filter((one) => one !== row);
    this.current_ = this.rows_[0];
    this.current_.editor.focus();
    this.commit_();
  }

  show_() {
    this.picker_.show(this.state_);
    this.refreshLabel_.textContent = t(kRefreshChoices.find(([value]) => value === this.state_.refresh)?.[1] ?? 'Off');
    this.style_.show(this.state_.style);
    this.views_.show(this.state_.view);
    this.graph_.hidden = this.state_.view === 'table';
    if (this.state_.view === 'graph') this.tableBox_.hidden = true;
    this.add_.disabled = this.rows_.length >= kMostQueries;
    this.rows_.forEach((row, index) => row.show(refIdOf(index), this.rows_.length === 1));
    const { fromMs, toMs } = this.resolved_();
    this.timer_.setPeriod(isLive(this.state_) ? refreshMs(this.state_.refresh, toMs - fromMs, 450) : null);
  }

  resolved_() {
    return resolveRange(String(this.state_.from), String(this.state_.to), Date.now());
  }

  /** The person changed something: a new address, then new answers. */
  change_(changes, ask = true) {
    Object.assign(this.state_, changes, { queries: this.rows_.map((row) => row.query) });
    const search = writeExploreUrl(this.state_, location.search);
    if (search !== location.search) history.pushState(null, '', search);
    this.show_();
    if (ask) this.run_();
    else this.drawGraph_();
  }

  commit_() {
    this.change_({});
    this.history_.add(this.rows_.filter((row) => row.query.on).map((row) => row.query.expr), Date.now());
  }

  readStep_() {
    const step = readStep(this.step_.value.trim());
    this.step_.setAttribute('aria-invalid', String(step.mode === 'auto' && this.step_.value.trim() !== ''));
    this.change_({ step: step.mode === 'auto' ? '' : `${this.minStep_.checked ? 'min:' : ''}${step.text}` });
  }

  zoomOut_() {
    const { fromMs, toMs } = this.resolved_();
    const wider = zoomOut(fromMs, toMs, Date.now());
    this.change_({ from: String(wider.fromMs), to: String(wider.toMs) });
  }

  async run_() {
    this.abort_?.abort();
    this.abort_ = new AbortController();
    const { signal } = this.abort_;
    const { fromMs, toMs } = this.resolved_();
    const width = this.graphBody_.clientWidth || 800;
    const stepS = stepSeconds(this.state_.step, fromMs, toMs, width);
    const view = { fromMs, toMs, stepS, graph: this.state_.view !== 'table', table: this.state_.view !== 'graph' };
    this.stepNote_.textContent = stepS >= 1 ? formatDuration(stepS * 1000) : `${Math.round(stepS * 1000)}ms`;
    this.graph_.parentElement.setAttribute('aria-busy', 'true');
    const asked = this.rows_.filter((row) => row.query.on && row.query.expr.trim() !== '');
    for (const row of this.rows_) if (!asked.includes(row)) row.clear();
    const answers = await Promise.all(asked.map((row) => this.ask_(row, view, signal)));
    if (signal.aborted) return;
    this.view_ = view;
    this.answers_ = answers.filter(Boolean);
    this.graph_.parentElement.setAttribute('aria-busy', 'false');
    this.drawGraph_();
    this.table_.draw(this.answers_.flatMap(({ refId, rows }) => rows.map(({ labels, points }) => ({ refId, labels, value: points[0].y }))));
    this.tableBox_.hidden = !view.table || this.answers_.every(({ rows }) => rows.length === 0);
    this.examples_.hidden = asked.length > 0;
    if (asked.length === 0) this.graphNote_.textContent = t('Write a query and press Shift+Enter, or begin with one of these:');
  }

  /** One query's answer, which its row reports; null when there is none. */
  async ask_(row, view, signal) {
    const query = { ...row.query, refId: row.refId };
    try {
      const answer = await runQuery(query, view, signal);
      if (signal.aborted) return null;
      const count = view.graph ? answer.series.length : answer.rows.length;
      const empty = count + answer.rows.length > 0 ? undefined : await explainEmpty(query.expr, view, await this.index_.metrics());
      if (signal.aborted) return null;
      row.showStats({ series: count, points: view.graph ? answer.points : count, ms: answer.ms, empty });
      return { refId: row.refId, ...answer };
    } catch (error) {
      if (error.name !== 'AbortError') row.showError(error, sentExpr(query.expr, view.fromMs, view.toMs, view.stepS));
      return null;
    }
  }

  drawGraph_() {
    if (!this.view_?.graph || this.state_.view === 'table') return;
    const all = this.answers_.flatMap(({ series }) => series);
    const shown = this.drawAll_ ? all : all.slice(0, kMostDrawn);
    this.graphBody_.hidden = all.length === 0;
    this.graphNote_.textContent = all.length > 0 ? '' : t('Nothing to draw');
    this.more_.hidden = shown.length === all.length;
    this.more_.textContent = t('{shown} of {count} series are drawn: draw all', { shown: shown.length, count: all.length });
    if (all.length === 0) return;
    if (this.drawnStyle_ !== this.state_.style) this.makeGraph_();
    this.panel_.draw({ series: configureSeries(this.configs_, shown), tables: [], fromMs: this.view_.fromMs, toMs: this.view_.toMs, stepS: this.view_.stepS });
  }

  makeGraph_() {
    this.panel_?.destroy();
    this.drawnStyle_ = this.state_.style;
    const panel = graphPanel(this.state_.style);
    this.configs_ = new FieldConfigs(panel.fieldConfig);
    this.panel_ = new TimeSeriesPanel(panel, this.graphBody_, {
      hover: this.hover_, theme, colors: new SeriesColors(),
      onZoom: (fromMs, toMs) => this.change_({ from: String(fromMs), to: String(toMs) }),
      onZoomOut: () => this.zoomOut_(),
    });
  }

  togglePane_(id) {
    const open = this.side_.firstElementChild?.id === id && !this.side_.hidden;
    this.side_.hidden = open;
    for (const one of ['metrics', 'history']) {
      document.getElementById(`${one}-button`).setAttribute('aria-expanded', String(one === id && !open));
    }
    if (open) return;
    const use = (text) => {
      this.current_.editor.insert(text);
      this.commit_();
    };
    this.side_.replaceChildren(id === 'metrics' ? new MetricBrowser(this.index_, use).element
      : historyPane(this.history_, (exprs) => this.recall_(exprs)));
    this.side_.querySelector('input').focus();
  }

  recall_(exprs) {
    this.state_.queries = exprs.map((expr) => ({ expr, legend: '', on: true }));
    history.pushState(null, '', writeExploreUrl(this.state_, location.search));
    this.adopt_();
  }

  async share_(button) {
    const { fromMs, toMs } = this.resolved_();
    const search = writeExploreUrl({ ...this.state_, from: String(fromMs), to: String(toMs), queries: this.rows_.map((row) => row.query) }, location.search);
    const link = location.origin + location.pathname + search;
    try {
      await navigator.clipboard.writeText(link);
      button.textContent = t('Copied');
    } catch {
      window.prompt(t('The link to what is shown now:'), link);  // no clipboard without HTTPS
    }
    setTimeout(() => { button.textContent = t('Copy link'); }, 2000);
  }
}

new ExplorePage();
