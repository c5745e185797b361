// The dashboard's own settings: title, tags, default time, refresh, variables.

import { el } from '../shell/dom.js';
import { t } from '../shell/i18n.js';
import { resolveRange } from '../time/time_range.js';
import { kRefreshChoices } from '../time/refresh_timer_rules.js';
import { ask } from './dialogs.js';
import { setPath } from './json_path.js';
import { jsonField } from './option_form.js';

const kVariables = 'templating.list';

/** @returns the sentence that says what is wrong with a range, '' when nothing is */
function rangeProblem(from, to) {
  return resolveRange(from, to, Date.now()).error ?? '';
}

/** @param json the dashboard @returns its JSON with other settings, null when left */
export function askSettings(json) {
  let next = json;
  const put = (path) => (value) => { next = setPath(next, path, value); };
  const line = (label, path, value, read = (text) => text) => el('label', { class: 'edit-field' }, label, el('input', {
    type: 'text', value, 'data-path': path, oninput: (event) => put(path)(read(event.target.value)) }));
  const error = el('p', { class: 'field-error', role: 'alert' });
  return ask(t('Dashboard settings'), (close) => {
    const submit = (event) => {
      event.preventDefault();
      error.textContent = next.title ? rangeProblem(next.time?.from ?? 'now-6h', next.time?.to ?? 'now') : t('A dashboard needs a title');
      const invalid = event.target.querySelector('[aria-invalid="true"]');
      if (invalid) invalid.focus();
      else if (!error.textContent) close(next);
    };
    return [el('form', { class: 'edit-settings', onsubmit: submit },
      line(t('Title'), 'title', json.title ?? ''),
      line(t('Description'), 'description', json.description ?? ''),
      line(t('Tags, separated by commas'), 'tags', (json.tags ?? []).join(', '), (text) => text.split(',').map((tag) => tag.trim()).filter(Boolean)),
      line(t('Default time: from'), 'time.from', json.time?.from ?? 'now-6h'),
      line(t('Default time: to'), 'time.to', json.time?.to ?? 'now'),
      el('label', { class: 'edit-field' }, t('Auto refresh'), el('select', {
        onchange: (event) => put('refresh')(event.target.value === 'off' ? '' : event.target.value) },
      ...kRefreshChoices.map(([value, title]) => el('option', { value, selected: value === (json.refresh || 'off') }, t(title))))),
      el('div', { class: 'edit-field' }, el('label', { for: 'edit-variables' }, t('Variables, as JSON')),
        jsonField({ id: 'edit-variables', value: json.templating?.list ?? [], set: put(kVariables), rows: 8 })),
      error,
      el('div', { class: 'edit-buttons' }, el('button', { class: 'primary' }, t('Apply')),
        el('button', { type: 'button', class: 'tool wide', onclick: () => close(null) }, t('Cancel'))))];
  });
}
