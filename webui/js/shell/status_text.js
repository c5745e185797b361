// The answer of GET /api/status in words.

import { formatDuration } from '../time/time_range.js';
import { msg, t } from './i18n.js';

const kStateTexts = {
  ready: ['ok', msg('{model} ready')],
  loading: ['busy', msg('{model} loading{phase}{percent}')],
  restarting: ['busy', msg('{model} restarting{phase}{percent}')],
  degraded: ['busy', msg('{model} in safe mode')],
  failed: ['error', msg('{model} failed')],
  asleep: ['off', msg('{model} asleep')],
};

/** {fact, alert}: what to say about one model; alert is null when there is nothing to warn of. */
function describeModel(model) {
  const name = model.model_name;
  const percent = Number.isFinite(model.progress) ? ` ${Math.round(model.progress * 100)} %` : '';
  const [level, text] = kStateTexts[model.state] ?? ['plain', '{model} {state}'];
  const values = { model: name, state: model.state, phase: model.phase ? `: ${model.phase}` : '', percent };
  const fact = { level, text: t(text, values) };
  if (model.state === 'failed') {
    return { fact, alert: { level: 'error', text: `${name}: ${model.message || t('the model failed')}` } };
  }
  const warns = model.state === 'restarting' && model.message;
  return { fact, alert: warns ? { level: 'warning', text: `${name}: ${model.message}` } : null };
}

/** A box that gave up starting a configuration: how to leave that is a page of its own. */
function recoveryAlert({ reason }) {
  const text = t('Recovery mode: {reason}. No model runs; the pages, the metrics and the configuration work.', { reason: reason.replace(/\.$/, '') });
  return { level: 'error', text, link: { href: '/config', text: t('Repair the configuration') } };
}

/**
 * What to say about a status answer: {facts, alerts}, lists of {level, text, link?: {href, text}}. Levels of facts: ok,
 * busy, error, off (something chosen to be off) and plain (without a mark).
 */
export function describeStatus(status) {
  const models = status.models ?? [];
  const described = models.map(describeModel);
  const facts = described.map(({ fact }) => fact);
  const alerts = described.map(({ alert }) => alert).filter(Boolean);
  for (const model of models.filter((one) => one.log_engine_metrics === false)) {
    facts.push({ level: 'off', text: t('{model}: engine metrics off', { model: model.model_name }) });
  }
  if (status.recovery) alerts.unshift(recoveryAlert(status.recovery));
  else if (models.length === 0) alerts.push({ level: 'warning', text: t('No model is configured on this box.'), link: { href: '/config', text: t('Configure one') } });
  // No device is known before a model runs: then nothing is said about it.
  const { kind, name } = status.device ?? {};
  if (kind) {
    const place = kind === 'cuda' ? 'GPU' : kind.toUpperCase();
    facts.push({ level: 'plain', text: t('running on the {place}', { place }) + (name ? ` · ${name}` : '') });
  }
  if (Number.isFinite(status.uptime_s)) {
    facts.push({ level: 'plain', text: t('up {time}', { time: formatDuration(status.uptime_s * 1000) }) });
  }
  if (status.version) facts.push({ level: 'plain', text: `Hearth ${status.version}` });
  return { facts, alerts };
}
