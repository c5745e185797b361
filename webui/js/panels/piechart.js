// Panel type "piechart": the share of every series in their sum.

import { doughnutOptions } from './doughnut.js';
import { el } from '../shell/dom.js';
import { shownText } from '../format/display.js';
import { formatValue } from '../format/units.js';
import { reducedSeries } from './reduced_values.js';

const { Chart } = globalThis;

export class PiePanel {
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.canvas_ = el('canvas', { role: 'img', 'aria-label': panel.title });
    this.legend_ = el('div', { class: 'pie-legend' });
    body.replaceChildren(el('div', { class: 'pie' },
      el('div', { class: 'plot' }, this.canvas_), this.legend_));
  }

  draw(data) {
    const list = reducedSeries(this.panel_, data, this.context_).filter((series) => series.value > 0);
    const total = list.reduce((sum, series) => sum + series.value, 0);
    this.legend_.replaceChildren(...list.map((series) => {
      const swatch = el('span', { class: 'swatch' });
      swatch.style.background = series.color;
      return el('div', { class: 'pie-row' }, swatch, el('span', { class: 'pie-name' }, series.name),
        el('span', {}, shownText(series.shown)),
        el('span', { class: 'muted' }, formatValue(series.value / total, 'percentunit', 0)));
    }));
    if (list.length === 0) this.legend_.append(el('div', { class: 'muted' }, 'Nothing counted in this time'));
    const dataset = {
      data: list.map((series) => series.value),
      backgroundColor: list.map((series) => series.color),
      borderColor: getComputedStyle(document.documentElement).getPropertyValue('--panel').trim(),
      borderWidth: 2,
    };
    if (!this.chart_) {
      const cutout = this.panel_.options.pieType === 'donut' ? '66%' : 0;
      this.chart_ = new Chart(this.canvas_, {
        type: 'doughnut', data: { datasets: [dataset] }, options: doughnutOptions({ cutout }),
      });
      return;
    }
    this.chart_.data.datasets[0] = dataset;
    this.chart_.update('none');
  }

  destroy() {
    this.chart_?.destroy();
  }
}
