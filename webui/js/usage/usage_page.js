// Usage data: what would be sent, field by field and as the very text, who decided, and the switch.

import { el, icon } from '../shell/dom.js';
import { locale, msg, t } from '../shell/i18n.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { nextTheme } from '../shell/theme.js';
import { buildTopBar } from '../shell/top_bar.js';
import { formatDuration } from '../time/time_range.js';
import { decidedSentence, lastSentence, lockSentence, shownReport, stateSentence, valueText, withoutTime } from './usage_text.js';

const kPeriodMs = 5000;
const kAddress = '/api/usage';

const moment = (ms) => new Date(ms).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'medium' });

async function askBox(options) {
  const response = await fetch(kAddress, { cache: 'no-store', ...options });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.message ?? `HTTP ${response.status}`);
  return body;
}

class UsagePage {
  constructor() {
    const status = new StatusView();
    this.problem_ = el('p', { class: 'alert error', role: 'alert', hidden: true });
    this.state_ = el('p', { class: 'usage-state', role: 'status' });
    this.consent_ = el('div', {});
    this.receiver_ = el('dl', {});
    this.aboutReport_ = el('p', { class: 'note' });
    this.report_ = el('pre', { id: 'report', tabindex: 0, 'aria-label': t('Report') });
    this.rows_ = el('tbody', {});
    document.body.prepend(
      buildTopBar('/usage'),
      status.alerts,
      el('section', { class: 'strip', 'aria-label': t('State of the box') }, el('h1', {}, t('Usage data')), status.facts),
      el('main', { class: 'listing usage' }, this.problem_, this.answerCard_(), this.receiverCard_(), this.reportCard_(), this.fieldsCard_()));
    installShortcuts([
      { keys: ['r'], text: msg('Refresh now'), run: () => this.load_() },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
    ]);
    this.load_();
    setInterval(() => document.hidden || this.busy_ || this.load_(), kPeriodMs);
  }

  answerCard_() {
    return el('section', { class: 'card', 'aria-labelledby': 'answer-title' }, el('h2', { id: 'answer-title' }, t('May this box record and send usage data?')),
      el('p', {}, t('Usage data tells the receiver which kinds of models and hardware are in use. No prompt, no answer, no model name, no path and no address is in it. '
        + 'Below is everything that would be sent.')),
      this.state_, this.consent_);
  }

  receiverCard_() {
    return el('section', { class: 'card', 'aria-labelledby': 'receiver-title' }, el('h2', { id: 'receiver-title' }, t('Sending')), this.receiver_);
  }

  reportCard_() {
    return el('section', { class: 'card', 'aria-labelledby': 'report-title' }, el('h2', { id: 'report-title' }, t('The report')), this.aboutReport_, this.report_);
  }

  fieldsCard_() {
    const head = [t('Field'), t('Value'), t('Meaning')].map((text) => el('th', { scope: 'col' }, text));
    return el('section', { class: 'card', 'aria-labelledby': 'fields-title' }, el('h2', { id: 'fields-title' }, t('What each field means')),
      el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('Fields') },
        el('table', { class: 'rows' }, el('thead', {}, el('tr', {}, ...head)), this.rows_)));
  }

  async load_(options = {}) {
    this.busy_ = true;
    const question = this.question_ = (this.question_ ?? 0) + 1;  // an older answer must not follow a newer one
    try {
      const usage = await askBox(options);
      if (question !== this.question_) return;
      this.show_(usage);
      this.problem_.hidden = true;
    } catch (error) {
      this.problem_.hidden = false;
      this.problem_.replaceChildren(icon('warning'), el('span', {}, options.method === 'PUT' ? t('The answer was not taken: {reason}', { reason: error.message })
        : t('Usage data cannot be read: {reason}', { reason: error.message })));
    } finally {
      if (question === this.question_) this.busy_ = false;
    }
  }

  answer_(enabled) {
    return this.load_({ method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ enabled }) });
  }

  show_(usage) {
    const { text, isNext } = shownReport(usage);
    this.showConsent_(usage);
    this.showSending_(usage);
    // Who reads or copies is not disturbed while nothing but the time of an example has changed.
    const key = isNext ? text : withoutTime(text);
    if (key === this.reportShown_) return;
    this.reportShown_ = key;
    this.report_.textContent = text;
    this.aboutReport_.textContent = isNext
      ? t('The exact bytes of the next report. They stay as they are until it has been sent; the same text is in usage_stats.json in the state directory.')
      : t('A report as it would be now. Nothing of it is written down or sent.');
    this.rows_.replaceChildren(...usage.fields.map(({ name, tag, help, value }) => el('tr', {},
      el('th', { scope: 'row' }, el('code', {}, name), tag && el('span', { class: 'note' }, t('in extra_usage_tags'))),
      el('td', {}, el('code', {}, valueText(value))), el('td', {}, help))));
  }

  showConsent_(usage) {
    const { enabled, can_change: canChange } = usage;
    const sentence = stateSentence(usage);
    if (this.state_.textContent !== sentence) this.state_.textContent = sentence;
    const key = JSON.stringify([enabled, canChange, usage.decider, usage.place]);
    if (key === this.consentShown_) return;
    const hadFocus = this.consent_.contains(document.activeElement);
    this.consentShown_ = key;
    const button = (id, text, value, className) => el('button', { type: 'button', id, class: className, onclick: () => this.answer_(value) }, text);
    const buttons = {
      null: () => [button('usage-on', t('Yes, switch it on'), true, 'tool wide'), button('usage-off', t('No'), false, 'tool wide')],
      false: () => [button('usage-on', t('Switch it on'), true, 'tool wide')],
      true: () => [button('usage-off', t('Switch it off and remove what was recorded'), false, 'tool wide')],
    }[enabled];
    const decided = decidedSentence(usage);
    this.consent_.replaceChildren(...[
      decided && el('p', { class: 'note', id: 'decided' }, decided),
      canChange ? el('div', { class: 'usage-buttons' }, ...buttons())
        : el('p', { class: 'usage-lock' }, icon('lock'), el('span', {}, lockSentence(usage))),
    ].filter(Boolean));
    if (hadFocus) this.consent_.querySelector('button')?.focus();
  }

  showSending_(usage) {
    const { receiver, interval_s: intervalS, due_ms: dueMs, last } = usage;
    const facts = [
      [t('Receiver'), receiver ? el('code', {}, receiver) : t('none: nothing is ever sent. usage_stats.url in the configuration of the box sets one.')],
      receiver && [t('Interval'), t('One attempt every {time}; what could not be sent is not sent again.', { time: formatDuration(intervalS * 1000) })],
      dueMs && [t('Next sending'), moment(dueMs)],
      [t('Last sending'), lastSentence(last, moment)],
    ].filter(Boolean);
    this.receiver_.replaceChildren(...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
  }
}

new UsagePage();
