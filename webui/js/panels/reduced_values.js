// Values as tiles, gauges, bars and slices show them: reduced, formatted and coloured.

import { readable } from '../format/contrast.js';
import { display } from '../format/display.js';
import { themeColor } from '../format/colors.js';
import { reducerTitle } from '../format/reducers.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { cssColor } from './chart_axes.js';
import { globalLimits, gridColumns, reducedFields } from './reduced_fields.js';

/**
 * @returns [{name, value, points, config, limits, shown, color, ink}]: `shown` is display() of the value,
 *          `color` a CSS colour: what the field's mappings, thresholds or colour mode say, else the series'
 *          own; `ink` is that colour as text on a panel
 */
export function reducedValues(panel, data, context) {
  const limits = globalLimits(panel, data);
  const ground = cssColor('--panel');
  return reducedFields(panel, data).map((entry) => {
    const { config, value, calc } = entry;
    const name = calc ? `${entry.name} (${t(reducerTitle(calc))})` : entry.name;
    const shown = display(value, config, limits);
    const color = themeColor(shown.color || context.colors.name(name), context.theme());
    return { ...entry, name, limits, shown, color, ink: readable(color, ground) };
  });
}

/** A shown value with its unit in smaller type. */
export function valueElement(shown, className) {
  const unit = (text) => text && el('span', { class: 'unit' }, text);
  return el('div', { class: className }, unit(shown.prefix), shown.text, unit(shown.suffix));
}

/** Letters of a shown value, the unit's counted as the smaller ones they are: by them a value is fitted. */
export function shownLength({ prefix, text, suffix }) {
  return Math.max(2, text.length + 0.6 * (prefix.length + suffix.length));
}

/** Brings the children of `box` to `count` with `make`; the views that are left stay as they are. */
export function fitViews(views, count, box, make) {
  while (views.length > count) {
    const view = views.pop();
    view.destroy?.();
    view.element.remove();
  }
  while (views.length < count) {
    const view = make();
    views.push(view);
    box.append(view.element);
  }
  return views;
}

/** Tiles of one shape that grow as large as their box lets them, however the box is resized. */
export class TileGrid {
  /** @param aspect width by height that suits a tile */
  constructor(className, aspect) {
    this.aspect_ = aspect;
    this.views_ = [];
    this.element = el('div', { class: `tiles ${className}` });
    this.watch_ = new ResizeObserver(() => this.arrange_());
    this.watch_.observe(this.element);
  }

  /** The views of `count` tiles; new ones are made with `make`. */
  fit(count, make) {
    const before = this.views_.length;
    fitViews(this.views_, count, this.element, make);
    if (count !== before) this.arrange_();
    return this.views_;
  }

  arrange_() {
    const { clientWidth, clientHeight } = this.element;
    this.element.style.setProperty('--columns', gridColumns(this.views_.length, clientWidth, clientHeight, this.aspect_));
  }

  destroy() {
    this.watch_.disconnect();
    for (const view of this.views_) view.destroy();
  }
}
