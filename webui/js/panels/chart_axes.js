// Axes that several kinds of charts share.

import { formatTimeTick, timeTicks } from '../format/ticks.js';
import { zoneOffsetMs } from '../time/zone.js';

const kPixelsPerTimeTick = 84;

const root = globalThis.document?.documentElement;
let known = new Map();
let knownTheme = '';

/** A colour of theme.css. Asking the browser costs a layout: each name is asked once per theme. */
export function cssColor(name) {
  if (root.dataset.theme !== knownTheme) {
    known = new Map();
    knownTheme = root.dataset.theme;
  }
  if (!known.has(name)) known.set(name, getComputedStyle(root).getPropertyValue(name).trim());
  return known.get(name);
}

// The words on a canvas are set in the page's type.
if (globalThis.Chart) globalThis.Chart.defaults.font.family = cssColor('--font');

/** What every axis looks like. */
export function axisLook(padding) {
  return {
    border: { display: false },
    grid: { color: cssColor('--chart-grid'), tickLength: 0 },
    ticks: { color: cssColor('--chart-text'), font: { size: 11 }, padding, maxRotation: 0, autoSkip: false },
  };
}

/** The x axis of a chart over time: epoch milliseconds, ticks on round local times. */
export function timeScale(fromMs, toMs) {
  let step = 1000;
  const look = axisLook(6);
  return {
    type: 'linear',
    min: fromMs,
    max: toMs,
    ...look,
    ticks: { ...look.ticks, callback: (value) => formatTimeTick(value, step, toMs - fromMs) },
    afterBuildTicks: (axis) => {
      const offsetMs = zoneOffsetMs(toMs);
      const room = Math.max(2, Math.floor(axis.chart.width / kPixelsPerTimeTick));
      const built = timeTicks(fromMs, toMs, room, offsetMs);
      step = built.step;
      axis.ticks = built.ticks.map((value) => ({ value }));
    },
  };
}

/** Chart.js without what costs time on every refresh. */
export const kQuietChart = {
  animation: false,
  parsing: false,
  normalized: true,
  responsive: true,
  maintainAspectRatio: false,
  events: [],
  plugins: { legend: { display: false }, tooltip: { enabled: false } },
};
