// Series colours: named by meaning where a name says it, else by order; the same in every refresh.

const kPalettes = {
  dark: {
    green: '#73bf69', yellow: '#f2cc5c', blue: '#6ea6ff', orange: '#ff9a4d', red: '#f2596f',
    purple: '#b98cf0', teal: '#4fc9c4', pink: '#f58bc0', gray: '#8e95a3', text: '#e6e8ee',
  },
  light: {
    green: '#2f9145', yellow: '#b88406', blue: '#2468d8', orange: '#d9600a', red: '#d1263f',
    purple: '#7b46c9', teal: '#0d8a86', pink: '#c33c87', gray: '#6d7480', text: '#20242b',
  },
};

const kOrder = ['green', 'yellow', 'blue', 'orange', 'red', 'purple', 'teal', 'pink', 'gray'];

// A percentile keeps its colour in every panel, so that the eye learns it once.
const kByName = {
  P50: 'green', P90: 'blue', P95: 'orange', P99: 'red', Mean: 'yellow',
  Running: 'green', Waiting: 'orange', stop: 'green', length: 'blue', abort: 'yellow',
  error: 'red', repetition: 'purple', Prefill: 'blue', Decode: 'green', Inference: 'yellow',
  'Error or abort': 'red', 'Total QPS': 'blue',
};

export function themeColor(name, theme) {
  if (!name) return kPalettes[theme].text;
  if (name.startsWith('#') || name.startsWith('rgb')) return name;
  const plain = name.replace(/^(super-light|semi-dark|light|dark)-/, '');
  return kPalettes[theme][plain] ?? kPalettes[theme].gray;
}

/** Hands out colours: a name seen before, in any refresh, gets what it had. */
export class SeriesColors {
  constructor() {
    this.assigned_ = new Map();
    this.next_ = 0;
  }

  name(seriesName) {
    if (Object.hasOwn(kByName, seriesName)) return kByName[seriesName];
    if (!this.assigned_.has(seriesName)) {
      this.assigned_.set(seriesName, kOrder[this.next_++ % kOrder.length]);
    }
    return this.assigned_.get(seriesName);
  }
}

/** `color` (#rrggbb or rgb()) with an opacity from 0 to 1. */
export function withAlpha(color, alpha) {
  const match = /^#(\w\w)(\w\w)(\w\w)$/.exec(color);
  if (!match) return color;
  const [red, green, blue] = match.slice(1).map((part) => parseInt(part, 16));
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

/** The colour name of the highest threshold step that `value` reaches. */
export function thresholdColor(thresholds, value) {
  let color = 'green';
  for (const step of thresholds?.steps ?? []) {
    if (step.value === null || step.value === undefined || value >= step.value) color = step.color;
  }
  return color;
}
