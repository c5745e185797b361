// Client of /api/events: what happened on the box, for the marks on the time line.

/** @returns [{timeMs, kind, text}] in time order. */
export async function eventsBetween(fromMs, toMs) {
  const params = new URLSearchParams({ start: fromMs / 1000, end: toMs / 1000 });
  const response = await fetch(`/api/events?${params}`, { headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const { events } = await response.json();
  return events.map(({ time, kind, text }) => ({ timeMs: time * 1000, kind, text }));
}
