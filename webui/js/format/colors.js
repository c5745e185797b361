// Colours: Grafana's names with their shades in the palette of each theme, thresholds, gradients.

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
// CSS colour names that dashboards use beside Grafana's own.
const kOtherNames = {
  white: '#ffffff', black: '#000000', grey: 'gray', cyan: 'teal', aqua: 'teal', magenta: 'pink', brown: '#a0643c',
  lime: 'green', violet: 'purple', gold: 'yellow',
};
const kOrder = ['green', 'yellow', 'blue', 'orange', 'red', 'purple', 'teal', 'pink', 'gray'];
// How far a shade lies from its hue: towards white when positive, towards black when negative.
const kShades = { 'super-light': 0.55, light: 0.25, 'semi-dark': -0.16, dark: -0.34 };
const kGradients = {
  'continuous-GrYlRd': ['green', 'yellow', 'red'],
  'continuous-RdYlGr': ['red', 'yellow', 'green'],
  'continuous-BlYlRd': ['blue', 'yellow', 'red'],
  'continuous-YlRd': ['yellow', 'red'],
  'continuous-BlPu': ['blue', 'purple'],
  'continuous-YlBl': ['yellow', 'blue'],
  'continuous-blues': ['dark-blue', 'super-light-blue'],
  'continuous-reds': ['dark-red', 'super-light-red'],
  'continuous-greens': ['dark-green', 'super-light-green'],
  'continuous-purples': ['dark-purple', 'super-light-purple'],
};

// A percentile keeps its colour in every panel, so that the eye learns it once.
const kByName = {
  P50: 'green', P90: 'blue', P95: 'orange', P99: 'red', Mean: 'yellow',
  Running: 'green', Waiting: 'orange', stop: 'green', length: 'blue', abort: 'yellow',
  error: 'red', repetition: 'purple', Prefill: 'blue', Decode: 'green', Inference: 'yellow',
  'Error or abort': 'red', 'Total QPS': 'blue',
};

function channels(hex) {
  const match = /^#(\w\w)(\w\w)(\w\w)/.exec(hex) ?? /^#(\w)(\w)(\w)$/.exec(hex);
  return match ? match.slice(1).map((part) => parseInt(part.length === 1 ? part + part : part, 16)) : null;
}

const toHex = (parts) => `#${parts.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

function mix(from, to, share) {
  const target = channels(to);
  return toHex(channels(from).map((part, index) => part + (target[index] - part) * share));
}

/**
 * @param name Grafana's ("semi-dark-red"), a CSS colour, or a gradient position from
 *             continuousColor(): "from>to@0.25"
 * @returns a CSS colour
 */
export function themeColor(name, theme) {
  const palette = kPalettes[theme];
  if (!name) return palette.text;
  if (name.startsWith('#') || name.startsWith('rgb') || name.startsWith('hsl') || name === 'transparent') return name;
  const gradient = /^(.+)>(.+)@([\d.]+)$/.exec(name);
  if (gradient) return mix(themeColor(gradient[1], theme), themeColor(gradient[2], theme), Number(gradient[3]));
  const [, shade, hue] = /^(super-light|semi-dark|light|dark)-(.+)$/.exec(name) ?? [null, null, name];
  if (!shade && kOtherNames[name]) return themeColor(kOtherNames[name], theme);
  const base = palette[hue] ?? palette.gray;
  const depth = kShades[shade] ?? 0;
  return depth === 0 ? base : mix(base, depth > 0 ? '#ffffff' : '#000000', Math.abs(depth));
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

/** `color` (#rgb, #rrggbb or rgb()) with an opacity from 0 to 1. */
export function withAlpha(color, alpha) {
  const parts = channels(color) ?? /^rgba?\(([\d.]+)[, ]+([\d.]+)[, ]+([\d.]+)/.exec(color)?.slice(1).map(Number);
  return parts ? `rgba(${parts.join(', ')}, ${alpha})` : color;
}

/**
 * The colour name of the highest threshold step that `value` reaches.
 * @param limits {min, max}: what percentages are of
 */
export function thresholdColor(thresholds, value, limits = {}) {
  const { min = 0, max = 100 } = limits;
  const compared = thresholds?.mode === 'percentage' ? 100 * (value - min) / (max - min) : value;
  let color = 'green';
  for (const step of thresholds?.steps ?? []) {
    if (step.value === null || step.value === undefined || compared >= step.value) color = step.color;
  }
  return color;
}

/** Where `value` lies on a continuous-* gradient, as a name for themeColor(); '' for other modes. */
export function continuousColor(mode, value, limits = {}) {
  const stops = kGradients[mode];
  if (!stops || !Number.isFinite(value)) return '';
  const { min = 0, max = 100 } = limits;
  const share = max > min ? Math.min(1, Math.max(0, (value - min) / (max - min))) : 0;
  const place = share * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(place));
  return `${stops[index]}>${stops[index + 1]}@${(place - index).toFixed(4)}`;
}

/**
 * The colour name that a field's colour mode gives to one value; '' where the series' own colour of
 * the palette stands.
 * @param limits {min, max} of the data, used where the field sets none
 */
export function valueColor(config, value, limits = {}) {
  const mode = config.color?.mode ?? 'palette-classic';
  const range = { min: config.min ?? limits.min, max: config.max ?? limits.max };
  if (mode === 'thresholds') return thresholdColor(config.thresholds, value, range);
  if (mode === 'fixed' || mode === 'shades') return config.color.fixedColor ?? 'gray';
  return continuousColor(mode, value, range);
}
