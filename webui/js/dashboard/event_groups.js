// Events that would be drawn on top of each other, as one mark.

const kNearPx = 8;
const kBad = new Set(['alert', 'engine_crashed', 'model_failed', 'history_full', 'history_recovered', 'history_frame_broken',
  'config_returned', 'recovery_mode']);

function isBad({ kind, text }) {
  return kBad.has(kind) && !text.includes(' is resolved');
}

/**
 * @param events [{timeMs, kind, text}] in time order
 * @param pixelAt(timeMs) where a time is drawn
 * @returns [{x, severity: 'bad' | 'plain', events}]
 */
export function groupEvents(events, pixelAt) {
  const groups = [];
  for (const event of events) {
    const x = pixelAt(event.timeMs);
    const last = groups.at(-1);
    if (last && x - last.x < kNearPx) last.events.push(event);
    else groups.push({ x, severity: 'plain', events: [event] });
  }
  for (const group of groups) {
    if (group.events.some(isBad)) group.severity = 'bad';
  }
  return groups;
}
