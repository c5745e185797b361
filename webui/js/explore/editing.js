// Brackets and quotes that close themselves while a query is typed, as pure changes of the text.

const kPairs = { '(': ')', '{': '}', '[': ']', '"': '"' };
const kClosing = new Set(Object.values(kPairs));

/**
 * What a key does beyond inserting itself, with [start, end) selected.
 * @returns {{from, to, insert, cursor}} as accept() of completions.js, or null for the usual effect
 */
export function pairedEdit(text, start, end, key) {
  const next = text[end] ?? '';
  if (key === 'Backspace') {
    const around = start === end && kPairs[text[start - 1]] === next && next !== '';
    return around ? { from: start - 1, to: end + 1, insert: '', cursor: start - 1 } : null;
  }
  if (start === end && kClosing.has(key) && next === key) return { from: start, to: start, insert: '', cursor: start + 1 };
  if (!kPairs[key]) return null;
  if (start !== end) {
    return { from: start, to: end, insert: key + text.slice(start, end) + kPairs[key], cursor: end + 2 };
  }
  const free = next === '' || /[\s)}\],]/.test(next);
  const inQuotes = key === '"' && (text.slice(0, start).match(/(?<!\\)"/g) ?? []).length % 2 === 1;
  if (!free || inQuotes) return null;
  return { from: start, to: start, insert: key + kPairs[key], cursor: start + 1 };
}
