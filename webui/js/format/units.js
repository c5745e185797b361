// Grafana's unit ids turned into text: 0.0123 with "s" reads "12.3 ms". Scaling and spelling follow
// Grafana's value formats, so a number here reads as it would there. The table itself is unit_table.js.

import { currency, fixed, scaled, timeText } from './unit_scales.js';
import { counted, kUnits, yesNo } from './unit_table.js';

// What a dashboard's author writes as a unit of his own.
const kUnitPrefixes = {
  'prefix:': (name) => ({ scale: fixed('', 1, name) }),
  'suffix:': (name) => ({ scale: fixed(` ${name}`) }),
  'currency:': (name) => ({ scale: currency(name) }),
  'count:': (name) => ({ scale: counted(name) }),
  'si:': (name) => siUnit(name),
  'time:': (name) => ({ text: (value) => timeText(value, name) }),
  'bool:': (name) => yesNo(...name.split('/')),
};

const kSiPrefixes = { n: 1e-9, µ: 1e-6, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** "si:mV" is given in millivolts. */
function siUnit(name) {
  const given = name.length > 1 ? kSiPrefixes[name[0]] : undefined;
  const scale = scaled('si', given ? name.slice(1) : name);
  return { scale: (value) => scale(value * (given ?? 1)) };
}

const resolved = new Map();

/** {scale(value) → {value, suffix, prefix?}} or {text(value, decimals)}; an unknown id is a suffix ("tokens/s"). */
function unitOf(id) {
  if (!resolved.has(id)) {
    const prefix = Object.keys(kUnitPrefixes).find((start) => id.startsWith(start));
    const known = Object.hasOwn(kUnits, id) ? kUnits[id] : null;
    const other = prefix ? kUnitPrefixes[prefix](id.slice(prefix.length)) : { scale: fixed(` ${id}`) };
    resolved.set(id, known ?? other);
  }
  return resolved.get(id);
}

/** Three significant digits, as many decimals as that needs, no trailing zeros. */
function automaticDecimals(value) {
  const size = Math.abs(value);
  if (size === 0 || size >= 100) return 0;
  if (size >= 10) return 1;
  if (size >= 1) return 2;
  return Math.min(8, 2 - Math.floor(Math.log10(size)));
}

function roundedText(value, decimals) {
  if (decimals !== undefined && decimals !== null) return value.toFixed(Math.min(20, Math.max(0, decimals)));
  const text = value.toFixed(automaticDecimals(value));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/**
 * @returns {{text: string, suffix: string, prefix: string}} the number and its unit apart, for a tile
 * that sets them in two sizes. No number gives an empty suffix and a dash.
 */
export function formatParts(value, unit, decimals) {
  if (value === null || value === undefined || Number.isNaN(value)) return { text: '–', suffix: '', prefix: '' };
  const { scale, text, prefix = '' } = unitOf(unit || 'short');
  if (!Number.isFinite(value)) return { text: value > 0 ? '∞' : '-∞', suffix: '', prefix: '' };
  if (text) return { text: text(value, decimals), suffix: '', prefix: '' };
  const part = scale(value);
  // A fixed count of decimals is meant for fractions: 3 requests stay "3", not "3.00".
  const exact = Number.isInteger(part.value) && Math.abs(part.value) < 1e15 && (decimals === undefined || decimals === null);
  return { text: exact ? String(part.value) : roundedText(part.value, decimals), suffix: part.suffix, prefix: part.prefix ?? prefix };
}

export function formatValue(value, unit, decimals) {
  const { text, suffix, prefix } = formatParts(value, unit, decimals);
  return prefix + text + suffix;
}

/** The base in which axis steps of this unit look round: 1024 for IEC bytes, else 10. */
export function unitBase(unit) {
  return ['bytes', 'bits', 'kbytes', 'mbytes', 'gbytes', 'tbytes', 'pbytes', 'binBps', 'binbps', 'KiBs', 'MiBs', 'GiBs', 'TiBs', 'PiBs',
    'Kibits', 'Mibits', 'Gibits', 'Tibits', 'Pibits'].includes(unit) ? 1024 : 10;
}
