// The grid of sections and panels, and which of them are worth a query.

import { el, icon } from '../shell/dom.js';
import { sectionTop } from './dashboard_model.js';
import { PanelFrame } from './panel_frame.js';

export class DashboardView {
  /** @param onNeed() is called when panels became visible that have not loaded yet. */
  constructor(dashboard, context, onNeed) {
    this.frames = [];
    this.sections_ = [];
    this.onNeed_ = onNeed;
    this.solo_ = null;
    this.element = el('main', { class: 'dashboard', id: 'dashboard' });
    this.observer_ = new IntersectionObserver((entries) => this.seen_(entries), { rootMargin: '200px' });
    for (const section of dashboard.sections) this.addSection_(section, context);
  }

  addSection_(section, context) {
    const grid = el('div', { class: 'grid' });
    const top = sectionTop(section);
    for (const panel of section.panels) {
      const frame = new PanelFrame(panel, context);
      frame.setRow(panel.gridPos.y - top + 1);
      frame.visible = false;
      this.frames.push(frame);
      grid.append(frame.element);
      this.observer_.observe(frame.element);
    }
    const item = { section, grid, element: el('div', { class: 'section', hidden: Boolean(section.showWhenSeries) }) };
    if (section.title) {
      item.button = el('button', {
        type: 'button', class: 'row-title', onclick: () => this.setCollapsed_(item, !section.collapsed),
      }, icon('chevron'), section.title, el('span', { class: 'row-count' }, `${section.panels.length} panels`));
      item.element.append(item.button);
    }
    item.element.append(grid);
    this.sections_.push(item);
    this.setCollapsed_(item, section.collapsed);
    this.element.append(item.element);
  }

  setCollapsed_(item, collapsed) {
    item.section.collapsed = collapsed;
    item.grid.hidden = collapsed;
    item.button?.setAttribute('aria-expanded', String(!collapsed));
  }

  /** Opens every row, or closes every row when all are open. */
  toggleRows() {
    const titled = this.sections_.filter((item) => item.button);
    const open = titled.every((item) => !item.section.collapsed);
    for (const item of titled) this.setCollapsed_(item, open);
  }

  /** Shows the sections that ask for a series, as far as `exists(selector)` finds it. */
  async showConditional(exists) {
    for (const item of this.sections_.filter((one) => one.section.showWhenSeries)) {
      try {
        item.element.hidden = !(await exists(item.section.showWhenSeries));
      } catch {
        item.element.hidden = true;  // the panels themselves report a box that does not answer
      }
    }
  }

  seen_(entries) {
    let needed = false;
    for (const entry of entries) {
      const frame = this.frames.find((one) => one.element === entry.target);
      frame.visible = entry.isIntersecting;
      needed ||= entry.isIntersecting;
    }
    if (needed) this.onNeed_();
  }

  /** Shows one panel alone, or all again with null. */
  setSolo(panelId) {
    const target = this.frames.find((frame) => frame.panel.id === panelId) ?? null;
    for (const frame of this.frames) frame.element.classList.toggle('solo', frame === target);
    document.body.classList.toggle('has-solo', target !== null);
    this.solo_ = target;
    if (target) {
      const item = this.sections_.find((one) => one.grid.contains(target.element));
      this.setCollapsed_(item, false);
      item.element.hidden = false;
    }
    return target !== null;
  }

  /** The grid row, in the file, at which the section of a frame begins. */
  topOf(frame) {
    return sectionTop(this.sections_.find((item) => item.grid.contains(frame.element)).section);
  }

  /** @param make(section) gives an element to stand beside the row's title */
  offerRowTools(make) {
    for (const { button, section } of this.sections_) button?.after(make(section));
  }

  destroy() {
    this.observer_.disconnect();
    for (const frame of this.frames) frame.destroy();
  }

  redraw() {
    for (const frame of this.frames) frame.redraw();
  }

  /** The frames that a refresh has to load now. */
  wanted() {
    if (this.solo_) return [this.solo_];
    return this.frames.filter((frame) => frame.visible);
  }

  frameAt(element) {
    return this.frames.find((frame) => frame.element.contains(element)) ?? null;
  }
}
