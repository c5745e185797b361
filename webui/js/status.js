// The state of the box: a quiet strip while all is well, a banner with the whole sentence when not.

import { el, icon } from './dom.js';
import { formatDuration } from './time_range.js';

const kPollMs = 5000;
const kBusyPollMs = 1000;

/** What to say about a status answer: {level, facts: [text], alerts: [{level, text}]}. */
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
    }
    return state;
  });
  if (models.length === 0) alerts.push({ level: 'warning', text: 'No model is configured on this box.' });
  const device = status.device ?? {};
  const kind = device.kind === 'cuda' ? 'GPU' : 'CPU';
  facts.push({ level: 'plain', text: `running on the ${kind}${device.name ? ` · ${device.name}` : ''}` });
  if (Number.isFinite(status.uptime_s)) {
    facts.push({ level: 'plain', text: `up ${formatDuration(status.uptime_s * 1000)}` });
  }
  if (status.version) facts.push({ level: 'plain', text: `Hearth ${status.version}` });
  return { facts, alerts };
}

export class StatusView {
  constructor() {
    this.facts = el('div', { class: 'facts' });
    this.alerts = el('div', { class: 'alerts', role: 'status' });
    this.shown_ = '';
    this.poll_();
  }

  async poll_() {
    let delayMs = kPollMs;
    try {
      const response = await fetch('/api/status', { headers: { Accept: 'application/json' } });
      const status = await response.json();
      const busy = (status.models ?? []).some((model) => ['loading', 'restarting'].includes(model.state));
      if (busy) delayMs = kBusyPollMs;
      this.show_(describeStatus(status));
    } catch {
      const text = 'The box does not answer. What is drawn below may be old; trying again every second.';
      this.show_({ facts: [{ level: 'error', text: 'no connection' }], alerts: [{ level: 'error', text }] });
      delayMs = kBusyPollMs;
    }
    setTimeout(() => this.poll_(), delayMs);
  }

  show_(description) {
    const key = JSON.stringify(description);
    if (key === this.shown_) return;
    this.shown_ = key;
    this.facts.replaceChildren(...description.facts.map((fact) => el('span', { class: `fact ${fact.level}` },
      fact.level !== 'plain' && el('i', { class: 'dot' }), fact.text)));
    this.alerts.replaceChildren(...description.alerts.map((alert) => el('div', { class: `alert ${alert.level}` },
      icon('warning'), el('span', {}, alert.text))));
  }
}
