// Edit mode's hands: panels are moved by their headers and sized at their corner, with the mouse or
// with the arrow keys. Everything snaps to the grid, and the others make room while it happens.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { moveTo, resizedPlace, steppedPlace } from './grid.js';

const kArrows = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];

export class Arrange {
  /**
   * @param editor {listOf(id): the panels that share a grid with it, move(id, place)}
   * @param said an element with aria-live that hears where a panel went
   */
  constructor(page, editor, said) {
    this.page_ = page;
    this.editor_ = editor;
    this.said_ = said;
    this.down_ = (event) => this.onDown_(event);
    this.key_ = (event) => this.onKey_(event);
    document.addEventListener('pointerdown', this.down_);
    document.addEventListener('keydown', this.key_, true);
  }

  destroy() {
    document.removeEventListener('pointerdown', this.down_);
    document.removeEventListener('keydown', this.key_, true);
    for (const handle of document.querySelectorAll('.panel-handle')) handle.remove();
  }

  /** After the view was made anew: each panel gets its corner. */
  attach() {
    for (const frame of this.page_.view.frames) frame.element.append(el('i', { class: 'panel-handle', 'aria-hidden': 'true' }));
  }

  onKey_(event) {
    if (!kArrows.includes(event.key) || !event.target.classList?.contains('panel')) return;
    const frame = this.page_.view.frameAt(event.target);
    if (!frame) return;
    event.preventDefault();
    event.stopPropagation();
    const { id } = frame.panel;
    const items = this.editor_.listOf(id);
    const { gridPos } = items.find((item) => item.id === id);
    this.place_(id, event.shiftKey ? resizedPlace(gridPos, event.key) : steppedPlace(items, id, event.key));
    this.page_.view.frames.find((one) => one.panel.id === id)?.element.focus();
  }

  place_(id, place) {
    this.editor_.move(id, place);
    const { x, y, w, h } = this.editor_.listOf(id).find((item) => item.id === id).gridPos;
    this.said_.textContent = t('Column {x}, row {y}, {w} wide, {h} high', { x: x + 1, y: y + 1, w, h });
  }

  onDown_(event) {
    const sizing = event.target.classList?.contains('panel-handle');
    const head = event.target.closest?.('.panel-head');
    const frame = (sizing || head) && event.button === 0 && this.page_.view.frameAt(event.target);
    if (!frame || event.target.closest('button, a, .pane')) return;
    const grid = frame.element.parentElement;
    const style = getComputedStyle(grid);
    if (style.gridTemplateColumns.split(' ').length < 24 || matchMedia('(max-width: 1200px)').matches) return;
    event.preventDefault();
    const gap = parseFloat(style.columnGap);
    this.drag_(event, frame, sizing, (grid.clientWidth + gap) / 24, parseFloat(style.gridAutoRows) + gap);
  }

  drag_(down, frame, sizing, columnPx, rowPx) {
    const { id } = frame.panel;
    const items = this.editor_.listOf(id);
    const { gridPos } = items.find((item) => item.id === id);
    let place = gridPos;
    const move = (event) => {
      const columns = Math.round((event.clientX - down.clientX) / columnPx);
      const rows = Math.round((event.clientY - down.clientY) / rowPx);
      place = sizing ? { ...gridPos, w: Math.min(24 - gridPos.x, gridPos.w + columns), h: gridPos.h + rows }
        : { ...gridPos, x: gridPos.x + columns, y: gridPos.y + rows };
      this.draw_(moveTo(items, id, place));
    };
    const end = (event) => {
      document.removeEventListener('pointermove', move);
      document.removeEventListener('pointerup', end);
      document.removeEventListener('pointercancel', end);
      frame.element.classList.remove('dragged');
      if (event.type === 'pointerup') this.place_(id, place);
      else this.draw_(items);
    };
    frame.element.classList.add('dragged');
    document.addEventListener('pointermove', move);
    document.addEventListener('pointerup', end);
    document.addEventListener('pointercancel', end);
  }

  /** Shows a layout without making anything anew; rows of the dashboard stay where they are until the drop. */
  draw_(items) {
    for (const frame of this.page_.view.frames) {
      const item = items.find(({ id }) => id === frame.panel.id);
      if (!item) continue;
      frame.place(item.gridPos);
      frame.setRow(Math.max(1, item.gridPos.y - this.page_.view.topOf(frame) + 1));
    }
  }
}
