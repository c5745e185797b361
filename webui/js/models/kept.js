// Elements that stay while what they show changes: a page that asks every second must take nobody's focus,
// selection or opened fold away.

import { el } from '../shell/dom.js';

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** An element that says nothing takes no room. */
export function say(node, text) {
  setText(node, text);
  node.hidden = text === '';
}

/** A button that cannot be used now keeps the focus and can still be read: it only does nothing. */
export function setUsable(button, isUsable, reasonId = null) {
  button.setAttribute('aria-disabled', String(!isUsable));
  if (reasonId && !isUsable) button.setAttribute('aria-describedby', reasonId);
  else button.removeAttribute('aria-describedby');
}

/**
 * A button whose work is a promise: meanwhile it is busy; what the box refuses is a sentence in `problem`.
 * @param work() returns a promise
 */
export function actionButton(text, problem, work, attributes = {}) {
  const button = el('button', { type: 'button', class: 'tool wide', ...attributes, onclick: async () => {
    if (button.getAttribute('aria-disabled') === 'true' || button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    say(problem, '');
    try {
      await work();
    } catch (error) {
      say(problem, error.message);
    } finally {
      button.removeAttribute('aria-busy');
    }
  } }, text);
  return button;
}

export const problemLine = () => el('p', { class: 'field-error', role: 'alert', hidden: true });

/** A list of views, each {element, update(item)}, kept by their keys. */
export class KeptList {
  /** @param create(item) makes a view, which update() fills */
  constructor(container, keyOf, create) {
    this.container_ = container;
    this.keyOf_ = keyOf;
    this.create_ = create;
    this.views_ = new Map();
  }

  update(items) {
    const keys = new Set(items.map(this.keyOf_));
    for (const [key, view] of this.views_) {
      if (keys.has(key)) continue;
      view.element.remove();
      this.views_.delete(key);
    }
    items.forEach((item, index) => {
      const key = this.keyOf_(item);
      if (!this.views_.has(key)) this.views_.set(key, this.create_(item));
      const view = this.views_.get(key);
      view.update(item);
      const there = this.container_.children[index];
      if (there !== view.element) this.container_.insertBefore(view.element, there ?? null);
    });
  }
}
