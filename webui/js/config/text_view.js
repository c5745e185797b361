// The text of the configuration: a plain multi-line field over a layer in colours, line numbers beside
// it, and a mark at each line the box has something to say about. Assistive technology meets the field
// alone; what the marks say is in the list of problems, which the field names as its description.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { lineTokens } from './yaml_tokens.js';

const kTab = '  ';

export class TextView {
  /** @param options {onInput(text), describedBy: id} */
  constructor(options) {
    this.options_ = options;
    this.marks_ = new Map();
    this.layer_ = el('pre', { class: 'editor-layer', 'aria-hidden': 'true' });
    this.gutter_ = el('div', { class: 'config-gutter', 'aria-hidden': 'true' });
    this.field_ = el('textarea', {
      id: 'config-text', class: 'editor-field', spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off', wrap: 'off',
      'aria-label': t('Model configuration, YAML or JSON'), 'aria-describedby': options.describedBy,
      oninput: () => {
        this.paint_();
        options.onInput(this.field_.value);
      },
      onkeydown: (event) => this.key_(event),
    });
    this.sheet_ = el('div', { class: 'config-sheet' }, this.layer_, this.field_);
    this.element = el('div', { class: 'config-code' }, this.gutter_, this.sheet_);
  }

  set value(text) {
    if (text === this.field_.value) return;
    this.field_.value = text;
    this.paint_();
  }

  set readOnly(on) {
    this.field_.readOnly = on;
  }

  /** @param problems [{line, column, severity, message}], line 0 for those of no line */
  showProblems(problems) {
    this.marks_ = new Map();
    for (const problem of problems.filter(({ line }) => line > 0)) {
      const [severity, texts] = this.marks_.get(problem.line) ?? ['warning', []];
      const worse = problem.severity === 'error' ? 'error' : severity;
      this.marks_.set(problem.line, [worse, [...texts, problem.message]]);
    }
    this.field_.setAttribute('aria-invalid', String(problems.some(({ severity }) => severity === 'error')));
    this.paint_();
  }

  /** The cursor goes to a place; lines and columns count from 1. */
  goTo(line, column) {
    const lines = this.field_.value.split('\n');
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const at = start + Math.min(Math.max(column - 1, 0), (lines[line - 1] ?? '').length);
    this.field_.focus({ preventScroll: true });
    this.field_.setSelectionRange(at, at);
    this.gutter_.children[line - 1]?.scrollIntoView({ block: 'center' });
  }

  /** Enter keeps the indentation. Tab stays the browser's: nobody is caught in the field. */
  key_(event) {
    if (event.isComposing || event.key !== 'Enter' || event.ctrlKey || event.metaKey || event.altKey) return;
    const { value, selectionStart } = this.field_;
    const line = value.slice(value.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart);
    const indent = /^ */.exec(line)[0] + (/^[^#]*:\s*$/.test(line) ? kTab : '');
    event.preventDefault();
    document.execCommand('insertText', false, `\n${indent}`);  // the browser's undo knows of it
  }

  paint_() {
    const lines = this.field_.value.split('\n');
    this.layer_.replaceChildren(...lines.map((line, index) => {
      const mark = this.marks_.get(index + 1);
      return el('span', { class: mark ? `config-line ${mark[0]}` : 'config-line' },
        ...lineTokens(line).map(({ text, role }) => el('span', { class: `tok ${role}` }, text)), '\n');
    }));
    this.gutter_.replaceChildren(...lines.map((_, index) => {
      const mark = this.marks_.get(index + 1);
      return el('span', { class: mark ? `config-number ${mark[0]}` : 'config-number', title: mark?.[1].join('\n') }, String(index + 1));
    }));
  }
}
