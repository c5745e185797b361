// Where Prometheus 3, whose language the box speaks, and 2.42 answer differently by design, told from
// the samples: a class is named for a point only if an input of that very point meets its condition.

import { compare, relativeDifference } from './differential.mjs';
import { get } from './prometheus.mjs';

export const kClasses = {
  'left edge': 'a sample lies exactly on the left edge of a range, which 2.42 counts and 3 does not',
  'extrapolation': 'the first sample of a rate lies more than 1.1 sample intervals after the left edge ' +
    'of its range: 2.42 may extrapolate to where the counter was zero, 3 by half an interval at most',
  'atan2': 'the name of the metric stays in 2.42; without names both agree',
  'pinned range': 'predict_linear over a range that @ pins: 2.42 moves the range on at each step; asked ' +
    'for that step alone both agree',
  'lost scrape': 'prometheus has missed a sample of the box that the expression looks at',
  'coarse tier': 'a subquery over more seconds than a panel has use for is answered from roll-ups; over ' +
    'an hour, which holds all samples there are, both agree',
};

// Seconds between two times, as both servers compute them from whole milliseconds: whether a distance
// is below a threshold hangs on the last bit.
const secondsBetween = (fromS, toS) => Math.round((toS - fromS) * 1000) / 1000;

// What a rate's increase is multiplied with: the seconds it stands for. samples: [[s, value], ...].
function extrapolatedSeconds(samples, fromS, toS, increase, isVersion3) {
  const [[firstS, first], [lastS]] = [samples[0], samples.at(-1)];
  const sampledS = secondsBetween(firstS, lastS);
  const intervalS = sampledS / (samples.length - 1);
  const thresholdS = intervalS * 1.1;
  const toZeroS = increase > 0 && first >= 0 ? sampledS * (first / increase) : Infinity;
  let startS = secondsBetween(fromS, firstS);
  if (isVersion3) {
    if (startS >= thresholdS) startS = intervalS / 2;
    startS = Math.min(startS, toZeroS);
  } else {
    startS = Math.min(startS, toZeroS);
    if (startS >= thresholdS) startS = intervalS / 2;
  }
  const toEndS = secondsBetween(lastS, toS);
  const endS = toEndS < thresholdS ? toEndS : intervalS / 2;
  return sampledS + startS + endS;
}

function increaseOf(samples) {
  let increase = samples.at(-1)[1] - samples[0][1];
  for (let i = 1; i < samples.length; ++i) {
    if (samples[i][1] < samples[i - 1][1]) increase += samples[i - 1][1];
  }
  return increase;
}

function extrapolationDiffers(samples, fromS, toS) {
  if (samples.length < 2) return false;
  const increase = increaseOf(samples);
  const [v2, v3] = [false, true].map(
    (isVersion3) => extrapolatedSeconds(samples, fromS, toS, increase, isVersion3));
  return increase !== 0 && relativeDifference(v2, v3) > 1e-9;
}

const selectorText = ({ matchers }) =>
  `{${matchers.map(({ name, value, type }) => `${name}${type}${JSON.stringify(value)}`).join(',')}}`;

const childrenOf = (node) => [node.expr, node.lhs, node.rhs, node.param, ...(node.args ?? [])].filter(
  (child) => child !== null && typeof child === 'object');

const nodesOf = (node) => [node, ...childrenOf(node).flatMap(nodesOf)];

const shortened = (query) => query.replaceAll(/\[\d+[hdw]:/g, '[1h:');

const isPinnedPrediction = ({ func, args }) => func?.name === 'predict_linear' &&
  (args[0].startOrEnd !== null || args[0].timestamp !== null);

// The times, in milliseconds, that a selector or subquery looks at when it is evaluated at `atMs`.
function shifted(node, atMs, window) {
  const edge = { start: window.start, end: window.end }[node.startOrEnd];
  return (edge === undefined ? node.timestamp ?? atMs : Math.round(edge * 1000)) - node.offset;
}

export class VersionDifferences {
  // theirs: whose samples are looked at. ours: also whose parse_query tells the shape of an expression.
  // sampleMs: the times of all samples; lostMs: of those that only ours has.
  constructor({ ours, theirs, sampleMs, lostMs }) {
    this.url = theirs;
    this.parserUrl = ours;
    this.sampleMs = sampleMs;
    this.lostMs = lostMs;
    this.trees = new Map();
    this.known = new Map();  // selector and time to the class found there
  }

  async tree(query) {
    if (!this.trees.has(query)) {
      this.trees.set(query, await get(`${this.parserUrl}/api/v1/parse_query`, { query }));
    }
    return this.trees.get(query);
  }

  // The class of the difference at {atS, key, ours, theirs} of `query`, or undefined.
  async classOf(query, window, point) {
    const tree = await this.tree(query);
    if (nodesOf(tree).some(({ type, op }) => type === 'binaryExpr' && op === 'atan2') &&
      await this.agreeWithoutNames(query, window)) return 'atan2';
    if (nodesOf(tree).some(isPinnedPrediction) && await this.agreeAt(query, window, point)) {
      return 'pinned range';
    }
    if (query !== shortened(query) && await this.agree(shortened(query), window)) return 'coarse tier';
    const atMs = Math.round(point.atS * 1000);
    const { name } = tree.func ?? {};
    if (/^(rate|increase)$/.test(name) && tree.args[0].type === 'subquery') {
      const [{ range, ...shift }] = tree.args;
      const text = query.slice(name.length + 1, -1);  // without the call
      const found = await this.inspect(text, range, shifted(shift, atMs, window), atMs, name);
      if (found) return found;
    }
    return this.visit(tree, [atMs], window, '');
  }

  async agree(query, window) {
    return (await compare(this.parserUrl, this.url, query, window)).different.length === 0;
  }

  agreeWithoutNames(query, window) {
    return this.agree(`label_replace(${query}, "__name__", "", "", "")`, window);
  }

  agreeAt(query, window, { atS }) {
    const text = query.replaceAll('@ start()', `@ ${window.start}`).replaceAll('@ end()', `@ ${window.end}`);
    return this.agree(text, { start: atS, end: atS, step: window.step });
  }

  async visit(node, timesMs, window, caller) {
    if (/Selector$/.test(node.type) && this.looksAtLost(node, timesMs, window)) return 'lost scrape';
    if (node.type === 'matrixSelector') {
      for (const atMs of timesMs) {
        const toMs = shifted(node, atMs, window);
        const text = `${selectorText(node)}[${node.range}ms]`;
        const found = await this.inspect(text, node.range, toMs, toMs, caller);
        if (found) return found;
      }
      return undefined;
    }
    if (node.type === 'subquery') return this.visitSubquery(node, timesMs, window, caller);
    for (const child of childrenOf(node)) {
      const found = await this.visit(child, timesMs, window, node.func?.name ?? caller);
      if (found) return found;
    }
    return undefined;
  }

  looksAtLost(node, timesMs, window) {
    return timesMs.some((atMs) => {
      const toMs = shifted(node, atMs, window);
      const newestMs = this.sampleMs.findLast((time) => time <= toMs);
      return this.lostMs.some((time) => time <= toMs && time >= (node.range ? toMs - node.range : newestMs));
    });
  }

  async visitSubquery(node, timesMs, window, caller) {
    const stepMs = node.step || 60000;
    const inner = new Set();
    for (const atMs of timesMs) {
      const toMs = shifted(node, atMs, window);
      const fromMs = toMs - node.range;
      if (fromMs % stepMs === 0) return 'left edge';
      for (let at = Math.ceil(fromMs / stepMs) * stepMs; at <= toMs; at += stepMs) inner.add(at);
    }
    return this.visit(node.expr, [...inner].filter((at) => at >= this.sampleMs[0]), window, caller);
  }

  // What is special about the samples in [toMs - range, toMs], which `text` gives when asked at askMs.
  async inspect(text, range, toMs, askMs, caller) {
    const key = `${text} ${askMs} ${caller}`;
    if (!this.known.has(key)) {
      const { result } = await get(`${this.url}/api/v1/query`, { query: text, time: askMs / 1000 });
      const fromS = (toMs - range) / 1000;
      const isRate = caller === 'rate' || caller === 'increase';
      let found;
      for (const { values } of result) {
        const samples = values.map(([time, value]) => [time, Number(value)]);
        if (samples[0][0] === fromS) found = 'left edge';
        else if (isRate && extrapolationDiffers(samples, fromS, toMs / 1000)) found ??= 'extrapolation';
      }
      this.known.set(key, found);
    }
    return this.known.get(key);
  }
}
