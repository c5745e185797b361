// The legend of a chart: a table of reductions; a click isolates, ctrl-click toggles a series.

import { el } from './dom.js';
import { kCalcTitles, reduce } from './series.js';
import { formatValue } from './units.js';

function legendRow(series, view, calcs, onSelect) {
  const swatch = el('span', { class: 'swatch' });
  swatch.style.background = series.color;
  const name = el('button', {
    type: 'button',
    class: 'legend-name',
    title: `${series.name}: click to show it alone, ctrl-click to hide or show it`,
    onclick: (event) => onSelect(series.name, event.ctrlKey || event.metaKey),
  }, swatch, el('span', {}, series.name));
  const cells = calcs.map((calc) => el('td', {},
    formatValue(reduce(series.points, calc), view.unit, view.decimals)));
  return el('tr', { class: series.hidden ? 'off' : null, 'data-series': series.name },
    el('th', { scope: 'row' }, name), ...cells);
}

/** @param calcs Grafana reducer ids, one column each. */
export function renderLegend(container, view, calcs, onSelect) {
  const head = el('tr', {}, el('th', { scope: 'col' }, el('span', { class: 'sr' }, 'Series')),
    ...calcs.map((calc) => el('th', { scope: 'col' }, kCalcTitles[calc] ?? calc)));
  const rows = view.series.map((series) => legendRow(series, view, calcs, onSelect));
  container.replaceChildren(el('table', { class: 'legend' }, el('thead', {}, head), el('tbody', {}, ...rows)));
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
