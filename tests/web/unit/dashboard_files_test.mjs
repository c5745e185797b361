// The shipped dashboards: what Grafana needs to import them, and what their originals promise.
// That their queries parse in promtool and ask for what the box has: tests/prometheus/check_dashboards.py.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { dashboardProblems, readDashboard } from '../../../webui/js/dashboard/dashboard_model.js';
import { undrawn } from '../../../webui/js/dashboard/undrawn.js';
import { formatParts } from '../../../webui/js/format/units.js';
import { kLeftOut, kMerged, kOriginalsAreHere, kPanelTypes, kUnitWords, kUnits, originalsOf, panelType,
  plainQuery } from '../original_panels.mjs';

const kWebui = new URL('../../../webui/', import.meta.url);
const kFiles = ['box.json', 'llm.json', 'serve.json', 'vllm.json'];
const kUids = { 'box.json': 'hearthBox', 'llm.json': 'hearthLlm', 'serve.json': 'hearthServe', 'vllm.json': 'hearthVllm' };
const kSource = { type: 'prometheus', uid: '${DS_PROMETHEUS}' };
const kKeys = ['id', 'type', 'title', 'description', 'gridPos', 'datasource', 'fieldConfig', 'options',
  'transformations', 'targets'];
const kRowKeys = ['id', 'type', 'title', 'gridPos', 'collapsed', 'hearth', 'panels'];

const load = (name) => JSON.parse(readFileSync(new URL(name, kWebui), 'utf8'));
const boards = Object.fromEntries(kFiles.map((file) => [file, load(`dashboards/${file}`)]));

/** Panels in their order, those in rows too, rows left out. */
const panelsOf = (board) => board.panels.flatMap((panel) => (panel.type === 'row' ? panel.panels : [panel]));
const rowsOf = (board) => board.panels.filter(({ type }) => type === 'row');

/** Every object in `json` that names a data source. */
function* withDatasource(json) {
  if (!json || typeof json !== 'object') return;
  if (json.datasource !== undefined) yield json;
  for (const value of Object.values(json)) yield* withDatasource(value);
}

/** Every unit the panels of a dashboard name: {panel, unit}. */
function* unitsOf(board) {
  for (const panel of panelsOf(board)) {
    const { defaults, overrides } = panel.fieldConfig;
    if (defaults.unit) yield { panel, unit: defaults.unit };
    if (panel.options.yAxis?.unit) yield { panel, unit: panel.options.yAxis.unit };
    for (const { properties } of overrides) {
      for (const { id, value } of properties) if (id === 'unit') yield { panel, unit: value };
    }
  }
}

/** Whether units.js knows the id: an unknown one stands behind the number as it is. */
const unitIsKnown = (unit) => formatParts(12345, unit).suffix.trim() !== unit;

test('dashboards: the four files, each with its uid', () => {
  assert.deepEqual(readdirSync(new URL('dashboards/', kWebui)).sort(), kFiles);
  assert.deepEqual(Object.fromEntries(kFiles.map((file) => [file, boards[file].uid])), kUids);
});

for (const file of kFiles) {
  const board = boards[file];
  const panels = panelsOf(board);

  test(`${file}: imports into Grafana 10`, () => {
    assert.ok(board.schemaVersion >= 39);
    assert.equal(board.id, undefined, 'an id belongs to the Grafana that gave it');
    assert.deepEqual(board.__inputs.map(({ name, type, pluginId }) => ({ name, type, pluginId })),
      [{ name: 'DS_PROMETHEUS', type: 'datasource', pluginId: 'prometheus' }]);
    const types = [...new Set(panels.map(({ type }) => type))].sort();
    const required = board.__requires.filter(({ type }) => type === 'panel').map(({ id }) => id);
    assert.deepEqual(required, types, '__requires names the panel types that are used');
    assert.ok(board.title && board.description && board.time.from && board.time.to && board.refresh);
    assert.ok(board.tags.includes('hearth'));
    const [link] = board.links;
    assert.deepEqual([link.type, link.tags, link.keepTime, link.includeVars], ['dashboards', ['hearth'], true, true]);
  });

  test(`${file}: every query goes to the data source that is chosen at the import`, () => {
    for (const one of withDatasource(board)) assert.deepEqual(one.datasource, kSource, one.title ?? one.name ?? one.refId);
    for (const variable of board.templating.list.filter(({ type }) => type === 'query')) assert.ok(variable.datasource, variable.name);
    for (const { title, datasource, targets } of panels) {
      assert.ok(datasource && targets.length > 0, title);
      for (const target of targets) {
        assert.ok(target.datasource && target.expr, title);
        assert.notEqual(Boolean(target.instant), Boolean(target.range), `${title}: instant or range`);
        assert.ok(target.legendFormat || target.format === 'table', `${title} ${target.refId}: legendFormat`);
      }
    }
  });

  test(`${file}: ids are unique and panels neither overlap nor leave the grid`, () => {
    assert.deepEqual(dashboardProblems(readDashboard(board)), []);
    const ids = board.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const places = board.panels.map(({ gridPos }) => gridPos.y);
    assert.deepEqual(places, [...places].sort((a, b) => a - b), 'panels stand in the order of the page');
  });

  test(`${file}: open rows own nothing, collapsed rows what they hide`, () => {
    for (const { title, collapsed, panels: owned } of rowsOf(board)) assert.equal(owned.length > 0, collapsed, title);
  });

  test(`${file}: keys stand in one order`, () => {
    for (const panel of panels) assert.deepEqual(Object.keys(panel), kKeys.filter((key) => key in panel), panel.title);
    for (const row of rowsOf(board)) assert.deepEqual(Object.keys(row), kRowKeys.filter((key) => key in row), row.title);
  });

  test(`${file}: every panel says what it means`, () => {
    for (const { title, description } of panels) assert.match(description ?? '', /^.{30,}[.!]$/s, title);
  });

  test(`${file}: every unit is Grafana's, or a word of the original`, () => {
    for (const { panel, unit } of unitsOf(board)) {
      assert.ok(unitIsKnown(unit) || kUnitWords.has(unit), `${panel.title}: ${unit}`);
    }
    for (const panel of panels.filter(({ type }) => type !== 'table')) {
      assert.ok(panel.fieldConfig.defaults.unit ?? panel.options.yAxis?.unit, `${panel.title} has a unit`);
    }
  });

  test(`${file}: legends are tables of Last and more, series of values are drawn from 0`, () => {
    for (const { title, options, fieldConfig } of panels.filter(({ type }) => type === 'timeseries')) {
      assert.equal(options.legend.displayMode, 'table', title);
      assert.equal(options.legend.calcs[0], 'lastNotNull', title);
      assert.ok(fieldConfig.defaults.min === 0 || title === 'Multiplexed model cache hit rate', title);
    }
  });

  test(`${file}: only variables that it has are asked for`, () => {
    const known = new Set(board.templating.list.map(({ name }) => name));
    const used = new Set(panels.flatMap(({ targets }) => targets).flatMap(({ expr }) => [...expr.matchAll(/\$([a-z_]\w*)/gi)].map((m) => m[1])));
    const macros = new Set(['__rate_interval', '__interval', '__range']);
    assert.deepEqual([...used].filter((name) => !known.has(name) && !macros.has(name)), []);
    assert.deepEqual([...known].filter((name) => !used.has(name)), [], 'variables that nothing uses');
  });

  test(`${file}: the box draws all of it`, () => {
    assert.deepEqual(undrawn(board, load('drawn_features.json')), []);
  });
}

for (const file of Object.keys(kLeftOut)) {
  const skip = kOriginalsAreHere ? false : 'the originals lie beside the project, in ../shared';
  const named = Object.fromEntries(panelsOf(boards[file]).map((panel) => [panel.title, panel]));

  // The panel that stands for an original: of several with one title, the one of its type.
  const shippedFor = (original) => {
    const title = kMerged[file]?.[original.title] ?? original.title;
    const candidates = panelsOf(boards[file]).filter((panel) => panel.title === title);
    return candidates.find(({ type }) => type === panelType(original.type)) ?? candidates[0];
  };

  test(`${file}: has every panel of its originals, or the reason why not`, { skip }, () => {
    const originals = originalsOf(file);
    const missing = Object.values(originals).flat().filter((original) => !kLeftOut[file][original.title] && !shippedFor(original));
    assert.deepEqual(missing.map(({ title }) => title), []);
    for (const title of Object.keys({ ...kLeftOut[file], ...kMerged[file], ...kUnits[file], ...kPanelTypes[file] })) {
      assert.ok(originals[title], `${title} is an exception for a panel that no original has`);
    }
    for (const title of Object.keys({ ...kLeftOut[file], ...kMerged[file] })) assert.equal(named[title], undefined, `${title} is there`);
    for (const title of Object.values(kMerged[file] ?? {})) assert.ok(named[title], `${title} shall show other panels too`);
  });

  test(`${file}: units and types are the originals', or the reason why not`, { skip }, () => {
    for (const original of Object.values(originalsOf(file)).flat()) {
      if (kLeftOut[file][original.title] || kMerged[file]?.[original.title]) continue;
      const { title } = original;
      const panel = shippedFor(original);
      const [unit] = kUnits[file]?.[title] ?? [original.unit];
      if (unit) assert.equal(panel.fieldConfig.defaults.unit, unit, `the unit of ${title}`);
      if (kUnits[file]?.[title]) assert.notEqual(unit, original.unit, `${title} is no exception`);
      const [type] = kPanelTypes[file]?.[title] ?? [panelType(original.type)];
      assert.equal(panel.type, type, `the type of ${title}`);
    }
  });

  test(`${file}: queries are the originals', or the description says what was mended`, { skip }, () => {
    let same = 0;
    for (const originals of Object.values(originalsOf(file))) {
      const [{ title }] = originals;
      if (kLeftOut[file][title] || kMerged[file]?.[title]) continue;
      const panel = shippedFor(originals[0]);
      const shipped = panel.targets.map(({ expr }) => plainQuery(expr)).join('\n');
      const asOriginal = originals.some(({ targets }) => targets.map(({ expr }) => plainQuery(expr)).join('\n') === shipped);
      if (asOriginal) ++same;
      else assert.match(panel.description, /Mended: |is left out\.$/, `the query of ${title}`);
    }
    assert.ok(file === 'vllm.json' || same > 10, `only ${same} queries are the originals'`);
  });
}
