// The autoscaler's numbers as places on a scale from no replica to the most there may be.

import { formatDuration } from '../time/time_range.js';
import { msg, t } from '../shell/i18n.js';

/** [field, its word] in the order of the legend. */
export const kMarks = [
  ['min_replicas', msg('min')], ['current_replicas', msg('ready')], ['target_replicas', msg('target')],
  ['desired_replicas', msg('wanted by the load')], ['max_replicas', msg('max')],
];

const kMostTicks = 24;

/** @returns {length: replicas at the end of the scale, at(count): share of it, ticks: [share], allowed: {from, to}} */
export function scaleOf(autoscaling) {
  const length = Math.max(1, ...kMarks.map(([field]) => autoscaling[field] ?? 0));
  const at = (count) => Math.min(1, Math.max(0, count / length));
  const step = Math.ceil(length / kMostTicks);
  const ticks = Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => at(index * step));
  return {
    length, at, ticks, allowed: { from: at(autoscaling.min_replicas), to: at(autoscaling.max_replicas) },
  };
}

/** How many requests at once its replicas are there for. */
export const wishedLoad = ({ target_ongoing_requests: each, target_replicas: replicas }) => each * Math.max(1, replicas);

/** How much of what its replicas are there for it has. @returns share; 1 is as wished */
export const loadShare = (autoscaling) => (wishedLoad(autoscaling) > 0 ? autoscaling.ongoing_requests / wishedLoad(autoscaling) : 0);

/** Where it goes, and when. How many at once the box's own sentence says: the last one goes alone. */
export function directionText({ direction, delay_left_s: left, prevented_by: prevented }) {
  if (prevented) return t('It shall have more replicas and does not get them.');
  const time = formatDuration(Math.ceil(left) * 1000);
  if (direction === 'up') return left > 0 ? t('More replicas in {time}.', { time }) : t('More replicas now.');
  if (direction === 'down') return left > 0 ? t('Fewer replicas in {time}.', { time }) : t('Fewer replicas now.');
  return t('It stays as it is.');
}
