// A button that opens a pane below it; one pane is open at a time, Escape and a click outside close.

import { el, icon } from './dom.js';

let openOne = null;

export function closeDropdowns() {
  openOne?.close();
}

export class Dropdown {
  /** @param fill(pane, dropdown) is called at each opening with the empty pane. */
  constructor(button, fill, { align = 'right' } = {}) {
    this.button_ = button;
    this.fill_ = fill;
    this.pane_ = el('div', { class: `pane pane-${align}`, hidden: true });
    this.element = el('div', { class: 'dropdown' }, button, this.pane_);
    button.setAttribute('aria-haspopup', 'true');
    button.setAttribute('aria-expanded', 'false');
    button.addEventListener('click', () => (this.pane_.hidden ? this.open() : this.close()));
  }

  open() {
    closeDropdowns();
    openOne = this;
    this.pane_.replaceChildren();
    this.fill_(this.pane_, this);
    this.pane_.hidden = false;
    this.button_.setAttribute('aria-expanded', 'true');
    this.pane_.querySelector('[autofocus], button, input')?.focus({ preventScroll: true });
  }

  close() {
    this.pane_.hidden = true;
    this.button_.setAttribute('aria-expanded', 'false');
    if (openOne === this) openOne = null;
  }
}

document.addEventListener('pointerdown', (event) => {
  if (openOne && !openOne.element.contains(event.target)) closeDropdowns();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && openOne) {
    closeDropdowns();
    event.stopImmediatePropagation();
  }
});

export function toolButton(iconName, title, attributes = {}) {
  return el('button', { type: 'button', class: 'tool', title, 'aria-label': title, ...attributes }, icon(iconName));
}

/** A list of choices; `choices` are [value, text] pairs. */
export function choiceList(choices, current, onChoose) {
  return el('div', { class: 'choices', role: 'listbox' }, ...choices.map(([value, text]) => el('button', {
    type: 'button',
    role: 'option',
    class: value === current ? 'choice current' : 'choice',
    'aria-selected': String(value === current),
    onclick: () => onChoose(value),
  }, text)));
}
