// The page that answers one question: is anything wrong?

import { queryRange } from '../prometheus/prometheus_api.js';
import { el, icon } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { nextTheme } from '../shell/theme.js';
import { toolButton } from '../shell/dropdown.js';
import { buildTopBar } from '../shell/top_bar.js';
import { RefreshTimer } from '../time/refresh_timer.js';
import { formatDuration, formatMoment } from '../time/time_range.js';
import { findings, headline, sinceOf } from './health_rules.js';
import { cards, lastEvents } from './overview_cards.js';
import { loadFacts } from './overview_facts.js';

const kPeriodMs = 5000;
const kAnswerMs = 15000;  // a box that takes longer does not answer
const kLookBackMs = 6 * 3600e3;
const kLookBackStepS = 60;

/** What nobody has answered yet. It is no trouble, so it is told last and without colour. */
const question = () => [t('Usage data: nobody has said yet whether this box may send any. Until then nothing is recorded or sent.'), ' ',
  el('a', { href: '/usage' }, t('See what it would be and answer'))];

class OverviewPage {
  constructor() {
    this.since_ = new Map();  // finding id -> milliseconds, null while unknown
    this.drawn_ = new Map();  // element -> what it shows, as text: nothing is drawn twice
    this.headline_ = el('h1', { class: 'headline' }, t('Looking at the box …'));
    this.seen_ = el('p', { class: 'seen' });
    this.list_ = el('ol', { class: 'findings' });
    this.cards_ = el('div', { class: 'cards' });
    this.events_ = el('div', {});
    this.question_ = el('p', { class: 'question' });
    const showHelp = installShortcuts([
      { keys: ['r'], text: msg('Look again now'), run: () => this.look_() },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
    ]);
    document.body.prepend(
      buildTopBar('/overview', [toolButton('refresh', t('Look again (r)'), { id: 'refresh', onclick: () => this.look_() }),
        toolButton('help', t('Keyboard (?)'), { id: 'help', onclick: showHelp })]),
      this.main_ = el('main', { class: 'overview' },
        el('div', { class: 'answer' }, el('div', { role: 'status' }, this.headline_), this.seen_), this.list_,
        el('h2', { class: 'sr' }, t('The box in numbers')), this.cards_,
        el('section', { class: 'card events' }, el('h2', {}, t('Last events')), this.events_), this.question_));
    this.timer_ = new RefreshTimer(() => this.look_(), () => true);
    this.timer_.setPeriod(kPeriodMs);
    this.look_();
  }

  /** Sets an element's children when they say something new; otherwise focus and selection stay. */
  put_(element, key, children) {
    const text = JSON.stringify(key);
    if (this.drawn_.get(element) === text) return;
    this.drawn_.set(element, text);
    element.replaceChildren(...children());
  }

  async look_() {
    this.abort_?.abort();
    const abort = new AbortController();
    this.abort_ = abort;
    const timer = setTimeout(() => abort.abort(new DOMException('', 'TimeoutError')), kAnswerMs);
    try {
      const facts = await loadFacts(abort.signal);
      if (this.abort_ === abort) this.show_(facts);
    } catch (error) {
      if (this.abort_ === abort) this.showSilence_();
    } finally {
      clearTimeout(timer);
    }
  }

  show_(facts) {
    this.answeredMs_ = facts.nowMs;
    const found = findings(facts);
    this.main_.dataset.state = found[0]?.severity ?? 'calm';
    this.say_(headline(found));
    this.seen_.textContent = t('Looked at {time}', { time: formatMoment(facts.nowMs) });
    this.findSince_(found, facts.nowMs);
    this.showFindings_(found);
    this.put_(this.cards_, [facts.status, facts.values, facts.alerts], () => cards(facts));
    this.put_(this.question_, facts.usage?.enabled, () => (facts.usage?.enabled === null ? question() : []));
    this.put_(this.events_, facts.events, () => [lastEvents(facts.events)]);
  }

  say_(text) {
    if (this.headline_.textContent !== text) this.headline_.textContent = text;
    document.title = `Hearth · ${text}`;
  }

  showSilence_() {
    this.main_.dataset.state = 'silent';
    this.say_(t('The box does not answer.'));
    this.seen_.textContent = this.answeredMs_
      ? t('Since {time}. What stands below is what it said last; trying again every few seconds.', { time: formatMoment(this.answeredMs_) })
      : t('It has not answered since this page was opened; trying again every few seconds.');
  }

  /** Asks the history since when a new finding's condition holds; forgets those that are over. */
  findSince_(found, nowMs) {
    const ids = new Set(found.map(({ id }) => id));
    for (const id of this.since_.keys()) if (!ids.has(id)) this.since_.delete(id);
    for (const finding of found) {
      if (finding.sinceMs !== undefined && finding.sinceMs !== null) this.since_.set(finding.id, finding.sinceMs);
      if (this.since_.has(finding.id)) continue;
      this.since_.set(finding.id, null);
      if (!finding.condition) continue;
      queryRange(finding.condition, nowMs - kLookBackMs, nowMs, kLookBackStepS).then((series) => {
        this.since_.set(finding.id, sinceOf(series, kLookBackStepS * 1000, nowMs));
        this.showFindings_(this.found_);
      }).catch(() => {});  // the finding stands without its beginning
    }
  }

  showFindings_(found) {
    this.found_ = found;
    const withSince = found.map((finding) => ({ ...finding, sinceMs: this.since_.get(finding.id) ?? null }));
    this.put_(this.list_, withSince, () => withSince.map((finding) => this.item_(finding)));
  }

  item_({ id, severity, what, why, action, sinceMs, link }) {
    const words = { critical: t('Critical'), warning: t('Warning') }[severity];
    return el('li', { class: `finding ${severity}`, 'data-finding': id },
      icon('warning'), el('div', {},
        el('h2', {}, el('span', { class: 'severity' }, words), ' ', what),
        sinceMs !== null && el('p', { class: 'finding-since' }, t('Since {time} ({duration})', {
          time: formatMoment(sinceMs), duration: formatDuration(Math.max(0, Math.floor((this.answeredMs_ - sinceMs) / 60e3) * 60e3)) })),
        why && el('p', {}, why), action && el('p', {}, el('b', {}, t('What to do:')), ' ', action),
        link && el('p', {}, el('a', { href: link.href }, link.text))));
  }
}

new OverviewPage();
