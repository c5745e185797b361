// What a configuration needs of this box's memory, as a bar, before anything is touched.

import { formatValue } from '../format/units.js';
import { el } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';

const kKinds = { weights: msg('weights'), kv_cache: msg('KV cache'), workspace: msg('workspace'), other: msg('other') };
const kStates = { runs: msg('runs'), starts: msg('starts'), goes: msg('goes') };

export const bytesText = (bytes) => formatValue(bytes, 'bytes');

/**
 * The bar's parts, in shares of its length: the memory, or what is needed where that is more. What goes
 * takes no room of its own where the old and the new run one after the other.
 * @returns {parts: [{segment, share}], limitShare, freeShare, scale: bytes}
 */
export function barParts(fit) {
  const counted = fit.segments.filter(({ bytes, state }) => bytes > 0 && (fit.fits_together || state !== 'goes'));
  const needed = counted.reduce((sum, { bytes }) => sum + bytes, 0);
  const scale = Math.max(fit.bytes_total, needed, 1);
  const limit = fit.bytes_limit > 0 ? Math.min(fit.bytes_limit, scale) : null;
  return {
    parts: counted.map((segment) => ({ segment, share: segment.bytes / scale })),
    limitShare: limit === null || limit >= scale ? null : limit / scale,
    freeShare: Math.max(0, (scale - needed) / scale),
    scale,
  };
}

const segmentText = ({ model_name: model, kind, state, bytes }) => t('{model}: {kind}, {bytes} ({state})', {
  model: model || t('the box'), kind: t(kKinds[kind] ?? '{kind}', { kind }), state: t(kStates[state] ?? '{state}', { state }), bytes: bytesText(bytes) });

function verdict(fit) {
  if (!fit.fits) return ['error', t('It does not fit: {needed} needed, {limit} there.', { needed: bytesText(fit.needed_bytes), limit: bytesText(fit.bytes_limit || fit.bytes_total) })];
  if (!fit.fits_together) return ['busy', t('It fits, but not beside what runs now: the old engine stops first.')];
  return ['ok', t('It fits: {needed} needed, {free} free.', { needed: bytesText(fit.needed_bytes), free: bytesText(fit.bytes_free) })];
}

function bar(fit) {
  const { parts, limitShare, scale } = barParts(fit);
  const names = [...new Set(fit.segments.map(({ model_name: name }) => name))];
  const track = el('div', { class: 'fit-track', 'aria-hidden': 'true' });
  for (const { segment, share } of parts) {
    const node = el('span', { class: `fit-part ${segment.kind} ${segment.state}`, title: segmentText(segment) });
    node.style.width = `${share * 100}%`;
    node.dataset.model = String(names.indexOf(segment.model_name) % 4);
    track.append(node);
  }
  if (limitShare !== null) {
    const mark = el('i', { class: 'fit-limit', title: t('limit {bytes}', { bytes: bytesText(fit.bytes_limit) }) });
    mark.style.left = `${limitShare * 100}%`;
    track.append(mark);
  }
  return [track, el('p', { class: 'fit-scale', 'aria-hidden': 'true' }, el('span', {}, '0'),
    limitShare !== null && el('span', {}, t('limit {bytes}', { bytes: bytesText(fit.bytes_limit) })), el('span', {}, bytesText(scale)))];
}

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
      ...fit.segments.filter(({ bytes }) => bytes > 0).map((segment) => el('li', {}, el('i', { class: `fit-key ${segment.kind} ${segment.state}` }), segmentText(segment))),
      el('li', {}, el('i', { class: 'fit-key' }), t('free now: {bytes}', { bytes: bytesText(fit.bytes_free) })))),
    (fit.models ?? []).length > 0 && el('ul', { class: 'fit-models' }, ...fit.models.map(modelFacts)),
    ...(fit.sentences ?? []).map((sentence) => el('p', { class: 'muted' }, sentence)));
}
