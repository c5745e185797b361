// Which dashboards a search means.

/**
 * @param dashboard {title, description, tags, uid}
 * @param text every word of it must be in the title, the description, the uid or a tag
 * @param tags a Set; the dashboard must have each
 */
export function matches(dashboard, text, tags) {
  const { title, description, tags: own, uid } = dashboard;
  const where = [title, description, uid, ...own].join('\n').toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => where.includes(word)) && [...tags].every((tag) => own.includes(tag));
}
