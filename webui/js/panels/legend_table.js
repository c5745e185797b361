// The legend of a chart: a table of reductions; a click isolates, ctrl-click toggles a series.

import { el } from '../shell/dom.js';
import { reduce, reducedUnit, reducerTitle } from '../format/reducers.js';
import { displayText } from '../format/display.js';
import { t } from '../shell/i18n.js';

export class LegendTable {
  /**
   * @param calcs Grafana reducer ids, one column each.
   * @param onSelect(name, toggle) after a click on a series.
   */
  constructor(container, calcs, onSelect) {
    this.calcs_ = calcs;
    this.onSelect_ = onSelect;
    this.rows_ = new Map();  // series name -> {row, swatch, cells}
    this.body_ = el('tbody');
    const head = el('tr', {}, el('th', { scope: 'col' }, el('span', { class: 'sr' }, 'Series')),
      ...calcs.map((calc) => el('th', { scope: 'col' }, t(reducerTitle(calc)))));
    container.replaceChildren(el('table', { class: 'legend' }, el('thead', {}, head), this.body_));
  }

  /** Rows live as long as their series: a click must not lose its button to a refresh. */
  draw(view) {
    const names = view.series.map((series) => series.name);
    if (names.join('\n') !== [...this.rows_.keys()].join('\n')) {
      this.rows_ = new Map(names.map((name) => [name, this.rows_.get(name) ?? this.makeRow_(name)]));
      this.body_.replaceChildren(...[...this.rows_.values()].map(({ row }) => row));
    }
    for (const series of view.series) {
      const { row, swatch, cells } = this.rows_.get(series.name);
      row.classList.toggle('off', series.hidden);
      swatch.style.background = series.color;
      this.calcs_.forEach((calc, index) => {
        cells[index].textContent = displayText(reduce(series.points, calc), { ...series.config, unit: reducedUnit(calc, series.config.unit) });
      });
    }
  }

  makeRow_(name) {
    const swatch = el('span', { class: 'swatch' });
    const button = el('button', {
      type: 'button',
      class: 'legend-name',
      title: `${name}: click to show it alone, ctrl-click to hide or show it`,
      onclick: (event) => this.onSelect_(name, event.ctrlKey || event.metaKey),
    }, swatch, el('span', {}, name));
    const cells = this.calcs_.map(() => el('td'));
    return { row: el('tr', {}, el('th', { scope: 'row' }, button), ...cells), swatch, cells };
  }
}

/** Which series stay hidden after a click: isolate, back to all, or toggle one. */
export function nextHidden(names, hidden, clicked, toggle) {
  if (toggle) {
    const next = new Set(hidden);
    if (!next.delete(clicked)) next.add(clicked);
    return next.size >= names.length ? new Set() : next;
  }
  const alone = names.every((name) => hidden.has(name) === (name !== clicked));
  return alone ? new Set() : new Set(names.filter((name) => name !== clicked));
}
