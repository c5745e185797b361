// Panel type "piechart": the share of every value in their sum.

import { textOn } from '../format/contrast.js';
import { shownText } from '../format/display.js';
import { formatValue } from '../format/units.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { cssColor } from './chart_axes.js';
import { doughnutOptions } from './doughnut.js';
import { LegendList } from './legend_list.js';
import { nextHidden } from './legend_table.js';
import { pieShares } from './reduced_fields.js';
import { reducedValues } from './reduced_values.js';
import { hideTooltip, showRows } from './tooltip.js';

const { Chart } = globalThis;
const kFontPx = 11;
const kMinLabelAngle = 0.28;  // radians: narrower slices have no room for words

export class PiePanel {
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.hidden_ = new Set();
    const { legend = {} } = panel.options;
    this.canvas_ = el('canvas', { role: 'img', 'aria-label': panel.title });
    this.plot_ = el('div', { class: 'plot' }, this.canvas_);
    this.legend_ = new LegendList(legend, (name, toggle) => this.select_(name, toggle));
    this.empty_ = el('div', { class: 'pie-empty muted', hidden: true }, t('Nothing counted in this time'));
    body.replaceChildren(el('div', { class: `chart pie legend-${legend.placement ?? 'right'}` }, this.plot_, this.legend_.element, this.empty_));
    this.plot_.addEventListener('pointermove', (event) => this.point_(event));
    this.plot_.addEventListener('pointerleave', hideTooltip);
  }

  draw(data) {
    this.data_ = data;
    const all = reducedValues(this.panel_, data, this.context_);
    const sort = this.panel_.options.sort ?? 'desc';
    this.names_ = pieShares(all, sort).map((entry) => entry.name);
    this.slices_ = pieShares(all.filter((entry) => !this.hidden_.has(entry.name)), sort);
    this.drawLegend_(pieShares(all, sort));
    this.drawChart_();
    this.empty_.hidden = this.slices_.length > 0;
    this.canvas_.setAttribute('aria-label',
      `${this.panel_.title}: ${this.slices_.map((slice) => `${slice.name} ${shownText(slice.shown)} (${this.percent_(slice.share)})`).join(', ')}`);
  }

  percent_(share) {
    return formatValue(share, 'percentunit', share < 0.1 && share > 0 ? 1 : 0);
  }

  drawLegend_(entries) {
    const values = this.panel_.options.legend?.values ?? ['percent'];
    const shares = new Map(this.slices_.map((slice) => [slice.name, slice.share]));
    this.legend_.draw(entries.map((entry) => {
      const hidden = this.hidden_.has(entry.name);
      const texts = { value: shownText(entry.shown), percent: hidden ? '' : this.percent_(shares.get(entry.name) ?? 0) };
      return { name: entry.name, color: entry.color, hidden, values: ['value', 'percent'].filter((id) => values.includes(id)).map((id) => texts[id]) };
    }));
  }

  drawChart_() {
    const dataset = {
      data: this.slices_.map((slice) => slice.value),
      backgroundColor: this.slices_.map((slice) => slice.color),
      borderColor: cssColor('--panel'),
      borderWidth: this.slices_.length > 1 ? 2 : 0,
    };
    const labels = this.slices_.map((slice) => slice.name);
    const options = doughnutOptions({ cutout: this.panel_.options.pieType === 'donut' ? '62%' : 0, layout: { padding: 6 } });
    if (this.chart_) {
      Object.assign(this.chart_.data, { labels, datasets: [dataset] });
      this.chart_.options = options;
      this.chart_.update('none');
      return;
    }
    this.chart_ = new Chart(this.canvas_, {
      type: 'doughnut', data: { labels, datasets: [dataset] }, options, plugins: [{ id: 'slices', afterDatasetsDraw: (chart) => this.writeSlices_(chart) }],
    });
  }

  writeSlices_(chart) {
    const wanted = this.panel_.options.displayLabels ?? [];
    if (wanted.length === 0) return;
    const { ctx } = chart;
    ctx.save();
    ctx.font = `600 ${kFontPx}px ${Chart.defaults.font.family}`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    chart.getDatasetMeta(0).data.forEach((arc, index) => {
      const slice = this.slices_[index];
      if (!slice || arc.endAngle - arc.startAngle < kMinLabelAngle) return;
      const texts = { name: slice.name, value: shownText(slice.shown), percent: this.percent_(slice.share) };
      const lines = ['name', 'value', 'percent'].filter((id) => wanted.includes(id)).map((id) => texts[id]);
      const middle = (arc.startAngle + arc.endAngle) / 2;
      const radius = arc.innerRadius > 0 ? (arc.innerRadius + arc.outerRadius) / 2 : arc.outerRadius * 0.66;
      if (lines.length * kFontPx > arc.outerRadius) return;
      ctx.fillStyle = textOn(slice.color);
      lines.forEach((line, at) => ctx.fillText(line, arc.x + radius * Math.cos(middle),
        arc.y + radius * Math.sin(middle) + (at - (lines.length - 1) / 2) * (kFontPx + 2)));
    });
    ctx.restore();
  }

  point_(event) {
    const [hit] = this.chart_?.getElementsAtEventForMode(event, 'nearest', { intersect: true }, false) ?? [];
    const mode = this.panel_.options.tooltip?.mode ?? 'single';
    if (!hit || mode === 'none') {
      hideTooltip();
      return;
    }
    const pointed = this.slices_[hit.index];
    const slices = mode === 'multi' ? this.slices_ : [pointed];
    showRows(event, pointed.name, slices.map((slice) => ({
      name: mode === 'multi' ? slice.name : t('Value'), color: slice.color, text: `${shownText(slice.shown)} (${this.percent_(slice.share)})`,
    })));
  }

  select_(name, toggle) {
    this.hidden_ = nextHidden(this.names_, this.hidden_, name, toggle);
    this.draw(this.data_);
  }

  destroy() {
    this.chart_?.destroy();
  }
}
