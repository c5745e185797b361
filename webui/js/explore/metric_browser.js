// Every metric of the box to look through: type, help, and of a chosen one its labels and how many
// series and values they have.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { choose } from './completions.js';

const kMostListed = 200;
const kMostValues = 12;

/** @param series [labels] of one metric @returns [{label, values}], the most values first */
export function labelCounts(series) {
  const values = new Map();
  for (const labels of series) {
    for (const [label, value] of Object.entries(labels)) {
      if (label === '__name__') continue;
      if (!values.has(label)) values.set(label, new Set());
      values.get(label).add(value);
    }
  }
  return [...values].map(([label, set]) => ({ label, values: [...set].sort() }))
    .sort((a, b) => b.values.length - a.values.length || a.label.localeCompare(b.label));
}

export class MetricBrowser {
  /** @param index a SeriesIndex @param onChoose(text) takes what goes into the query */
  constructor(index, onChoose) {
    this.index_ = index;
    this.onChoose_ = onChoose;
    this.search_ = el('input', { type: 'text', 'aria-label': t('Search metrics'), placeholder: t('Search metrics'), oninput: () => this.list_() });
    this.count_ = el('p', { class: 'hint', role: 'status' });
    this.names_ = el('ul', { class: 'metric-list' });
    this.details_ = el('div', { class: 'metric-details' });
    this.element = el('section', { class: 'side-pane', id: 'metrics', 'aria-label': t('Metrics') },
      el('h2', {}, t('Metrics')), this.search_, this.count_, this.details_, this.names_);
    this.list_();
  }

  async list_() {
    const text = this.search_.value.trim();
    const metrics = await this.index_.metrics();
    if (text !== this.search_.value.trim()) return;
    // A word of the help finds a metric as well, after those whose names fit.
    const byName = choose(metrics.map((metric) => ({ ...metric, text: metric.name })), text).map(({ name }) => name);
    const names = new Set(text === '' ? metrics.map(({ name }) => name) : byName);
    const byHelp = text === '' ? [] : metrics.filter(({ name, help }) => !names.has(name) && help.toLowerCase().includes(text.toLowerCase()));
    const all = [...names, ...byHelp.map(({ name }) => name)];
    this.count_.textContent = all.length > kMostListed
      ? t('The first {shown} of {count} metrics', { shown: kMostListed, count: all.length }) : t('{count} metrics', { count: all.length });
    const known = new Map(metrics.map((metric) => [metric.name, metric]));
    this.names_.replaceChildren(...all.slice(0, kMostListed).map((name) => this.item_(known.get(name))));
  }

  item_(metric) {
    return el('li', {}, el('button', { type: 'button', class: 'metric-name', onclick: () => this.show_(metric) },
      el('code', {}, metric.name), el('span', { class: 'hint' }, metric.type)));
  }

  async show_(metric) {
    const put = (text) => el('button', { type: 'button', class: 'tool wide', onclick: () => this.onChoose_(text) }, t('Use in the query'));
    this.details_.replaceChildren(el('h3', {}, el('code', {}, metric.name)), el('p', {}, metric.help), put(metric.name));
    this.details_.scrollIntoView({ block: 'nearest' });
    const series = await this.index_.series(metric.name);
    this.details_.append(el('p', { class: 'hint' }, t('{count} series', { count: series.length })),
      el('dl', {}, ...labelCounts(series).flatMap(({ label, values }) => [
        el('dt', {}, el('code', {}, label), ' ', el('span', { class: 'hint' }, t('{count} values', { count: values.length }))),
        el('dd', {}, ...values.slice(0, kMostValues).map((value) => el('button', {
          type: 'button', class: 'label-value', onclick: () => this.onChoose_(`${metric.name}{${label}=${JSON.stringify(value)}}`),
        }, value === '' ? '""' : value)), values.length > kMostValues && el('span', { class: 'hint' }, ` … ${values.length - kMostValues}`)),
      ])));
  }

  focus() {
    this.search_.focus();
  }
}
