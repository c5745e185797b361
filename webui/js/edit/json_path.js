// Fields of nested JSON by path ("fieldConfig.defaults.unit"), without changing what is given.

/** @returns the value at `path`, undefined where the way there ends */
export function getPath(json, path) {
  return path.split('.').reduce((value, key) => value?.[key], json);
}

/** @param value undefined takes the field out; what is on the way is made as it is needed */
export function setPath(json, path, value) {
  const [key, ...rest] = path.split('.');
  const base = json !== null && typeof json === 'object' ? json : {};
  if (rest.length > 0) {
    if (value === undefined && base[key] === undefined) return base;
    return { ...base, [key]: setPath(base[key], rest.join('.'), value) };
  }
  const { [key]: old, ...others } = base;
  return value === undefined ? others : { ...base, [key]: value };
}

/**
 * A person's JSON text.
 * @param kind 'array' or 'object'
 * @returns {{value}} or {{error}} with the parser's words
 */
export function parseJson(text, kind) {
  try {
    const value = JSON.parse(text.trim() === '' ? (kind === 'array' ? '[]' : '{}') : text);
    const found = Array.isArray(value) ? 'array' : typeof value;
    return found === kind && value !== null ? { value } : { error: `expected an ${kind}, found ${value === null ? 'null' : found}` };
  } catch (error) {
    return { error: error.message };
  }
}
