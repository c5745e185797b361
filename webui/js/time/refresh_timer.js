// Automatic refresh: waits for the last one to be drawn, rests while the mouse reads a chart and
// while the page is hidden.

export class RefreshTimer {
  /** @param refresh() returns a promise; @param mayRun() false pauses. */
  constructor(refresh, mayRun) {
    this.refresh_ = refresh;
    this.mayRun_ = mayRun;
    this.periodMs_ = null;
    this.timer_ = 0;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.schedule_(0);
    });
  }

  setPeriod(periodMs) {
    this.periodMs_ = periodMs;
    this.schedule_(periodMs);
  }

  schedule_(delayMs) {
    clearTimeout(this.timer_);
    if (this.periodMs_ === null) return;
    this.timer_ = setTimeout(() => this.tick_(), delayMs);
  }

  async tick_() {
    const begun = performance.now();
    if (!document.hidden && this.mayRun_()) await this.refresh_();
    this.schedule_(Math.max(100, this.periodMs_ - (performance.now() - begun)));
  }
}
