// Why a panel is empty, from what the box recorded about the same time range.

import { t } from '../shell/i18n.js';

// Engine families stand in PromQL as vllm:… or under Ray's name for them, ray_vllm_….
const kEngineFamily = /(?<![\w:])(?:vllm:|ray_vllm_)/;

const kModels = '{model_name=~"$model_name"}';

/** The instant queries, at the range's end, whose answers readRangeFacts() reads. */
export const kRangeFactQueries = {
  engineMetrics: `last_over_time(hearth_log_engine_metrics${kModels}[$__range])`,
  answered: `sum(increase(hearth_requests_answered_total${kModels}[$__range]))`,
  box: 'last_over_time(hearth_build_info[$__range])',
};

/**
 * @param answers a list of series, as queryInstant() gives it, for each of kRangeFactQueries
 * @returns {{recorded, served, engineMetricsOff}}: whether the box recorded anything in the range,
 * whether it answered a request of the chosen models, and those of them whose engine metrics were
 * switched off at its end, in order of their names.
 */
export function readRangeFacts(answers) {
  const valueOf = (series) => series.points[0].y;
  return {
    recorded: answers.box.length > 0,
    served: answers.answered.some((series) => valueOf(series) > 0),
    engineMetricsOff: answers.engineMetrics.filter((series) => valueOf(series) === 0)
      .map((series) => series.labels.model_name).sort(),
  };
}

export function usesEngineMetrics(exprs) {
  return exprs.some((expr) => kEngineFamily.test(expr));
}

/**
 * @param exprs the panel's queries
 * @param series what they returned, without a single number in it
 * @param facts readRangeFacts() of the range, or null when they are not to be had
 * @returns {{id, text}}: id is engine-metrics-off, not-recorded, nothing-served or unknown.
 */
export function emptyReason(exprs, series, facts) {
  const off = facts?.engineMetricsOff ?? [];
  if (off.length > 0 && usesEngineMetrics(exprs)) {
    const models = off.join(', ');
    return {
      id: 'engine-metrics-off',
      text: off.length > 1
        ? t('Engine metrics are switched off for models {models} (log_engine_metrics: false)', { models })
        : t('Engine metrics are switched off for model {models} (log_engine_metrics: false)', { models }),
    };
  }
  if (facts && !facts.recorded) {
    return { id: 'not-recorded', text: t('Nothing was recorded in this time range: the box was not running') };
  }
  // Counters exist from the start, at 0: quotients of rates that did not move are series of NaN. No
  // series at all is a metric that the box does not have, however much it serves.
  if (facts && !facts.served && series.length > 0) {
    return { id: 'nothing-served', text: t('Nothing served yet in this time range') };
  }
  return { id: 'unknown', text: t('No data in this time range') };
}
