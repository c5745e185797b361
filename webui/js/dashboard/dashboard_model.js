// Reads Grafana's dashboard model (the JSON Grafana exports, of any age) into sections of panels.

import { kGridColumns, panelsOfOldRows, placePanels, repeatSections } from './layout.js';
import { newPanel } from './old_panels.js';
import { queriedTargets, undrawnInPanel, withLibraryModel } from './undrawn.js';
import { customOptions } from './variable_options.js';
import { interpolate, kAll, queryScope } from './variables.js';

export { kGridColumns };
const kRepeatScopeS = 60;  // titles have no step of their own; any number will do

function readRepeat(json) {
  if (!json.repeat) return null;
  return { variable: json.repeat, direction: json.repeatDirection ?? 'h', maxPerRow: json.maxPerRow ?? json.repeatMaxPerRow };
}

function readTargets(json, dashboard, features) {
  const panelStep = json.interval;
  return queriedTargets(json, dashboard, features).map((target, index) => ({
    ...target,
    refId: target.refId ?? String.fromCharCode(65 + index % 26),
    minStep: target.interval || panelStep || '',
  }));
}

function readPanel(original, dashboard, features) {
  const json = newPanel(withLibraryModel(original, dashboard));
  const field = json.fieldConfig?.defaults ?? {};
  return {
    id: json.id,
    type: json.type ?? '',
    title: json.title ?? '',
    description: json.description ?? '',
    gridPos: json.gridPos,
    targets: readTargets(json, dashboard, features),
    field,
    custom: field.custom ?? {},
    options: json.options ?? {},
    fieldConfig: json.fieldConfig ?? {},
    transformations: (json.transformations ?? []).filter((one) => !one.disabled),
    content: json.options?.content ?? json.content ?? '',
    maxDataPoints: Number(json.maxDataPoints) || null,
    timeFrom: json.timeFrom || '',
    timeShift: json.timeShift || '',
    links: json.links ?? [],
    repeat: readRepeat(json),
    scoped: {},
    json: original,  // older panel types keep their options beside `options`
    dashboard: { uid: dashboard.uid ?? '', title: dashboard.title ?? '' },
    undrawn: features ? undrawnInPanel(original, dashboard, features) : [],
  };
}

/** What a variable stands at in the file; [] when it leaves that to the options. */
function currentValues({ type, current, query, auto }) {
  if (type === 'constant') return [typeof query === 'string' ? query : ''];
  const value = current?.value ?? (type === 'textbox' ? query : undefined);
  const values = (Array.isArray(value) ? value : [value]).filter((one) => one !== undefined && one !== null && one !== '');
  if (values.length === 0 && auto) return [];
  return values.map(String);
}

function readVariable(json) {
  const query = typeof json.query === 'string' ? json.query : json.query?.query ?? '';
  const listed = (json.options ?? []).filter((one) => one.value !== kAll)
    .map(({ text, value }) => ({ text: String(text), value: String(value) }));
  return {
    name: json.name,
    label: json.label || json.name,
    description: json.description ?? '',
    type: json.type,
    query,
    regex: json.regex ?? '',
    sort: json.sort ?? 0,
    refresh: json.refresh ?? 1,
    includeAll: Boolean(json.includeAll),
    allValue: json.allValue || '',
    multi: Boolean(json.multi),
    auto: Boolean(json.auto),
    autoCount: json.auto_count ?? 30,
    autoMin: json.auto_min ?? '10s',
    hidden: json.hide === 2 || json.type === 'constant' || json.type === 'datasource',
    hideLabel: json.hide === 1,
    options: json.type === 'custom' && query ? customOptions(query) : listed,
    values: currentValues(json),
  };
}

function sectionOf(row, panels) {
  return {
    id: row.id ?? 0,
    title: row.title ?? '',
    collapsed: Boolean(row.collapsed),
    showWhenSeries: row.hearth?.showWhenSeries ?? null,
    repeat: row.repeat || null,
    scoped: {},
    panels,
  };
}

/** Panels get ids where the file has none, or the same one twice: the address names panels by them. */
function withIds(panels) {
  const taken = new Set();
  let next = panels.reduce((most, panel) => Math.max(most, Number(panel.id) || 0), 0) + 1;
  return panels.map((panel) => {
    const id = Number.isInteger(panel.id) && !taken.has(panel.id) ? panel.id : next++;
    taken.add(id);
    return { ...panel, id };
  });
}

function readSections(json, features) {
  const listed = [...(json.panels ?? []), ...(json.rows ? panelsOfOldRows(json.rows) : [])];
  const sections = [];
  for (const panel of withIds(placePanels(listed))) {
    if (panel.type === 'row') {
      const inner = placePanels(panel.panels ?? []).map((one) => readPanel(one, json, features));
      sections.push(sectionOf(panel, inner));
      continue;
    }
    if (sections.length === 0) sections.push(sectionOf({}, []));
    sections[sections.length - 1].panels.push(readPanel(panel, json, features));
  }
  return sections;
}

/**
 * @param features drawn_features.json, by which each panel says in `undrawn` what it lacks
 * @returns {{uid, title, description, time, refresh, variables, sections, template, source}}. A section is
 * what stands between two rows: {title, collapsed, showWhenSeries, panels}; the first has no title
 * when panels come before any row. `template` holds the sections before repetition: applyVariables()
 * makes `sections` of them; `source` is the file's JSON.
 */
export function readDashboard(json, features = null) {
  const known = features?.variables ?? null;
  const dashboard = {
    uid: json.uid ?? '',
    title: json.title ?? 'Dashboard',
    description: json.description ?? '',
    tags: json.tags ?? [],
    links: json.links ?? [],
    timezone: json.timezone === 'utc' ? 'utc' : 'browser',
    time: { from: json.time?.from ?? 'now-6h', to: json.time?.to ?? 'now' },
    refresh: json.refresh || 'off',
    variables: (json.templating?.list ?? []).filter((item) => !known || known.includes(item.type)).map(readVariable),
    template: readSections(json, features),
    source: json,
  };
  applyVariables(dashboard);
  return dashboard;
}

function chosenOptions(variable) {
  const all = variable.values.includes(kAll);
  if (all) return variable.options;
  return variable.values.map((value) => variable.options.find((option) => option.value === value) ?? { text: value, value });
}

/** A text (title, description) with the variables' values in it. */
export function filledText(text, dashboard, scoped = {}) {
  return interpolate(text, queryScope(dashboard.variables, 1, kRepeatScopeS, { dashboard, scoped }), 'text');
}

/**
 * Repeats rows and panels for the variables' present values and fills their titles.
 * @returns whether `dashboard.sections` changed: what was made of the old ones is out of date then
 */
export function applyVariables(dashboard) {
  const optionsOf = (name) => {
    const variable = dashboard.variables.find((one) => one.name === name);
    return variable ? chosenOptions(variable) : null;
  };
  const sections = repeatSections(dashboard.template, optionsOf);
  for (const section of sections) {
    section.title = filledText(section.title, dashboard, section.scoped);
    for (const panel of section.panels) {
      panel.title = filledText(panel.title, dashboard, panel.scoped);
      panel.description = filledText(panel.description, dashboard, panel.scoped);
    }
  }
  const key = JSON.stringify(sections.map(({ title, panels }) => [title, panels.map((panel) => [panel.id, panel.title, panel.scoped])]));
  if (dashboard.sectionsKey === key) return false;
  dashboard.sectionsKey = key;
  dashboard.sections = sections;
  return true;
}

/** Grid rows a section starts at: panel y's count from the dashboard's top in the file. */
export function sectionTop(section) {
  return section.panels.reduce((top, panel) => Math.min(top, panel.gridPos.y), Infinity);
}

/** Every panel that is no row, those inside collapsed rows too. */
export function allPanels(dashboard) {
  return dashboard.sections.flatMap((section) => section.panels);
}

function overlap(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

function checkPanel(panel, problems) {
  const refs = panel.targets.map((target) => target.refId);
  const name = `panel ${panel.id} "${panel.title}"`;
  if (new Set(refs).size !== refs.length) problems.push(`${name}: two targets share a refId`);
  if (panel.targets.length === 0 && panel.type !== 'text') problems.push(`${name}: it has no query`);
}

function checkPlaces(json, problems) {
  const panels = (json.panels ?? []).flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  const ids = panels.map((panel) => panel.id);
  for (const id of ids.filter((one, index) => ids.indexOf(one) !== index)) problems.push(`the panel id ${id} is used twice`);
  for (const { id, title, gridPos: place } of panels) {
    if (!place || place.x < 0 || place.x + place.w > kGridColumns || place.h < 1) {
      problems.push(`panel ${id} "${title}": its gridPos does not fit into ${kGridColumns} columns`);
    }
  }
}

/** Sentences about what is wrong with a dashboard's file, none when it is sound. */
export function dashboardProblems(dashboard) {
  const problems = [];
  checkPlaces(dashboard.source, problems);
  for (const section of dashboard.template) {
    for (const panel of section.panels) checkPanel(panel, problems);
    section.panels.forEach((a, index) => {
      for (const b of section.panels.slice(index + 1)) {
        if (overlap(a.gridPos, b.gridPos)) problems.push(`"${a.title}" and "${b.title}" overlap`);
      }
    });
  }
  return problems;
}
