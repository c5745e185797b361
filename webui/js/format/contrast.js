// Text that can be read on a coloured ground.

const kDark = '#10131a';
const kLight = '#ffffff';

/** Red, green, blue from 0 to 255 of #rgb, #rrggbb or rgb(); null for any other spelling. */
export function rgbOf(color) {
  const long = /^#(\w\w)(\w\w)(\w\w)$/.exec(color);
  if (long) return long.slice(1).map((part) => parseInt(part, 16));
  const short = /^#(\w)(\w)(\w)$/.exec(color);
  if (short) return short.slice(1).map((digit) => parseInt(digit + digit, 16));
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

const kReadable = 4.5;  // WCAG AA for text of any size

/** `color`, moved towards black or white as far as text on `ground` needs to be read. */
export function readable(color, ground) {
  const from = rgbOf(color);
  if (!from || !rgbOf(ground) || contrast(color, ground) >= kReadable) return color;
  const target = luminance(ground) > 0.18 ? 0 : 255;
  for (let share = 0.1; share < 1; share += 0.1) {
    const mixed = `rgb(${from.map((channel) => Math.round(channel + (target - channel) * share)).join(', ')})`;
    if (contrast(mixed, ground) >= kReadable) return mixed;
  }
  return textOn(ground);
}

/** The ground of a tile in its colour: even, or darker towards one side; `textOn(color)` is read on both. */
export function withGround(color, mode) {
  const parts = rgbOf(color);
  if (mode === 'background_solid' || !parts) return color;
  // Dark text needs the light side, light text the dark one: the gradient leads away from the text's colour.
  const target = textOn(color) === kDark ? 255 : 0;
  const far = parts.map((channel) => Math.round(channel + (target - channel) * 0.18));
  return `linear-gradient(120deg, ${color}, rgb(${far.join(', ')}))`;
}
