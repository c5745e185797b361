// The form of a configuration: one card a model, one row a field of the schema. It edits nothing by
// itself: each change is said to the page, which changes the text and shows it again.

import { el, icon } from '../shell/dom.js';
import { locale, t } from '../shell/i18n.js';
import { getIn, pathText } from './config_document.js';
import { defaultText, isFixed, leavesOf, limitsOf, matchesSearch, textOf, valueOf } from './form_values.js';
import { countErrors, isWithin, messageAtField, problemsByField } from './problem_list.js';

const kLong = ['any', 'object', 'map', 'list'];
const kGrouped = new Intl.NumberFormat(locale);
const kFirst = ['model_loading_config', 'engine_kwargs', 'deployment_config'];  // what most people come for

let counter = 0;

function hintOf(field, yaml) {
  const limits = limitsOf(field);
  const unit = field.unit ? ` ${field.unit}` : '';
  const min = limits?.min != null && kGrouped.format(limits.min);
  const max = limits?.max != null && kGrouped.format(limits.max);
  const range = min && max ? t('{min} to {max}', { min, max }) : min ? t('at least {min}', { min }) : max ? t('at most {max}', { max }) : '';
  const standard = defaultText(field, yaml);
  return [isFixed(field) && t('only {value}', { value: textOf(field.must_be, yaml) }), range && range + unit, standard && t('default: {value}', { value: standard })].filter(Boolean).join(' · ');
}

/** One field with its control, badges and messages. */
class FieldRow {
  /** @param at the path of the model it belongs to */
  constructor(leaf, at, form) {
    this.leaf = leaf;
    this.path = [...at, ...leaf.keys];
    this.pathText = pathText(this.path);
    this.form_ = form;
    const { field } = leaf;
    this.id_ = `config-field-${counter++}`;
    this.control_ = this.buildControl_();
    this.badges_ = el('span', { class: 'config-badges' });
    this.messages_ = el('div', { class: 'config-messages', id: `${this.id_}-messages` });
    this.reset_ = el('button', {
      type: 'button', class: 'tool config-reset', title: t('Take it out: the default holds'),
      'aria-label': t('Take out {field}', { field: this.pathText }), onclick: () => form.change(this.path, undefined),
    }, icon('close'));
    this.element = el('div', { class: 'config-field', 'data-path': this.pathText },
      el('div', { class: 'config-label' }, el('label', { for: this.id_ }, leaf.keys.at(-1)), this.badges_,
        el('p', { id: `${this.id_}-help` }, field.help, el('span', { class: 'config-hint' }, ` ${hintOf(field, form.yaml)}`))),
      el('div', { class: 'config-control' }, el('div', { class: 'config-row' }, this.control_, this.reset_), this.messages_));
  }

  buildControl_() {
    const { field } = this.leaf;
    const common = { id: this.id_, 'aria-describedby': `${this.id_}-help ${this.id_}-messages`, 'aria-required': field.required && 'true' };
    const choices = isFixed(field) ? [field.must_be] : field.type === 'boolean' ? ['true', 'false'] : field.type === 'choice' ? field.choices : null;
    const change = () => this.form_.change(this.path, valueOf(this.control_.value, field, this.form_.yaml));
    if (choices) {
      const standard = defaultText(field, this.form_.yaml);
      this.choices_ = choices.map(String);
      return el('select', { ...common, onchange: change },
        el('option', { value: '' }, standard ? t('default ({value})', { value: standard }) : t('not said')),
        ...this.choices_.map((choice) => el('option', { value: choice }, choice)));
    }
    const isShort = field.type === 'any' && (field.default ?? null) !== null;  // a number or a word, as of num_replicas
    if (kLong.includes(field.type) && !isShort) return el('textarea', { ...common, class: 'code', rows: 2, spellcheck: 'false', oninput: change });
    const numeric = field.type === 'integer' || field.type === 'number';
    return el('input', { ...common, type: field.secret ? 'password' : 'text', inputmode: numeric && 'decimal', autocomplete: 'off', spellcheck: 'false', oninput: change });
  }

  get isSet() {
    return this.isSet_;
  }

  show(value, problems, capped, readOnly) {
    this.isSet_ = value !== undefined;
    this.hasProblem = problems.length > 0;
    const text = textOf(value, this.form_.yaml);
    if (this.choices_ && text !== '' && ![...this.control_.options].some((option) => option.value === text)) {
      this.control_.append(el('option', { value: text }, text));  // what is written there, right or wrong
    }
    // A field that is being written in keeps its letters ("1." is on its way to "1.5").
    const means = JSON.stringify(valueOf(this.control_.value, this.leaf.field, this.form_.yaml));
    if (document.activeElement !== this.control_ || means !== JSON.stringify(value)) this.control_.value = text;
    this.control_.disabled = readOnly;
    this.reset_.disabled = readOnly;
    this.reset_.hidden = !this.isSet_;
    this.element.classList.toggle('set', this.isSet_);
    const wrong = problems.some(({ severity }) => severity === 'error');
    this.element.classList.toggle('error', wrong);
    this.control_.setAttribute('aria-invalid', String(wrong));
    this.showBadges_(capped);
    this.showMessages_(problems, capped);
  }

  showBadges_(capped) {
    const { field } = this.leaf;
    const badge = (kind, text, title) => el('span', { class: `config-badge ${kind}`, title }, text);
    this.badges_.replaceChildren(...[
      field.effect === 'inert' && badge('inert', t('no effect here'), field.reason),
      field.effect === 'refused' && badge('refused', t('not possible here'), field.reason),
      field.effect === 'honoured' && field.live && badge('live', t('live'), t('Changes take effect at once; nothing restarts.')),
      field.required && badge('plain', t('required')),
      field.ours && badge('plain', 'Hearth', t('A field of this box, unknown to Ray.')),
      capped && badge('capped', t('capped'), capped.reason),
    ].filter(Boolean));
  }

  showMessages_(problems, capped) {
    const { field } = this.leaf;
    const shown = (value) => textOf(value, this.form_.yaml);
    // The reason is said once: as the box says it of this value, or as the schema says it of any.
    const reason = (field.effect !== 'honoured' || isFixed(field)) && problems.length === 0 && field.reason;
    this.messages_.replaceChildren(...[
      ...problems.map((problem) => el('p', { class: problem.severity }, problem.path === this.pathText ? messageAtField(problem) : problem.message)),
      capped && el('p', { class: 'capped' },
        el('span', {}, t('configured'), ' ', el('b', {}, shown(capped.configured)), ' · ', t('effective'), ' ', el('b', {}, shown(capped.effective))),
        capped.reason && `: ${capped.reason}`),
      reason && el('p', { class: 'muted' }, reason),
    ].filter(Boolean));
  }

  focus() {
    this.form_.open(this);
    for (let node = this.element; node; node = node.parentElement) if (node.tagName === 'DETAILS') node.open = true;
    this.control_.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: 'center' });
  }
}

/** The elements of the rows, those of one map below its name; what belongs to none comes first. */
function grouped(rows, mapOf) {
  return [...new Set(['', ...rows.map(mapOf)])].flatMap((map) => {
    const elements = rows.filter((row) => mapOf(row) === map).map(({ element }) => element);
    return map ? [el('h4', {}, map), ...elements] : elements;
  });
}

/** The card of one model. */
class ModelCard {
  constructor(path, schema, form) {
    this.path = path;
    this.form_ = form;
    this.rows_ = leavesOf(schema.fields).map((leaf) => new FieldRow(leaf, path, form));
    this.name_ = el('span', {});
    this.count_ = el('span', { class: 'config-badge refused', hidden: true });
    this.fold_ = el('button', { type: 'button', class: 'config-fold', onclick: () => { this.open = !this.open; } }, icon('chevron'), this.name_);
    this.other_ = el('div', { class: 'config-messages' });
    this.remove_ = path.length > 0 && el('button', { type: 'button', class: 'tool wide', onclick: () => form.removeModel(path) }, t('Remove model'));
    this.folds_ = [];  // what is folded away opens for what is set or searched
    this.sections_ = this.buildSections_(schema);
    this.body_ = el('div', {}, ...this.sections_.map(({ element }) => element));
    this.element = el('section', { class: 'config-model' },
      el('div', { class: 'config-model-head' }, el('h2', {}, this.fold_), this.count_, this.remove_), this.other_, this.body_);
    this.open = true;
  }

  get open() {
    return !this.body_.hidden;
  }

  set open(on) {
    this.body_.hidden = !on;
    this.fold_.setAttribute('aria-expanded', String(on));
  }

  /** One section an object of LLMConfig, then its own fields, and last what has no effect here. */
  buildSections_(schema) {
    const isMain = ({ leaf: { field } }) => field.effect === 'honoured' && !isFixed(field);
    const main = this.rows_.filter(isMain);
    const rest = this.rows_.filter((row) => !isMain(row));
    const order = [...kFirst, '', ...schema.fields.map(({ name }) => name)];
    const groups = new Map();
    for (const row of main) {
      const name = row.leaf.group[0] ?? '';
      groups.set(name, [...(groups.get(name) ?? []), row]);
    }
    const names = [...groups.keys()].sort((left, right) => order.indexOf(left) - order.indexOf(right));
    const sections = names.map((name) => ({ rows: groups.get(name), element: this.section_(name || t('More of the model'), groups.get(name)) }));
    const details = el('details', { class: 'config-section config-rest' },
      el('summary', {}, t('Fields of Ray with no effect here, or with one value only ({count})', { count: rest.length })),
      ...grouped(rest, (row) => row.leaf.group.join('.')));
    this.folds_.push({ rows: rest, element: details });
    return [...sections, { rows: rest, element: details }];
  }

  /** The section's own fields, those of the maps in it, and folded those that say something to few. */
  section_(title, rows) {
    const isRare = ({ leaf: { field } }) => !field.required && !field.default_text && (field.default ?? null) === null;
    const rare = rows.length > 3 ? rows.filter(isRare) : [];
    const shown = rows.filter((row) => !rare.includes(row));
    const more = rare.length > 0 && el('details', { class: 'config-rest' }, el('summary', {}, t('More of {name} ({count})', { name: title, count: rare.length })),
      ...rare.map(({ element }) => element));
    if (more) this.folds_.push({ rows: rare, element: more });
    return el('div', { class: 'config-section', role: 'group', 'aria-label': title }, el('h3', {}, title),
      ...grouped(shown, (row) => row.leaf.group.slice(1).join('.')), more || '');
  }

  show(json, problems, effective, readOnly) {
    const name = json?.model_loading_config?.model_id;
    const errors = countErrors(problems);
    this.count_.hidden = errors === 0;
    this.count_.textContent = errors === 1 ? t('One error') : t('{count} errors', { count: errors });
    this.name_.textContent = typeof name === 'string' && name ? name : t('A model without a name');
    if (this.remove_) this.remove_.disabled = readOnly;
    const byField = problemsByField(problems, this.rows_.map((row) => row.pathText));
    for (const row of this.rows_) {
      row.show(getIn(json, row.leaf.keys), byField.get(row.pathText) ?? [],
        effective.find(({ path }) => path === row.pathText), readOnly);
    }
    this.other_.replaceChildren(...(byField.get(null) ?? []).map(({ severity, message }) => el('p', { class: severity }, message)));
    this.filter('');
  }

  filter(text) {
    if (text !== '') this.open = true;
    for (const row of this.rows_) row.element.hidden = text !== '' && !matchesSearch(row.leaf, text);
    for (const { rows, element } of [...this.sections_, ...this.folds_]) element.hidden = rows.every((row) => row.element.hidden);
    for (const { rows, element } of this.folds_) {
      if (text || rows.some((row) => row.isSet || row.hasProblem)) element.open = true;
    }
  }

  rowOf(path) {
    return this.rows_.filter((row) => isWithin(path, row.pathText)).sort((left, right) => right.pathText.length - left.pathText.length)[0];
  }

  focus() {
    this.open = true;
    this.element.scrollIntoView({ block: 'start' });
    this.element.querySelector('input')?.focus({ preventScroll: true });
  }
}

export class ConfigForm {
  /** @param options {schema, yaml, change(path, value), addModel(), removeModel(path), showText()} */
  constructor(options) {
    this.schema_ = options.schema;
    this.yaml = options.yaml;
    this.change = options.change;
    this.removeModel = options.removeModel;
    this.cards_ = [];
    this.shape_ = null;
    this.search_ = el('input', { type: 'search', 'aria-label': t('Search fields'), placeholder: t('Search fields'), oninput: () => this.filter_() });
    this.add_ = el('button', { type: 'button', class: 'tool wide', id: 'config-add-model', onclick: options.addModel }, icon('plus'), t('Add a model'));
    this.none_ = el('p', { class: 'config-none' });
    this.models_ = el('div', { class: 'config-models' });
    this.unreadable_ = el('div', { class: 'alert error', hidden: true }, icon('warning'), el('span', {}),
      el('button', { type: 'button', class: 'tool wide', onclick: options.showText }, t('Repair it in the text')));
    this.element = el('div', { class: 'config-form' },
      el('div', { class: 'config-form-bar' }, this.search_, this.add_), this.unreadable_, this.none_, this.models_);
  }

  show(source, { problems, effective }, readOnly) {
    this.unreadable_.hidden = source.problem === null;
    this.unreadable_.querySelector('span').textContent = t('The form cannot read this text: {problem}', { problem: source.problem });
    this.models_.hidden = source.problem !== null;
    this.add_.disabled = readOnly || !source.canAddModel;
    if (source.problem !== null) return;
    const models = source.models();
    this.none_.hidden = models.length > 0;
    this.none_.textContent = t('This configuration serves no model.');
    const shape = JSON.stringify(models.map(({ path }) => path));
    if (shape !== this.shape_) {
      this.shape_ = shape;
      this.cards_ = models.map(({ path }) => new ModelCard(path, this.schema_, this));
      this.models_.replaceChildren(...this.cards_.map(({ element }) => element));
      // Of several models the first is looked at; each is a press away.
      this.cards_.forEach((card, index) => { card.open = index === 0; });
    }
    this.cards_.forEach((card, index) => {
      const at = pathText(card.path);
      card.show(models[index].json, problems.filter(({ path }) => isWithin(path, at)), effective, readOnly);
    });
    this.filter_();
  }

  filter_() {
    for (const card of this.cards_) card.filter(this.search_.value.trim());
  }

  /** @returns whether the form has a field for the path */
  goTo(path) {
    const card = this.cards_.find((one) => isWithin(path, pathText(one.path)));
    if (this.search_.value !== '') {
      this.search_.value = '';
      this.filter_();
    }
    const row = card?.rowOf(path);
    row?.focus();
    return Boolean(row);
  }

  /** Unfolds the card of a row. */
  open(row) {
    const card = this.cards_.find(({ element }) => element.contains(row.element));
    if (card) card.open = true;
  }

  focusLast() {
    this.cards_.at(-1)?.focus();
  }
}
