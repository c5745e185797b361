// Rows of coloured cells over time: heatmaps and state timelines. The cells are Chart.js's matrix, but
// painted straight from the data: sixty rows of six hundred columns are 36 000 cells, and resolving
// options for each of them takes a hundred times longer than painting it.

import { textOn } from '../format/contrast.js';
import { kQuietChart, timeScale } from './chart_axes.js';

const { Chart } = globalThis;
const kFontPx = 11;
const kTextPaddingPx = 4;
const kMinTextWidthPx = 14;
const kMinHeightWithTimesPx = 80;  // below it the times would take half of the drawing

/** A dataset is {data: [{x, x2, row, color, text?}], gap: px, rowShare: 0..1, texts: boolean}. */
class CellController extends Chart.registry.getController('matrix') {
  updateElements() {}

  draw() {
    const { ctx } = this.chart;
    const { xScale, yScale } = this.getMeta();
    const { data, gap, rowShare, texts } = this.getDataset();
    const [x0, y0] = [xScale.getPixelForValue(xScale.min), yScale.getPixelForValue(0)];
    const perMs = (xScale.getPixelForValue(xScale.max) - x0) / (xScale.max - xScale.min);
    const rowHeight = yScale.getPixelForValue(1) - y0;  // negative where rows stand bottom up
    const height = Math.max(1, Math.abs(rowHeight) * rowShare - (rowShare === 1 ? gap : 0));
    for (const cell of data) {
      // On whole pixels: neighbours of fractional width would show a seam.
      const left = Math.round(x0 + (cell.x - xScale.min) * perMs);
      const right = Math.round(x0 + (cell.x2 - xScale.min) * perMs);
      const width = Math.max(1, right - left - (right - left > 2 * gap ? gap : 0));
      const top = y0 + (cell.row + 0.5) * rowHeight - height / 2;
      ctx.fillStyle = cell.color;
      ctx.fillRect(left, Math.round(top), width, Math.max(1, Math.round(top + height) - Math.round(top)));
    }
    if (texts && height >= kFontPx + 2) this.drawTexts_(ctx, data, { x0, y0, perMs, rowHeight });
  }

  drawTexts_(ctx, data, { x0, y0, perMs, rowHeight }) {
    const { xScale } = this.getMeta();
    const { left: areaLeft, right: areaRight } = this.chart.chartArea;
    const { align = 'center' } = this.getDataset();
    ctx.save();
    ctx.font = `500 ${kFontPx}px ${Chart.defaults.font.family}`;
    ctx.textBaseline = 'middle';
    for (const cell of data) {
      const left = Math.max(areaLeft, x0 + (cell.x - xScale.min) * perMs) + kTextPaddingPx;
      const right = Math.min(areaRight, x0 + (cell.x2 - xScale.min) * perMs) - kTextPaddingPx;
      if (right - left < kMinTextWidthPx) continue;
      const width = ctx.measureText(cell.text).width;
      if (width > right - left) continue;
      const shift = { left: 0, center: (right - left - width) / 2, right: right - left - width }[align] ?? 0;
      ctx.fillStyle = textOn(cell.color);
      ctx.fillText(cell.text, left + shift, y0 + (cell.row + 0.5) * rowHeight);
    }
    ctx.restore();
  }
}
CellController.id = 'cells';
CellController.defaults = { dataElementType: 'matrix', animation: false };
Chart.register(CellController);

export class CellsChart {
  constructor(canvas) {
    this.canvas_ = canvas;
    this.chart_ = null;
    this.view_ = null;
  }

  /**
   * @param view {cells: [{x, x2, row, color, text}], fromMs, toMs, rowAxis: options of the y scale, whose
   *              unit is a row, gap: px between cells, rowShare: how much of its row a cell fills, texts, align}
   */
  draw(view) {
    this.view_ = view;
    const { cells, gap, rowShare = 1, texts = false, align } = view;
    const datasets = [{ data: cells, gap, rowShare, texts, align }];
    const roomy = this.canvas_.parentElement.clientHeight >= kMinHeightWithTimesPx;
    const options = {
      ...kQuietChart,
      layout: { padding: { top: 6, right: 10, bottom: roomy ? 0 : 4, left: 4 } },
      scales: { x: { ...timeScale(view.fromMs, view.toMs), offset: false, display: roomy }, y: { type: 'linear', offset: false, ...view.rowAxis } },
    };
    if (!this.chart_) {
      this.chart_ = new Chart(this.canvas_, { type: 'cells', data: { datasets }, options });
      return;
    }
    this.chart_.data.datasets = datasets;
    this.chart_.options = options;
    this.chart_.update('none');
  }

  plotArea() {
    return this.chart_?.chartArea ?? null;
  }

  timeAt(pixel) {
    return this.chart_.scales.x.getValueForPixel(pixel);
  }

  pixelAt(timeMs) {
    return this.chart_.scales.x.getPixelForValue(timeMs);
  }

  /** The row at a height inside the canvas. */
  rowAt(pixel) {
    return Math.floor(this.chart_.scales.y.getValueForPixel(pixel));
  }

  destroy() {
    this.chart_?.destroy();
    this.chart_ = null;
  }
}
