import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { allPanels, dashboardProblems, readDashboard } from '../../../webui/js/dashboard/dashboard_model.js';
import { interpolate, parseLabelValues, queryScope } from '../../../webui/js/dashboard/variables.js';

const kFolder = new URL('../../../webui/dashboards/', import.meta.url);
const kFeatures = JSON.parse(readFileSync(new URL('../drawn_features.json', kFolder), 'utf8'));
const kFiles = readdirSync(kFolder).filter((name) => name.endsWith('.json'));
// What the box's PromQL evaluates in the shipped dashboards.
const kWords = new Set(['rate', 'increase', 'sum', 'avg', 'max', 'min', 'by', 'histogram_quantile', 'clamp_min',
  'clamp_max', 'and', 'or', 'on']);

const load = (name) => JSON.parse(readFileSync(new URL(name, kFolder), 'utf8'));

/** Finds what a lexer would stumble over: unbalanced brackets, unknown functions, bad durations. */
function exprProblem(expr) {
  const bare = expr.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const open = [];
  const pairs = { ')': '(', ']': '[', '}': '{' };
  for (const character of bare) {
    if ('([{'.includes(character)) open.push(character);
    if (character in pairs && open.pop() !== pairs[character]) return `unbalanced ${character}`;
  }
  if (open.length) return `open ${open.join('')}`;
  for (const [, duration] of bare.matchAll(/\[([^\]]*)\]/g)) {
    if (!/^\d+(ms|[smhdwy])$/.test(duration)) return `the duration [${duration}]`;
  }
  for (const [, word] of bare.matchAll(/([a-z_]+)\s*\(/g)) {
    if (!kWords.has(word)) return `the function ${word}`;
  }
  return /\$|[-+*/]\s*$/.test(bare) ? 'an open end or a variable left over' : '';
}

test('dashboards: there is the LLM dashboard', () => {
  assert.ok(kFiles.includes('llm.json'));
});

for (const file of kFiles) {
  const json = load(file);
  const dashboard = readDashboard(json, kFeatures);

  test(`${file}: is a Grafana dashboard with a data source to choose at import`, () => {
    assert.ok(json.schemaVersion >= 39);
    assert.ok(json.uid && json.title && json.time.from);
    assert.equal(json.__inputs[0].pluginId, 'prometheus');
    for (const panel of json.panels.filter((one) => one.type !== 'row')) {
      assert.equal(panel.datasource.uid, `\${${json.__inputs[0].name}}`, panel.title);
    }
  });

  test(`${file}: ids are unique and panels neither overlap nor leave the grid`, () => {
    assert.deepEqual(dashboardProblems(dashboard), []);
  });

  test(`${file}: every panel is drawn, described and has a unit`, () => {
    for (const panel of allPanels(dashboard)) {
      assert.deepEqual(panel.undrawn, [], panel.title);
      assert.ok(panel.description.length > 10 && panel.field.unit, panel.title);
    }
  });

  test(`${file}: every expression is whole and within the box's PromQL`, () => {
    const scope = queryScope(dashboard.variables, 1, 900);
    for (const panel of allPanels(dashboard)) {
      for (const target of panel.targets) {
        assert.equal(exprProblem(interpolate(target.expr, scope)), '', `${panel.title}: ${target.expr}`);
        assert.ok(target.legendFormat, `${panel.title} ${target.refId}: legendFormat`);
      }
    }
  });

  test(`${file}: variables ask for label values`, () => {
    for (const variable of dashboard.variables) assert.ok(parseLabelValues(variable.query), variable.name);
  });
}

test('dashboard check: finds overlaps, repeated ids and panels outside the grid', () => {
  const panel = (id, x, y) => ({ id, type: 'stat', title: `p${id}`, gridPos: { x, y, w: 8, h: 4 }, targets: [{ refId: 'A', expr: 'up' }] });
  const problems = dashboardProblems(readDashboard({ panels: [panel(1, 0, 0), panel(1, 4, 2), panel(2, 20, 9)] }));
  assert.equal(problems.length, 3);
});

test('dashboard check: the expression check refuses what it should', () => {
  for (const expr of ['sum(rate(x[5m])', 'topk(3, x)', 'rate(x[$__rate])', 'x{a="b"} +']) assert.notEqual(exprProblem(expr), '', expr);
});

test('rows: collapsed rows own their panels, open rows the ones that follow', () => {
  const inner = { id: 3, type: 'stat', title: 'b', gridPos: { x: 0, y: 2, w: 4, h: 2 } };
  const dashboard = readDashboard({
    panels: [{ id: 1, type: 'row', title: 'open', collapsed: false },
      { id: 2, type: 'stat', title: 'a', gridPos: { x: 0, y: 1, w: 4, h: 2 } },
      { id: 4, type: 'row', title: 'shut', collapsed: true, panels: [inner] }],
  });
  assert.deepEqual(dashboard.sections.map((section) => [section.title, section.collapsed, section.panels.length]),
    [['open', false, 1], ['shut', true, 1]]);
});
