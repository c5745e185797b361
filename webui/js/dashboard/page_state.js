// What a person chose on the dashboard page, and its place in the address: a link shows what its
// sender saw.

import { kRefreshChoices } from '../time/refresh_timer_rules.js';
import { isLive, resolveRange, shiftRange, zoomIn, zoomOut } from '../time/time_range.js';
import { setTimeZone, timeZone } from '../time/zone.js';
import { readUrlState, writeUrlState } from './url_state.js';

const kMinZoomMs = 5000;

export class PageState {
  /** @param dashboard gives the defaults: {time, refresh, timezone, variables} */
  constructor(dashboard) {
    this.dashboard_ = dashboard;
    this.readAddress();
  }

  /** Takes over what the address says; the dashboard's own defaults fill the rest. */
  readAddress() {
    const state = readUrlState(location.search);
    const { time, refresh, timezone, variables } = this.dashboard_;
    setTimeZone(state.timezone ?? timezone);
    const asked = { from: state.from ?? time.from, to: state.to ?? time.to };
    this.range = resolveRange(asked.from, asked.to, Date.now()).error ? { ...time } : asked;
    const known = kRefreshChoices.some(([value]) => value === state.refresh);
    this.refresh = known ? state.refresh : refresh;
    this.viewPanel = state.viewPanel;
    this.kiosk = state.kiosk;
    for (const variable of variables) {
      if (state.variables[variable.name]) variable.values = state.variables[variable.name];
    }
  }

  /** @param replace true when there is nothing to go back to: the state only became explicit */
  writeAddress(replace = false) {
    const { timezone, variables } = this.dashboard_;
    const state = {
      from: String(this.range.from),
      to: String(this.range.to),
      refresh: this.refresh,
      viewPanel: this.viewPanel,
      kiosk: this.kiosk,
      timezone: timeZone() === (timezone === 'utc' ? 'utc' : 'browser') ? null : timeZone(),
      variables: Object.fromEntries(variables.map((variable) => [variable.name, variable.values])),
    };
    const search = writeUrlState(state, location.search);
    if (replace) history.replaceState(history.state, '', search);
    else history.pushState(null, '', search);
  }

  /** {fromMs, toMs} of this moment. */
  resolved() {
    return resolveRange(String(this.range.from), String(this.range.to), Date.now());
  }

  get live() {
    return isLive(this.range);
  }

  setAbsolute_({ fromMs, toMs }) {
    const missing = Math.max(0, kMinZoomMs - (toMs - fromMs)) / 2;
    this.range = { from: String(Math.round(fromMs - missing)), to: String(Math.round(toMs + missing)) };
  }

  zoomTo(fromMs, toMs) {
    this.setAbsolute_({ fromMs, toMs });
  }

  zoomOut() {
    const { fromMs, toMs } = this.resolved();
    this.setAbsolute_(zoomOut(fromMs, toMs, Date.now()));
  }

  zoomIn() {
    const { fromMs, toMs } = this.resolved();
    this.setAbsolute_(zoomIn(fromMs, toMs));
  }

  /** @param steps half widths, earlier when negative */
  shift(steps) {
    const { fromMs, toMs } = this.resolved();
    this.setAbsolute_(shiftRange(fromMs, toMs, steps, Date.now()));
  }

  /** now-1h to now becomes the hour it is at this moment. */
  makeAbsolute() {
    this.setAbsolute_(this.resolved());
  }

  backToNow() {
    if (!this.live) this.range = { ...this.dashboard_.time };
  }
}
