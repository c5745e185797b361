// Three ways to get a model onto the box: from a hub, from a directory of the box, from this browser.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { bytesText } from './model_words.js';
import { problemLine, say, setText } from './kept.js';
import { uploadOrder } from './library_words.js';
import { finishUpload, importModel, pullModel, uploadFile } from './models_api.js';

function field(id, label, attributes = {}) {
  const input = el('input', { type: 'text', id, autocomplete: 'off', spellcheck: 'false', required: true, ...attributes });
  return [el('label', { for: id }, label), input];
}

/** A form whose submit is a promise; what is refused is said below it. */
function workForm(attributes, problem, work, ...children) {
  let isBusy = false;
  return el('form', { class: 'box way', ...attributes, onsubmit: async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    say(problem, '');
    try {
      await work();
    } catch (error) {
      say(problem, error.message);
    } finally {
      isBusy = false;
    }
  } }, ...children, problem);
}

class PullForm {
  constructor(page) {
    const [modelLabel, model] = field('pull-model', t('Model'), { placeholder: 'Qwen/Qwen2.5-0.5B-Instruct' });
    const [revisionLabel, revision] = field('pull-revision', t('Branch, tag or commit'), { value: 'main' });
    this.from_ = el('p', { class: 'note' });
    this.button_ = el('button', { class: 'primary' }, t('Pull'));
    this.element = workForm({ id: 'pull' }, problemLine(), async () => {
      const job = await pullModel(model.value.trim(), revision.value.trim());
      page.said(t('The pull of {model} has begun.', { model: job.model }));
      model.value = '';
      await page.reload();
    }, el('h3', {}, t('Pull from a hub')), this.from_, modelLabel, model, revisionLabel, revision, el('p', {}, this.button_));
  }

  update({ offline, endpoint }) {
    setText(this.from_, offline ? t('This box makes no outbound connection. Import a model from a directory or upload it.') : t('From {endpoint}', { endpoint }));
    this.button_.disabled = offline;
  }
}

function importForm(page) {
  const [pathLabel, path] = field('import-path', t('Directory on the box'), { placeholder: '/media/usb/model' });
  const [nameLabel, name] = field('import-name', t('Name in the library'), { placeholder: 'name' });
  return workForm({ id: 'import' }, problemLine(), async () => {
    const job = await importModel(path.value.trim(), name.value.trim());
    page.said(t('The import of {model} has begun.', { model: job.model }));
    path.value = '';
    name.value = '';
    await page.reload();
  }, el('h3', {}, t('Import from a directory')), el('p', { class: 'note' }, t('A USB stick, say. Its files are copied and checked.')),
  pathLabel, path, nameLabel, name, el('p', {}, el('button', { class: 'primary' }, t('Import'))));
}

class UploadForm {
  constructor(page) {
    this.page_ = page;
    const [nameLabel, name] = field('upload-name', t('Name in the library'), { placeholder: 'name' });
    const [filesLabel, files] = field('upload-files', t('Files of the model'), { type: 'file', multiple: true });
    this.name_ = name;
    this.files_ = files;
    this.progress_ = el('progress', { max: 1, value: 0, hidden: true, 'aria-label': t('Upload') });
    this.numbers_ = el('p', { class: 'note', hidden: true });
    this.stop_ = el('button', { type: 'button', class: 'tool wide', hidden: true, onclick: () => this.abort_.abort(new Error(t('The upload was stopped.'))) }, t('Stop'));
    this.element = workForm({ id: 'upload' }, problemLine(), () => this.send_(),
      el('h3', {}, t('Upload from this browser')), el('p', { class: 'note' }, t('All files of one model: config.json, tokenizer.json, *.safetensors and the others.')),
      nameLabel, name, filesLabel, files, el('p', { class: 'upload-buttons' }, el('button', { class: 'primary' }, t('Upload')), this.stop_), this.progress_, this.numbers_);
  }

  async send_() {
    const model = this.name_.value.trim();
    const files = uploadOrder(this.files_.files);
    this.abort_ = new AbortController();
    this.show_(true);
    try {
      await this.sendFiles_(model, files);
      await finishUpload(model);
      this.page_.said(t('{model} was uploaded and is being checked.', { model }));
      this.element.reset();
    } finally {
      this.show_(false);
      await this.page_.reload();
    }
  }

  async sendFiles_(model, files) {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    let sent = 0;
    for (const [index, file] of files.entries()) {
      const tell = (bytes) => {
        this.progress_.value = total > 0 ? Math.min(1, (sent + bytes) / total) : 0;
        setText(this.numbers_, t('{done} of {total}: {file}, {number} of {count}', {
          done: bytesText(Math.min(total, sent + bytes)), total: bytesText(total), file: file.name, number: index + 1, count: files.length }));
      };
      tell(0);
      await uploadFile(model, file, tell, this.abort_.signal);
      sent += file.size;
    }
  }

  show_(isSending) {
    for (const node of [this.progress_, this.numbers_, this.stop_]) node.hidden = !isSending;
  }
}

export class GetModel {
  constructor(page) {
    this.pull_ = new PullForm(page);
    this.element = el('section', { 'aria-labelledby': 'get-title' }, el('h2', { id: 'get-title' }, t('Get a model')),
      el('div', { class: 'model-ways' }, this.pull_.element, importForm(page), new UploadForm(page).element));
  }

  update(library) {
    this.pull_.update(library);
  }
}
