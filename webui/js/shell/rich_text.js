// Model text as blocks: paragraphs and fenced code, with `code` and **bold** inside paragraphs.
// Split here into plain data and set by the DOM as text, so that no answer can carry markup.

const kInline = /`([^`\n]+)`|\*\*([^*\n]+)\*\*/g;

/** @returns [{kind: "text" | "code" | "bold", text}] */
export function splitInline(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(kInline)) {
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) });
    parts.push(match[1] !== undefined
      ? { kind: 'code', text: match[1] }
      : { kind: 'bold', text: match[2] });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) });
  return parts;
}

/** @returns [{kind: "paragraph" | "code", text, language}]; an open fence runs to the end. */
export function splitBlocks(text) {
  const blocks = [];
  let lines = [];
  let fence = null;
  const flush = (kind, language = '') => {
    const joined = lines.join('\n');
    if (joined.trim() !== '' || kind === 'code') blocks.push({ kind, text: joined, language });
    lines = [];
  };
  for (const line of text.split('\n')) {
    const mark = /^\s*```(\w*)\s*$/.exec(line);
    if (mark && fence === null) {
      flush('paragraph');
      fence = mark[1];
    } else if (mark) {
      flush('code', fence);
      fence = null;
    } else if (line.trim() === '' && fence === null) {
      flush('paragraph');
    } else {
      lines.push(line);
    }
  }
  flush(fence === null ? 'paragraph' : 'code', fence ?? '');
  return blocks;
}
