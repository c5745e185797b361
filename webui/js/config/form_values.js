// What a form says about a field, without a form: its path, its texts, and values to and from text.

import { t } from '../shell/i18n.js';

const kInteger = /^[-+]?\d+$/;
const kBoundless = 1e9;  // the box's way to say that there is no limit
const kNumber = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;

/** Every field that holds a value, in the order of the schema: [{field, keys, group}]; group: the objects around it. */
export function leavesOf(fields, keys = []) {
  return fields.flatMap((field) => {
    const path = [...keys, field.name];
    const inner = field.type === 'object' && field.effect === 'honoured' && field.fields?.length > 0;
    return inner ? leavesOf(field.fields, path) : [{ field, keys: path, group: keys }];
  });
}

/** What stands in the field for a value; '' for an absent one. */
export function textOf(value, yaml) {
  if (value === undefined) return '';
  if (value !== null && typeof value === 'object') return yaml.stringify(value, { lineWidth: 0 }).trimEnd();
  return String(value);
}

/**
 * What a text means as a value of `field`; undefined for an empty one. A text that is no number stays
 * a text: the box says what is wrong with it, as it does for a text written by hand.
 */
export function valueOf(text, field, yaml) {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const isNumber = field.type === 'integer' ? kInteger.test(trimmed) || kNumber.test(trimmed) : kNumber.test(trimmed);
  if ((field.type === 'integer' || field.type === 'number') && isNumber) return Number(trimmed);
  if (field.type === 'boolean' && (trimmed === 'true' || trimmed === 'false')) return trimmed === 'true';
  if (['any', 'object', 'map', 'list'].includes(field.type)) {
    const document = yaml.parseDocument(text, { logLevel: 'silent' });
    return document.errors.length > 0 ? trimmed : document.toJS();
  }
  // "auto" of num_replicas and the like are words; so is a number of a field of words.
  return trimmed;
}

/** "default 64 sequences"; '' when the box names none. */
export function defaultText(field, yaml) {
  if (field.default_text) return field.default_text;
  const value = field.default;
  if (value === undefined || value === null || value === '') return '';
  if (value >= kBoundless) return t('none');
  return `${textOf(value, yaml)}${field.unit ? ` ${field.unit}` : ''}`;
}

/** {min, max}, either null where there is none; null without any. A limit no one meets is none. */
export function limitsOf({ min, max }) {
  const most = max === undefined || max >= kBoundless ? null : max;
  return min === undefined && most === null ? null : { min: min ?? null, max: most };
}

/** Whether the box takes one value only: the field is in Ray's files, and there is nothing to choose. */
export const isFixed = (field) => field.must_be !== undefined;

export function matchesSearch({ field, keys }, text) {
  const said = `${keys.join('.')} ${field.help ?? ''} ${field.reason ?? ''}`.toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => said.includes(word));
}
