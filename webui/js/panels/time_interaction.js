// What the pointer does on a chart over time: the crosshair that all charts share, drag to zoom,
// double click to zoom out. Drawn above the canvas, so that moving the mouse redraws nothing.

import { el } from '../shell/dom.js';
import { hideTooltip } from './tooltip.js';

const kMinDragPx = 6;

export class TimeInteraction {
  /**
   * @param plot the positioned element around the canvas
   * @param chart {plotArea(), timeAt(px), pixelAt(ms)}; plotArea() is null before the first draw
   * @param context {hover, onZoom(fromMs, toMs), onZoomOut()}
   * @param onPoint(event, timeMs) shows the tooltip
   */
  constructor(plot, chart, context, onPoint) {
    this.plot_ = plot;
    this.chart_ = chart;
    this.context_ = context;
    this.onPoint_ = onPoint;
    this.crosshair_ = el('div', { class: 'crosshair', hidden: true });
    this.selection_ = el('div', { class: 'selection', hidden: true });
    plot.append(this.crosshair_, this.selection_);
    this.listen_();
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

  /** The pointer's x inside the drawn area, or null before the first draw. */
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
    this.onPoint_(event, timeMs);
    if (this.dragFrom_ !== undefined) this.drawSelection_(x);
  }

  leave_() {
    hideTooltip();
    if (this.dragFrom_ === undefined) this.context_.hover.leave();
  }

  showCrosshair_(timeMs) {
    const area = this.chart_.plotArea();
    const x = area && this.chart_.pixelAt(timeMs);
    this.crosshair_.hidden = !area || x < area.left - 0.5 || x > area.right + 0.5;
    if (this.crosshair_.hidden) return;
    this.crosshair_.style.height = `${area.bottom - area.top}px`;
    this.crosshair_.style.transform = `translate(${x}px, ${area.top}px)`;
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
  }
}
