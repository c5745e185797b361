// Asks two servers of Prometheus's API the same and tells where their answers differ.

const kRelativeMax = 1e-9;

const keyOf = (metric) => JSON.stringify(Object.entries(metric).sort());

// {error: what the server says} or {points: Map of series and time to the value's text}.
async function ask(url, query, window) {
  const response = await fetch(`${url}/api/v1/query_range`,
    { method: 'POST', body: new URLSearchParams({ query, ...window }) });
  const body = await response.json();
  if (body.status !== 'success') return { error: `${body.errorType}: ${body.error}`, points: new Map() };
  const points = new Map();
  for (const { metric, values } of body.data.result) {
    const key = keyOf(metric);
    for (const [time, value] of values) points.set(`${time} ${key}`, value);
  }
  return { points };
}

export function relativeDifference(ours, theirs) {
  if (ours === theirs) return 0;
  const [a, b] = [Number(ours), Number(theirs)];
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
  return Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
}

// What `query` over {start, end, step} is worth as evidence: points compared, the largest difference
// that passes, and every point that differs by more, or is only one side's, as {atS, key, ours, theirs}.
// `theirQuery`: where they are asked for something else.
export async function compare(oursUrl, theirsUrl, query, window, theirQuery = query) {
  const [ours, theirs] = await Promise.all(
    [ask(oursUrl, query, window), ask(theirsUrl, theirQuery, window)]);
  const outcome = { query, window, points: 0, worst: 0, refused: false, different: [] };
  if (ours.error || theirs.error) {
    outcome.refused = Boolean(ours.error && theirs.error);
    if (!outcome.refused) outcome.different.push({ ours: ours.error, theirs: theirs.error });
    return outcome;
  }
  for (const at of new Set([...ours.points.keys(), ...theirs.points.keys()])) {
    const [a, b] = [ours.points.get(at), theirs.points.get(at)];
    ++outcome.points;
    const difference = a === undefined || b === undefined ? Infinity : relativeDifference(a, b);
    if (difference > kRelativeMax) {
      const [time, key] = [at.slice(0, at.indexOf(' ')), at.slice(at.indexOf(' ') + 1)];
      outcome.different.push({ atS: Number(time), key, ours: a, theirs: b });
    } else outcome.worst = Math.max(outcome.worst, difference);
  }
  return outcome;
}

// The tally of many comparisons.
export class Tally {
  outcomes = [];

  add(outcome) { this.outcomes.push(outcome); }

  get points() { return this.outcomes.reduce((sum, { points }) => sum + points, 0); }
  get answered() { return this.outcomes.filter(({ points }) => points > 0).length; }
  get refused() { return this.outcomes.filter(({ refused }) => refused).length; }
  get different() { return this.outcomes.filter(({ different }) => different.length > 0); }

  toString() {
    const worst = Math.max(0, ...this.outcomes.map((outcome) => outcome.worst));
    return `${this.outcomes.length} expressions: ${this.answered} with an answer, ` +
      `${this.outcomes.length - this.answered - this.refused} empty, ${this.refused} refused by both; ` +
      `${this.points} points, largest difference that passes ${worst.toExponential(1)}; ` +
      `${this.different.length} expressions differ`;
  }
}
