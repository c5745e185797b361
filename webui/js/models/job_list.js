// Pulls, imports, uploads and checks: what is under way, and how the last ones ended.

import { el, icon } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { agoText } from './model_words.js';
import { actionButton, KeptList, problemLine, say, setText } from './kept.js';
import { jobActions, jobNumbers, jobProblem, jobShare, jobState, jobTitle, shortRevision, sortJobs } from './library_words.js';
import { cancelJob, pauseJob, resumeJob } from './models_api.js';

const kActions = [['pause', msg('Pause'), pauseJob], ['resume', msg('Go on'), resumeJob], ['cancel', msg('Cancel'), cancelJob]];
const kAfterFailure = { resume: msg('Try again'), cancel: msg('Discard') };
const kFileStates = { waiting: msg('waiting'), running: msg('under way'), verifying: msg('being checked'), done: msg('done') };

function fileRow({ path }) {
  const numbers = el('span', {});
  const element = el('li', {}, el('code', {}, path), ' ', numbers);
  return { element, update: (file) => setText(numbers, [jobNumbers({ ...file, rate_bytes_s: 0, eta_s: null }), t(kFileStates[file.state] ?? '{state}', file)].filter(Boolean).join(' · ')) };
}

class JobView {
  constructor(job, reload) {
    const title = jobTitle(job);
    this.state_ = el('span', { class: 'state' });
    this.numbers_ = el('span', { class: 'note' });
    this.progress_ = el('progress', { max: 1, 'aria-label': title });
    this.trouble_ = el('p', { class: 'job-trouble' });
    this.problem_ = problemLine();
    this.title_ = title;
    this.buttons_ = kActions.map(([name, text, run]) => [name, text, actionButton('', this.problem_, async () => {
      await run(job.id);
      await reload();
    }, { 'data-do': name })]);
    const list = el('ul', { class: 'job-files' });
    this.files_ = new KeptList(list, ({ path }) => path, fileRow);
    this.fold_ = el('details', { hidden: true }, el('summary', {}, icon('chevron'), t('Files')), list);
    this.element = el('li', { class: 'job', 'data-job': job.id, 'data-kind': job.kind },
      el('div', { class: 'job-head' }, el('b', {}, title), job.kind === 'pull' && el('code', {}, shortRevision(job.revision)), this.state_, this.numbers_,
        el('span', { class: 'actions' }, ...this.buttons_.map(([, , button]) => button))),
      this.progress_, this.trouble_, this.problem_, this.fold_);
  }

  update(job) {
    const { level, text } = jobState(job);
    const share = jobShare(job);
    const actions = jobActions(job);
    const ended = job.ended_ms ? agoText(job.ended_ms, Date.now()) : '';
    this.element.dataset.state = job.state;
    this.state_.dataset.level = level;
    setText(this.state_, text);
    setText(this.numbers_, [jobNumbers(job), ended].filter(Boolean).join(' · '));
    this.progress_.hidden = Boolean(job.ended_ms);
    if (share === null) this.progress_.removeAttribute('value');
    else this.progress_.value = share;
    say(this.trouble_, jobProblem(job));
    const held = this.buttons_.find(([, , button]) => button === document.activeElement);
    for (const [name, usual, button] of this.buttons_) {
      const word = t((job.state === 'failed' && kAfterFailure[name]) || usual);
      button.hidden = !actions.includes(name);
      setText(button, word);
      button.setAttribute('aria-label', `${word}: ${this.title_}`);
    }
    // "Pause" becomes "Go on" under the finger that pressed it.
    if (held?.[2].hidden) this.buttons_.find(([, , button]) => !button.hidden)?.[2].focus();
    this.fold_.hidden = job.files.length === 0;
    this.files_.update(job.files);
  }
}

export class JobList {
  constructor(reload) {
    const list = (attributes) => el('ul', { class: 'jobs', ...attributes });
    const running = list({ 'aria-label': t('Under way') });
    const ended = list({ 'aria-label': t('Ended') });
    const create = (job) => new JobView(job, reload);
    this.running_ = new KeptList(running, ({ id }) => id, create);
    this.ended_ = new KeptList(ended, ({ id }) => id, create);
    this.endedTitle_ = el('span', {});
    this.fold_ = el('details', { class: 'ended-jobs' }, el('summary', {}, icon('chevron'), this.endedTitle_), ended);
    this.none_ = el('p', { class: 'note' }, t('Nothing is under way.'));
    this.element = el('div', { class: 'job-box', id: 'jobs' }, el('h3', {}, t('Jobs')), this.none_, running, this.fold_);
  }

  update({ jobs }) {
    const { running, ended } = sortJobs(jobs);
    this.none_.hidden = running.length > 0;
    this.running_.update(running);
    this.ended_.update(ended);
    this.fold_.hidden = ended.length === 0;
    setText(this.endedTitle_, t('Ended: {count}', { count: ended.length }));
  }
}
