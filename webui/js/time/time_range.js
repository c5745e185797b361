// Grafana's time grammar: "now", "now-6h", "now-1d/d", epoch milliseconds, ISO text.
// Times are milliseconds since the Unix epoch; calendar arithmetic is in the browser's zone.

const kUnitMs = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const kOperation = /^([+-])(\d+)(ms|[smhdwMy])|^\/([smhdwMy])/;

export const kQuickRanges = [
  ['now-5m', 'Last 5 minutes'], ['now-15m', 'Last 15 minutes'], ['now-30m', 'Last 30 minutes'],
  ['now-1h', 'Last 1 hour'], ['now-3h', 'Last 3 hours'], ['now-6h', 'Last 6 hours'],
  ['now-12h', 'Last 12 hours'], ['now-24h', 'Last 24 hours'], ['now-2d', 'Last 2 days'],
  ['now-7d', 'Last 7 days'], ['now-30d', 'Last 30 days'],
];

function addCalendar(timeMs, count, unit) {
  const date = new Date(timeMs);
  if (unit === 'M') date.setMonth(date.getMonth() + count);
  else if (unit === 'y') date.setFullYear(date.getFullYear() + count);
  else if (unit === 'd') date.setDate(date.getDate() + count);
  else if (unit === 'w') date.setDate(date.getDate() + 7 * count);
  else return timeMs + count * kUnitMs[unit];
  return date.getTime();
}

/** Start of the unit `timeMs` lies in; a week begins on Monday. */
function floorTo(timeMs, unit) {
  const date = new Date(timeMs);
  if (unit === 's') return Math.floor(timeMs / 1e3) * 1e3;
  if (unit === 'm') return Math.floor(timeMs / 6e4) * 6e4;
  date.setMinutes(0, 0, 0);
  if (unit === 'h') return date.getTime();
  date.setHours(0);
  if (unit === 'w') date.setDate(date.getDate() - ((date.getDay() + 6) % 7));
  if (unit === 'M' || unit === 'y') date.setDate(1);
  if (unit === 'y') date.setMonth(0);
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
    const parsed = /^\d{4}-/.test(input) ? Date.parse(input.replace(' ', 'T')) : NaN;
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
  if (fromMs === null) return { error: `"${from}" is no time: use now-6h or 2026-01-31 12:00` };
  if (toMs === null) return { error: `"${to}" is no time: use now or 2026-01-31 12:00` };
  if (fromMs >= toMs) return { error: 'The range ends before it begins: exchange From and To' };
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

/** "2026-01-31 12:00:05" in the browser's zone. */
export function formatStamp(ms) {
  const date = new Date(ms);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} `
    + `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export function describeRange(range) {
  const quick = range.to === 'now' && kQuickRanges.find(([from]) => from === range.from);
  if (quick) return quick[1];
  const text = (value) => (/^\d+$/.test(value) ? formatStamp(Number(value)) : value);
  return `${text(String(range.from))} to ${text(String(range.to))}`;
}

/** The absolute range twice as wide around the same middle; never past `nowMs`. */
export function zoomOut(fromMs, toMs, nowMs) {
  const width = toMs - fromMs;
  const end = Math.min(Math.round(toMs + width / 2), nowMs);
  return { fromMs: end - 2 * width, toMs: end };
}
