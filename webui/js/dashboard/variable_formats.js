// How the values of a variable are written: Grafana's ${name:format}.

const escapeRegex = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
// In PromQL the regular expression stands in a quoted string, whose escapes count too.
const escapePromqlRegex = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/[\\"]/g, '\\$&');
const escapeQuoted = (text) => text.replace(/[\\"]/g, '\\$&');
const list = (values, open, close, separator = ',') => (
  values.length === 1 ? values[0] : `${open}${values.join(separator)}${close}`);
const encode = (text) => encodeURIComponent(text)
  .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** format → (values, {name, single: neither multi nor All}) → text */
export const kFormats = {
  promql: (values, { single }) => (single
    ? escapeQuoted(values[0] ?? '')
    : list(values.map(escapePromqlRegex), '(', ')', '|')),
  regex: (values) => list(values.map(escapeRegex), '(', ')', '|'),
  pipe: (values) => values.join('|'),
  csv: (values) => values.join(','),
  raw: (values) => values.join(','),
  glob: (values) => list(values, '{', '}'),
  distributed: (values, { name }) => values.map((value, index) => (index ? `${name}=${value}` : value)).join(','),
  json: (values) => JSON.stringify(values.length === 1 ? values[0] : values),
  queryparam: (values, { name }) => values.map((value) => `var-${name}=${encode(value)}`).join('&'),
  percentencode: (values) => encode(list(values, '{', '}')),
  doublequote: (values) => values.map((value) => `"${value.replaceAll('"', '\\"')}"`).join(','),
  singlequote: (values) => values.map((value) => `'${value.replaceAll("'", "\\'")}'`).join(','),
  sqlstring: (values) => values.map((value) => `'${value.replaceAll("'", "''")}'`).join(','),
  lucene: (values) => {
    const escaped = values.map((value) => value.replace(/[-+=&|!(){}[\]^"~*?:\\/]/g, '\\$&'));
    return escaped.length === 1 ? escaped[0] : `(${escaped.map((value) => `"${value}"`).join(' OR ')})`;
  },
};

const pad = (number, width = 2) => String(number).padStart(width, '0');

const kDateParts = {
  YYYY: (date) => date.getFullYear(), YY: (date) => pad(date.getFullYear() % 100),
  MM: (date) => pad(date.getMonth() + 1), M: (date) => date.getMonth() + 1,
  DD: (date) => pad(date.getDate()), D: (date) => date.getDate(),
  HH: (date) => pad(date.getHours()), H: (date) => date.getHours(),
  mm: (date) => pad(date.getMinutes()), m: (date) => date.getMinutes(),
  ss: (date) => pad(date.getSeconds()), s: (date) => date.getSeconds(),
  SSS: (date) => pad(date.getMilliseconds(), 3),
};

/** "YYYY-MM-DD HH:mm:ss" filled in, in the browser's zone. */
export function formatDatePattern(ms, pattern) {
  const date = new Date(ms);
  return pattern.replace(/YYYY|YY|MM?|DD?|HH?|mm?|ss?S*|SSS/g, (part) => String(kDateParts[part]?.(date) ?? part));
}

/** $__from and $__to: milliseconds, "date" and "date:iso" as ISO text, "date:seconds", "date:<pattern>". */
export function formatDate(ms, format) {
  if (!format) return String(ms);
  if (format === 'date' || format === 'date:iso') return new Date(ms).toISOString();
  if (format === 'date:seconds') return String(Math.floor(ms / 1000));
  return format.startsWith('date:') ? formatDatePattern(ms, format.slice(5)) : String(ms);
}
