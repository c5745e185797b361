// The dashboard page's keyboard, after Grafana's: which key does what.

import { msg } from '../shell/i18n.js';
import { nextTheme } from '../shell/theme.js';
import { normalizeTimeText, resolveRange } from '../time/time_range.js';

/** The range as text for another dashboard, Grafana's own form of it. */
async function copyRange(range) {
  await navigator.clipboard?.writeText(JSON.stringify({ from: String(range.from), to: String(range.to) }));
}

/** @returns the range that was copied, or null when the clipboard holds none. */
async function pastedRange() {
  try {
    const { from, to } = JSON.parse(await navigator.clipboard.readText());
    const range = { from: normalizeTimeText(from), to: String(to) };
    return resolveRange(range.from, range.to, Date.now()).error ? null : range;
  } catch {
    return null;  // no permission, or a text that is no range
  }
}

/** What a key does with the panel under the mouse or the focus. */
function ofPanel(page, run) {
  return () => {
    const frame = page.panelAtHand();
    if (frame) run(frame.panel.id, frame);
  };
}

/** @param page the DashboardPage; see its methods for what each key does */
export function pageKeys(page) {
  const change = (run) => () => page.change(run);
  return [
    { keys: ['r', 'd r'], text: msg('Refresh now'), run: () => page.refresh() },
    { keys: ['z', 't z', 't -', 't o'], text: msg('Zoom out'), run: change((state) => state.zoomOut()) },
    { keys: ['t +', 't ='], text: msg('Zoom in'), run: change((state) => state.zoomIn()) },
    { keys: ['t ArrowLeft'], label: 't ←', text: msg('Earlier'), run: change((state) => state.shift(-1)) },
    { keys: ['t ArrowRight'], label: 't →', text: msg('Later'), run: change((state) => state.shift(1)) },
    { keys: ['t a'], text: msg('Make the time range absolute'), run: change((state) => state.makeAbsolute()) },
    { keys: ['t c'], text: msg('Copy the time range'), run: () => copyRange(page.state.range) },
    {
      keys: ['t v'], text: msg('Paste a time range'), run: async () => {
        const range = await pastedRange();
        if (range) page.change((state) => { state.range = range; });
      },
    },
    { keys: ['t t'], text: msg('Choose the time range'), run: () => page.bar.picker.open() },
    { keys: ['n', 't n'], text: msg('Back to now'), run: change((state) => state.backToNow()) },
    { keys: [' '], label: 'Space', text: msg('Pause or go on'), run: () => page.togglePause() },
    { keys: ['v'], text: msg('Full screen: the panel under the mouse'), run: () => page.toggleSolo() },
    { keys: ['e', 'p e'], label: 'e', text: msg('Edit the panel under the mouse'), run: ofPanel(page, (id) => page.editPanel(id)) },
    { keys: ['p d'], text: msg('Duplicate the panel under the mouse'), run: ofPanel(page, (id) => page.duplicatePanel(id)) },
    { keys: ['p r'], text: msg('Remove the panel under the mouse'), run: ofPanel(page, (id) => page.removePanel(id)) },
    { keys: ['i', 'p i'], label: 'i', text: msg('Inspect the panel under the mouse'), run: ofPanel(page, (id) => page.inspect(id)) },
    {
      keys: ['x', 'p x'], label: 'x', text: msg('Explore the panel under the mouse'), run: ofPanel(page, (id, frame) => {
        const href = frame.exploreLink();
        if (href) location.href = href;
      }),
    },
    { keys: ['p u'], text: msg('Copy the link to the panel under the mouse'), run: ofPanel(page, (id, frame) => frame.copyLink()) },
    { keys: ['d k'], text: msg('Kiosk: the dashboard alone'), run: () => page.toggleKiosk() },
    { keys: ['Escape'], label: 'Esc', text: msg('Leave full screen or kiosk'), run: () => page.leave() },
    { keys: ['a'], text: msg('Show or hide events'), run: () => page.toggleEvents() },
    { keys: ['d E', 'd C', 'o'], label: 'o', text: msg('Open or close all rows'), run: () => page.view.toggleRows() },
    { keys: ['d p'], text: msg('Print'), run: () => window.print() },
    { keys: ['d T', 'c t'], label: 'c t', text: msg('Dark, light or automatic theme'), run: nextTheme },
    { keys: ['g h'], text: msg('Home dashboard'), run: () => { location.href = '/'; } },
    { keys: ['g c'], text: msg('Chat'), run: () => { location.href = '/chat'; } },
  ];
}
