// The time picker: relative ranges, From and To in Grafana's grammar, recently used ranges.

import { Dropdown, choiceList } from '../shell/dropdown.js';
import { el, icon } from '../shell/dom.js';
import {
  describeRange, formatStamp, kQuickRanges, normalizeTimeText, resolveRange,
} from './time_range.js';

function inputText(value) {
  return /^\d+$/.test(String(value)) ? formatStamp(Number(value)) : String(value);
}

function rangeForm(range, onApply) {
  const from = el('input', { type: 'text', value: inputText(range.from), spellcheck: 'false', id: 'time-from' });
  const to = el('input', { type: 'text', value: inputText(range.to), spellcheck: 'false', id: 'time-to' });
  const problem = el('p', { class: 'field-error', role: 'alert' });
  const submit = (event) => {
    event.preventDefault();
    const next = { from: normalizeTimeText(from.value), to: to.value.trim() || 'now' };
    const resolved = resolveRange(next.from, next.to, Date.now());
    problem.textContent = resolved.error ?? '';
    if (!resolved.error) onApply(next);
  };
  return el('form', { class: 'range-form', onsubmit: submit },
    el('h3', {}, 'Absolute time range'),
    el('label', { for: 'time-from' }, 'From'), from,
    el('label', { for: 'time-to' }, 'To'), to,
    problem,
    el('button', { type: 'submit', class: 'primary' }, 'Apply time range'),
    el('p', { class: 'hint' }, 'now-6h, now-1d/d, 13h, 2026-01-31 12:00, epoch milliseconds'));
}

export class TimePicker {
  /** @param onChange called with {from, to} as texts. */
  constructor(range, onChange) {
    this.range_ = range;
    this.label_ = el('span', {});
    this.button_ = el('button', { type: 'button', class: 'tool wide', id: 'time-picker' },
      icon('clock'), this.label_, icon('chevron'));
    this.dropdown_ = new Dropdown(this.button_, (pane) => {
      const apply = (next) => {
        this.dropdown_.close();
        onChange(next);
      };
      const quick = this.range_.to === 'now' ? this.range_.from : '';
      pane.classList.add('time-pane');
      pane.append(rangeForm(this.range_, apply),
        choiceList(kQuickRanges, quick, (from) => apply({ from, to: 'now' })));
    });
    this.element = this.dropdown_.element;
    this.show(range);
  }

  show(range) {
    this.range_ = range;
    this.label_.textContent = describeRange(range);
    const resolved = resolveRange(String(range.from), String(range.to), Date.now());
    this.button_.title = resolved.error
      ?? `${formatStamp(resolved.fromMs)} to ${formatStamp(resolved.toMs)}`;
  }
}
