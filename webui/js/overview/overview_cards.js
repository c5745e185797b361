// What the box does, in a few numbers: plain facts without a judgement; the findings above them judge.

import { formatValue } from '../format/units.js';
import { el } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { formatDuration, formatMoment } from '../time/time_range.js';
import { modelLink, panelLink } from './panel_links.js';

const kLastEvents = 8;
const kStates = {
  ready: msg('ready'), loading: msg('loading'), restarting: msg('restarting'), failed: msg('failed'), stopped: msg('stopped'),
};

const only = (list) => list[0]?.value ?? NaN;
const ofModel = (list, model) => list.find(({ labels }) => labels.model_name === model)?.value ?? NaN;

/** A number with its unit; a dash where there is none. */
const shown = (value, unit, decimals) => (Number.isFinite(value) ? formatValue(value, unit, decimals) : '–');

/** @param numbers [[name, text]] */
function card(title, href, numbers, note = '') {
  return el('section', { class: 'card' },
    el('h3', {}, el('a', { href }, title)), note && el('p', { class: 'card-note' }, note),
    el('dl', {}, ...numbers.map(([name, text]) => el('div', {}, el('dt', {}, name), el('dd', {}, text)))));
}

function modelCard(model, values) {
  const name = model.model_name;
  const of = (fact) => ofModel(values[fact], name);
  const progress = model.state === 'loading' && model.progress > 0 ? ` ${Math.round(model.progress * 100)} %` : '';
  return card(name, modelLink(name).href, [
    [t('State'), t(kStates[model.state] ?? '{state}', { state: model.state }) + progress],
    [t('Requests/s'), shown(of('requests'), 'none')],
    [t('Running'), shown(of('running'), 'none')],
    [t('Waiting'), shown(of('waiting'), 'none')],
    [t('TTFT P50'), shown(of('ttftP50'), 's')],
    [t('TTFT P95'), shown(of('ttftP95'), 's')],
    [t('KV cache'), shown(of('kvCache'), 'percentunit')],
    [t('Objectives met'), shown(of('attainment'), 'percentunit')],
    [t('Restarts'), String(model.restarts)],
  ], [model.device_name, model.dtype].filter(Boolean).join(' · '));
}

function deviceCard(status, values) {
  const gpus = values.gpu.map(({ labels: { gpu }, value }) => {
    const of = (fact) => values[fact].find((one) => one.labels.gpu === gpu)?.value ?? NaN;
    return [`GPU ${gpu}`, [shown(value, 'percentunit', 0), t('memory {share}', { share: shown(of('gpuMemory'), 'percentunit', 0) }),
      shown(of('gpuHot'), 'celsius', 0)].join(' · ')];
  });
  return card(t('Box'), '/d/hearthBox', [
    ...gpus,
    [t('CPU'), shown(only(values.cpu), 'percentunit', 0)],
    [t('Memory'), shown(only(values.memory), 'percentunit', 0)],
    [t('Memory free'), shown(only(values.memoryAvailable), 'bytes')],
    [t('Up'), Number.isFinite(status.uptime_s) ? formatDuration(status.uptime_s * 1000) : '–'],
    [t('Version'), status.version ?? '–'],
  ], status.device?.name ?? '');
}

function storageCard(values) {
  const disks = values.diskFree.map(({ labels: { mountpoint }, value }) => {
    const share = values.diskFreeShare.find((one) => one.labels.mountpoint === mountpoint)?.value;
    return [t('Free on {place}', { place: mountpoint }), `${shown(value, 'bytes')} · ${shown(share, 'percentunit', 0)}`];
  });
  return card(t('Disk and history'), panelLink('disk').href, [
    ...disks,
    [t('History'), t('{bytes} of {limit}', { bytes: shown(only(values.historyBytes), 'bytes'), limit: shown(only(values.historyLimit), 'bytes') })],
    [t('Last commit'), Number.isFinite(only(values.commitAge)) ? t('{time} ago', { time: formatDuration(only(values.commitAge) * 1000) }) : '–'],
  ]);
}

function alertsCard(facts) {
  const rules = facts.groups.flatMap((group) => group.rules).filter((rule) => rule.type === 'alerting');
  const inState = (state) => String(facts.alerts.filter((alert) => alert.state === state).length);
  return card(t('Alerts'), '/alerts', [
    [t('Firing'), inState('firing')], [t('Pending'), inState('pending')], [t('Rules'), String(rules.length)],
  ]);
}

export function cards(facts) {
  const models = facts.status.models ?? [];
  return [...models.map((model) => modelCard(model, facts.values)), deviceCard(facts.status, facts.values),
    storageCard(facts.values), alertsCard(facts)];
}

export function lastEvents(events) {
  if (events.length === 0) return el('p', { class: 'card-note' }, t('Nothing happened in the last 24 hours.'));
  return el('ol', { class: 'event-list' }, ...events.slice(-kLastEvents).reverse().map(({ timeMs, text }) => el('li', {},
    el('time', { datetime: new Date(timeMs).toISOString() }, formatMoment(timeMs)), el('span', {}, text))));
}
