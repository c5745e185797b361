// YAML and JSON in colours: which letters are keys, texts, numbers and comments. Good enough to read
// by, line by line; what a text means is for the box to say.

const kScalar = /^(?:~|null|true|false|True|False)$/;
const kNumber = /^[-+]?(?:0x[\da-fA-F]+|0o[0-7]+|(?:\d[\d_]*)?\.?\d+(?:[eE][-+]?\d+)?)$/;
// In this order: blanks, a comment after a blank, quoted texts, punctuation, and plain words.
const kPiece = /(\s+)|((?<=^|\s)#.*$)|("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?)|([[\]{},]|[-?:](?=\s|$)|(?<=["'}\]]):)|((?:[^\s#,[\]{}:"']|[:"'](?=\S)|(?<=\S)[#"'])(?:[^,[\]{}:\s]|:(?=\S)|[ \t]+(?![#\s]))*)|(.)/gu;

function roleOf(text) {
  if (kScalar.test(text)) return 'keyword';
  return kNumber.test(text) ? 'number' : 'string';
}

/** @returns [{text, role}] of one line; joined, their texts are the line */
export function lineTokens(line) {
  const tokens = [];
  for (const match of line.matchAll(kPiece)) {
    const [text, blank, comment, quoted, mark, plain] = match;
    const end = match.index + text.length;
    const isKey = (quoted || plain) && /^\s*:(?:\s|$)/.test(line.slice(end));
    const role = blank ? 'blank' : comment ? 'comment' : mark ? 'punctuation' : isKey ? 'label' : quoted ? 'string' : plain ? roleOf(text) : 'punctuation';
    tokens.push({ text, role });
  }
  return tokens;
}
