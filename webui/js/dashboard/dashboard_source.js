// Where the page's dashboard comes from: its uid stands in the address, as Grafana's does.

import { t } from '../shell/i18n.js';

export const kHomeUid = 'hearthLlm';

/** The uid in "/d/<uid>/…"; the home dashboard's for any other path. */
export function uidOfPath(path) {
  const match = /^\/d\/([^/]+)/.exec(path);
  return match ? decodeURIComponent(match[1]) : kHomeUid;
}

async function fetchJson(path) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: 'application/json' } });
  } catch {
    throw new Error(t('The box does not answer: check that hearthd runs and the network is up.'));
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  throw new Error(body?.error?.message ?? t('HTTP {status} from {path}', { status: response.status, path }));
}

/** @returns {{dashboard, meta: {source, version, undrawn}}}; throws with a sentence for the reader. */
export const fetchDashboard = (uid) => fetchJson(`/api/dashboards/${encodeURIComponent(uid)}`);

/** @returns [{uid, title, source, tags, …}], the shipped ones first. */
export async function listDashboards() {
  const { dashboards } = await fetchJson('/api/dashboards');
  return dashboards;
}
