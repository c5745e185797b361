// Every series of a panel reduced to one value, for the panels that show values and not courses.

import { display } from '../format/display.js';
import { themeColor } from '../format/colors.js';
import { el } from '../shell/dom.js';
import { reduce } from '../format/reducers.js';

/**
 * @returns [{...series, value, shown, color}]: `shown` is display() of the value, `color` a CSS colour:
 *          what the field's mappings, thresholds or colour mode say, else the series' own
 */
export function reducedSeries(panel, data, context) {
  const calc = panel.options.reduceOptions?.calcs?.[0] ?? 'lastNotNull';
  return data.series.map((series) => {
    const value = reduce(series.points, calc);
    const shown = display(value, series.config);
    return { ...series, value, shown, color: themeColor(shown.color || context.colors.name(series.name), context.theme()) };
  });
}

/** A shown value with its unit in smaller type. */
export function valueElement(shown, className) {
  const unit = (text) => text && el('span', { class: 'unit' }, text);
  return el('div', { class: className }, unit(shown.prefix), shown.text, unit(shown.suffix));
}
