// How an engine ended last, and what the engines of a model have said since the box was started.

import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { formatMoment } from '../time/time_range.js';
import { actionButton, problemLine, say, setText } from './kept.js';
import { engineLog } from './models_api.js';

const kLogLines = 500;

/** "3 requests failed, 2 were asked again." */
export function lossText({ requests_failed: failed, requests_requeued: requeued }) {
  if (failed === 0 && requeued === 0) return t('No request was lost with it.');
  const again = requeued > 0 ? t('{count} requests that had no answer yet were given to an engine once more.', { count: requeued }) : '';
  return [failed > 0 ? t('{count} requests ended with an error.', { count: failed }) : t('No request was lost with it.'), again].filter(Boolean).join(' ');
}

/** Engines stamp what they log; what the C library or the kernel says through them has no time of its own. */
export function logLine({ time_ms: ms, replica, text }) {
  return /^\d\d:\d\d:\d\d/.test(text) ? `[${replica}] ${text}` : `[${replica}] ${formatMoment(ms)} ${text}`;
}

const logBox = (label) => el('pre', { class: 'engine-log', tabindex: 0, role: 'region', 'aria-label': label });

/** The fold of the engines' log; it is asked for when it is opened. */
class LogFold {
  constructor(model) {
    this.model_ = model;
    this.problem_ = problemLine();
    this.text_ = logBox(t('Log of the engines of {model}', { model }));
    this.element = el('details', { class: 'log' }, el('summary', {}, icon('chevron'), t('Log of its engines')), this.problem_,
      el('p', {}, actionButton(t('Read again'), this.problem_, () => this.load_())), this.text_);
    this.element.addEventListener('toggle', () => {
      if (this.element.open) this.load_().catch((error) => say(this.problem_, error.message));
    });
  }

  open() {
    this.element.open = true;
    this.element.querySelector('summary').focus();
    this.element.scrollIntoView({ block: 'nearest' });
  }

  async load_() {
    const lines = await engineLog(this.model_, kLogLines);
    say(this.problem_, '');
    setText(this.text_, lines.map(logLine).join('\n') || t('Its engines have said nothing.'));
    this.text_.scrollTop = this.text_.scrollHeight;
  }
}

export class CrashView {
  constructor(model) {
    this.log_ = new LogFold(model);
    this.when_ = el('span', {});
    this.lost_ = el('p', {});
    this.safe_ = el('p', { hidden: true }, t('Since then it runs in safe mode. “Try in normal mode” starts it as configured.'));
    this.text_ = logBox(t('Last words of the engine of {model}', { model }));
    this.crash_ = el('details', { class: 'crash', hidden: true }, el('summary', {}, icon('chevron'), this.when_), this.lost_, this.safe_, this.text_,
      el('p', {}, el('button', { type: 'button', class: 'tool wide', onclick: () => this.log_.open() }, t('Whole log'))));
    this.element = el('div', { class: 'crashes' }, this.crash_, this.log_.element);
  }

  /** @param last_crash null or absent: none is known */
  update({ last_crash: crash }) {
    this.crash_.hidden = !crash;
    if (!crash) return;
    setText(this.when_, t('Last crash: {time}, replica {replica}: {how}', { time: formatMoment(crash.time_ms), replica: crash.replica, how: crash.how }));
    setText(this.lost_, lossText(crash));
    this.safe_.hidden = !crash.safe_mode;
    const text = (crash.log ?? []).join('\n');
    setText(this.text_, text || t('It has said nothing.'));
  }
}
