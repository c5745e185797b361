// A template variable in the bar: one or several values, or All; free text for a textbox.

import { Dropdown } from '../shell/dropdown.js';
import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { chooseValue } from './variable_options.js';
import { kAll, variableLabel } from './variables.js';

const kFilterFrom = 8;       // options from which a filter box helps more than it takes room
const kMostShown = 500;      // the filter finds the others

/** The options that hold every word of `filter`, in any case. */
export function filterOptions(options, filter) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return options.filter(({ text }) => words.every((word) => text.toLowerCase().includes(word)));
}

export class VariablePicker {
  /** @param onChange() after variable.values changed */
  constructor(variable, onChange) {
    this.variable_ = variable;
    this.onChange_ = onChange;
    this.element = variable.type === 'textbox' ? this.textBox_() : this.menu_();
    this.show();
  }

  textBox_() {
    this.input_ = el('input', {
      type: 'text', class: 'tool-input', 'data-variable': this.variable_.name, value: this.variable_.values[0] ?? '',
      onchange: () => {
        this.variable_.values = [this.input_.value];
        this.onChange_();
      },
    });
    return el('label', { class: 'tool wide text-variable' }, el('span', { class: 'muted' }, this.caption_()), this.input_);
  }

  menu_() {
    const { variable_: variable } = this;
    this.label_ = el('b', {});
    const button = el('button', { type: 'button', class: 'tool wide', 'data-variable': variable.name, title: variable.description || null },
      el('span', { class: 'muted' }, this.caption_()), this.label_, icon('chevron'));
    this.dropdown_ = new Dropdown(button, (pane) => this.fill_(pane));
    return this.dropdown_.element;
  }

  caption_() {
    return this.variable_.hideLabel ? '' : this.variable_.label;
  }

  show() {
    const { variable_: variable } = this;
    if (this.input_) {
      if (document.activeElement !== this.input_) this.input_.value = variable.values[0] ?? '';
      return;
    }
    this.label_.textContent = variable.values.includes(kAll) ? t('All') : variableLabel(variable) || t('none');
  }

  fill_(pane) {
    const { variable_: variable } = this;
    this.list_ = el('div', { class: 'choices variable-choices', role: 'listbox', 'aria-multiselectable': String(variable.multi),
      'aria-label': variable.label });
    const filter = variable.options.length >= kFilterFrom && el('input', {
      type: 'search', class: 'choice-filter', placeholder: t('Filter'), 'aria-label': t('Filter {name}', { name: variable.label }),
      autofocus: true, oninput: () => this.list(filter.value),
    });
    pane.replaceChildren(filter || '', this.list_);
    pane.onkeydown = (event) => this.key_(event, pane);
    this.filter_ = filter || null;
    this.list('');
  }

  /** Shows the options that fit; the buttons of those that stay are kept, and the focus with them. */
  list(filter) {
    const { variable_: variable } = this;
    const fitting = filterOptions(variable.options, filter).slice(0, kMostShown);
    const choices = fitting.map(({ text, value }) => [value, text]);
    if (variable.includeAll && filter === '') choices.unshift([kAll, t('All')]);
    this.list_.replaceChildren(...choices.map(([value, text]) => el('button', {
      type: 'button', role: 'option', 'data-value': value,
      onclick: () => this.choose_(value),
    }, el('i', { class: variable.multi ? 'tick' : 'tick round' }), text)));
    if (choices.length === 0) this.list_.append(el('p', { class: 'pane-text muted' }, t('No value fits')));
    this.mark_();
  }

  mark_() {
    for (const button of this.list_.querySelectorAll('button')) {
      const chosen = this.variable_.values.includes(button.dataset.value);
      button.className = chosen ? 'choice current' : 'choice';
      button.setAttribute('aria-selected', String(chosen));
    }
  }

  /** Arrow keys walk through the options, Enter in the filter takes the first one. */
  key_(event, pane) {
    const stops = [...pane.querySelectorAll('input, button')];
    const place = stops.indexOf(document.activeElement);
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      event.preventDefault();
      stops[(place + steps[event.key] + stops.length) % stops.length]?.focus();
    } else if (event.key === 'Enter' && document.activeElement === this.filter_) {
      this.list_.querySelector('button')?.click();
    }
  }

  choose_(value) {
    this.variable_.values = chooseValue(this.variable_, value);
    this.show();
    if (this.variable_.multi) this.mark_();
    else this.dropdown_.close();
    this.onChange_();
  }
}
