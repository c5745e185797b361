// Rows of coloured cells over time: heatmaps and state timelines. The cells are Chart.js's matrix, but
// painted straight from the data: sixty rows of six hundred columns are 36 000 cells, and resolving
// options for each of them takes a hundred times longer than painting it. So many are painted as one
// picture with a pixel for each cell, enlarged without smoothing (3 ms instead of 40).

import { textOn } from '../format/contrast.js';
import { kQuietChart, timeScale } from './chart_axes.js';

const { Chart } = globalThis;
const kManyCells = 3000;
const kWidthsPerGap = 4;  // narrower cells touch: gaps would take half of the colour away
const kFontPx = 11;
const kTextPaddingPx = 4;
const kMinTextWidthPx = 14;
const kMinHeightWithTimesPx = 80;  // below it the times would take half of the drawing

/** The bytes of "rgb(…)" or "rgba(…)" as a pixel of an ImageData. */
function pixelOf(color) {
  const [red, green, blue, alpha = 1] = color.match(/[\d.]+/g).map(Number);
  return [red, green, blue, Math.round(255 * alpha)];
}

/** Cells of one width as a picture: {image, fromMs, toMs, rows}. */
function picture(cells, stepMs, rows) {
  const first = cells.reduce((least, { x }) => Math.min(least, x), Infinity);
  const last = cells.reduce((most, { x }) => Math.max(most, x), -Infinity);
  const columns = Math.round((last - first) / stepMs) + 1;
  const pixels = new ImageData(columns, rows);
  const known = new Map();
  for (const { x, row, color } of cells) {
    const pixel = known.get(color) ?? known.set(color, pixelOf(color)).get(color);
    pixels.data.set(pixel, 4 * (row * columns + Math.round((x - first) / stepMs)));
  }
  const image = new OffscreenCanvas(columns, rows);
  image.getContext('2d').putImageData(pixels, 0, 0);
  return { image, fromMs: first, toMs: last + stepMs, columns, rows };
}

/**
 * A dataset is {data: [{x, x2, row, color, text?}], gap: px, rowShare: 0..1, texts, align, stepMs}; with
 * stepMs all cells have that width and an rgb() colour.
 */
class CellController extends Chart.registry.getController('matrix') {
  updateElements() {}

  draw() {
    const { data, stepMs } = this.getDataset();
    if (stepMs && data.length > kManyCells) this.drawPicture_(data, stepMs);
    else this.drawCells_();
  }

  drawPicture_(data, stepMs) {
    const { ctx } = this.chart;
    const { xScale, yScale } = this.getMeta();
    const { image, fromMs, toMs, columns, rows } = picture(data, stepMs, yScale.max);
    const left = xScale.getPixelForValue(fromMs);
    const width = xScale.getPixelForValue(toMs) - left;
    const y0 = yScale.getPixelForValue(0);
    const height = yScale.getPixelForValue(rows) - y0;  // negative where rows stand bottom up
    ctx.save();
    ctx.imageSmoothingEnabled = false;
    ctx.translate(left, y0);
    ctx.scale(1, Math.sign(height));
    ctx.drawImage(image, 0, 0, width, Math.abs(height));
    const { gap } = this.getDataset();
    if (width / columns >= kWidthsPerGap * gap) {
      for (let column = 1; column <= columns; column++) ctx.clearRect(column * width / columns - gap, 0, gap, Math.abs(height));
    }
    if (Math.abs(height) / rows >= kWidthsPerGap * gap) {
      for (let row = 1; row <= rows; row++) ctx.clearRect(0, row * Math.abs(height) / rows - gap, width, gap);
    }
    ctx.restore();
  }

  drawCells_() {
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
      const width = Math.max(1, right - left - (right - left >= kWidthsPerGap * gap ? gap : 0));
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
   *              unit is a row, gap: px between cells, rowShare: how much of its row a cell fills, texts, align, stepMs}: see the
   *              controller's dataset
   */
  draw(view) {
    this.view_ = view;
    const { cells, gap, rowShare = 1, texts = false, align, stepMs } = view;
    const dataset = { data: cells, gap, rowShare, texts, align, stepMs };
    const roomy = this.canvas_.parentElement.clientHeight >= kMinHeightWithTimesPx;
    const options = {
      ...kQuietChart,
      onResize: (chart, { height }) => { chart.options.scales.x.display = height >= kMinHeightWithTimesPx; },
      layout: { padding: { top: 6, right: 10, bottom: roomy ? 0 : 4, left: 4 } },
      scales: { x: { ...timeScale(view.fromMs, view.toMs), offset: false, display: roomy }, y: { type: 'linear', offset: false, ...view.rowAxis } },
    };
    if (!this.chart_) {
      this.chart_ = new Chart(this.canvas_, { type: 'cells', data: { datasets: [dataset] }, options });
      return;
    }
    Object.assign(this.chart_.data.datasets[0], dataset);  // the same dataset keeps its elements
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

  /** Where a cell stands, in CSS pixels inside the canvas. */
  cellBox(cell) {
    const { x, y } = this.chart_.scales;
    const [left, right] = [x.getPixelForValue(cell.x), x.getPixelForValue(cell.x2)];
    const [top, bottom] = [y.getPixelForValue(cell.row), y.getPixelForValue(cell.row + 1)].sort((a, b) => a - b);
    return { left, top, width: right - left, height: bottom - top };
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
