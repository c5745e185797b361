// Panels of Grafana 4 to 7 in the form of today's: graph, singlestat, table-old, and the
// fieldOptions of the first stat and gauge panels.

const kCalcs = { avg: 'mean', current: 'lastNotNull', total: 'sum', min: 'min', max: 'max', first: 'first', name: 'last' };
const calcOf = (name) => kCalcs[name] ?? name;
const kStateColors = { critical: 'red', warning: 'orange', ok: 'green' };

const present = (value) => value !== null && value !== undefined && value !== '';
const numberOf = (value) => (present(value) && Number.isFinite(Number(value)) ? Number(value) : undefined);

/** Drops what is undefined, so that defaults stay defaults. */
const given = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/** Values and ranges with texts, as they were before schema 30, among the newer ones. */
export function newMappings(mappings) {
  return (mappings ?? []).map((mapping) => {
    const result = { text: mapping.text, color: mapping.color };
    if (mapping.type === 2 || mapping.type === 'rangeToText') {
      return { type: 'range', options: { from: numberOf(mapping.from), to: numberOf(mapping.to), result } };
    }
    if (typeof mapping.type === 'string') return mapping;
    if (mapping.value === 'null') return { type: 'special', options: { match: 'null', result } };
    return { type: 'value', options: { [mapping.value]: result } };
  });
}

/** Thresholds as {mode, steps}: also from an array, and from "10,20" with its colours. */
export function newThresholds(thresholds, colors = ['green', 'orange', 'red']) {
  if (Array.isArray(thresholds)) {
    const steps = thresholds.map(({ value, color }, index) => ({ color, value: index === 0 ? null : numberOf(value) ?? null }));
    return { mode: 'absolute', steps };
  }
  if (typeof thresholds === 'string') {
    const values = thresholds.split(',').filter((text) => text.trim() !== '').map(Number);
    return { mode: 'absolute', steps: colors.slice(0, values.length + 1).map((color, index) => ({ color, value: index ? values[index - 1] : null })) };
  }
  return thresholds;
}

const drawStyleOf = ({ bars, lines, points }) => {
  if (bars) return 'bars';
  return lines === false && points ? 'points' : 'line';
};

function stackingOf(json) {
  if (!json.stack) return { mode: 'none' };
  return { mode: json.percentage ? 'percent' : 'normal', group: 'A' };
}

function scaleOf(axis) {
  return axis.logBase > 1 ? { type: 'log', log: axis.logBase } : undefined;
}

function lineStyleOf({ dashes, dashLength, spaceLength }) {
  return dashes ? { fill: 'dash', dash: [dashLength ?? 10, spaceLength ?? 10] } : undefined;
}

/** The custom field options that a graph, or one of its seriesOverrides, asks for. */
function graphCustom(json) {
  const points = json.points === undefined ? undefined : json.points ? 'always' : 'never';
  return given({
    drawStyle: 'bars' in json || 'lines' in json ? drawStyleOf(json) : undefined,
    lineWidth: json.linewidth,
    fillOpacity: json.fill === undefined ? undefined : Math.min(100, json.fill * 10),
    gradientMode: json.fillGradient ? 'opacity' : undefined,
    showPoints: points,
    pointSize: json.pointradius === undefined ? undefined : json.pointradius * 2,
    lineInterpolation: json.steppedLine ? 'stepAfter' : undefined,
    spanNulls: json.nullPointMode === undefined ? undefined : json.nullPointMode === 'connected',
    lineStyle: lineStyleOf(json),
    transform: json.transform,
    fillBelowTo: json.fillBelowTo,
    hideFrom: json.legend === false ? { legend: true, tooltip: false, viz: false } : undefined,
  });
}

function axisConfig(axis) {
  const custom = given({ axisLabel: axis.label ?? undefined, scaleDistribution: scaleOf(axis), axisPlacement: axis.show === false ? 'hidden' : undefined });
  return { config: given({ unit: axis.format, min: numberOf(axis.min), max: numberOf(axis.max), decimals: numberOf(axis.decimals) }), custom };
}

const asProperties = (config, prefix = '') => Object.entries(config).map(([id, value]) => ({ id: prefix + id, value }));

function matcherOf(alias) {
  return /^\/.*\/[a-z]*$/.test(alias) ? { id: 'byRegexp', options: alias } : { id: 'byName', options: alias };
}

function graphOverride(override, json) {
  const properties = asProperties(graphCustom(override), 'custom.');
  if (override.color) properties.push({ id: 'color', value: { mode: 'fixed', fixedColor: override.color } });
  if (override.stack !== undefined) {
    const group = typeof override.stack === 'string' ? override.stack : 'A';
    properties.push({ id: 'custom.stacking', value: { mode: override.stack ? 'normal' : 'none', group } });
  }
  const right = json.yaxes?.[1];
  if (override.yaxis === 2) {
    const { config, custom } = axisConfig(right ?? {});
    properties.push(...asProperties(config), ...asProperties({ axisLabel: '', ...custom, axisPlacement: right?.show === false ? 'hidden' : 'right' }, 'custom.'));
  }
  return { matcher: matcherOf(override.alias ?? ''), properties };
}

function graphThresholds(list) {
  const steps = [{ color: 'transparent', value: null }];
  for (const { value, op, colorMode, fillColor, lineColor } of [...list].sort((a, b) => a.value - b.value)) {
    const color = kStateColors[colorMode] ?? fillColor ?? lineColor ?? 'red';
    if (op === 'lt') {
      steps[steps.length - 1].color = color;
      steps.push({ color: 'transparent', value });
    } else {
      steps.push({ color, value });
    }
  }
  const line = list.some((one) => one.line !== false);
  const fill = list.some((one) => one.fill !== false);
  return { thresholds: { mode: 'absolute', steps }, style: { mode: line && fill ? 'line+area' : fill ? 'area' : 'line' } };
}

const kLegendCalcs = ['min', 'max', 'avg', 'current', 'total'];

function graphLegend(legend = {}) {
  const calcs = legend.values ? kLegendCalcs.filter((name) => legend[name]).map(calcOf) : [];
  return {
    showLegend: legend.show !== false,
    displayMode: legend.alignAsTable ? 'table' : 'list',
    placement: legend.rightSide ? 'right' : 'bottom',
    calcs,
    ...(legend.sort ? { sortBy: calcOf(legend.sort), sortDesc: legend.sortDesc !== false } : {}),
  };
}

function newGraph(json) {
  const left = axisConfig(json.yaxes?.[0] ?? { format: json.y_formats?.[0] });
  const overrides = Object.entries(json.aliasColors ?? {})
    .map(([alias, color]) => ({ matcher: { id: 'byName', options: alias }, properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }] }));
  const style = graphThresholds(json.thresholds ?? []);
  const marked = (json.thresholds ?? []).length > 0;
  const custom = {
    drawStyle: 'line', lineWidth: 1, fillOpacity: 10, showPoints: 'never', ...graphCustom({ ...json, legend: undefined }),
    ...left.custom, stacking: stackingOf(json), ...(marked ? { thresholdsStyle: style.style } : {}),
  };
  const options = {
    legend: graphLegend(json.legend),
    tooltip: { mode: json.tooltip?.shared === false ? 'single' : 'multi', sort: ['none', 'asc', 'desc'][json.tooltip?.sort] ?? 'none' },
  };
  const mode = json.xaxis?.mode;
  if (mode === 'series') options.reduceOptions = { calcs: [calcOf(json.xaxis.values?.[0] ?? 'total')], fields: '', values: false };
  return {
    ...json,
    type: { series: 'bargauge', histogram: 'histogram' }[mode] ?? 'timeseries',
    options,
    fieldConfig: {
      defaults: { ...given({ decimals: numberOf(json.decimals) }), ...left.config, ...(marked ? { thresholds: style.thresholds } : {}), custom },
      overrides: [...overrides, ...(json.seriesOverrides ?? []).map((override) => graphOverride(override, json))],
    },
  };
}

function singleStatMappings(json) {
  const values = json.mappingType === 2 ? [] : json.valueMaps ?? [];
  const ranges = json.mappingType === 2 ? json.rangeMaps ?? [] : [];
  return newMappings([...values.map((one) => ({ ...one, type: 1 })), ...ranges.map((one) => ({ ...one, type: 2 }))])
    .filter((mapping) => mapping.type !== 'special' || mapping.options.result.text !== 'N/A');
}

function newSingleStat(json) {
  const gauge = Boolean(json.gauge?.show);
  const colored = json.colorBackground || json.colorValue;
  const fixed = numberOf(json.decimals);
  return {
    ...json,
    type: gauge ? 'gauge' : 'stat',
    options: {
      reduceOptions: { calcs: [calcOf(json.valueName ?? 'avg')], fields: '', values: false },
      graphMode: json.sparkline?.show ? 'area' : 'none',
      colorMode: json.colorBackground ? 'background' : json.colorValue ? 'value' : 'none',
      textMode: 'value',
      showThresholdMarkers: json.gauge?.thresholdMarkers !== false,
    },
    fieldConfig: {
      defaults: given({
        unit: json.format, decimals: fixed, noValue: json.nullText || undefined,
        min: gauge ? json.gauge.minValue : undefined, max: gauge ? json.gauge.maxValue : undefined,
        mappings: singleStatMappings(json),
        thresholds: newThresholds(json.thresholds ?? '', json.colors),
        color: colored || gauge ? { mode: 'thresholds' } : { mode: 'fixed', fixedColor: 'text' },
      }),
      overrides: [],
    },
  };
}

function styleOverride(style) {
  const regex = /^\/.*\/[a-z]*$/.test(style.pattern ?? '');
  const properties = given({
    displayName: style.alias || undefined,
    unit: style.type === 'date' ? 'dateTimeAsIso' : style.unit,
    decimals: numberOf(style.decimals),
    'custom.hidden': style.type === 'hidden' ? true : undefined,
    mappings: style.valueMaps ? newMappings(style.valueMaps.map((one) => ({ ...one, type: 1 }))) : undefined,
    thresholds: style.thresholds?.length ? newThresholds(style.thresholds.join(','), style.colors) : undefined,
    'custom.cellOptions': style.colorMode ? { type: style.colorMode === 'value' ? 'color-text' : 'color-background' } : undefined,
    color: style.colorMode ? { mode: 'thresholds' } : undefined,
  });
  return { matcher: { id: regex ? 'byRegexp' : 'byName', options: style.pattern }, properties: asProperties(properties) };
}

function tableTransformations(json) {
  const columns = (json.columns ?? []).map(({ value }) => calcOf(value));
  switch (json.transform) {
    case 'timeseries_aggregations':
      return [{ id: 'reduce', options: { reducers: columns.length ? columns : ['mean'] } }];
    case 'timeseries_to_rows': return [{ id: 'seriesToRows', options: {} }];
    case 'timeseries_to_columns': return [{ id: 'joinByField', options: { byField: 'Time' } }];
    default: return [{ id: 'merge', options: {} }];
  }
}

function newTable(json) {
  const sort = present(json.sort?.col) ? [{ index: json.sort.col, desc: Boolean(json.sort.desc) }] : [];
  return {
    ...json,
    type: 'table',
    options: { showHeader: json.showHeader !== false, sortBy: sort },
    transformations: json.transformations ?? tableTransformations(json),
    fieldConfig: { defaults: {}, overrides: (json.styles ?? []).filter((style) => style.pattern && style.pattern !== '/.*/').map(styleOverride) },
  };
}

/** Grafana 6's options.fieldOptions as fieldConfig and reduceOptions. */
function withoutFieldOptions(json) {
  const old = json.options?.fieldOptions;
  if (!old) return json;
  const { fieldOptions, ...options } = json.options;
  const defaults = { ...old.defaults, ...given({ unit: old.unit, mappings: old.mappings, thresholds: old.thresholds }) };
  return {
    ...json,
    options: { reduceOptions: { calcs: old.calcs ?? ['mean'], values: Boolean(old.values), fields: '' }, ...options },
    fieldConfig: json.fieldConfig ?? { defaults: { color: { mode: 'thresholds' }, ...defaults }, overrides: old.overrides ?? [] },
  };
}

function withNewFieldParts(json) {
  const defaults = json.fieldConfig?.defaults;
  if (!defaults) return json;
  const parts = given({
    mappings: defaults.mappings && newMappings(defaults.mappings),
    thresholds: defaults.thresholds && newThresholds(defaults.thresholds),
  });
  return { ...json, fieldConfig: { ...json.fieldConfig, defaults: { ...defaults, ...parts } } };
}

/** A panel's JSON of any age in the form that Grafana 10 writes. */
export function newPanel(json) {
  if (json.type === 'graph') return newGraph(json);
  if (json.type === 'singlestat') return newSingleStat(json);
  if (json.type === 'table-old' || (json.type === 'table' && json.styles && !json.fieldConfig?.defaults?.custom)) return newTable(json);
  return withNewFieldParts(withoutFieldOptions(json));
}
