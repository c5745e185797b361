// Where each kind of trouble is drawn: panels of the shipped dashboards, full screen. A test holds the
// numbers and titles to the files.

import { t } from '../shell/i18n.js';

/** [dashboard's uid, panel's id, its title] */
export const kPanels = {
  errors: ['hearthLlm', 31, 'Failures by Reason'],
  ttft: ['hearthLlm', 9, 'TTFT'],
  objectives: ['hearthLlm', 28, 'SLO Attainment'],
  queue: ['hearthLlm', 67, 'Scheduler: Waiting'],
  disk: ['hearthBox', 33, 'File Systems'],
  memory: ['hearthBox', 29, 'Host Memory'],
  temperature: ['hearthBox', 13, 'GPU Temperature'],
  clocks: ['hearthBox', 17, 'Clock Limits'],
  gpuAge: ['hearthBox', 23, 'GPU Reading Age'],
  restarts: ['hearthBox', 48, 'Engine Restarts by Model'],
  history: ['hearthBox', 60, 'History Trouble'],
  commit: ['hearthBox', 61, 'Last Commit'],
  remoteWrite: ['hearthBox', 65, 'Remote Write'],
};

/** @param model whose data are chosen there; all without one */
export function panelLink(name, model = '') {
  const [uid, id, title] = kPanels[name];
  const params = new URLSearchParams({ viewPanel: id, ...(model && { 'var-model_name': model }) });
  return { href: `/d/${uid}?${params}`, text: t('Panel “{title}”', { title }) };
}

export const modelsLink = () => ({ href: '/models', text: t('Models') });

export const boxLink = () => ({ href: '/d/hearthBox', text: t('Box dashboard') });

export const modelLink = (model) => ({
  href: `/d/hearthLlm?var-model_name=${encodeURIComponent(model)}`, text: t('Dashboard of {model}', { model }),
});
