// What the mouse points at, shared by all charts: one time, seen on every crosshair.

/** Events: "move" {detail: {timeMs, source}} and "leave". */
export class HoverSync extends EventTarget {
  constructor() {
    super();
    this.active = false;
  }

  move(timeMs, source) {
    this.active = true;
    this.dispatchEvent(new CustomEvent('move', { detail: { timeMs, source } }));
  }

  leave() {
    if (!this.active) return;
    this.active = false;
    this.dispatchEvent(new CustomEvent('leave'));
  }
}
