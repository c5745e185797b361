// Dark, light, or what the system says. ?theme= wins over what was chosen here before.

const kKey = 'hearth-theme';
const kChoices = ['dark', 'light', 'auto'];
const system = window.matchMedia('(prefers-color-scheme: light)');
const listeners = new Set();
let choice = initialChoice();
let onPaper = false;

function initialChoice() {
  const asked = new URLSearchParams(location.search).get('theme');
  if (kChoices.includes(asked)) return asked;
  try {
    const kept = localStorage.getItem(kKey);
    return kChoices.includes(kept) ? kept : 'dark';
  } catch {
    return 'dark';  // a browser may forbid storage
  }
}

export function themeChoice() {
  return choice;
}

export function theme() {
  if (onPaper) return 'light';
  if (choice === 'auto') return system.matches ? 'light' : 'dark';
  return choice;
}

function apply() {
  document.documentElement.dataset.theme = theme();
  for (const listener of listeners) listener();
}

/** Paper is white, whatever the screen is: charts are drawn anew for it. */
function setOnPaper(on) {
  onPaper = on;
  apply();
}

export function onThemeChange(listener) {
  listeners.add(listener);
}

export function nextTheme() {
  choice = kChoices[(kChoices.indexOf(choice) + 1) % kChoices.length];
  try {
    localStorage.setItem(kKey, choice);
  } catch {
    // The choice then lasts as long as the page.
  }
  const params = new URLSearchParams(location.search);
  if (params.has('theme')) {
    params.set('theme', choice);
    history.replaceState(history.state, '', `?${params}`);
  }
  apply();
}

system.addEventListener('change', apply);
window.addEventListener('beforeprint', () => setOnPaper(true));
window.addEventListener('afterprint', () => setOnPaper(false));
apply();
