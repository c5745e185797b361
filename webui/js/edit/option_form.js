// The form of a panel's options, made from the table of panel_options.js.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { kUnits } from '../format/unit_table.js';
import { getPath, parseJson, setPath } from './json_path.js';
import { colorChoices, mappingsField, thresholdsField } from './list_fields.js';
import { optionGroups } from './panel_options.js';

let counter = 0;
const emptyAsNone = (text) => (text === '' ? undefined : text);

function textField({ value, set, id }) {
  return el('input', { id, type: 'text', value: value ?? '', oninput: (event) => set(emptyAsNone(event.target.value)) });
}

function selectField({ value, set, id, choices }) {
  const known = choices.some(([one]) => one === value);
  return el('select', { id, onchange: (event) => set(emptyAsNone(event.target.value)) },
    el('option', { value: '', selected: value === undefined }, t('Default')),
    !known && value !== undefined && el('option', { value, selected: true }, String(value)),
    ...choices.map(([one, title]) => el('option', { value: one, selected: one === value }, t(title))));
}

function calcsField({ value, set, choices }) {
  const chosen = new Set(value ?? []);
  return el('div', { class: 'edit-checks' }, ...choices.map((calc) => el('label', { class: 'check' }, el('input', {
    type: 'checkbox', checked: chosen.has(calc), onchange: (event) => {
      if (event.target.checked) chosen.add(calc);
      else chosen.delete(calc);
      set([...chosen]);
    },
  }), calc)));
}

/** A list as JSON text; what does not parse is told below it and changes nothing. */
export function jsonField({ value, set, id, kind = 'array', rows = 6, label }) {
  const error = el('p', { class: 'field-error', role: 'alert' });
  const field = el('textarea', {
    id, rows, class: 'code', spellcheck: 'false', 'aria-label': label, oninput: () => {
      const read = parseJson(field.value, kind);
      error.textContent = read.error ?? '';
      field.setAttribute('aria-invalid', String(Boolean(read.error)));
      if (!read.error) set(read.value);
    },
  });
  field.value = JSON.stringify(value ?? (kind === 'array' ? [] : {}), null, 2);
  return el('div', {}, field, error);
}

/** kind → (field) → element; field {value, set(value), id, choices, min} */
const kKinds = {
  text: textField,
  longText: ({ value, set, id }) => {
    const field = el('textarea', { id, rows: 3, oninput: () => set(emptyAsNone(field.value)) });
    field.value = value ?? '';
    return field;
  },
  number: ({ value, set, id, min }) => el('input', {
    id, type: 'number', step: 'any', min, value: value ?? '',
    oninput: (event) => set(event.target.value === '' ? undefined : Number(event.target.value)),
  }),
  check: ({ value, set, id, unset = false }) => el('input', { id, type: 'checkbox', checked: value ?? unset, onchange: (event) => set(event.target.checked) }),
  select: selectField,
  unit: (field) => {
    const input = textField(field);
    input.setAttribute('list', 'edit-units');
    return input;
  },
  calc: (field) => selectField({ ...field, value: field.value?.[0], set: (value) => field.set(value && [value]), choices: field.choices.map((one) => [one, one]) }),
  calcs: calcsField,
  thresholds: ({ value, set }) => thresholdsField(value, set),
  mappings: ({ value, set }) => mappingsField(value, set),
  json: jsonField,
};
const kWithoutFor = ['thresholds', 'mappings', 'calcs'];  // several controls, each with a name of its own
const kRemade = ['thresholds', 'mappings'];               // their rows follow what was changed

export class OptionForm {
  /** @param onChange(panel) with the panel's new JSON */
  constructor(onChange) {
    this.onChange_ = onChange;
    this.element = el('div', { class: 'edit-options' });
  }

  show(panel) {
    this.panel_ = panel;
    this.open_ ??= new Set(optionGroups(panel.type).slice(0, 2).map(([title]) => title));
    const units = el('datalist', { id: 'edit-units' }, ...Object.keys(kUnits).map((value) => el('option', { value })));
    this.element.replaceChildren(units, colorChoices(), ...optionGroups(panel.type).map(([title, fields]) => el('details', {
      open: this.open_.has(title), ontoggle: (event) => (event.target.open ? this.open_.add(title) : this.open_.delete(title)),
    }, el('summary', {}, t(title)), ...fields.map((field) => this.field_(field)))));
  }

  field_(field) {
    const id = `option-${counter++}`;
    const place = el('div', { class: `edit-field kind-${field.kind}`, 'data-path': field.path });
    const fill = () => {
      const set = (value) => {
        this.panel_ = setPath(this.panel_, field.path, value);
        if (kRemade.includes(field.kind)) fill();
        this.onChange_(this.panel_);
      };
      const control = kKinds[field.kind]({ ...field, id, set, label: undefined, value: getPath(this.panel_, field.path) });
      const name = t(field.label);
      place.replaceChildren(kWithoutFor.includes(field.kind)
        ? el('fieldset', {}, el('legend', {}, name), control) : el('label', { for: id }, name), kWithoutFor.includes(field.kind) ? '' : control);
    };
    fill();
    return place;
  }
}
