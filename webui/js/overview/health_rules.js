// What is wrong with the box, from facts to sentences. A finding says what, why it matters, what to do
// and where to look; without trouble there is none.

import { formatValue } from '../format/units.js';
import { t } from '../shell/i18n.js';
import { formatDuration } from '../time/time_range.js';
import { kFactQueries } from './overview_facts.js';
import { boxLink, modelLink, modelsLink, panelLink } from './panel_links.js';

const kCrashWindowMs = 15 * 60e3;
const kFewRequests = 5;  // in five minutes; below it a share says nothing
const kErrorShare = { warning: 0.01, critical: 0.05 };
const kAttainment = { warning: 0.95, critical: 0.8 };
const kDiskFree = { warning: 0.1, critical: 0.03 };
const kMemoryUsed = { warning: 0.92, critical: 0.97 };
const kGpuCelsius = { warning: 85, critical: 95 };
const kReturnedMs = 24 * 3600e3;  // so long a change that was taken back is told
const kSeverities = ['critical', 'warning'];

const share = (value) => formatValue(value, 'percentunit', value < 0.1 ? 1 : 0);
const seconds = (value) => formatValue(value, 's');
const bytes = (value) => formatValue(value, 'bytes');
const count = (value) => formatValue(Math.round(value), 'none', 0);

/** warning, critical or null, for a value that is worse the larger (or, if `small`, the smaller) it is. */
function severityOf(value, limits, small = false) {
  const beyond = (limit) => (small ? value < limit : value > limit);
  return kSeverities.find((severity) => beyond(limits[severity])) ?? null;
}

const valueFor = (list, name, label) => list.find(({ labels }) => labels[name] === label)?.value;
const ofModel = (list, model) => valueFor(list, 'model_name', model);

/** The last event of one of `kinds` that names the model. */
function lastEvent(events, kinds, model) {
  return events.findLast(({ kind, text }) => kinds.includes(kind) && ` ${text}`.includes(` ${model} `));
}

const lastKind = (events, wanted) => events.findLast(({ kind }) => kind === wanted);

function failedModel(model, facts) {
  const event = lastEvent(facts.events, ['model_failed'], model.model_name);
  return {
    id: `model-failed ${model.model_name}`, severity: 'critical', sinceMs: event?.timeMs ?? null, alerts: ['HearthModelFailed'],
    what: t('{model} has failed: {message}', { model: model.model_name, message: model.message || t('no reason is known') }),
    why: t('Every request for it is refused, and its engine is not started again by itself.'),
    action: t('Mend what the message names, then apply the configuration once more (Configuration page).'),
  };
}

function restartingModel(model, facts) {
  const event = lastEvent(facts.events, ['engine_crashed'], model.model_name);
  return {
    id: `engine ${model.model_name}`, severity: 'critical', sinceMs: event?.timeMs ?? null,
    alerts: ['HearthModelNotReady', 'HearthEngineCrashLooping'],
    what: t('The engine of {model} is being started again: {message}', { model: model.model_name, message: model.message || event?.text || '' }),
    why: t('Its requests in flight ended with an error; new ones wait or are refused until it is ready.'),
    action: t('Nothing now. If it happens again, the end of its log is in journalctl -u hearth.'),
  };
}

function degradedModel(model, facts) {
  const event = lastEvent(facts.events, ['engine_degraded'], model.model_name);
  return {
    id: `degraded ${model.model_name}`, severity: 'warning', sinceMs: event?.timeMs ?? null, link: modelsLink(),
    alerts: ['HearthModelDegraded'],
    what: t('{model} runs in safe mode: {message}', { model: model.model_name, message: model.message || event?.text || t('its engine kept ending') }),
    why: t('It answers, with less at once than it is configured for.'),
    action: t('Read on the Models page how its engine ended; “Try in normal mode” there starts it as configured.'),
  };
}

function crashedModel(model, facts) {
  const crashes = facts.events.filter(({ kind, text, timeMs }) => kind === 'engine_crashed'
    && text.includes(` ${model.model_name} `) && timeMs > facts.nowMs - kCrashWindowMs);
  if (crashes.length === 0) return [];
  const last = crashes[crashes.length - 1];
  const lost = Math.round(ofModel(facts.values.lost, model.model_name) ?? 0);
  return [{
    id: `engine ${model.model_name}`, severity: crashes.length > 2 ? 'critical' : 'warning', sinceMs: crashes[0].timeMs,
    alerts: ['HearthEngineCrashLooping'],
    what: crashes.length === 1
      ? t('The engine of {model} crashed and runs again: {message}', { model: model.model_name, message: last.text })
      : t('The engine of {model} crashed {count} times within 15 minutes: {message}', {
        model: model.model_name, count: crashes.length, message: last.text }),
    why: lost > 0 ? t('{count} requests were lost with it.', { count: lost }) : t('Requests in flight at that moment ended with an error.'),
    action: t('Read its last words in journalctl -u hearth; signal 9 is most often the kernel out of memory (dmesg).'),
  }];
}

function recovery(facts) {
  if (!facts.status.recovery) return [];
  const event = lastKind(facts.events, 'recovery_mode');
  return [{
    id: 'recovery', severity: 'critical', sinceMs: event?.timeMs ?? null, link: { href: '/config', text: t('Repair the configuration') },
    what: t('The box is in recovery mode: {reason}', { reason: facts.status.recovery.reason }),
    why: t('No model is started: requests of /v1 are answered with 503, /health too. Pages, metrics and configuration work.'),
    action: t('Correct the configuration, or restore a revision that worked, and apply it: that ends recovery mode.'),
  }];
}

/** A change of the configuration that did not stay, until another is applied. */
function returnedApply({ apply, nowMs }) {
  if (!apply || !['returned', 'failed'].includes(apply.state) || apply.reason === 'cancelled') return [];
  if (apply.state === 'returned' && nowMs - apply.ended_ms > kReturnedMs) return [];
  const back = apply.state === 'returned';
  return [{
    id: `apply ${apply.id}`, severity: back ? 'warning' : 'critical', sinceMs: apply.ended_ms, link: { href: '/config', text: t('Configuration') },
    what: back ? t('Revision {revision} of the configuration was taken back: {message}', { revision: apply.revision, message: apply.message })
      : t('Revision {revision} of the configuration could not be applied: {message}', { revision: apply.revision, message: apply.message }),
    why: back && apply.previous ? t('The box serves as before, with revision {revision}. What was changed is not in force.', { revision: apply.previous })
      : t('What was changed is not in force.'),
    action: t('Correct what the message names and apply it again. What was tried is kept among the revisions.'),
  }];
}

function models(facts) {
  if (facts.status.recovery) return [];  // that no model runs is what recovery mode is
  const list = facts.status.models ?? [];
  if (list.length === 0) {
    return [{
      id: 'no-model', severity: 'warning', sinceMs: null, what: t('No model is configured on this box.'),
      why: t('There is nothing that could answer a request.'), action: t('Add one on the Configuration page, or start hearthd with --model DIR.'),
    }];
  }
  return list.flatMap((model) => {
    const found = { failed: failedModel, restarting: restartingModel, degraded: degradedModel }[model.state];
    const findings = found ? [found(model, facts)] : crashedModel(model, facts);
    return findings.map((finding) => ({ link: modelLink(model.model_name), ...finding, model: model.model_name }));
  });
}

/** Models that shall have more replicas than they get. That one sleeps is no trouble: it wakes. */
function preventedScaling(facts) {
  return facts.values.scalingPrevented.filter(({ value }) => value === 1).map(({ labels: { model_name: model } }) => {
    const event = facts.events.findLast(({ kind, text }) => kind === 'autoscale_prevented' && text.startsWith(`'${model}' `));
    return {
      id: `scaling ${model}`, severity: 'warning', model, sinceMs: event?.timeMs, link: modelsLink(),
      alerts: ['HearthReplicasPrevented'],
      what: event?.text ?? t('{model} gets fewer replicas than it shall have', { model }),
      why: t('Its requests wait longer than they would, or are refused when the queue is full.'),
      action: t('Unload or shrink another model, give its engines less KV cache, or lower max_replicas.'),
      condition: `(${kFactQueries.scalingPrevented}) == 1`,
    };
  });
}

function errorRate(facts) {
  return facts.values.failed.flatMap(({ labels: { model_name: model = '' }, value: failed }) => {
    const all = failed + (ofModel(facts.values.answered, model) ?? 0);
    const name = model || t('the box');  // refused before any model was chosen
    const severity = failed >= 1 && all >= kFewRequests && severityOf(failed / all, kErrorShare);
    if (!severity) return [];
    return [{
      id: `errors ${model}`, severity, model, link: panelLink('errors', model), alerts: ['HearthErrorRateHigh'],
      what: t('{share} of the requests to {model} failed in the last 5 minutes', { share: share(failed / all), model: name }),
      why: t('These failures are the box’s own, not the clients’: {count} requests got no whole answer.', { count: count(failed) }),
      action: t('See the reasons in “Failures by Reason”: overloaded needs less load, engine errors are in journalctl -u hearth.'),
      condition: `(${kFactQueries.failed}) / ((${kFactQueries.failed}) + (${kFactQueries.answered})) > ${kErrorShare.warning}`,
    }];
  });
}

function latency(facts) {
  return facts.values.ttftP95.flatMap(({ labels: { model_name: model }, value }) => {
    const target = ofModel(facts.values.ttftTarget, model);
    if (!(value > target)) return [];
    const waiting = ofModel(facts.values.waiting, model) ?? 0;
    return [{
      id: `ttft ${model}`, severity: 'warning', model, link: panelLink('ttft', model), alerts: ['HearthTtftOverTarget'],
      what: t('{model} is slow to its first token: P95 is {value}, the target {target}', {
        model, value: seconds(value), target: seconds(target) }),
      why: t('One request in twenty waits longer than was promised.'),
      action: waiting > 0 ? t('{count} requests wait now: send less load, or give the engine more KV cache.', { count: count(waiting) })
        : t('No request waits: prompts have become longer, or the device is slow.'),
      condition: `(${kFactQueries.ttftP95}) > (${kFactQueries.ttftTarget})`,
    }];
  });
}

function objectives(facts) {
  return facts.values.attainment.flatMap(({ labels: { model_name: model }, value }) => {
    const severity = (ofModel(facts.values.judged, model) ?? 0) >= kFewRequests && severityOf(value, kAttainment, true);
    if (!severity) return [];
    return [{
      id: `slo ${model}`, severity, model, link: panelLink('objectives', model),
      alerts: ['HearthGoodputBurnFast', 'HearthGoodputBurnSlow', 'HearthGoodputBudgetSpent'],
      what: t('{model} meets its objectives for only {share} of the requests', { model, share: share(value) }),
      why: t('The others were too slow or failed: goodput is what users feel.'),
      action: t('Compare TTFT and TPOT with their targets on the dashboard: the one above its line is the reason.'),
      condition: `(${kFactQueries.attainment}) < ${kAttainment.warning}`,
    }];
  });
}

function queue(facts) {
  return facts.values.waitingLong.filter(({ value }) => value >= kFewRequests).map(({ labels: { model_name: model }, value }) => ({
    id: `queue ${model}`, severity: 'warning', model, link: panelLink('queue', model), alerts: ['HearthQueueGrowing', 'HearthKvCachePressure'],
    what: t('{count} requests or more have been waiting for {model} for two minutes', { count: count(value), model }),
    why: t('More arrives than is served; each of them waits longer for its first token.'),
    action: t('Send load elsewhere. If KV cache use is near 100 %, shorter contexts help; if not, max_num_seqs is the limit.'),
    condition: `(${kFactQueries.waitingLong}) >= ${kFewRequests}`,
  }));
}

function accounts(facts) {
  return facts.values.unaccounted.filter(({ value }) => Number.isFinite(value) && value !== 0).map(({ labels, value }) => ({
    id: `accounts ${labels.model_name}`, severity: 'warning', model: labels.model_name, link: boxLink(), alerts: ['HearthRequestsUnaccounted'],
    what: t('{count} requests started and neither ended nor are in flight', { count: count(value) }),
    why: t('This is a defect of Hearth; its counters of requests cannot be trusted.'),
    action: t('Keep journalctl -u hearth of the last minutes and report it.'),
    condition: `(${kFactQueries.unaccounted}) != 0`,
  }));
}

function disks(facts) {
  const place = ({ mountpoint }) => mountpoint ?? '/';
  const nearlyFull = facts.values.diskFreeShare.flatMap(({ labels, value }) => {
    const severity = severityOf(value, kDiskFree, true);
    if (!severity) return [];
    const free = valueFor(facts.values.diskFree, 'mountpoint', labels.mountpoint);
    return [{
      id: `disk ${place(labels)}`, severity, mountpoint: place(labels), link: panelLink('disk'), alerts: ['HearthDiskNearlyFull', 'HearthDiskFull'],
      what: t('The disk of {place} is nearly full: {free} free, {share}', { place: place(labels), free: bytes(free), share: share(value) }),
      why: t('When it is full, the history stays in memory alone and is lost with a restart.'),
      action: t('Find what grows: du -xh --max-depth=2 {place} | sort -h | tail. Models no longer served are the usual answer.', { place: place(labels) }),
      condition: `(${kFactQueries.diskFreeShare}) < ${kDiskFree.warning}`,
    }];
  });
  const readonly = facts.values.diskReadonly.filter(({ value }) => value === 1).map(({ labels }) => ({
    id: `readonly ${place(labels)}`, severity: 'critical', mountpoint: place(labels), link: panelLink('disk'),
    what: t('The file system {place} is read-only', { place: place(labels) }),
    why: t('Nothing can be written: no history, no settings. The kernel does this after errors of a disk.'),
    action: t('Read dmesg, save what is needed, check the disk with smartctl and the file system with fsck.'),
    condition: `(${kFactQueries.diskReadonly}) == 1`,
  }));
  return [...nearlyFull, ...readonly];
}

const only = (list) => list[0]?.value ?? NaN;

function hostMemory(facts) {
  const used = only(facts.values.memory);
  const severity = severityOf(used, kMemoryUsed);
  if (!severity) return [];
  return [{
    id: 'memory', severity, link: panelLink('memory'),
    what: t('The memory of the box is nearly used up: {share}, {free} left', { share: share(used), free: bytes(only(facts.values.memoryAvailable)) }),
    why: t('The kernel ends the largest process when none is left: most likely an engine.'),
    action: t('Serve fewer or smaller models, give them less KV cache, or find who else takes it: ps aux --sort -rss.'),
    condition: `(${kFactQueries.memory}) > ${kMemoryUsed.warning}`,
  }];
}

function gpus(facts) {
  const { values } = facts;
  const hot = values.gpuHot.map((one) => [one, severityOf(one.value, kGpuCelsius)]).filter(([, severity]) => severity)
    .map(([{ labels: { gpu }, value }, severity]) => ({
      id: `hot ${gpu}`, severity, gpu, link: panelLink('temperature'), alerts: ['HearthGpuHot'],
      what: t('GPU {gpu} is hot: {value}', { gpu, value: formatValue(value, 'celsius', 0) }),
      why: t('It lowers its clocks to protect itself, and ages faster.'),
      action: t('Look at fans, dust and the air in front of the box.'),
      condition: `(${kFactQueries.gpuHot}) > ${kGpuCelsius.warning}`,
    }));
  const slow = values.gpuThrottled.filter(({ value }) => value > 0.5).map(({ labels: { gpu } }) => ({
    id: `throttled ${gpu}`, severity: 'warning', gpu, link: panelLink('clocks'), alerts: ['HearthGpuThermalSlowdown'],
    what: t('GPU {gpu} holds its clocks down', { gpu }),
    why: t('Heat or power limits it: every token takes longer.'),
    action: t('Look at its temperature and power on the Box dashboard; check cooling and power supply.'),
    condition: `(${kFactQueries.gpuThrottled}) > 0.5`,
  }));
  const errors = values.gpuXid.filter(({ value }) => value > 0).map(({ labels: { gpu } }) => ({
    id: `xid ${gpu}`, severity: 'critical', gpu, link: boxLink(), alerts: ['HearthGpuXid', 'HearthGpuXidCritical'],
    what: t('The driver reported errors of GPU {gpu}', { gpu }),
    why: t('Engines on it may crash or compute nonsense.'),
    action: t('Read dmesg for “NVRM: Xid” and NVIDIA’s table of XIDs; a board that repeats them is to be exchanged.'),
    condition: `(${kFactQueries.gpuXid}) > 0`,
  }));
  const silent = values.gpuAge.filter(({ value }) => value > 30).map(({ labels: { gpu }, value }) => ({
    id: `silent ${gpu}`, severity: 'warning', gpu, link: panelLink('gpuAge'), alerts: ['HearthGpuReadingsStale'],
    what: t('The driver of GPU {gpu} has not answered for {time}', { gpu, time: formatDuration(value * 1000) }),
    why: t('Its readings are unknown meanwhile, and engines on it may hang.'),
    action: t('Run nvidia-smi; if that hangs too, the box needs a restart.'),
    condition: `(${kFactQueries.gpuAge}) > 30`,
  }));
  return [...hot, ...slow, ...errors, ...silent];
}

function historyKeeping(facts) {
  const { values } = facts;
  const findings = [];
  if (only(values.historyErrors) > 0 || only(values.commitAge) > 300) {
    findings.push({
      id: 'history', severity: 'warning', link: panelLink('commit'), alerts: ['HearthHistoryWriteErrors', 'HearthHistoryNotCommitted'],
      what: t('The history cannot be written to disk: the last commit is {time} old', { time: formatDuration(only(values.commitAge) * 1000) }),
      why: t('It is kept in memory and lost if hearthd ends before a commit succeeds.'),
      action: t('The reason is in journalctl -u hearth: a full or read-only file system, or a failing disk.'),
      condition: `(${kFactQueries.historyErrors}) > 0 or (${kFactQueries.commitAge}) > 300`,
    });
  }
  if (only(values.historyLost) > 0) {
    findings.push({
      id: 'history-lost', severity: 'warning', link: panelLink('history'),
      what: t('Samples of the history were given up within the last hour: {count}', { count: count(only(values.historyLost)) }),
      why: t('Graphs of that time have holes.'), action: t('Make room on the disk.'),
      condition: `(${kFactQueries.historyLost}) > 0`,
    });
  }
  if (only(values.sampleAge) > 15) {
    findings.push({
      id: 'samples', severity: 'warning', link: boxLink(),
      what: t('The box has not measured itself for {time}', { time: formatDuration(only(values.sampleAge) * 1000) }),
      why: t('What the dashboards and this page show is old.'), action: t('Read journalctl -u hearth; a restart of hearthd costs no history.'),
    });
  }
  return findings;
}

function senders(facts) {
  const { values } = facts;
  const findings = [];
  if (only(values.unsent) > 0) {
    findings.push({
      id: 'unsent', severity: 'warning', link: { href: '/alerts', text: t('Alerts') },
      what: t('{count} alerts could not be sent within the last hour', { count: count(only(values.unsent)) }),
      why: t('Whoever is to be woken by them was not.'), action: t('Check the receiver of --alert-webhook and the network to it.'),
      condition: `(${kFactQueries.unsent}) > 0`,
    });
  }
  if (only(values.backlog) > 600) {
    findings.push({
      id: 'backlog', severity: 'warning', link: panelLink('remoteWrite'),
      what: t('The central Prometheus is {time} behind', { time: formatDuration(only(values.backlog) * 1000) }),
      why: t('Central dashboards and alerts do not see this box as it is.'),
      action: t('Check the receiver of --remote-write-url and the network to it; nothing is lost, it catches up.'),
      condition: `(${kFactQueries.backlog}) > 600`,
    });
  }
  return findings;
}

function brokenRules(facts) {
  return facts.groups.flatMap((group) => group.rules.filter((rule) => rule.health === 'err').map((rule) => ({
    id: `rule ${group.name} ${rule.name}`, severity: 'warning', sinceMs: null, link: { href: '/alerts', text: t('Alerts') },
    what: t('The rule {name} cannot be evaluated: {error}', { name: rule.name, error: rule.lastError ?? '' }),
    why: t('It cannot warn of anything.'), action: t('Correct its expression in {file}.', { file: group.file }),
  })));
}

function missingFacts(facts) {
  return facts.missing.map(({ what, why }) => ({
    id: `missing ${what}`, severity: 'warning', sinceMs: null, link: boxLink(),
    what: t('Part of what is looked at cannot be read: {reason}', { reason: why }),
    why: t('Trouble there would not be seen here.'), action: t('Read journalctl -u hearth.'),
  }));
}

const kRules = [recovery, returnedApply, models, preventedScaling, errorRate, latency, objectives, queue, accounts, disks, hostMemory, gpus, historyKeeping, senders, brokenRules, missingFacts];

/** An alert speaks of the same as a finding: by its name and, where both have it, the thing it names. */
function covers(finding, { labels }) {
  return finding.alerts?.includes(labels.alertname)
    && ['model_name', 'mountpoint', 'gpu'].every((name) => {
      const own = name === 'model_name' ? finding.model : finding[name];
      return own === undefined || labels[name] === undefined || own === labels[name];
    });
}

function alertFinding(alert) {
  const { alertname, severity } = alert.labels;
  const { summary, description, runbook } = alert.annotations;
  return {
    id: `alert ${JSON.stringify(alert.labels)}`, severity: severity === 'critical' ? 'critical' : 'warning',
    sinceMs: Date.parse(alert.activeAt), what: summary ?? alertname, why: description ?? '', action: runbook ?? '',
    link: { href: `/alerts#${encodeURIComponent(alertname)}`, text: t('Alert {name}', { name: alertname }) },
  };
}

/**
 * @param facts {nowMs, status, values: {fact: [{labels, value}]}, alerts, groups, events, missing}
 * @returns [{id, severity: 'critical' | 'warning', what, why, action, sinceMs, condition, link}], the
 * gravest first. `sinceMs` is null or absent where the facts do not tell; `condition` is PromQL that
 * has series while the trouble lasts.
 */
export function findings(facts) {
  const found = kRules.flatMap((rule) => rule(facts));
  const firing = facts.alerts.filter(({ state }) => state === 'firing');
  const others = [];
  for (const alert of firing) {
    const same = found.find((finding) => covers(finding, alert));
    if (!same) {
      others.push(alertFinding(alert));
      continue;
    }
    if (alert.labels.severity === 'critical') same.severity = 'critical';
    same.sinceMs ??= Date.parse(alert.activeAt);
  }
  return [...found, ...others].sort((a, b) => kSeverities.indexOf(a.severity) - kSeverities.indexOf(b.severity));
}

/** The answer in one sentence. */
export function headline(found) {
  if (found.length === 0) return t('Nothing needs attention.');
  return found.length === 1 ? t('One thing needs attention.') : t('{count} things need attention.', { count: found.length });
}

/**
 * Since when a condition holds without a pause longer than two steps, from its points of the last
 * hours; null when it does not hold now.
 * @param seriesList [{points: [{x: ms}]}]
 */
export function sinceOf(seriesList, stepMs, nowMs) {
  const times = [...new Set(seriesList.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => b - a);
  let since = null;
  for (const time of times) {
    if ((since ?? nowMs) - time > 2 * stepMs) break;
    since = time;
  }
  return since;
}
