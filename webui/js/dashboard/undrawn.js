// What of a Grafana dashboard the pages will not draw, told before anybody misses it. The box says the
// same of an upload (firmware/, POST /api/dashboards): tests/web/cases/undrawn_cases.json holds both
// to one rule. A rule is a look-up in the lists of drawn_features.json and nothing cleverer.

import { t } from '../shell/i18n.js';

const kSpecialSources = { '-- Mixed --': 'mixed', '-- Grafana --': 'grafana', '-- Dashboard --': 'dashboard' };

/** The lists of what is drawn, asked from the box once. */
let loaded = null;
export function drawnFeatures() {
  loaded ??= fetch('/drawn_features.json').then((response) => {
    if (!response.ok) throw new Error(`HTTP ${response.status} from /drawn_features.json`);
    return response.json();
  });
  return loaded;
}

/**
 * The type of a data source as a panel or target names it: an object with type and uid, or, before
 * schema 33, a name. "" when it does not say, which means the one the box has.
 * @param inputs plugin ids of the dashboard's __inputs, by "${NAME}"
 */
function sourceType(source, inputs) {
  if (!source) return '';
  const name = typeof source === 'string' ? source : source.uid ?? '';
  if (Object.hasOwn(kSpecialSources, name)) return kSpecialSources[name];
  if (typeof source === 'object' && typeof source.type === 'string' && source.type) return source.type;
  return inputs.get(name) ?? '';
}

const inputsOf = (dashboard) => new Map((dashboard.__inputs ?? []).map(({ name, pluginId }) => [`\${${name}}`, pluginId ?? '']));

const shownTargets = (panel) => (Array.isArray(panel.targets) ? panel.targets : []).filter((target) => !target.hide);

const targetSource = (target, panel, inputs) => sourceType(target.datasource, inputs) || sourceType(panel.datasource, inputs);

/** The targets of a panel that the box answers: shown ones with PromQL. */
export function queriedTargets(panel, dashboard, features) {
  const inputs = inputsOf(dashboard);
  const known = (source) => !features || source === '' || features.datasources.includes(source);
  return shownTargets(panel).filter((target) => target.expr && known(targetSource(target, panel, inputs)));
}

/** A panel of the library with the model that the file may bring along, else the panel as it is. */
export function withLibraryModel(panel, dashboard) {
  const model = panel.libraryPanel && !panel.targets ? dashboard.__elements?.[panel.libraryPanel.uid]?.model : null;
  return model ? { ...model, ...panel } : panel;
}

function undrawnOfPanel(original, features, dashboard, inputs) {
  const panel = withLibraryModel(original, dashboard);
  if (panel.libraryPanel && !panel.targets) {
    return [t('library panel "{name}" is not part of the file', { name: panel.libraryPanel.name ?? panel.libraryPanel.uid ?? '' })];
  }
  const type = panel.type ?? '';
  if (!features.panels.includes(type)) return [t('panel type {type} is not drawn', { type })];
  if (type === 'row' || type === 'text') return [];
  const what = shownTargets(panel).map((target) => targetSource(target, panel, inputs))
    .filter((source) => source !== '' && !features.datasources.includes(source))
    .map((source) => t('data source type {type} is not queried', { type: source }));
  for (const { id, disabled } of panel.transformations ?? []) {
    if (!disabled && !features.transformations.includes(id)) what.push(t('transformation {id} is not applied', { id }));
  }
  for (const { matcher } of panel.fieldConfig?.overrides ?? []) {
    const id = matcher?.id ?? '';
    if (!features.matchers.includes(id)) what.push(t('overrides matched by {id} are not applied', { id }));
  }
  return what;
}

/** Every panel object of the file in its order: rows before what they hold, in both old and new form. */
function panelsOf(dashboard) {
  const rows = (dashboard.rows ?? []).flatMap((row) => row.panels ?? []);
  return [...(dashboard.panels ?? []), ...rows].flatMap((panel) => [panel, ...(panel.panels ?? [])]);
}

function undrawnOfDashboard(dashboard, features) {
  const what = [];
  for (const { name, type } of dashboard.templating?.list ?? []) {
    if (!features.variables.includes(type)) what.push(t('variable {name} of type {type} is not used', { name, type }));
  }
  for (const query of dashboard.annotations?.list ?? []) {
    if (!query.builtIn && query.enable !== false) what.push(t('annotation query {name} is not shown', { name: query.name }));
  }
  return what;
}

/**
 * @param dashboard Grafana's JSON as it came
 * @param features  drawn_features.json
 * @returns [{panelId, title, what}]: `what` is a sentence. The dashboard's own come first, with
 *          panelId 0 and its title; nothing is said twice of one panel.
 */
export function undrawn(dashboard, features) {
  const inputs = inputsOf(dashboard);
  const list = (panelId, title, sentences) => [...new Set(sentences)].map((what) => ({ panelId, title, what }));
  return [
    ...list(0, dashboard.title ?? '', undrawnOfDashboard(dashboard, features)),
    ...panelsOf(dashboard).flatMap((panel) => list(panel.id ?? 0, panel.title ?? '', undrawnOfPanel(panel, features, dashboard, inputs))),
  ];
}

/** The same for one panel object of `dashboard`. */
export function undrawnInPanel(panel, dashboard, features) {
  const { __inputs, __elements } = dashboard;
  return undrawn({ __inputs, __elements, panels: [{ ...panel, panels: [] }] }, features).map(({ what }) => what);
}
