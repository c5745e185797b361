// One cell of a table: text, coloured text or ground, a bar, JSON, links.

import { withAlpha } from '../format/colors.js';
import { readable, textOn } from '../format/contrast.js';
import { shownText } from '../format/display.js';
import { el } from '../shell/dom.js';
import { cssColor } from './chart_axes.js';
import { dataLink } from './links.js';

function jsonText(value) {
  if (typeof value !== 'string') return JSON.stringify(value, null, 1);
  try {
    return JSON.stringify(JSON.parse(value), null, 1);
  } catch {
    return value;  // no JSON: shown as it is
  }
}

/** A bar as long as the value's place between the field's, else the column's, limits. */
function gaugeBar({ column, value, color }) {
  const { config, limits, look } = column;
  const min = config.min ?? Math.min(0, limits.min ?? 0);
  const max = config.max ?? limits.max ?? 1;
  const share = max > min ? Math.min(1, Math.max(0, (value - min) / (max - min))) : 0;
  const fill = el('div', { class: 'cell-fill' });
  fill.style.width = `${100 * share}%`;
  const tint = color || 'var(--accent)';
  fill.style.background = look.mode === 'gradient' && color ? `linear-gradient(90deg, ${withAlpha(color, 0.25)}, ${color})` : tint;
  return el('div', { class: `cell-gauge ${look.mode === 'lcd' ? 'lcd' : ''}` }, fill);
}

function linksOf({ column, value, shown, row }) {
  const field = { name: column.title, labels: column.labels, value, text: shownText(shown), row };
  return (column.config.links ?? []).map((link) => dataLink(link, field)).filter(Boolean);
}

function contentOf(view, links) {
  const { column, value, shown } = view;
  const text = shownText(shown);
  if (column.look.type === 'json-view') return [el('code', {}, jsonText(value))];
  if (column.look.type === 'gauge' && typeof value === 'number') {
    const hidden = column.look.valueDisplayMode === 'hidden';
    return [el('div', { class: 'cell-gauge-row' }, gaugeBar(view), el('span', { class: hidden ? 'sr' : null }, text))];
  }
  const anchor = (link, inside) => el('a', { href: link.url, title: link.title, target: link.newTab ? '_blank' : null, rel: link.newTab ? 'noopener' : null }, inside);
  if (links.length === 1) return [anchor(links[0], column.look.type === 'data-links' ? links[0].title : text)];
  if (links.length > 1) return [column.look.type === 'data-links' ? '' : text, ...links.map((link) => anchor(link, link.title))];
  return [text];
}

/**
 * Draws a cell anew only when it shows something else than before.
 * @param view {column, value, shown, color, align, row(path)}: column with look, limits and title
 */
export function fillCell(cell, view) {
  const { column, shown, color, align } = view;
  const type = column.look.type;
  const links = linksOf(view);
  const key = JSON.stringify([shown, color, align, column.look, column.limits, links, type === 'json-view' && view.value]);
  if (cell.shownKey === key) return;
  cell.shownKey = key;
  cell.className = `${align} cell-${type}`;
  cell.classList.toggle('wrapped', Boolean(column.look.wrapText ?? column.config.custom?.wrapText));
  cell.style.color = '';
  cell.style.background = '';
  if (type === 'color-text' && color) cell.style.color = readable(color, cssColor('--panel'));
  if (type === 'color-background' && color) {
    const faded = column.look.mode === 'gradient';
    cell.style.background = faded ? `linear-gradient(120deg, ${color}, ${withAlpha(color, 0.82)})` : color;
    cell.style.color = textOn(color);
  }
  cell.replaceChildren(...contentOf(view, links));
}
