// Panel type "gauge": the value as an arc between the field's min and max.

import { doughnutOptions } from './doughnut.js';
import { el } from '../shell/dom.js';
import { reducedSeries, valueElement } from './reduced_values.js';

const { Chart } = globalThis;

export class GaugePanel {
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.canvas_ = el('canvas', { 'aria-hidden': 'true' });
    this.value_ = el('div', { class: 'gauge-center' });
    body.replaceChildren(el('div', { class: 'gauge' },
      el('div', { class: 'plot' }, this.canvas_), this.value_));
  }

  draw(data) {
    const [series] = reducedSeries(this.panel_, data, this.context_);
    if (!series) return;
    const min = series.config.min ?? 0;
    const max = series.config.max ?? 100;
    const share = Math.min(1, Math.max(0, (series.value - min) / (max - min)));
    const value = valueElement(series.shown, 'gauge-value');
    value.style.color = series.color;
    this.value_.replaceChildren(value);
    const track = getComputedStyle(document.documentElement).getPropertyValue('--track').trim();
    const dataset = { data: [share, 1 - share], backgroundColor: [series.color, track], borderWidth: 0 };
    if (this.chart_) {
      this.chart_.data.datasets[0] = dataset;
      this.chart_.update('none');
      return;
    }
    this.chart_ = new Chart(this.canvas_, {
      type: 'doughnut',
      data: { datasets: [dataset] },
      options: doughnutOptions({ rotation: -115, circumference: 230, cutout: '78%' }),
    });
  }

  destroy() {
    this.chart_?.destroy();
  }
}
