import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { undrawn, undrawnInPanel } from '../../../webui/js/dashboard/undrawn.js';

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const features = read('../../../webui/drawn_features.json');

for (const { name, dashboard, undrawn: expected } of read('../cases/undrawn_cases.json')) {
  test(`undrawn: ${name}`, () => {
    const found = undrawn(dashboard, features).map(({ panelId, title, what }) => ({ panel_id: panelId, title, what }));
    assert.deepEqual(found, expected);
  });
}

test('undrawn: one panel is looked at without the panels that its row holds', () => {
  const row = { id: 1, type: 'row', panels: [{ id: 2, type: 'news' }] };
  assert.deepEqual(undrawnInPanel(row, {}, features), []);
  assert.deepEqual(undrawnInPanel(row.panels[0], {}, features), ['panel type news is not drawn']);
});

test('undrawn: the panel types of the list are the types that are drawn', () => {
  const source = readFileSync(new URL('../../../webui/js/panels/types.js', import.meta.url), 'utf8');
  const table = /export const kTypes = \{([^}]*)\}/.exec(source)[1];
  const drawn = [...table.matchAll(/^\s*'?([\w-]+)'?:/gm)].map(([, type]) => type);
  // Older names are read as the newer types; a row is no panel of its own.
  const older = ['row', 'graph', 'singlestat', 'table-old'];
  assert.deepEqual(drawn.sort(), features.panels.filter((type) => !older.includes(type)).sort());
});
