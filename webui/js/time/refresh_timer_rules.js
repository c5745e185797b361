// The choices of automatic refresh and what they mean in milliseconds.

import { msg } from '../shell/i18n.js';

/** [value, title] */
export const kRefreshChoices = [
  ['off', msg('Off')], ['auto', msg('Auto')], ['1s', msg('Live · 1s')], ['5s', '5s'], ['10s', '10s'], ['30s', '30s'],
  ['1m', '1m'], ['5m', '5m'], ['15m', '15m'], ['30m', '30m'], ['1h', '1h'],
];

const kUnitMs = { s: 1e3, m: 6e4, h: 36e5 };

/** Auto: one refresh per drawn pixel, from a second to a minute. null: none. */
export function refreshMs(choice, rangeMs, widthPx) {
  if (choice === 'auto') return Math.min(60000, Math.max(1000, Math.round(rangeMs / widthPx)));
  const match = /^(\d+)([smh])$/.exec(choice);
  return match ? Number(match[1]) * kUnitMs[match[2]] : null;
}
