// Colour schemes by Grafana's names, for heatmaps: stops from low to high, mixed in between.
// The colours are those of ColorBrewer and of matplotlib's and d3's colour maps.

const kSchemes = {
  Blues: 'f7fbffdeebf7c6dbef9ecae16baed64292c62171b508519c08306b',
  Greens: 'f7fcf5e5f5e0c7e9c0a1d99b74c47641ab5d238b45006d2c00441b',
  Greys: 'fffffff0f0f0d9d9d9bdbdbd969696737373525252252525000000',
  Oranges: 'fff5ebfee6cefdd0a2fdae6bfd8d3cf16913d94801a636037f2704',
  Purples: 'fcfbfdefedf5dadaebbcbddc9e9ac8807dba6a51a354278f3f007d',
  Reds: 'fff5f0fee0d2fcbba1fc9272fb6a4aef3b2ccb181da50f1567000d',
  BuGn: 'f7fcfde5f5f9ccece699d8c966c2a441ae76238b45006d2c00441b',
  BuPu: 'f7fcfde0ecf4bfd3e69ebcda8c96c68c6bb188419d810f7c4d004b',
  GnBu: 'f7fcf0e0f3dbccebc5a8ddb57bccc44eb3d32b8cbe0868ac084081',
  OrRd: 'fff7ecfee8c8fdd49efdbb84fc8d59ef6548d7301fb300007f0000',
  PuBuGn: 'fff7fbece2f0d0d1e6a6bddb67a9cf3690c002818a016c59014636',
  PuBu: 'fff7fbece7f2d0d1e6a6bddb74a9cf3690c00570b0045a8d023858',
  PuRd: 'f7f4f9e7e1efd4b9dac994c7df65b0e7298ace125698004367001f',
  RdPu: 'fff7f3fde0ddfcc5c0fa9fb5f768a1dd3497ae017e7a017749006a',
  YlGnBu: 'ffffd9edf8b1c7e9b47fcdbb41b6c41d91c0225ea8253494081d58',
  YlGn: 'ffffe5f7fcb9d9f0a3addd8e78c67941ab5d238443006837004529',
  YlOrBr: 'ffffe5fff7bcfee391fec44ffe9929ec7014cc4c02993404662506',
  YlOrRd: 'ffffccffeda0fed976feb24cfd8d3cfc4e2ae31a1cbd0026800026',
  BrBG: '5430058c510abf812ddfc27df6e8c3f5f5f5c7eae580cdc135978f01665e003c30',
  PiYG: '8e0152c51b7dde77aef1b6dafde0eff7f7f7e6f5d0b8e1867fbc414d9221276419',
  PRGn: '40004b762a839970abc2a5cfe7d4e8f7f7f7d9f0d3a6dba05aae611b783700441b',
  PuOr: '7f3b08b35806e08214fdb863fee0b6f7f7f7d8daebb2abd28073ac5427882d004b',
  RdBu: '67001fb2182bd6604df4a582fddbc7f7f7f7d1e5f092c5de4393c32166ac053061',
  RdGy: '67001fb2182bd6604df4a582fddbc7ffffffe0e0e0bababa8787874d4d4d1a1a1a',
  RdYlBu: 'a50026d73027f46d43fdae61fee090ffffbfe0f3f8abd9e974add14575b4313695',
  RdYlGn: 'a50026d73027f46d43fdae61fee08bffffbfd9ef8ba6d96a66bd631a9850006837',
  Spectral: '9e0142d53e4ff46d43fdae61fee08bffffbfe6f598abdda466c2a53288bd5e4fa2',
  Turbo: '23171b4a58dd2f9df527d7c44df88495fb51dedd32ffa423f65f18ba2208900c00',
  Viridis: '4401544828783e498931688e26828e1f9e8935b7796ece58b5de2bfde725',
  Magma: '000004180f3d440f76721f819e2f7fcd4071f1605dfd9668feca8dfcfdbf',
  Inferno: '0000041b0c414a0c6b781c6da52c60cf4446ed6925fb9b06f7d13dfcffa4',
  Plasma: '0d088746039f7201a89c179ebd3786d8576bed7953fb9f3afdca26f0f921',
  Cividis: '0020510a326a2b446e4d566d6969707f7c75948f78ada476caba6aead156fdea45',
  Warm: '6e40aa963db3bf3cafe4419dfe4b83ff5e63ff7847fb9633e2b72fc6d63caff05b',
  Cool: '6e40aa6054c84c6edb368ce123abd81ac7c21ddfa330ef8252f6677ff658aff05b',
  Cubehelix: '0000001a1530163d4e1f664254792fa07949d07e93cf9cdac1caf3d2eeefffffff',
  Rainbow: '6e40aabe3caffe4b83ff7847e2b72faff05b52f6671ddfa323abd84c6edb6e40aa',
  Sinebow: 'ff4040e78d0ba7d50358fc2a18f47200bfbf1872f4582afca703d5e70b8dff4040',
};

const kDiverging = new Set(['BrBG', 'PiYG', 'PRGn', 'PuOr', 'RdBu', 'RdGy', 'RdYlBu', 'RdYlGn', 'Spectral']);
const kAsTheyAre = new Set(['Turbo', 'Viridis', 'Magma', 'Inferno', 'Plasma', 'Cividis', 'Warm', 'Cool',
  'Cubehelix', 'Rainbow', 'Sinebow']);

function readStops(text) {
  return text.match(/.{6}/g).map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
}

function mix(stops, share) {
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  const channels = stops[low].map((from, index) => Math.round(from + (stops[low + 1][index] - from) * (at - low)));
  return `rgb(${channels.join(', ')})`;
}

/**
 * The colours of a scheme from low to high. As in Grafana, diverging schemes are turned so that high
 * is warm, and single-hue ones so that low values sink into the theme's background.
 * @param name Grafana's ("Oranges") or the older spelling ("interpolateOranges"); an unknown one is Oranges
 */
export function schemeColors(name, steps, theme, reverse = false) {
  const plain = String(name ?? '').replace(/^interpolate/, '');
  const known = Object.hasOwn(kSchemes, plain) ? plain : 'Oranges';
  const stops = readStops(kSchemes[known]);
  const turned = kDiverging.has(known) || (!kAsTheyAre.has(known) && theme === 'dark');
  if (turned !== Boolean(reverse)) stops.reverse();
  return Array.from({ length: steps }, (_, index) => mix(stops, index / Math.max(1, steps - 1)));
}
