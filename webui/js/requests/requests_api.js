// Client of /api/requests.

/**
 * @param filters URLSearchParams: model, outcome, endpoint, status, since, min_ms, order, id, before, limit
 * @returns {requests, matched, kept, oldest_ms, models}; a request's times are milliseconds, null where
 *          the request did not come that far
 */
export async function findRequests(filters, signal) {
  const response = await fetch(`/api/requests?${filters}`, { headers: { Accept: 'application/json' }, signal });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error?.message ?? `HTTP ${response.status}`);
  return answer;
}
