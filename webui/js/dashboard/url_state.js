// The page's address carries the whole view: a link shows what its sender saw. Names and spellings are
// Grafana's.

const kOwned = ['from', 'to', 'refresh', 'viewPanel', 'kiosk', 'timezone'];

/**
 * @returns {{from, to, refresh, viewPanel, kiosk, timezone, variables: {name: [values]}}}, absent
 * parts null, kiosk a boolean.
 */
export function readUrlState(search) {
  const params = new URLSearchParams(search);
  const variables = {};
  for (const [key, value] of params) {
    if (!key.startsWith('var-')) continue;
    const name = key.slice(4);
    const plain = value === 'All' ? '$__all' : value;
    variables[name] = [...(variables[name] ?? []), plain];
  }
  const panel = /^(?:panel-)?(\d+)$/.exec(params.get('viewPanel') ?? '');
  return {
    from: params.get('from'),
    to: params.get('to'),
    refresh: params.get('refresh'),
    viewPanel: panel ? Number(panel[1]) : null,
    kiosk: params.has('kiosk') && params.get('kiosk') !== 'false',
    timezone: params.get('timezone'),
    variables,
  };
}

/** The search text of a state; parameters the dashboard does not own (theme) are kept. */
export function writeUrlState(state, currentSearch) {
  const params = new URLSearchParams(currentSearch);
  for (const key of [...params.keys()]) {
    if (key.startsWith('var-') || kOwned.includes(key)) params.delete(key);
  }
  params.set('from', state.from);
  params.set('to', state.to);
  params.set('refresh', state.refresh);
  for (const [name, values] of Object.entries(state.variables)) {
    for (const value of values) params.append(`var-${name}`, value);
  }
  if (state.viewPanel !== null) params.set('viewPanel', String(state.viewPanel));
  if (state.kiosk) params.set('kiosk', 'true');
  if (state.timezone) params.set('timezone', state.timezone);
  return `?${params}`;
}
