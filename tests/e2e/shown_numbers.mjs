// The numbers a dashboard page shows, read from its DOM, and what they must be: computed here from what
// the box answered to the page's requests.

import { displayText } from '../../webui/js/format/display.js';
import { countsPerBucket } from '../../webui/js/prometheus/buckets.js';
import { formatLegend } from '../../webui/js/prometheus/legend.js';

// Runs in the page: [{id, title, numbers: [[name, text, ...]]}] of every panel that shows numbers.
function readNumbers() {
  const textOf = (node, selector) => node.querySelector(selector)?.textContent ?? '';
  const rows = (panel, selector, read) => [...panel.querySelectorAll(selector)].map(read);
  const kReaders = {
    'type-timeseries': (panel) => rows(panel, '.legend tbody tr', (row) =>
      [textOf(row, 'th'), ...rows(row, 'td', (cell) => cell.textContent)]),
    'type-stat': (panel) => rows(panel, '.stat-item', (item) => [textOf(item, '.stat-name'), textOf(item, '.stat-value:not(.as-name)')]),
    'type-gauge': (panel) => rows(panel, '.gauge-item', (item) => [textOf(item, '.gauge-name'), textOf(item, '.gauge-value')]),
    'type-bargauge': (panel) => rows(panel, '.bar', (item) => [textOf(item, '.bar-name'), textOf(item, '.bar-value')]),
    'type-piechart': (panel) => rows(panel, '.legend-list li', (item) => [textOf(item, '.legend-text'), textOf(item, '.legend-value')]),
  };
  return [...document.querySelectorAll('.section:not([hidden]) .panel')].flatMap((panel) => {
    const type = Object.keys(kReaders).find((name) => panel.classList.contains(name));
    if (!type) return [];
    const numbers = kReaders[type](panel).filter(([, text]) => text !== '');
    return [{ id: Number(panel.dataset.panelId), title: panel.querySelector('h2').textContent, numbers }];
  });
}

export const shownNumbers = (page) => page.evaluate(readNumbers);

const quoted = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

// Whether `query` is `expr` with its variables filled.
function isFilled(expr, query) {
  const pattern = expr.split(/\$\{?[a-zA-Z_]\w*\}?/).map(quoted).join('.*?');
  return new RegExp(`^${pattern}$`, 's').test(query);
}

const kReducers = {
  lastNotNull: (values) => values.at(-1),
  mean: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
};

function reduced(points, calc) {
  const known = points.map(({ y }) => y).filter(Number.isFinite);
  return known.length > 0 ? kReducers[calc](known) : null;
}

function seriesOf({ status, data }, url) {
  if (status !== 'success') throw new Error(`${url} fails`);
  const result = data.resultType === 'scalar' ? [{ metric: {}, value: data.result }] : data.result;
  const numberOf = (text) => Number(text.replace('Inf', 'Infinity'));
  return result.map(({ metric, value, values }) => ({
    labels: metric, points: (values ?? [value]).map(([time, text]) => ({ x: time * 1000, y: numberOf(text) })),
  }));
}

/** What the box answered to the queries of a page, from its first on. */
export class Answers {
  constructor(page) {
    this.bodies_ = new Map();  // by address: a promise of the body
    page.on('response', (response) => {
      const url = response.url();
      // A request that a newer one overtook has no body.
      if (/\/api\/v1\/query(_range)?\?/.test(url)) this.bodies_.set(url, response.json().catch(() => null));
    });
  }

  urlsOf({ expr }) {
    return [...this.bodies_.keys()].filter((url) => isFilled(expr, new URL(url).searchParams.get('query')));
  }

  /** The numbers of `panel` where its targets' answers are those of `urls`: [[name, text, …]]. */
  async numbers_(panel, urls) {
    const { defaults } = panel.fieldConfig;
    const calcs = panel.type === 'timeseries' ? panel.options.legend.calcs : panel.options.reduceOptions.calcs;
    const numbers = [];
    for (const [index, target] of panel.targets.entries()) {
      const answered = seriesOf(await this.bodies_.get(urls[index]), urls[index]);
      for (const { labels, points } of target.format === 'heatmap' ? countsPerBucket(answered) : answered) {
        const texts = calcs.map((calc) => displayText(reduced(points, calc), defaults));
        // A pie has no slice for nothing.
        if (panel.type !== 'piechart' || points.at(-1).y > 0) numbers.push([formatLegend(target.legendFormat, labels), ...texts]);
      }
    }
    return numbers;
  }

  /**
   * What the panel may show: one list for each way to match its targets with requests. There are several
   * only where two panels of different widths ask for one expression in different steps.
   */
  async possibleNumbers(panel) {
    let ways = [[]];
    for (const target of panel.targets) {
      const urls = this.urlsOf(target);
      if (urls.length === 0) throw new Error(`nobody asked for ${target.expr}`);
      ways = ways.flatMap((way) => urls.map((url) => [...way, url]));
    }
    const sameStep = ways.filter((way) => new Set(way.map((url) => new URL(url).searchParams.get('step')).filter(Boolean)).size <= 1);
    return Promise.all((sameStep.length > 0 ? sameStep : ways).map((way) => this.numbers_(panel, way)));
  }
}

/** Whether the numbers on the page are those expected; names may be hidden where there is only one. */
export function sameNumbers(shown, expected) {
  const key = (named) => ([name, ...texts]) => JSON.stringify([named ? name : '', ...texts]);
  const named = shown.every(([name]) => name !== '');
  const sorted = (list) => list.map(key(named)).sort();
  const [a, b] = [sorted(shown), sorted(expected)];
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
