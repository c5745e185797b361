// Grafana's unit ids: id → {scale(value) → {value, suffix, prefix?}}, or {text(value, decimals)} where
// the number itself is written in another way.

import { baseText, clockText, clockWords, currency, duration, durationWords, fixed, fromNow, scaled, timeText } from './unit_scales.js';

const scale = (run) => ({ scale: run });
const text = (run) => ({ text: run });

/** "1.5K req/s" */
export const counted = (unit) => scaled('count', ` ${unit}`);
export const yesNo = (yes, no) => text((value) => (value ? yes : no));

/** Units of a list of ids that differ in what one of them is: [id, factor]. */
const family = (name, unit, ids) => Object.fromEntries(ids.map(([id, factor]) => [id, scale(scaled(name, unit, factor))]));
const plain = (pairs) => Object.fromEntries(Object.entries(pairs).map(([id, unit]) => [id, scale(fixed(` ${unit}`))]));
const si = (pairs) => Object.fromEntries(Object.entries(pairs).map(([id, [unit, factor]]) => [id, scale(scaled('si', unit, factor))]));
const counts = (pairs) => Object.fromEntries(Object.entries(pairs).map(([id, unit]) => [id, scale(counted(unit))]));

const powers = (ids, base) => ids.map((id, index) => [id, base ** index]);

const kData = {
  ...family('iec', 'B', powers(['bytes', 'kbytes', 'mbytes', 'gbytes', 'tbytes', 'pbytes'], 1024)),
  ...family('decimal', 'B', powers(['decbytes', 'deckbytes', 'decmbytes', 'decgbytes', 'dectbytes', 'decpbytes'], 1000)),
  ...family('iec', 'b', [['bits', 1]]),
  ...family('decimal', 'b', [['decbits', 1]]),
};

const kDataRate = {
  ...family('decimal', 'p/s', [['pps', 1]]),
  ...family('iec', 'B/s', [['binBps', 1], ...powers(['KiBs', 'MiBs', 'GiBs', 'TiBs', 'PiBs'], 1024).map(([id, factor]) => [id, factor * 1024])]),
  ...family('decimal', 'B/s', [['Bps', 1], ...powers(['KBs', 'MBs', 'GBs', 'TBs', 'PBs'], 1000).map(([id, factor]) => [id, factor * 1000])]),
  ...family('iec', 'b/s', [['binbps', 1], ...powers(['Kibits', 'Mibits', 'Gibits', 'Tibits', 'Pibits'], 1024).map(([id, factor]) => [id, factor * 1024])]),
  ...family('decimal', 'b/s', [['bps', 1], ...powers(['Kbits', 'Mbits', 'Gbits', 'Tbits', 'Pbits'], 1000).map(([id, factor]) => [id, factor * 1000])]),
};

const kThroughput = counts({
  cps: 'c/s', ops: 'ops/s', reqps: 'req/s', rps: 'rd/s', wps: 'wr/s', iops: 'io/s', mps: 'msg/s', recps: 'rec/s', rowsps: 'rows/s',
  eps: 'evt/s', cpm: 'c/m', opm: 'ops/m', reqpm: 'req/m', rpm: 'rd/m', wpm: 'wr/m', mpm: 'msg/m', recpm: 'rec/m', rowspm: 'rows/m', epm: 'evt/m',
});

const kTime = {
  hertz: scale(scaled('si', 'Hz')), rothz: scale(fixed(' Hz')), rotrpm: scale(fixed(' rpm')), rotrads: scale(fixed(' rad/s')), rotdegs: scale(fixed(' °/s')),
  ns: scale(duration(1e-9)), µs: scale(duration(1e-6)), ms: scale(duration(1e-3)), s: scale(duration(1)), m: scale(duration(60)),
  h: scale(duration(3600)), d: scale(duration(86400)),
  dtdurationms: text((value, decimals) => durationWords(value / 1000, decimals)),
  dtdurations: text((value, decimals) => durationWords(value, decimals)),
  dthms: text((value) => clockText(value)),
  dtdhms: text((value) => clockText(value, true)),
  timeticks: scale(duration(0.01)),
  clockms: text((value) => clockWords(value)),
  clocks: text((value) => clockWords(value * 1000)),
};

const kDates = {
  dateTimeAsIso: text((value) => timeText(value)),
  dateTimeAsIsoNoDateIfToday: text((value) => todayText(value)),
  dateTimeAsUS: text((value) => timeText(value, 'MM/DD/YYYY HH:mm:ss')),
  dateTimeAsUSNoDateIfToday: text((value) => todayText(value, 'MM/DD/YYYY HH:mm:ss')),
  dateTimeAsLocal: text((value) => new Date(value).toLocaleString()),
  dateTimeAsLocalNoDateIfToday: text((value) => todayText(value)),
  dateTimeAsSystem: text((value) => timeText(value)),
  dateTimeFromNow: text((value) => fromNow(value)),
};

function todayText(ms, pattern = '') {
  const day = timeText(ms, 'YYYY-MM-DD');
  return day === timeText(Date.now(), 'YYYY-MM-DD') ? timeText(ms, 'HH:mm:ss') : timeText(ms, pattern);
}

const kCurrencies = {
  currencyUSD: '$', currencyGBP: '£', currencyEUR: '€', currencyJPY: '¥', currencyRUB: '₽', currencyUAH: '₴', currencyBRL: 'R$',
  currencyINR: '₹', currencyKRW: '₩', currencyIDR: 'Rp', currencyPHP: 'PHP', currencyVND: 'VND', currencyTRY: '₺', currencyMYR: 'RM',
  currencyZAR: 'R', currencyBTC: '฿', currencymBTC: 'mBTC', currencyμBTC: 'μBTC', currencyXPF: 'XPF', currencyCNY: '¥',
};
const kCurrenciesBehind = {
  currencyDKK: 'kr', currencyISK: 'kr', currencyNOK: 'kr', currencySEK: 'kr', currencyCZK: 'czk', currencyCHF: 'CHF', currencyPLN: 'PLN',
};
const kMoney = Object.fromEntries([
  ...Object.entries(kCurrencies).map(([id, symbol]) => [id, scale(currency(symbol))]),
  ...Object.entries(kCurrenciesBehind).map(([id, symbol]) => [id, scale(currency(symbol, true))]),
]);

const kEnergy = si({
  watt: ['W', 1], kwatt: ['W', 1e3], megwatt: ['W', 1e6], gwatt: ['W', 1e9], mwatt: ['W', 1e-3], voltamp: ['VA', 1], kvoltamp: ['VA', 1e3],
  voltampreact: ['VAr', 1], kvoltampreact: ['VAr', 1e3], watth: ['Wh', 1], kwatth: ['Wh', 1e3], kwattm: ['W-Min', 1e3], joule: ['J', 1],
  ev: ['eV', 1], amp: ['A', 1], kamp: ['A', 1e3], mamp: ['A', 1e-3], volt: ['V', 1], kvolt: ['V', 1e3], mvolt: ['V', 1e-3],
  ohm: ['Ω', 1], kohm: ['Ω', 1e3], Mohm: ['Ω', 1e6], farad: ['F', 1], µfarad: ['F', 1e-6], nfarad: ['F', 1e-9], pfarad: ['F', 1e-12],
  ffarad: ['F', 1e-15], henry: ['H', 1], mhenry: ['H', 1e-3], µhenry: ['H', 1e-6], lumens: ['Lm', 1], ah: ['Ah', 1], kah: ['Ah', 1e3], mah: ['Ah', 1e-3],
});

const kMatter = {
  ...si({
    lengthm: ['m', 1], lengthmm: ['m', 1e-3], lengthkm: ['m', 1e3], massg: ['g', 1], masskg: ['g', 1e3], massmg: ['g', 1e-3],
    pressurepa: ['Pa', 1], pressurehpa: ['Pa', 100], pressurekpa: ['Pa', 1e3], pressurebar: ['bar', 1], pressurembar: ['bar', 1e-3],
    forceNm: ['Nm', 1], forcekNm: ['Nm', 1e3], forceN: ['N', 1], forcekN: ['N', 1e3], litre: ['L', 1], mlitre: ['L', 1e-3],
    radbq: ['Bq', 1], radci: ['Ci', 1], radgy: ['Gy', 1], radsv: ['Sv', 1], radmsv: ['Sv', 1e-3], radusv: ['Sv', 1e-6],
    flops: ['FLOPS', 1], mflops: ['FLOPS', 1e6], gflops: ['FLOPS', 1e9], tflops: ['FLOPS', 1e12], pflops: ['FLOPS', 1e15], eflops: ['FLOPS', 1e18],
    Hs: ['H/s', 1], KHs: ['H/s', 1e3], MHs: ['H/s', 1e6], GHs: ['H/s', 1e9], THs: ['H/s', 1e12], PHs: ['H/s', 1e15],
    sieverts: ['Sv', 1],
  }),
  ...plain({
    lengthft: 'ft', lengthmi: 'mi', lengthin: 'in', masst: 't', masslb: 'lb', areaM2: 'm²', areaF2: 'ft²', areaMI2: 'mi²',
    velocityms: 'm/s', velocitykmh: 'km/h', velocitymph: 'mph', velocityknot: 'kn', accMS2: 'm/sec²', accFS2: 'ft/sec²', accG: 'g',
    m3: 'm³', Nm3: 'Nm³', dm3: 'dm³', gallons: 'gal', flowgpm: 'gpm', flowcms: 'cms', flowcfs: 'cfs', flowcfm: 'cfm', flowlpm: 'l/min', litreh: 'l/h',
    celsius: '°C', fahrenheit: '°F', kelvin: 'K', pressurepsi: 'psi', pressureinHg: 'inHg', pressurekbar: 'kbar', conppm: 'ppm', conppb: 'ppb',
    degree: '°', radian: 'rad', grad: 'grad', arcmin: 'arcmin', arcsec: 'arcsec', dBm: 'dBm', dB: 'dB', luxs: 'lux', candela: 'cd', decbel: 'dB',
    humidity: '%H', pixel: 'px', pH: 'pH', Wm2: 'W/m²', Wm2m: 'W/m²', eV: 'eV', emissionkg: 'kg CO₂e', emissiont: 't CO₂e',
  }),
};

const kMisc = {
  none: scale(fixed('')),
  string: text((value) => String(value)),
  short: scale(scaled('short')),
  sishort: scale(scaled('si')),
  percent: scale(fixed('%')),
  percentunit: scale(fixed('%', 100)),
  hex: text((value) => baseText(value, 16, '')),
  hex0x: text((value) => baseText(value, 16, '0x')),
  sci: text((value, decimals) => value.toExponential(decimals ?? undefined)),
  locale: text((value, decimals) => value.toLocaleString(undefined, decimals === undefined ? {} : { minimumFractionDigits: decimals, maximumFractionDigits: decimals })),
  bool: yesNo('True', 'False'),
  bool_yes_no: yesNo('Yes', 'No'),
  bool_on_off: yesNo('On', 'Off'),
};

export const kUnits = { ...kMisc, ...kData, ...kDataRate, ...kThroughput, ...kTime, ...kDates, ...kMoney, ...kEnergy, ...kMatter };
