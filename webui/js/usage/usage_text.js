// What the usage page says of GET /api/usage, without a page.

import { t } from '../shell/i18n.js';

/** One line: is it on? */
export function stateSentence({ enabled, receiver }) {
  if (enabled === null) return t('Nobody has answered yet: nothing is recorded and nothing is sent.');
  if (!enabled) return t('Usage data is off: nothing is recorded and nothing is sent.');
  return receiver ? t('Usage data is on: it is recorded on this box and sent.')
    : t('Usage data is on: it is recorded on this box alone. No receiver is set, so nothing is sent.');
}

/** Who said so; '' when nobody did. */
export function decidedSentence({ decider, place, decided_by: words }) {
  switch (decider) {
    case '': return '';
    case 'environment': return t('Decided by {variable} in the environment of hearthd. It wins over everything else.', { variable: place });
    case 'setting': return place ? t('Decided by usage_stats.enabled: {place}.', { place }) : t('Decided by usage_stats.enabled.');
    case 'answer': return t('Decided by an answer on this page.');
    default: return t('Decided by {words}.', { words });
  }
}

/** Why the switch is locked and how to change that; '' when it is not. */
export function lockSentence({ can_change: canChange, decider, place }) {
  if (canChange) return '';
  return decider === 'environment'
    ? t('Locked. To change it, take {variable} out of the environment where hearthd is started (systemctl edit hearth), then restart it.', { variable: place })
    : t('Locked. To change it, correct usage_stats.enabled ({place}), then restart hearthd.', { place: place || '/etc/hearth/hearth.yaml' });
}

/**
 * @param last {sent_ms, status, error} or null
 * @param moment(ms) -> text
 */
export function lastSentence(last, moment) {
  if (!last) return t('None since hearthd was started.');
  const time = moment(last.sent_ms);
  return last.error ? t('{time}: {error}. It is not sent again.', { time, error: last.error.replace(/\.$/, '') })
    : t('{time}: the receiver took it (HTTP {status}).', { time, status: last.status });
}

/** What is sent next, or would be; `isNext`: these very bytes are. */
export function shownReport({ next_report: next, example_report: example }) {
  return next === null ? { text: example, isNext: false } : { text: next, isNext: true };
}

/** A value of the report as its text has it. */
export const valueText = (value) => (value === '' ? '""' : typeof value === 'string' ? value : JSON.stringify(value));

/** A report's text without the time it was made at: an example is made anew whenever it is asked for. */
export const withoutTime = (text) => text.replace(/"collect_timestamp_ms": \d+/, '');
