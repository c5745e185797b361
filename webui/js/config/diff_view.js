// Two texts side by side; which lines differ is the box's answer (POST /api/config/diff).

import { el } from '../shell/dom.js';
import { msg, t } from '../shell/i18n.js';
import { breakable } from './problem_list.js';

const kKept = 3;  // lines shown around each difference

/** Removed and added lines of one place stand beside each other: [{left, right, changed}]; a side is {number, text} or null. */
export function sideBySide(lines) {
  const rows = [];
  let gone = [];
  let added = [];
  const flush = () => {
    for (let index = 0; index < Math.max(gone.length, added.length); index++) {
      rows.push({ left: gone[index] ?? null, right: added[index] ?? null, changed: true });
    }
    gone = [];
    added = [];
  };
  for (const { op, left, right, text } of lines) {
    if (op === '-') gone.push({ number: left, text });
    else if (op === '+') added.push({ number: right, text });
    else {
      flush();
      rows.push({ left: { number: left, text }, right: { number: right, text }, changed: false });
    }
  }
  flush();
  return rows;
}

/** Runs of rows far from any difference become {skipped: count}. */
export function foldRows(rows, kept = kKept) {
  const near = rows.map(() => false);
  rows.forEach(({ changed }, index) => {
    if (changed) near.fill(true, Math.max(0, index - kept), Math.min(rows.length, index + kept + 1));
  });
  const folded = [];
  rows.forEach((row, index) => {
    const alone = (near[index - 1] ?? true) && (near[index + 1] ?? true);  // the sentence would be as long as the line
    if (near[index] || alone) folded.push(row);
    else if (folded.at(-1)?.skipped) folded.at(-1).skipped++;
    else folded.push({ skipped: 1 });
  });
  return folded;
}

const kSides = { left: msg('removed'), right: msg('added') };

function cells(side, name, changed) {
  const kind = !side ? 'absent' : changed ? (name === 'left' ? 'gone' : 'added') : '';
  return [el('td', { class: `diff-number ${kind}` }, side ? String(side.number ?? '') : ''),
    el('td', { class: `diff-text ${kind}` }, changed && side && el('span', { class: 'sr' }, `${t(kSides[name])}: `), side?.text ?? '')];
}

/** @param titles [left, right] */
export function diffTable(lines, titles) {
  const rows = sideBySide(lines);
  if (!rows.some(({ changed }) => changed)) return el('p', { class: 'muted' }, t('Both texts are the same.'));
  const head = (title) => el('th', { scope: 'colgroup', colspan: 2 }, title);
  return el('div', { class: 'diff-box', tabindex: 0, role: 'region', 'aria-label': t('Differences') }, el('table', { class: 'diff' },
    el('thead', {}, el('tr', {}, ...titles.map(head))),
    el('tbody', {}, ...foldRows(rows).map((row) => (row.skipped
      ? el('tr', { class: 'diff-skipped' }, el('td', { colspan: 4 }, t('{count} lines are the same', { count: row.skipped })))
      : el('tr', {}, ...cells(row.left, 'left', row.changed), ...cells(row.right, 'right', row.changed)))))));
}

const kKinds = {
  add: msg('{model} is added'), replace: msg('{model} gets a new engine'), live: msg('{model} changes while it runs'),
  remove: msg('{model} is no longer served'), same: msg('{model} stays as it is'),
};

/** What an apply would do to each model, in a sentence each. */
export function changeList(changes) {
  const shown = changes.filter(({ kind }) => kind !== 'same');
  if (shown.length === 0) return el('p', { class: 'muted' }, t('Nothing that is served changes.'));
  return el('ul', { class: 'config-changes' }, ...shown.map(({ model, kind, fields }) => el('li', { class: kind },
    el('span', {}, t(kKinds[kind] ?? '{model}', { model })),
    fields?.length > 0 && el('span', { class: 'config-fields' }, ...fields.map((path) => el('code', {}, ...breakable(path)))))));
}
