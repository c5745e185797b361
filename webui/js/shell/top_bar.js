// What all pages share: the bar with the mark, the pages, the theme and the language.

import { Dropdown, choiceList } from './dropdown.js';
import { el, icon } from './dom.js';
import { kLocales, locale, msg, setLocale, t } from './i18n.js';
import { nextTheme, onThemeChange, themeChoice } from './theme.js';

const kThemeIcons = { dark: 'moon', light: 'sun', auto: 'auto' };
const kThemeTitles = { dark: msg('Theme: dark (t)'), light: msg('Theme: light (t)'), auto: msg('Theme: automatic (t)') };

/** The navigation: [address, title], in the order of the bar. */
const kPages = [
  ['/overview', msg('Overview')],
  ['/', msg('Dashboard')],
  ['/dashboards', msg('Dashboards')],
  ['/explore', msg('Explore')],
  ['/requests', msg('Requests')],
  ['/alerts', msg('Alerts')],
  ['/models', msg('Models')],
  ['/chat', msg('Chat')],
];

/** What the administrator of the box comes for, in a menu: the bar stays short. */
const kBoxPages = [
  ['/config', msg('Configuration')],
  ['/settings', msg('Settings')],
  ['/usage', msg('Usage data')],
];

function themeButton() {
  const button = el('button', { type: 'button', class: 'tool', id: 'theme', onclick: nextTheme });
  const show = () => {
    button.title = t(kThemeTitles[themeChoice()]);
    button.setAttribute('aria-label', button.title);
    button.replaceChildren(icon(kThemeIcons[themeChoice()]));
  };
  onThemeChange(show);
  show();
  return button;
}

function languageMenu() {
  const button = el('button', {
    type: 'button', class: 'tool', id: 'language', title: t('Language'), 'aria-label': t('Language'),
  }, icon('globe'));
  return new Dropdown(button, (pane) => pane.append(choiceList(kLocales, locale, setLocale))).element;
}

/** What an address keeps from page to page: a wall that was opened in one theme stays in it. */
function keptParameters() {
  const now = new URLSearchParams(location.search);
  const kept = new URLSearchParams();
  for (const name of ['theme', 'lang']) {
    if (now.has(name)) kept.set(name, now.get(name));
  }
  return kept.size ? `?${kept}` : '';
}

function boxMenu(page, suffix) {
  const current = kBoxPages.find(([href]) => href === page);
  const button = el('button', { type: 'button', class: current ? 'tab current' : 'tab', id: 'box-pages' },
    current ? t(current[1]) : t('Box'), icon('chevron'));
  const link = ([href, title], index) => el('a', {
    href: href + suffix, class: href === page ? 'choice current' : 'choice', 'aria-current': href === page && 'page', autofocus: index === 0,
  }, t(title));
  return new Dropdown(button, (pane) => pane.append(el('div', { class: 'choices' }, ...kBoxPages.map(link))), { align: 'left' }).element;
}

/**
 * @param page the address of the open page, as in kPages or kBoxPages
 * @param tools elements for the bar's right side
 */
export function buildTopBar(page, tools = []) {
  const suffix = keptParameters();
  const tab = ([href, title]) => el('a', {
    href: href + suffix, class: href === page ? 'tab current' : 'tab', 'aria-current': href === page && 'page',
  }, t(title));
  return el('header', { class: 'topbar' },
    el('a', { href: `/${suffix}`, class: 'mark', 'aria-label': 'Hearth' },
      el('img', { src: '/img/mark.svg', alt: '', width: 24, height: 24 }), el('span', {}, 'Hearth')),
    el('nav', { class: 'tabs', 'aria-label': t('Pages') }, ...kPages.map(tab), boxMenu(page, suffix)),
    el('div', { class: 'tools' }, ...tools, languageMenu(), themeButton()));
}
