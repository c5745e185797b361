// The replicas of a model: one line for each engine process.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { KeptList, say, setText } from './kept.js';
import { kKinds } from './memory_parts.js';
import { bytesText, countText, stateOf } from './model_words.js';

/** "weights 1.2 GiB, KV cache 2 GiB, workspace 64 MiB" of what is known. */
function partsText(memory) {
  return kKinds.filter(([kind]) => memory[kind] !== null && memory[kind] !== undefined)
    .map(([kind, word]) => `${t(word)} ${bytesText(memory[kind])}`).join(', ');
}

function heldText({ memory }) {
  const known = kKinds.map(([kind]) => memory[kind]).filter((bytes) => bytes !== null && bytes !== undefined);
  if (known.length > 0) return bytesText(known.reduce((sum, bytes) => sum + bytes, 0));
  return bytesText(memory.resident);
}

class ReplicaRow {
  constructor({ index }) {
    this.state_ = el('span', { class: 'state' });
    this.progress_ = el('progress', { max: 1, 'aria-label': t('Replica {index} is being loaded', { index }) });
    this.message_ = el('p', {});
    this.memory_ = el('span', {});
    this.parts_ = el('p', {});
    this.cells_ = Object.fromEntries(['requests', 'restarts', 'pid', 'device'].map((name) => [name, el('td', { class: name === 'device' ? '' : 'number' })]));
    this.element = el('tr', { 'data-replica': index }, el('th', { scope: 'row' }, String(index)),
      el('td', {}, this.state_, this.progress_, this.message_), el('td', {}, this.memory_, this.parts_), ...Object.values(this.cells_));
  }

  /** @param why of the whole model: it is not repeated */
  update({ replica, why }) {
    const { level, text } = stateOf(replica);
    this.state_.dataset.level = level;
    setText(this.state_, text);
    this.progress_.hidden = !['loading', 'restarting'].includes(replica.state);
    this.progress_.value = replica.progress ?? 0;
    const message = replica.message === why ? '' : replica.message;
    say(this.message_, message || (this.progress_.hidden ? '' : replica.phase));
    setText(this.memory_, heldText(replica));
    say(this.parts_, partsText(replica.memory));
    setText(this.cells_.requests, replica.num_queued > 0
      ? t('{ongoing}, {queued} queued', { ongoing: countText(replica.num_ongoing), queued: countText(replica.num_queued) }) : countText(replica.num_ongoing));
    setText(this.cells_.restarts, countText(replica.restarts));
    setText(this.cells_.pid, replica.engine_pid > 0 ? String(replica.engine_pid) : '–');
    setText(this.cells_.device, [replica.device, replica.device_name].filter(Boolean).join(' · ') || '–');
  }
}

export class ReplicaTable {
  constructor(model) {
    const column = (text, kind) => el('th', { scope: 'col', class: kind }, text);
    const body = el('tbody');
    this.rows_ = new KeptList(body, ({ replica }) => replica.index, ({ replica }) => new ReplicaRow(replica));
    this.element = el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('Replicas of {model}', { model }) },
      el('table', { class: 'rows replicas' }, el('thead', {}, el('tr', {}, column(t('Replica')), column(t('State')), column(t('Memory')),
        column(t('Requests'), 'number'), column(t('Restarts'), 'number'), column(t('Process'), 'number'), column(t('Device')))), body));
  }

  update({ replicas, why }) {
    this.element.hidden = replicas.length === 0;
    this.rows_.update(replicas.map((replica) => ({ replica, why })));
  }
}
