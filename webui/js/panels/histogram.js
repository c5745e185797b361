// Panel type "histogram": how often each value occurs among the samples.

import { themeColor, withAlpha } from '../format/colors.js';
import { displayText } from '../format/display.js';
import { valueStep } from '../format/ticks.js';
import { t } from '../shell/i18n.js';
import { BarsPanel } from './bars_panel.js';
import { axisLook, kQuietChart } from './chart_axes.js';
import { binValues } from './histogram_data.js';
import { hideTooltip, showRows } from './tooltip.js';

const { Chart } = globalThis;
const kPixelsPerEdge = 62;
const kPixelsPerCount = 38;

export class HistogramPanel extends BarsPanel {
  draw(data) {
    this.data_ = data;
    const { size, starts, series } = binValues(data.series, this.panel_.options);
    const theme = this.context_.theme();
    const config = data.series[0]?.config ?? this.panel_.field;
    const lists = series.map((one) => {
      const name = one.name || t('Count');
      const fixed = config.color?.mode === 'fixed' && config.color.fixedColor;
      return { ...one, name, color: themeColor(fixed || this.context_.colors.name(name), theme), hidden: this.hidden_.has(name) };
    });
    this.view_ = { size, starts, series: lists, config };
    this.drawChart_();
    this.legend_.draw(lists.map(({ name, color, hidden }) => ({ name, color, hidden })));
    this.canvas_.setAttribute('aria-label', this.describe_());
  }

  drawChart_() {
    const { size, starts, series } = this.view_;
    const { fillOpacity = 80, lineWidth = 1 } = this.panel_.custom;
    const datasets = series.map((one) => ({
      label: one.name,
      data: starts.map((start, index) => ({ x: start + size / 2, y: one.counts[index] })),
      backgroundColor: withAlpha(one.color, fillOpacity / 100),
      borderColor: one.color,
      borderWidth: { top: lineWidth },
      hidden: one.hidden,
      barPercentage: 1,
      categoryPercentage: 1,
      grouped: false,
    }));
    const options = { ...kQuietChart, layout: { padding: { top: 8, right: 12 } }, scales: { x: this.valueScale_(), y: this.countScale_() } };
    if (!this.chart_) {
      this.chart_ = new Chart(this.canvas_, { type: 'bar', data: { datasets }, options });
      return;
    }
    this.chart_.data.datasets = datasets;
    this.chart_.options = options;
    this.chart_.update('none');
  }

  edgeText_(value) {
    return displayText(value, { ...this.view_.config, mappings: [] });
  }

  valueScale_() {
    const { size, starts } = this.view_;
    const look = axisLook(6);
    const edges = [...starts, starts.length ? starts[starts.length - 1] + size : 1];
    return {
      type: 'linear',
      offset: false,
      min: edges[0],
      max: edges[edges.length - 1],
      ...look,
      grid: { ...look.grid, color: 'transparent' },
      ticks: { ...look.ticks, callback: (value) => this.edgeText_(value) },
      afterBuildTicks: (axis) => {
        const every = Math.ceil(edges.length / Math.max(2, Math.floor(axis.chart.width / kPixelsPerEdge)));
        axis.ticks = edges.filter((_, index) => index % every === 0).map((value) => ({ value }));
      },
    };
  }

  countScale_() {
    const shown = this.view_.series.filter((one) => !one.hidden);
    const most = shown.reduce((max, one) => one.counts.reduce((top, count) => Math.max(top, count), max), 1);
    const look = axisLook(8);
    const room = Math.max(2, Math.floor((this.plot_.clientHeight || 160) / kPixelsPerCount));
    const step = Math.max(1, valueStep(0, most, room));
    return {
      type: 'linear',
      min: 0,
      max: Math.ceil(most / step) * step,
      ...look,
      ticks: { ...look.ticks, stepSize: step, callback: (value) => displayText(value, { unit: 'short' }) },
    };
  }

  point_(event) {
    const area = this.chart_?.chartArea;
    if (!area) return;
    const { size, starts, series } = this.view_;
    const x = event.clientX - this.plot_.getBoundingClientRect().left;
    const index = Math.floor((this.chart_.scales.x.getValueForPixel(x) - starts[0]) / size);
    if (x < area.left || x > area.right || index < 0 || index >= starts.length) {
      hideTooltip();
      return;
    }
    showRows(event, this.rangeText_(index), series.filter((one) => !one.hidden && one.counts[index] > 0)
      .map(({ name, color, counts }) => ({ name, color, text: String(counts[index]) })));
  }

  rangeText_(index) {
    const { size, starts } = this.view_;
    return `${this.edgeText_(starts[index])} – ${this.edgeText_(starts[index] + size)}`;
  }

  seriesNames_() {
    return this.view_.series.map((one) => one.name);
  }

  describe_() {
    const { starts, series } = this.view_;
    const sentences = series.map(({ name, counts }) => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      const top = counts.indexOf(counts.reduce((most, count) => Math.max(most, count), 0));
      return total === 0 ? name : t('{name}: {total} values, most ({count}) in {bucket}', { name, total, count: counts[top], bucket: this.rangeText_(top) });
    });
    return t('{title}: histogram of {buckets} buckets. {series}', { title: this.panel_.title, buckets: starts.length, series: sentences.join('; ') });
  }
}
