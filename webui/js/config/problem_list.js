// What the box says about a text, and whose field each sentence belongs to.

import { el, icon } from '../shell/dom.js';
import { t } from '../shell/i18n.js';

const kIndex = /\[(\d+)\]/g;

/** "llm_configs[0].engine_kwargs" -> ['llm_configs', 0, 'engine_kwargs'] */
export function pathKeys(text) {
  return text.replace(kIndex, '.$1').split('.').filter(Boolean).map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}

/** Whether `path` is `prefix` or lies in it; both as the box spells them. */
export function isWithin(path, prefix) {
  return path === prefix || prefix === '' || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`);
}

/** {path: [problem]}, and under null those whose path is none of `paths` nor in one. */
export function problemsByField(problems, paths) {
  const byLength = [...paths].sort((left, right) => right.length - left.length);
  const fields = new Map();
  for (const problem of problems) {
    const path = byLength.find((one) => one !== '' && isWithin(problem.path, one)) ?? null;
    fields.set(path, [...(fields.get(path) ?? []), problem]);
  }
  return fields;
}

export const countErrors = (problems) => problems.filter(({ severity }) => severity === 'error').length;

function whereText({ path, line, column }) {
  if (line > 0) return column > 0 ? t('line {line}, column {column}', { line, column }) : t('line {line}', { line });
  return path;
}

/** A text whose long paths may break behind their dots: what el() takes as children. */
export const breakable = (text) => text.split(/(?<=\.)(?=\w)/).flatMap((part, index) => (index === 0 ? [part] : [el('wbr', {}), part]));

/** What a problem says, beside its field: the path before it would say the same again. */
export function messageAtField({ path, message }) {
  return path && message.startsWith(`${path} `) ? message.slice(path.length + 1) : message;
}

/** What may stand there, where that is not in the message already. */
function allowedText({ severity, message, allowed }) {
  return severity === 'error' && allowed && !message.includes(allowed) && t('allowed: {allowed}', { allowed });
}

/** @param actions {goTo(problem), rename(problem): writes the known key that is near, canRename} */
export function problemList(problems, { goTo, rename, canRename }) {
  return el('ul', { class: 'config-problems' }, ...problems.map((problem) => el('li', { class: problem.severity },
    icon(problem.severity === 'error' ? 'warning' : 'info'),
    el('div', {},
      el('p', {}, el('span', { class: 'sr' }, problem.severity === 'error' ? t('Error') : t('Note'), ': '), ...breakable(problem.message)),
      el('p', { class: 'config-where' },
        el('button', { type: 'button', onclick: () => goTo(problem) }, whereText(problem) || t('the whole text')),
        el('span', {}, allowedText(problem)),
        problem.nearest && canRename && el('button', { type: 'button', class: 'config-rename', onclick: () => rename(problem) },
          t('Write {key} instead', { key: problem.nearest })))))));
}
