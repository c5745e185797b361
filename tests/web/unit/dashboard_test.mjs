import assert from 'node:assert/strict';
import test from 'node:test';
import { dashboardProblems, readDashboard } from '../../../webui/js/dashboard/dashboard_model.js';

test('dashboard check: finds overlaps, repeated ids and panels outside the grid', () => {
  const panel = (id, x, y) => ({ id, type: 'stat', title: `p${id}`, gridPos: { x, y, w: 8, h: 4 }, targets: [{ refId: 'A', expr: 'up' }] });
  const problems = dashboardProblems(readDashboard({ panels: [panel(1, 0, 0), panel(1, 4, 2), panel(2, 20, 9)] }));
  assert.equal(problems.length, 3);
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
