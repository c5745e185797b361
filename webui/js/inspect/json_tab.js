// JSON: the panel as it stands in the dashboard's file, and the data it drew.

import { download, el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';

const kShownCharacters = 200000;

export class JsonTab {
  constructor(frame) {
    this.frame_ = frame;
    this.what_ = 'panel';
    this.element = el('div', { class: 'inspect-json' });
  }

  text_() {
    const { panel, answer } = this.frame_;
    if (this.what_ === 'panel') return JSON.stringify(panel.json, null, 2);
    const series = (answer?.series ?? []).map(({ name, refId, labels, points }) => ({ name, refId, labels, points: points.map(({ x, y }) => [x, y]) }));
    return JSON.stringify({ fromMs: answer?.fromMs, toMs: answer?.toMs, stepS: answer?.stepS, series }, null, 1);
  }

  show() {
    const text = this.text_();
    const choose = el('select', { 'aria-label': t('Shown JSON'), onchange: (event) => { this.what_ = event.target.value; this.show(); } },
      el('option', { value: 'panel', selected: this.what_ === 'panel' }, t('Panel JSON')),
      el('option', { value: 'data', selected: this.what_ === 'data' }, t('Panel data')));
    const said = el('span', { role: 'status', class: 'hint' });
    const copy = async () => {
      await navigator.clipboard?.writeText(text);
      said.textContent = t('Copied');
    };
    this.element.replaceChildren(
      el('div', { class: 'inspect-options' }, choose,
        navigator.clipboard && el('button', { type: 'button', class: 'tool wide', onclick: copy }, t('Copy')),
        el('button', { type: 'button', class: 'tool wide', onclick: () => download(`${this.what_}.json`, text, 'application/json') }, t('Download')), said),
      el('pre', { tabindex: 0, role: 'region', 'aria-label': t('JSON') }, text.length > kShownCharacters ? `${text.slice(0, kShownCharacters)}\n…` : text));
  }
}
