// The memory of the box: which model holds what, what is free, and what the models may take.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { KeptList, say, setText } from './kept.js';
import { kKinds, memoryParts } from './memory_parts.js';
import { bytesText } from './model_words.js';

const kKindTexts = Object.fromEntries(kKinds);

function partText({ model, kind, bytes }) {
  const values = { model, kind: t(kKindTexts[kind] ?? '{kind}', { kind }), bytes: bytesText(bytes) };
  if (kind === 'other') return t('everything else: {bytes}', values);
  if (kind === 'free') return t('free: {bytes}', values);
  return t('{model}, {kind}: {bytes}', values);
}

const keyOf = ({ model, kind }) => `${model}/${kind}`;

function barPart({ kind, tint }) {
  const element = el('span', { class: `memory-part ${kind}`, 'data-tint': tint });
  return { element, update: (part) => {
    element.style.width = `${part.share * 100}%`;
    element.title = partText(part);
  } };
}

function listPart({ kind, tint }) {
  const text = el('span', {});
  const element = el('li', {}, el('i', { class: `memory-key memory-part ${kind}`, 'data-tint': tint, 'aria-hidden': 'true' }), text);
  return { element, update: (part) => setText(text, partText(part)) };
}

export class MemoryBar {
  constructor() {
    this.said_ = el('p', { class: 'lead' });
    this.track_ = el('div', { class: 'memory-parts' });
    this.limit_ = el('i', { class: 'memory-limit', hidden: true });
    this.list_ = el('ul', { class: 'memory-list' });
    this.limitText_ = el('p', { class: 'note', hidden: true });
    this.bars_ = new KeptList(this.track_, keyOf, barPart);
    this.parts_ = new KeptList(this.list_, keyOf, listPart);
    this.element = el('section', { class: 'box', 'aria-labelledby': 'memory-title' }, el('h2', { id: 'memory-title' }, t('Memory')), this.said_,
      el('div', { class: 'memory-track', 'aria-hidden': 'true' }, this.track_, this.limit_), this.list_, this.limitText_);
  }

  update({ models, memory }) {
    const { parts, limit, totalBytes, modelsBytes, freeBytes } = memoryParts(models, memory);
    setText(this.said_, memory.total_bytes === null ? t('The models hold {models}.', { models: bytesText(modelsBytes) })
      : t('The models hold {models} of {total}; {free} are free.', { models: bytesText(modelsBytes), total: bytesText(totalBytes), free: bytesText(freeBytes) }));
    this.bars_.update(parts);
    this.parts_.update(parts);
    this.limit_.hidden = limit === null;
    if (limit) this.limit_.style.left = `${limit.share * 100}%`;
    say(this.limitText_, memory.limit_bytes > 0 ? t('All models together may take {bytes} (memory_limit_bytes).', { bytes: bytesText(memory.limit_bytes) }) : '');
  }
}
