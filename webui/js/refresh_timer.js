// Automatic refresh: waits for the last one to be drawn, rests while the mouse reads a chart and
// while the page is hidden.

export const kRefreshChoices = [
  ['off', 'Off'], ['auto', 'Auto'], ['1s', 'Live · 1s'], ['5s', '5s'], ['10s', '10s'], ['30s', '30s'],
  ['1m', '1m'],
];

/** Auto: one refresh per drawn pixel, from a second to a minute. */
export function refreshMs(choice, rangeMs, widthPx) {
  if (choice === 'auto') return Math.min(60000, Math.max(1000, Math.round(rangeMs / widthPx)));
  const match = /^(\d+)([sm])$/.exec(choice);
  return match ? Number(match[1]) * (match[2] === 'm' ? 60000 : 1000) : null;
}

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
