// Thresholds and value mappings, as lists of rows.

import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { toolButton } from '../shell/dropdown.js';

const kColors = ['green', 'yellow', 'orange', 'red', 'blue', 'purple', 'dark-green', 'semi-dark-orange', 'text', 'transparent'];

function input(label, value, onChange, attributes = {}) {
  return el('input', { type: 'text', 'aria-label': label, value: value ?? '', onchange: (event) => onChange(event.target.value), ...attributes });
}

function colorField(value, onChange) {
  return input(t('Colour'), value, onChange, { list: 'edit-colors', placeholder: t('Colour') });
}

export function colorChoices() {
  return el('datalist', { id: 'edit-colors' }, ...kColors.map((value) => el('option', { value })));
}

const addButton = (text, onclick) => el('button', { type: 'button', class: 'tool wide', onclick }, icon('plus'), text);
const numberOf = (text) => (text.trim() === '' ? null : Number(text));

/** @param value Grafana's {mode, steps: [{value, color}]}; the first step has no value */
export function thresholdsField(value, onChange) {
  const { mode = 'absolute', steps = [] } = value ?? {};
  const change = (next) => onChange({ ...value, mode, steps: next });
  const put = (index, part) => change(steps.map((step, at) => (at === index ? { ...step, ...part } : step)));
  const rows = steps.map((step, index) => el('div', { class: 'edit-row' },
    index === 0 ? el('span', {}, t('Base')) : input(t('From value'), step.value, (text) => put(index, { value: numberOf(text) }), { inputmode: 'decimal' }),
    colorField(step.color, (color) => put(index, { color })),
    toolButton('close', t('Remove this step'), { onclick: () => change(steps.filter((_, at) => at !== index)) })));
  const percent = el('label', { class: 'check' }, el('input', {
    type: 'checkbox', checked: mode === 'percentage', onchange: (event) => onChange({ ...value, steps, mode: event.target.checked ? 'percentage' : 'absolute' }),
  }), t('Percent of min to max'));
  const add = () => change(steps.length === 0 ? [{ value: null, color: 'green' }]
    : [...steps, { value: (steps[steps.length - 1].value ?? 0) + 10, color: 'red' }]);
  return el('div', { class: 'edit-list' }, ...rows, addButton(t('Add threshold'), add), percent);
}

/** Mappings of one value each are edited as rows; Grafana keeps several values in one object. */
function rowsOfMapping(mapping) {
  if (mapping.type !== 'value') return [{ mapping }];
  return Object.entries(mapping.options ?? {}).map(([value, result]) => ({ value, result }));
}

function mappingsOf(rows) {
  const values = rows.filter(({ mapping }) => !mapping);
  const options = Object.fromEntries(values.map(({ value, result }, index) => [value, { ...result, index }]));
  const others = rows.filter(({ mapping }) => mapping).map(({ mapping }) => mapping);
  return values.length > 0 ? [{ type: 'value', options }, ...others] : others;
}

/** @param value Grafana's list of {type, options}; ranges and patterns are kept, and edited as JSON */
export function mappingsField(value, onChange) {
  const rows = (value ?? []).flatMap(rowsOfMapping);
  const change = (next) => onChange(mappingsOf(next));
  const put = (index, part) => change(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  const lines = rows.map((row, index) => el('div', { class: 'edit-row' },
    row.mapping ? el('code', {}, JSON.stringify(row.mapping.options)) : [
      input(t('Value'), row.value, (text) => put(index, { value: text })),
      input(t('Text'), row.result.text, (text) => put(index, { result: { ...row.result, text } })),
      colorField(row.result.color, (color) => put(index, { result: { ...row.result, color } })),
    ],
    toolButton('close', t('Remove this mapping'), { onclick: () => change(rows.filter((_, at) => at !== index)) })));
  const add = () => change([...rows, { value: String(rows.length), result: { text: '' } }]);
  return el('div', { class: 'edit-list' }, ...lines, addButton(t('Add mapping'), add));
}
