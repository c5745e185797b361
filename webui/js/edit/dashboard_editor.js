// Edits the dashboard on the page: keeps its JSON, shows what changed of it, saves it.

import { toolButton } from '../shell/dropdown.js';
import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { Arrange } from './arrange.js';
import * as edits from './dashboard_edits.js';
import { changeDashboard, createDashboard, overwriteDashboard } from './dashboards_client.js';
import { askText, choose } from './dialogs.js';
import { PanelEditor } from './panel_editor.js';
import { askSettings } from './settings_dialog.js';

/** The address with or without what is edited; null takes it out. */
function writeAddress(panelId) {
  const params = new URLSearchParams(location.search);
  if (panelId === null) params.delete('editPanel');
  else params.set('editPanel', String(panelId));
  history.replaceState(history.state, '', `?${params}`);
}

export class DashboardEditor {
  /** @param page the DashboardPage; its `source` is what is edited */
  constructor(page) {
    this.page_ = page;
    this.json = edits.editable(page.source.dashboard);
    this.saved_ = page.source.meta.source === 'new' ? {} : this.json;
    this.panelEditor_ = null;
    this.said_ = el('span', { class: 'sr', role: 'status' });
    this.badge_ = el('span', { class: 'edit-badge', role: 'status' });
    this.tools_ = this.buildTools_();
    this.arrange_ = null;
    window.addEventListener('beforeunload', (event) => {
      if (this.changed) event.preventDefault();
    });
  }

  buildTools_() {
    const button = (id, text, run, kind = 'tool wide') => el('button', { type: 'button', class: kind, id, onclick: run }, text);
    return el('div', { class: 'edit-tools', role: 'toolbar', 'aria-label': t('Edit the dashboard') },
      button('edit-add-panel', t('Add panel'), () => this.addPanel()),
      button('edit-add-row', t('Add row'), () => this.commit(edits.addRow(this.json, t('New row')))),
      button('edit-settings', t('Settings'), () => this.settings_()),
      this.badge_, this.said_,
      button('edit-revert', t('Discard'), () => this.revert_()),
      button('edit-save', t('Save dashboard'), () => this.save(), 'primary'),
      toolButton('close', t('Leave edit mode'), { id: 'edit-leave', onclick: () => this.leave() }));
  }

  get changed() {
    return !edits.sameJson(this.json, this.saved_) || Boolean(this.panelEditor_?.changed);
  }

  /** Edit mode: tools in the strip, panels that can be moved. */
  start() {
    this.page_.editing = true;
    document.body.classList.add('editing');
    this.page_.bar.tools.replaceChildren(this.tools_);
    this.arrange_ ??= new Arrange(this.page_, this, this.said_);
    this.page_.showDashboard(this.json);
    this.follow_();
  }

  leave() {
    this.page_.editing = false;
    document.body.classList.remove('editing');
    this.arrange_?.destroy();
    this.arrange_ = null;
    this.page_.offerEdit();
    this.page_.showDashboard(this.json);
    this.page_.bar.tools.prepend(this.badge_);  // what is not saved stays to be seen
  }

  /** What belongs to edit mode in a view that was made anew. */
  follow_() {
    this.badge_.textContent = this.changed ? t('Unsaved changes') : '';
    if (!this.page_.editing) return;
    this.arrange_.attach();
    this.page_.view.offerRowTools((row) => this.rowTools_(row));
  }

  rowTools_(row) {
    return el('div', { class: 'row-tools' },
      el('button', { type: 'button', class: 'tool wide', onclick: () => this.renameRow_(row) }, t('Rename')),
      el('button', { type: 'button', class: 'tool wide', onclick: () => this.removeRow_(row) }, t('Remove')));
  }

  async renameRow_(row) {
    const title = await askText(t('Rename row'), t('Title'), edits.findPanel(this.json, row.id).title, t('Apply'));
    if (title) this.commit(edits.renameRow(this.json, row.id, title));
  }

  async removeRow_(row) {
    const choice = await choose(t('Remove row {title}', { title: row.title }), [], [['row', t('The row alone')], ['panels', t('The row and its panels')]]);
    if (choice) this.commit(edits.removeRow(this.json, row.id, choice === 'panels'));
  }

  /** Takes over a changed dashboard and shows it. */
  commit(json) {
    this.json = json;
    this.page_.showDashboard(json);
    this.follow_();
  }

  /** The panels on one grid with a panel. */
  listOf(id) {
    const inside = this.json.panels.find((row) => row.panels?.some((panel) => panel.id === id));
    return (inside?.panels ?? this.json.panels).map((panel) => ({ id: panel.id, gridPos: panel.gridPos }));
  }

  move(id, place) {
    this.commit(edits.movePanel(this.json, id, place));
  }

  addPanel(panel = edits.panelOf(''), open = true) {
    const { json, id } = edits.addPanel(this.json, panel);
    this.commit(json);
    if (open) this.editPanel(id);
  }

  duplicatePanel(id) {
    if (edits.findPanel(this.json, id)) this.commit(edits.duplicatePanel(this.json, id));
  }

  removePanel(id) {
    if (edits.findPanel(this.json, id)) this.commit(edits.removePanel(this.json, id));
  }

  editPanel(id) {
    const panel = edits.findPanel(this.json, id);
    if (!panel || this.panelEditor_) return;
    this.panelEditor_ = new PanelEditor(this.page_, this.json, panel, {
      onApply: (changed) => {
        this.closePanel_(id);
        this.commit(edits.replacePanel(this.json, id, changed));
      },
      onLeave: () => this.closePanel_(id),
    });
    document.body.classList.add('editing-panel');
    this.page_.view.element.after(this.panelEditor_.element);
    (this.panelEditor_.element.querySelector('.editor-field') ?? this.panelEditor_.element.querySelector('select')).focus();
    writeAddress(id);
  }

  closePanel_(id) {
    this.panelEditor_.destroy();
    this.panelEditor_ = null;
    document.body.classList.remove('editing-panel');
    writeAddress(null);
    this.page_.view.frames.find((frame) => frame.panel.id === id)?.element.focus();
  }

  /** The panel editor follows the page's time and variables. */
  refresh() {
    return this.panelEditor_?.refresh();
  }

  async settings_() {
    const json = await askSettings(this.json);
    if (json) this.commit(json);
  }

  async revert_() {
    if (!this.changed) return;
    const sure = await choose(t('Discard the changes?'), this.sentences_(), [['yes', t('Discard')]]);
    if (sure) this.commit(edits.sameJson(this.saved_, {}) ? edits.emptyDashboard(this.json.title) : this.saved_);
  }

  /** What was changed, for whoever is asked about it. */
  sentences_() {
    const { added, removed, changed, settings } = edits.differences({ panels: [], ...this.saved_ }, this.json);
    const list = (titles) => titles.join(', ');
    return [
      added.length > 0 && t('Added: {panels}', { panels: list(added) }),
      removed.length > 0 && t('Removed: {panels}', { panels: list(removed) }),
      changed.length > 0 && t('Changed: {panels}', { panels: list(changed) }),
      settings.length > 0 && t('Settings: {fields}', { fields: list(settings) }),
    ].filter(Boolean);
  }

  async save() {
    const { source } = this.page_.source.meta;
    if (source === 'shipped') return this.saveCopy_(t('This dashboard came with the box and stays as it is.'));
    if (source === 'new') return this.saveCopy_('');
    const choice = await choose(t('Save dashboard'), this.sentences_(), [['save', t('Save')], ['copy', t('Save as copy')]]);
    if (choice === 'copy') return this.saveCopy_('');
    return choice === 'save' && this.saveOver_();
  }

  async saveOver_() {
    const { meta, dashboard } = this.page_.source;
    const { json } = this;
    try {
      this.wasSaved_(json, await changeDashboard(dashboard.uid, json, meta.version));
    } catch (error) {
      if (error.status === 409) await this.conflict_(error.message);
      else await choose(t('Not saved'), [error.message], [['ok', t('Close')]]);
    }
  }

  /** Somebody else saved it meanwhile. */
  async conflict_(message) {
    const choice = await choose(t('Saved by somebody else meanwhile'), [message], [
      ['copy', t('Save as copy')], ['overwrite', t('Overwrite')], ['reload', t('Reload theirs')]]);
    if (choice === 'copy') return this.saveCopy_('');
    if (choice === 'overwrite') {
      try {
        this.wasSaved_(this.json, await overwriteDashboard(this.page_.source.dashboard.uid, this.json));
      } catch (error) {
        await choose(t('Not saved'), [error.message], [['ok', t('Close')]]);
      }
    }
    if (choice === 'reload') this.go_(location.href);
    return choice;
  }

  wasSaved_(json, { version }) {
    this.saved_ = json;
    this.page_.source.meta.version = version;
    this.follow_();
    this.said_.textContent = t('Saved as version {version}', { version });
  }

  async saveCopy_(why) {
    const isNew = this.page_.source.meta.source === 'new';
    const suggestion = isNew ? this.json.title : t('{title} (copy)', { title: this.json.title });
    const title = await askText(isNew ? t('Save dashboard') : t('Save as copy'), t('Title'), suggestion, t('Save'), why ? [el('p', {}, why)] : []);
    if (!title) return;
    try {
      const { url } = await createDashboard(edits.copyOf(this.json, title));
      this.go_(`${url}${location.search}`);
    } catch (error) {
      await choose(t('Not saved'), [error.message], [['ok', t('Close')]]);
    }
  }

  go_(href) {
    this.saved_ = this.json;
    const url = new URL(href, location.href);
    for (const name of ['expr', 'legend', 'editPanel']) url.searchParams.delete(name);
    location.assign(url);
  }
}
