// Reads Grafana's dashboard model (the JSON Grafana exports) into sections of panels.

import { undrawnInPanel } from './undrawn.js';

export const kGridColumns = 24;
// What older panels are today.
const kNewerTypes = { graph: 'timeseries', singlestat: 'stat', 'table-old': 'table' };

function readPanel(json, dashboard, features) {
  const defaults = json.fieldConfig?.defaults ?? {};
  return {
    id: json.id,
    type: kNewerTypes[json.type] ?? json.type,
    title: json.title ?? '',
    description: json.description ?? '',
    gridPos: json.gridPos,
    targets: (json.targets ?? []).filter((target) => target.expr && !target.hide),
    field: defaults,
    custom: defaults.custom ?? {},
    options: json.options ?? {},
    fieldConfig: json.fieldConfig ?? {},
    json,  // older panel types keep their options beside `options`
    transformations: (json.transformations ?? []).filter((one) => !one.disabled),
    undrawn: features ? undrawnInPanel(json, dashboard, features) : [],
    content: json.options?.content ?? json.content ?? '',
  };
}

function readVariable(json) {
  const current = json.current?.value;
  return {
    name: json.name,
    label: json.label || json.name,
    type: json.type,
    query: typeof json.query === 'string' ? json.query : json.query?.query ?? '',
    includeAll: Boolean(json.includeAll),
    allValue: json.allValue || '',
    multi: Boolean(json.multi),
    hidden: json.hide === 2,
    options: [],
    values: Array.isArray(current) ? current : [current ?? ''].filter(Boolean),
  };
}

/**
 * @param features drawn_features.json, by which each panel says in `undrawn` what it lacks
 * @returns {{uid, title, description, time, refresh, variables, sections}}. A section is what
 * stands between two rows: {title, collapsed, showWhenSeries, panels}; the first has no title
 * when panels come before any row.
 */
export function readDashboard(json, features = null) {
  const read = (panel) => readPanel(panel, json, features);
  const sections = [];
  let open = null;
  for (const panel of json.panels ?? []) {
    if (panel.type === 'row') {
      open = {
        id: panel.id,
        title: panel.title ?? '',
        collapsed: Boolean(panel.collapsed),
        showWhenSeries: panel.hearth?.showWhenSeries ?? null,
        panels: (panel.panels ?? []).map(read),
      };
      sections.push(open);
      continue;
    }
    if (!open) {
      open = { id: 0, title: '', collapsed: false, showWhenSeries: null, panels: [] };
      sections.push(open);
    }
    open.panels.push(read(panel));
  }
  return {
    uid: json.uid ?? '',
    title: json.title ?? 'Dashboard',
    description: json.description ?? '',
    time: { from: json.time?.from ?? 'now-6h', to: json.time?.to ?? 'now' },
    refresh: json.refresh || 'off',
    timezone: json.timezone === 'utc' ? 'utc' : 'browser',
    variables: (json.templating?.list ?? []).filter((item) => item.type !== 'datasource').map(readVariable),
    sections,
  };
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
  const place = panel.gridPos;
  const name = `panel ${panel.id} "${panel.title}"`;
  if (!place || place.x < 0 || place.x + place.w > kGridColumns || place.h < 1) {
    problems.push(`${name}: its gridPos does not fit into ${kGridColumns} columns`);
  }
  const refs = panel.targets.map((target) => target.refId);
  if (new Set(refs).size !== refs.length) problems.push(`${name}: two targets share a refId`);
  if (panel.targets.length === 0 && panel.type !== 'text') problems.push(`${name}: it has no query`);
}

/** Sentences about what is wrong with a dashboard, none when it is sound. */
export function dashboardProblems(dashboard) {
  const problems = [];
  const panels = allPanels(dashboard);
  const ids = [...panels, ...dashboard.sections.filter((section) => section.title)].map((item) => item.id);
  const repeated = ids.filter((id, index) => ids.indexOf(id) !== index);
  for (const id of repeated) problems.push(`the panel id ${id} is used twice`);
  for (const panel of panels) checkPanel(panel, problems);
  for (const section of dashboard.sections) {
    section.panels.forEach((a, index) => {
      for (const b of section.panels.slice(index + 1)) {
        if (overlap(a.gridPos, b.gridPos)) problems.push(`"${a.title}" and "${b.title}" overlap`);
      }
    });
  }
  return problems;
}
