// One apply as it goes: each step, the probe's answer, the seconds of the watch, and how it ended.

import { formatValue } from '../format/units.js';
import { el, icon } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { formatDuration } from '../time/time_range.js';
import { boxNowMs } from './config_api.js';

const kSteps = {
  validate: msg('Check the configuration'), fit: msg('See that it fits'), start: msg('Start the new engine'), probe: msg('Let it answer once'),
  switch: msg('Send new requests to it'), drain: msg('Let the old one finish'), watch: msg('Watch it'), confirm: msg('Keep it'),
  return: msg('Go back to the old configuration'),
};
const kStepStates = { waiting: msg('waiting'), running: msg('running'), done: msg('done'), failed: msg('failed'), skipped: msg('not needed') };
const kTitles = {
  running: msg('Revision {revision} is being applied'), watching: msg('Revision {revision} serves and is being watched'),
  confirmed: msg('Revision {revision} is active'), returned: msg('Revision {revision} was taken back'), failed: msg('Revision {revision} was not applied'),
};
const kLevels = { running: 'busy', watching: 'busy', confirmed: 'ok', returned: 'error', failed: 'error' };
export const kReasons = {
  invalid: msg('not valid'), does_not_fit: msg('does not fit'), load_failed: msg('did not load'), not_ready: msg('never became ready'),
  probe_failed: msg('the probe failed'), engine_crashed: msg('the engine crashed'), cancelled: msg('cancelled'),
  interrupted: msg('the box restarted'), not_kept: msg('the outcome could not be written'),
};
const kTickMs = 500;

export const isRunning = (apply) => apply?.state === 'running' || apply?.state === 'watching';

/** The way back is no step of an apply that goes well; what came after a failure is no step of it. */
const worthSaying = (apply) => ({ name, state }) => (name === 'return' ? state !== 'waiting' && state !== 'skipped' : state !== 'skipped' || apply.state === 'confirmed');

function stepTime({ started_ms: started, ended_ms: ended }) {
  return started > 0 && ended >= started ? formatValue(ended - started, 'ms') : '';
}

/** @param said what is said of the whole apply: not said again at the step */
function stepItem(step, said) {
  const share = step.state === 'running' && step.progress > 0 && step.progress <= 1 ? step.progress : null;
  return el('li', { class: `apply-step ${step.state}`, 'data-step': step.name, 'aria-current': step.state === 'running' && 'step' },
    el('i', { class: 'apply-mark', 'aria-hidden': 'true' }),
    el('div', {}, el('p', { class: 'apply-name' }, el('b', {}, t(kSteps[step.name] ?? '{name}', { name: step.name })),
      el('span', { class: 'apply-state' }, t(kStepStates[step.state] ?? '{state}', { state: step.state })),
      el('span', { class: 'apply-time' }, stepTime(step))),
    step.text && !said.startsWith(step.text) && el('p', { class: 'apply-text' }, step.text),
    share !== null && el('progress', { max: 1, value: share, 'aria-label': t(kSteps[step.name] ?? '{name}', { name: step.name }) })));
}

function probeView(probe) {
  if (!probe) return null;
  const facts = [probe.tokens > 0 && t('{count} tokens', { count: probe.tokens }), probe.ttft_ms > 0 && t('first after {ms} ms', { ms: Math.round(probe.ttft_ms) }),
    probe.duration_ms > 0 && t('{ms} ms in all', { ms: Math.round(probe.duration_ms) })].filter(Boolean).join(' · ');
  return el('figure', { class: 'apply-probe' }, el('figcaption', {}, t('The probe: what the new engine answered to “{prompt}”', { prompt: probe.prompt })),
    el('blockquote', {}, probe.text), el('p', { class: 'muted' }, facts));
}

export class ApplyView {
  /** @param options {confirm(), cancel(), close()} */
  constructor(options) {
    this.options_ = options;
    this.apply_ = null;
    this.shown_ = '';
    this.countdown_ = el('b', { class: 'apply-countdown' });
    this.bar_ = el('progress', { max: 1, value: 0, 'aria-label': t('Time of the watch') });
    this.said_ = el('p', { class: 'sr', role: 'status' });
    this.place_ = el('div', {});
    this.element = el('section', { class: 'apply', id: 'config-apply', 'aria-label': t('Apply'), hidden: true }, this.said_, this.place_);
    setInterval(() => this.tick_(), kTickMs);
  }

  /** @param apply as GET /api/config/applies/ID says, or null */
  show(apply) {
    this.apply_ = apply;
    this.element.hidden = apply === null;
    const key = JSON.stringify(apply);
    if (!apply || key === this.shown_) return;
    this.shown_ = key;
    const level = kLevels[apply.state] ?? 'busy';
    this.element.dataset.state = apply.state;
    const title = t(kTitles[apply.state] ?? '{state}', { revision: apply.revision, state: apply.state });
    const now = apply.steps.find(({ state }) => state === 'running');
    this.say_([title, now && t(kSteps[now.name] ?? '{name}', { name: now.name }), apply.message].filter(Boolean).join('. '));
    const focused = this.element.contains(document.activeElement) ? document.activeElement.id : null;
    this.place_.replaceChildren(
      el('div', { class: `apply-head ${level}` }, el('i', { class: 'dot' }), el('h2', {}, title), el('div', { class: 'apply-actions' }, ...this.actions_(apply))),
      ...[this.outcome_(apply), this.watch_(apply),
        el('ol', { class: 'apply-steps' }, ...apply.steps.filter(worthSaying(apply)).map((step) => stepItem(step, apply.message ?? ''))), probeView(apply.probe)].filter(Boolean));
    if (focused) document.getElementById(focused)?.focus();
    this.tick_();
  }

  say_(text) {
    if (this.said_.textContent !== text) this.said_.textContent = text;
  }

  actions_({ state, announced_wait_s: wait }) {
    const button = (id, text, main, run) => el('button', { type: 'button', id, class: main ? 'primary' : 'tool wide', onclick: run }, text);
    if (state === 'watching') {
      return [button('apply-confirm', t('Keep now'), true, this.options_.confirm), button('apply-cancel', t('Go back'), false, this.options_.cancel)];
    }
    if (state === 'running') {
      return [wait > 0 && el('span', { class: 'muted' }, t('Requests wait up to {time}.', { time: formatDuration(wait * 1000) })),
        button('apply-cancel', t('Cancel and go back'), false, this.options_.cancel)].filter(Boolean);
    }
    return [button('apply-close', t('Close'), false, this.options_.close)];
  }

  outcome_({ state, reason, message, previous }) {
    if (state !== 'returned' && state !== 'failed') return null;
    return el('div', { class: 'alert error' }, icon('warning'), el('div', {},
      el('p', {}, el('b', {}, t(kReasons[reason] ?? '{reason}', { reason })), message ? ` · ${message}` : ''),
      el('p', {}, previous ? t('Revision {revision} serves as before.', { revision: previous }) : t('What served before serves on.'))));
  }

  watch_({ state }) {
    if (state !== 'watching') return null;
    return el('div', { class: 'apply-watch' },
      el('p', {}, t('If its engine crashes now, the box goes back by itself. It is kept in:'), ' ', this.countdown_), this.bar_);
  }

  tick_() {
    const { state, watch_until_ms: until, steps } = this.apply_ ?? {};
    if (state !== 'watching' || !until) return;
    const left = Math.max(0, until - boxNowMs());
    const begun = steps.find(({ name }) => name === 'watch')?.started_ms || until - left;
    this.countdown_.textContent = t('{seconds} s', { seconds: Math.ceil(left / 1000) });
    this.bar_.value = until > begun ? Math.min(1, Math.max(0, 1 - left / (until - begun))) : 1;
  }
}
