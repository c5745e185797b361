// Client of /api/dashboards.

/** What the box refused: its own sentence, and the HTTP status. */
export class DashboardsError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(path, method = 'GET', body = undefined) {
  const response = await fetch(`/api/dashboards${path}`, {
    method,
    headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body,
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new DashboardsError(response.status, answer.error?.message ?? `HTTP ${response.status}`);
  return answer;
}

const one = (uid) => `/${encodeURIComponent(uid)}`;

/** @returns [{uid, title, description, tags, source, version, updated_ms, panels}] */
export const listDashboards = async () => (await call('')).dashboards;

/** @returns {dashboard, meta: {source, version, updated_ms, undrawn}} */
export const getDashboard = (uid) => call(one(uid));

/**
 * @param text the file as it is: what it says is for the box to judge
 * @returns {uid, url, title, version, undrawn: [{panel_id, title, what}]}
 */
export const uploadDashboard = (text) => call('', 'POST', text);

export const addDashboard = (dashboard, overwrite = false) => call('', 'POST', JSON.stringify({ dashboard, overwrite }));

export const renameDashboard = (uid, title) => call(one(uid), 'PATCH', JSON.stringify({ title }));

export const deleteDashboard = (uid) => call(one(uid), 'DELETE');

export const exportAddress = (uid) => `/api/dashboards${one(uid)}/export`;
