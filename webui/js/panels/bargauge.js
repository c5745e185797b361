// Panel type "bargauge": a bar per series between the field's min and max.

import { shownText } from '../format/display.js';
import { el } from '../shell/dom.js';
import { reducedSeries } from './reduced_values.js';

export class BarGaugePanel {
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.list_ = el('div', { class: 'bars' });
    body.replaceChildren(this.list_);
  }

  draw(data) {
    const list = reducedSeries(this.panel_, data, this.context_);
    const most = list.reduce((max, series) => Math.max(max, series.value ?? 0), 0);
    const max = this.panel_.field.max ?? (most || 1);
    const min = this.panel_.field.min ?? 0;
    this.list_.replaceChildren(...list.map((series) => {
      const bar = el('div', { class: 'bar-fill' });
      const share = Math.min(1, Math.max(0, (series.value - min) / (max - min)));
      bar.style.width = `${100 * share}%`;
      bar.style.background = series.color;
      return el('div', { class: 'bar' },
        el('div', { class: 'bar-head' }, el('span', {}, series.name),
          el('b', {}, shownText(series.shown))),
        el('div', { class: 'bar-track' }, bar));
    }));
  }

  destroy() {}
}
