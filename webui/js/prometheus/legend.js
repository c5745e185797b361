// Legend texts: Grafana's "{{label}}" formats, and Prometheus's own spelling without one.

const kPlaceholder = /\{\{\s*([^}\s]+)\s*\}\}/g;

/** Fills "{{label}}" from a series' labels; a label the series lacks leaves nothing behind. */
export function formatLegend(format, labels) {
  if (!format || format === '__auto') return seriesName(labels);
  return format.replace(kPlaceholder, (_, name) => labels[name] ?? '').trim();
}

/** `name{a="1", b="2"}`, labels sorted, as Prometheus prints a series. */
export function seriesName(labels) {
  const pairs = Object.keys(labels).filter((key) => key !== '__name__').sort()
    .map((key) => `${key}=${JSON.stringify(labels[key])}`);
  const name = labels.__name__ ?? '';
  if (pairs.length === 0) return name || 'Value';
  return `${name}{${pairs.join(', ')}}`;
}
