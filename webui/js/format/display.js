// One value as a panel shows it: value mappings, then unit and decimals, and its colour.

import { valueColor } from './colors.js';
import { toRegExp } from './regexp.js';
import { formatParts } from './units.js';

const isEmpty = (value) => value === null || value === undefined;

/** Grafana's special values: (value) → whether it is one. */
const kSpecial = {
  null: isEmpty,
  nan: (value) => typeof value === 'number' && Number.isNaN(value),
  'null+nan': (value) => isEmpty(value) || (typeof value === 'number' && Number.isNaN(value)),
  true: (value) => value === true,
  false: (value) => value === false,
  empty: (value) => value === '',
};

function ofRange({ from, to, result }, value) {
  if (isEmpty(value) || value === '') return null;
  const number = Number(value);
  const inside = (isEmpty(from) || number >= Number(from)) && (isEmpty(to) || number <= Number(to));
  return inside ? result : null;
}

function ofRegex({ pattern, result }, value) {
  const expression = typeof value === 'string' && toRegExp(pattern);
  const found = expression ? expression.exec(value) : null;
  if (!found) return null;
  return { ...result, text: result.text?.replace(/\$(\d)/g, (_, index) => found[index] ?? '') };
}

// Dashboards before schema 30 write {type: 1, value, text} and {type: 2, from, to, text}.
const kMappings = {
  value: (options, value) => (isEmpty(value) ? null : options[String(value)] ?? null),
  range: ofRange,
  regex: ofRegex,
  special: ({ match, result }, value) => (kSpecial[match]?.(value) ? result : null),
};

/** @returns {{text, color}} of the first mapping that fits, or null. */
export function mappingOf(mappings, value) {
  for (const mapping of mappings ?? []) {
    const found = kMappings[mapping.type]?.(mapping.options ?? {}, value);
    if (found) return found;
  }
  return null;
}

/**
 * @param config a field's: {unit, decimals, min, max, thresholds, mappings, color, noValue}
 * @param limits {min, max} of the data, for relative colours of a field without min and max
 * @returns {{text, suffix, prefix, color}}: color is a name or CSS colour for themeColor(), '' where
 *          the series keeps its own
 */
export function display(value, config, limits = {}) {
  const mapping = mappingOf(config.mappings, value);
  const number = typeof value === 'number' && !Number.isNaN(value);
  const color = mapping?.color || (number ? valueColor(config, value, limits) : '');
  if (!isEmpty(mapping?.text) && mapping.text !== '') return { text: mapping.text, suffix: '', prefix: '', color };
  if (typeof value === 'string') return { text: value, suffix: '', prefix: '', color };
  if (typeof value === 'boolean') return { text: String(value), suffix: '', prefix: '', color };
  if (!number && config.noValue) return { text: config.noValue, suffix: '', prefix: '', color };
  return { prefix: '', ...formatParts(value, config.unit, config.decimals), color };
}

/** What display() returned as one text. */
export function shownText({ prefix, text, suffix }) {
  return prefix + text + suffix;
}

export const displayText = (value, config) => shownText(display(value, config));
