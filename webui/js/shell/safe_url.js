// Addresses that come from files and queries.

const kSafe = /^(?:https?:|mailto:|\/(?!\/)|#|\?)/i;

/** An address a page may lead to; null for anything that could run as a script. */
export function safeUrl(url) {
  const text = String(url ?? '').trim();
  return kSafe.test(text) ? text : null;
}
