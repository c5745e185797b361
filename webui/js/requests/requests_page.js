// The last requests of the box: what came, how it ended and where its time went.

import { el, icon } from '../shell/dom.js';
import { locale, msg, t } from '../shell/i18n.js';
import { buildTopBar } from '../shell/top_bar.js';
import { decodeRate, kPhases, pieces } from './waterfall.js';
import { findRequests } from './requests_api.js';
import { formatValue } from '../format/units.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { RefreshTimer } from '../time/refresh_timer.js';
import { StatusView } from '../shell/status.js';
import { nextTheme } from '../shell/theme.js';

const kPeriodMs = 2000;
const kPageRows = 100;
/** What the address carries for the API. */
const kFilters = ['model', 'endpoint', 'outcome', 'min_ms', 'order', 'id'];
const kOutcomes = [
  ['', msg('Every outcome')], ['answered', msg('Answered')], ['failed', msg('Failed')], ['stop', 'stop'], ['length', 'length'],
  ...['invalid_request', 'context_length_exceeded', 'model_not_found', 'overloaded', 'unavailable', 'engine_died', 'request_quarantined',
    'engine_error', 'client_gone', 'lost'].map((reason) => [reason, reason]),
];
const kEndpoints = [['', msg('Every endpoint')], ['/v1/chat/completions', '/v1/chat/completions'], ['/v1/completions', '/v1/completions']];
const kSlow = [['', msg('Every duration')], ['1000', msg('1 s and longer')], ['10000', msg('10 s and longer')], ['60000', msg('1 min and longer')]];
const kOrders = [['', msg('Newest first')], ['slowest', msg('Slowest first')]];

const millis = (value) => (value === null ? '–' : formatValue(value, 'ms'));
const count = (value) => (value === null ? '–' : value.toLocaleString(locale));

function timeOf(ms, options = { timeStyle: 'medium' }) {
  return new Date(ms).toLocaleString(locale, options);
}

function isAnswered({ outcome }) {
  return outcome === 'stop' || outcome === 'length';
}

/** The bar of a row; `scaleMs` is the whole width. */
function waterfall(request, scaleMs) {
  const bar = el('div', { class: 'waterfall', role: 'img', 'aria-label': describe(request) });
  for (const { phase, ms } of pieces(request)) {
    const piece = el('span', { class: `phase ${phase}` });
    piece.style.width = `${(100 * ms) / scaleMs}%`;
    bar.append(piece);
  }
  return bar;
}

function describe(request) {
  const told = kPhases.filter(([, field]) => request[field] !== null);
  return told.map(([, field, title]) => `${t(title)} ${millis(request[field])}`).join(', ') || millis(request.e2e_ms);
}

class RequestsPage {
  constructor() {
    this.status_ = new StatusView();
    this.filters_ = new URLSearchParams(location.search);
    this.extra_ = 0;  // rows beyond the first page
    this.chosen_ = null;
    this.buildFilters_();
    this.live_ = el('button', {
      type: 'button', class: 'tool wide live', id: 'live', 'data-state': 'live', 'aria-pressed': 'true', onclick: () => this.togglePause_(),
    }, el('i', { class: 'dot' }), el('span', {}, t('Live')));
    this.problem_ = el('p', { class: 'field-error', role: 'alert' });
    this.summary_ = el('p', { class: 'hint', role: 'status' });
    this.body_ = el('tbody');
    this.more_ = el('button', { type: 'button', class: 'tool wide', hidden: true, onclick: () => {
      this.extra_ += kPageRows;
      this.load_();
    } }, t('Show more'));
    this.detail_ = el('aside', { class: 'detail', hidden: true, 'aria-label': t('Request') });
    document.body.prepend(
      buildTopBar('/requests', [this.live_]),
      this.status_.alerts,
      el('section', { class: 'strip', 'aria-label': t('State of the box') }, el('h1', {}, t('Requests')), this.status_.facts),
      el('main', { class: 'listing requests' },
        el('div', { class: 'filters' }, ...this.selects_, this.id_, this.slowest_), this.legend_(), this.problem_, this.summary_,
        el('div', { class: 'split' }, el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('Requests') }, this.buildTable_()), this.detail_),
        this.more_));
    installShortcuts([
      { keys: ['p'], text: msg('Pause or go on'), run: () => this.togglePause_() },
      { keys: ['/'], text: msg('Find a request by its id'), run: () => this.id_.focus() },
      { keys: ['Escape'], label: 'Esc', text: msg('Close the details'), run: () => this.choose_(null) },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
      { keys: ['g h'], text: msg('Dashboard'), run: () => { location.href = '/'; } },
    ]);
    this.timer_ = new RefreshTimer(() => this.load_(), () => true);
    this.load_().then(() => this.timer_.setPeriod(kPeriodMs));
  }

  buildFilters_() {
    const select = (name, label, choices) => {
      const input = el('select', { id: name, 'aria-label': label, onchange: () => this.set_(name, input.value) });
      this.fill_(input, choices, this.filters_.get(name) ?? '');
      return input;
    };
    this.model_ = select('model', t('Model'), [['', msg('Every model')]]);
    this.order_ = select('order', t('Order'), kOrders);
    this.selects_ = [this.model_, select('outcome', t('Outcome'), kOutcomes), select('endpoint', t('Endpoint'), kEndpoints),
      select('min_ms', t('Duration'), kSlow), this.order_];
    this.id_ = el('input', {
      type: 'search', id: 'id', value: this.filters_.get('id') ?? '', placeholder: t('Request id'), 'aria-label': t('Request id'),
      onchange: () => this.set_('id', this.id_.value.trim()),
    });
    this.slowest_ = el('button', { type: 'button', class: 'tool wide', id: 'slowest', onclick: () => {
      this.order_.value = 'slowest';
      this.set_('order', 'slowest');
    } }, t('Slowest'));
  }

  /** A value that the address has and the list has not is shown all the same. */
  fill_(select, choices, value) {
    const all = choices.some(([choice]) => choice === value) ? choices : [...choices, [value, value]];
    select.replaceChildren(...all.map(([choice, text]) => el('option', { value: choice, selected: choice === value }, t(text))));
  }

  set_(name, value) {
    if (value === '') this.filters_.delete(name);
    else this.filters_.set(name, value);
    this.extra_ = 0;
    history.replaceState(null, '', this.filters_.size > 0 ? `?${this.filters_}` : location.pathname);
    this.load_();
  }

  legend_() {
    const item = (phase, title) => el('span', { class: 'legend-item' }, el('i', { class: `phase ${phase}` }), title);
    return el('div', { class: 'phases' }, ...kPhases.map(([phase, , title]) => item(phase, t(title))), item('rest', t('Rest')));
  }

  buildTable_() {
    const column = (text, kind) => el('th', { scope: 'col', class: kind }, text);
    return el('table', { class: 'rows', id: 'requests' },
      el('thead', {}, el('tr', {}, column(t('Time')), column(t('Model')), column(t('Outcome')), column(t('Tokens in'), 'number'),
        column(t('Tokens out'), 'number'), column('TTFT', 'number'), column(t('Duration'), 'number'), column(t('Where the time went'), 'bar-cell'))),
      this.body_);
  }

  togglePause_() {
    this.paused_ = !this.paused_;
    this.live_.dataset.state = this.paused_ ? 'paused' : 'live';
    this.live_.setAttribute('aria-pressed', String(!this.paused_));
    this.live_.lastChild.textContent = this.paused_ ? t('Paused') : t('Live');
    this.timer_.setPeriod(this.paused_ ? null : kPeriodMs);
    if (!this.paused_) this.load_();
  }

  query_() {
    const query = new URLSearchParams();
    for (const name of kFilters) {
      if (this.filters_.get(name)) query.set(name, this.filters_.get(name));
    }
    query.set('limit', Math.min(1000, kPageRows + this.extra_));
    return query;
  }

  async load_() {
    this.abort_?.abort();
    const abort = new AbortController();
    this.abort_ = abort;
    try {
      this.show_(await findRequests(this.query_(), abort.signal));
      this.problem_.replaceChildren();
    } catch (error) {
      if (error.name !== 'AbortError') this.problem_.replaceChildren(t('The requests cannot be read: {reason}', { reason: error.message }));
    }
  }

  show_(found) {
    const { requests, matched, kept, models, oldest_ms: oldestMs } = found;
    const key = JSON.stringify([requests.map(({ id }) => id), matched, kept]);
    if (key === this.shown_) return;
    this.shown_ = key;
    const choices = [['', msg('Every model')], ...models.filter(Boolean).map((name) => [name, name])];
    if (document.activeElement !== this.model_) this.fill_(this.model_, choices, this.filters_.get('model') ?? '');
    const scaleMs = Math.max(1, ...requests.map((request) => request.e2e_ms));
    const focused = document.activeElement?.closest?.('tr')?.dataset.id;
    this.body_.replaceChildren(...requests.map((request) => this.row_(request, scaleMs)));
    if (focused) this.body_.querySelector(`tr[data-id="${focused}"] button`)?.focus({ preventScroll: true });
    if (requests.length === 0) this.body_.append(el('tr', {}, el('td', { colspan: 8, class: 'none' }, this.emptyReason_(kept))));
    this.summary_.textContent = kept === 0 ? '' : t('{matched} of {kept} requests since {time}', {
      matched: count(matched), kept: count(kept), time: timeOf(oldestMs, { dateStyle: 'medium', timeStyle: 'short' }),
    });
    this.more_.hidden = requests.length >= matched || requests.length >= 1000;
    if (this.filters_.get('id') && requests.length > 0 && !this.chosen_) this.choose_(requests[0]);
  }

  emptyReason_(kept) {
    if (kept === 0) return t('No request yet. Each one to /v1/chat/completions or /v1/completions is listed here when it ends.');
    if (this.filters_.get('id')) return t('No request with this id is kept: it is older than the list, has not ended, or went to another box.');
    return t('None of the {kept} kept requests fits these filters.', { kept: count(kept) });
  }

  row_(request, scaleMs) {
    const { id, time_ms: timeMs, model_name: model, outcome, status } = request;
    const state = isAnswered(request) ? 'ok' : status === 499 ? 'busy' : 'error';
    return el('tr', { 'data-id': id, class: this.chosen_ === id && 'chosen', onclick: () => this.choose_(request) },
      el('td', { class: 'nowrap' }, el('button', { type: 'button', class: 'link', 'aria-expanded': String(this.chosen_ === id) }, timeOf(timeMs))),
      el('td', {}, model || '–'),
      el('td', { class: `nowrap ${state}` }, el('i', { class: 'dot' }), ` ${outcome} `, el('span', {}, String(status))),
      el('td', { class: 'number' }, count(request.prompt_tokens)),
      el('td', { class: 'number' }, count(request.generation_tokens)),
      el('td', { class: 'number nowrap' }, millis(request.ttft_ms)),
      el('td', { class: 'number nowrap' }, millis(request.e2e_ms)),
      el('td', { class: 'bar-cell' }, waterfall(request, scaleMs)));
  }

  /** Shows one request beside the list; null closes. */
  choose_(request) {
    this.chosen_ = request?.id ?? null;
    for (const row of this.body_.rows) {
      const chosen = row.dataset.id === String(this.chosen_);
      row.classList.toggle('chosen', chosen);
      row.querySelector('button')?.setAttribute('aria-expanded', String(chosen));
    }
    this.detail_.hidden = request === null;
    if (request !== null) this.detail_.replaceChildren(...this.facts_(request));
  }

  facts_(request) {
    const rate = decodeRate(request);
    const rows = [
      [t('Request id'), el('code', {}, request.request_id)],
      [t('Arrived'), timeOf(request.time_ms, { dateStyle: 'medium', timeStyle: 'long' })],
      [t('Model'), request.model_name || '–'],
      [t('Endpoint'), el('code', {}, request.endpoint)],
      [t('Stream'), request.stream ? t('yes') : t('no')],
      [t('Outcome'), `${request.outcome} (HTTP ${request.status})`],
      request.error && [t('Error'), request.error],
      [t('Prompt tokens'), count(request.prompt_tokens)],
      [t('of these cached'), count(request.cached_tokens)],
      [t('Generated tokens'), count(request.generation_tokens)],
      [t('Preemptions'), count(request.preemptions)],
      ...kPhases.map(([, field, title]) => [t(title), millis(request[field])]),
      ['TTFT', millis(request.ttft_ms)],
      [t('Duration'), millis(request.e2e_ms)],
      rate !== null && [t('Decoding speed'), t('{rate} tokens/s', { rate: formatValue(rate, 'none') })],
    ].filter(Boolean);
    return [
      el('div', { class: 'answer-head' }, el('h2', {}, t('Request')), el('button', {
        type: 'button', class: 'tool', title: t('Close'), 'aria-label': t('Close'), onclick: () => this.choose_(null),
      }, icon('close'))),
      waterfall(request, Math.max(1, request.e2e_ms)),
      el('dl', {}, ...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
    ];
  }
}

new RequestsPage();
