// A plain legend: what a colour stands for, and a value or two beside it.

import { el } from '../shell/dom.js';

export class LegendList {
  /**
   * @param legend Grafana's {showLegend, displayMode, placement}
   * @param onSelect(name, toggle) after a click; without it the entries are no buttons
   */
  constructor(legend, onSelect = null) {
    this.onSelect_ = onSelect;
    this.shown_ = legend?.showLegend !== false && legend?.displayMode !== 'hidden';
    this.element = el('ul', { class: `legend-list ${legend?.displayMode === 'table' ? 'as-table' : ''}`, hidden: !this.shown_ });
    this.drawn_ = '';
  }

  /** @param entries [{name, color, values: [text], hidden}] */
  draw(entries) {
    const drawn = JSON.stringify(entries);
    if (!this.shown_ || drawn === this.drawn_) return;  // a refresh must not take the focus from an entry
    this.drawn_ = drawn;
    const focused = [...this.element.children].findIndex((item) => item.contains(document.activeElement));
    this.element.replaceChildren(...entries.map((entry) => el('li', { class: entry.hidden ? 'off' : null }, this.entry_(entry))));
    if (focused >= 0) this.element.children[focused]?.querySelector('button')?.focus();
  }

  entry_({ name, color, values = [], hidden }) {
    const swatch = el('span', { class: 'swatch' });
    swatch.style.background = color;
    const parts = [swatch, el('span', { class: 'legend-text' }, name), ...values.map((text) => el('span', { class: 'legend-value' }, text))];
    if (!this.onSelect_) return parts;
    return el('button', {
      type: 'button', class: 'legend-entry', 'aria-pressed': String(!hidden),
      onclick: (event) => this.onSelect_(name, event.ctrlKey || event.metaKey),
    }, ...parts);
  }
}
