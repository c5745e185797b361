// The zone that calendars and clocks of the page are read in: the browser's own, or UTC.

let utc = false;

/** @param name 'utc', or 'browser' */
export function setTimeZone(name) {
  utc = name === 'utc';
}

export const timeZone = () => (utc ? 'utc' : 'browser');

/** For Intl: undefined is the browser's zone. */
export const intlZone = () => (utc ? 'UTC' : undefined);

/** zonePart(date, 'Hours'): date.getHours() or date.getUTCHours(). */
export const zonePart = (date, part) => date[`get${utc ? 'UTC' : ''}${part}`]();

export function setZonePart(date, part, ...values) {
  date[`set${utc ? 'UTC' : ''}${part}`](...values);
}

/** Local time minus UTC at `ms`, in milliseconds. */
export const zoneOffsetMs = (ms) => (utc ? 0 : -new Date(ms).getTimezoneOffset() * 60000);

/** A clock text without a zone ("2026-01-31T12:00") in the zone of the page; NaN when it is none. */
export function parseInZone(text) {
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text);
  const dateOnly = /^\d{4}-\d\d-\d\d$/.test(text);
  const full = dateOnly ? `${text}T00:00` : text;
  return Date.parse(utc && !hasZone ? `${full}Z` : full);
}
