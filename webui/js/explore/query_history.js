// The queries that were run here before: kept by this browser, newest first, stars stay.

const kKey = 'hearth-explore-history';
const kMostKept = 200;  // without a star

/** Newest first; one entry per list of expressions. @param entries [{exprs, timeMs, star}] */
export function addEntry(entries, exprs, timeMs) {
  const wanted = exprs.map((expr) => expr.trim()).filter(Boolean);
  if (wanted.length === 0) return entries;
  const key = JSON.stringify(wanted);
  const before = entries.find((entry) => JSON.stringify(entry.exprs) === key);
  const others = entries.filter((entry) => entry !== before);
  let plain = 0;
  return [{ exprs: wanted, timeMs, star: before?.star ?? false }, ...others]
    .filter((entry) => entry.star || ++plain <= kMostKept);
}

/** Entries that contain every word of `text`; starred ones alone if asked. */
export function searchEntries(entries, text, starredOnly) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((entry) => {
    const all = entry.exprs.join('\n').toLowerCase();
    return (!starredOnly || entry.star) && words.every((word) => all.includes(word));
  });
}

const isEntry = (entry) => Array.isArray(entry?.exprs) && entry.exprs.every((expr) => typeof expr === 'string')
  && Number.isFinite(entry.timeMs);

/** Events: "change". Without storage it lasts as long as the page. */
export class QueryHistory extends EventTarget {
  constructor(storage) {
    super();
    this.storage_ = storage;
    this.entries_ = this.load_();
  }

  load_() {
    try {
      const list = JSON.parse(this.storage_?.getItem(kKey) ?? '[]');
      return Array.isArray(list) ? list.filter(isEntry) : [];
    } catch {
      return [];  // storage is forbidden, or something else wrote there
    }
  }

  get entries() {
    return this.entries_;
  }

  set_(entries) {
    this.entries_ = entries;
    try {
      this.storage_?.setItem(kKey, JSON.stringify(entries));
    } catch {
      // Full or forbidden storage: the list lives on in this page.
    }
    this.dispatchEvent(new Event('change'));
  }

  add(exprs, timeMs) {
    this.set_(addEntry(this.load_().length > 0 ? this.load_() : this.entries_, exprs, timeMs));
  }

  star(entry) {
    this.set_(this.entries_.map((one) => (one === entry ? { ...one, star: !one.star } : one)));
  }

  remove(entry) {
    this.set_(this.entries_.filter((one) => one !== entry));
  }

  /** Everything but the stars. */
  clear() {
    this.set_(this.entries_.filter((entry) => entry.star));
  }
}
