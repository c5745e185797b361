// Panel types "state-timeline" and "status-history": the states of each series, one row a series.

import { themeColor } from '../format/colors.js';
import { display, displayText, shownText } from '../format/display.js';
import { EventMarks } from '../dashboard/event_marks.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { formatClock, formatDuration, formatMoment } from '../time/time_range.js';
import { CellsChart } from './cells_chart.js';
import { axisLook, cssColor } from './chart_axes.js';
import { LegendList } from './legend_list.js';
import { distinctStates, stateAt, statesOf, thresholdLabel } from './states.js';
import { TimeInteraction } from './time_interaction.js';
import { showRows } from './tooltip.js';

const kMaxNameShare = 0.3;  // of the width
const kNameLetterPx = 6.2;
const kMinRowPx = 12;

const shorten = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text);

class StatesPanel {
  /** @param merge whether equal neighbours are one state */
  constructor(panel, body, context, merge) {
    this.panel_ = panel;
    this.context_ = context;
    this.merge_ = merge;
    this.canvas_ = el('canvas', { role: 'img', 'aria-label': panel.title });
    this.marks_ = new EventMarks();
    this.plot_ = el('div', { class: 'plot' }, this.canvas_, this.marks_.element);
    const legend = panel.options.legend ?? {};
    this.legend_ = new LegendList(legend);
    body.replaceChildren(el('div', { class: `chart legend-${legend.placement ?? 'bottom'}` }, this.plot_, this.legend_.element));
    this.chart_ = new CellsChart(this.canvas_);
    this.interaction_ = new TimeInteraction(this.plot_, this.chart_, context, (event, timeMs) => this.point_(event, timeMs));
  }

  draw(data) {
    this.data_ = data;
    const theme = this.context_.theme();
    this.rows_ = data.series.map((series) => {
      const limits = this.limits_(series);
      return { name: series.name, states: statesOf(series.points, data.stepS * 1000, (value) => this.look_(series, value, limits, theme), this.merge_) };
    });
    const { options } = this.panel_;
    this.chart_.draw({
      cells: this.rows_.flatMap(({ states }, row) => states.map((state) => ({ ...state, row }))),
      fromMs: data.fromMs,
      toMs: data.toMs,
      rowAxis: this.rowAxis_(),
      gap: this.merge_ ? 0 : 1,
      rowShare: Math.min(1, Math.max(0.1, options.rowHeight ?? 0.9)),
      texts: (options.showValue ?? 'auto') !== 'never',
      align: this.merge_ ? options.alignValue ?? 'left' : 'center',
    });
    this.legend_.draw(distinctStates(this.rows_).map(({ text, color }) => ({ name: text, color })));
    this.canvas_.setAttribute('aria-label', this.describe_());
  }

  limits_(series) {
    const known = series.points.map((point) => point.y).filter(Number.isFinite);
    return known.length === 0 ? {} : {
      min: known.reduce((least, value) => Math.min(least, value)), max: known.reduce((most, value) => Math.max(most, value)),
    };
  }

  /** What a value shows: its mapping's text, the step of its thresholds, or the number itself. */
  look_({ name, config }, value, limits, theme) {
    const shown = display(value, config, limits);
    const color = themeColor(shown.color || this.context_.colors.name(name), theme);
    const byThreshold = this.merge_ && config.color?.mode === 'thresholds' && !config.mappings?.length
      && config.thresholds?.steps?.length > 1;
    const text = byThreshold ? thresholdLabel(config.thresholds, value, (bound) => displayText(bound, { ...config, mappings: [] })) : shownText(shown);
    return { text, color };
  }

  rowAxis_() {
    const names = this.rows_.map((row) => row.name);
    const letters = Math.floor((this.plot_.clientWidth || 400) * kMaxNameShare / kNameLetterPx);
    const look = axisLook(8);
    return {
      min: 0,
      max: Math.max(1, names.length),
      reverse: true,
      ...look,
      grid: { ...look.grid, color: 'transparent' },
      ticks: { ...look.ticks, color: cssColor('--text-2'), callback: (value) => shorten(names[value - 0.5] ?? '', letters) },
      afterBuildTicks: (axis) => {
        const every = Math.ceil(names.length * kMinRowPx / Math.max(1, axis.chart.height - 16));
        axis.ticks = names.map((_, row) => ({ value: row + 0.5 })).filter((_, row) => row % every === 0);
      },
    };
  }

  point_(event, timeMs) {
    const at = this.chart_.rowAt(event.clientY - this.plot_.getBoundingClientRect().top);
    const all = this.panel_.options.tooltip?.mode === 'multi';
    if (this.panel_.options.tooltip?.mode === 'none') return;
    const rows = [];
    for (const { name, states } of all ? this.rows_ : this.rows_.slice(at, at + 1)) {
      const state = stateAt(states, timeMs);
      if (!state) continue;
      rows.push({ name, text: state.text, color: state.color });
      if (all) continue;
      rows.push({ name: t('Duration'), text: formatDuration(state.x2 - state.x) });
      if (this.merge_) rows.push({ name: t('From – to'), text: `${formatClock(state.x)} – ${formatClock(state.x2)}` });
    }
    showRows(event, formatMoment(timeMs), rows);
  }

  describe_() {
    const latest = this.rows_.map(({ name, states }) => {
      const last = states[states.length - 1];
      return last ? t('{name} is {state} since {time}', { name, state: last.text, time: formatMoment(last.x) }) : name;
    });
    return `${this.panel_.title}: ${latest.join('; ')}`;
  }

  showEvents(events) {
    this.marks_.draw(events, this.data_, this.chart_);
  }

  destroy() {
    this.interaction_.destroy();
    this.chart_.destroy();
  }
}

export class StateTimelinePanel extends StatesPanel {
  constructor(panel, body, context) {
    super(panel, body, context, panel.options.mergeValues !== false);
  }
}

/** Every sample is a cell of its own, however long the state holds. */
export class StatusHistoryPanel extends StatesPanel {
  constructor(panel, body, context) {
    super(panel, body, context, false);
  }
}
