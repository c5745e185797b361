// What the settings page makes of /api/settings, without a page.

/** The groups of the box's settings, in the order of the file: [{name, settings}]; name '' for those of no group. */
export function groupsOf(settings) {
  const groups = [];
  for (const setting of settings) {
    const name = setting.path.includes('.') ? setting.path.split('.')[0] : '';
    const last = groups.at(-1);
    if (last?.name === name) last.settings.push(setting);
    else groups.push({ name, settings: [setting] });
  }
  return groups;
}

/** @param source '' for all, 'set' for those that somebody set, or one source */
export function filterSettings(settings, source, text = '') {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return settings.filter((setting) => {
    if (source === 'set' ? setting.source === 'default' : source !== '' && setting.source !== source) return false;
    const said = [setting.path, setting.help, setting.variable, setting.flag, setting.where, valueText(setting.value)].join(' ').toLowerCase();
    return words.every((word) => said.includes(word));
  });
}

/** As YAML writes it on one line. An empty text and no value say nothing that could be read: ''. */
export function valueText(value) {
  if (value === null || value === '') return '';
  if (Array.isArray(value)) return value.map(valueText).join(', ');
  if (typeof value === 'object') return Object.entries(value).map(([key, one]) => `${key}: ${valueText(one)}`).join(', ');
  return String(value);
}

/** The file and line of "/etc/hearth/hearth.yaml:12"; null when it is no place in a file. */
export function placeOf(where) {
  const match = /^(.*):(\d+)$/.exec(where);
  return match && { file: match[1], line: Number(match[2]) };
}

/** What to write into the file for a setting to have `value`: "listen:\n  port: 8080". */
export function yamlOf(path, value) {
  const keys = path.split('.');
  return keys.map((key, depth) => `${'  '.repeat(depth)}${key}:${depth === keys.length - 1 ? ` ${JSON.stringify(value)}` : ''}`).join('\n');
}

/** The file a setting is best written into: the first that is named, whether it is there or not. */
export function mainFile(files) {
  return files[0]?.path ?? '/etc/hearth/hearth.yaml';
}
