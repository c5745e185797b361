// Panel type "heatmap": how values spread over time. Histogram buckets, or plain series counted here.

import { themeColor, withAlpha } from '../format/colors.js';
import { schemeColors } from '../format/color_schemes.js';
import { display, displayText, shownText } from '../format/display.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { formatClock, formatMoment } from '../time/time_range.js';
import { CellsChart } from './cells_chart.js';
import { axisLook } from './chart_axes.js';
import { bucketRows, colorShares, countedRows, heatmapOptions } from './heatmap_data.js';
import { TimeInteraction } from './time_interaction.js';
import { hideTooltip, showRows } from './tooltip.js';

const kPixelsPerRowTick = 18;
const kAxisWidthPx = 58;

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
    this.plot_ = el('div', { class: 'plot' }, this.canvas_);
    this.scale_ = el('div', { class: 'heat-scale', hidden: this.options_.legend?.show === false },
      el('span', {}), el('div', { class: 'heat-colors' }, el('i', { hidden: true })), el('span', {}));
    body.replaceChildren(el('div', { class: 'chart' }, this.plot_, this.scale_));
    this.chart_ = new CellsChart(this.canvas_);
    this.interaction_ = new TimeInteraction(this.plot_, this.chart_, context, (event, timeMs) => this.point_(event, timeMs));
    this.plot_.addEventListener('pointerleave', () => { this.marker_().hidden = true; });
  }

  draw(data) {
    const stepMs = data.stepS * 1000;
    const whole = this.options_.calculate
      ? countedRows(data.series, this.options_.calculation, { fromMs: data.fromMs, toMs: data.toMs, stepMs })
      : bucketRows(data.series, stepMs);
    const { rows, cells } = this.withinAxis_(whole);
    const scale = colorShares(cells, this.options_.filterValues ?? { le: 1e-9 },
      { min: this.color_.min, max: this.color_.max, exponent: colorExponent(this.color_) });
    const colors = scaleColors(this.color_, this.context_.theme());
    for (const cell of scale.cells) cell.color = colors[Math.min(colors.length - 1, Math.floor(cell.share * colors.length))];
    this.view_ = { rows, cells: scale.cells, min: scale.min, max: scale.max };
    this.byPlace_ = new Map(cells.map((cell) => [`${cell.row} ${cell.x}`, cell]));
    this.columns_ = [...new Set(cells.map((cell) => cell.x))].sort((a, b) => a - b);
    this.columnMs_ = cells.length ? cells[0].x2 - cells[0].x : stepMs;
    this.chart_.draw({
      cells: scale.cells, fromMs: data.fromMs, toMs: data.toMs, rowAxis: this.rowAxis_(),
      gap: this.options_.cellGap ?? 1, texts: this.options_.showValue === 'always',
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
    const kept = cells.filter((cell) => cell.row >= first && cell.row <= last)
      .map((cell) => ({ ...cell, row: cell.row - first, text: this.countText_(cell.v) }));
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
      ...look,
      ticks: { ...look.ticks, callback: (value) => texts.get(value) ?? '' },
      afterBuildTicks: (axis) => {
        const room = Math.max(1, Math.floor(axis.chart.height / kPixelsPerRowTick));
        const every = Math.ceil(places.length / room);
        axis.ticks = places.filter((_, index) => (places.length - 1 - index) % every === 0).map(({ value }) => ({ value }));
      },
      afterFit: (axis) => { axis.width = Math.max(axis.width, kAxisWidthPx); },
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
    const start = this.columns_.findLast((x) => x <= timeMs);
    const cell = start !== undefined && timeMs < start + this.columnMs_ ? this.byPlace_.get(`${row} ${start}`) : null;
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

  marker_() {
    return this.scale_.querySelector('i');
  }

  /** Where the pointed cell stands on the colour scale. */
  mark_(cell) {
    const share = cell?.share;
    this.marker_().hidden = share === undefined;
    if (share !== undefined) this.marker_().style.left = `${100 * share}%`;
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

  destroy() {
    this.interaction_.destroy();
    this.chart_.destroy();
  }
}
