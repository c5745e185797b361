// Panel type "bargauge": a bar per value between the field's min and max.

import { themeColor, withAlpha } from '../format/colors.js';
import { shownText } from '../format/display.js';
import { el } from '../shell/dom.js';
import { shareOf, thresholdStops } from './reduced_fields.js';
import { fitViews, reducedValues } from './reduced_values.js';

/** Colours along the whole bar: the thresholds one after the other, flowing or in steps. */
function barColors(entry, theme, { flowing, towards, alpha = 1 }) {
  const { config, limits, color } = entry;
  const tint = (name) => withAlpha(themeColor(name, theme), alpha);
  if (config.color?.mode !== 'thresholds') {
    const plain = withAlpha(color, alpha);
    return flowing ? `linear-gradient(${towards}, ${withAlpha(color, alpha * 0.35)} 0%, ${plain} 100%)` : plain;
  }
  const stops = thresholdStops(config, limits);
  const places = stops.flatMap((stop, index) => {
    const end = stops[index + 1]?.share ?? 1;
    return flowing ? [`${tint(stop.color)} ${100 * stop.share}%`] : [`${tint(stop.color)} ${100 * stop.share}%`, `${tint(stop.color)} ${100 * end}%`];
  });
  return places.length > 1 ? `linear-gradient(${towards}, ${places.join(', ')})` : tint(stops[0].color);
}

class Bar {
  constructor() {
    this.name_ = el('span', { class: 'bar-name' });
    this.value_ = el('b', { class: 'bar-value' });
    this.fill_ = el('div', { class: 'bar-fill' });
    this.track_ = el('div', { class: 'bar-track' }, this.fill_);
    this.element = el('div', { class: 'bar' }, this.name_, this.track_, this.value_);
  }

  draw(entry, { options, limits, vertical, theme }) {
    const share = shareOf(entry.value, entry.config, limits);
    const mode = options.displayMode ?? 'gradient';
    const towards = vertical ? '0deg' : '90deg';
    const rest = `${100 * (1 - share)}%`;
    this.name_.textContent = entry.name;
    this.name_.title = entry.name;
    this.value_.textContent = shownText(entry.shown);
    this.value_.style.color = options.valueMode === 'text' ? '' : entry.ink;
    this.value_.hidden = options.valueMode === 'hidden';
    this.fill_.style.clipPath = vertical ? `inset(${rest} 0 0 0)` : `inset(0 ${rest} 0 0)`;
    this.fill_.style.background = mode === 'basic' ? entry.color : barColors(entry, theme, { flowing: mode === 'gradient', towards });
    this.track_.style.background = options.showUnfilled === false ? 'transparent'
      : mode === 'lcd' ? barColors(entry, theme, { flowing: false, towards, alpha: 0.2 }) : '';
    this.element.dataset.share = share.toFixed(4);
  }
}

export class BarGaugePanel {
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    this.bars_ = [];
    const { orientation = 'auto', displayMode = 'gradient', namePlacement = 'auto', sizing = 'auto' } = panel.options;
    this.list_ = el('div', { class: `bars turn-${orientation || 'auto'} bar-${displayMode} names-${namePlacement} sizing-${sizing}`, tabindex: 0, role: 'group', 'aria-label': panel.title });
    body.replaceChildren(this.list_);
    this.watch_ = new ResizeObserver(() => {
      if (this.data_ && this.isVertical_() !== this.list_.classList.contains('standing')) this.draw(this.data_);
    });
    this.watch_.observe(this.list_);
  }

  /** Which way "auto" turns: bars stand where the panel is wider than high, as in Grafana. */
  isVertical_() {
    const { orientation = 'auto' } = this.panel_.options;
    if (orientation === 'vertical' || orientation === 'horizontal') return orientation === 'vertical';
    return this.list_.clientWidth > this.list_.clientHeight;
  }

  draw(data) {
    this.data_ = data;
    const entries = reducedValues(this.panel_, data, this.context_);
    const most = entries.reduce((max, entry) => Math.max(max, entry.value ?? 0), 0);
    const shape = {
      options: this.panel_.options, vertical: this.isVertical_(), theme: this.context_.theme(), limits: { min: Math.min(0, entries[0]?.limits.min ?? 0), max: most || 1 },
    };
    this.list_.classList.toggle('standing', shape.vertical);
    fitViews(this.bars_, entries.length, this.list_, () => new Bar());
    entries.forEach((entry, index) => this.bars_[index].draw({ ...entry, limits: shape.limits }, shape));
  }

  destroy() {
    this.watch_.disconnect();
  }
}
