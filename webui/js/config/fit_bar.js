// What a configuration needs of this box's memory, as a bar, before anything is touched.

import { formatValue } from '../format/units.js';
import { el } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';

const kKinds = { weights: msg('weights'), kv_cache: msg('KV cache'), workspace: msg('workspace'), other: msg('other') };
const kStates = { runs: msg('runs'), starts: msg('starts'), goes: msg('goes') };

export const bytesText = (bytes) => formatValue(bytes, 'bytes');

/**
 * The bar's parts, in shares of its length: the memory, or what the models may take of it, or what is
 * needed where that is more. What goes takes no room of its own where the old and the new run one after
 * the other; what is no model's counts against no limit.
 * @returns {parts: [{segment, share}], isLimited, limitShare, freeShare, scale: bytes}
 */
export function barParts(fit) {
  const isLimited = fit.bytes_limit > 0 && fit.bytes_limit < fit.bytes_total;
  const counted = fit.segments.filter(({ bytes, state, kind }) => bytes > 0 && (fit.fits_together || state !== 'goes') && !(isLimited && kind === 'other'));
  const needed = counted.reduce((sum, { bytes }) => sum + bytes, 0);
  const room = isLimited ? fit.bytes_limit : fit.bytes_total;
  const scale = Math.max(room, needed, 1);
  return {
    parts: counted.map((segment) => ({ segment, share: segment.bytes / scale })),
    isLimited,
    limitShare: isLimited && room < scale ? room / scale : null,
    freeShare: Math.max(0, (scale - needed) / scale),
    scale,
  };
}

const segmentText = ({ model_name: model, kind, state, bytes }) => t('{model}: {kind}, {bytes} ({state})', {
  model: model || t('the box'), kind: t(kKinds[kind] ?? '{kind}', { kind }), state: t(kStates[state] ?? '{state}', { state }), bytes: bytesText(bytes) });

/** What is left for models that start, bytes. */
function freeBytes({ bytes_free: free, bytes_limit: limit, segments }) {
  const taken = segments.reduce((sum, { bytes, state, kind }) => sum + (kind === 'other' || state === 'starts' ? 0 : bytes), 0);
  return limit > 0 ? Math.max(0, Math.min(free, limit - taken)) : free;
}

function verdict(fit) {
  if (!fit.fits) return ['error', t('It does not fit: {needed} needed, {limit} there.', { needed: bytesText(fit.needed_bytes), limit: bytesText(fit.bytes_limit || fit.bytes_total) })];
  if (!fit.fits_together) return ['busy', t('It fits, but not beside what runs now: the old engine stops first.')];
  return ['ok', t('It fits: {needed} needed, {free} free.', { needed: bytesText(fit.needed_bytes), free: bytesText(freeBytes(fit)) })];
}

function bar(fit) {
  const { parts, isLimited, limitShare, scale } = barParts(fit);
  const track = el('div', { class: 'fit-track', 'aria-hidden': 'true' });
  for (const { segment, share } of parts) {
    const node = el('span', { class: `fit-part ${segment.kind} ${segment.state}`, title: segmentText(segment) });
    node.style.width = `${share * 100}%`;
    node.dataset.model = tintOf(fit, segment);
    track.append(node);
  }
  if (limitShare !== null) {
    const mark = el('i', { class: 'fit-limit', title: t('limit {bytes}', { bytes: bytesText(fit.bytes_limit) }) });
    mark.style.left = `${limitShare * 100}%`;
    track.append(mark);
  }
  return [track, el('p', { class: 'fit-scale', 'aria-hidden': 'true' }, el('span', {}, '0'),
    limitShare !== null && el('span', {}, t('limit {bytes}', { bytes: bytesText(fit.bytes_limit) })),
    el('span', {}, isLimited && limitShare === null ? t('limit {bytes}', { bytes: bytesText(scale) }) : bytesText(scale)))];
}

/** Each model has a colour of its own; what is nobody's has none. */
function tintOf({ segments }, { model_name: model }) {
  const names = [...new Set(segments.map(({ model_name: name }) => name).filter(Boolean))];
  return model ? String(names.indexOf(model) % 3) : 'none';
}

const keyOf = (fit, segment) => el('i', { class: `fit-key fit-part ${segment.kind} ${segment.state}`, 'data-model': tintOf(fit, segment), 'aria-hidden': 'true' });

function modelFacts({ model_name: model, largest_max_model_len: longest, kv_cache_tokens: tokens }) {
  return el('li', {}, el('b', {}, model), ' ', [
    tokens > 0 && t('KV cache of {count} tokens', { count: formatValue(tokens, 'short') }),
    longest > 0 && t('longest context that fits: {count} tokens', { count: formatValue(longest, 'none') }),
  ].filter(Boolean).join(' · '));
}

/** @param fit of the answer of validate; null where no engine would be started */
export function fitView(fit) {
  if (!fit) return el('p', { class: 'muted' }, t('No engine is started: what is taken stays as it is.'));
  const [level, text] = verdict(fit);
  return el('div', { class: 'fit' },
    el('p', { class: `fit-verdict ${level}` }, el('i', { class: 'dot' }), text),
    ...bar(fit).flat(),
    el('details', {}, el('summary', {}, t('What takes how much')), el('ul', { class: 'fit-list' },
      ...fit.segments.filter(({ bytes }) => bytes > 0).map((segment) => el('li', {}, keyOf(fit, segment), segmentText(segment))),
      el('li', {}, el('i', { class: 'fit-key', 'aria-hidden': 'true' }), t('free now: {bytes}', { bytes: bytesText(freeBytes(fit)) })))),
    (fit.models ?? []).length > 0 && el('ul', { class: 'fit-models' }, ...fit.models.map(modelFacts)),
    ...(fit.sentences ?? []).map((sentence) => el('p', { class: 'muted' }, sentence)));
}
