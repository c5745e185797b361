import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInline, parseMarkdown } from '../../../webui/js/shell/markdown.js';
import { safeUrl } from '../../../webui/js/shell/safe_url.js';

const text = (value) => ({ kind: 'text', text: value });
const plain = (parts) => parts.map((part) => part.text ?? plain(part.parts)).join('');

test('inline: code, strong, emphasis, links; underscores inside words are none', () => {
  assert.deepEqual(parseInline('a `b*c*` **d *e*** f_g_h'), [
    text('a '), { kind: 'code', text: 'b*c*' }, text(' '),
    { kind: 'strong', parts: [text('d '), { kind: 'em', parts: [text('e')] }] }, text(' f_g_h')]);
  assert.deepEqual(parseInline('[the *box*](/d/llm) and https://example.org/a.'), [
    { kind: 'link', url: '/d/llm', parts: [text('the '), { kind: 'em', parts: [text('box')] }] }, text(' and '),
    { kind: 'link', url: 'https://example.org/a', parts: [text('https://example.org/a')] }, text('.')]);
  assert.equal(plain(parseInline('2 * 3 * 4 and \\*stars\\*')), '2 * 3 * 4 and *stars*');
});

test('blocks: headings, rules, code that stays as written, an open fence', () => {
  const blocks = parseMarkdown('# Title #\n\n---\n```promql\nsum(a)\n\n  # b\n```\ntext\nmore');
  assert.deepEqual(blocks.map(({ kind }) => kind), ['heading', 'rule', 'code', 'paragraph']);
  assert.equal(plain(blocks[0].parts), 'Title');
  assert.deepEqual(blocks[2], { kind: 'code', language: 'promql', text: 'sum(a)\n\n  # b' });
  assert.equal(plain(blocks[3].parts), 'text\nmore');
  assert.equal(parseMarkdown('```\nopen')[0].text, 'open');
});

test('lists: nested, numbered from where they start, tasks', () => {
  const [list, numbered] = parseMarkdown('- one\n  - deep\n- two\n\n3. three\n4. four');
  assert.equal(list.items.length, 2);
  assert.equal(list.items[0].blocks[1].kind, 'list');
  assert.equal(plain(list.items[0].blocks[1].items[0].blocks[0].parts), 'deep');
  assert.deepEqual([numbered.ordered, numbered.start, numbered.items.length], [true, 3, 2]);
  assert.deepEqual(parseMarkdown('- [x] done\n- [ ] open')[0].items.map(({ done }) => done), [true, false]);
});

test('tables: alignment, escaped bars, short rows', () => {
  const [table] = parseMarkdown('| a | b |\n|:--|--:|\n| 1 | x\\|y |\n| 2 |');
  assert.deepEqual(table.aligns, ['left', 'right']);
  assert.deepEqual(table.rows.map((row) => row.map(plain)), [['1', 'x|y'], ['2', '']]);
});

test('quotes hold blocks', () => {
  const [quote] = parseMarkdown('> said\n> - twice');
  assert.deepEqual(quote.blocks.map(({ kind }) => kind), ['paragraph', 'list']);
});

test('addresses: only those that cannot run', () => {
  assert.equal(safeUrl('javascript:alert(1)'), null);
  assert.equal(safeUrl('//elsewhere.example'), null);
  assert.equal(safeUrl(' data:text/html,x'), null);
  assert.equal(safeUrl('/d/llm'), '/d/llm');
  assert.equal(safeUrl('HTTPS://example.org'), 'HTTPS://example.org');
});
