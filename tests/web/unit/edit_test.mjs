import assert from 'node:assert/strict';
import test from 'node:test';
import * as edits from '../../../webui/js/edit/dashboard_edits.js';
import { addAtTop, clampPlace, compact, moveTo, overlaps, resizedPlace, steppedPlace } from '../../../webui/js/edit/grid.js';
import { getPath, parseJson, setPath } from '../../../webui/js/edit/json_path.js';

const item = (id, x, y, w, h) => ({ id, gridPos: { x, y, w, h } });
const places = (items) => Object.fromEntries(items.map(({ id, gridPos: { x, y, w, h } }) => [id, [x, y, w, h]]));
const kStack = [item(1, 0, 0, 12, 8), item(2, 0, 8, 12, 4), item(3, 12, 0, 12, 8)];

function anyOverlap(items) {
  return items.some((a, index) => items.slice(index + 1).some((b) => overlaps(a.gridPos, b.gridPos)));
}

test('grid: what a panel is put on goes down, and what was below its old place comes up', () => {
  assert.deepEqual(places(moveTo(kStack, 1, { x: 12, y: 0, w: 12, h: 8 })), { 1: [12, 0, 12, 8], 2: [0, 0, 12, 4], 3: [12, 8, 12, 8] });
  assert.deepEqual(places(kStack), { 1: [0, 0, 12, 8], 2: [0, 8, 12, 4], 3: [12, 0, 12, 8] }, 'the items given stay as they were');
});

test('grid: a panel moved past the one below changes places with it', () => {
  const place = steppedPlace(kStack, 1, 'ArrowDown');
  assert.deepEqual(places(moveTo(kStack, 1, place)), { 1: [0, 4, 12, 8], 2: [0, 0, 12, 4], 3: [12, 0, 12, 8] });
  const swapped = moveTo(kStack, 1, place);
  assert.deepEqual(places(moveTo(swapped, 1, steppedPlace(swapped, 1, 'ArrowUp'))), places(kStack));
});

test('grid: sizes and places stay inside 24 columns', () => {
  assert.deepEqual(clampPlace({ x: 20, y: -3, w: 30, h: 0 }), { x: 0, y: 0, w: 24, h: 2 });
  assert.deepEqual(clampPlace({ x: 23.4, y: 1.6, w: 6, h: 4 }), { x: 18, y: 2, w: 6, h: 4 });
  assert.equal(resizedPlace({ x: 12, y: 0, w: 12, h: 8 }, 'ArrowRight').w, 12);
  assert.equal(resizedPlace({ x: 12, y: 0, w: 12, h: 8 }, 'ArrowDown').h, 9);
});

test('grid: no move of any panel anywhere leaves two on one place', () => {
  const items = [...kStack, item(4, 0, 12, 24, 1), item(5, 0, 13, 8, 6), item(6, 8, 13, 16, 3)];
  for (const { id, gridPos } of items) {
    for (let x = 0; x < 24; x += 3) {
      for (let y = 0; y < 20; y++) {
        const moved = moveTo(items, id, { ...gridPos, x, y });
        assert.equal(anyOverlap(moved), false, `panel ${id} to ${x}, ${y}`);
        assert.equal(moved.length, items.length);
        assert.deepEqual(places(compact(moved)), places(moved), 'nothing could stand higher');
      }
    }
  }
});

test('grid: a new panel stands at the top', () => {
  assert.deepEqual(places(addAtTop(kStack, item(9, 5, 5, 24, 3))), { 9: [0, 0, 24, 3], 1: [0, 3, 12, 8], 2: [0, 11, 12, 4], 3: [12, 3, 12, 8] });
});

const kBoard = {
  title: 'Board', weeklyNews: { keep: 'me' },
  panels: [
    { id: 1, type: 'stat', title: 'One', ours: [1], gridPos: { x: 0, y: 0, w: 12, h: 8 } },
    { id: 2, type: 'row', title: 'Row', gridPos: { x: 0, y: 8, w: 24, h: 1 }, panels: [] },
    { id: 3, type: 'stat', title: 'Three', gridPos: { x: 0, y: 9, w: 12, h: 8 } },
    { id: 4, type: 'row', title: 'Closed', collapsed: true, gridPos: { x: 0, y: 17, w: 24, h: 1 },
      panels: [{ id: 5, type: 'stat', title: 'Five', gridPos: { x: 0, y: 18, w: 12, h: 8 } }] },
  ],
};
const ids = (json) => json.panels.flatMap((panel) => [panel.id, ...(panel.panels ?? []).map(({ id }) => id)]);

test('edits: unknown fields survive, and nothing given is changed', () => {
  const before = structuredClone(kBoard);
  const json = edits.movePanel(edits.duplicatePanel(edits.editable(kBoard), 1), 1, { x: 12, y: 0, w: 6, h: 4 });
  assert.deepEqual(kBoard, before);
  assert.deepEqual(json.weeklyNews, { keep: 'me' });
  assert.deepEqual(edits.findPanel(json, 1).ours, [1]);
  assert.deepEqual(edits.findPanel(json, 6).ours, [1], 'the copy has them too');
});

test('edits: panels without id or place get both, rows of old files become panels', () => {
  const json = edits.editable({ rows: [{ title: 'R', showTitle: true, panels: [{ type: 'graph', span: 6 }, { id: 1, type: 'graph', span: 6 }] }] });
  assert.equal(json.rows, undefined);
  assert.equal(new Set(ids(json)).size, 3);
  assert.ok(json.panels.every(({ gridPos }) => gridPos.w > 0));
});

test('edits: panels inside a closed row are found, moved and removed there', () => {
  const json = edits.movePanel(edits.editable(kBoard), 5, { x: 6, y: 0, w: 12, h: 8 });
  assert.equal(edits.findPanel(json, 5).gridPos.x, 6);
  assert.deepEqual(ids(edits.removePanel(json, 5)), [1, 2, 3, 4]);
});

test('edits: a row goes alone or with what stands under it', () => {
  const json = edits.editable(kBoard);
  assert.deepEqual(ids(edits.removeRow(json, 2, false)), [1, 3, 4, 5]);
  assert.deepEqual(ids(edits.removeRow(json, 2, true)), [1, 4, 5]);
  const opened = edits.removeRow(json, 4, false);
  assert.deepEqual(ids(opened), [1, 2, 3, 5]);
  assert.equal(anyOverlap(opened.panels), false);
  assert.deepEqual(ids(edits.removeRow(json, 4, true)), [1, 2, 3]);
});

test('edits: what changed is told by title', () => {
  const json = edits.editable(kBoard);
  assert.equal(edits.sameJson({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }), true);
  const { json: added } = edits.addPanel(json, { ...edits.panelOf('up'), title: 'New' });
  const renamed = edits.renameRow(edits.removePanel({ ...added, title: 'Other' }, 3), 2, 'Renamed');
  const found = edits.differences(json, renamed);
  assert.deepEqual({ ...found, changed: undefined }, { added: ['New'], removed: ['Three'], settings: ['title'], changed: undefined });
  assert.ok(found.changed.includes('Renamed'));
  assert.deepEqual(edits.differences(json, structuredClone(json)), { added: [], removed: [], changed: [], settings: [] });
});

test('edits: a copy names nothing of its original', () => {
  assert.deepEqual(edits.copyOf({ id: 3, uid: 'x', version: 9, title: 'A', tags: ['t'] }, 'B'), { title: 'B', tags: ['t'] });
});

test('json paths: fields come and go, their neighbours stay', () => {
  const json = { a: { b: 1, c: [2] } };
  assert.deepEqual(setPath(json, 'a.d.e', 3), { a: { b: 1, c: [2], d: { e: 3 } } });
  assert.deepEqual(setPath(json, 'a.b', undefined), { a: { c: [2] } });
  assert.equal(setPath(json, 'x.y', undefined), json);
  assert.equal(getPath(json, 'a.b'), 1);
  assert.equal(getPath(json, 'a.b.c.d'), undefined);
  assert.deepEqual(json, { a: { b: 1, c: [2] } });
});

test('json text: the wrong kind is told, not taken', () => {
  assert.deepEqual(parseJson('[1]', 'array'), { value: [1] });
  assert.deepEqual(parseJson(' ', 'array'), { value: [] });
  assert.match(parseJson('{}', 'array').error, /expected an array, found object/);
  assert.match(parseJson('null', 'object').error, /found null/);
  assert.ok(parseJson('[1', 'array').error);
});
