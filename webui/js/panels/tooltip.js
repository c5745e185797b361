// The one tooltip of the page: time, then every series' value at that time, largest first.

import { el } from '../shell/dom.js';
import { pointAt } from '../prometheus/series.js';
import { formatMoment } from '../time/time_range.js';
import { t } from '../shell/i18n.js';
import { displayText } from '../format/display.js';

const kMarginPx = 14;
let box = null;

const kMostRows = 30;

/** The shown series' values at a time, in the order that `sort` asks for: asc, desc or none. */
export function tooltipRows(view, timeMs, stepMs, { sort = 'desc', hideZeros = false } = {}) {
  const rows = [];
  for (const series of view.series) {
    if (series.hidden || series.style?.hideFrom?.tooltip) continue;
    const point = pointAt(series.points, timeMs, stepMs);
    if (point && Number.isFinite(point.y) && !(hideZeros && point.y === 0)) rows.push({ series, value: point.y, x: point.x });
  }
  if (sort === 'none') return rows;
  return rows.sort((a, b) => (sort === 'asc' ? a.value - b.value : b.value - a.value));
}

/** The row whose line is nearest to the pointer. */
function nearestRow(rows, event, { chart, plot }) {
  const y = event.clientY - plot.getBoundingClientRect().top;
  const distance = ({ series, value }) => Math.abs(chart.pixelOf(series, value) - y);
  return rows.length ? [rows.reduce((best, row) => (distance(row) < distance(best) ? row : best))] : rows;
}

/** @param options Grafana's {mode: single | multi | none, sort, hideZeros}; single needs {chart, plot} too */
export function showTooltip(event, view, timeMs, stepMs, options = {}) {
  if (options.mode === 'none') return;
  let rows = tooltipRows(view, timeMs, stepMs, options);
  const shownTime = rows.length ? rows[0].x : timeMs;
  if (options.mode === 'single') rows = nearestRow(rows, event, options);
  const shown = rows.slice(0, kMostRows).map(({ series, value }) => (
    { color: series.color, name: series.name, text: displayText(value, series.config) }));
  if (rows.length > kMostRows) shown.push({ name: t('and {count} more', { count: rows.length - kMostRows }), text: '' });
  showRows(event, formatMoment(shownTime), shown);
}

/** @param rows [{name, text, color?}]; none at all says that there is nothing here */
export function showRows(event, heading, rows) {
  if (!box) {
    box = el('div', { class: 'tooltip', role: 'presentation' });
    document.body.append(box);
  }
  box.replaceChildren(
    el('div', { class: 'tooltip-time' }, heading),
    ...rows.map(({ name, text, color }) => {
      const swatch = color ? el('span', { class: 'swatch' }) : null;
      if (swatch) swatch.style.background = color;
      return el('div', { class: 'tooltip-row' }, swatch,
        el('span', { class: 'tooltip-name' }, name), el('span', { class: 'tooltip-value' }, text));
    }),
    ...(rows.length ? [] : [el('div', { class: 'tooltip-row muted' }, t('No data at this time'))]),
  );
  box.hidden = false;
  place(event);
}

function place(event) {
  const { width, height } = box.getBoundingClientRect();
  const right = event.clientX + kMarginPx + width > window.innerWidth;
  const low = event.clientY + kMarginPx + height > window.innerHeight;
  const x = right ? event.clientX - kMarginPx - width : event.clientX + kMarginPx;
  const y = low ? event.clientY - kMarginPx - height : event.clientY + kMarginPx;
  box.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
}

export function hideTooltip() {
  if (box) box.hidden = true;
}
