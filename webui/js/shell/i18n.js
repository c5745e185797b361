// The words of the pages in the reader's language. English is the key; the other languages are
// files in locales/, and tests/web holds them to what the pages really say.

export const kLocales = [['en', 'English'], ['zh-CN', '简体中文']];

const kStorageKey = 'hearth-locale';
const inBrowser = typeof document !== 'undefined';

/** The known locale that fits a browser's list of wishes best. */
export function matchLocale(wishes) {
  for (const wish of wishes) {
    const language = String(wish).toLowerCase().split('-')[0];
    const known = kLocales.find(([id]) => id.toLowerCase().split('-')[0] === language);
    if (known) return known[0];
  }
  return 'en';
}

function chooseLocale() {
  if (!inBrowser) return 'en';
  const asked = new URLSearchParams(location.search).get('lang');
  if (asked) return matchLocale([asked]);
  try {
    const kept = localStorage.getItem(kStorageKey);
    if (kept) return matchLocale([kept]);
  } catch {
    // A browser may forbid storage; its own languages decide then.
  }
  return matchLocale(navigator.languages ?? [navigator.language]);
}

async function loadWords(id) {
  if (id === 'en') return {};
  try {
    const response = await fetch(`/locales/${id}.json`);
    return response.ok ? await response.json() : {};
  } catch {
    return {};  // the page then speaks English, and says itself that the box does not answer
  }
}

export const locale = chooseLocale();
const words = await loadWords(locale);
if (inBrowser) document.documentElement.lang = locale;

/**
 * A text in the reader's language: t('Zoom out'), t('{count} of {total}', {count, total}). The first
 * argument is always one literal, or a text that was marked with msg(); the tests read them.
 */
export function t(text, values = {}) {
  const template = words[text] ?? text;
  return template.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}

/** Marks a text of a table, which t() translates where it is shown. */
export const msg = (text) => text;

export function setLocale(id) {
  try {
    localStorage.setItem(kStorageKey, id);
  } catch {
    // The address alone carries the choice then.
  }
  const params = new URLSearchParams(location.search);
  if (params.has('lang')) params.set('lang', id);
  location.search = params;
}
