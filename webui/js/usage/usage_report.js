// What the usage page makes of /api/usage, without a page.

/** The text of a report with these fields, as the box writes one: [{name, tag, value}] → JSON, two spaces. */
export function reportText(fields) {
  const group = (isTag) => Object.fromEntries(fields.filter(({ tag }) => tag === isTag).map(({ name, value }) => [name, value]));
  return JSON.stringify({ ...group(false), extra_usage_tags: group(true) }, null, 2);
}

/** 'asked', 'on' or 'off'. */
export function stateOf({ enabled }) {
  if (enabled === null) return 'asked';
  return enabled ? 'on' : 'off';
}

/** The value of a field as the table shows it. */
export const valueText = (value) => (value === '' ? '' : typeof value === 'string' ? value : JSON.stringify(value));
