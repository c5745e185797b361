// Chart.js set up for time series: a linear x axis in epoch milliseconds with ticks of our own, no
// animation, no parsing, no events (hover and zoom are drawn above the canvas, so that moving the
// mouse redraws nothing).

import { themeColor, withAlpha } from '../format/colors.js';
import { axisLook, kQuietChart, timeScale } from './chart_axes.js';
import { valueExtent } from './series_shape.js';
import { toDataset } from './series_style.js';
import { axisLimits } from './value_axes.js';
import { displayText } from '../format/display.js';

const { Chart } = globalThis;
const kAxisWidthPx = 58;  // one width for all panels: their crosshairs stand in one line
const kPixelsPerValueTick = 38;
const kAreaOpacity = 0.1;

/** Lines and areas of thresholds behind the series: {steps, mode, color(name), axis id}. */
function drawThresholds(chart, { steps, mode, color, scaleId }) {
  const { ctx, chartArea: area, scales } = chart;
  const scale = scales[scaleId];
  if (!scale || !area) return;
  const clamp = (y) => Math.min(area.bottom, Math.max(area.top, y));
  ctx.save();
  steps.forEach((step, index) => {
    if (step.color === 'transparent') return;
    const bottom = index === 0 ? area.bottom : clamp(scale.getPixelForValue(step.value));
    const top = index + 1 < steps.length ? clamp(scale.getPixelForValue(steps[index + 1].value)) : area.top;
    if (mode.includes('area')) {
      ctx.fillStyle = withAlpha(color(step.color), kAreaOpacity);
      ctx.fillRect(area.left, top, area.right - area.left, bottom - top);
    }
    if (index === 0 || mode === 'area' || scale.getPixelForValue(step.value) !== bottom) return;
    ctx.strokeStyle = color(step.color);
    ctx.setLineDash(mode.startsWith('dashed') ? [8, 6] : []);
    ctx.beginPath();
    ctx.moveTo(area.left, bottom);
    ctx.lineTo(area.right, bottom);
    ctx.stroke();
  });
  ctx.restore();
}

/** Steps with values of the axis, where the field gives them in percent of its limits. */
function thresholdSteps(axis, limits) {
  const { mode, steps = [] } = axis.thresholds ?? {};
  const known = steps.filter((step, index) => index === 0 || Number.isFinite(step.value));
  if (mode !== 'percentage') return known;
  return known.map((step) => ({ ...step, value: limits.min + (limits.max - limits.min) * step.value / 100 }));
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
   * @param view {series: [{name, color, drawn, hidden, style, stack, axis}], axes: of axesOf(), fromMs,
   *              toMs, stepMs, theme}; a sparkline takes {series, style, fromMs, toMs}, where style is
   *              seriesStyle()'s for all, or the parts of it that differ from Grafana's defaults
   */
  draw(view) {
    this.view_ = view;
    // The chart knows its size; asking the page would make it lay out between two panels.
    const width = this.chart_?.width || this.canvas_.parentElement.clientWidth || 600;
    const place = { stepPx: width * (view.stepMs ?? 0) / (view.toMs - view.fromMs), names: view.series.map(({ name }) => name) };
    const common = { draw: 'line', dash: [], pointSize: 0, showPoints: 'never', ...view.style };
    const datasets = view.series.map((series) => toDataset(series.style ? series : { ...series, style: common }, place));
    if (!this.chart_) {
      const plugins = [{ beforeDatasetsDraw: (chart) => this.drawBehind_(chart) }];
      this.chart_ = new Chart(this.canvas_, { type: 'line', data: { datasets }, options: this.options_(), plugins });
      return;
    }
    this.chart_.data.datasets = datasets;
    this.chart_.options = this.options_();
    this.chart_.update('none');
  }

  options_() {
    return {
      ...kQuietChart,
      layout: { padding: this.sparkline_ ? 0 : { top: 6, right: 10 } },
      scales: this.sparkline_ ? this.hiddenScales_() : { x: this.timeAxis_(), ...this.valueScales_() },
    };
  }

  hiddenScales_() {
    const extent = valueExtent(this.view_.series) ?? { min: 0, max: 1 };
    const top = Math.max(extent.max, 1e-12);
    return {
      x: { type: 'linear', display: false, min: this.view_.fromMs, max: this.view_.toMs },
      y0: { type: 'linear', display: false, min: Math.min(0, extent.min), max: top * 1.05 },
    };
  }

  timeAxis_() {
    return { ...timeScale(this.view_.fromMs, this.view_.toMs), offset: false };
  }

  valueScales_() {
    const height = this.chart_?.height || this.canvas_.parentElement.clientHeight || 160;
    const room = Math.floor(height / kPixelsPerValueTick);
    this.limits_ = this.view_.axes.map((axis) => axisLimits(axis, room));
    const first = this.view_.axes.findIndex((axis) => axis.shown);
    const scales = this.view_.axes.map((axis, index) => [`y${index}`, this.valueScale_(axis, this.limits_[index], index === first)]);
    return Object.fromEntries(scales.length ? scales : [['y0', { type: 'linear', min: 0, max: 1, ...axisLook(8) }]]);
  }

  /** @param main whether the grid is this axis's */
  valueScale_(axis, limits, main) {
    const look = axisLook(8);
    return {
      type: axis.log ? 'logarithmic' : 'linear',
      position: axis.position,
      display: axis.shown,
      stacked: axis.series.some((series) => series.stack),
      min: limits.min,
      max: limits.max,
      ...look,
      grid: { ...look.grid, drawOnChartArea: main && axis.grid !== false },
      title: { display: axis.label !== '', text: axis.label, color: look.ticks.color, font: { size: 11 }, padding: 2 },
      ticks: { ...look.ticks, callback: (value) => displayText(value, { unit: axis.unit, decimals: axis.decimals }) },
      afterBuildTicks: (scale) => { scale.ticks = limits.ticks.map((value) => ({ value })); },
      afterFit: (scale) => { if (axis.shown) scale.width = Math.max(scale.width, kAxisWidthPx); },
    };
  }

  drawBehind_(chart) {
    const { axes = [], theme } = this.view_;
    axes.forEach((axis, index) => {
      if (axis.thresholdsStyle === 'off' || axis.thresholdsStyle === 'series') return;
      const steps = thresholdSteps(axis, this.limits_[index]);
      drawThresholds(chart, { steps, mode: axis.thresholdsStyle, color: (name) => themeColor(name, theme), scaleId: `y${index}` });
    });
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

  /** The y of a value on a series' axis, in CSS pixels inside the canvas. */
  pixelOf(series, value) {
    return this.chart_.scales[`y${series.axis ?? 0}`]?.getPixelForValue(value) ?? 0;
  }

  destroy() {
    this.chart_?.destroy();
    this.chart_ = null;
  }
}
