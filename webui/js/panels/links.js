// Data links of a field: addresses with the value, the series' name and its labels filled in.

import { safeUrl } from '../shell/safe_url.js';

/**
 * @param link Grafana's {title, url, targetBlank}
 * @param field {name, labels, value, text}
 * @returns {{url, title, newTab}} or null where the address is none
 */
export function dataLink(link, field) {
  const facts = {
    '__value.raw': field.value, '__value.text': field.text, '__value.numeric': field.value,
    '__field.name': field.name, '__series.name': field.name,
  };
  const fill = (template, encode) => String(template ?? '').replace(/\$\{([^}:]+)(?::[^}]*)?\}/g, (whole, path) => {
    const label = /^__field\.labels\.(.+)$/.exec(path);
    const value = label ? field.labels?.[label[1]] ?? '' : facts[path] ?? field.row?.(path);
    return value === undefined ? whole : encode(String(value));
  });
  const url = safeUrl(fill(link.url, encodeURIComponent));
  return url && { url, title: fill(link.title, String) || url, newTab: Boolean(link.targetBlank) };
}
