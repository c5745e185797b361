// The models on the disk of the box, and what may be done with them.

import { askText, choose } from '../edit/dialogs.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { agoText, bytesText } from './model_words.js';
import { actionButton, KeptList, problemLine, say, setText, setUsable } from './kept.js';
import { libraryState, proposedName, shortHash, shortRevision } from './library_words.js';
import { collectGarbage, finishUpload, removeModel, serveModel, verifyModel } from './models_api.js';

/** @returns the name clients shall ask for, or null */
const askName = ({ id }) => askText(t('Serve {model}', { model: id }), t('Name for clients'), proposedName(id), t('Serve'),
  [el('p', {}, t('It becomes part of the configuration and is loaded beside what runs. If it cannot be loaded, everything stays as it is.')),
    el('p', {}, t('It takes over the settings of the first model; the Configuration page changes them.'))]);

const askRemove = ({ id, bytes, num_files: files, path }) => choose(t('Remove {model}?', { model: id }),
  [t('{files} files are removed from the disk, and {bytes} become free: {path}', { files, bytes: bytesText(bytes), path }),
    t('It can be pulled or imported again; there is no way back otherwise.')], [['remove', t('Remove')]]);

class ModelRow {
  /** @param page {reload(), watchApply(id, name), said(text)} */
  constructor(model, page) {
    this.state_ = el('span', { class: 'state' });
    this.trouble_ = el('p', {});
    this.about_ = el('p', {});
    this.problem_ = problemLine();
    this.reasonId_ = `library-${encodeURIComponent(model.id)}-${model.revision}-reason`;
    this.reason_ = el('p', { id: this.reasonId_ });
    this.cells_ = Object.fromEntries(['size', 'revision', 'hash', 'verified', 'served'].map((name) => [name, el('td', { class: name === 'size' ? 'number nowrap' : 'nowrap' })]));
    const button = (name, text, work) => actionButton(text, this.problem_, async () => {
      await work(this.model_);
      await page.reload();
    }, { 'data-do': name, 'aria-label': `${text}: ${model.id}` });
    this.serve_ = button('serve', t('Serve'), (one) => this.askServe_(one, page));
    this.finish_ = button('finish', t('Finish the upload'), (one) => finishUpload(one.id));
    this.verify_ = button('verify', t('Verify'), (one) => verifyModel(one.id));
    this.remove_ = button('remove', t('Remove'), (one) => this.askRemove_(one, page));
    this.element = el('tr', { 'data-library': model.id },
      el('th', { scope: 'row', class: 'title' }, model.id, this.about_), el('td', {}, this.state_, this.trouble_), ...Object.values(this.cells_),
      el('td', {}, el('div', { class: 'actions' }, this.finish_, this.serve_, this.verify_, this.remove_), this.reason_, this.problem_));
  }

  async askServe_(model, page) {
    const name = await askName(model);
    if (name) page.watchApply(await serveModel(model.path, name), name);
  }

  async askRemove_(model, page) {
    if (await askRemove(model) === null) return;
    await removeModel(model);
    page.said(t('{model} was removed: {bytes} are free again.', { model: model.id, bytes: bytesText(model.bytes) }));
  }

  update(model) {
    this.model_ = model;
    const { level, text } = libraryState(model);
    this.state_.dataset.level = level;
    setText(this.state_, text);
    say(this.trouble_, model.problem);
    say(this.about_, [model.architecture, model.dtype, model.source !== 'unknown' && model.source].filter(Boolean).join(' · '));
    setText(this.cells_.size, bytesText(model.bytes));
    this.cells_.size.title = t('{count} files', { count: model.num_files });
    setText(this.cells_.revision, shortRevision(model.revision) || '–');
    this.cells_.revision.title = model.revision;
    setText(this.cells_.hash, shortHash(model.content_hash) || '–');
    this.cells_.hash.title = model.content_hash;
    setText(this.cells_.verified, model.verified_ms ? agoText(model.verified_ms, Date.now()) : t('never'));
    setText(this.cells_.served, model.served_as.join(', ') || '–');
    const isServed = model.served_as.length > 0;
    say(this.reason_, isServed ? t('In service, so it stays.') : '');
    const isPartial = model.state === 'partial';
    this.finish_.hidden = !(isPartial && model.source === 'upload');
    this.serve_.hidden = isPartial;
    this.verify_.hidden = isPartial;
    setUsable(this.serve_, model.state === 'whole');
    setUsable(this.remove_, !isServed, this.reasonId_);
  }
}

export class LibraryTable {
  constructor(page) {
    const column = (text, kind) => el('th', { scope: 'col', class: kind }, text);
    const body = el('tbody');
    this.rows_ = new KeptList(body, ({ id, revision }) => `${id}@${revision}`, (model) => new ModelRow(model, page));
    this.none_ = el('p', { class: 'note' }, t('No model lies in the library yet: pull, import or upload one.'));
    this.scroll_ = el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('Models on the disk') },
      el('table', { class: 'rows', id: 'library' }, el('thead', {}, el('tr', {}, column(t('Model')), column(t('State')), column(t('Size'), 'number'),
        column(t('Revision')), column(t('Content')), column(t('Verified')), column(t('Served as')), column(t('Actions'), 'number'))), body));
    this.trouble_ = el('p', { class: 'alert error', hidden: true });
    this.disk_ = el('span', {});
    this.garbage_ = el('span', {});
    this.problem_ = problemLine();
    this.clean_ = actionButton(t('Clean up'), this.problem_, async () => {
      const bytes = await collectGarbage();
      page.said(t('{bytes} were freed.', { bytes: bytesText(bytes) }));
      await page.reload();
    }, { 'data-do': 'gc' });
    this.element = el('section', { class: 'box', 'aria-labelledby': 'library-title' }, el('h2', { id: 'library-title' }, t('Library')), this.trouble_,
      el('p', { class: 'disk-line' }, this.disk_, ' ', this.garbage_, ' ', this.clean_), this.problem_, this.none_, this.scroll_);
  }

  update({ models, disk, garbage_bytes: garbage, models_directory: directory, problem }) {
    say(this.trouble_, problem ?? '');
    setText(this.disk_, t('{directory}: {free} of {total} free, of which {reserve} stay free.', {
      directory, free: bytesText(disk.free_bytes), total: bytesText(disk.total_bytes), reserve: bytesText(disk.reserve_bytes) }));
    say(this.garbage_, garbage > 0 ? t('{bytes} are left from what was broken off.', { bytes: bytesText(garbage) }) : '');
    this.clean_.hidden = !(garbage > 0);
    this.none_.hidden = models.length > 0;
    this.scroll_.hidden = models.length === 0;
    this.rows_.update(models);
  }
}
