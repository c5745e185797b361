// Text that can be read on a coloured ground.

const kDark = '#10131a';
const kLight = '#ffffff';

/** Red, green, blue from 0 to 255 of #rgb, #rrggbb or rgb(); null for any other spelling. */
export function rgbOf(color) {
  const hex = /^#([\da-f]{3}|[\da-f]{6})/i.exec(color)?.[1];
  if (hex) return hex.match(hex.length === 3 ? /./g : /../g).map((part) => parseInt(part.length === 1 ? part + part : part, 16));
  return /^rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)/.exec(color)?.slice(1).map(Number) ?? null;
}

/** WCAG's relative luminance, 0 to 1. */
export function luminance(color) {
  const [red, green, blue] = (rgbOf(color) ?? [0, 0, 0]).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG's contrast of two colours, 1 to 21. */
export function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** Dark or light text, whichever stands out more on `color`. */
export function textOn(color) {
  return contrast(kDark, color) >= contrast(kLight, color) ? kDark : kLight;
}
