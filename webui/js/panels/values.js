// Panel types that show reduced values: stat, gauge, bargauge, piechart; and text.

import { themeColor, thresholdColor } from '../format/colors.js';
import { el } from '../shell/dom.js';
import { LineChart } from './line_chart.js';
import { reduce, withGaps } from '../prometheus/series.js';
import { formatParts, formatValue } from '../format/units.js';

const { Chart } = globalThis;

/** Each series with its reduced value and the colour the field's colour mode gives it. */
function reducedSeries(panel, data, context) {
  const calc = panel.options.reduceOptions?.calcs?.[0] ?? 'lastNotNull';
  const mode = panel.field.color?.mode ?? 'palette-classic';
  return data.series.map((series) => {
    const value = reduce(series.points, calc);
    let name = context.colors.name(series.name);
    if (mode === 'fixed') name = panel.field.color.fixedColor;
    if (mode === 'thresholds') name = thresholdColor(panel.field.thresholds, value);
    return { ...series, value, color: themeColor(name, context.theme()) };
  });
}

function valueText(panel, value, className) {
  const { text, suffix } = formatParts(value, panel.field.unit, panel.field.decimals);
  return el('div', { class: className }, text, suffix && el('span', { class: 'unit' }, suffix));
}

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
      const value = valueText(this.panel_, series.value, 'stat-value');
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

function doughnutOptions(extra) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    events: [],
    plugins: { legend: { display: false }, tooltip: { enabled: false } },
    ...extra,
  };
}

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
    const min = this.panel_.field.min ?? 0;
    const max = this.panel_.field.max ?? 100;
    const share = Math.min(1, Math.max(0, (series.value - min) / (max - min)));
    const value = valueText(this.panel_, series.value, 'gauge-value');
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
          el('b', {}, formatValue(series.value, this.panel_.field.unit, this.panel_.field.decimals))),
        el('div', { class: 'bar-track' }, bar));
    }));
  }

  destroy() {}
}

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
    const { unit, decimals } = this.panel_.field;
    this.legend_.replaceChildren(...list.map((series) => {
      const swatch = el('span', { class: 'swatch' });
      swatch.style.background = series.color;
      return el('div', { class: 'pie-row' }, swatch, el('span', { class: 'pie-name' }, series.name),
        el('span', {}, formatValue(series.value, unit, decimals)),
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

/** Grafana's text panel; its Markdown is shown as written. */
export class TextPanel {
  constructor(panel, body) {
    body.replaceChildren(el('div', { class: 'text-panel' }, panel.content));
  }

  draw() {}

  destroy() {}
}
