// Uploads by file picker, drop and paste, and what the box answered to each.

import { addDashboard, uploadDashboard } from './dashboards_api.js';
import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';

/** A dashboard out of whatever wraps it, or null: for a second try under another uid. */
function unwrap(text) {
  try {
    const body = JSON.parse(text);
    return body.spec ?? (body.panels ? body : body.dashboard ?? body);
  } catch {
    return null;
  }
}

function undrawnList(undrawn) {
  if (undrawn.length === 0) return el('p', { class: 'muted' }, t('Everything in it is drawn.'));
  return el('details', { open: undrawn.length <= 8 },
    el('summary', {}, t('{count} things in it are not drawn', { count: undrawn.length })),
    el('ul', {}, ...undrawn.map(({ title, what }) => el('li', {}, title && el('b', {}, `${title}: `), what))));
}

export class Uploads {
  /** @param onDone() is called after each dashboard that was taken. */
  constructor(onDone) {
    this.onDone_ = onDone;
    this.input_ = el('input', {
      type: 'file', accept: '.json,application/json', multiple: true, hidden: true, id: 'upload-file',
      onchange: () => this.takeFiles_(this.input_.files),
    });
    this.button = el('button', { type: 'button', class: 'primary', id: 'upload', onclick: () => this.choose() },
      t('Upload dashboard'));
    this.answers = el('div', { class: 'answers', role: 'status', 'aria-live': 'polite' });
    this.drop_ = el('div', { class: 'drop', hidden: true }, t('Drop Grafana’s dashboard files here'));
    document.body.append(this.input_, this.drop_);
    this.listen_();
  }

  choose() {
    this.input_.value = '';
    this.input_.click();
  }

  listen_() {
    const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
    addEventListener('dragover', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.drop_.hidden = false;
    });
    addEventListener('dragleave', (event) => {
      if (event.relatedTarget === null) this.drop_.hidden = true;
    });
    addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.drop_.hidden = true;
      this.takeFiles_(event.dataTransfer.files);
    });
    addEventListener('paste', (event) => {
      if (/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
      const files = event.clipboardData.files;
      const text = event.clipboardData.getData('text');
      if (files.length > 0) this.takeFiles_(files);
      else if (text.trimStart().startsWith('{')) this.take_(t('Pasted dashboard'), text);
    });
  }

  async takeFiles_(files) {
    for (const file of [...files]) await this.take_(file.name, await file.text());
  }

  take_(name, text) {
    return this.run_(name, () => uploadDashboard(text), text);
  }

  async run_(name, send, text) {
    const answer = el('div', { class: 'answer busy' }, el('h2', {}, name), el('p', {}, t('Uploading…')));
    this.answers.prepend(answer);
    try {
      const { title, url, undrawn } = await send();
      answer.className = 'answer';
      answer.replaceChildren(this.head_(answer, el('h2', {}, el('a', { href: url + location.search }, title))), undrawnList(undrawn));
      this.onDone_();
    } catch (error) {
      answer.className = 'answer error';
      answer.replaceChildren(this.head_(answer, el('h2', {}, icon('warning'), name)),
        el('p', {}, error.message), error.status === 409 && text ? this.ways_(answer, name, text) : '');
    }
  }

  head_(answer, title) {
    return el('div', { class: 'answer-head' }, title, el('button', {
      type: 'button', class: 'tool', title: t('Close'), 'aria-label': t('Close'), onclick: () => answer.remove(),
    }, icon('close')));
  }

  /** What can be done about a uid that is taken. */
  ways_(answer, name, text) {
    const dashboard = unwrap(text);
    const again = (label, send) => el('button', { type: 'button', class: 'tool wide', onclick: () => {
      answer.remove();
      this.run_(name, send, text);
    } }, label);
    return el('p', { class: 'ways' },
      again(t('Replace it'), () => addDashboard(dashboard, true)),
      again(t('Keep both'), () => addCopy(dashboard, dashboard.title)));
  }
}

/** Adds a dashboard under a uid of its own: "Title (copy)", "Title (copy 2)", … */
export async function addCopy(dashboard, title) {
  for (let number = 1; ; ++number) {
    const copy = {
      ...dashboard, uid: '',
      title: number === 1 ? t('{title} (copy)', { title }) : t('{title} (copy {number})', { title, number }),
    };
    try {
      return await addDashboard(copy);
    } catch (error) {
      if (error.status !== 409 || number >= 20) throw error;
    }
  }
}
