// Tick positions and texts of the axes. Chart.js draws a linear scale; that its numbers are
// milliseconds is known here only, which spares a date library.

import { zonePart } from '../time/zone.js';

const kSecond = 1e3;
const kMinute = 60 * kSecond;
const kHour = 60 * kMinute;
const kDay = 24 * kHour;
const kTimeSteps = [kSecond, 2 * kSecond, 5 * kSecond, 10 * kSecond, 15 * kSecond, 30 * kSecond,
  kMinute, 2 * kMinute, 5 * kMinute, 10 * kMinute, 15 * kMinute, 30 * kMinute,
  kHour, 2 * kHour, 3 * kHour, 6 * kHour, 12 * kHour, kDay, 2 * kDay, 7 * kDay, 14 * kDay, 30 * kDay];

export function timeStep(fromMs, toMs, maxTicks) {
  const wanted = (toMs - fromMs) / Math.max(1, maxTicks);
  return kTimeSteps.find((step) => step >= wanted) ?? Math.ceil(wanted / (30 * kDay)) * 30 * kDay;
}

/**
 * Ticks on round local times.
 * @param offsetMs local time minus UTC (what the zone adds), so that days begin at midnight.
 */
export function timeTicks(fromMs, toMs, maxTicks, offsetMs = 0) {
  const step = timeStep(fromMs, toMs, maxTicks);
  const ticks = [];
  for (let local = Math.ceil((fromMs + offsetMs) / step) * step; local <= toMs + offsetMs; local += step) {
    ticks.push(local - offsetMs);
  }
  return { ticks, step };
}

const pad = (number) => String(number).padStart(2, '0');

/** "12:30", with seconds for fine steps and the date for coarse ones. */
export function formatTimeTick(ms, step, rangeMs) {
  const date = new Date(ms);
  const part = (name) => pad(zonePart(date, name));
  const clock = `${part('Hours')}:${part('Minutes')}`;
  const day = `${pad(zonePart(date, 'Month') + 1)}/${part('Date')}`;
  if (step < kMinute) return `${clock}:${part('Seconds')}`;
  if (step >= kDay) return day;
  return rangeMs > 1.5 * kDay ? `${day} ${clock}` : clock;
}

/** The round step (1, 2, 2.5 or 5 times a power of the base) that gives at most `maxTicks`. */
export function valueStep(min, max, maxTicks, base = 10) {
  const span = max - min;
  if (!(span > 0)) return 1;
  const raw = span / Math.max(1, maxTicks);
  if (base === 1024) {
    const power = 1024 ** Math.floor(Math.log(Math.max(raw, 1)) / Math.log(1024));
    let factor = 1;
    while (factor * power < raw) factor *= 2;
    return factor * power;
  }
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= raw * (1 - 1e-9));
  return factor * power;
}

/** Axis limits on whole steps around the data, so that the top tick is the top of the chart. */
export function niceLimits(min, max, maxTicks, base = 10) {
  if (!(max > min)) return { min, max: min + 1, step: 1 };
  const step = valueStep(min, max, maxTicks, base);
  return { min: Math.floor(min / step + 1e-9) * step, max: Math.ceil(max / step - 1e-9) * step, step };
}
