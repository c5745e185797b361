// Field configuration: a panel's defaults and the overrides that match a series or a column.

import { reduce } from '../format/reducers.js';
import { toRegExp } from '../format/regexp.js';

const kComparisons = {
  '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b,
  '=': (a, b) => a === b, '==': (a, b) => a === b, '!=': (a, b) => a !== b,
};

const named = (field, names) => names.includes(field.name) || names.includes(field.sourceName);

function namesMatch(field, options) {
  const inside = named(field, options?.names ?? []);
  return options?.mode === 'exclude' ? !inside : inside;
}

/** Grafana's matchers: (field, options) → boolean. drawn_features.json lists them. */
const kMatchers = {
  byName: (field, options) => named(field, [options]),
  byNames: namesMatch,
  byRegexp: (field, options) => toRegExp(options)?.test(field.name) ?? false,
  byType: (field, options) => field.type === options,
  byTypes: (field, options) => (options ?? []).includes(field.type),
  byFrameRefID: (field, options) => field.refId === options,
  byValue: (field, options) => {
    const compare = kComparisons[options?.op];
    return Boolean(compare && field.points) && compare(reduce(field.points, options.reducer), options.value);
  },
};

/** Sets config.a.b.c = value for "a.b.c"; the objects on the way are copies. */
function setPath(config, path, value) {
  const keys = path.split('.');
  let place = config;
  for (const key of keys.slice(0, -1)) {
    place[key] = { ...place[key] };
    place = place[key];
  }
  place[keys[keys.length - 1]] = value;
}

export function matches(matcher, field) {
  const test = kMatchers[matcher?.id];
  return test ? test(field, matcher.options) : false;
}

/** Hands out one and the same config object for a field as long as its overrides stay the same. */
export class FieldConfigs {
  /** @param fieldConfig Grafana's {defaults, overrides} */
  constructor(fieldConfig) {
    this.defaults_ = { ...fieldConfig?.defaults, custom: fieldConfig?.defaults?.custom ?? {} };
    this.defaultName = fieldConfig?.defaults?.displayName ?? '';
    this.overrides_ = (fieldConfig?.overrides ?? []).filter((item) => kMatchers[item.matcher?.id]);
    this.kept_ = new Map();  // which overrides match -> config
  }

  /**
   * @param field {name, sourceName?, type: 'number'|'time'|'string'|'boolean', refId, points?};
   *              sourceName is what the series is called without its legend format
   */
  of(field) {
    if (this.overrides_.length === 0) return this.defaults_;
    const matching = this.overrides_.map((item) => matches(item.matcher, field));
    const key = matching.join();
    if (!this.kept_.has(key)) this.kept_.set(key, this.merge_(this.overrides_.filter((_, index) => matching[index])));
    return this.kept_.get(key);
  }

  merge_(overrides) {
    const config = { ...this.defaults_ };
    for (const { properties } of overrides) {
      for (const { id, value } of properties ?? []) setPath(config, id, value);
    }
    return config;
  }
}

/** "${__field.labels.job}", "${__field.name}" and "${__series.name}" of a displayName. */
export function fillDisplayName(template, field) {
  return template.replace(/\$\{?__(?:field|series)\.(\w+)(?:\.(\w+)|\["([^"]+)"\])?\}?/g, (whole, part, dotted, quoted) => {
    if (part === 'labels') {
      const label = dotted ?? quoted;
      if (label) return field.labels?.[label] ?? '';
      return Object.entries(field.labels ?? {}).map(([key, value]) => `${key}="${value}"`).join(', ');
    }
    return part === 'name' || part === 'displayName' ? field.name : whole;
  });
}

/** Gives every series its `config`; a displayName in it renames the series. */
export function configureSeries(configs, seriesList) {
  for (const series of seriesList) {
    series.config = configs.of({ ...series, type: 'number' });
    const { displayName } = series.config;
    if (displayName) series.name = fillDisplayName(displayName, series);
  }
  return seriesList;
}
