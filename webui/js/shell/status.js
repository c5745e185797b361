// The state of the box: a quiet strip while all is well, a banner with the whole sentence when not.

import { el, icon } from './dom.js';
import { t } from './i18n.js';
import { describeStatus } from './status_text.js';

const kPollMs = 5000;
const kBusyPollMs = 1000;

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
      const text = t('The box does not answer. What is drawn below may be old; trying again every second.');
      this.show_({ facts: [{ level: 'error', text: t('no connection') }], alerts: [{ level: 'error', text }] });
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
      icon('warning'), el('span', {}, alert.text, alert.link && ' ',
        alert.link && location.pathname !== alert.link.href && el('a', { href: alert.link.href }, alert.link.text)))));
  }
}
