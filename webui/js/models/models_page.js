// The models of the box: what each one does and holds and why, what lies on the disk, and how to get more.

import { toolButton } from '../shell/dropdown.js';
import { el, icon } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { nextTheme } from '../shell/theme.js';
import { buildTopBar } from '../shell/top_bar.js';
import { RefreshTimer } from '../time/refresh_timer.js';
import { GetModel } from './get_model.js';
import { JobList } from './job_list.js';
import { KeptList } from './kept.js';
import { hasEnded, jobChanges } from './library_words.js';
import { LibraryTable } from './library_table.js';
import { MemoryBar } from './memory_bar.js';
import { ModelCard } from './model_card.js';
import { getApply, getLibrary, listModels } from './models_api.js';
import { stateChanges } from './model_words.js';

const kPeriodMs = 1000;
const kCalmLibraryMs = 5000;  // the disk is not walked each second while no job runs
const kNewsMs = 8000;

class ModelsPage {
  constructor() {
    this.models_ = null;
    this.library_ = null;
    this.libraryMs_ = 0;
    this.build_();
    this.timer_ = new RefreshTimer(() => this.load_(), () => true);
    this.load_().then(() => this.timer_.setPeriod(kPeriodMs));
  }

  build_() {
    const status = new StatusView();
    const page = { reload: () => this.reload(), said: (text) => this.said_(text), watchApply: (id, name) => this.watchApply_(id, name) };
    const showHelp = installShortcuts([
      { keys: ['r'], text: msg('Refresh now'), run: () => this.reload() },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
      { keys: ['g h'], text: msg('Dashboard'), run: () => { location.href = '/'; } },
    ]);
    const cards = el('div', { class: 'model-cards' });
    this.cards_ = new KeptList(cards, ({ model_name: name }) => name, (model) => new ModelCard(model, () => this.reload()));
    this.none_ = el('p', { class: 'note', hidden: true }, t('No model is served. Serve one of the library.'));
    this.problem_ = el('p', { class: 'alert error', role: 'alert', hidden: true });
    this.news_ = el('div', { class: 'news', role: 'status' });
    this.memory_ = new MemoryBar();
    this.table_ = new LibraryTable(page);
    this.jobs_ = new JobList(() => this.reload());
    this.ways_ = new GetModel(page);
    this.table_.element.append(this.jobs_.element);
    document.body.prepend(
      buildTopBar('/models', [toolButton('refresh', t('Refresh (r)'), { id: 'refresh', onclick: () => this.reload() }),
        toolButton('help', t('Keyboard (?)'), { id: 'help', onclick: showHelp })]),
      status.alerts,
      el('section', { class: 'strip', 'aria-label': t('State of the box') }, el('h1', {}, t('Models')), status.facts),
      el('main', { class: 'listing models' }, this.problem_, this.memory_.element,
        el('section', { 'aria-labelledby': 'served-title' }, el('h2', { id: 'served-title' }, t('Served')), this.none_, cards),
        this.table_.element, this.ways_.element),
      this.news_);
  }

  /** After something was done: asks at once, once what is under way has answered. */
  async reload() {
    this.libraryMs_ = 0;
    await this.loading_;
    await this.load_();
  }

  /** One round at a time, and one request at a time within it. */
  load_() {
    this.loading_ ??= this.ask_().finally(() => { this.loading_ = null; });
    return this.loading_;
  }

  async ask_() {
    try {
      this.showModels_(await listModels());
      const isBusy = this.library_?.jobs.some((job) => !hasEnded(job));
      if (isBusy || performance.now() - this.libraryMs_ >= kCalmLibraryMs || this.libraryMs_ === 0) {
        this.libraryMs_ = performance.now();
        this.showLibrary_(await getLibrary());
      }
      this.problem_.hidden = true;
    } catch (error) {
      this.problem_.hidden = false;
      this.problem_.textContent = t('The models cannot be read: {reason}', { reason: error.message });
    }
  }

  showModels_(answer) {
    for (const text of stateChanges(this.models_, answer.models)) this.said_(text);
    this.models_ = answer.models;
    this.memory_.update(answer);
    this.cards_.update(answer.models);
    this.none_.hidden = answer.models.length > 0;
  }

  showLibrary_(library) {
    for (const text of jobChanges(this.library_?.jobs, library.jobs)) this.said_(text);
    this.library_ = library;
    this.table_.update(library);
    this.jobs_.update(library);
    this.ways_.update(library);
  }

  /** News are read aloud and go away by themselves; an error stays until it is closed. */
  said_(text, isError = false) {
    const close = () => item.remove();
    const item = el('p', { class: isError ? 'news-item error' : 'news-item' }, el('span', {}, text),
      el('button', { type: 'button', class: 'tool', title: t('Close'), 'aria-label': t('Close'), onclick: close }, icon('close')));
    this.news_.append(item);
    if (!isError) setTimeout(close, kNewsMs);
  }

  /** Follows what puts a model into service to its end. */
  async watchApply_(id, name) {
    this.said_(t('{model} is being put into service.', { model: name }));
    try {
      let apply;
      do {
        await new Promise((done) => { setTimeout(done, kPeriodMs); });
        apply = await getApply(id);
      } while (!apply.ended_ms);
      const isServed = apply.state === 'confirmed';
      this.said_(isServed ? t('{model} is in service.', { model: name }) : t('{model} is not in service: {reason}', { model: name, reason: apply.message }), !isServed);
    } catch (error) {
      this.said_(error.message, true);
    }
    await this.reload();
  }
}

new ModelsPage();
