// Panel type "text".

import { el } from '../shell/dom.js';

/** Grafana's text panel; its Markdown is shown as written. */
export class TextPanel {
  constructor(panel, body) {
    body.replaceChildren(el('div', { class: 'text-panel' }, panel.content));
  }

  draw() {}

  destroy() {}
}
