// The time picker: relative ranges, From and To in Grafana's grammar, recently used ranges, the zone.

import { Dropdown, choiceList } from '../shell/dropdown.js';
import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { recentRanges, rememberRange } from './recent_ranges.js';
import {
  describeRange, formatMoment, formatStamp, kQuickRanges, normalizeTimeText, resolveRange,
} from './time_range.js';
import { timeZone } from './zone.js';

function inputText(value) {
  return /^\d+$/.test(String(value)) ? formatStamp(Number(value)) : String(value);
}

/** A calendar beside the text field: it writes into the field what was picked. */
function calendarInput(field, label) {
  const picker = el('input', { type: 'datetime-local', step: 1, class: 'calendar', 'aria-label': label, tabindex: -1 });
  picker.addEventListener('input', () => {
    if (picker.value) field.value = picker.value.replace('T', ' ');
  });
  const button = el('button', {
    type: 'button', class: 'tool', title: label, 'aria-label': label,
    onclick: () => {
      const { fromMs } = resolveRange(normalizeTimeText(field.value), 'now+100y', Date.now());
      if (fromMs) picker.value = formatStamp(fromMs).replace(' ', 'T');
      picker.showPicker();
    },
  }, icon('calendar'));
  return [button, picker];
}

function timeField(id, label, value, calendarLabel) {
  const input = el('input', { type: 'text', value: inputText(value), spellcheck: 'false', autocomplete: 'off', id });
  return { input, nodes: [el('label', { for: id }, label), el('div', { class: 'time-field' }, input, ...calendarInput(input, calendarLabel))] };
}

function rangeForm(range, onApply) {
  const from = timeField('time-from', t('From'), range.from, t('Pick the beginning in a calendar'));
  const to = timeField('time-to', t('To'), range.to, t('Pick the end in a calendar'));
  const problem = el('p', { class: 'field-error', role: 'alert' });
  const submit = (event) => {
    event.preventDefault();
    const next = { from: normalizeTimeText(from.input.value), to: to.input.value.trim() || 'now' };
    const resolved = resolveRange(next.from, next.to, Date.now());
    problem.textContent = resolved.error ?? '';
    if (!resolved.error) onApply(next);
  };
  return el('form', { class: 'range-form', onsubmit: submit },
    el('h3', {}, t('Absolute time range')), ...from.nodes, ...to.nodes, problem,
    el('button', { type: 'submit', class: 'primary' }, t('Apply time range')),
    el('p', { class: 'hint' }, t('now-6h, now-1d/d, 13h, 2026-01-31 12:00, epoch milliseconds')));
}

export class TimePicker {
  /**
   * @param onChange called with {from, to} as texts
   * @param onZone called with 'browser' or 'utc'; without it no zone is offered
   */
  constructor(range, onChange, onZone = null) {
    this.range_ = range;
    this.onZone_ = onZone;
    this.label_ = el('span', {});
    this.button_ = el('button', { type: 'button', class: 'tool wide', id: 'time-picker' },
      icon('clock'), this.label_, icon('chevron'));
    this.dropdown_ = new Dropdown(this.button_, (pane) => this.fill_(pane, (next) => {
      this.dropdown_.close();
      rememberRange(next);
      onChange(next);
    }));
    this.element = this.dropdown_.element;
    this.show(range);
  }

  fill_(pane, apply) {
    const list = (ranges) => choiceList(ranges.map(({ from, to }) => [`${from} ${to}`, describeRange({ from, to })]),
      `${this.range_.from} ${this.range_.to}`, (value) => {
        const [from, to] = value.split(' ');
        apply({ from, to });
      });
    const recent = recentRanges();
    pane.classList.add('time-pane');
    pane.append(
      el('div', { class: 'range-column' }, rangeForm(this.range_, apply),
        recent.length > 0 && el('h3', {}, t('Recently used')), recent.length > 0 && list(recent), this.zoneChoice_()),
      list(kQuickRanges.map(([from, to]) => ({ from, to }))));
  }

  zoneChoice_() {
    if (!this.onZone_) return null;
    const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return el('div', { class: 'zone' }, el('h3', {}, t('Time zone')),
      choiceList([['browser', t('This browser: {name}', { name })], ['utc', 'UTC']], timeZone(), (zone) => {
        this.dropdown_.close();
        this.onZone_(zone);
      }));
  }

  open() {
    this.dropdown_.open();
    document.getElementById('time-from')?.select();
  }

  show(range) {
    this.range_ = range;
    this.label_.textContent = describeRange(range);
    const resolved = resolveRange(String(range.from), String(range.to), Date.now());
    this.button_.title = resolved.error
      ?? t('{from} to {to}', { from: formatMoment(resolved.fromMs), to: formatMoment(resolved.toMs) });
  }
}
