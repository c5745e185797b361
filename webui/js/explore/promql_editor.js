// A text field for PromQL: colours and brackets by a layer behind it, completion by a list below the
// word. The field stays a plain multi-line text box for assistive technology, which hears of the list
// by aria-activedescendant.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { accept, completionsFor, opensByItself } from './completions.js';
import { pairedEdit } from './editing.js';
import { completionContext } from './promql_context.js';
import { annotate, bracketsAt } from './promql_tokens.js';

let counter = 0;

/** Replaces [from, to) such that the browser's undo knows of it. */
function replaceText(field, { from, to, insert, cursor }) {
  field.focus();
  field.setSelectionRange(from, to);
  const done = from === to && insert === '' ? true : document.execCommand(insert === '' ? 'delete' : 'insertText', false, insert);
  if (!done) field.setRangeText(insert, from, to, 'end');
  field.setSelectionRange(cursor, cursor);
}

export class PromqlEditor {
  /**
   * @param options {label, value, onInput(text), onRun(), known(context)}: known() resolves to what
   *                completionsFor() needs at a place
   */
  constructor(options) {
    this.options_ = options;
    this.id_ = `promql-${counter++}`;
    this.items_ = [];
    this.active_ = 0;
    this.turn_ = 0;  // of the newest question for completions; an older answer is dropped
    this.errorAt_ = null;
    this.layer_ = el('pre', { class: 'editor-layer', 'aria-hidden': 'true' });
    this.field_ = el('textarea', {
      id: this.id_, class: 'editor-field', rows: 1, spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off',
      'aria-label': options.label, 'aria-autocomplete': 'list', 'aria-haspopup': 'listbox', 'aria-controls': `${this.id_}-list`,
      placeholder: t('PromQL, e.g. rate(vllm:generation_tokens_total[5m])'),
    });
    this.list_ = el('ul', { class: 'completions', id: `${this.id_}-list`, role: 'listbox', 'aria-label': t('Completions') });
    this.help_ = el('div', { class: 'completion-help', 'aria-hidden': 'true' });
    this.popup_ = el('div', { class: 'completion-popup', hidden: true }, this.list_, this.help_);
    this.said_ = el('div', { class: 'sr', role: 'status' });
    this.element = el('div', { class: 'editor' }, this.layer_, this.field_, this.popup_, this.said_);
    this.field_.value = options.value;
    this.listen_();
    this.paint_();
  }

  get value() {
    return this.field_.value;
  }

  set value(text) {
    this.field_.value = text;
    this.errorAt_ = null;
    this.close_();
    this.paint_();
  }

  focus() {
    this.field_.focus();
    this.field_.setSelectionRange(this.value.length, this.value.length);
  }

  /** Puts `text` where the cursor is; the metric browser does. */
  insert(text) {
    const { selectionStart: from, selectionEnd: to } = this.field_;
    replaceText(this.field_, { from, to, insert: text, cursor: from + text.length });
  }

  /** @param offset where the server's error lies, or null */
  showError(offset) {
    this.errorAt_ = offset;
    this.paint_();
  }

  listen_() {
    const field = this.field_;
    field.addEventListener('input', (event) => {
      this.errorAt_ = null;
      this.options_.onInput(field.value);
      this.paint_();
      const typed = event.inputType?.startsWith('insert') && event.inputType !== 'insertFromPaste';
      if (typed || !this.popup_.hidden) this.complete_(false);
    });
    field.addEventListener('keydown', (event) => this.key_(event));
    field.addEventListener('blur', () => this.close_());
    field.addEventListener('click', () => this.close_());
    document.addEventListener('selectionchange', () => {
      if (document.activeElement === field) this.paint_();
    });
  }

  key_(event) {
    if (event.isComposing) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === 'Enter' && (event.shiftKey || !plain)) {
      this.close_();
      this.options_.onRun();
    } else if (event.key === ' ' && event.ctrlKey) {
      this.complete_(true);
    } else if (this.popup_.hidden || !plain || !this.popupKey_(event.key)) {
      const { value, selectionStart, selectionEnd } = this.field_;
      const edit = plain && pairedEdit(value, selectionStart, selectionEnd, event.key);
      if (!edit) return;
      this.apply_(edit);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @returns whether the key meant the list */
  popupKey_(key) {
    const page = 8;
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (moves[key]) {
      const last = this.items_.length - 1;
      const next = this.active_ + moves[key];
      // One step runs around the ends, a page stops there.
      this.setActive_(Math.abs(moves[key]) === 1 ? (next + last + 1) % (last + 1) : Math.min(last, Math.max(0, next)));
    } else if (key === 'Enter' || key === 'Tab') {
      this.accept_(this.items_[this.active_]);
    } else if (key === 'Escape') {
      this.close_();
    } else {
      return false;
    }
    return true;
  }

  apply_(edit) {
    replaceText(this.field_, edit);
    if (edit.insert === '' && edit.from === edit.to) this.paint_();  // the cursor alone has moved
    this.complete_(false);
  }

  accept_(item) {
    const edit = accept(this.value, this.context_, item);
    replaceText(this.field_, edit);
    this.close_();
    if (edit.more) this.complete_(true);
  }

  /** @param asked the person wants completions, even of an empty word */
  async complete_(asked) {
    const turn = ++this.turn_;
    const context = completionContext(this.value, this.field_.selectionStart);
    if (!asked && !opensByItself(context)) {
      this.close_();
      return;
    }
    const known = await this.options_.known(context);
    if (turn !== this.turn_ || document.activeElement !== this.field_) return;
    const items = completionsFor(context, known);
    const exact = items.length === 1 && items[0].text === context.word;
    if (items.length === 0 || (exact && !asked)) this.close_();
    else this.open_(context, items);
  }

  open_(context, items) {
    this.context_ = context;
    this.items_ = items;
    this.list_.replaceChildren(...items.map((item, index) => el('li', {
      class: `completion ${item.kind}`, role: 'option', id: `${this.id_}-${index}`, 'aria-selected': 'false',
      onpointerdown: (event) => {
        event.preventDefault();  // the field keeps the focus
        this.accept_(item);
      },
    }, el('i', { class: 'completion-kind', 'aria-hidden': 'true' }), el('span', { class: 'completion-text' }, item.text),
    el('span', { class: 'completion-detail' }, item.kind === 'metric' ? item.detail : ''))));
    this.popup_.hidden = false;
    this.place_(context.from);
    this.setActive_(0);
    this.said_.textContent = t('{count} completions', { count: items.length });
  }

  setActive_(index) {
    const options = this.list_.children;
    options[this.active_]?.setAttribute('aria-selected', 'false');
    this.active_ = index;
    options[index].setAttribute('aria-selected', 'true');
    options[index].scrollIntoView({ block: 'nearest' });
    this.field_.setAttribute('aria-activedescendant', options[index].id);
    const { detail, help } = this.items_[index];
    this.help_.hidden = !detail && !help;
    this.help_.replaceChildren(el('code', {}, detail), el('span', {}, help));
  }

  close_() {
    this.turn_++;
    this.field_.removeAttribute('aria-activedescendant');
    if (this.popup_.hidden) return;
    this.popup_.hidden = true;
    this.list_.replaceChildren();
    this.items_ = [];
    this.active_ = 0;
    this.said_.textContent = '';
  }

  /** Below the character at `offset`, inside the window. */
  place_(offset) {
    const box = this.element.getBoundingClientRect();
    const at = this.rectAt_(offset);
    const width = this.popup_.getBoundingClientRect().width;
    const room = document.documentElement.clientWidth - width - 8 - box.left;
    this.popup_.style.left = `${Math.max(0, Math.min(at.left - box.left, room))}px`;
    this.popup_.style.top = `${at.bottom - box.top + 4}px`;
  }

  rectAt_(offset) {
    const walker = document.createTreeWalker(this.layer_, NodeFilter.SHOW_TEXT);
    let rest = offset;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (rest <= node.length) {
        const range = document.createRange();
        range.setStart(node, rest);
        range.collapse(true);
        return range.getClientRects()[0] ?? node.parentElement.getBoundingClientRect();
      }
      rest -= node.length;
    }
    return this.layer_.getBoundingClientRect();
  }

  /** The colours: one span a token; the brackets at the cursor and the error stand out. */
  paint_() {
    const { tokens } = annotate(this.value);
    const marked = new Set(document.activeElement === this.field_ ? bracketsAt(tokens, this.field_.selectionStart) : []);
    const wrong = this.errorAt_ === null ? null
      : tokens.find((token) => token.end > this.errorAt_) ?? tokens[tokens.length - 1];
    this.layer_.replaceChildren(...tokens.map((token) => {
      const matched = marked.has(token.start) && (token.pair === null ? ' unmatched' : ' matched');
      return el('span', { class: `tok ${token.role}${matched || ''}${token === wrong ? ' wrong' : ''}` }, token.text);
    }), '​');  // a last line that is empty has its height too
  }
}
