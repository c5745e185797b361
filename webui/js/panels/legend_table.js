// The legend of a chart as a table of reductions; a click isolates, ctrl-click toggles a series, a
// click on a column's head sorts by it.

import { displayText } from '../format/display.js';
import { fullReducerTitle, reduce, reducedUnit, reducerTitle } from '../format/reducers.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';

const kName = 'Name';

/** Texts of a series' reductions, one per calc. */
export function reducedTexts(series, calcs) {
  return calcs.map((calc) => displayText(reduce(series.points, calc), { ...series.config, unit: reducedUnit(calc, series.config.unit) }));
}

/** The series' key in the legend: names may repeat. */
export function keyed(seriesList) {
  const seen = new Map();
  return seriesList.map((series) => {
    const count = seen.get(series.name) ?? 0;
    seen.set(series.name, count + 1);
    return [count === 0 ? series.name : `${series.name}\n${count}`, series];
  });
}

/** Which calc a legend's sortBy means: it is kept as a title ("Last *") or as an id. */
export function sortCalc(sortBy, calcs) {
  if (!sortBy) return null;
  if (sortBy === kName) return kName;
  return calcs.find((calc) => [calc, reducerTitle(calc), fullReducerTitle(calc)].includes(sortBy)) ?? null;
}

/** Entries [key, series] in the order of a calc's values; unknown values stand last. */
export function sortEntries(entries, calc, desc) {
  if (!calc) return entries;
  const sign = desc ? -1 : 1;
  if (calc === kName) return [...entries].sort(([, a], [, b]) => sign * a.name.localeCompare(b.name, 'en', { numeric: true }));
  const values = new Map(entries.map(([key, series]) => [key, reduce(series.points, calc)]));
  return [...entries].sort(([a], [b]) => {
    const [first, second] = [values.get(a), values.get(b)];
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    return sign * (first - second);
  });
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export class LegendTable {
  /**
   * @param legend Grafana's {calcs, sortBy, sortDesc}
   * @param onSelect(name, toggle) after a click on a series
   */
  constructor(container, legend, onSelect) {
    this.calcs_ = legend.calcs ?? ['lastNotNull'];
    this.sort_ = { calc: sortCalc(legend.sortBy, this.calcs_), desc: legend.sortDesc !== false };
    this.onSelect_ = onSelect;
    this.rows_ = new Map();  // key of a series -> {row, button, swatch, cells}
    this.order_ = '';
    this.body_ = el('tbody');
    this.heads_ = [kName, ...this.calcs_].map((calc) => this.makeHead_(calc));
    container.replaceChildren(el('table', { class: 'legend' }, el('thead', {}, el('tr', {}, ...this.heads_)), this.body_));
    this.showSort_();
  }

  makeHead_(calc) {
    const title = calc === kName ? el('span', { class: 'sr' }, t('Series')) : t(reducerTitle(calc));
    return el('th', { scope: 'col', 'data-calc': calc },
      el('button', { type: 'button', class: 'legend-sort', title: t('Sort'), onclick: () => this.sortBy_(calc) }, title));
  }

  /** Descending, ascending, and back to the order of the queries. */
  sortBy_(calc) {
    if (this.sort_.calc !== calc) this.sort_ = { calc, desc: calc !== kName };
    else if (this.sort_.desc === (calc !== kName)) this.sort_.desc = !this.sort_.desc;
    else this.sort_ = { calc: null, desc: true };
    this.showSort_();
    this.arrange_();
  }

  showSort_() {
    for (const head of this.heads_) {
      const sorted = head.dataset.calc === this.sort_.calc;
      head.setAttribute('aria-sort', sorted ? (this.sort_.desc ? 'descending' : 'ascending') : 'none');
    }
  }

  /** Rows live as long as their series: a click must not lose its button to a refresh. */
  draw(seriesList) {
    this.entries_ = keyed(seriesList);
    this.rows_ = new Map(this.entries_.map(([key, series]) => [key, this.rows_.get(key) ?? this.makeRow_(series.name)]));
    for (const [key, series] of this.entries_) {
      const { row, button, swatch, cells } = this.rows_.get(key);
      row.classList.toggle('off', series.hidden);
      button.setAttribute('aria-pressed', String(!series.hidden));
      swatch.style.background = series.color;
      reducedTexts(series, this.calcs_).forEach((text, index) => setText(cells[index], text));
    }
    this.arrange_();
  }

  arrange_() {
    const sorted = sortEntries(this.entries_ ?? [], this.sort_.calc, this.sort_.desc);
    const order = JSON.stringify(sorted.map(([key]) => key));
    if (order === this.order_) return;
    this.order_ = order;
    const focused = this.body_.contains(document.activeElement) ? document.activeElement : null;
    this.body_.replaceChildren(...sorted.map(([key]) => this.rows_.get(key).row));
    if (focused?.isConnected) focused.focus({ preventScroll: true });
  }

  makeRow_(name) {
    const swatch = el('span', { class: 'swatch' });
    const button = el('button', {
      type: 'button',
      class: 'legend-name',
      title: t('{name}: click to show it alone, ctrl-click to hide or show it', { name }),
      onclick: (event) => this.onSelect_(name, event.ctrlKey || event.metaKey),
    }, swatch, el('span', {}, name));
    const cells = this.calcs_.map(() => el('td'));
    return { row: el('tr', {}, el('th', { scope: 'row' }, button), ...cells), button, swatch, cells };
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
