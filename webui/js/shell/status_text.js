// The answer of GET /api/status in words.

import { formatDuration } from '../time/time_range.js';

/**
 * What to say about a status answer: {facts, alerts}, lists of {level, text}. Levels of facts: ok,
 * busy, error, off (something chosen to be off) and plain (without a mark).
 */
export function describeStatus(status) {
  const models = status.models ?? [];
  const alerts = [];
  const facts = models.map((model) => {
    const state = { level: 'ok', text: `${model.model_name} ready` };
    if (model.state === 'loading' || model.state === 'restarting') {
      const percent = Number.isFinite(model.progress) ? ` ${Math.round(model.progress * 100)} %` : '';
      const verb = model.state === 'loading' ? 'loading' : 'restarting';
      state.level = 'busy';
      state.text = `${model.model_name} ${verb}${model.phase ? `: ${model.phase}` : ''}${percent}`;
      if (model.state === 'restarting' && model.message) {
        alerts.push({ level: 'warning', text: `${model.model_name}: ${model.message}` });
      }
    } else if (model.state === 'failed') {
      state.level = 'error';
      state.text = `${model.model_name} failed`;
      alerts.push({ level: 'error', text: `${model.model_name}: ${model.message || 'the model failed'}` });
    } else if (model.state !== 'ready') {
      state.level = 'plain';
      state.text = `${model.model_name} ${model.state}`;
    }
    return state;
  });
  for (const model of models.filter((one) => one.log_engine_metrics === false)) {
    facts.push({ level: 'off', text: `${model.model_name}: engine metrics off` });
  }
  if (models.length === 0) alerts.push({ level: 'warning', text: 'No model is configured on this box.' });
  // No device is known before a model runs: then nothing is said about it.
  const { kind, name } = status.device ?? {};
  if (kind) {
    const place = kind === 'cuda' ? 'GPU' : kind.toUpperCase();
    facts.push({ level: 'plain', text: `running on the ${place}${name ? ` · ${name}` : ''}` });
  }
  if (Number.isFinite(status.uptime_s)) {
    facts.push({ level: 'plain', text: `up ${formatDuration(status.uptime_s * 1000)}` });
  }
  if (status.version) facts.push({ level: 'plain', text: `Hearth ${status.version}` });
  return { facts, alerts };
}
