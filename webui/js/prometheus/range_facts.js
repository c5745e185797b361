// What the box knows about the time range of one refresh, asked at most once and only when a panel of
// that refresh is empty and has to say why.

import { kRangeFactQueries, readRangeFacts } from './empty_reason.js';
import { queryInstant } from './prometheus_api.js';
import { interpolate, kScrapeIntervalS, queryScope } from '../dashboard/variables.js';

export class RangeFacts {
  /** @param variables of the dashboard, as the refresh finds them now */
  constructor(variables, fromMs, toMs) {
    // A dashboard without a choice of models is about all of them.
    const scope = { model_name: '.*', ...queryScope(variables, kScrapeIntervalS, (toMs - fromMs) / 1000) };
    this.queries_ = Object.entries(kRangeFactQueries).map(([name, expr]) => [name, interpolate(expr, scope)]);
    this.toMs_ = toMs;
    this.facts_ = null;
  }

  /** @returns a promise of readRangeFacts(), or of null when the box does not say; never rejects. */
  get() {
    this.facts_ ??= this.ask_().catch(() => null);
    return this.facts_;
  }

  async ask_() {
    const answers = await Promise.all(this.queries_.map(async ([name, expr]) => [name, await queryInstant(expr, this.toMs_)]));
    return readRangeFacts(Object.fromEntries(answers));
  }
}
