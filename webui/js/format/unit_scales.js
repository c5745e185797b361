// How a number becomes smaller or larger by its unit: prefixes, durations, dates, bases.

import { formatStamp } from '../time/time_range.js';

const steps = (names, base, first = 0) => names.map((name, index) => [base ** (index + first), name]).reverse();

// [factor, text between number and unit], the largest first
const kScales = {
  short: steps(['', ' K', ' Mil', ' Bil', ' Tri', ' Quadr', ' Quint'], 1000),
  count: steps(['', 'K', 'M', 'B', 'T'], 1000),
  si: steps([' n', ' µ', ' m', ' ', ' k', ' M', ' G', ' T', ' P', ' E'], 1000, -3),
  iec: steps([' ', ' Ki', ' Mi', ' Gi', ' Ti', ' Pi', ' Ei', ' Zi'], 1024),
  decimal: steps([' ', ' k', ' M', ' G', ' T', ' P', ' E'], 1000),
};

/**
 * @param name of kScales
 * @param unit behind the prefix
 * @param factor what one of the given numbers is in the unit ("kbytes": 1024)
 */
export function scaled(name, unit = '', factor = 1) {
  const list = kScales[name];
  const least = list[list.length - 1];
  const one = list.find(([step]) => step === 1);
  return (value) => {
    const size = Math.abs(value * factor);
    const [step, text] = size === 0 ? one : list.find(([limit]) => size >= limit) ?? least;
    const suffix = text + unit;
    return { value: value * factor / step, suffix: suffix.trim() === '' ? '' : suffix };
  };
}

/** A unit that is never scaled. */
export const fixed = (suffix, factor = 1, prefix = '') => (value) => ({ value: value * factor, suffix, prefix });

const kDurationSteps = [[31557600, ' years'], [604800, ' weeks'], [86400, ' days'], [3600, ' hours'],
  [60, ' mins'], [1, ' s'], [1e-3, ' ms'], [1e-6, ' µs'], [1e-9, ' ns']];

export function duration(secondsPerUnit) {
  return (value) => {
    if (value === 0) return { value: 0, suffix: ' s' };
    const seconds = value * secondsPerUnit;
    const [step, suffix] = kDurationSteps.find(([limit]) => Math.abs(seconds) >= limit) ?? kDurationSteps[kDurationSteps.length - 1];
    return { value: seconds / step, suffix };
  };
}

/** "$" goes before the number, "kr" behind it. */
export function currency(symbol, behind = false) {
  const scale = scaled('count');
  return (value) => {
    const part = scale(value);
    return behind ? { ...part, suffix: `${part.suffix} ${symbol}` } : { ...part, prefix: symbol };
  };
}

const pad = (number, width = 2) => String(Math.floor(number)).padStart(width, '0');

/** 3723 s: "1:02:03"; days stand before. */
export function clockText(seconds, withDays = false) {
  const sign = seconds < 0 ? '-' : '';
  const size = Math.abs(Math.round(seconds));
  const days = withDays ? Math.floor(size / 86400) : 0;
  const rest = size - days * 86400;
  return `${sign}${withDays ? `${days} d ` : ''}${pad(rest / 3600)}:${pad(rest / 60 % 60)}:${pad(rest % 60)}`;
}

const kWords = [[31557600, 'year'], [2629800, 'month'], [604800, 'week'], [86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];

/** "2 hours, 3 minutes": as many parts as `decimals` says after the first. */
export function durationWords(seconds, decimals) {
  const parts = [];
  let rest = Math.abs(seconds);
  for (const [step, name] of kWords) {
    const count = Math.floor(rest / step + 1e-9);
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
    rest -= count * step;
  }
  const text = parts.slice(0, 1 + (decimals ?? 0)).join(', ') || '0 seconds';
  return seconds < 0 ? `${text} ago` : text;
}

/** "01h:02m:03s" */
export function clockWords(ms) {
  const size = Math.abs(ms) / 1000;
  const parts = [[size / 3600, 'h'], [size / 60 % 60, 'm'], [size % 60, 's']].map(([number, name]) => `${pad(number)}${name}`);
  const first = size >= 3600 ? 0 : size >= 60 ? 1 : 2;
  return parts.slice(first).join(':');
}

/** A time stamp in ms: as the page writes stamps, or by a pattern "YYYY-MM-DD HH:mm". */
export function timeText(ms, pattern = '') {
  const whole = formatStamp(ms);
  if (!pattern) return whole;
  const [date, clock] = whole.split(' ');
  const [year, month, day] = date.split('-');
  const [hour, minute, second] = (clock ?? '').split(':');
  const parts = { YYYY: year, YY: year?.slice(2), MM: month, DD: day, HH: hour, mm: minute, ss: second };
  return pattern.replace(/YYYY|YY|MM|DD|HH|mm|ss/g, (part) => parts[part] ?? part);
}

/** "5 minutes ago", "in 2 hours" */
export function fromNow(ms, nowMs = Date.now()) {
  const seconds = (ms - nowMs) / 1000;
  if (Math.abs(seconds) < 45) return seconds < 0 ? 'a few seconds ago' : 'in a few seconds';
  const text = durationWords(Math.abs(seconds), 0);
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

export function baseText(value, base, prefix) {
  const rounded = Number.isInteger(value) ? value : Math.round(value * 1e4) / 1e4;
  return (rounded < 0 ? '-' : '') + prefix + Math.abs(rounded).toString(base).toUpperCase();
}
