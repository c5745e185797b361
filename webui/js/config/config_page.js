// The configuration page: the model configuration as a form and as text, both views of one document;
// what it needs and what it would interrupt; apply with everything that goes on; and the way back.

import { el, icon } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { nextTheme } from '../shell/theme.js';
import { toolButton } from '../shell/dropdown.js';
import { buildTopBar } from '../shell/top_bar.js';
import { ApplyView, isRunning } from './apply_view.js';
import * as api from './config_api.js';
import { askApply, askConflict, askDiscard, askPaste, askSave, showDiff } from './config_dialogs.js';
import { ConfigDocument } from './config_document.js';
import { pathKeys } from './problem_list.js';
import { llmConfigsOfPython } from './python_literal.js';
import { ConfigForm } from './config_form.js';
import { CheckPanel } from './check_panel.js';
import { diffTable } from './diff_view.js';
import { auditTable, momentText, RevisionList } from './revision_list.js';
import { withIndentedItems } from './repair.js';
import { TextView } from './text_view.js';

const kCheckDelayMs = 300;  // after the last key
const kPollMs = 5000;
const kApplyPollMs = 700;
const kCancelledMs = 600000;
const kNothingChecked = { ok: false, problems: [], effective: [], changes: [], fit: null, interruption: null };
const kNewModel = { model_loading_config: { model_id: 'my-model', model_source: 'Org/Model' } };
const kViews = [['form', msg('Form')], ['text', msg('Text')]];
const kLowerTabs = [['changes', msg('Changes')], ['revisions', msg('Revisions')], ['audit', msg('Audit trail')]];
const kIndentation = {
  what: msg('The fields of a list item stand below its dash, as in Ray’s own documentation. YAML wants them beside its first field.'),
  action: msg('Indent them'),
};
const kPython = { what: msg('This is Python. What its LLMConfig(…) says can be written as YAML.'), action: msg('Write it as YAML') };
const kLargestFile = 4 * 2 ** 20;  // bytes; the box says the real limit

function pressedButtons(choices, id, onChoose) {
  return choices.map(([value, text]) => el('button', {
    type: 'button', class: 'tool wide', id: `${id}-${value}`, 'data-value': value, onclick: () => onChoose(value) }, t(text)));
}

function press(group, value) {
  for (const button of group) button.setAttribute('aria-pressed', String(button.dataset.value === value));
}

/** Whether a visitor should know that the newest text was not taken: of what somebody cancelled, for a while only. */
function isWorthTelling({ apply, newest, recovery }) {
  if (recovery || apply?.state !== 'returned' || apply.revision !== newest) return false;
  return apply.reason !== 'cancelled' || api.boxNowMs() - apply.ended_ms < kCancelledMs;
}

class ConfigPage {
  constructor() {
    this.config_ = null;      // the newest answer of GET /api/config
    this.base_ = null;        // the revision the text began with
    this.text_ = '';
    this.checked_ = kNothingChecked;
    this.checking_ = false;   // what checked_ says is of an older text
    this.turn_ = 0;           // of the newest question about the text; an older answer is dropped
    this.lower_ = 'changes';
    this.view_ = new URLSearchParams(location.search).get('view') === 'text' ? 'text' : 'form';
    this.build_();
    this.start_();
  }

  get readOnly_() {
    return this.config_ === null || this.config_.read_only !== null;
  }

  get dirty_() {
    return this.base_ !== null && this.text_ !== this.base_.document;
  }

  async start_() {
    try {
      const [yaml, schema, config] = await Promise.all([import('/vendor/yaml.js'), api.getSchema(), api.getConfig()]);
      this.yaml_ = yaml.default;
      this.form_ = new ConfigForm({
        schema, yaml: this.yaml_, change: (path, value) => this.edit_((source) => source.set(path, value)),
        addModel: () => this.addModel_(), removeModel: (path) => this.edit_((source) => source.removeModel(path)),
        showText: () => this.setView_('text'),
      });
      this.formPlace_.replaceChildren(this.form_.element);
      this.config_ = config;
      this.takeRevision_(config.revision);
      this.takeConfig_(config);
      this.showLower_(this.lower_);
      this.takeApply_(config.apply, isWorthTelling(config));
      setTimeout(() => this.poll_(), kPollMs);
    } catch (error) {
      this.say_(error.message);
      setTimeout(() => this.start_(), kPollMs);
    }
  }

  build_() {
    const status = new StatusView();
    const showHelp = installShortcuts([
      { keys: ['e'], text: msg('Form or text'), run: () => this.setView_(this.view_ === 'form' ? 'text' : 'form') },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
    ]);
    this.problem_ = el('div', { class: 'alert error', role: 'alert', hidden: true });
    this.notices_ = el('div', { class: 'alerts', role: 'status' });
    this.applyView_ = new ApplyView({
      confirm: () => this.attempt_(api.confirmApply), cancel: () => this.attempt_(api.cancelApply), close: () => this.closeApply_() });
    this.textView_ = new TextView({ describedBy: 'config-check', onInput: (text) => this.setText_(text, 'text') });
    this.formPlace_ = el('div', { class: 'config-place' }, el('p', { class: 'muted' }, t('Reading the configuration …')));
    this.check_ = new CheckPanel({ goTo: (problem) => this.goTo_(problem), rename: (problem) => this.rename_(problem), apply: () => this.attempt_(() => this.apply_()), save: () => this.attempt_(() => this.save_()) });
    this.revisions_ = new RevisionList({
      view: (revision) => this.attempt_(() => this.compare_(revision)), restore: (revision) => this.attempt_(() => this.restore_(revision)),
      canChange: () => !this.readOnly_ });
    this.lowerPlace_ = el('div', { class: 'config-lower-place' });
    this.lowerButtons_ = pressedButtons(kLowerTabs, 'config-tab', (name) => this.attempt_(() => this.showLower_(name)));
    document.body.prepend(
      buildTopBar('/config', [toolButton('help', t('Keyboard (?)'), { id: 'help', onclick: showHelp })]), status.alerts,
      el('section', { class: 'strip', 'aria-label': t('State of the box') }, el('h1', {}, t('Configuration')), status.facts),
      el('main', { class: 'config-page' }, this.problem_, this.notices_, this.applyView_.element,
        el('div', { class: 'config-columns' }, this.buildEditor_(), this.check_.element),
        el('section', { class: 'config-lower', 'aria-label': t('History') },
          el('div', { class: 'group filters', role: 'group', 'aria-label': t('History') }, ...this.lowerButtons_), this.lowerPlace_)));
    this.setView_(this.view_);
    window.addEventListener('beforeunload', (event) => {
      if (this.dirty_) event.preventDefault();
    });
  }

  buildEditor_() {
    this.viewButtons_ = pressedButtons(kViews, 'config-view', (view) => this.setView_(view));
    const button = (id, text, run) => el('button', { type: 'button', class: 'tool wide', id, onclick: () => this.attempt_(run) }, text);
    this.paste_ = button('config-paste-open', t('Paste …'), () => this.pasteText_());
    this.discard_ = button('config-discard', t('Discard changes'), () => this.discardText_());
    this.file_ = el('input', { type: 'file', accept: '.yaml,.yml,.json,text/*', hidden: true, 'aria-label': t('File'), onchange: () => this.attempt_(() => this.openFile_()) });
    this.open_ = button('config-open', t('Open a file …'), () => this.file_.click());
    this.repairText_ = el('span', {});
    this.repairButton_ = el('button', { type: 'button', class: 'tool wide', id: 'config-repair', onclick: () => this.setText_(this.repair_.text, 'form') });
    this.repairPlace_ = el('div', { class: 'alert', hidden: true }, icon('info'), this.repairText_, this.repairButton_);
    this.about_ = el('p', { class: 'config-about', id: 'config-about' });
    return el('section', { class: 'config-editor', 'aria-label': t('Editor') },
      el('div', { class: 'config-bar' }, el('div', { class: 'group', role: 'group', 'aria-label': t('View') }, ...this.viewButtons_),
        this.paste_, this.open_, this.file_, this.discard_, this.about_),
      this.repairPlace_, this.formPlace_, this.textView_.element);
  }

  setView_(view) {
    this.view_ = view;
    press(this.viewButtons_, view);
    this.formPlace_.hidden = view !== 'form';
    this.textView_.element.hidden = view !== 'text';
    const params = new URLSearchParams(location.search);
    if (view === 'text') params.set('view', 'text');
    else params.delete('view');
    history.replaceState(history.state, '', params.size ? `?${params}` : location.pathname);
  }

  say_(text) {
    this.problem_.hidden = text === '';
    this.problem_.replaceChildren(icon('warning'), el('span', {}, text));
  }

  async attempt_(run) {
    this.say_('');
    try {
      await run();
    } catch (error) {
      this.say_(error.message);
      if (error instanceof api.ConfigError && error.detail('problems')) this.showChecked_({ ...this.checked_, ok: false, problems: error.detail('problems') });
    }
  }

  // The text and what the box says of it.

  takeRevision_(revision) {
    this.base_ = revision;
    this.setText_(revision?.document ?? '', 'box');
  }

  setText_(text, from) {
    this.text_ = text;
    this.source_ = new ConfigDocument(this.yaml_, text);
    this.repair_ = this.repairOf_();
    if (from !== 'text') this.textView_.value = text;
    const turn = ++this.turn_;
    this.checking_ = true;
    this.showAll_();
    setTimeout(() => this.validate_(turn), from === 'box' ? 0 : kCheckDelayMs);
  }

  /** What people paste and no YAML reader takes, and the text they mean: {text, what, action}, or null. */
  repairOf_() {
    const configs = llmConfigsOfPython(this.text_);
    if (configs) return { ...kPython, text: this.yaml_.stringify({ llm_configs: configs }) };
    if (this.source_.problem === null) return null;
    const text = withIndentedItems(this.text_, (other) => new ConfigDocument(this.yaml_, other).problem === null);
    return text && { ...kIndentation, text };
  }

  edit_(change) {
    if (!this.readOnly_) this.setText_(change(this.source_), 'form');
  }

  addModel_() {
    this.edit_((source) => source.addModel(kNewModel));
    this.form_.focusLast();
  }

  async validate_(turn) {
    if (turn !== this.turn_) return;
    try {
      const checked = await api.validateDocument(this.text_);
      if (turn === this.turn_) this.showChecked_(checked);
    } catch (error) {
      if (turn !== this.turn_) return;
      this.say_(error.message);
      this.showChecked_(kNothingChecked);
    }
    if (turn === this.turn_ && this.lower_ === 'changes') this.attempt_(() => this.showChanges_());
  }

  showChecked_(checked) {
    this.checked_ = { ...kNothingChecked, ...checked };
    this.checking_ = false;
    this.textView_.showProblems(this.checked_.problems);
    this.showAll_();
  }

  showAll_() {
    const { readOnly_: readOnly, base_: base, config_: config } = this;
    this.form_?.show(this.source_, this.checked_, readOnly);
    this.textView_.readOnly = readOnly;
    for (const button of [this.paste_, this.open_]) button.disabled = readOnly;
    this.discard_.hidden = !this.dirty_;
    this.repairPlace_.hidden = readOnly || !this.repair_;
    this.repairText_.textContent = this.repair_ ? t(this.repair_.what) : '';
    this.repairButton_.textContent = this.repair_ ? t(this.repair_.action) : '';
    const about = !base ? '' : this.dirty_ ? msg('Unsaved changes') : base.id === config?.active ? msg('Revision {id}, active')
      : isRunning(config?.apply) && config.apply.revision === base.id ? msg('Revision {id}, being applied') : msg('Revision {id}, not active');
    this.about_.textContent = about && t(about, { id: base.id });
    this.about_.classList.toggle('dirty', this.dirty_);
    if (this.checking_) this.check_.busy();
    else this.check_.show(this.checked_, this.applicable_());
  }

  /** {canApply, canSave, canEdit, why}: why is the sentence for a button that cannot be used. */
  applicable_() {
    const { config_: config, base_: base, checked_: checked } = this;
    // What serves is applied once more where a model of it has failed.
    const differs = this.dirty_ || base?.id !== config?.active || config?.recovery || checked.changes.some(({ kind }) => kind !== 'same');
    const why = this.readOnly_ ? (config ? t('This page is read-only.') : '') : isRunning(config.apply) ? t('An apply is running.')
      : !differs ? t('This is what serves.') : !checked.ok ? '' : checked.fit && !checked.fit.fits ? t('It does not fit into the memory of this box.') : null;
    return { canApply: why === null, canSave: !this.readOnly_ && this.dirty_ && checked.ok, canEdit: !this.readOnly_, why };
  }

  goTo_({ path, line, column }) {
    if (this.view_ === 'form' && this.source_.problem === null && this.form_.goTo(path)) return;
    if (line > 0) {
      this.setView_('text');
      this.textView_.goTo(line, column);
    }
  }

  rename_({ path, nearest }) {
    this.edit_((source) => source.renameKey(pathKeys(path), nearest) ?? source.text);
  }

  async pasteText_() {
    const text = await askPaste();
    if (text !== null) this.setText_(text, 'form');
  }

  async openFile_() {
    const [file] = this.file_.files;
    this.file_.value = '';
    if (!file) return;
    if (file.size > kLargestFile) throw new Error(t('{name} is too large for a configuration.', { name: file.name }));
    this.setText_(await file.text(), 'form');
  }

  async discardText_() {
    if (await askDiscard() === 'discard') this.takeRevision_(this.config_.revision);
  }

  // Apply, save, restore.

  /** Runs `send(expected)`; when somebody else came first, asks and either gives up or sends it again. */
  async withoutConflict_(send) {
    for (let expected = this.base_.id; ;) {
      try {
        return await send(expected);
      } catch (error) {
        const newest = error.detail?.('newest');
        // Without `expected` it is another apply that runs, and no text stands against another.
        if (error.status !== 409 || !error.detail('expected') || newest === expected) throw error;
        const theirs = await api.getRevision(newest);
        const choice = await askConflict(theirs, this.text_);
        if (choice === 'theirs') this.takeRevision_(theirs);
        if (choice !== 'mine') return null;
        expected = theirs.id;
      }
    }
  }

  async apply_() {
    const answer = await askApply(t('Apply this configuration?'), this.checked_, this.config_.active);
    if (!answer) return;
    const text = this.text_;
    const started = this.dirty_ ? await this.withoutConflict_((expected) => api.applyDocument(text, answer.note, expected))
      : await api.applyRevision(this.base_.id);
    if (started) await this.began_(started);
  }

  async began_(started) {
    const revision = await api.getRevision(started.revision);
    this.base_ = revision;
    this.follow_(started.apply);
    this.takeConfig_(await api.getConfig());
    this.showAll_();
    this.applyView_.element.scrollIntoView({ block: 'nearest' });
  }

  async save_() {
    const answer = await askSave();
    if (!answer) return;
    const saved = await this.withoutConflict_((expected) => api.saveRevision(this.text_, answer.note, expected));
    if (!saved) return;
    this.base_ = await api.getRevision(saved.id);
    this.takeConfig_(await api.getConfig());
    this.showAll_();
    await this.showLower_(this.lower_);
  }

  async restore_(revision) {
    if (this.dirty_ && await askDiscard() !== 'discard') return;
    const { document } = await api.getRevision(revision.id);
    const checked = await api.validateDocument(document);
    if (!checked.ok) {
      this.setText_(document, 'form');
      throw new Error(t('Revision {id} is not valid any more; its text is in the editor.', { id: revision.id }));
    }
    const title = t('Restore revision {id}?', { id: revision.id });
    if (!await askApply(title, checked, this.config_.active, t('Restore'))) return;
    const started = await api.restoreRevision(revision.id, this.config_.newest);
    this.takeRevision_(await api.getRevision(started.revision));
    await this.began_(started);
  }

  /** Asks for the apply until it has ended. A box that restarts meanwhile answers again by itself. */
  async follow_(id) {
    if (this.following_ === id) return;
    this.following_ = id;
    this.seenApply_ = id;
    for (let running = true; running && this.following_ === id;) {
      try {
        const apply = await api.getApply(id);
        this.applyView_.show(apply);
        running = isRunning(apply);
      } catch {
        // No answer is no end: the strip above says that the box is away.
      }
      if (running) await new Promise((done) => setTimeout(done, kApplyPollMs));
    }
    if (this.following_ !== id) return;
    this.following_ = null;
    await this.attempt_(async () => {
      this.takeConfig_(await api.getConfig());
      this.setText_(this.text_, 'text');
      await this.showLower_(this.lower_);
    });
  }

  /** @param tells whether one that has ended is worth a word: somebody should know why it was taken back */
  takeApply_(apply, tells) {
    this.seenApply_ = apply?.id;
    if (isRunning(apply)) this.follow_(apply.id);
    else if (apply && tells) this.applyView_.show(apply);
  }

  closeApply_() {
    this.applyView_.show(null);
  }

  // What others do meanwhile.

  takeConfig_(config) {
    this.config_ = config;
    // The same text is no conflict, whoever saved it.
    if (this.base_ && config.revision?.document === this.text_) this.base_ = config.revision;
    const notice = (level, text, ...actions) => el('div', { class: `alert ${level}` }, icon('warning'), el('span', {}, text), ...actions);
    const action = (id, text, run) => el('button', { type: 'button', class: 'tool wide', id, onclick: () => this.attempt_(run) }, text);
    const stale = this.base_ && config.revision && config.newest !== this.base_.id;
    const idle = this.base_ && !stale && !config.recovery && config.active && config.newest !== config.active && !isRunning(config.apply);
    const key = JSON.stringify([config.read_only, config.recovery, stale, idle, config.newest, config.active]);
    if (key === this.noticed_) return;
    this.noticed_ = key;
    this.notices_.replaceChildren(...[
      config.recovery && notice('error', t('Correct the configuration, or restore a revision that worked, and apply it: that ends recovery mode.')),
      config.read_only && notice('warning', t('This page is read-only: {reason}', { reason: config.read_only })),
      stale && notice('warning', t('Revision {id} was saved by {author} after this page had read the configuration.', { id: config.newest, author: config.revision.author }),
        action('config-take', t('Show it'), () => this.takeNewest_())),
      idle && notice('warning', t('Revision {newest} is the newest text, but revision {active} is what serves.', config),
        action('config-active', t('Put the active one into the editor'), async () => this.setText_((await api.getRevision(config.active)).document, 'form'))),
    ].filter(Boolean));
  }

  async takeNewest_() {
    const newest = this.config_.revision;
    const choice = this.dirty_ ? await askConflict(newest, this.text_) : 'theirs';
    if (choice === 'theirs') this.takeRevision_(newest);
    else if (choice === 'mine') this.base_ = newest;
    this.takeConfig_(this.config_);
    this.showAll_();
  }

  async poll_() {
    try {
      const config = document.hidden ? null : await api.getConfig();
      if (config) {
        const changed = config.newest !== this.config_.newest || config.active !== this.config_.active;
        // Who has changed nothing sees what others save at once.
        if (config.newest !== this.base_?.id && !this.dirty_ && !document.querySelector('dialog[open]')) this.takeRevision_(config.revision);
        this.takeConfig_(config);
        this.takeApply_(config.apply, config.apply?.id !== this.seenApply_);
        if (changed) await this.showLower_(this.lower_);
        this.showAll_();
      }
    } catch {
      // The strip above says that the box does not answer.
    }
    setTimeout(() => this.poll_(), kPollMs);
  }

  // Below: what differs, the revisions, the trail.

  async showLower_(name) {
    this.lower_ = name;
    press(this.lowerButtons_, name);
    if (name === 'changes') return this.showChanges_();
    if (name === 'revisions') {
      this.lowerPlace_.replaceChildren(this.revisions_.element);
      return this.revisions_.load();
    }
    const table = await auditTable();
    if (this.lower_ === 'audit') this.lowerPlace_.replaceChildren(table);
    return undefined;
  }

  async showChanges_() {
    const { active } = this.config_;
    const turn = this.turn_;
    const { lines } = await api.diffOf({ from: active || null, document: this.text_ });
    if (this.lower_ !== 'changes' || turn !== this.turn_) return;
    this.lowerPlace_.replaceChildren(diffTable(lines, [active ? t('Active: revision {id}', { id: active }) : t('Nothing is active'), t('In the editor')]));
  }

  async compare_(revision) {
    const { active } = this.config_;
    const { lines } = await api.diffOf({ from: active || null, to: revision.id });
    await showDiff(t('Revision {id}, {time}', { id: revision.id, time: momentText(revision.created_ms) }), lines,
      [active ? t('Active: revision {id}', { id: active }) : t('Nothing is active'), t('Revision {id}', { id: revision.id })]);
  }
}

new ConfigPage();
