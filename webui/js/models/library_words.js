// Models on the disk and the jobs that bring them, in words.

import { formatDuration } from '../time/time_range.js';
import { formatValue } from '../format/units.js';
import { msg, t } from '../shell/i18n.js';
import { bytesText } from './model_words.js';

const kKindTexts = { pull: msg('Pull of {model}'), import: msg('Import of {model}'), upload: msg('Upload of {model}'), verify: msg('Check of {model}') };
const kJobStates = {
  waiting: ['off', msg('waiting for its turn')], resolving: ['busy', msg('asking the hub')], running: ['busy', msg('under way')],
  verifying: ['busy', msg('checking what has come')], paused: ['off', msg('paused')], done: ['ok', msg('done')],
  failed: ['error', msg('failed')], cancelled: ['off', msg('cancelled')],
};
const kModelStates = { whole: ['ok', msg('whole')], damaged: ['error', msg('damaged')], partial: ['busy', msg('partial')] };
const kEnded = ['done', 'failed', 'cancelled'];
const kPausable = ['waiting', 'resolving', 'running', 'verifying'];
const kShortHash = 8;

export const hasEnded = ({ state }) => kEnded.includes(state);

export const jobTitle = ({ kind, model }) => t(kKindTexts[kind] ?? '{model}', { model });

function worded(table, state) {
  const [level, text] = table[state] ?? ['off', '{state}'];
  return { level, text: t(text, { state }) };
}

export const jobState = ({ state }) => worded(kJobStates, state);
export const libraryState = ({ state }) => worded(kModelStates, state);

/** @returns share of 1; null while nobody knows how much it is */
export function jobShare({ bytes_done: done, bytes_total: total, state }) {
  if (state === 'done') return 1;
  return total > 0 ? Math.min(1, done / total) : null;
}

/** "12 MiB of 400 MiB · 3.2 MiB/s · 2 min left" */
export function jobNumbers({ bytes_done: done, bytes_total: total, rate_bytes_s: rate, eta_s: eta, state }) {
  const isMoving = state === 'running' || state === 'verifying';
  return [
    total > 0 && (state === 'done' ? bytesText(total) : t('{done} of {total}', { done: bytesText(done), total: bytesText(total) })),
    isMoving && rate > 0 && formatValue(rate, 'binBps'),
    isMoving && eta !== null && eta !== undefined && t('{time} left', { time: formatDuration(Math.ceil(eta) * 1000) }),
  ].filter(Boolean).join(' · ');
}

/** What is wrong with it, and when it tries again. */
export function jobProblem({ error, retry_in_s: retry, state }) {
  if (!error) return '';
  return retry !== null && retry !== undefined && !kEnded.includes(state)
    ? t('{error} It tries again in {time}.', { error: sentence(error), time: formatDuration(Math.ceil(retry) * 1000) }) : error;
}

const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

/** @returns which of 'pause', 'resume' and 'cancel' make sense */
export function jobActions({ state }) {
  if (state === 'failed') return ['resume', 'cancel'];  // what has come is still there
  if (kEnded.includes(state)) return [];
  return [...(kPausable.includes(state) ? ['pause'] : []), ...(state === 'paused' ? ['resume'] : []), 'cancel'];
}

/** What runs, newest first, and what has ended. */
export function sortJobs(jobs) {
  return { running: jobs.filter((job) => !hasEnded(job)), ended: jobs.filter(hasEnded) };
}

export const shortRevision = (revision) => revision.slice(0, kShortHash);

/** "sha256:0123456789ab…" as 01234567 */
export const shortHash = (hash) => hash.replace(/^sha256:/, '').slice(0, kShortHash);

/** The name under which clients might ask for it: the id itself. A path as an id ends with the name. */
export const proposedName = (id) => id.replace(/\/+$/, '').split('/').at(-1);

/** Files to be sent, the smallest first: what is wrong with a name is then known early. */
export const uploadOrder = (files) => [...files].sort((one, other) => one.size - other.size);

/** Across jobs of one library: which have ended since. @returns sentences */
export function jobChanges(before, after) {
  if (!before) return [];
  const known = new Map(before.map((job) => [job.id, job]));
  // One that is new has begun and ended between two looks.
  return after.filter((job) => hasEnded(job) && known.get(job.id)?.state !== job.state)
    .map((job) => [`${jobTitle(job)}: ${jobState(job).text}`, job.state === 'failed' && job.error].filter(Boolean).join('. '));
}
