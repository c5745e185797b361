// Moving and sizing panels on Grafana's grid: whatever is in the way goes down, then everything
// floats up. Items are {id, gridPos: {x, y, w, h}}; nothing here changes what it is given.

import { kGridColumns } from '../dashboard/layout.js';

const kLeast = { w: 2, h: 2 };
const kRowHeight = 1;

export function overlaps(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

const inOrder = (a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x;

/** A place inside the grid, on whole columns and rows. */
export function clampPlace({ x, y, w, h }) {
  const width = Math.min(kGridColumns, Math.max(kLeast.w, Math.round(w)));
  const left = Math.min(kGridColumns - width, Math.max(0, Math.round(x)));
  return { x: left, y: Math.max(0, Math.round(y)), w: width, h: Math.max(kLeast.h, Math.round(h)) };
}

/** Everything as far up as it goes, in its order from the top. */
export function compact(items) {
  const placed = [];
  for (const item of [...items].sort(inOrder)) {
    const place = { ...item.gridPos };
    while (place.y > 0 && !placed.some((one) => overlaps(one.gridPos, { ...place, y: place.y - 1 }))) place.y -= 1;
    while (placed.some((one) => overlaps(one.gridPos, place))) place.y += 1;
    placed.push({ ...item, gridPos: place });
  }
  return placed;
}

/** Pushes down what `mover` stands on, and what that then stands on. */
function push(items, mover) {
  for (const item of items.filter((one) => one !== mover).sort(inOrder)) {
    if (!overlaps(item.gridPos, mover.gridPos)) continue;
    item.gridPos = { ...item.gridPos, y: mover.gridPos.y + mover.gridPos.h };
    push(items, item);
  }
}

/** @returns all items with `id` at `place`, in their order from the top */
export function moveTo(items, id, place) {
  const copies = items.map((item) => ({ ...item, gridPos: { ...item.gridPos } }));
  const mover = copies.find((item) => item.id === id);
  const isRow = mover.gridPos.h === kRowHeight && mover.gridPos.w === kGridColumns;
  mover.gridPos = isRow ? { ...mover.gridPos, y: Math.max(0, Math.round(place.y)) } : clampPlace(place);
  // What a panel is moved down past changes places with it; else it would be pushed along for ever.
  const before = items.find((item) => item.id === id).gridPos;
  const bottom = mover.gridPos.y + mover.gridPos.h;
  for (const { gridPos } of mover.gridPos.y > before.y ? copies : []) {
    const passed = gridPos.y >= before.y + before.h && gridPos.y + gridPos.h <= bottom;
    const below = gridPos.x < mover.gridPos.x + mover.gridPos.w && mover.gridPos.x < gridPos.x + gridPos.w;
    if (passed && below) gridPos.y = Math.max(0, gridPos.y - before.h);
  }
  push(copies, mover);
  return compact(copies);
}

/** @returns all items with a new one at the top left, the others below it */
export function addAtTop(items, item) {
  const copies = items.map((one) => ({ ...one, gridPos: { ...one.gridPos, y: one.gridPos.y + item.gridPos.h } }));
  return compact([{ ...item, gridPos: { ...item.gridPos, x: 0, y: 0 } }, ...copies]);
}

/** Where the arrow key takes a panel: a column aside, or past the panel above or below it. */
export function steppedPlace(items, id, key) {
  const { gridPos: place } = items.find((item) => item.id === id);
  const sameColumns = items.filter(({ id: other, gridPos }) => other !== id
    && gridPos.x < place.x + place.w && place.x < gridPos.x + gridPos.w).map(({ gridPos }) => gridPos);
  if (key === 'ArrowLeft') return { ...place, x: place.x - 1 };
  if (key === 'ArrowRight') return { ...place, x: place.x + 1 };
  if (key === 'ArrowUp') {
    const above = sameColumns.filter(({ y }) => y < place.y);
    return { ...place, y: above.reduce((most, { y }) => Math.max(most, y), 0) };
  }
  const next = sameColumns.filter(({ y }) => y >= place.y + place.h);
  const least = next.reduce((best, one) => (!best || one.y + one.h < best.y + best.h ? one : best), null);
  return least ? { ...place, y: least.y + least.h - place.h } : place;
}

export function resizedPlace(place, key) {
  const { w = 0, h = 0 } = { ArrowLeft: { w: -1 }, ArrowRight: { w: 1 }, ArrowUp: { h: -1 }, ArrowDown: { h: 1 } }[key];
  return { ...place, w: Math.min(kGridColumns - place.x, place.w + w), h: place.h + h };
}
