// Client of /api/config.

/** What the box refused: its own sentence, the HTTP status and the whole answer (problems, newest, …). */
export class ConfigError extends Error {
  constructor(status, answer) {
    super(answer.error?.message ?? `HTTP ${status}`);
    this.status = status;
    this.answer = answer;
  }

  /** Members stand beside `error` or in it. */
  detail(name) {
    return this.answer[name] ?? this.answer.error?.[name];
  }
}

/** How far the box's clock is ahead of this browser's, ms: what it counts down to is in its own time. */
let clockAheadMs = 0;
const kClockErrorMs = 2000;  // the header has whole seconds

export const boxNowMs = () => Date.now() + clockAheadMs;

function readClock(response) {
  const ahead = Date.parse(response.headers.get('Date')) - Date.now();
  if (Number.isFinite(ahead)) clockAheadMs = Math.abs(ahead) > kClockErrorMs ? ahead : 0;
}

async function call(path, body) {
  const response = await fetch(`/api/config${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    cache: 'no-store',
    headers: { Accept: 'application/json', 'X-Hearth-Client': 'browser', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  readClock(response);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ConfigError(response.status, answer);
  return answer;
}

/** @returns {revision, active, newest, read_only, recovery, apply, effective} */
export const getConfig = () => call('');

/** @returns {fields, application} */
export const getSchema = () => call('/schema');

/** @returns {ok, problems, normal, effective, changes, fit, interruption} */
export const validateDocument = (document) => call('/validate', { document });

/** @param what {from: id, to: id} or {from: id, document}; @returns {lines, changes} */
export const diffOf = (what) => call('/diff', { from: null, to: null, document: null, ...what });

/** Newest first. @returns [{id, created_ms, author, note, state, outcome, reason}] */
export async function listRevisions(limit, before) {
  const query = new URLSearchParams({ limit, ...(before ? { before } : {}) });
  return (await call(`/revisions?${query}`)).revisions;
}

export const getRevision = (id) => call(`/revisions/${id}`);

export const exportAddress = (id, format) => `/api/config/revisions/${id}/export?format=${format}`;

/** @returns {id} */
export const saveRevision = (document, note, expected) => call('/revisions', { document, note, expected });

/** @returns {apply, revision} */
export const applyDocument = (document, note, expected) => call('/apply', { document, note, expected });

export const applyRevision = (revision) => call('/apply', { revision });

export const restoreRevision = (revision, expected) => call('/restore', { revision, expected });

export const getApply = (id) => call(`/applies/${id}`);

export const confirmApply = () => call('/apply/confirm', {});

export const cancelApply = () => call('/apply/cancel', {});

/** @returns [{id, time_ms, author, action, revision, apply, text}] */
export const listAudit = async (limit) => (await call(`/audit?limit=${limit}`)).entries;
