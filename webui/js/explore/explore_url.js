// Explore's whole state in its address, and Grafana's links read into it.

export const kDefaults = { from: 'now-1h', to: 'now', refresh: 'off', style: 'lines', view: 'both', step: '' };

const kStyles = ['lines', 'stacked', 'bars', 'points'];
const kViews = ['both', 'graph', 'table'];
const kStep = /^(min:)?(\d+(\.\d+)?)(ms|s|m|h|d)?$/;
const kOwned = ['from', 'to', 'refresh', 'style', 'view', 'step', 'q', 'legend', 'off', 'left', 'panes', 'expr'];
export const kMostQueries = 26;

/** A, B, … Z by order. */
export const refIdOf = (index) => String.fromCharCode(65 + (index % kMostQueries));

/** Milliseconds of a step as typed ("15s", "500ms", bare seconds); null when it is none. */
export function stepMs(text) {
  const match = kStep.exec(text);
  if (!match) return null;
  const ms = Number(match[2]) * { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[match[4] ?? 's'];
  return ms >= 1 ? ms : null;
}

/** A step as the address and the input carry it: '' auto, "15s" exact, "min:15s" a floor. */
export function readStep(text) {
  const ms = stepMs(text ?? '');
  if (ms === null) return { mode: 'auto', ms: 0, text: '' };
  return { mode: text.startsWith('min:') ? 'min' : 'exact', ms, text: text.replace('min:', '') };
}

function grafanaQueries(targets) {
  return (targets ?? []).filter((target) => typeof target?.expr === 'string').slice(0, kMostQueries)
    .map(({ expr, legendFormat, hide }) => ({
      expr, legend: legendFormat && legendFormat !== '__auto' ? legendFormat : '', on: hide !== true,
    }));
}

/** Grafana's `left={"queries":[…],"range":{…}}` (9, 10) and `panes={"id":{…}}` (10 and later). */
function readGrafana(params) {
  const text = params.get('left') ?? params.get('panes');
  if (text === null) return null;
  try {
    const json = JSON.parse(text);
    // The oldest form is a list: ["now-1h", "now", "Prometheus", {expr}, …].
    if (Array.isArray(json)) return { range: { from: json[0], to: json[1] }, queries: grafanaQueries(json.slice(3)) };
    const pane = params.has('left') ? json : Object.values(json)[0];
    return { range: pane?.range ?? {}, queries: grafanaQueries(pane?.queries) };
  } catch {
    return null;  // a link that was cut: the page starts empty
  }
}

/** @returns {{from, to, refresh, style, view, step, queries: [{expr, legend, on}]}}; at least one query. */
export function readExploreUrl(search) {
  const params = new URLSearchParams(search);
  const grafana = readGrafana(params);
  const choice = (name, allowed) => (allowed.includes(params.get(name)) ? params.get(name) : kDefaults[name]);
  const legends = params.getAll('legend');
  const off = new Set((params.get('off') ?? '').split(','));
  const own = [...params.getAll('q'), ...params.getAll('expr')].slice(0, kMostQueries)
    .map((expr, index) => ({ expr, legend: legends[index] ?? '', on: !off.has(refIdOf(index)) }));
  const queries = own.length > 0 ? own : grafana?.queries ?? [];
  return {
    from: String(params.get('from') ?? grafana?.range.from ?? kDefaults.from),
    to: String(params.get('to') ?? grafana?.range.to ?? kDefaults.to),
    refresh: params.get('refresh') ?? kDefaults.refresh,
    style: choice('style', kStyles),
    view: choice('view', kViews),
    step: readStep(params.get('step')).mode === 'auto' ? '' : params.get('step'),
    queries: queries.length > 0 ? queries : [{ expr: '', legend: '', on: true }],
  };
}

/** The search text of a state; parameters that are not Explore's (theme, lang) are kept. */
export function writeExploreUrl(state, currentSearch) {
  const params = new URLSearchParams(currentSearch);
  for (const name of kOwned) params.delete(name);
  params.set('from', state.from);
  params.set('to', state.to);
  for (const name of ['refresh', 'style', 'view', 'step']) {
    if (state[name] !== kDefaults[name]) params.set(name, state[name]);
  }
  for (const { expr } of state.queries) params.append('q', expr);
  const lastLegend = state.queries.findLastIndex(({ legend }) => legend !== '');
  for (const { legend } of state.queries.slice(0, lastLegend + 1)) params.append('legend', legend);
  const off = state.queries.flatMap(({ on }, index) => (on ? [] : [refIdOf(index)]));
  if (off.length > 0) params.set('off', off.join(','));
  return `?${params}`;
}
