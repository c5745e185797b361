// What the editor offers of a panel: one line per field of its JSON. A field with `types` is offered
// to those panel types alone.

import { msg } from '../shell/i18n.js';

const kCalcs = ['lastNotNull', 'last', 'mean', 'min', 'max', 'sum', 'count', 'range', 'delta', 'stdDev', 'firstNotNull', 'median', 'p95'];
const kCharts = ['timeseries', 'barchart', 'histogram', 'state-timeline', 'status-history'];
const kReduced = ['stat', 'gauge', 'bargauge', 'piechart'];
const same = (...values) => values.map((value) => [value, value]);

/** [title, fields]: field {path, label, kind, choices, types, min}; choices are [value, title]. */
export const kOptionGroups = [
  [msg('Panel'), [
    { path: 'title', label: msg('Title'), kind: 'text' },
    { path: 'description', label: msg('Description'), kind: 'longText' },
    { path: 'transparent', label: msg('Transparent background'), kind: 'check' },
    { path: 'timeFrom', label: msg('Own time range, e.g. 1h'), kind: 'text' },
    { path: 'timeShift', label: msg('Time shift, e.g. 1d'), kind: 'text' },
    { path: 'options.content', label: msg('Content'), kind: 'longText', types: ['text'] },
    { path: 'options.mode', label: msg('Format'), kind: 'select', choices: same('markdown', 'html', 'code'), types: ['text'] },
  ]],
  [msg('Value'), [
    { path: 'fieldConfig.defaults.unit', label: msg('Unit'), kind: 'unit' },
    { path: 'fieldConfig.defaults.decimals', label: msg('Decimals'), kind: 'number' },
    { path: 'fieldConfig.defaults.min', label: msg('Min'), kind: 'number' },
    { path: 'fieldConfig.defaults.max', label: msg('Max'), kind: 'number' },
    { path: 'fieldConfig.defaults.displayName', label: msg('Display name'), kind: 'text' },
    { path: 'fieldConfig.defaults.noValue', label: msg('Text without a value'), kind: 'text' },
    { path: 'options.reduceOptions.calcs', label: msg('Calculation'), kind: 'calc', choices: kCalcs, types: kReduced },
    { path: 'options.colorMode', label: msg('Colour'), kind: 'select', types: ['stat'],
      choices: [['value', msg('Value')], ['background', msg('Background')], ['none', msg('None')]] },
    { path: 'options.graphMode', label: msg('Sparkline'), kind: 'select', types: ['stat'], choices: [['area', msg('Area')], ['none', msg('None')]] },
  ]],
  [msg('Legend and tooltip'), [
    { path: 'options.legend.showLegend', label: msg('Show the legend'), kind: 'check', types: [...kCharts, 'piechart'], unset: true },
    { path: 'options.legend.displayMode', label: msg('Legend mode'), kind: 'select', types: [...kCharts, 'piechart'],
      choices: [['list', msg('List')], ['table', msg('Table')]] },
    { path: 'options.legend.placement', label: msg('Legend placement'), kind: 'select', types: [...kCharts, 'piechart'],
      choices: [['bottom', msg('Bottom')], ['right', msg('Right')]] },
    { path: 'options.legend.calcs', label: msg('Legend values'), kind: 'calcs', choices: kCalcs, types: ['timeseries'] },
    { path: 'options.tooltip.mode', label: msg('Tooltip'), kind: 'select', types: kCharts,
      choices: [['multi', msg('All series')], ['single', msg('One series')], ['none', msg('None')]] },
    { path: 'options.tooltip.sort', label: msg('Tooltip order'), kind: 'select', types: ['timeseries'],
      choices: [['none', msg('None')], ['asc', msg('Ascending')], ['desc', msg('Descending')]] },
  ]],
  [msg('Graph'), [
    { path: 'fieldConfig.defaults.custom.drawStyle', label: msg('Style'), kind: 'select', types: ['timeseries'],
      choices: [['line', msg('Lines')], ['bars', msg('Bars')], ['points', msg('Points')]] },
    { path: 'fieldConfig.defaults.custom.lineWidth', label: msg('Line width'), kind: 'number', types: ['timeseries', 'barchart'], min: 0 },
    { path: 'fieldConfig.defaults.custom.fillOpacity', label: msg('Fill opacity, %'), kind: 'number', types: kCharts, min: 0 },
    { path: 'fieldConfig.defaults.custom.lineInterpolation', label: msg('Interpolation'), kind: 'select', types: ['timeseries'],
      choices: [['linear', msg('Linear')], ['smooth', msg('Smooth')], ['stepBefore', msg('Step before')], ['stepAfter', msg('Step after')]] },
    { path: 'fieldConfig.defaults.custom.stacking.mode', label: msg('Stacking'), kind: 'select', types: ['timeseries'],
      choices: [['none', msg('None')], ['normal', msg('Normal')], ['percent', msg('100 %')]] },
    { path: 'options.stacking', label: msg('Stacking'), kind: 'select', types: ['barchart'],
      choices: [['none', msg('None')], ['normal', msg('Normal')], ['percent', msg('100 %')]] },
  ]],
  [msg('Axis'), [
    { path: 'fieldConfig.defaults.custom.axisLabel', label: msg('Axis label'), kind: 'text', types: ['timeseries', 'barchart'] },
    { path: 'fieldConfig.defaults.custom.axisPlacement', label: msg('Axis placement'), kind: 'select', types: ['timeseries', 'barchart'],
      choices: [['auto', msg('Automatic')], ['left', msg('Left')], ['right', msg('Right')], ['hidden', msg('Hidden')]] },
    { path: 'fieldConfig.defaults.custom.scaleDistribution.type', label: msg('Scale'), kind: 'select', types: ['timeseries'],
      choices: [['linear', msg('Linear')], ['log', msg('Logarithmic')]] },
    { path: 'fieldConfig.defaults.custom.axisSoftMin', label: msg('Soft min'), kind: 'number', types: ['timeseries', 'barchart'] },
    { path: 'fieldConfig.defaults.custom.axisSoftMax', label: msg('Soft max'), kind: 'number', types: ['timeseries', 'barchart'] },
  ]],
  [msg('Thresholds'), [{ path: 'fieldConfig.defaults.thresholds', label: msg('Thresholds'), kind: 'thresholds' }]],
  [msg('Value mappings'), [{ path: 'fieldConfig.defaults.mappings', label: msg('Value mappings'), kind: 'mappings' }]],
  [msg('Overrides'), [{ path: 'fieldConfig.overrides', label: msg('Overrides, as JSON'), kind: 'json' }]],
  [msg('Transformations'), [{ path: 'transformations', label: msg('Transformations, as JSON'), kind: 'json' }]],
];

/** The groups with the fields that a panel type has; empty groups are left out. */
export function optionGroups(type) {
  return kOptionGroups.map(([title, fields]) => [title, fields.filter(({ types }) => !types || types.includes(type))])
    .filter(([title, fields]) => fields.length > 0 && (type !== 'text' || title === kOptionGroups[0][0]));
}
