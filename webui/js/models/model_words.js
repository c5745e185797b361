// What a served model does, in words.

import { formatValue } from '../format/units.js';
import { locale, msg, t } from '../shell/i18n.js';

/** Colour of a state: ok, busy, error or off; and its word. */
const kStates = {
  ready: ['ok', msg('ready')], loading: ['busy', msg('loading')], restarting: ['busy', msg('restarting')],
  degraded: ['warning', msg('degraded')], failed: ['error', msg('failed')], asleep: ['off', msg('asleep')], stopped: ['off', msg('stopped')],
};
const kNoLimit = 1e9;  // Ray's default of max_ongoing_requests
const kWithProgress = ['loading', 'restarting'];

export const bytesText = (bytes) => (bytes === null || bytes === undefined ? '–' : formatValue(bytes, 'bytes'));
export const countText = (value) => value.toLocaleString(locale);

/** "loading, 43 %" of a model or a replica. @returns {level, text} */
export function stateOf({ state, progress }) {
  const [level, word] = kStates[state] ?? ['off', '{state}'];
  const text = t(word, { state });
  const isCounted = kWithProgress.includes(state) && Number.isFinite(progress) && progress > 0;
  return { level, text: isCounted ? t('{state}, {percent} %', { state: text, percent: Math.round(progress * 100) }) : text };
}

/** A model is as far as the replica that is furthest: the first that is ready answers. */
export function modelState({ state, replicas }) {
  const progress = replicas.filter((replica) => kWithProgress.includes(replica.state)).map((replica) => replica.progress);
  return stateOf({ state, progress: progress.length > 0 ? Math.max(...progress) : NaN });
}

/** The sentence below the state; '' says that nothing is to be said. */
export function whyText({ state, why }) {
  if (why) return why;
  return state === 'asleep' ? t('Its memory is free. The next request wakes it.') : '';
}

const kAges = [[86400e3, 'day'], [3600e3, 'hour'], [60e3, 'minute'], [1e3, 'second']];

/** "3 minutes ago"; no more than a few seconds is now. */
export function agoText(ms, nowMs) {
  const age = nowMs - ms;
  if (age < 5e3) return t('now');
  const [unitMs, unit] = kAges.find(([each]) => age >= each);
  return new Intl.RelativeTimeFormat(locale, { numeric: 'always' }).format(-Math.floor(age / unitMs), unit);
}

/** @param last_used_ms 0: never */
export function lastUsedText({ last_used_ms: ms, num_ongoing: ongoing }, nowMs) {
  if (ongoing > 0) return t('now');
  return ms > 0 ? agoText(ms, nowMs) : t('not since the box was started');
}

/** "3 ongoing, 2 waiting (at most 64 ongoing in each replica, 32 waiting)" */
export function requestsText({ num_ongoing: ongoing, num_waiting: waiting, max_ongoing_requests: mostOngoing, max_queued_requests: mostWaiting }) {
  const now = t('{ongoing} ongoing, {waiting} waiting', { ongoing: countText(ongoing), waiting: countText(waiting) });
  const limits = [mostOngoing < kNoLimit && t('at most {count} ongoing in each replica', { count: countText(mostOngoing) }),
    mostWaiting >= 0 && t('at most {count} waiting', { count: countText(mostWaiting) })].filter(Boolean);
  return limits.length > 0 ? `${now} (${limits.join(', ')})` : now;
}

/** @returns 'Load' as it is called now, or null where nothing is to be loaded */
export function loadAction({ state }) {
  if (state === 'failed') return t('Try again');
  if (state === 'degraded') return t('Try in normal mode');
  return state === 'asleep' || state === 'stopped' ? t('Load') : null;
}

/** Why a model cannot be unloaded; '' where it can. */
export function keptText({ state, autoscaling: { min_replicas: min }, replicas }) {
  if (min >= 1) {
    return t('It cannot be unloaded: min_replicas is {min}. With 0 it sleeps while nobody asks, and may be unloaded here.', { min });
  }
  return state === 'asleep' || replicas.length === 0 ? t('It is not loaded.') : '';
}

/** Sentences of what became different between two answers; none the first time. */
export function stateChanges(before, after) {
  if (!before) return [];
  const known = new Map(before.map((model) => [model.model_name, model]));
  return after.flatMap((model) => {
    const was = known.get(model.model_name);
    const { text: state } = stateOf({ state: model.state });
    if (!was) return [t('{model} is served now: {state}', { model: model.model_name, state })];
    if (was.state !== model.state) return [t('{model} is {state}. {why}', { model: model.model_name, state, why: whyText(model) }).trim()];
    return [];
  });
}

/** "Qwen2ForCausalLM · 494 M parameters · bfloat16 · context 32,768 tokens"; '' before an engine has held it. */
export function factsText(model) {
  if (!model) return '';
  return [model.architecture, model.num_parameters > 0 && t('{count} parameters', { count: formatValue(model.num_parameters, 'short') }), model.dtype,
    model.max_model_len > 0 && t('context of {count} tokens', { count: countText(model.max_model_len) }),
    model.kv_cache_tokens > 0 && t('KV cache of {count} tokens', { count: countText(model.kv_cache_tokens) })].filter(Boolean).join(' · ');
}
