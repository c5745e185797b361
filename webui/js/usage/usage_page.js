// Usage data: what would be sent, to the letter; whether it is; and the owner's answer.

import { formatValue } from '../format/units.js';
import { el, icon } from '../shell/dom.js';
import { locale, msg, t } from '../shell/i18n.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { nextTheme } from '../shell/theme.js';
import { buildTopBar } from '../shell/top_bar.js';
import { reportText, stateOf, valueText } from './usage_report.js';

const kPollMs = 2000;

const kHeadlines = {
  asked: msg('Nobody has answered yet'),
  on: msg('Usage data is recorded'),
  off: msg('Usage data is off'),
};
const kSentences = {
  asked: msg('Until somebody does, nothing is recorded and nothing is sent.'),
  on: msg('The next report is below, to the letter. It stays as it is until it has been sent.'),
  off: msg('Nothing is recorded and nothing is sent. What had been recorded was removed.'),
};

/** Ways to say no that hold against any answer here. */
const kWays = [
  ['usage_stats: {enabled: false}', msg('in /etc/hearth/hearth.yaml')],
  ['HEARTH_USAGE_STATS_ENABLED=0', msg('in the environment of hearthd')],
  ['RAY_USAGE_STATS_ENABLED=0', msg('in the environment of hearthd')],
  ['DO_NOT_TRACK=1', msg('in the environment of hearthd')],
];

const moment = (ms) => new Date(ms).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'medium' });

async function ask(method = 'GET', body = undefined) {
  const response = await fetch('/api/usage', { method, cache: 'no-store', body: body && JSON.stringify(body),
    headers: body ? { 'Content-Type': 'application/json' } : {} });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? `HTTP ${response.status}`);
  return answer;
}

/** Where it goes, and when. */
function receiverSentence({ receiver, enabled, interval_s: interval, due_ms: due }) {
  if (receiver === '') return t('No receiver is set (usage_stats.url): nothing leaves this box, whatever is answered.');
  const every = formatValue(interval, 's');
  if (!enabled) return t('If it were on, a report would go to {receiver} every {time}.', { receiver, time: every });
  return t('A report goes to {receiver} every {time}, the next at {moment}.', { receiver, time: every, moment: due ? moment(due) : '…' });
}

function lastSentence({ last }) {
  if (!last) return null;
  return last.error
    ? t('{moment}: the last report could not be sent ({error}). It is not sent again.', { moment: moment(last.sent_ms), error: last.error })
    : t('{moment}: the last report was taken.', { moment: moment(last.sent_ms) });
}

class UsagePage {
  constructor() {
    const status = new StatusView();
    this.problem_ = el('p', { class: 'alert error', role: 'alert', hidden: true });
    this.headline_ = el('h2', { id: 'usage-state' });
    this.sentence_ = el('p');
    this.receiver_ = el('p', { class: 'note' });
    this.last_ = el('p', { class: 'note' });
    this.buttons_ = el('p', { class: 'ways' });
    this.title_ = el('h2', { id: 'usage-report-title' });
    this.report_ = el('pre', { id: 'usage-report', tabindex: 0, 'aria-labelledby': 'usage-report-title' });
    this.fields_ = el('tbody');
    document.body.prepend(
      buildTopBar('/usage'),
      status.alerts,
      el('section', { class: 'strip', 'aria-label': t('State of the box') }, el('h1', {}, t('Usage data')), status.facts),
      el('main', { class: 'listing usage' }, this.problem_,
        el('section', { class: 'card', 'aria-labelledby': 'usage-state', role: 'status' },
          this.headline_, this.sentence_, this.receiver_, this.last_, this.buttons_),
        el('section', { 'aria-labelledby': 'usage-report-title' }, this.title_, this.report_),
        this.table_(), this.ways_()));
    installShortcuts([
      { keys: ['r'], text: msg('Refresh now'), run: () => this.load_() },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
    ]);
    this.load_();
    setInterval(() => document.hidden || this.load_(), kPollMs);
  }

  table_() {
    return el('section', { 'aria-labelledby': 'usage-fields' }, el('h2', { id: 'usage-fields' }, t('What each field says')),
      el('div', { class: 'table-scroll' }, el('table', { class: 'rows' },
        el('thead', {}, el('tr', {}, ...[t('Field'), t('Meaning'), t('Value')].map((text) => el('th', { scope: 'col' }, text)))),
        this.fields_)));
  }

  ways_() {
    return el('section', { 'aria-labelledby': 'usage-ways' }, el('h2', { id: 'usage-ways' }, t('Other ways to say no')),
      el('p', {}, t('Each of them wins over an answer on this page, and stops the recording on the box, too.')),
      el('ul', {}, ...kWays.map(([code, where]) => el('li', {}, el('code', {}, code), ' ', t(where)))));
  }

  async load_(method, body) {
    try {
      this.show_(await ask(method, body));
      this.problem_.hidden = true;
    } catch (error) {
      this.problem_.hidden = false;
      this.problem_.replaceChildren(icon('warning'), t('The usage data cannot be shown: {reason}', { reason: error.message }));
    }
  }

  show_(usage) {
    const said = JSON.stringify(usage);
    if (said === this.said_) return;  // what is selected or read aloud stays
    this.said_ = said;
    const state = stateOf(usage);
    this.headline_.replaceChildren(!usage.can_change && icon('lock'), t(kHeadlines[state]));
    this.sentence_.textContent = t(kSentences[state]) + (usage.decided_by ? ` ${t('Decided by {who}.', { who: usage.decided_by })}` : '');
    this.receiver_.textContent = receiverSentence(usage);
    this.last_.textContent = lastSentence(usage) ?? '';
    this.showButtons_(usage, state);
    this.title_.textContent = usage.next_report === null ? t('What a report would say now') : t('The next report');
    this.report_.textContent = usage.next_report ?? reportText(usage.fields);
    this.fields_.replaceChildren(...usage.fields.map(({ name, help, value }) => el('tr', {},
      el('th', { scope: 'row' }, el('code', {}, name)), el('td', {}, help), el('td', {}, el('code', {}, valueText(value))))));
  }

  showButtons_({ can_change: canChange }, state) {
    const answer = (enabled, text) => el('button', {
      type: 'button', class: 'tool', 'data-answer': String(enabled), onclick: () => this.load_('PUT', { enabled }),
    }, text);
    const focused = this.buttons_.contains(document.activeElement);
    this.buttons_.replaceChildren(...(canChange ? [
      state !== 'on' && answer(true, t('Record and send usage data')),
      state !== 'off' && answer(false, state === 'asked' ? t('No usage data') : t('Switch off and remove')),
    ] : []).filter(Boolean));
    if (focused) this.buttons_.querySelector('button')?.focus();
  }
}

new UsagePage();
