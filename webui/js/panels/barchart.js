// Panel type "barchart": bars by category, or by time, beside each other or stacked.

import { themeColor, withAlpha } from '../format/colors.js';
import { textOn } from '../format/contrast.js';
import { display, displayText, shownText } from '../format/display.js';
import { formatTimeTick, niceLimits } from '../format/ticks.js';
import { formatValue, unitBase } from '../format/units.js';
import { t } from '../shell/i18n.js';
import { formatMoment } from '../time/time_range.js';
import { barsOf, percentBars } from './barchart_data.js';
import { BarsPanel } from './bars_panel.js';
import { axisLook, cssColor, kQuietChart } from './chart_axes.js';
import { hideTooltip, showRows } from './tooltip.js';

const { Chart } = globalThis;
const kFontPx = 11;
const kPixelsPerValueTick = { vertical: 38, horizontal: 90 };

const shorten = (text, most) => (most && text.length > most ? `${text.slice(0, most)}…` : text);

export class BarChartPanel extends BarsPanel {
  draw(data) {
    this.data_ = data;
    const { options } = this.panel_;
    const { kind, keys, series } = barsOf(data.tables, options.xField);
    const percent = options.stacking === 'percent';
    const shown = series.filter((one) => !one.config.custom?.hideFrom?.viz).map((one) => this.coloured_(one));
    const visible = shown.filter((one) => !one.hidden);
    const drawn = percent ? percentBars(visible) : visible.map((one) => ({ ...one, drawn: one.values }));
    this.view_ = {
      kind, keys, series: drawn, all: shown, percent, stacked: percent || options.stacking === 'normal',
      horizontal: options.orientation === 'horizontal', texts: this.texts_(kind, keys, data), config: series[0]?.config ?? {},
    };
    this.drawChart_();
    this.legend_.draw(shown.map(({ name, color, hidden }) => ({ name, color, hidden })));
    this.canvas_.setAttribute('aria-label', this.describe_());
  }

  coloured_(one) {
    const { color } = one.config;
    const fixed = color?.mode === 'fixed' ? color.fixedColor : '';
    return { ...one, color: themeColor(fixed || this.context_.colors.name(one.name), this.context_.theme()), hidden: this.hidden_.has(one.name) };
  }

  texts_(kind, keys, data) {
    if (kind !== 'time') return keys.map(String);
    const step = keys.length > 1 ? keys[1] - keys[0] : 60000;
    return keys.map((key) => formatTimeTick(key, step, data.toMs - data.fromMs));
  }

  /** A colour of its own for each value where thresholds or mappings ask for it. */
  barColors_(one, alpha) {
    if ((one.config.color?.mode ?? 'palette-classic').startsWith('palette') && !one.config.mappings?.length) return withAlpha(one.color, alpha);
    return one.values.map((value) => withAlpha(themeColor(display(value, one.config).color || one.color, this.context_.theme()), alpha));
  }

  drawChart_() {
    const { series, texts, horizontal } = this.view_;
    const { barWidth = 0.97, groupWidth = 0.7 } = this.panel_.options;
    const { fillOpacity = 80, lineWidth = 1 } = this.panel_.custom;
    const datasets = series.map((one) => ({
      label: one.name, data: one.drawn, backgroundColor: this.barColors_(one, fillOpacity / 100), borderColor: this.barColors_(one, 1),
      borderWidth: lineWidth, barPercentage: barWidth, categoryPercentage: groupWidth, skipNull: true,
    }));
    const [category, value] = horizontal ? ['y', 'x'] : ['x', 'y'];
    const options = {
      ...kQuietChart, parsing: undefined, normalized: false, indexAxis: category, layout: { padding: { top: 14, right: horizontal ? 44 : 12 } },
      scales: { [category]: this.categoryScale_(), [value]: this.valueScale_() },
    };
    if (this.chart_) {
      Object.assign(this.chart_.data, { labels: texts, datasets });
      this.chart_.options = options;
      this.chart_.update('none');
      return;
    }
    this.chart_ = new Chart(this.canvas_, {
      type: 'bar', data: { labels: texts, datasets }, options, plugins: [{ id: 'values', afterDatasetsDraw: (chart) => this.writeValues_(chart) }],
    });
  }

  categoryScale_() {
    const look = axisLook(6);
    const { xTickLabelRotation = 0, xTickLabelMaxLength } = this.panel_.options;
    const { texts, stacked, horizontal } = this.view_;
    return {
      type: 'category', stacked, ...look, grid: { ...look.grid, color: 'transparent' },
      ticks: { ...look.ticks, autoSkip: true, maxRotation: horizontal ? 0 : Math.abs(xTickLabelRotation), minRotation: horizontal ? 0 : Math.abs(xTickLabelRotation),
        callback: (_, index) => shorten(texts[index] ?? '', xTickLabelMaxLength) },
    };
  }

  extent_() {
    const { series, stacked, keys } = this.view_;
    let [min, max] = [0, 0];
    keys.forEach((_, index) => {
      const values = series.map((one) => one.drawn[index] ?? 0);
      const above = values.filter((value) => value > 0);
      const below = values.filter((value) => value < 0);
      const sum = (list) => list.reduce((total, value) => total + value, 0);
      max = Math.max(max, stacked ? sum(above) : Math.max(0, ...above));
      min = Math.min(min, stacked ? sum(below) : Math.min(0, ...below));
    });
    return { min, max };
  }

  valueScale_() {
    const { config, percent, stacked, horizontal } = this.view_;
    const extent = this.extent_();
    const unit = percent ? 'percentunit' : config.unit;
    const size = horizontal ? this.plot_.clientWidth : this.plot_.clientHeight;
    const room = Math.max(2, Math.floor((size || 160) / kPixelsPerValueTick[horizontal ? 'horizontal' : 'vertical']));
    const low = config.min ?? extent.min;
    const high = config.max ?? (percent ? 1 : extent.max);
    const limits = niceLimits(low, high > low ? high : low + 1, room, unitBase(unit));
    const look = axisLook(8);
    return {
      type: 'linear', stacked, min: config.min ?? limits.min, max: config.max ?? limits.max, ...look,
      ticks: { ...look.ticks, stepSize: limits.step, callback: (value) => formatValue(value, unit, percent ? 0 : config.decimals) },
    };
  }

  valueText_(one, index) {
    if (one.values[index] === null) return '';
    return this.view_.percent ? formatValue(one.drawn[index], 'percentunit', 0) : shownText(display(one.values[index], one.config));
  }

  /** The values on their bars, as far as they find room; "auto" leaves out what does not. */
  writeValues_(chart) {
    const { showValue = 'auto' } = this.panel_.options;
    if (showValue === 'never') return;
    const { ctx } = chart;
    const { series, stacked, horizontal } = this.view_;
    ctx.save();
    ctx.font = `500 ${kFontPx}px ${Chart.defaults.font.family}`;
    series.forEach((one, at) => {
      chart.getDatasetMeta(at).data.forEach((bar, index) => {
        const text = this.valueText_(one, index);
        const width = ctx.measureText(text).width;
        const thickness = horizontal ? bar.height : bar.width;
        const length = Math.abs((horizontal ? bar.x : bar.y) - bar.base);
        const fits = horizontal ? thickness >= kFontPx : thickness >= width;
        const inside = !stacked || length >= (horizontal ? width + 8 : kFontPx + 4);
        if (!text || (showValue === 'auto' && !(fits && inside))) return;
        this.writeValue_(ctx, bar, text, stacked ? textOn(one.color) : cssColor('--text'));
      });
    });
    ctx.restore();
  }

  writeValue_(ctx, bar, text, color) {
    const { stacked, horizontal } = this.view_;
    const { x, y, base } = bar;
    ctx.fillStyle = color;
    ctx.textBaseline = 'middle';
    ctx.textAlign = horizontal && !stacked ? 'left' : 'center';
    if (horizontal) ctx.fillText(text, stacked ? (x + base) / 2 : x + 5, y);
    else ctx.fillText(text, x, stacked ? (y + base) / 2 : y - kFontPx / 2 - 3);
  }

  point_(event) {
    const [hit] = this.chart_?.getElementsAtEventForMode(event, 'index', { intersect: false, axis: this.view_.horizontal ? 'y' : 'x' }, false) ?? [];
    const mode = this.panel_.options.tooltip?.mode ?? 'single';
    if (!hit || mode === 'none') {
      hideTooltip();
      return;
    }
    const { kind, keys, series } = this.view_;
    const [nearest] = this.chart_.getElementsAtEventForMode(event, 'nearest', { intersect: true }, false);
    const wanted = mode === 'single' && nearest ? [series[nearest.datasetIndex]] : series;
    const heading = kind === 'time' ? formatMoment(keys[hit.index]) : String(keys[hit.index]);
    showRows(event, heading, wanted.filter((one) => one.values[hit.index] !== null)
      .map((one) => ({ name: one.name, color: one.color, text: displayText(one.values[hit.index], one.config) })));
  }

  seriesNames_() {
    return this.view_.all.map((one) => one.name);
  }

  describe_() {
    const { series, keys, texts } = this.view_;
    const last = keys.length - 1;
    const sentences = series.map((one) => t('{name} from {first} at {start} to {last} at {end}', {
      name: one.name, first: this.valueText_(one, 0), start: texts[0], last: this.valueText_(one, last), end: texts[last],
    }));
    return t('{title}: {bars} bars. {series}', { title: this.panel_.title, bars: keys.length, series: sentences.join('; ') });
  }
}
