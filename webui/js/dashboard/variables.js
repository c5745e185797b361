// Template variables and the time macros of panel queries, after Grafana's Prometheus rules.

export const kScrapeIntervalS = 1;  // the box samples itself every second

/**
 * The step of a range query: at most `maxPoints` points, on whole seconds, and from 10 s up on a
 * 1-2-5 ladder so that neighbouring panels of different widths share one step.
 */
export function queryStep(rangeS, maxPoints) {
  const wanted = Math.max(kScrapeIntervalS, rangeS / Math.max(1, maxPoints));
  const ladder = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
  return ladder.find((step) => step >= wanted) ?? Math.ceil(wanted / 86400) * 86400;
}

/**
 * Grafana's $__rate_interval: max(step + scrape interval, 4 × scrape interval). The floor stands in
 * for Grafana's "min step": at one sample a second the rule alone gives 4 s, and one request every
 * few seconds then turns each latency quantile into single dots. 15 s is Prometheus's own default
 * scrape interval, so a central Grafana smooths at least as much.
 */
export function rateInterval(stepS, floorS = 15) {
  return Math.max(stepS + kScrapeIntervalS, 4 * kScrapeIntervalS, floorS);
}

function quoteRegex(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/\\/g, '\\\\');
}

/** One value of a variable as it stands in PromQL between quotes, inside =~ or =. */
export function variableText(variable) {
  const values = variable.values ?? [];
  if (values.includes('$__all')) {
    if (variable.allValue) return variable.allValue;
    return variable.options.length ? variable.options.map(quoteRegex).join('|') : '.*';
  }
  if (values.length === 1 && !variable.multi && !variable.includeAll) return values[0];
  if (values.length === 1) return quoteRegex(values[0]);
  return `(${values.map(quoteRegex).join('|')})`;
}

/**
 * Replaces $name, ${name}, ${name:format} and [[name]].
 * @param scope a map of name to text; an unknown name stays as written, so the server's error
 * names it.
 */
export function interpolate(text, scope) {
  return text.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]/g, (whole, a, b, c) => {
    const name = a ?? b ?? c;
    return Object.hasOwn(scope, name) ? scope[name] : whole;
  });
}

/** The scope of one query: the macros of its step and range, and every variable's text. */
export function queryScope(variables, stepS, rangeS) {
  const scope = {
    __interval: `${stepS}s`,
    __interval_ms: String(stepS * 1000),
    __rate_interval: `${rateInterval(stepS)}s`,
    __range: `${Math.max(1, Math.round(rangeS))}s`,
    __range_s: String(Math.max(1, Math.round(rangeS))),
    __range_ms: String(Math.round(rangeS * 1000)),
  };
  for (const variable of variables) scope[variable.name] = variableText(variable);
  return scope;
}

/** `label_values(metric{...}, label)` or `label_values(label)`; null for any other query. */
export function parseLabelValues(query) {
  const match = /^label_values\((?:(.+),\s*)?([a-zA-Z_]\w*)\)$/.exec(query.trim());
  return match ? { selector: match[1]?.trim() ?? null, label: match[2] } : null;
}
