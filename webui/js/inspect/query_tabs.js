// Stats and Query: what the panel asks, how long it takes and what comes back.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { formatValue } from '../format/units.js';
import { runRequest } from './query_runs.js';

const kShownCharacters = 20000;  // of an answer; more than that nobody reads, and it slows the page

/** Both tabs stand on the same runs, made when the first of them opens. */
export class QueryRuns {
  constructor(frame) {
    this.frame_ = frame;
    this.runs_ = null;
  }

  /** @returns [{request, run}], one query after the other so that their times are their own */
  get() {
    this.runs_ ??= this.ask_();
    return this.runs_;
  }

  again() {
    this.runs_ = null;
  }

  async ask_() {
    const runs = [];
    for (const request of this.frame_.requests()) runs.push({ request, run: await runRequest(request) });
    return runs;
  }
}

export class StatsTab {
  constructor(frame, runs) {
    this.runs_ = runs;
    this.element = el('div', { class: 'inspect-stats' });
  }

  async show() {
    this.element.replaceChildren(el('p', { role: 'status' }, t('Asking …')));
    const runs = await this.runs_.get();
    const head = [t('Query'), t('Duration'), t('Series'), t('Points'), t('Step'), t('Size')];
    const row = ({ request, run }) => [
      request.target.refId, formatValue(run.ms, 'ms'), run.series, run.points, request.instant ? t('instant') : `${request.stepS} s`,
      formatValue(run.bytes, 'bytes'),
    ];
    const sum = (of) => runs.reduce((total, { run }) => total + run[of], 0);
    const total = [t('Total'), formatValue(sum('ms'), 'ms'), sum('series'), sum('points'), '', formatValue(sum('bytes'), 'bytes')];
    const cells = (tag, texts) => texts.map((text, index) => el(index ? tag : 'th', { scope: index && tag === 'td' ? null : tag === 'th' ? 'col' : 'row' }, String(text)));
    this.element.replaceChildren(
      el('table', {}, el('thead', {}, el('tr', {}, ...cells('th', head))),
        el('tbody', {}, ...[...runs.map(row), total].map((texts) => el('tr', {}, ...cells('td', texts))))),
      el('p', { class: 'hint' }, t('Measured by asking each query once more, one after the other, for the whole range.')),
      this.again_());
  }

  again_() {
    return el('button', { type: 'button', class: 'tool wide', onclick: () => { this.runs_.again(); this.show(); } }, t('Measure again'));
  }
}

function answerText(text) {
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    // no JSON: as it came
  }
  return shown.length > kShownCharacters ? `${shown.slice(0, kShownCharacters)}\n…` : shown;
}

export class QueryTab {
  constructor(frame, runs) {
    this.frame_ = frame;
    this.runs_ = runs;
    this.element = el('div', { class: 'inspect-queries' });
  }

  async show() {
    this.element.replaceChildren(el('p', { role: 'status' }, t('Asking …')));
    const runs = await this.runs_.get();
    const link = this.frame_.exploreLink();
    if (runs.length === 0) {
      this.element.replaceChildren(el('p', {}, t('This panel has no query')));
      return;
    }
    this.element.replaceChildren(link && el('a', { class: 'tool wide', href: link }, t('Open in Explore')), ...runs.map((one) => this.query_(one)));
  }

  query_({ request, run }) {
    const code = (title, text) => [el('dt', {}, title), el('dd', {}, el('code', {}, text))];
    return el('section', { class: 'inspect-query', 'aria-label': t('Query {letter}', { letter: request.target.refId }) },
      el('h3', {}, t('Query {letter}', { letter: request.target.refId })),
      el('dl', {}, ...code(t('As written'), request.target.expr), ...code(t('As sent'), request.expr),
        el('dt', {}, t('Request')), el('dd', {}, el('a', { href: run.url, target: '_blank', rel: 'noreferrer' }, run.url))),
      el('details', {}, el('summary', {}, run.status ? t('Answer, HTTP {status}', { status: run.status }) : t('No answer')),
        el('pre', { tabindex: 0, role: 'region', 'aria-label': t('Answer') }, answerText(run.text))));
  }
}
