// Panel type "gauge": an arc per value between the field's min and max, with the thresholds around it.

import { displayText } from '../format/display.js';
import { themeColor } from '../format/colors.js';
import { el } from '../shell/dom.js';
import { cssColor } from './chart_axes.js';
import { doughnutOptions } from './doughnut.js';
import { shareOf, thresholdStops } from './reduced_fields.js';
import { TileGrid, reducedValues, shownLength, valueElement } from './reduced_values.js';

const { Chart } = globalThis;
const kArcDegrees = 230;
const kStartDegrees = -kArcDegrees / 2;  // from the top
const kGaugeAspect = 1.3;
const kFontPx = 11;
const kMinLabelRadiusPx = 44;
const kRingWeight = 0.14;  // of the thresholds' ring beside the value's

const radians = (share) => ((kStartDegrees + share * kArcDegrees - 90) * Math.PI) / 180;

/** Shares of the arc from each threshold to the next. */
function ringOf(stops, theme) {
  const ends = [...stops.slice(1).map((stop) => stop.share), 1];
  return {
    data: stops.map((stop, index) => Math.max(0, ends[index] - stop.share)),
    backgroundColor: stops.map((stop) => themeColor(stop.color, theme)),
    borderWidth: 0,
    weight: kRingWeight,
  };
}

class GaugeView {
  constructor() {
    this.canvas_ = el('canvas', { 'aria-hidden': 'true' });
    this.value_ = el('div', { class: 'gauge-center' });
    this.name_ = el('div', { class: 'gauge-name' });
    this.plot_ = el('div', { class: 'plot' }, this.canvas_, this.value_);
    this.element = el('div', { class: 'gauge-item' }, this.plot_, this.name_);
  }

  draw(entry, { options, named, theme }) {
    this.entry_ = entry;
    this.options_ = options;
    const limits = { min: entry.config.min ?? 0, max: entry.config.max ?? (entry.config.unit === 'percentunit' ? 1 : 100) };
    this.stops_ = thresholdStops(entry.config, limits);
    this.ends_ = limits;
    const share = shareOf(entry.value, entry.config, limits);
    const value = valueElement(entry.shown, 'gauge-value');
    value.style.color = entry.ink;
    this.value_.replaceChildren(value);
    this.name_.textContent = named ? entry.name : '';
    this.name_.hidden = !named;
    const arc = { label: entry.name, data: [share, 1 - share], backgroundColor: [entry.color, cssColor('--track')], borderWidth: 0, weight: 1 };
    const ring = options.showThresholdMarkers !== false && this.stops_.length > 1;
    // The narrow gap between ring and arc is a dataset of nothing.
    const gap = { data: [1], backgroundColor: 'transparent', borderWidth: 0, weight: kRingWeight / 2 };
    this.show_(ring ? [ringOf(this.stops_, theme), gap, arc] : [arc]);
  }

  show_(datasets) {
    const aside = this.options_.showThresholdLabels ? { top: 18, left: 34, right: 34 } : { top: 4, left: 8, right: 8 };
    // Below an arc that is large enough the texts of its ends need room.
    const padding = ({ chart }) => ({ ...aside, bottom: chart.height > 1.6 * kMinLabelRadiusPx ? 20 : 2 });
    const options = doughnutOptions({ rotation: kStartDegrees, circumference: kArcDegrees, cutout: '72%', layout: { padding } });
    if (this.chart_) {
      this.chart_.data.datasets = datasets;
      this.chart_.options = options;
      this.chart_.update('none');
      return;
    }
    this.chart_ = new Chart(this.canvas_, {
      type: 'doughnut', data: { datasets }, options, plugins: [{ id: 'labels', afterDraw: (chart) => this.place_(chart) }],
    });
  }

  /** Centres the value in the arc, as large as fits, and writes what the arc's places stand for. */
  place_(chart) {
    const metas = chart.getSortedVisibleDatasetMetas();
    const inner = metas[metas.length - 1]?.data[0];
    const outer = metas[0]?.data[0];
    if (!inner || !outer) return;
    const size = Math.min(inner.innerRadius * 0.52, (1.75 * inner.innerRadius) / (0.58 * shownLength(this.entry_.shown)));
    this.value_.style.transform = `translate(${inner.x}px, ${inner.y}px) translate(-50%, -62%)`;
    this.value_.style.fontSize = `${Math.max(11, size)}px`;
    if (outer.outerRadius < kMinLabelRadiusPx) return;
    const { ctx } = chart;
    ctx.save();
    ctx.font = `${kFontPx}px ${Chart.defaults.font.family}`;
    ctx.fillStyle = cssColor('--chart-text');
    this.writeEnds_(ctx, inner);
    if (this.options_.showThresholdLabels) this.writeThresholds_(ctx, outer);
    ctx.restore();
  }

  text_(value) {
    return displayText(value, { ...this.entry_.config, mappings: [] });
  }

  writeEnds_(ctx, { x, y, innerRadius, outerRadius }) {
    const radius = (innerRadius + outerRadius) / 2;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'top';
    for (const [share, value] of [[0, this.ends_.min], [1, this.ends_.max]]) {
      const angle = radians(share);
      ctx.fillText(this.text_(value), x + radius * Math.cos(angle), y + radius * Math.sin(angle) + (outerRadius - innerRadius) / 2 + 1);
    }
  }

  writeThresholds_(ctx, { x, y, outerRadius }) {
    ctx.textBaseline = 'middle';
    for (const { share, value } of this.stops_.slice(1)) {
      const angle = radians(share);
      ctx.textAlign = Math.abs(Math.cos(angle)) < 0.2 ? 'center' : Math.cos(angle) > 0 ? 'left' : 'right';
      ctx.fillText(this.text_(value), x + (outerRadius + 5) * Math.cos(angle), y + (outerRadius + 8) * Math.sin(angle));
    }
  }

  destroy() {
    this.chart_?.destroy();
  }
}

export class GaugePanel {
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.grid_ = new TileGrid(`gauge-tiles turn-${panel.options.orientation || 'auto'}`, kGaugeAspect);
    body.replaceChildren(this.grid_.element);
  }

  draw(data) {
    const entries = reducedValues(this.panel_, data, this.context_);
    const gauges = this.grid_.fit(entries.length, () => new GaugeView());
    const shape = { options: this.panel_.options, named: entries.length > 1, theme: this.context_.theme() };
    entries.forEach((entry, index) => gauges[index].draw(entry, shape));
  }

  destroy() {
    this.grid_.destroy();
  }
}
