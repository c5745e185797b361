// One served model: what it does, what it holds, why, and what may be done with it.

import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { AutoscalerView } from './autoscaler_view.js';
import { CrashView } from './crash_view.js';
import { actionButton, problemLine, say, setText, setUsable } from './kept.js';
import { factsText, keptText, lastUsedText, loadAction, modelState, requestsText, whyText } from './model_words.js';
import { loadModel, unloadModel } from './models_api.js';
import { ReplicaTable } from './replica_table.js';

export class ModelCard {
  /** @param reload() asks the box again at once */
  constructor({ model_name: name }, reload) {
    const id = (what) => `model-${encodeURIComponent(name)}-${what}`;
    const after = async (work) => {
      await work();
      await reload();
    };
    this.keptId_ = id('kept');
    this.state_ = el('span', { class: 'state' });
    this.pinned_ = el('span', { class: 'tag', hidden: true, title: t('It does not give way to another model.') }, icon('lock'), t('pinned'));
    this.aliases_ = el('span', { class: 'note' });
    this.problem_ = problemLine();
    this.load_ = actionButton(t('Load'), this.problem_, () => after(() => loadModel(name)), { 'data-do': 'load' });
    this.unload_ = actionButton(t('Unload'), this.problem_, () => after(() => unloadModel(name)), { 'data-do': 'unload' });
    this.kept_ = el('p', { class: 'note', id: this.keptId_ });
    this.why_ = el('p', { class: 'why' });
    this.facts_ = el('p', { class: 'note' });
    this.numbers_ = Object.fromEntries(['requests', 'used', 'place'].map((key) => [key, el('dd', {})]));
    this.parts_ = [new ReplicaTable(name), new AutoscalerView(), new CrashView(name)];
    const [replicas, autoscaler, crash] = this.parts_;
    this.columns_ = el('div', { class: 'card-columns' }, replicas.element, autoscaler.element);
    const fact = (title, value) => el('div', {}, el('dt', {}, title), value);
    this.element = el('article', { class: 'box model-card', 'data-model': name, 'aria-labelledby': id('name') },
      el('header', {}, el('h3', { id: id('name') }, name), this.state_, this.pinned_, this.aliases_, this.links_(name), el('span', { class: 'actions' }, this.load_, this.unload_)),
      this.why_, this.problem_, this.kept_,
      el('dl', { class: 'numbers' }, fact(t('Requests'), this.numbers_.requests), fact(t('Last used'), this.numbers_.used), fact(t('Model'), this.numbers_.place)),
      this.facts_, this.columns_, crash.element);
  }

  links_(name) {
    return el('span', { class: 'card-links' },
      el('a', { href: `/d/hearthLlm?var-model_name=${encodeURIComponent(name)}`, 'aria-label': t('Dashboard of {model}', { model: name }) }, t('Dashboard')),
      el('a', { href: '/config', 'aria-label': t('Configuration of {model}', { model: name }) }, t('Configuration')));
  }

  update(model) {
    const { level, text } = modelState(model);
    this.element.dataset.state = model.state;
    this.state_.dataset.level = level;
    setText(this.state_, text);
    this.pinned_.hidden = !model.pinned;
    say(this.aliases_, model.aliases.length > 0 ? t('also called {aliases}', { aliases: model.aliases.join(', ') }) : '');
    say(this.why_, whyText(model));
    this.showActions_(model);
    setText(this.numbers_.requests, requestsText(model));
    setText(this.numbers_.used, lastUsedText(model, Date.now()));
    setText(this.numbers_.place, model.source || model.path);
    say(this.facts_, factsText(model.model));
    this.columns_.dataset.replicas = model.replicas.length;
    for (const part of this.parts_) part.update(model);
  }

  showActions_(model) {
    const load = loadAction(model);
    setText(this.load_, load ?? t('Load'));
    setUsable(this.load_, load !== null);
    const kept = keptText(model);
    // That what sleeps cannot be unloaded goes without saying.
    say(this.kept_, load === null || model.autoscaling.min_replicas >= 1 ? kept : '');
    setUsable(this.unload_, kept === '', this.kept_.hidden ? null : this.keptId_);
  }
}
