// One mistake is so common that Ray's own documentation has it: the fields of a list's item stand below
// its dash instead of beside its first field,
//
//   - model_loading_config:
//       model_id: a
//   accelerator_type: A10G
//
// which no YAML reader takes. What was meant is plain; it is offered, never done unasked.

const kShift = '  ';

/**
 * The text with such lines moved to the right, or null where that does not make it readable.
 * @param reads(text) whether a text can be read
 */
export function withIndentedItems(text, reads) {
  const lines = text.split('\n');
  const dashes = [];  // columns of the lists that are open
  let shiftFrom = null;
  const repaired = lines.map((line) => {
    const column = line.search(/\S/);
    if (column < 0) return line;
    if (shiftFrom !== null && (column < shiftFrom || (column === shiftFrom && line[column] === '-'))) shiftFrom = null;
    if (line[column] === '#') return shiftFrom === null ? line : kShift + line;
    while (dashes.length > 0 && dashes.at(-1) > column) dashes.pop();
    const isItem = /^-(\s|$)/.test(line.slice(column));
    if (isItem && dashes.at(-1) !== column) dashes.push(column);
    // A key right below a dash ends the list only if the list's own key stands in the same column.
    if (!isItem && shiftFrom === null && dashes.at(-1) === column && /^[^\s#]+:(\s|$)/.test(line.slice(column))) shiftFrom = column;
    return shiftFrom === null ? line : kShift + line;
  }).join('\n');
  return repaired !== text && reads(repaired) ? repaired : null;
}
