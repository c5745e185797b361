// The queries of the panel that is edited: text, legend, letter, hide, form, order.

import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { toolButton } from '../shell/dropdown.js';
import { PromqlEditor } from '../explore/promql_editor.js';

/** A letter no query has yet. */
export function freeRefId(targets) {
  const taken = new Set(targets.map(({ refId }) => refId));
  for (let code = 65; code <= 90; code++) {
    if (!taken.has(String.fromCharCode(code))) return String.fromCharCode(code);
  }
  return `Q${targets.length + 1}`;
}

/** Whether a query is asked at one instant, over the range, or both. */
const modeOf = ({ instant, range }) => (instant && !range ? 'instant' : 'range');

export class QueryList {
  /** @param known(context) for completion, see PromqlEditor @param onChange(targets) */
  constructor(known, onChange) {
    this.known_ = known;
    this.onChange_ = onChange;
    this.element = el('div', { class: 'edit-queries' });
  }

  show(targets) {
    this.targets_ = targets;
    const add = () => this.change_([...this.targets_, { refId: freeRefId(this.targets_), expr: '', range: true, legendFormat: '__auto' }], true);
    this.element.replaceChildren(...targets.map((target, index) => this.query_(target, index)),
      el('button', { type: 'button', class: 'tool wide', id: 'add-query', onclick: add }, icon('plus'), t('Add query')));
  }

  change_(targets, remake = false) {
    this.targets_ = targets;
    if (remake) this.show(targets);
    this.onChange_(targets);
  }

  put_(index, part) {
    this.change_(this.targets_.map((target, at) => (at === index ? { ...target, ...part } : target)));
  }

  move_(index, by) {
    const targets = [...this.targets_];
    targets.splice(index + by, 0, ...targets.splice(index, 1));
    this.change_(targets, true);
  }

  query_(target, index) {
    const letter = target.refId ?? '';
    const editor = new PromqlEditor({
      label: t('Query {letter}', { letter }), value: target.expr ?? '', known: this.known_,
      onInput: (expr) => this.put_(index, { expr }), onRun: () => this.put_(index, {}),
    });
    const text = (label, name) => el('label', { class: 'edit-inline' }, label, el('input', {
      type: 'text', value: target[name] ?? '', oninput: (event) => this.put_(index, { [name]: event.target.value }) }));
    const choose = (label, value, choices, put) => el('label', { class: 'edit-inline' }, label, el('select', {
      onchange: (event) => put(event.target.value) }, ...choices.map(([one, title]) => el('option', { value: one, selected: one === value }, title))));
    const hide = el('label', { class: 'check' }, el('input', {
      type: 'checkbox', checked: Boolean(target.hide), onchange: (event) => this.put_(index, { hide: event.target.checked }) }), t('Hide'));
    return el('section', { class: 'edit-query', 'aria-label': t('Query {letter}', { letter }) }, editor.element, editor.signature,
      el('div', { class: 'edit-query-tools' },
        text(t('Letter'), 'refId'), text(t('Legend'), 'legendFormat'), text(t('Min step'), 'interval'),
        choose(t('Asked'), modeOf(target), [['range', t('over the range')], ['instant', t('at its end')]],
          (mode) => this.put_(index, { instant: mode === 'instant', range: mode === 'range' })),
        choose(t('Form'), target.format ?? 'time_series', [['time_series', t('Time series')], ['table', t('Table')], ['heatmap', t('Heatmap')]],
          (format) => this.put_(index, { format })), hide,
        toolButton('up', t('Move query up'), { disabled: index === 0, onclick: () => this.move_(index, -1) }),
        toolButton('down', t('Move query down'), { disabled: index === this.targets_.length - 1, onclick: () => this.move_(index, 1) }),
        toolButton('close', t('Remove this query'), { onclick: () => this.change_(this.targets_.filter((_, at) => at !== index), true) })));
  }
}
