// PromQL expressions over series that exist, by a seeded generator: the same seed and series make the
// same expressions. Every function, aggregation and operator that Debian's Prometheus 2.42 knows for
// floats has a maker, and expression i is made by maker i modulo their number: none is left to chance.
//
// What turns a difference in the last bit into another answer (floor of a quotient, == of two rates,
// the second best of equals, the sine of a billion) is asked of samples as they are stored, or summed up.

// Marsaglia's xorshift32; in [0, 1).
export function randomNumbers(seed) {
  let state = Math.imul(seed, 0x9e3779b1) || 1;  // spreads small seeds over all bits
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const kOverTime = ['avg', 'min', 'max', 'sum', 'count', 'last', 'stddev', 'stdvar', 'present'];
const kMath = ['abs', 'sqrt', 'ln', 'log2', 'log10', 'asin', 'acos', 'atan', 'tanh', 'asinh', 'acosh',
  'atanh', 'deg', 'rad'];
const kMagnifying = ['exp', 'sin', 'cos', 'tan', 'sinh', 'cosh'];  // a last bit, where values are large
const kCalendar = ['minute', 'hour', 'day_of_month', 'day_of_week', 'day_of_year', 'days_in_month',
  'month', 'year'];
const kAggregations = ['sum', 'min', 'max', 'avg', 'count', 'stddev', 'stdvar', 'group'];
const kRangesS = [3, 7, 10, 15, 30, 45, 60, 90];

export class ExpressionGenerator {
  // metrics: label sets of the series that may be asked for. spanS: how long their samples reach back.
  constructor(seed, metrics, spanS) {
    this.random = randomNumbers(seed);
    this.ranges = kRangesS.filter((range) => range <= spanS);
    this.byName = new Map();
    for (const metric of metrics) {
      const list = this.byName.get(metric.__name__) ?? [];
      list.push(metric);
      this.byName.set(metric.__name__, list);
    }
    const names = [...this.byName.keys()].sort();
    this.buckets = names.filter((name) => name.endsWith('_bucket'));
    this.counters = names.filter((name) => /_(total|sum|count)$/.test(name));
    this.gauges = names.filter((name) => !/_(bucket|total|sum|count|created)$/.test(name));
    this.makers = [...this.rangeMakers(), ...this.instantMakers(), ...this.operatorMakers(),
      ...this.labelMakers()];
  }

  // `count` expressions, but at least one by each maker.
  make(count) {
    return Array.from({ length: Math.max(count, this.makers.length) },
      (_, i) => this.makers[i % this.makers.length]());
  }

  pick(list) { return list[Math.floor(this.random() * list.length)]; }
  chance(probability) { return this.random() < probability; }
  quantile() { return this.pick([0, 0.1, 0.5, 0.9, 0.95, 0.99, 1, this.random().toFixed(4)]); }
  factor() { return (this.random() * 20 - 10).toFixed(3); }

  modifier() {
    const kind = this.random();
    if (kind < 0.12) return ` offset ${this.pick(this.ranges)}s`;
    if (kind < 0.16) return ' offset -5s';
    if (kind < 0.22) return this.pick([' @ start()', ' @ end()']);
    return '';
  }

  matcher(metric, label) {
    const value = metric[label].replaceAll('\\', '\\\\').replaceAll('"', '\\"');
    const regex = value.replaceAll(/[^\w "]/g, '.');  // also a dot for what it would escape
    return this.pick([`${label}="${value}"`, `${label}=~"${regex}"`, `${label}=~"${regex.slice(0, 3)}.*|x+"`,
      `${label}!="${value}"`, `${label}!~"nothing|${regex.slice(0, 2)}z"`, `${label}!~"${regex}"`]);
  }

  // name{matchers}, of a series that exists; the matchers may still leave none.
  selector(names) {
    const name = this.pick(names);
    const metric = this.pick(this.byName.get(name));
    const labels = Object.keys(metric).filter((label) => label !== '__name__');
    const matchers = labels.filter(() => this.chance(0.2)).map((label) => this.matcher(metric, label));
    return name + (matchers.length > 0 ? `{${matchers.join(',')}}` : '');
  }

  anything() { return this.pick([this.counters, this.gauges, this.buckets]); }
  range() { return `[${this.pick(this.ranges)}s]`; }
  raw(names = this.anything()) { return this.selector(names) + this.modifier(); }
  window(names) { return this.selector(names) + this.range() + this.modifier(); }

  // A vector of computed numbers.
  computed() {
    return this.pick([
      () => `rate(${this.window(this.counters)})`,
      () => `increase(${this.window(this.counters)})`,
      () => `avg_over_time(${this.window(this.gauges)})`,
      () => `${this.raw(this.gauges)} * ${this.factor()}`,
      () => `sum by (${this.label()}) (rate(${this.window(this.counters)}))`,
    ])();
  }

  vector() { return this.chance(0.5) ? this.raw() : this.computed(); }

  label() { return this.pick(['model_name', 'le', 'engine', 'method', 'handler', 'reason', 'gpu']); }

  grouping() {
    const labels = [...new Set(Array.from({ length: Math.floor(this.random() * 3) }, () => this.label()))];
    return this.pick(['', ` by (${labels.join(', ')})`, ` without (${labels.join(', ')})`]);
  }

  rangeMakers() {
    return [
      ...['rate', 'increase', 'irate', 'resets', 'changes'].map(
        (name) => () => `${name}(${this.window(this.pick([this.counters, this.buckets]))})`),
      ...['delta', 'idelta', 'deriv', 'resets', 'changes'].map(
        (name) => () => `${name}(${this.window(this.gauges)})`),
      () => `predict_linear(${this.window(this.gauges)}, ${this.pick([1, 60, 3600])})`,
      ...kOverTime.map((name) => () => `${name}_over_time(${this.window(this.anything())})`),
      ...kOverTime.map((name) => () =>
        `${name}_over_time((${this.computed()})[${this.pick(this.ranges)}s:${this.pick([1, 2, 5])}s])`),
      () => `quantile_over_time(${this.quantile()}, ${this.window(this.anything())})`,
      () => `absent_over_time(${this.window(this.anything())})`,
      () => `absent_over_time(nothing_of_the_kind{a="b"}${this.range()})`,
      () => `max_over_time(rate(${this.window(this.counters)})[30s:3s] offset 5s)`,
      () => `rate(sum(${this.raw(this.counters)})[45s:3s])`,
      () => `histogram_quantile(${this.quantile()}, sum by (le) (rate(${this.window(this.buckets)})))`,
      () => `histogram_quantile(${this.quantile()}, rate(${this.window(this.buckets)}))`,
      () => `histogram_quantile(${this.quantile()}, ${this.raw(this.buckets)})`,
      () => `histogram_quantile(${this.quantile()}, sum by (le, model_name) ` +
        `(increase(${this.window(this.buckets)})))`,
    ];
  }

  instantMakers() {
    return [
      ...kMath.map((name) => () => `${name}(${this.vector()})`),
      ...kCalendar.map((name) => () => `${name}(${this.chance(0.3) ? '' : this.raw()})`),
      ...['ceil', 'floor', 'sgn', ...kMagnifying].map((name) => () => `${name}(${this.raw()})`),
      () => `round(${this.raw()}, ${this.pick([0.1, 1, 5, 1000])})`,
      () => `clamp(${this.vector()}, -${this.pick([0, 1])}, ${this.pick([0.5, 10, 1000])})`,
      () => `clamp_min(${this.vector()}, ${this.factor()})`,
      () => `clamp_max(${this.vector()}, ${this.factor()})`,
      () => `timestamp(${this.raw()})`,
      () => `time() - ${this.raw(this.gauges)}`,
      () => `vector(time() + ${this.factor()})`,
      () => `vector(pi())`,
      () => `scalar(sum(${this.vector()}))`,
      () => `absent(${this.raw()})`,
      () => `sort_desc(${this.vector()})`,
      () => `sort(${this.vector()})`,
      () => `-(${this.vector()})`,
      ...kAggregations.map((name) => () => `${name}${this.grouping()} (${this.vector()})`),
      () => `quantile${this.grouping()} (${this.quantile()}, ${this.vector()})`,
      ...['topk', 'bottomk'].map(
        (name) => () => `sum(${name}${this.grouping()} (${this.pick([1, 2, 5])}, ${this.raw()}))`),
      () => `count_values${this.grouping()} ("value", ${this.raw()})`,
    ];
  }

  operatorMakers() {
    const onBoth = () => {
      const [label, other] = this.pick([['model_name', 'finished_reason'], ['model_name', 'le'],
        ['handler', 'method']]);
      return { label, one: () => `sum by (${label}) (${this.vector()})`,
        many: () => `sum by (${label}, ${other}) (${this.vector()})` };
    };
    const oneToMany = (operator, side) => () => {
      const { label, one, many } = onBoth();
      return side === 'left' ? `${many()} ${operator} on (${label}) group_left ${one()}`
        : `${one()} ${operator} on (${label}) group_right ${many()}`;
    };
    return [
      ...['+', '-', '*', '/', '^', 'atan2'].map(
        (operator) => () => `(${this.vector()}) ${operator} ${operator === '^' ? 2 : `(${this.factor()})`}`),
      () => `${this.raw()} % ${this.pick([3, 7, 60])}`,
      ...['>', '<', '>=', '<=', '==', '!='].map(
        (operator) => () => `${this.raw()} ${operator} ${this.chance(0.4) ? 'bool ' : ''}${
          this.pick([0, 1, 2, 10])}`),
      ...['+', '-', '*', '/', '^', 'atan2'].map((operator) => oneToMany(operator, 'left')),
      ...['+', '-', '/'].map((operator) => oneToMany(operator, 'right')),
      () => `${this.computed()} / ignoring (le) ${this.raw()}`,
      () => { const x = this.selector(this.anything()); return `${x} - ${x} offset 5s`; },
      () => { const x = this.selector(this.counters); return `${x} > bool ${x} offset 10s`; },
      ...['and', 'or', 'unless'].map((operator) => () => {
        const { label } = onBoth();
        return `${this.raw()} ${operator}${this.pick(['', ` on (${label})`, ` ignoring (${label})`])} ${
          this.raw()}`;
      }),
      ...['and', 'unless'].map((operator) => () => {
        const x = this.selector(this.gauges);
        return `${x} ${operator} ${x} > ${this.pick([0, 1, 100])}`;
      }),
    ];
  }

  labelMakers() {
    return [
      () => `label_replace(${this.vector()}, "copy", "$1-$2", "${this.label()}", "(.)(.*)")`,
      () => `label_replace(${this.raw()}, "copy", "x", "${this.label()}", "z.*")`,
      () => `label_join(${this.vector()}, "joined", "/", "${this.label()}", "${this.label()}")`,
      () => `sum by (copy) (label_replace(${this.vector()}, "copy", "$1", "__name__", "(...).*"))`,
      () => { const x = this.selector(this.gauges);
        return `${x} * on (model_name) group_left (copy) sum by (model_name, copy) (label_replace(${
          this.raw(this.gauges)}, "copy", "y", "", ""))`; },
    ];
  }
}
