// Panel type "stat": large numbers, with the course behind them.

import { el } from '../shell/dom.js';
import { LineChart } from './line_chart.js';
import { reducedSeries, valueElement } from './reduced_values.js';
import { withGaps } from '../prometheus/series.js';

export class StatPanel {
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.values_ = el('div', { class: 'stat-values' });
    const canvas = el('canvas', { 'aria-hidden': 'true' });
    this.spark_ = panel.options.graphMode === 'area' ? new LineChart(canvas, { sparkline: true }) : null;
    body.replaceChildren(el('div', { class: 'stat' },
      this.spark_ && el('div', { class: 'spark' }, canvas), this.values_));
  }

  draw(data) {
    const list = reducedSeries(this.panel_, data, this.context_);
    this.values_.replaceChildren(...list.map((series) => {
      const value = valueElement(series.shown, 'stat-value');
      value.style.color = series.color;
      return el('div', { class: 'stat-item' }, value,
        list.length > 1 && el('div', { class: 'stat-name' }, series.name));
    }));
    this.spark_?.draw({
      series: list.map((series) => ({ ...series, drawn: withGaps(series.points, data.stepS * 1000) })),
      fromMs: data.fromMs,
      toMs: data.toMs,
      style: { lineWidth: 1.5, fill: 0.16, stacking: 'none', stepped: false },
    });
  }

  destroy() {
    this.spark_?.destroy();
  }
}
