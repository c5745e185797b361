// Edits of a dashboard's JSON as Grafana writes it. Each function takes a dashboard that editable()
// made, changes nothing of it and gives a new one; fields it does not know stay as they are.

import { panelsOfOldRows, placePanels } from '../dashboard/layout.js';
import { addAtTop, compact, moveTo } from './grid.js';

export const kRow = 'row';
const kRowPlace = { x: 0, y: 0, w: 24, h: 1 };
const kNewPlace = { x: 0, y: 0, w: 12, h: 8 };

const clone = (value) => structuredClone(value);
const everyPanel = (json) => json.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);

export function nextId(json) {
  return everyPanel(json).reduce((most, { id }) => Math.max(most, Number(id) || 0), 0) + 1;
}

/** Gives every panel an id of its own and a place, where the file has none; rows of before schema 16 become panels. */
export function editable(original) {
  const json = clone(original);
  const listed = [...(json.panels ?? []), ...(json.rows ? panelsOfOldRows(json.rows) : [])];
  delete json.rows;
  json.panels = placePanels(listed).map((panel) => (panel.panels?.length ? { ...panel, panels: placePanels(panel.panels) } : panel));
  const taken = new Set();
  let next = nextId(json);
  for (const panel of everyPanel(json)) {
    if (!Number.isInteger(panel.id) || taken.has(panel.id)) panel.id = next++;
    taken.add(panel.id);
  }
  return json;
}

/** A panel's or row's own object; null when there is none. */
export function findPanel(json, id) {
  return everyPanel(json).find((panel) => panel.id === id) ?? null;
}

/** The list that holds a panel: the dashboard's, or that of a closed row. @param change(list) → list */
function changeListOf(json, id, change) {
  const holds = (list) => list.some((panel) => panel.id === id);
  if (holds(json.panels)) return { ...json, panels: change(json.panels) };
  return { ...json, panels: json.panels.map((row) => (holds(row.panels ?? []) ? { ...row, panels: change(row.panels) } : row)) };
}

export function replacePanel(json, id, panel) {
  return changeListOf(json, id, (list) => list.map((one) => (one.id === id ? panel : one)));
}

export function removePanel(json, id) {
  return changeListOf(json, id, (list) => compact(list.filter((panel) => panel.id !== id)));
}

export function duplicatePanel(json, id) {
  const copy = clone(findPanel(json, id));
  copy.id = nextId(json);
  const { x, y, w, h } = copy.gridPos;
  const beside = x + 2 * w <= 24 ? { x: x + w, y } : { x, y: y + h };
  return changeListOf(json, id, (list) => moveTo([...list, { ...copy, gridPos: { ...copy.gridPos, y: y + h } }], copy.id, { ...beside, w, h }));
}

/** @param place {x, y, w, h}; y counts in the list that holds the panel */
export function movePanel(json, id, place) {
  return changeListOf(json, id, (list) => moveTo(list, id, place));
}

/** @param panel without id and place */
export function addPanel(json, panel) {
  const id = nextId(json);
  return { json: { ...json, panels: addAtTop(json.panels, { ...panel, id, gridPos: { ...kNewPlace } }) }, id };
}

export function addRow(json, title) {
  const row = { id: nextId(json), type: kRow, title, collapsed: false, gridPos: { ...kRowPlace }, panels: [] };
  return { ...json, panels: addAtTop(json.panels, row) };
}

export function renameRow(json, id, title) {
  return replacePanel(json, id, { ...findPanel(json, id), title });
}

/** Takes a row away, with its panels or leaving them to the row above. */
export function removeRow(json, id, withPanels) {
  const at = json.panels.findIndex((panel) => panel.id === id);
  const row = json.panels[at];
  const next = json.panels.findIndex((panel, index) => index > at && panel.type === kRow);
  const end = next < 0 ? json.panels.length : next;
  const shift = row.gridPos.y + 1 - (row.panels ?? []).reduce((top, { gridPos }) => Math.min(top, gridPos.y), Infinity);
  const held = (row.panels ?? []).map((panel) => ({ ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + shift } }));
  const bottom = held.reduce((most, { gridPos }) => Math.max(most, gridPos.y + gridPos.h), row.gridPos.y + 1) - row.gridPos.y - 1;
  const after = json.panels.slice(end).map((panel) => ({ ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + bottom } }));
  const kept = withPanels ? [] : [...held, ...json.panels.slice(at + 1, end)];
  return { ...json, panels: compact([...json.panels.slice(0, at), ...kept, ...after]) };
}

/** A time series panel of one query. */
export function panelOf(expr, legend = '') {
  return {
    type: 'timeseries', title: expr ? 'New panel' : 'Panel title', datasource: { type: 'prometheus', uid: '${DS_PROMETHEUS}' },
    targets: [{ refId: 'A', expr, legendFormat: legend || '__auto', range: true }],
    fieldConfig: { defaults: { unit: 'short', custom: {} }, overrides: [] },
    options: { legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

export function emptyDashboard(title) {
  return {
    title, tags: [], timezone: 'browser', schemaVersion: 39, editable: true, time: { from: 'now-1h', to: 'now' }, refresh: '10s',
    templating: { list: [] }, annotations: { list: [] }, panels: [],
  };
}

/** The same dashboard as one of its own: without what names the old one. */
export function copyOf(json, title) {
  const { id, uid, version, ...rest } = json;
  return { ...rest, title };
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

/** Whether two JSON values say the same, whatever the order of their fields. */
export function sameJson(a, b) {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/**
 * What a person changed: {added: [title], removed: [title], changed: [title], settings: [field]}.
 * A panel that only moved counts as changed.
 */
export function differences(before, after) {
  const names = (list) => list.map(({ title, id }) => title || String(id));
  const old = everyPanel(before);
  const now = everyPanel(after);
  const strip = (panel) => (panel ? { ...panel, panels: undefined } : panel);
  const settings = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => key !== 'panels' && !sameJson(before[key] ?? null, after[key] ?? null));
  return {
    added: names(now.filter(({ id }) => !old.some((one) => one.id === id))),
    removed: names(old.filter(({ id }) => !now.some((one) => one.id === id))),
    changed: names(now.filter((panel) => {
      const was = old.find((one) => one.id === panel.id);
      return was && !sameJson(strip(was), strip(panel));
    })),
    settings,
  };
}
