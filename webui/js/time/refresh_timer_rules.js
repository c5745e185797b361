// The choices of automatic refresh and what they mean in milliseconds.

export const kRefreshChoices = [
  ['off', 'Off'], ['auto', 'Auto'], ['1s', 'Live · 1s'], ['5s', '5s'], ['10s', '10s'], ['30s', '30s'],
  ['1m', '1m'],
];

/** Auto: one refresh per drawn pixel, from a second to a minute. */
export function refreshMs(choice, rangeMs, widthPx) {
  if (choice === 'auto') return Math.min(60000, Math.max(1000, Math.round(rangeMs / widthPx)));
  const match = /^(\d+)([sm])$/.exec(choice);
  return match ? Number(match[1]) * (match[2] === 'm' ? 60000 : 1000) : null;
}
