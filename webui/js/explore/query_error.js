// Where in a query the server's error lies: Prometheus writes "1:18: parse error: …", with lines and
// bytes of a line counted from 1.

const kPosition = /(?:^|[\s:])(\d+):(\d+): (?:parse error: )?([\s\S]*)$/;

/** The index in a JavaScript string of a byte of its UTF-8 text. */
function indexOfByte(line, byte) {
  let bytes = 0;
  let index = 0;
  for (const char of line) {
    if (bytes >= byte) break;
    bytes += new TextEncoder().encode(char).length;
    index += char.length;
  }
  return index;
}

/** @returns {{message, line, column, offset}}: the position's parts are null where none is known. */
export function readQueryError(message, query) {
  const match = kPosition.exec(message);
  if (!match) return { message, line: null, column: null, offset: null };
  const line = Number(match[1]);
  const column = Number(match[2]);
  const lines = query.split('\n');
  if (line < 1 || line > lines.length) return { message, line: null, column: null, offset: null };
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const offset = Math.min(query.length, start + indexOfByte(lines[line - 1], column - 1));
  return { message: match[3], line, column, offset };
}
