// The list of the box's dashboards: find, open, upload, rename, copy, export and delete them.

import { addCopy, Uploads } from './uploads.js';
import { deleteDashboard, exportAddress, getDashboard, listDashboards, renameDashboard } from './dashboards_api.js';
import { el, icon } from '../shell/dom.js';
import { locale, msg, t } from '../shell/i18n.js';
import { buildTopBar } from '../shell/top_bar.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { matches } from './search.js';
import { StatusView } from '../shell/status.js';
import { nextTheme } from '../shell/theme.js';

const kSources = { shipped: msg('came with the box'), uploaded: msg('uploaded') };

function when(ms) {
  return new Date(ms).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}

class DashboardsPage {
  constructor() {
    const parameters = new URLSearchParams(location.search);
    this.tags_ = new Set(parameters.getAll('tag'));
    this.rows_ = [];
    this.uploads_ = new Uploads(() => this.load_());
    this.status_ = new StatusView();
    this.search_ = el('input', {
      type: 'search', id: 'search', value: parameters.get('search') ?? '', placeholder: t('Search dashboards'),
      'aria-label': t('Search dashboards'), oninput: () => this.filter_(),
    });
    this.tagList_ = el('div', { class: 'tags', role: 'group', 'aria-label': t('Tags') });
    this.problem_ = el('p', { class: 'field-error', role: 'alert' });
    this.count_ = el('p', { class: 'sr', role: 'status' });
    this.body_ = el('tbody');
    document.body.prepend(
      buildTopBar('/dashboards', [this.uploads_.button]),
      this.status_.alerts,
      el('div', { class: 'strip' }, el('h1', {}, t('Dashboards')), this.status_.facts),
      el('main', { class: 'listing' },
        el('div', { class: 'filters' }, this.search_, this.tagList_),
        this.uploads_.answers, this.problem_, this.count_, this.buildTable_(),
        el('p', { class: 'hint' }, t('Any dashboard of Grafana can be uploaded: choose its JSON file, drop it here or paste it.'))));
    installShortcuts([
      { keys: ['/'], text: msg('Search dashboards'), run: () => this.search_.focus() },
      { keys: ['u'], text: msg('Upload dashboard'), run: () => this.uploads_.choose() },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
      { keys: ['g h'], text: msg('Dashboard'), run: () => { location.href = '/'; } },
    ]);
    this.load_();
  }

  buildTable_() {
    const column = (text) => el('th', { scope: 'col' }, text);
    return el('table', { class: 'rows', id: 'dashboards' },
      el('thead', {}, el('tr', {}, column(t('Title')), column(t('Tags')), column(t('Panels')), column(t('From')),
        column(t('Changed')), column(t('Actions')))),
      this.body_);
  }

  async load_() {
    try {
      this.dashboards_ = await listDashboards();
      this.problem_.replaceChildren();
    } catch (error) {
      this.problem_.replaceChildren(t('The list cannot be read: {reason}', { reason: error.message }));
      return;
    }
    const tags = [...new Set(this.dashboards_.flatMap((one) => one.tags))].sort();
    this.tagList_.replaceChildren(...tags.map((tag) => el('button', {
      type: 'button', class: 'tag', 'aria-pressed': String(this.tags_.has(tag)), onclick: (event) => this.toggleTag_(tag, event.target),
    }, tag)));
    this.rows_ = this.dashboards_.map((dashboard) => ({ dashboard, element: this.row_(dashboard) }));
    this.filter_();
  }

  toggleTag_(tag, button) {
    if (!this.tags_.delete(tag)) this.tags_.add(tag);
    button.setAttribute('aria-pressed', String(this.tags_.has(tag)));
    this.filter_();
  }

  filter_() {
    const shown = this.rows_.filter(({ dashboard }) => matches(dashboard, this.search_.value, this.tags_));
    const none = el('tr', {}, el('td', { colspan: 6, class: 'none' }, t('No dashboard has these words and tags.')));
    this.body_.replaceChildren(...(shown.length > 0 ? shown.map(({ element }) => element) : [none]));
    this.count_.textContent = t('{count} dashboards', { count: shown.length });
    const parameters = new URLSearchParams(location.search);
    parameters.delete('tag');
    parameters.delete('search');
    if (this.search_.value) parameters.set('search', this.search_.value);
    for (const tag of this.tags_) parameters.append('tag', tag);
    history.replaceState(null, '', parameters.size > 0 ? `?${parameters}` : location.pathname);
  }

  row_(dashboard) {
    const { uid, title, description, tags, panels, source, updated_ms: updatedMs } = dashboard;
    const titleCell = el('td', { class: 'title' });
    const row = el('tr', { 'data-uid': uid }, titleCell,
      el('td', { class: 'cell-tags' }, ...tags.map((tag) => el('span', { class: 'tag' }, tag))),
      el('td', { class: 'number', 'data-label': t('Panels') }, String(panels)),
      el('td', {}, t(kSources[source])),
      el('td', { class: 'nowrap' }, updatedMs > 0 ? when(updatedMs) : ''),
      el('td', { class: 'actions' }, ...this.actions_(dashboard, titleCell)));
    this.showTitle_(titleCell, uid, title, description);
    return row;
  }

  showTitle_(cell, uid, title, description) {
    cell.replaceChildren(el('a', { href: `/d/${uid}` }, title), description && el('p', { class: 'muted' }, description) || '');
  }

  actions_(dashboard, titleCell) {
    const { uid, title, source } = dashboard;
    const action = (label, run) => el('button', {
      type: 'button', class: 'tool wide', 'aria-label': `${label}: ${title}`, onclick: () => this.attempt_(run),
    }, label);
    return [
      source === 'uploaded' && action(t('Rename'), () => this.rename_(dashboard, titleCell)),
      action(t('Copy'), async () => {
        const copy = await addCopy((await getDashboard(uid)).dashboard, title);
        await this.load_();
        this.body_.querySelector(`[data-uid="${copy.uid}"] a`)?.focus();
      }),
      el('a', { class: 'tool wide', href: exportAddress(uid), download: '', 'aria-label': `${t('Export')}: ${title}` }, t('Export')),
      source === 'uploaded' && action(t('Delete'), () => this.delete_(dashboard)),
    ].filter(Boolean);
  }

  async attempt_(run) {
    this.problem_.replaceChildren();
    try {
      await run();
    } catch (error) {
      this.problem_.replaceChildren(error.message);
    }
  }

  rename_({ uid, title, description }, cell) {
    const input = el('input', { value: title, 'aria-label': t('New title'), required: true, maxlength: 189 });
    const cancel = () => {
      this.showTitle_(cell, uid, title, description);
      cell.querySelector('a').focus();
    };
    const save = () => this.attempt_(async () => {
      await renameDashboard(uid, input.value.trim());
      await this.load_();
      this.body_.querySelector(`[data-uid="${uid}"] a`)?.focus();
    });
    cell.replaceChildren(el('form', {
      class: 'rename',
      onsubmit: (event) => {
        event.preventDefault();
        save();
      },
      onkeydown: (event) => {
        if (event.key === 'Escape') cancel();
      },
    }, input, el('button', { class: 'tool wide' }, t('Save')), el('button', { type: 'button', class: 'tool wide', onclick: cancel }, t('Cancel'))));
    input.select();
  }

  delete_({ uid, title }) {
    const dialog = el('dialog', { class: 'help', 'aria-label': t('Delete') },
      el('h2', {}, t('Delete “{title}”?', { title })),
      el('p', {}, t('It cannot be brought back. Export it first to keep a file.')),
      el('form', { method: 'dialog', class: 'ways' },
        el('button', { class: 'tool wide', value: '', autofocus: true }, t('Cancel')),
        el('button', { class: 'primary', value: 'delete' }, t('Delete'))));
    document.body.append(dialog);
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (dialog.returnValue === 'delete') {
        this.attempt_(async () => {
          await deleteDashboard(uid);
          await this.load_();
          this.search_.focus();
        });
      }
    });
    dialog.showModal();
  }
}

new DashboardsPage();
