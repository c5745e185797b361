// Panel type "timeseries" (and the older "graph"): lines, bars or points over time, with legend,
// crosshair and drag to zoom.

import { themeColor, valueColor } from '../format/colors.js';
import { reduce } from '../format/reducers.js';
import { el } from '../shell/dom.js';
import { EventMarks } from '../dashboard/event_marks.js';
import { LegendTable, nextHidden } from './legend_table.js';
import { LegendLine } from './legend_line.js';
import { LineChart } from './line_chart.js';
import { drawnPoints, toShares } from './series_shape.js';
import { seriesStyle } from './series_style.js';
import { TimeInteraction } from './time_interaction.js';
import { showTooltip } from './tooltip.js';
import { axesOf } from './value_axes.js';

// Before Grafana wrote options into the file, and in files written by hand, these hold.
const kTooltip = { mode: 'multi', sort: 'desc' };

const kSeriesBy = { min: 'min', max: 'max' };
const styles = new WeakMap();  // config → its style: configs are the same objects from refresh to refresh

function styleOf(config) {
  if (!styles.has(config)) styles.set(config, seriesStyle(config.custom));
  return styles.get(config);
}

/** The name of a series' colour by its field's colour mode. */
function colorName(series, colors) {
  const { color } = series.config;
  if (!color || color.mode?.startsWith('palette')) return colors.name(series.name);
  return valueColor(series.config, reduce(series.points, kSeriesBy[color.seriesBy] ?? 'lastNotNull')) || colors.name(series.name);
}

function stackOf(style) {
  return style.stacking === 'none' ? '' : `${style.stacking} ${style.stackGroup} ${style.draw === 'bars'}`;
}

export class TimeSeriesPanel {
  /** @param context {colors, hover, theme(), onZoom(fromMs, toMs), onZoomOut()} */
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.hidden_ = new Set();
    const legend = panel.options.legend ?? {};
    const canvas = el('canvas', { role: 'img', 'aria-label': panel.title });
    this.marks_ = new EventMarks();
    this.plot_ = el('div', { class: 'plot' }, canvas, this.marks_.element);
    const legendBox = el('div', { class: 'legend-box' });
    body.replaceChildren(el('div', { class: `chart legend-${legend.placement === 'right' ? 'right' : 'bottom'}` }, this.plot_, legendBox));
    this.legend_ = this.makeLegend_(legend, legendBox);
    this.chart_ = new LineChart(canvas);
    const tooltip = { ...kTooltip, ...panel.options.tooltip };
    this.interaction_ = new TimeInteraction(this.plot_, this.chart_, context, (event, timeMs) => {
      showTooltip(event, this.view_, timeMs, this.view_.stepMs, { ...tooltip, chart: this.chart_, plot: this.plot_ });
    });
  }

  makeLegend_(legend, box) {
    if (legend.showLegend === false || legend.displayMode === 'hidden') {
      box.hidden = true;
      return null;
    }
    if (legend.placement === 'right' && legend.width) box.style.width = `${legend.width}px`;
    const onSelect = (name, toggle) => this.select_(name, toggle);
    return legend.displayMode === 'list' ? new LegendLine(box, legend, onSelect) : new LegendTable(box, legend, onSelect);
  }

  draw(data) {
    this.data_ = data;
    const stepMs = data.stepS * 1000;
    const theme = this.context_.theme();
    const series = data.series.filter((one) => !one.timeless).map((one) => {
      const style = styleOf(one.config);
      return {
        ...one,
        style,
        stack: stackOf(style),
        percent: style.stacking === 'percent',
        color: themeColor(colorName(one, this.context_.colors), theme),
        drawn: drawnPoints(one.points, stepMs, style),
        hidden: this.hidden_.has(one.name),
      };
    }).filter(({ style }) => !style.hideFrom.viz);
    toShares(series);
    this.view_ = { series, axes: axesOf(series), fromMs: data.fromMs, toMs: data.toMs, stepMs, theme };
    this.legend_?.draw(series.filter(({ style }) => !style.hideFrom.legend));
    this.chart_.draw(this.view_);
  }

  showEvents(events) {
    if (this.view_) this.marks_.draw(events, this.view_, this.chart_);
  }

  select_(name, toggle) {
    this.hidden_ = nextHidden(this.view_.series.map((series) => series.name), this.hidden_, name, toggle);
    this.draw(this.data_);
  }

  destroy() {
    this.interaction_.destroy();
    this.chart_.destroy();
  }
}
