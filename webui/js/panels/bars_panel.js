// What the panels of bars share: a canvas, a legend that shows one series alone, a tooltip.

import { el } from '../shell/dom.js';
import { LegendList } from './legend_list.js';
import { nextHidden } from './legend_table.js';
import { hideTooltip } from './tooltip.js';

export class BarsPanel {
  /** Subclasses draw(data), keep it in data_, and answer point_(event) and seriesNames_(). */
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.hidden_ = new Set();
    const legend = panel.options.legend ?? {};
    this.canvas_ = el('canvas', { role: 'img', 'aria-label': panel.title });
    this.plot_ = el('div', { class: 'plot' }, this.canvas_);
    this.legend_ = new LegendList(legend, (name, toggle) => this.select_(name, toggle));
    body.replaceChildren(el('div', { class: `chart legend-${legend.placement ?? 'bottom'}` }, this.plot_, this.legend_.element));
    this.plot_.addEventListener('pointermove', (event) => this.point_(event));
    this.plot_.addEventListener('pointerleave', hideTooltip);
  }

  select_(name, toggle) {
    this.hidden_ = nextHidden(this.seriesNames_(), this.hidden_, name, toggle);
    this.draw(this.data_);
  }

  destroy() {
    this.chart_?.destroy();
  }
}
