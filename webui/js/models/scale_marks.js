// The autoscaler's numbers as places on a scale from no replica to the most there may be.

import { formatDuration } from '../time/time_range.js';
import { msg, t } from '../shell/i18n.js';

/** [field, its word] in the order of the legend. */
export const kMarks = [
  ['min_replicas', msg('min')], ['current_replicas', msg('ready')], ['target_replicas', msg('target')],
  ['desired_replicas', msg('wanted by the load')], ['max_replicas', msg('max')],
];

const kMostTicks = 24;

/** @returns {length: replicas at the end of the scale, at(count): share of it, ticks: [share], allowed: {from, to}, reachable: share} */
export function scaleOf(autoscaling) {
  const length = Math.max(1, ...kMarks.map(([field]) => autoscaling[field] ?? 0));
  const at = (count) => Math.min(1, Math.max(0, count / length));
  const step = Math.ceil(length / kMostTicks);
  const ticks = Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => at(index * step));
  return {
    length, at, ticks, allowed: { from: at(autoscaling.min_replicas), to: at(autoscaling.max_replicas) },
    reachable: at(autoscaling.effective_max_replicas ?? autoscaling.max_replicas),
  };
}

/** How much of what its replicas shall have at once it has. @returns share; 1 is as wished */
export function loadShare({ ongoing_requests: ongoing, target_ongoing_requests: each, target_replicas: replicas }) {
  return each > 0 ? ongoing / (each * Math.max(1, replicas)) : 0;
}

/** "one more in 4 s", or that it stays. */
export function directionText({ direction, delay_left_s: left, target_replicas: target, desired_replicas: desired, prevented_by: prevented }) {
  if (prevented) return t('It shall have more replicas and does not get them.');
  const values = { count: Math.max(1, Math.abs(desired - target)), time: formatDuration(Math.ceil(left) * 1000) };
  if (direction === 'up') return left > 0 ? t('{count} more in {time}', values) : t('{count} more now', values);
  if (direction === 'down') return left > 0 ? t('{count} fewer in {time}', values) : t('{count} fewer now', values);
  return t('It stays as it is.');
}
