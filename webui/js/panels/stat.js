// Panel type "stat": large numbers that fill their tile, with the course behind them.

import { textOn, withGround } from '../format/contrast.js';
import { shownText } from '../format/display.js';
import { formatValue } from '../format/units.js';
import { withGaps } from '../prometheus/series.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { cssColor } from './chart_axes.js';
import { dataLink } from './links.js';
import { changeOf } from './reduced_fields.js';
import { TileGrid, reducedValues, shownLength, valueElement } from './reduced_values.js';
import { Sparkline } from './sparkline.js';

const kTileAspect = 1.8;

/** What of name and value a tile shows; "auto" names them where there are several. */
function shownParts(textMode, count) {
  const mode = textMode ?? 'auto';
  return {
    value: !['name', 'none'].includes(mode),
    name: ['name', 'value_and_name'].includes(mode) || (mode === 'auto' && count > 1),
  };
}

function linked({ url, title, newTab }, children) {
  return el('a', { href: url, title, target: newTab ? '_blank' : null, rel: newTab ? 'noopener' : null }, ...children);
}

class StatTile {
  constructor(withSpark) {
    this.spark_ = withSpark ? new Sparkline() : null;
    this.text_ = el('div', { class: 'stat-text' });
    this.element = el('div', { class: 'stat-item' }, this.spark_?.element, this.text_);
  }

  draw(entry, { options, parts, data }) {
    const colorMode = options.colorMode ?? 'value';
    const onGround = colorMode.startsWith('background');
    const ink = onGround ? textOn(entry.color) : colorMode === 'none' ? '' : entry.ink;
    this.element.style.background = onGround ? withGround(entry.color, colorMode) : '';
    this.element.classList.toggle('on-color', onGround);
    this.element.classList.toggle('named', parts.name && parts.value);
    this.element.style.setProperty('--letters', parts.value ? shownLength(entry.shown).toFixed(1) : Math.max(4, entry.name.length));
    this.write_(entry, { options, parts, ink, onGround });
    this.spark_?.draw({
      points: withGaps(entry.points, data.stepS * 1000), fromMs: data.fromMs, toMs: data.toMs,
      color: onGround ? ink : colorMode === 'none' ? cssColor('--text-3') : entry.color, min: entry.config.min, max: entry.config.max,
    });
  }

  /** Written anew only when it says something else: a refresh must not take the focus from a link. */
  write_(entry, { options, parts, ink, onGround }) {
    const { shown, value, name, points, config, labels } = entry;
    const change = options.showPercentChange && parts.value ? changeOf(points) : null;
    const link = dataLink(config.links?.[0] ?? {}, { name, labels, value, text: shownText(shown) });
    const said = JSON.stringify([shown, name, ink, change, link, parts]);
    if (said === this.said_) return;
    this.said_ = said;
    const { titleSize, valueSize } = options.text ?? {};
    const title = parts.name && el('div', { class: parts.value ? 'stat-name' : 'stat-value as-name', title: name }, name);
    const number = parts.value && valueElement(shown, 'stat-value');
    for (const large of [number, !parts.value && title]) {
      if (large) Object.assign(large.style, { color: ink, fontSize: valueSize ? `${valueSize}px` : '' });
    }
    if (title && parts.value && titleSize) title.style.fontSize = `${titleSize}px`;
    this.text_.style.color = onGround ? ink : '';
    const words = [title, number].filter(Boolean);
    this.text_.replaceChildren(...(link ? [linked(link, words)] : words), ...(change === null ? [] : [this.change_(change, options)]));
  }

  /** How much the value changed over the time shown; the arrow says the direction without the colour. */
  change_(change, { percentChangeColorMode = 'standard', colorMode }) {
    const better = percentChangeColorMode === 'inverted' ? change < 0 : change > 0;
    const tone = change === 0 || percentChangeColorMode === 'same_as_value' || colorMode?.startsWith('background') ? '' : better ? 'better' : 'worse';
    const arrow = change > 0 ? '▲' : change < 0 ? '▼' : '■';
    return el('div', { class: `stat-change ${tone}`, title: t('Change over the time shown') }, `${arrow} ${formatValue(Math.abs(change), 'percentunit', 1)}`);
  }

  destroy() {
    this.spark_?.destroy();
  }
}

export class StatPanel {
  constructor(panel, body, context) {
    this.panel_ = panel;
    this.context_ = context;
    const { orientation, justifyMode = 'auto' } = panel.options;
    this.grid_ = new TileGrid(`stat-tiles turn-${orientation || 'auto'} justify-${justifyMode}`, kTileAspect);
    body.replaceChildren(this.grid_.element);
  }

  draw(data) {
    const { options } = this.panel_;
    const entries = reducedValues(this.panel_, data, this.context_);
    const parts = shownParts(options.textMode, entries.length);
    const withSpark = (options.graphMode ?? 'area') === 'area' && !options.reduceOptions?.values;
    this.grid_.element.classList.toggle('with-spark', withSpark);
    this.grid_.element.classList.toggle('with-change', Boolean(options.showPercentChange));
    const tiles = this.grid_.fit(entries.length, () => new StatTile(withSpark));
    entries.forEach((entry, index) => tiles[index].draw(entry, { options, parts, data }));
  }

  destroy() {
    this.grid_.destroy();
  }
}
