// The course behind a number: a line and its shade, without axes. Painted by hand, because a tile needs
// neither scales nor elements, and a wall of tiles refreshes every second.

import { withAlpha } from '../format/colors.js';
import { el } from '../shell/dom.js';

const kLinePx = 1.5;

export class Sparkline {
  constructor() {
    this.element = el('canvas', { class: 'spark', 'aria-hidden': 'true' });
    this.watch_ = new ResizeObserver(() => this.paint_());
    this.watch_.observe(this.element);
  }

  /** @param view {points: [{x, y}] with NaN in the gaps, fromMs, toMs, color, min, max} */
  draw(view) {
    this.view_ = view;
    this.paint_();
  }

  paint_() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!this.view_ || width === 0 || height === 0) return;
    const scale = window.devicePixelRatio || 1;
    this.element.width = Math.round(width * scale);
    this.element.height = Math.round(height * scale);
    const ctx = this.element.getContext('2d');
    ctx.scale(scale, scale);
    const place = this.placing_(width, height);
    for (const run of this.runs_()) this.paintRun_(ctx, run.map(place), height);
  }

  placing_(width, height) {
    const { points, fromMs, toMs } = this.view_;
    const values = points.map((point) => point.y).filter(Number.isFinite);
    const min = this.view_.min ?? values.reduce((least, value) => Math.min(least, value), Infinity);
    const max = this.view_.max ?? values.reduce((most, value) => Math.max(most, value), -Infinity);
    const span = max > min ? max - min : 1;
    const room = height - 2 * kLinePx;
    // A value that never moves is a line in the middle, unless it is nothing.
    const share = (y) => (max > min ? (y - min) / span : y === 0 ? 0 : 0.5);
    return ({ x, y }) => [width * (x - fromMs) / (toMs - fromMs), kLinePx + room * (1 - share(y))];
  }

  /** The points between two gaps. */
  runs_() {
    const runs = [[]];
    for (const point of this.view_.points) {
      if (Number.isFinite(point.y)) runs[runs.length - 1].push(point);
      else if (runs[runs.length - 1].length) runs.push([]);
    }
    return runs.filter((run) => run.length > 0);
  }

  paintRun_(ctx, places, height) {
    const line = new Path2D();
    places.forEach(([x, y], index) => (index === 0 ? line.moveTo(x, y) : line.lineTo(x, y)));
    const area = new Path2D(line);
    area.lineTo(places[places.length - 1][0], height);
    area.lineTo(places[0][0], height);
    const { color } = this.view_;
    ctx.fillStyle = withAlpha(color, 0.18);
    ctx.fill(area);
    ctx.strokeStyle = color;
    ctx.lineWidth = kLinePx;
    ctx.lineJoin = 'round';
    ctx.stroke(line);
  }

  destroy() {
    this.watch_.disconnect();
  }
}
