// Panel type "heatmap": how values spread over time. Histogram buckets, or plain series counted here.

import { themeColor, withAlpha } from '../format/colors.js';
import { schemeColors } from '../format/color_schemes.js';
import { display, displayText, shownText } from '../format/display.js';
import { EventMarks } from '../dashboard/event_marks.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { formatClock, formatMoment } from '../time/time_range.js';
import { CellsChart } from './cells_chart.js';
import { axisLook } from './chart_axes.js';
import { bucketRows, colorShares, countedRows, heatmapOptions } from './heatmap_data.js';
import { TimeInteraction } from './time_interaction.js';
import { hideTooltip, showRows } from './tooltip.js';

const kPixelsPerRowTick = 18;
const kTimeAxisPx = 28;
const kAxisWidthPx = 58;  // as in the charts of lines: their crosshairs stand in one line

/** The colours of the scale from its lowest to its highest value. */
function scaleColors(color, theme) {
  const steps = Math.min(128, Math.max(2, color.steps ?? 64));
  if (color.mode !== 'opacity') return schemeColors(color.scheme, steps, theme, color.reverse);
  const fill = themeColor(color.fill ?? 'dark-orange', theme);
  return Array.from({ length: steps }, (_, index) => withAlpha(fill, (index + 1) / steps));
}

/** Opacity grows with a power of the value, as Grafana's does; a scheme grows with the value itself. */
function colorExponent(color) {
  if (color.mode === 'opacity') return color.scale === 'linear' ? 1 : color.exponent ?? 0.5;
  return color.oldExponent ?? 1;
}

const isInside = (row, { min, max }) => !(row.high <= min) && !(row.low >= max);

export class HeatmapPanel {
  /** @param context as of TimeSeriesPanel */
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.options_ = heatmapOptions(panel);
    this.color_ = this.options_.color ?? {};
    this.axis_ = { ...panel.field.custom, ...this.options_.yAxis };
    this.canvas_ = el('canvas', { role: 'img', 'aria-label': panel.title });
    this.marks_ = new EventMarks();
    this.cursor_ = el('div', { class: 'heat-cursor', hidden: true });
    this.plot_ = el('div', { class: 'plot' }, this.canvas_, this.cursor_, this.marks_.element);
    this.scale_ = el('div', { class: 'heat-scale', hidden: this.options_.legend?.show === false },
      el('span', {}), el('div', { class: 'heat-colors' }, el('i', { hidden: true })), el('span', {}));
    body.replaceChildren(el('div', { class: 'chart' }, this.plot_, this.scale_));
    this.chart_ = new CellsChart(this.canvas_);
    this.interaction_ = new TimeInteraction(this.plot_, this.chart_, context, (event, timeMs) => this.point_(event, timeMs));
    this.marker_ = this.scale_.querySelector('i');
    this.plot_.addEventListener('pointerleave', () => this.mark_(null));
  }

  draw(data) {
    this.data_ = data;
    const stepMs = data.stepS * 1000;
    const whole = this.options_.calculate
      ? countedRows(data.series, this.options_.calculation, { fromMs: data.fromMs, toMs: data.toMs, stepMs })
      : bucketRows(data.series, stepMs);
    const { rows, cells } = this.withinAxis_(whole);
    const scale = colorShares(cells, this.options_.filterValues ?? { le: 1e-9 },
      { min: this.color_.min, max: this.color_.max, exponent: colorExponent(this.color_) });
    const colors = scaleColors(this.color_, this.context_.theme());
    const texts = this.options_.showValue === 'always';
    for (const cell of scale.cells) {
      cell.color = colors[Math.min(colors.length - 1, Math.floor(cell.share * colors.length))];
      if (texts) cell.text = this.countText_(cell.v);
    }
    this.view_ = { rows, all: cells, cells: scale.cells, min: scale.min, max: scale.max };
    this.chart_.draw({
      cells: scale.cells, fromMs: data.fromMs, toMs: data.toMs, rowAxis: this.rowAxis_(),
      gap: this.options_.cellGap ?? 1, texts, stepMs: cells.length && !texts ? cells[0].x2 - cells[0].x : 0,
    });
    this.drawScale_(colors);
    this.canvas_.setAttribute('aria-label', this.describe_());
  }

  /** Leaves out the rows beyond the axis' own limits. */
  withinAxis_({ rows, cells }) {
    const limits = { min: this.axis_.min ?? -Infinity, max: this.axis_.max ?? Infinity };
    const first = rows.findIndex((row) => row.name !== undefined || isInside(row, limits));
    const last = rows.findLastIndex((row) => row.name !== undefined || isInside(row, limits));
    if (first < 0) return { rows: [], cells: [] };
    const kept = cells.filter((cell) => cell.row >= first && cell.row <= last);
    for (const cell of kept) cell.row -= first;
    return { rows: rows.slice(first, last + 1), cells: kept };
  }

  rowAxis_() {
    const { rows } = this.view_;
    const look = axisLook(8);
    const named = rows.length > 0 && rows[0].name !== undefined;
    // Buckets are named at their upper edge, series in the middle of their row.
    const places = rows.map((row, index) => ({ value: named ? index + 0.5 : index + 1, text: named ? row.name : this.edgeText_(row.high) }));
    const texts = new Map(places.map(({ value, text }) => [value, text]));
    return {
      min: 0,
      max: Math.max(1, rows.length),
      reverse: Boolean(this.axis_.reverse),
      display: this.axis_.axisPlacement !== 'hidden',
      position: this.axis_.axisPlacement === 'right' ? 'right' : 'left',
      title: { display: Boolean(this.axis_.axisLabel), text: this.axis_.axisLabel ?? '', color: look.ticks.color, font: look.ticks.font },
      ...look,
      ticks: { ...look.ticks, callback: (value) => texts.get(value) ?? '' },
      afterBuildTicks: (axis) => {
        const room = Math.max(1, Math.floor((axis.chart.height - kTimeAxisPx) / kPixelsPerRowTick));
        const every = Math.ceil(places.length / room);
        axis.ticks = places.filter((_, index) => (places.length - 1 - index) % every === 0).map(({ value }) => ({ value }));
      },
      afterFit: (axis) => { if (axis.chart.width > 6 * kAxisWidthPx) axis.width = Math.max(axis.width, kAxisWidthPx); },
    };
  }

  edgeText_(bound) {
    if (bound === Infinity) return '+Inf';
    return displayText(bound, { unit: this.axis_.unit ?? 'short', decimals: this.axis_.decimals });
  }

  rowText_({ name, low, high }) {
    if (name !== undefined) return name;
    if (low === -Infinity) return `≤ ${this.edgeText_(high)}`;
    if (high === Infinity) return `> ${this.edgeText_(low)}`;
    return `${this.edgeText_(low)} – ${this.edgeText_(high)}`;
  }

  countText_(value) {
    const { unit, decimals } = this.options_.cellValues ?? {};
    return shownText(display(value, { unit: unit ?? 'short', decimals }));
  }

  point_(event, timeMs) {
    const row = this.chart_.rowAt(event.clientY - this.plot_.getBoundingClientRect().top);
    const cell = this.view_.all.find((one) => one.row === row && one.x <= timeMs && timeMs < one.x2);
    this.mark_(cell);
    if (!this.view_.rows[row]) {
      hideTooltip();
      return;
    }
    const stamps = cell ? `${formatMoment(cell.x)} – ${formatClock(cell.x2)}` : formatMoment(timeMs);
    const rows = [{ name: t('Bucket'), text: this.rowText_(this.view_.rows[row]) }];
    if (cell) rows.push({ name: t('Count'), text: this.countText_(cell.v), color: cell.color });
    if (this.options_.tooltip?.mode !== 'none' && this.options_.tooltip?.show !== false) showRows(event, stamps, rows);
  }

  /** Frames the pointed cell and shows where it stands on the colour scale. */
  mark_(cell) {
    const hidden = cell?.share === undefined;
    this.marker_.hidden = hidden;
    this.cursor_.hidden = hidden;
    if (hidden) return;
    this.marker_.style.left = `${100 * cell.share}%`;
    for (const [side, px] of Object.entries(this.chart_.cellBox(cell))) this.cursor_.style[side] = `${px}px`;
  }

  drawScale_(colors) {
    const { min, max } = this.view_;
    const [low, bar, high] = this.scale_.children;
    const known = Number.isFinite(min) && Number.isFinite(max);
    low.textContent = known ? this.countText_(min) : '';
    high.textContent = known ? this.countText_(max) : '';
    bar.style.backgroundImage = `linear-gradient(90deg, ${colors.filter((_, index) => index % 4 === 0 || index === colors.length - 1).join(', ')})`;
  }

  describe_() {
    const { rows, cells } = this.view_;
    const top = cells.reduce((most, cell) => (most && most.v >= cell.v ? most : cell), null);
    if (!top) return t('{title}: heatmap without counts', { title: this.panel_.title });
    return t('{title}: heatmap of {rows} rows; most, {count}, in {bucket} at {time}', {
      title: this.panel_.title, rows: rows.length, count: this.countText_(top.v), bucket: this.rowText_(rows[top.row]), time: formatMoment(top.x),
    });
  }

  showEvents(events) {
    this.marks_.draw(events, this.data_, this.chart_);
  }

  destroy() {
    this.interaction_.destroy();
    this.chart_.destroy();
  }
}
