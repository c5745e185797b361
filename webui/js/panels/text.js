// Panel type "text": Markdown, or code as it is written.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { renderMarkdown } from '../shell/markdown.js';
import { interpolate } from '../dashboard/variables.js';

/** HTML without its tags: what a reader would see of it, and no markup reaches the page. */
function withoutTags(html) {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  for (const node of parsed.querySelectorAll('script, style, template')) node.remove();
  for (const node of parsed.querySelectorAll('p, div, h1, h2, h3, h4, h5, h6, li, tr, br, hr')) node.after('\n');
  return parsed.body.textContent.replace(/\n\s*\n\s*/g, '\n\n').trim();
}

export class TextPanel {
  constructor(panel, body) {
    this.panel_ = panel;
    this.shown_ = null;
    this.box_ = el('div', { class: 'text-panel', tabindex: 0, role: 'group', 'aria-label': panel.title || t('Text') });
    body.replaceChildren(this.box_);
    this.setScope({});
  }

  /** @param scope of queryScope(): the dashboard's variables and the times shown */
  setScope(scope) {
    const text = interpolate(this.panel_.content ?? '', scope, 'text');
    if (text === this.shown_) return;
    this.shown_ = text;
    const mode = this.panel_.options.mode ?? this.panel_.json?.mode ?? 'markdown';
    this.box_.className = `text-panel mode-${mode}`;
    this.box_.replaceChildren(...this.contents_(mode, text));
  }

  contents_(mode, text) {
    if (mode === 'code') return [el('pre', {}, el('code', {}, text))];
    if (mode !== 'html') return [el('div', { class: 'markdown' }, ...renderMarkdown(text))];
    return [el('div', { class: 'plain' }, withoutTags(text)), el('p', { class: 'muted' }, t('This panel is written in HTML; its text is shown.'))];
  }

  draw() {}

  destroy() {}
}
