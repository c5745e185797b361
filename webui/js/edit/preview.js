// The panel that is edited, drawn as the dashboard will draw it. While something does not work the
// last good drawing stays.

import { el } from '../shell/dom.js';
import { applyVariables, readDashboard } from '../dashboard/dashboard_model.js';
import { PanelFrame } from '../dashboard/panel_frame.js';
import { RangeFacts } from '../prometheus/range_facts.js';

const kRestMs = 350;  // of typing, before the box is asked

export class Preview {
  /** @param page the DashboardPage whose variables and time hold @param json its dashboard */
  constructor(page, json) {
    this.page_ = page;
    this.json_ = json;
    this.timer_ = 0;
    this.turn_ = 0;
    this.frame_ = null;
    this.said_ = el('p', { class: 'edit-said', role: 'status' });
    this.place_ = el('div', { class: 'edit-preview-place' });
    this.element = el('div', { class: 'edit-preview' }, this.place_, this.said_);
  }

  /** The panel as the renderer reads it. */
  model_(panel) {
    const alone = { ...panel, repeat: undefined, gridPos: { ...panel.gridPos, x: 0, y: 0 } };
    const dashboard = readDashboard({ ...this.json_, rows: undefined, panels: [alone] }, this.page_.features);
    dashboard.variables = this.page_.dashboard.variables;
    dashboard.sectionsKey = '';
    applyVariables(dashboard);
    return dashboard.sections[0].panels[0];
  }

  /** Draws `panel` once the typing rests. */
  later(panel) {
    clearTimeout(this.timer_);
    this.timer_ = setTimeout(() => this.show(panel), kRestMs);
  }

  async show(panel) {
    const turn = ++this.turn_;
    let frame;
    try {
      frame = new PanelFrame(this.model_(panel), { ...this.page_.context, page: null });
    } catch (error) {
      this.said_.textContent = error.message;  // options the renderer cannot read, on the way to being typed
      return;
    }
    frame.element.classList.add('edit-next');
    this.place_.append(frame.element);
    const { fromMs, toMs } = this.page_.state.resolved();
    const { variables } = this.page_.dashboard;
    await frame.load(variables, fromMs, toMs, new RangeFacts(variables, fromMs, toMs));
    const { state } = frame.element.dataset;
    const note = frame.element.querySelector('.panel-note').textContent;
    if (turn !== this.turn_ || (state === 'error' && this.frame_)) {
      frame.destroy();
      frame.element.remove();
      if (turn === this.turn_) this.said_.textContent = note;
      return;
    }
    this.said_.textContent = state === 'error' ? note : '';
    this.frame_?.destroy();
    this.frame_?.element.remove();
    frame.element.classList.remove('edit-next');
    this.frame_ = frame;
  }

  /** The frame on show, null before the first. */
  get frame() {
    return this.frame_;
  }

  destroy() {
    clearTimeout(this.timer_);
    this.turn_ += 1;
    this.frame_?.destroy();
  }
}
