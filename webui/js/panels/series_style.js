// A field's custom options as the look of its series, and Chart.js's dataset for it.

import { withAlpha } from '../format/colors.js';

const kLonelyRadiusPx = 1.8;
const kShowPointsFromPx = 10;   // points this far apart are shown by themselves (showPoints: auto)
// Chart.js names a step by where the new value begins, Grafana by which point it belongs to.
const kSteps = { stepBefore: 'after', stepAfter: 'before' };

function dashOf(lineStyle) {
  if (lineStyle?.fill === 'dash') return lineStyle.dash ?? [10, 10];
  return lineStyle?.fill === 'dot' ? [0.5, lineStyle.dash?.[1] ?? 6] : [];
}

/** Grafana's defaults fill in what `custom` leaves out. */
export function seriesStyle(custom = {}) {
  const stacking = custom.stacking?.mode ?? 'none';
  return {
    draw: custom.drawStyle ?? 'line',
    lineWidth: custom.lineWidth ?? 1,
    fill: (custom.fillOpacity ?? 0) / 100,
    flat: custom.gradientMode === 'none',
    stacking,
    stackGroup: custom.stacking?.group ?? 'A',
    stepped: kSteps[custom.lineInterpolation] ?? false,
    smooth: custom.lineInterpolation === 'smooth',
    spanNulls: custom.spanNulls ?? false,
    insertNulls: custom.insertNulls,
    transform: custom.transform,
    showPoints: custom.showPoints ?? 'auto',
    pointSize: custom.pointSize ?? 5,
    dash: dashOf(custom.lineStyle),
    fillBelowTo: custom.fillBelowTo,
    hideFrom: custom.hideFrom ?? {},
    barFill: custom.fillOpacity === undefined ? 0.6 : custom.fillOpacity / 100,
    barWidth: custom.barWidthFactor ?? 0.6,
  };
}

/** Fill that fades towards the axis, as Grafana's gradient mode "opacity" does. */
function fadingFill(color, opacity) {
  return (context) => {
    const area = context.chart.chartArea;
    if (!area) return withAlpha(color, opacity);
    const gradient = context.chart.ctx.createLinearGradient(0, area.top, 0, area.bottom);
    gradient.addColorStop(0, withAlpha(color, Math.min(1, opacity * 2.2)));
    gradient.addColorStop(1, withAlpha(color, opacity * 0.1));
    return gradient;
  };
}

/**
 * A sample between two gaps has no line to be seen by: it alone gets a dot. One radius for all where
 * there is none: Chart.js then looks up the options of one point and not of each.
 */
function lonelyRadii(points) {
  const gap = (point) => !point || Number.isNaN(point.y);
  const lonely = (point, index) => !gap(point) && gap(points[index - 1]) && gap(points[index + 1]);
  return points.some(lonely) ? points.map((point, index) => (lonely(point, index) ? kLonelyRadiusPx : 0)) : 0;
}

function pointRadius(series, stepPx) {
  const { style } = series;
  const radius = style.pointSize / 2;
  if (style.draw === 'points' || style.showPoints === 'always') return radius;
  if (style.showPoints === 'never') return lonelyRadii(series.drawn);
  return stepPx >= kShowPointsFromPx ? radius : lonelyRadii(series.drawn);
}

function fillOf(series, place) {
  const { style } = series;
  const below = style.fillBelowTo ? place.names.indexOf(style.fillBelowTo) : -1;
  if (below >= 0) return { target: below };
  if (style.draw === 'points' || style.fill === 0) return false;
  return series.stack ? 'stack' : 'origin';
}

function bars(series, place) {
  return {
    type: 'bar', grouped: false, barThickness: Math.max(1, place.stepPx * series.style.barWidth),
    backgroundColor: withAlpha(series.color, series.style.barFill), borderWidth: series.style.lineWidth > 0 && place.stepPx > 6 ? 1 : 0,
    borderSkipped: false, data: series.drawn.filter((point) => !Number.isNaN(point.y)),
  };
}

function line(series, place) {
  const { style } = series;
  return {
    type: 'line',
    borderWidth: style.draw === 'points' ? 0 : style.lineWidth,
    borderJoinStyle: 'round',
    borderCapStyle: style.dash[0] < 1 ? 'round' : 'butt',
    borderDash: style.dash,
    backgroundColor: series.stack || style.flat || style.fillBelowTo ? withAlpha(series.color, style.fill || 0.1) : fadingFill(series.color, style.fill),
    fill: fillOf(series, place),
    pointRadius: pointRadius(series, place.stepPx),
    pointBackgroundColor: series.color,
    pointBorderWidth: 0,
    stepped: style.stepped,
    cubicInterpolationMode: style.smooth ? 'monotone' : 'default',
    showLine: style.draw !== 'points',
    spanGaps: false,
    tension: 0,
    data: series.drawn,
  };
}

/** @param place {stepPx: how far neighbouring samples stand apart, names: of all series in order} */
export function toDataset(series, place) {
  return {
    label: series.name,
    borderColor: series.color,
    hidden: series.hidden,
    yAxisID: `y${series.axis ?? 0}`,
    stack: series.stack || `alone ${series.name}`,
    ...(series.style.draw === 'bars' ? bars(series, place) : line(series, place)),
  };
}
