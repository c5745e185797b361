// Series as states over time: what holds from when to when.

/**
 * The states of one series. A sample holds until the next one; a hole wider than one and a half
 * steps, and a sample without a number, end a state.
 * @param points [{x: ms, y}] in time order
 * @param show y => {text, color}: neighbours that show the same are one state when `merge`
 * @returns [{x, x2, value, text, color}]
 */
export function statesOf(points, stepMs, show, merge) {
  const shown = new Map();
  const look = (value) => shown.get(value) ?? shown.set(value, show(value)).get(value);
  const states = [];
  let open = null;
  points.forEach(({ x, y }, index) => {
    const next = points[index + 1]?.x ?? x + stepMs;
    const end = next - x > 1.5 * stepMs ? x + stepMs : next;
    if (y === null || Number.isNaN(y)) {
      open = null;
      return;
    }
    const { text, color } = look(y);
    if (merge && open && open.x2 === x && open.text === text && open.color === color) {
      open.x2 = end;
      return;
    }
    open = { x, x2: end, value: y, text, color };
    states.push(open);
  });
  return states;
}

/** The state at a time; null in a hole. */
export function stateAt(states, timeMs) {
  return states.find((state) => state.x <= timeMs && timeMs < state.x2) ?? null;
}

/** Every different state once, in order of appearance: the legend. */
export function distinctStates(rows) {
  const found = new Map();
  for (const { states } of rows) {
    for (const { text, color } of states) found.set(`${text}\n${color}`, { text, color });
  }
  return [...found.values()];
}

/**
 * What the step of a threshold is called, where numbers have thresholds and no names of their own:
 * "< 80", "80 – 95", "≥ 95".
 * @param format a number's text
 */
export function thresholdLabel(thresholds, value, format) {
  const steps = thresholds?.steps ?? [];
  const bounds = steps.map((step) => step.value ?? -Infinity);
  const at = bounds.findLastIndex((bound) => value >= bound);
  const low = bounds[at];
  const high = bounds[at + 1];
  if (high === undefined) return Number.isFinite(low) ? `≥ ${format(low)}` : format(value);
  return Number.isFinite(low) ? `${format(low)} – ${format(high)}` : `< ${format(high)}`;
}
