// The ranges this browser used last, offered by the time picker.

const kKey = 'hearth-recent-ranges';
const kKept = 4;

/** @returns [{from, to}], the newest first. */
export function recentRanges() {
  try {
    const kept = JSON.parse(localStorage.getItem(kKey) ?? '[]');
    return Array.isArray(kept) ? kept.filter(({ from, to }) => from && to).slice(0, kKept) : [];
  } catch {
    return [];  // a browser may forbid storage; what others wrote there is nothing to stop for
  }
}

export function rememberRange({ from, to }) {
  const others = recentRanges().filter((range) => range.from !== from || range.to !== to);
  try {
    localStorage.setItem(kKey, JSON.stringify([{ from, to }, ...others].slice(0, kKept)));
  } catch {
    // The list is a convenience.
  }
}
