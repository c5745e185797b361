// Markdown as a tree of plain data, and the tree as elements. Text is only ever set as text, so that
// no document can carry markup of its own.

import { el } from './dom.js';
import { safeUrl } from './safe_url.js';

// `code`, **bold**, *italic*, ~~struck~~, ![image](url), [link](url), <url>, bare https://…
const kInline = new RegExp([
  '(`+)(?<code>[^`]|[^`][^]*?[^`])\\1(?!`)',
  '(?<strongMark>\\*\\*|__)(?<strong>\\S(?:[^]*?\\S)?)\\k<strongMark>(?!\\*)',
  '(?<![\\w*])(?<emMark>[*_])(?<em>[^\\s*_](?:[^]*?[^\\s*_])?)\\k<emMark>(?![\\w*])',
  '~~(?<struck>\\S(?:[^]*?\\S)?)~~',
  '!?\\[(?<label>[^\\]]*)\\]\\((?<url>[^\\s)]+)(?:\\s+"[^"]*")?\\)',
  '<?(?<bare>https?://[^\\s<>)]+[^\\s<>).,;:!?])>?',
  '\\\\(?<escaped>[\\\\`*_{}\\[\\]()#+.!|~<>-])',
].join('|'), 'g');

const textNode = (text) => ({ kind: 'text', text });

/** @returns [{kind: 'text' | 'code' | 'strong' | 'em' | 'del' | 'link', text?, url?, parts?}] */
export function parseInline(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(kInline)) {
    const { code, strong, em, struck, label, url, bare, escaped } = match.groups;
    if (match.index > end) parts.push(textNode(text.slice(end, match.index)));
    if (code !== undefined) parts.push({ kind: 'code', text: code.trim() || code });
    else if (strong !== undefined) parts.push({ kind: 'strong', parts: parseInline(strong) });
    else if (em !== undefined) parts.push({ kind: 'em', parts: parseInline(em) });
    else if (struck !== undefined) parts.push({ kind: 'del', parts: parseInline(struck) });
    else if (url !== undefined) parts.push({ kind: 'link', url, parts: parseInline(label || url) });
    else if (bare !== undefined) parts.push({ kind: 'link', url: bare, parts: [textNode(bare)] });
    else parts.push(textNode(escaped));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(textNode(text.slice(end)));
  return parts;
}

const kFence = /^ {0,3}(\x60{3,}|~{3,})\s*([\w+-]*)/;  // \x60 is the backtick
const kHeading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const kRule = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const kQuote = /^ {0,3}> ?(.*)$/;
const kItem = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const kTableRule = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

const cellsOf = (line) => line.trim().replace(/^\|/, '').replace(/(?<!\\)\|$/, '').split(/(?<!\\)\|/)
  .map((cell) => cell.trim().replaceAll('\\|', '|'));

const indentOf = (line) => /^\s*/.exec(line)[0].replaceAll('\t', '    ').length;

/** Reads lines one block at a time; each reader takes what is its own and leaves the rest. */
class BlockReader {
  constructor(lines) {
    this.lines_ = lines;
    this.at_ = 0;
  }

  read() {
    const blocks = [];
    while (this.at_ < this.lines_.length) {
      const line = this.lines_[this.at_];
      if (line.trim() === '') this.at_++;
      else blocks.push(this.block_(line));
    }
    return blocks;
  }

  block_(line) {
    const fence = kFence.exec(line);
    if (fence) return this.code_(fence[1], fence[2]);
    const heading = kHeading.exec(line);
    if (heading) {
      this.at_++;
      return { kind: 'heading', level: heading[1].length, parts: parseInline(heading[2]) };
    }
    if (kRule.test(line)) {
      this.at_++;
      return { kind: 'rule' };
    }
    if (kQuote.test(line)) return { kind: 'quote', blocks: parseMarkdown(this.take_((next) => kQuote.test(next)).map((next) => kQuote.exec(next)[1]).join('\n')) };
    if (kItem.test(line)) return this.list_();
    if (line.includes('|') && kTableRule.test(this.lines_[this.at_ + 1] ?? '')) return this.table_();
    return this.paragraph_();
  }

  take_(fits) {
    const from = this.at_;
    while (this.at_ < this.lines_.length && fits(this.lines_[this.at_])) this.at_++;
    return this.lines_.slice(from, this.at_);
  }

  /** An open fence runs to the end. */
  code_(mark, language) {
    this.at_++;
    const lines = this.take_((line) => !line.trimStart().startsWith(mark));
    this.at_++;
    return { kind: 'code', language, text: lines.join('\n') };
  }

  table_() {
    const head = cellsOf(this.lines_[this.at_]);
    const aligns = cellsOf(this.lines_[this.at_ + 1]).map((rule) => (rule.endsWith(':') ? (rule.startsWith(':') ? 'center' : 'right') : 'left'));
    this.at_ += 2;
    const rows = this.take_((line) => line.includes('|') && line.trim() !== '').map(cellsOf);
    return { kind: 'table', aligns, head: head.map(parseInline), rows: rows.map((row) => head.map((_, index) => parseInline(row[index] ?? ''))) };
  }

  /** Items with what is indented below them, which is Markdown again. */
  list_() {
    const [, first, mark] = kItem.exec(this.lines_[this.at_]);
    const ordered = /\d/.test(mark);
    const items = [];
    while (this.at_ < this.lines_.length) {
      const item = kItem.exec(this.lines_[this.at_]);
      if (!item || indentOf(item[1]) > indentOf(first) + 1 || /\d/.test(item[2]) !== ordered) break;
      this.at_++;
      const deeper = this.take_((line) => line.trim() === '' ? this.blankInside_(first) : indentOf(line) > indentOf(first) + 1);
      const body = deeper.map((line) => line.replace(/^(?: {1,4}|\t)/, ''));
      const task = /^\[([ xX])\]\s+(.*)$/.exec(item[3]);
      items.push({ done: task ? task[1] !== ' ' : null, blocks: parseMarkdown([task ? task[2] : item[3], ...body].join('\n')) });
    }
    return { kind: 'list', ordered, start: ordered ? parseInt(mark, 10) : null, items };
  }

  /** A blank line belongs to an item when what follows is indented below it. */
  blankInside_(first) {
    const next = this.lines_.slice(this.at_ + 1).find((line) => line.trim() !== '');
    return next !== undefined && indentOf(next) > indentOf(first) + 1;
  }

  paragraph_() {
    let begun = false;
    const lines = this.take_((line) => {
      const starts = line.trim() === '' || kFence.test(line) || kHeading.test(line) || kQuote.test(line) || kItem.test(line) || kRule.test(line);
      const goesOn = !begun || !starts;
      begun = true;
      return goesOn;
    });
    return { kind: 'paragraph', parts: parseInline(lines.map((line) => line.trim()).join('\n')) };
  }
}

/** @returns blocks: {kind: 'paragraph' | 'heading' | 'code' | 'list' | 'quote' | 'table' | 'rule', …} */
export function parseMarkdown(text) {
  return new BlockReader(String(text ?? '').replaceAll('\r\n', '\n').split('\n')).read();
}

function inlineNodes(parts) {
  return parts.map((part) => {
    if (part.kind === 'text') return part.text;
    if (part.kind === 'code') return el('code', {}, part.text);
    if (part.kind !== 'link') return el(part.kind, {}, ...inlineNodes(part.parts));
    const url = safeUrl(part.url);
    if (!url) return el('span', {}, ...inlineNodes(part.parts));
    const away = /^https?:/i.test(url);
    return el('a', { href: url, target: away ? '_blank' : null, rel: away ? 'noopener' : null }, ...inlineNodes(part.parts));
  });
}

function tableElement({ aligns, head, rows }) {
  const cell = (tag, parts, index) => el(tag, { class: `align-${aligns[index] ?? 'left'}`, scope: tag === 'th' ? 'col' : null }, ...inlineNodes(parts));
  return el('table', {}, el('thead', {}, el('tr', {}, ...head.map((parts, index) => cell('th', parts, index)))),
    el('tbody', {}, ...rows.map((row) => el('tr', {}, ...row.map((parts, index) => cell('td', parts, index))))));
}

/** A lone paragraph of an item stands in it without a paragraph's margins. */
function itemElement({ done, blocks }) {
  const [first, ...rest] = blocks;
  const lead = first?.kind === 'paragraph' ? inlineNodes(first.parts) : first ? blockElements([first]) : [];
  const mark = done === null ? [] : [el('input', { type: 'checkbox', checked: done, disabled: true })];
  return el('li', { class: done === null ? null : 'task' }, ...mark, ...lead, ...blockElements(rest));
}

const kElements = {
  paragraph: ({ parts }) => el('p', {}, ...inlineNodes(parts)),
  // The panel's title is the page's second level: headings inside it begin at the third.
  heading: ({ level, parts }) => el(`h${Math.min(6, level + 2)}`, { class: `level-${level}` }, ...inlineNodes(parts)),
  code: ({ text }) => el('pre', {}, el('code', {}, text)),
  rule: () => el('hr'),
  quote: ({ blocks }) => el('blockquote', {}, ...blockElements(blocks)),
  list: ({ ordered, start, items }) => el(ordered ? 'ol' : 'ul', { start: ordered && start !== 1 ? start : null }, ...items.map(itemElement)),
  table: tableElement,
};

function blockElements(blocks) {
  return blocks.map((block) => kElements[block.kind](block));
}

/** Markdown as elements, to be put into an element of class "markdown". */
export function renderMarkdown(text) {
  return blockElements(parseMarkdown(text));
}
