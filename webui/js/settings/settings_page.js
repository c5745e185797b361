// The settings of the box itself: each value, where it comes from and how to change it. Nothing here
// changes one: the files under /etc, the environment and the command line are the administrator's.

import { el, icon } from '../shell/dom.js';
import { locale, msg, t } from '../shell/i18n.js';
import { toolButton } from '../shell/dropdown.js';
import { installShortcuts } from '../shell/shortcuts.js';
import { StatusView } from '../shell/status.js';
import { nextTheme } from '../shell/theme.js';
import { buildTopBar } from '../shell/top_bar.js';
import { filterSettings, groupsOf, mainFile, placeOf, valueText, yamlOf } from './settings_list.js';

const kSourceTexts = {
  default: msg('Default'), file: msg('File'), 'conf.d': msg('conf.d'), environment: msg('Environment'), 'command line': msg('Command line'),
};
const kFilters = [['', msg('All')], ['set', msg('Set')], ...Object.entries(kSourceTexts)];

const sourceText = (source) => t(kSourceTexts[source] ?? '{source}', { source });

const moment = (ms) => new Date(ms).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'medium' });

async function fetchSettings() {
  const response = await fetch('/api/settings', { cache: 'no-store' });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.message ?? `HTTP ${response.status}`);
  return body;
}

function valueCell({ value, unit, secret, default_text: meaning }) {
  const text = valueText(value);
  return [
    text === '' ? el('span', { class: 'unset' }, meaning || t('not set')) : el('code', {}, unit ? `${text} ${unit}` : text),
    secret && text !== '' && el('span', { class: 'note' }, t('Secrets are hidden.')),
  ];
}

function sourceBadge({ source, where, locked }) {
  return el('span', { class: locked ? 'source locked' : 'source', title: where },
    locked && icon('lock'), sourceText(source), locked && el('span', { class: 'sr' }, t('(locked)')));
}

/** One sentence: where this value is written. */
function changeSentence(setting, files) {
  const { source, where, variable, flag } = setting;
  const place = placeOf(where);
  if ((source === 'file' || source === 'conf.d') && place) return t('Change line {line} of {file}.', place);
  if (source === 'environment') return t('{variable} of the environment decides. Change it where hearthd is started: systemctl edit hearth.', { variable });
  if (source === 'command line') return t('{flag} of the command line decides. Change it where hearthd is started: systemctl edit hearth.', { flag: where || flag });
  return t('Nothing sets it. Write this into {file}:', { file: mainFile(files) });
}

function changeDetails(setting, files) {
  const { path, source, allowed, variable, flag, also = [] } = setting;
  const facts = [
    [t('Allowed'), allowed],
    [t('Default'), valueText(setting.default) || setting.default_text || t('not set')],
    [t('Environment'), el('code', {}, variable)],
    [t('Command line'), el('code', {}, flag)],
    ...also.map((one) => [t('Overridden'), t('{value} in {where}', { value: valueText(one.value), where: one.where })]),
  ];
  return [
    el('p', {}, changeSentence(setting, files)),
    source === 'default' && el('pre', { tabindex: 0, 'aria-label': t('YAML') }, yamlOf(path, setting.default)),
    el('dl', {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
    el('p', { class: 'note' }, t('It takes effect when hearthd is started again: systemctl restart hearth.')),
  ];
}

class SettingsPage {
  constructor() {
    const params = new URLSearchParams(location.search);
    this.source_ = kFilters.some(([value]) => value === params.get('source')) ? params.get('source') : '';
    this.open_ = new Set([decodeURIComponent(location.hash.slice(1))]);
    this.build_(params.get('q') ?? '');
    this.load_();
  }

  build_(text) {
    const status = new StatusView();
    this.problem_ = el('p', { class: 'alert error', role: 'alert', hidden: true });
    this.said_ = el('p', { class: 'said', role: 'status' });
    this.search_ = el('input', {
      type: 'search', id: 'search', value: text, placeholder: t('Search settings'), 'aria-label': t('Search settings'), oninput: () => this.filter_(),
    });
    this.select_ = el('select', { id: 'source', 'aria-label': t('Source'), onchange: () => {
      this.source_ = this.select_.value;
      this.filter_();
    } }, ...kFilters.map(([value, title]) => el('option', { value, selected: value === this.source_ }, t(title))));
    this.files_ = el('div', { class: 'files' });
    this.list_ = el('div', { class: 'groups' });
    const showHelp = installShortcuts([
      { keys: ['/'], text: msg('Search'), run: () => this.search_.focus() },
      { keys: ['r'], text: msg('Refresh now'), run: () => this.load_() },
      { keys: ['c t'], text: msg('Dark, light or automatic theme'), run: nextTheme },
    ]);
    document.body.prepend(
      buildTopBar('/settings', [toolButton('help', t('Keyboard (?)'), { id: 'help', onclick: showHelp })]),
      status.alerts,
      el('section', { class: 'strip', 'aria-label': t('State of the box') }, el('h1', {}, t('Settings')), status.facts),
      el('main', { class: 'listing settings' }, this.problem_,
        el('p', { class: 'intro' }, t('The box itself. It reads these and never writes them. The command line wins over the environment, the environment over conf.d, conf.d over the file.'),
          ' ', el('a', { href: '/config' }, t('What models it serves is edited here.'))),
        this.files_, el('div', { class: 'filters' }, this.search_, this.select_, this.said_), this.list_));
  }

  async load_() {
    try {
      const { settings, files } = await fetchSettings();
      this.problem_.hidden = true;
      this.settings_ = settings;
      this.known_ = files;
      this.showFiles_();
      this.filter_();
    } catch (error) {
      this.problem_.hidden = false;
      this.problem_.replaceChildren(t('The settings cannot be read: {reason}', { reason: error.message }));
    }
  }

  showFiles_() {
    const state = ({ exists, changed, read_ms: readMs }) => {
      if (changed) return el('span', { class: 'changed' }, icon('warning'), t('changed after it was read: start hearthd again'));
      return exists ? t('read {time}', { time: moment(readMs) }) : t('not there: that is fine');
    };
    this.files_.replaceChildren(el('h2', {}, t('Files')), el('ul', {}, ...this.known_.map((file) =>
      el('li', {}, el('code', {}, file.path), ' ', el('span', { class: 'note' }, state(file))))));
  }

  filter_() {
    if (!this.settings_) return;
    const text = this.search_.value.trim();
    const shown = filterSettings(this.settings_, this.source_, text);
    const params = new URLSearchParams(location.search);
    for (const [name, value] of [['source', this.source_], ['q', text]]) {
      if (value) params.set(name, value);
      else params.delete(name);
    }
    history.replaceState(null, '', `${params.size ? `?${params}` : location.pathname}${location.hash}`);
    this.said_.textContent = t('{count} of {total} settings', { count: shown.length, total: this.settings_.length });
    this.list_.replaceChildren(...groupsOf(shown).map((group) => this.group_(group)));
    if (shown.length === 0) this.list_.append(el('p', { class: 'said' }, t('No setting is like that.')));
  }

  group_({ name, settings }) {
    const id = `group-${name}`;
    return el('section', { 'aria-labelledby': id }, el('h2', { id }, name || t('Box')), ...settings.map((setting) => this.row_(setting)));
  }

  row_(setting) {
    const { path, help } = setting;
    const details = el('details', { class: 'setting', id: path, 'data-path': path, 'data-source': setting.source, open: this.open_.has(path) },
      el('summary', {},
        el('span', { class: 'name' }, el('code', {}, path), el('span', { class: 'note' }, help)),
        el('span', { class: 'value' }, ...valueCell(setting)),
        sourceBadge(setting), icon('chevron')),
      el('div', { class: 'change' }, ...changeDetails(setting, this.known_)));
    details.addEventListener('toggle', () => this.open_[details.open ? 'add' : 'delete'](path));
    return details;
  }
}

new SettingsPage();
