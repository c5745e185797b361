// Grafana's unit ids turned into text: 0.0123 with "s" reads "12.3 ms".
// Scaling and spelling follow Grafana's value formats, so a number here reads as it would there.

const kShortSteps = [[1e15, ' Q'], [1e12, ' T'], [1e9, ' B'], [1e6, ' M'], [1e3, ' K'], [1, '']];
const kIecSteps = [[2 ** 50, ' PiB'], [2 ** 40, ' TiB'], [2 ** 30, ' GiB'], [2 ** 20, ' MiB'],
  [2 ** 10, ' KiB'], [1, ' B']];
const kSiByteSteps = [[1e15, ' PB'], [1e12, ' TB'], [1e9, ' GB'], [1e6, ' MB'], [1e3, ' kB'],
  [1, ' B']];
const kDurationSteps = [[31557600, ' years'], [604800, ' weeks'], [86400, ' days'], [3600, ' hours'],
  [60, ' mins'], [1, ' s'], [1e-3, ' ms'], [1e-6, ' µs'], [1e-9, ' ns']];

function scaled(steps, suffix = '') {
  return (value) => {
    const size = Math.abs(value);
    const step = steps.find(([factor]) => size >= factor) ?? steps[steps.length - 1];
    return { value: value / step[0], suffix: step[1] + suffix };
  };
}

function duration(secondsPerUnit) {
  const scale = scaled(kDurationSteps);
  return (value) => (value === 0
    ? { value: 0, suffix: ' s' }
    : scale(value * secondsPerUnit));
}

function fixed(suffix, factor = 1) {
  return (value) => ({ value: value * factor, suffix });
}

const kUnits = {
  none: fixed(''),
  short: scaled(kShortSteps),
  percent: fixed('%'),
  percentunit: fixed('%', 100),
  s: duration(1),
  ms: duration(1e-3),
  µs: duration(1e-6),
  ns: duration(1e-9),
  bytes: scaled(kIecSteps),
  decbytes: scaled(kSiByteSteps),
  Bps: scaled(kSiByteSteps, '/s'),
  binBps: scaled(kIecSteps, '/s'),
  reqps: scaled(kShortSteps, ' req/s'),
  ops: scaled(kShortSteps, ' ops/s'),
  cps: scaled(kShortSteps, ' c/s'),
  hertz: scaled([[1e9, ' GHz'], [1e6, ' MHz'], [1e3, ' kHz'], [1, ' Hz']]),
  celsius: fixed(' °C'),
  watt: scaled([[1e6, ' MW'], [1e3, ' kW'], [1, ' W']]),
};

/** The scaler of a Grafana unit id; an unknown id is a suffix of its own ("tokens/s"). */
function unitScaler(unit) {
  if (!unit) return kUnits.short;
  if (Object.hasOwn(kUnits, unit)) return kUnits[unit];
  if (unit.startsWith('suffix:')) return scaled(kShortSteps, ` ${unit.slice(7)}`);
  return scaled(kShortSteps, ` ${unit}`);
}

/** Three significant digits, as many decimals as that needs, no trailing zeros. */
function automaticDecimals(value) {
  const size = Math.abs(value);
  if (size === 0 || size >= 100) return 0;
  if (size >= 10) return 1;
  if (size >= 1) return 2;
  return Math.min(8, 2 - Math.floor(Math.log10(size)));
}

function roundedText(value, decimals) {
  if (decimals !== undefined && decimals !== null) return value.toFixed(decimals);
  const text = value.toFixed(automaticDecimals(value));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/**
 * @returns {{text: string, suffix: string, prefix: string}} the number and its unit apart, for a tile that sets
 * them in two sizes. No number gives an empty suffix and a dash.
 */
export function formatParts(value, unit, decimals) {
  if (value === null || value === undefined || Number.isNaN(value)) return { text: '–', suffix: '', prefix: '' };
  if (!Number.isFinite(value)) return { text: value > 0 ? '∞' : '-∞', suffix: '', prefix: '' };
  const part = unitScaler(unit)(value);
  // A fixed count of decimals is meant for fractions: 3 requests stay "3", not "3.00".
  const exact = Number.isInteger(part.value) && Math.abs(part.value) < 1e15 && decimals === undefined;
  return { text: exact ? String(part.value) : roundedText(part.value, decimals), suffix: part.suffix, prefix: '' };
}

export function formatValue(value, unit, decimals) {
  const { text, suffix, prefix } = formatParts(value, unit, decimals);
  return prefix + text + suffix;
}

/** The base in which axis steps of this unit look round: 1024 for IEC bytes, else 10. */
export function unitBase(unit) {
  return unit === 'bytes' || unit === 'binBps' ? 1024 : 10;
}
