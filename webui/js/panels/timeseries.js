// Panel type "timeseries" (and the older "graph"): lines, legend, crosshair, drag to zoom.

import { themeColor } from '../format/colors.js';
import { el } from '../shell/dom.js';
import { EventMarks } from '../dashboard/event_marks.js';
import { LegendTable, nextHidden } from './legend_table.js';
import { LineChart } from './line_chart.js';
import { withGaps } from '../prometheus/series.js';
import { hideTooltip, showTooltip } from './tooltip.js';

const kMinDragPx = 6;

function lineStyle(custom) {
  const interpolation = { stepBefore: 'before', stepAfter: 'after' };
  return {
    lineWidth: custom.lineWidth ?? 1,
    fill: (custom.fillOpacity ?? 0) / 100,
    stacking: custom.stacking?.mode ?? 'none',
    stepped: interpolation[custom.lineInterpolation] ?? false,
  };
}

export class TimeSeriesPanel {
  /** @param context {colors, hover, theme(), onZoom(fromMs, toMs), onZoomOut()} */
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.hidden_ = new Set();
    const legend = panel.options.legend ?? {};
    const placement = legend.placement ?? 'bottom';
    const canvas = el('canvas', { role: 'img', 'aria-label': panel.title });
    this.crosshair_ = el('div', { class: 'crosshair', hidden: true });
    this.selection_ = el('div', { class: 'selection', hidden: true });
    this.marks_ = new EventMarks();
    this.plot_ = el('div', { class: 'plot' }, canvas, this.marks_.element, this.crosshair_, this.selection_);
    const legendBox = el('div', { class: 'legend-box' });
    body.replaceChildren(el('div', { class: `chart legend-${placement}` }, this.plot_, legendBox));
    this.legend_ = legend.showLegend === false ? null
      : new LegendTable(legendBox, legend.calcs ?? ['lastNotNull'], (name, toggle) => this.select_(name, toggle));
    this.chart_ = new LineChart(canvas);
    this.listen_();
  }

  draw(data) {
    this.data_ = data;
    const theme = this.context_.theme();
    const { field } = this.panel_;
    this.view_ = {
      series: data.series.map((series) => ({
        ...series,
        color: themeColor(this.context_.colors.name(series.name), theme),
        drawn: withGaps(series.points, data.stepS * 1000),
        hidden: this.hidden_.has(series.name),
      })),
      fromMs: data.fromMs,
      toMs: data.toMs,
      unit: field.unit,
      decimals: field.decimals,
      min: field.min,
      max: field.max,
      style: lineStyle(this.panel_.custom),
    };
    this.legend_?.draw(this.view_);
    this.chart_.draw(this.view_);
  }

  showEvents(events) {
    this.marks_.draw(events, this.view_, this.chart_);
  }

  select_(name, toggle) {
    this.hidden_ = nextHidden(this.view_.series.map((series) => series.name), this.hidden_, name, toggle);
    this.draw(this.data_);
  }

  listen_() {
    this.abort_ = new AbortController();
    const options = { signal: this.abort_.signal };
    const plot = this.plot_;
    plot.addEventListener('pointermove', (event) => this.move_(event), options);
    plot.addEventListener('pointerleave', () => this.leave_(), options);
    plot.addEventListener('pointerdown', (event) => this.press_(event), options);
    plot.addEventListener('pointerup', (event) => this.release_(event), options);
    plot.addEventListener('pointercancel', () => this.cancelDrag_(), options);
    plot.addEventListener('dblclick', () => this.context_.onZoomOut(), options);
    this.context_.hover.addEventListener('move', (event) => this.showCrosshair_(event.detail.timeMs), options);
    this.context_.hover.addEventListener('leave', () => { this.crosshair_.hidden = true; }, options);
  }

  /** The pointer's x inside the plot, or null outside the drawn area. */
  pointerX_(event) {
    const area = this.chart_.plotArea();
    if (!area) return null;
    const x = event.clientX - this.plot_.getBoundingClientRect().left;
    return Math.min(area.right, Math.max(area.left, x));
  }

  move_(event) {
    const x = this.pointerX_(event);
    if (x === null) return;
    const timeMs = this.chart_.timeAt(x);
    this.context_.hover.move(timeMs, this);
    showTooltip(event, this.view_, timeMs, this.data_.stepS * 1000);
    if (this.dragFrom_ !== undefined) this.drawSelection_(x);
  }

  leave_() {
    hideTooltip();
    if (this.dragFrom_ === undefined) this.context_.hover.leave();
  }

  showCrosshair_(timeMs) {
    const area = this.chart_.plotArea();
    if (!area || timeMs < this.view_.fromMs || timeMs > this.view_.toMs) {
      this.crosshair_.hidden = true;
      return;
    }
    this.crosshair_.hidden = false;
    this.crosshair_.style.height = `${area.bottom - area.top}px`;
    this.crosshair_.style.transform = `translate(${this.chart_.pixelAt(timeMs)}px, ${area.top}px)`;
  }

  press_(event) {
    if (event.button !== 0 || event.pointerType === 'touch') return;
    this.dragFrom_ = this.pointerX_(event) ?? undefined;
    if (this.dragFrom_ !== undefined) this.plot_.setPointerCapture(event.pointerId);
  }

  drawSelection_(x) {
    const area = this.chart_.plotArea();
    const left = Math.min(this.dragFrom_, x);
    this.selection_.hidden = Math.abs(x - this.dragFrom_) < kMinDragPx;
    this.selection_.style.width = `${Math.abs(x - this.dragFrom_)}px`;
    this.selection_.style.height = `${area.bottom - area.top}px`;
    this.selection_.style.transform = `translate(${left}px, ${area.top}px)`;
  }

  release_(event) {
    if (this.dragFrom_ === undefined) return;
    const from = this.dragFrom_;
    const x = this.pointerX_(event);
    this.cancelDrag_();
    if (Math.abs(x - from) < kMinDragPx) return;
    const times = [this.chart_.timeAt(from), this.chart_.timeAt(x)].sort((a, b) => a - b);
    this.context_.onZoom(Math.round(times[0]), Math.round(times[1]));
  }

  cancelDrag_() {
    this.dragFrom_ = undefined;
    this.selection_.hidden = true;
    hideTooltip();
    this.context_.hover.leave();
  }

  destroy() {
    this.abort_.abort();
    this.chart_.destroy();
  }
}
