// The value axes of a chart: which series share one, where it stands, its limits and ticks. Pure.

import { niceLimits } from '../format/ticks.js';
import { unitBase } from '../format/units.js';
import { smallestPositive, valueExtent } from './series_shape.js';

const kSameHeight = 1e-9;  // of a value
const kMostTicks = 6;

function scaleOf(config) {
  const scale = config.custom?.scaleDistribution;
  return scale?.type === 'log' || scale?.type === 'symlog' ? Number(scale.log) || 10 : 0;
}

function axisOf(config) {
  const custom = config.custom ?? {};
  return {
    unit: config.unit, decimals: config.decimals, min: config.min ?? null, max: config.max ?? null,
    softMin: custom.axisSoftMin ?? null, softMax: custom.axisSoftMax ?? null, log: scaleOf(config),
    centered: Boolean(custom.axisCenteredZero), label: custom.axisLabel ?? '', placement: custom.axisPlacement ?? 'auto',
    grid: custom.axisGridShow, thresholds: config.thresholds, thresholdsStyle: custom.thresholdsStyle?.mode ?? 'off',
    series: [],
  };
}

/**
 * Series of one unit, scale and limits share an axis. Grafana's automatic placement: the first axis
 * stands left, further ones right.
 * @param seriesList [{config, percent}]; gets `axis`, the index of its axis
 */
export function axesOf(seriesList) {
  const axes = new Map();
  for (const series of seriesList) {
    const axis = axisOf(series.config);
    const side = axis.placement === 'right' ? 'right' : 'left';
    const key = JSON.stringify([axis.unit ?? '', axis.placement === 'auto' ? '' : side, axis.min, axis.max, axis.softMin, axis.softMax,
      axis.log, axis.centered, Boolean(series.percent)]);
    if (!axes.has(key)) axes.set(key, series.percent ? { ...axis, unit: 'percent', decimals: undefined, min: 0, max: 100 } : axis);
    axes.get(key).series.push(series);
  }
  const list = [...axes.values()];
  list.forEach((axis, index) => {
    const automatic = index === 0 ? 'left' : 'right';
    axis.position = axis.placement === 'left' || axis.placement === 'right' ? axis.placement : automatic;
    axis.shown = axis.placement !== 'hidden';
    for (const series of axis.series) series.axis = index;
  });
  return list;
}

function logLimits(axis, room) {
  const base = axis.log;
  const exponent = (value) => Math.log(value) / Math.log(base);
  const least = axis.min > 0 ? axis.min : smallestPositive(axis.series) ?? 1;
  const most = axis.max > 0 ? axis.max : Math.max(valueExtent(axis.series)?.max ?? base, least);
  const low = Math.floor(exponent(least) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(exponent(most) - 1e-9));
  const stride = Math.max(1, Math.ceil((high - low) / room));
  const ticks = [];
  for (let power = low; power <= high; power += stride) ticks.push(base ** power);
  return { min: axis.min > 0 ? axis.min : base ** low, max: axis.max > 0 ? axis.max : base ** high, ticks };
}

function ticksBetween(min, max, step) {
  const ticks = [];
  for (let index = Math.ceil(min / step - 1e-9); index * step <= max + step * 1e-9; index++) ticks.push(index * step);
  return ticks;
}

/**
 * @param room how many ticks the height has place for
 * @returns {{min, max, ticks: [value]}}
 */
export function axisLimits(axis, room) {
  const places = Math.max(2, Math.min(kMostTicks, room));
  if (axis.log) return logLimits(axis, places);
  const extent = valueExtent(axis.series) ?? { min: 0, max: 1 };
  let low = axis.min ?? Math.min(extent.min, axis.softMin ?? Infinity);
  // A line at one height, give or take rounding, gets room above it: a step of its last digit would never
  // be left behind. Counts keep whole numbers on the axis.
  let high = axis.max ?? Math.max(extent.max, axis.softMax ?? -Infinity, low + (axis.decimals === 0 ? 1 : 0));
  if (high - low <= Math.abs(low) * kSameHeight) high = low === 0 ? 1 : low + Math.abs(low) * 0.1;
  if (axis.centered) {
    high = Math.max(Math.abs(low), Math.abs(high));
    low = -high;
  }
  let limits = niceLimits(low, high, places, unitBase(axis.unit));
  if (axis.decimals === 0 && limits.step < 1) limits = niceLimits(low, Math.ceil(high), Math.max(1, Math.ceil(high - low)));
  const min = axis.min ?? limits.min;
  const max = axis.max ?? limits.max;
  return { min, max, ticks: ticksBetween(min, max, limits.step) };
}
