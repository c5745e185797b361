// What both pages share: the bar with the mark, the two tabs and the theme switch.

import { el, icon } from './dom.js';
import { nextTheme, onThemeChange, themeChoice } from './theme.js';

const kThemeIcons = { dark: 'moon', light: 'sun', auto: 'auto' };

function themeButton() {
  const button = el('button', { type: 'button', class: 'tool', id: 'theme', onclick: nextTheme });
  const show = () => {
    button.title = `Theme: ${themeChoice()} (t)`;
    button.setAttribute('aria-label', button.title);
    button.replaceChildren(icon(kThemeIcons[themeChoice()]));
  };
  onThemeChange(show);
  show();
  return button;
}

function tab(href, text, current) {
  return el('a', { href, class: current ? 'tab current' : 'tab', 'aria-current': current && 'page' }, text);
}

/** @param tools elements for the bar's right side. */
export function buildTopBar(page, tools) {
  const theme = new URLSearchParams(location.search).get('theme');
  const suffix = theme ? `?theme=${encodeURIComponent(theme)}` : '';
  return el('header', { class: 'topbar' },
    el('a', { href: `/${suffix}`, class: 'mark', 'aria-label': 'Hearth' },
      el('img', { src: '/img/mark.svg', alt: '', width: 24, height: 24 }), el('span', {}, 'Hearth')),
    el('nav', { class: 'tabs', 'aria-label': 'Pages' },
      tab(`/${suffix}`, 'Dashboard', page === 'dashboard'), tab(`/chat.html${suffix}`, 'Chat', page === 'chat')),
    el('div', { class: 'tools' }, ...tools, themeButton()));
}
