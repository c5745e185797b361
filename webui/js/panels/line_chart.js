// Chart.js set up for time series: a linear x axis in epoch milliseconds with ticks of our own, no
// animation, no parsing, no events (hover and zoom are drawn above the canvas, so that moving the
// mouse redraws nothing).

import { withAlpha } from '../format/colors.js';
import { formatTimeTick, niceLimits, timeTicks } from '../format/ticks.js';
import { zoneOffsetMs } from '../time/zone.js';
import { formatValue, unitBase } from '../format/units.js';

const { Chart } = globalThis;
const kAxisWidthPx = 58;  // one width for all panels: their crosshairs stand in one line
const kPixelsPerTimeTick = 84;
const kPixelsPerValueTick = 38;

const cssColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Fill that fades towards the axis, as Grafana's gradient mode "opacity" does. */
function fadingFill(color, opacity) {
  return (context) => {
    const area = context.chart.chartArea;
    if (!area) return withAlpha(color, opacity);
    const gradient = context.chart.ctx.createLinearGradient(0, area.top, 0, area.bottom);
    gradient.addColorStop(0, withAlpha(color, Math.min(1, opacity * 2.2)));
    gradient.addColorStop(1, withAlpha(color, opacity * 0.1));
    return gradient;
  };
}

/** A sample between two gaps has no line to be seen by: it alone gets a dot. */
function lonelyRadii(points, radius) {
  return points.map((point, index) => {
    const before = points[index - 1];
    const after = points[index + 1];
    const lonely = (!before || Number.isNaN(before.y)) && (!after || Number.isNaN(after.y));
    return lonely ? radius : 0;
  });
}

function toDataset(series, style) {
  const stacked = style.stacking === 'normal';
  return {
    label: series.name,
    data: series.drawn,
    borderColor: series.color,
    borderWidth: style.lineWidth,
    borderJoinStyle: 'round',
    backgroundColor: stacked ? withAlpha(series.color, style.fill) : fadingFill(series.color, style.fill),
    fill: stacked ? 'stack' : style.fill > 0 && 'origin',
    pointRadius: lonelyRadii(series.drawn, 1.8),
    pointBackgroundColor: series.color,
    pointBorderWidth: 0,
    stepped: style.stepped,
    hidden: series.hidden,
    spanGaps: false,
    tension: 0,
  };
}

function maxOfStack(seriesList) {
  const sums = new Map();
  for (const series of seriesList) {
    for (const point of series.drawn) {
      if (Number.isFinite(point.y)) sums.set(point.x, (sums.get(point.x) ?? 0) + point.y);
    }
  }
  return [...sums.values()].reduce((most, value) => Math.max(most, value), -Infinity);
}

/** Smallest and largest drawn value of the shown series; null when nothing is shown. */
function valueExtent(seriesList, stacked) {
  const shown = seriesList.filter((series) => !series.hidden);
  let min = Infinity;
  let max = -Infinity;
  for (const series of shown) {
    for (const point of series.drawn) {
      if (!Number.isFinite(point.y)) continue;
      min = Math.min(min, point.y);
      max = Math.max(max, point.y);
    }
  }
  if (stacked) max = Math.max(max, maxOfStack(shown));
  return min <= max ? { min, max } : null;
}

export class LineChart {
  /** @param sparkline no axes, no grid: a shape behind a number. */
  constructor(canvas, { sparkline = false } = {}) {
    this.canvas_ = canvas;
    this.sparkline_ = sparkline;
    this.chart_ = null;
    this.view_ = null;
  }

  /**
   * @param view {series: [{name, color, drawn, hidden}], fromMs, toMs, unit, decimals, min, max,
   *              style: {lineWidth, fill 0..1, stacking, stepped}}
   */
  draw(view) {
    this.view_ = view;
    const datasets = view.series.map((series) => toDataset(series, view.style));
    if (!this.chart_) {
      this.chart_ = new Chart(this.canvas_, { type: 'line', data: { datasets }, options: this.options_() });
      return;
    }
    this.chart_.data.datasets = datasets;
    this.chart_.options = this.options_();
    this.chart_.update('none');
  }

  options_() {
    return {
      animation: false,
      parsing: false,
      normalized: true,
      responsive: true,
      maintainAspectRatio: false,
      events: [],
      layout: { padding: this.sparkline_ ? 0 : { top: 6, right: 10 } },
      plugins: { legend: { display: false }, tooltip: { enabled: false } },
      scales: this.sparkline_ ? this.hiddenScales_() : { x: this.timeScale_(), y: this.valueScale_() },
    };
  }

  hiddenScales_() {
    const extent = valueExtent(this.view_.series, false) ?? { min: 0, max: 1 };
    const top = Math.max(extent.max, 1e-12);
    return {
      x: { type: 'linear', display: false, min: this.view_.fromMs, max: this.view_.toMs },
      y: { type: 'linear', display: false, min: Math.min(0, extent.min), max: top * 1.05 },
    };
  }

  timeScale_() {
    const { fromMs, toMs } = this.view_;
    let step = 1000;
    return {
      type: 'linear',
      min: fromMs,
      max: toMs,
      border: { display: false },
      grid: { color: cssColor('--chart-grid'), tickLength: 0 },
      ticks: {
        color: cssColor('--chart-text'), font: { size: 11 }, padding: 6, maxRotation: 0,
        autoSkip: false, callback: (value) => formatTimeTick(value, step, toMs - fromMs),
      },
      afterBuildTicks: (axis) => {
        const offsetMs = zoneOffsetMs(toMs);
        const room = Math.max(2, Math.floor(axis.chart.width / kPixelsPerTimeTick));
        const built = timeTicks(fromMs, toMs, room, offsetMs);
        step = built.step;
        axis.ticks = built.ticks.map((value) => ({ value }));
      },
    };
  }

  valueScale_() {
    const { unit, decimals, style } = this.view_;
    const limits = this.valueLimits_();
    return {
      type: 'linear',
      stacked: style.stacking === 'normal',
      min: limits.min,
      max: limits.max,
      border: { display: false },
      grid: { color: cssColor('--chart-grid'), tickLength: 0 },
      ticks: {
        color: cssColor('--chart-text'), font: { size: 11 }, padding: 8, autoSkip: false,
        callback: (value) => formatValue(value, unit, decimals),
      },
      afterBuildTicks: (axis) => {
        axis.ticks = [];
        for (let value = limits.min; value <= limits.max * (1 + 1e-9) + 1e-12; value += limits.step) {
          axis.ticks.push({ value: Math.abs(value) < limits.step * 1e-6 ? 0 : value });
        }
      },
      afterFit: (axis) => { axis.width = Math.max(axis.width, kAxisWidthPx); },
    };
  }

  valueLimits_() {
    const { min, max, series, style, unit, decimals } = this.view_;
    const extent = valueExtent(series, style.stacking === 'normal') ?? { min: 0, max: 1 };
    const low = min ?? extent.min;
    // A line at one height gets room above it, and counts keep whole numbers on the axis.
    let high = max ?? Math.max(extent.max, low + (decimals === 0 ? 1 : 0));
    if (high <= low) high = low === 0 ? 1 : low + Math.abs(low) * 0.1;
    const height = this.canvas_.parentElement.clientHeight || 160;
    const room = Math.max(2, Math.min(6, Math.floor(height / kPixelsPerValueTick)));
    const limits = niceLimits(low, high, room, unitBase(unit));
    if (decimals === 0 && limits.step < 1) return niceLimits(low, Math.ceil(high), Math.max(1, Math.ceil(high - low)));
    return { min: min ?? limits.min, max: max ?? limits.max, step: limits.step };
  }

  /** Where the lines are drawn, in CSS pixels inside the canvas; null before the first draw. */
  plotArea() {
    return this.chart_?.chartArea ?? null;
  }

  timeAt(pixel) {
    const area = this.plotArea();
    const share = (pixel - area.left) / (area.right - area.left);
    return this.view_.fromMs + Math.min(1, Math.max(0, share)) * (this.view_.toMs - this.view_.fromMs);
  }

  pixelAt(timeMs) {
    const area = this.plotArea();
    const share = (timeMs - this.view_.fromMs) / (this.view_.toMs - this.view_.fromMs);
    return area.left + share * (area.right - area.left);
  }

  destroy() {
    this.chart_?.destroy();
    this.chart_ = null;
  }
}
