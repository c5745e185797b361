// Where panels stand on Grafana's grid of 24 columns: rows of before schema 16, missing places, repeats.

export const kGridColumns = 24;
const kDefaultPlace = { w: 12, h: 8 };
const kOldRowPx = 38;         // a grid row and its margin, by which Grafana turned heights into rows
const kOldSpanColumns = 12;
const kCloneIdStep = 100000;  // a clone's id: its original's plus this per repetition

function oldHeight(height, fallback) {
  const px = typeof height === 'number' ? height : parseInt(height, 10);
  return Number.isFinite(px) ? Math.max(3, Math.ceil(px / kOldRowPx)) : fallback;
}

/** Panels without a place, side by side while they fit, from row `y` on. */
class Flow {
  constructor(y) {
    this.y_ = y;
    this.x_ = 0;
    this.high_ = 0;
  }

  place(w, h) {
    if (this.x_ + w > kGridColumns) this.next();
    const place = { x: this.x_, y: this.y_, w, h };
    this.x_ += w;
    this.high_ = Math.max(this.high_, h);
    return place;
  }

  /** @returns the grid row below everything placed so far */
  next() {
    this.y_ += this.high_;
    this.x_ = 0;
    this.high_ = 0;
    return this.y_;
  }
}

/** `rows: [{title, panels: [{span}]}]` as a list of row panels and panels with gridPos. */
export function panelsOfOldRows(rows) {
  const result = [];
  const titled = rows.some((row) => row.showTitle || row.collapse || row.repeat);
  let y = 0;
  for (const row of rows) {
    const height = oldHeight(row.height, 7);
    const top = titled ? y + 1 : y;
    const flow = new Flow(top);
    const panels = (row.panels ?? []).map((panel) => ({
      ...panel,
      gridPos: flow.place(Math.round((panel.span ?? 4) * kGridColumns / kOldSpanColumns), oldHeight(panel.height, height)),
    }));
    if (titled) {
      const head = { type: 'row', title: row.showTitle || row.collapse || row.repeat ? row.title : '', collapsed: Boolean(row.collapse), repeat: row.repeat,
        gridPos: { x: 0, y, w: kGridColumns, h: 1 } };
      result.push(row.collapse ? { ...head, panels } : head);
    }
    if (!titled || !row.collapse) result.push(...panels);
    y = flow.next();
  }
  return result;
}

function isPlace(place) {
  return place && ['x', 'y', 'w', 'h'].every((key) => Number.isFinite(place[key]));
}

/** Gives every panel a place inside the grid; those without one go below the others. */
export function placePanels(panels) {
  const bottom = panels.reduce((most, { gridPos }) => (isPlace(gridPos) ? Math.max(most, gridPos.y + gridPos.h) : most), 0);
  const flow = new Flow(bottom);
  return panels.map((panel) => {
    if (isPlace(panel.gridPos)) {
      const w = Math.min(kGridColumns, Math.max(1, panel.gridPos.w));
      return { ...panel, gridPos: { ...panel.gridPos, w, h: Math.max(1, panel.gridPos.h), x: Math.min(Math.max(0, panel.gridPos.x), kGridColumns - w) } };
    }
    const { w = kDefaultPlace.w, h = kDefaultPlace.h } = panel.gridPos ?? {};
    return { ...panel, gridPos: flow.place(Math.min(kGridColumns, w), h) };
  });
}

/** The places of `count` copies of a panel: side by side (h) in equal widths, or below each other (v). */
function repeatedPlaces(place, count, { direction, maxPerRow }) {
  if (direction === 'v') return Array.from({ length: count }, (_, index) => ({ ...place, y: place.y + index * place.h }));
  const perRow = Math.max(1, Math.min(count, maxPerRow || 4));
  const w = Math.floor(kGridColumns / perRow);
  return Array.from({ length: count }, (_, index) => ({
    ...place, w, x: (index % perRow) * w, y: place.y + Math.floor(index / perRow) * place.h,
  }));
}

function cloneOf(panel, option, index, name, place) {
  return {
    ...panel,
    id: index === 0 ? panel.id : panel.id + index * kCloneIdStep,
    gridPos: place,
    scoped: { ...panel.scoped, [name]: option },
  };
}

/**
 * Panels with `repeat` once per chosen value; what stood below them moves down.
 * @param optionsOf(name) the chosen options of a variable as [{text, value}], null when there is none
 */
export function repeatPanels(panels, optionsOf) {
  const result = [];
  let shift = 0;
  const sorted = [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  for (const panel of sorted) {
    const place = { ...panel.gridPos, y: panel.gridPos.y + shift };
    const options = panel.repeat && !panel.scoped[panel.repeat.variable] ? optionsOf(panel.repeat.variable) : null;
    if (!options?.length) {
      result.push({ ...panel, gridPos: place });
      continue;
    }
    const places = repeatedPlaces(place, options.length, panel.repeat);
    options.forEach((option, index) => result.push(cloneOf(panel, option, index, panel.repeat.variable, places[index])));
    shift += places[places.length - 1].y - place.y;
  }
  return result;
}

/** Sections with `repeat` once per chosen value, their panels with them. */
export function repeatSections(sections, optionsOf) {
  return sections.flatMap((section) => {
    const options = section.repeat ? optionsOf(section.repeat) : null;
    if (!options?.length) return [{ ...section, scoped: {}, panels: repeatPanels(section.panels, optionsOf) }];
    return options.map((option, index) => {
      const panels = section.panels.map((panel) => cloneOf(panel, option, index, section.repeat, panel.gridPos));
      return { ...section, id: section.id + index * kCloneIdStep, scoped: { [section.repeat]: option }, panels: repeatPanels(panels, optionsOf) };
    });
  });
}
