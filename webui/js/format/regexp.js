// Grafana's regular expressions: text between slashes, or the whole text when there are none.

/** "/text/flags" or plain text as a regular expression; null when it is none. */
export function toRegExp(text) {
  const match = /^\/(.*)\/([a-z]*)$/s.exec(text);
  try {
    return match ? new RegExp(match[1], match[2].replace(/[gy]/g, '')) : new RegExp(`^(?:${text})$`);
  } catch {
    return null;
  }
}
