// Changing calls of /api/dashboards.

import { t } from '../shell/i18n.js';
import { fetchDashboard } from '../dashboard/dashboard_source.js';

export class SaveError extends Error {
  constructor(message, status) {
    super(message);
    this.name = 'SaveError';
    this.status = status;
  }
}

async function send(method, path, body) {
  let response;
  try {
    response = await fetch(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  } catch {
    throw new SaveError(t('The box does not answer: check that hearthd runs and the network is up.'), 0);
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw new SaveError(answer?.error?.message ?? t('HTTP {status} from {path}', { status: response.status, path }), response.status);
}

/** A new dashboard. @returns {{uid, url, title, version, undrawn}}; throws SaveError */
export const createDashboard = (dashboard) => send('POST', '/api/dashboards', { dashboard, overwrite: false });

/** @param version the one that was changed; SaveError with status 409 when it is not the newest */
export const changeDashboard = (uid, dashboard, version) => send('PUT', `/api/dashboards/${encodeURIComponent(uid)}`, { dashboard, version });

/** Puts `dashboard` over whatever stands there now. */
export async function overwriteDashboard(uid, dashboard) {
  const { meta } = await fetchDashboard(uid);
  return changeDashboard(uid, dashboard, meta.version);
}
