// A template variable in the bar: one or several values, or All.

import { Dropdown } from '../shell/dropdown.js';
import { el, icon } from '../shell/dom.js';
import { labelValues } from '../prometheus/prometheus_api.js';
import { interpolate, parseLabelValues } from './variables.js';

const kAll = '$__all';

/** Fills variable.options; a custom variable lists them itself, a query asks the box. */
export async function loadOptions(variable, scope, fromMs, toMs, signal) {
  if (variable.type === 'custom' || variable.type === 'interval') {
    variable.options = variable.query.split(',').map((text) => text.trim()).filter(Boolean);
  } else if (variable.type === 'query') {
    const query = parseLabelValues(interpolate(variable.query, scope));
    if (!query) throw new Error(`the variable query "${variable.query}" is not label_values(…)`);
    variable.options = await labelValues(query.label, query.selector, fromMs, toMs, signal);
  }
  const known = variable.values.filter((value) => value === kAll || variable.options.includes(value));
  if (variable.values.length === 0) {
    variable.values = variable.includeAll ? [kAll] : variable.options.slice(0, 1);
  } else if (known.length > 0) {
    variable.values = known;
  }
}

/** The values after `clicked` was chosen: All and single values exclude each other. */
export function chooseValue(variable, clicked) {
  if (clicked === kAll || !variable.multi) return [clicked];
  const single = variable.values.filter((value) => value !== kAll);
  const next = single.includes(clicked) ? single.filter((value) => value !== clicked) : [...single, clicked];
  return next.length === 0 && variable.includeAll ? [kAll] : next;
}

export class VariablePicker {
  constructor(variable, onChange) {
    this.variable_ = variable;
    this.onChange_ = onChange;
    this.label_ = el('b', {});
    const button = el('button', { type: 'button', class: 'tool wide', 'data-variable': variable.name },
      el('span', { class: 'muted' }, variable.label), this.label_, icon('chevron'));
    this.dropdown_ = new Dropdown(button, (pane) => this.fill_(pane));
    this.element = this.dropdown_.element;
    this.show();
  }

  show() {
    const { values } = this.variable_;
    this.label_.textContent = values.includes(kAll) ? 'All' : values.join(' + ') || 'none';
  }

  fill_(pane) {
    const variable = this.variable_;
    const choices = variable.options.map((value) => [value, value]);
    if (variable.includeAll) choices.unshift([kAll, 'All']);
    pane.replaceChildren(el('div', { class: 'choices' }, ...choices.map(([value, text]) => el('button', {
      type: 'button',
      class: variable.values.includes(value) ? 'choice current' : 'choice',
      onclick: () => this.choose_(pane, value),
    }, el('i', { class: variable.multi ? 'tick' : 'tick round' }), text))));
  }

  choose_(pane, value) {
    this.variable_.values = chooseValue(this.variable_, value);
    this.show();
    if (this.variable_.multi) this.fill_(pane);
    else this.dropdown_.close();
    this.onChange_();
  }
}
