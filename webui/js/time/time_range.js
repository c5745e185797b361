// Grafana's time grammar: "now", "now-6h", "now-1d/d", epoch milliseconds, ISO text.
// Times are milliseconds since the Unix epoch; calendar arithmetic is in the zone of zone.js.

import { locale, msg, t } from '../shell/i18n.js';
import { intlZone, parseInZone, setZonePart, zonePart } from './zone.js';

const kUnitMs = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const kOperation = /^([+-])(\d+)(ms|[smhdwMy])|^\/([smhdwMy])/;

/** [from, to, title] */
export const kQuickRanges = [
  ['now-5m', 'now', msg('Last 5 minutes')], ['now-15m', 'now', msg('Last 15 minutes')],
  ['now-30m', 'now', msg('Last 30 minutes')], ['now-1h', 'now', msg('Last 1 hour')],
  ['now-3h', 'now', msg('Last 3 hours')], ['now-6h', 'now', msg('Last 6 hours')],
  ['now-12h', 'now', msg('Last 12 hours')], ['now-24h', 'now', msg('Last 24 hours')],
  ['now-2d', 'now', msg('Last 2 days')], ['now-7d', 'now', msg('Last 7 days')],
  ['now-30d', 'now', msg('Last 30 days')], ['now-90d', 'now', msg('Last 90 days')],
  ['now-1y', 'now', msg('Last 1 year')], ['now-2y', 'now', msg('Last 2 years')],
  ['now/d', 'now', msg('Today so far')], ['now/d', 'now/d', msg('Today')],
  ['now-1d/d', 'now-1d/d', msg('Yesterday')], ['now/w', 'now', msg('This week so far')],
  ['now-1w/w', 'now-1w/w', msg('Previous week')], ['now/M', 'now', msg('This month so far')],
  ['now-1M/M', 'now-1M/M', msg('Previous month')],
];

function addCalendar(timeMs, count, unit) {
  const date = new Date(timeMs);
  const [part, factor] = { M: ['Month', 1], y: ['FullYear', 1], d: ['Date', 1], w: ['Date', 7] }[unit] ?? [];
  if (!part) return timeMs + count * kUnitMs[unit];
  setZonePart(date, part, zonePart(date, part) + count * factor);
  return date.getTime();
}

/** Start of the unit `timeMs` lies in; a week begins on Monday. */
function floorTo(timeMs, unit) {
  const date = new Date(timeMs);
  if (unit === 's') return Math.floor(timeMs / 1e3) * 1e3;
  if (unit === 'm') return Math.floor(timeMs / 6e4) * 6e4;
  setZonePart(date, 'Minutes', 0, 0, 0);
  if (unit === 'h') return date.getTime();
  setZonePart(date, 'Hours', 0);
  if (unit === 'w') setZonePart(date, 'Date', zonePart(date, 'Date') - ((zonePart(date, 'Day') + 6) % 7));
  if (unit === 'M' || unit === 'y') setZonePart(date, 'Date', 1);
  if (unit === 'y') setZonePart(date, 'Month', 0);
  return date.getTime();
}

/**
 * @param roundUp "now/d" means the day's end when it closes a range.
 * @returns milliseconds, or null when the text is no time.
 */
export function parseTime(text, nowMs, roundUp = false) {
  const input = String(text ?? '').trim();
  if (/^\d{9,}$/.test(input)) return Number(input);
  if (!input.startsWith('now')) {
    const parsed = /^\d{4}-/.test(input) ? parseInZone(input.replace(' ', 'T')) : NaN;
    return Number.isNaN(parsed) ? null : parsed;
  }
  let time = nowMs;
  let rest = input.slice(3);
  while (rest !== '') {
    const match = kOperation.exec(rest);
    if (!match) return null;
    const [all, sign, count, unit, rounding] = match;
    if (rounding) {
      time = floorTo(time, rounding);
      if (roundUp) time = addCalendar(time, 1, rounding) - 1;
    } else {
      time = addCalendar(time, Number(count) * (sign === '-' ? -1 : 1), unit);
    }
    rest = rest.slice(all.length);
  }
  return time;
}

/** "13h" typed alone means the last 13 hours, as in Grafana's quick search. */
export function normalizeTimeText(text) {
  const input = String(text).trim();
  return /^\d+[smhdwMy]$/.test(input) ? `now-${input}` : input;
}

/** @returns {{fromMs, toMs}} or {{error}}: a sentence for the person who typed it. */
export function resolveRange(from, to, nowMs) {
  const fromMs = parseTime(from, nowMs, false);
  const toMs = parseTime(to, nowMs, true);
  if (fromMs === null) return { error: t('"{text}" is no time: use now-6h or 2026-01-31 12:00', { text: from }) };
  if (toMs === null) return { error: t('"{text}" is no time: use now or 2026-01-31 12:00', { text: to }) };
  if (fromMs >= toMs) return { error: t('The range ends before it begins: exchange From and To') };
  return { fromMs, toMs };
}

export function isLive(range) {
  return String(range.to).startsWith('now');
}

export function formatDuration(ms) {
  const units = [['d', 864e5], ['h', 36e5], ['m', 6e4], ['s', 1e3]];
  const parts = [];
  let rest = Math.round(ms / 1e3) * 1e3;
  for (const [name, size] of units) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${name}`);
    rest -= count * size;
  }
  return parts.slice(0, 2).join(' ') || '0s';
}

const pad = (number) => String(number).padStart(2, '0');

/** "2026-01-31 12:00:05" in the zone of the page: what the time fields take. */
export function formatStamp(ms) {
  const date = new Date(ms);
  const part = (name) => pad(zonePart(date, name));
  return `${zonePart(date, 'FullYear')}-${pad(zonePart(date, 'Month') + 1)}-${part('Date')} `
    + `${part('Hours')}:${part('Minutes')}:${part('Seconds')}`;
}

/** "12:00:05" in the zone of the page, where the date is said already. */
export const formatClock = (ms) => formatStamp(ms).slice(11);

/** The reader's own spelling of dates, as far as it is one of the language the page speaks. */
function dateLocale() {
  const wishes = typeof navigator === 'undefined' ? [] : navigator.languages ?? [];
  return wishes.find((wish) => wish.split('-')[0] === locale.split('-')[0]) ?? locale;
}

const momentFormats = new Map();

/** A date and time for people, spelled as the reader's locale does; see formatStamp for fields. */
export function formatMoment(ms) {
  const zone = intlZone() ?? '';
  if (!momentFormats.has(zone)) {
    momentFormats.set(zone, new Intl.DateTimeFormat(dateLocale(), {
      year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
      hourCycle: 'h23', timeZone: intlZone(),
    }));
  }
  return momentFormats.get(zone).format(ms);
}

export function describeRange(range) {
  const quick = kQuickRanges.find(([from, to]) => from === range.from && to === range.to);
  if (quick) return t(quick[2]);
  const text = (value) => (/^\d+$/.test(value) ? formatMoment(Number(value)) : value);
  return t('{from} to {to}', { from: text(String(range.from)), to: text(String(range.to)) });
}

/** The absolute range `steps` half widths later (earlier when negative); never past `nowMs`. */
export function shiftRange(fromMs, toMs, steps, nowMs) {
  const width = toMs - fromMs;
  const end = Math.min(Math.round(toMs + steps * width / 2), Math.max(nowMs, toMs));
  return { fromMs: end - width, toMs: end };
}

/** The middle half of a range. */
export function zoomIn(fromMs, toMs) {
  const quarter = (toMs - fromMs) / 4;
  return { fromMs: Math.round(fromMs + quarter), toMs: Math.round(toMs - quarter) };
}

/** The absolute range twice as wide around the same middle; never past `nowMs`. */
export function zoomOut(fromMs, toMs, nowMs) {
  const width = toMs - fromMs;
  const end = Math.min(Math.round(toMs + width / 2), nowMs);
  return { fromMs: end - 2 * width, toMs: end };
}
