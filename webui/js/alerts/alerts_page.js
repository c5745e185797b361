// The alerts page: the rules of the box, what fires now, what fired before and who is told.

import { apiGet, queryInstant } from '../prometheus/prometheus_api.js';
import { eventsBetween } from '../prometheus/events_api.js';
import { el } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { toolButton } from '../shell/dropdown.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { nextTheme } from '../shell/theme.js';
import { buildTopBar } from '../shell/top_bar.js';
import { RefreshTimer } from '../time/refresh_timer.js';
import { formatDuration, formatMoment } from '../time/time_range.js';
import { formatValue } from '../format/units.js';
import { countStates, filterRules, kStates, listRules, readAlertEvent, sectionsOf } from './alert_list.js';

const kPeriodMs = 5000;
const kPastMs = 7 * 24 * 3600e3;
const kMostEvents = 100;
const kStateTexts = {
  firing: msg('Firing'), pending: msg('Pending'), error: msg('Error'), inactive: msg('Inactive'), recording: msg('Recording'),
  resolved: msg('Resolved'),
};
const kSentQuery = 'label_replace(hearth_alert_notifications_sent_total, "fact", "sent", "", "") or '
  + 'label_replace(hearth_alert_notifications_failed_total, "fact", "failed", "", "")';

const stateBadge = (state) => el('span', { class: `state ${state}` }, t(kStateTexts[state] ?? '{state}', { state }));
const exploreLink = (expr) => `/explore?${new URLSearchParams({ q: expr })}`;

function labelList(labels) {
  return el('span', { class: 'labels' }, ...Object.entries(labels).map(([name, value]) => el('code', {}, `${name}=${value}`)));
}

function alertTable(rule) {
  return el('div', { class: 'table-box' }, el('table', { class: 'data-table' },
    el('thead', {}, el('tr', {}, ...[t('State'), t('Labels'), t('Value'), t('Since')].map((title) => el('th', { scope: 'col' }, title)))),
    el('tbody', {}, ...rule.alerts.map((alert) => el('tr', {},
      el('td', {}, stateBadge(alert.state)), el('td', {}, labelList(alert.labels)), el('td', {}, formatValue(Number(alert.value), 'short')),
      el('td', {}, formatMoment(Date.parse(alert.activeAt))))))));
}

/** The lines under a rule's name: [title, content]. */
function ruleFacts(rule) {
  const annotations = rule.alerts?.[0]?.annotations ?? rule.annotations ?? {};
  return [
    rule.lastError && [t('Error'), rule.lastError],
    [t('Expression'), el('a', { href: exploreLink(rule.query) }, el('code', {}, rule.query))],
    rule.duration > 0 && [t('For'), formatDuration(rule.duration * 1000)],
    rule.keepFiringFor > 0 && [t('Keeps firing for'), formatDuration(rule.keepFiringFor * 1000)],
    Object.keys(rule.labels ?? {}).length > 0 && [t('Labels'), labelList(rule.labels)],
    ...Object.entries(annotations).map(([name, text]) => [name, text]),
    [t('Evaluated'), t('{time}, in {duration}, every {interval}', {
      time: formatMoment(Date.parse(rule.lastEvaluation)), duration: formatValue(rule.evaluationTime, 's'), interval: formatDuration(rule.interval * 1000) })],
    [t('Group'), `${rule.group} · ${rule.file}`],
  ].filter(Boolean);
}

class AlertsPage {
  constructor() {
    const params = new URLSearchParams(location.search);
    this.filter_ = ['all', 'active', ...kStates].includes(params.get('state')) ? params.get('state') : 'all';
    this.open_ = new Set([decodeURIComponent(location.hash.slice(1))]);
    this.shown_ = '';
    this.rules_ = null;
    this.build_();
    new RefreshTimer(() => this.load_(), () => true).setPeriod(kPeriodMs);
    this.load_();
  }

  build_() {
    const status = new StatusView();
    const showHelp = installShortcuts([
      { keys: ['r'], text: msg('Refresh now'), run: () => this.load_() },
      { keys: ['/'], text: msg('Search'), run: () => this.search_.focus() },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
    ]);
    this.filters_ = el('div', { class: 'group filters', role: 'group', 'aria-label': t('State') });
    this.search_ = el('input', { type: 'text', 'aria-label': t('Search rules'), placeholder: t('Search rules'), oninput: () => this.showRules_() });
    this.said_ = el('p', { class: 'said', role: 'status' });
    this.problem_ = el('p', { class: 'alert error', role: 'alert', hidden: true });
    this.list_ = el('div', { class: 'rules' });
    this.receivers_ = el('div', {});
    this.past_ = el('div', {});
    document.body.prepend(
      buildTopBar('/alerts', [toolButton('refresh', t('Refresh (r)'), { id: 'refresh', onclick: () => this.load_() }),
        toolButton('help', t('Keyboard (?)'), { id: 'help', onclick: showHelp })]),
      status.alerts,
      el('section', { class: 'strip', 'aria-label': t('State of the box') }, el('h1', {}, t('Alerts')), status.facts),
      el('main', { class: 'alerts-page' }, this.problem_,
        el('section', { 'aria-label': t('Rules') }, el('div', { class: 'rule-bar' }, this.filters_, this.search_, this.said_), this.list_),
        el('section', { class: 'box' }, el('h2', {}, t('Where alerts are sent')), this.receivers_),
        el('section', { class: 'box' }, el('h2', {}, t('The last seven days')), this.past_)));
  }

  async load_() {
    try {
      const nowMs = Date.now();
      const [{ groups }, managers, sent, events] = await Promise.all([apiGet('/api/v1/rules', {}), apiGet('/api/v1/alertmanagers', {}),
        queryInstant(kSentQuery, nowMs), eventsBetween(nowMs - kPastMs, nowMs)]);
      this.problem_.hidden = true;
      this.rules_ = listRules(groups);
      this.showRules_();
      this.showReceivers_(managers.activeAlertmanagers, sent);
      this.showPast_(events.filter(({ kind }) => kind === 'alert'));
    } catch (error) {
      this.problem_.hidden = false;
      this.problem_.textContent = error.message;
    }
  }

  showRules_() {
    if (!this.rules_) return;
    const counts = countStates(this.rules_);
    this.showFilters_(counts);
    const firing = { 0: t('Nothing fires.'), 1: t('One rule fires.') };
    this.said_.textContent = firing[counts.firing] ?? t('{count} rules fire.', { count: counts.firing });
    const shown = filterRules(this.rules_, this.filter_, this.search_.value);
    const key = JSON.stringify(shown);
    const selection = window.getSelection();
    const reading = !selection.isCollapsed && this.list_.contains(selection.anchorNode);
    if (key === this.shown_ || reading) return;
    this.shown_ = key;
    const focused = document.activeElement?.closest?.('[data-rule]')?.dataset.rule;
    this.list_.replaceChildren(...sectionsOf(shown).map(({ group, file, rules }) => el('section', {},
      el('h2', {}, group === '' ? t('Active') : group, file && el('span', { class: 'rule-note' }, ` ${file}`)),
      ...rules.map((rule) => this.rule_(rule)))));
    if (shown.length === 0) this.list_.append(el('p', { class: 'said' }, t('No rule is like that.')));
    if (focused) this.list_.querySelector(`[data-rule="${CSS.escape(focused)}"] summary`)?.focus({ preventScroll: true });
  }

  showFilters_(counts) {
    const total = this.rules_.length;
    const choices = [['all', t('All'), total], ...kStates.filter((state) => counts[state] > 0 || state === this.filter_ || state === 'firing')
      .map((state) => [state, t(kStateTexts[state]), counts[state]])];
    const key = JSON.stringify([choices, this.filter_]);
    if (this.filters_.dataset.key === key) return;
    this.filters_.dataset.key = key;
    const focused = document.activeElement?.dataset?.state;
    this.filters_.replaceChildren(...choices.map(([state, title, count]) => el('button', {
      type: 'button', class: 'tool wide', 'data-state': state, 'aria-pressed': String(state === this.filter_), onclick: () => this.choose_(state),
    }, `${title} ${count}`)));
    if (focused) this.filters_.querySelector(`[data-state="${focused}"]`)?.focus();
  }

  choose_(state) {
    this.filter_ = state;
    const params = new URLSearchParams(location.search);
    if (state === 'all') params.delete('state');
    else params.set('state', state);
    history.replaceState(null, '', `?${params}${location.hash}`);
    this.showRules_();
  }

  rule_(rule) {
    const key = `${rule.group}/${rule.name}/${rule.query}`;
    const active = rule.state === 'firing' || rule.state === 'pending';
    const open = this.open_.has(key) || this.open_.has(rule.name) || (active && !this.open_.has(`closed ${key}`));
    const details = el('details', { class: `rule ${rule.state}`, 'data-rule': key, open },
      el('summary', {}, stateBadge(rule.state), el('b', {}, rule.name), el('span', { class: 'rule-note' }, rule.labels?.severity ?? '')),
      rule.alerts?.length > 0 && alertTable(rule),
      el('dl', {}, ...ruleFacts(rule).flatMap(([title, content]) => [el('dt', {}, title), el('dd', {}, content)])));
    details.addEventListener('toggle', () => {
      for (const one of [key, rule.name, `closed ${key}`]) this.open_.delete(one);
      this.open_.add(details.open ? key : `closed ${key}`);
    });
    return details;
  }

  showReceivers_(managers, sent) {
    const count = (fact) => sent.find(({ labels }) => labels.fact === fact)?.points[0].y ?? 0;
    this.receivers_.replaceChildren(...(managers.length === 0
      ? [el('p', {}, t('Nowhere: alerts are shown here alone. hearthd --alert-webhook URL sends them.'))]
      : [el('ul', {}, ...managers.map(({ url }) => el('li', {}, el('code', {}, url)))),
        el('p', {}, t('{sent} taken, {failed} given up since the start', { sent: count('sent'), failed: count('failed') }))]));
  }

  showPast_(events) {
    if (events.length === 0) {
      this.past_.replaceChildren(el('p', {}, t('No alert changed its state.')));
      return;
    }
    this.past_.replaceChildren(el('ol', { class: 'event-list' }, ...events.slice(-kMostEvents).reverse().map(({ timeMs, text }) => {
      const { name, state, summary } = readAlertEvent(text);
      return el('li', {}, el('time', { datetime: new Date(timeMs).toISOString() }, formatMoment(timeMs)),
        state && stateBadge(state), el('b', {}, name), el('span', {}, summary));
    })));
  }
}

new AlertsPage();
