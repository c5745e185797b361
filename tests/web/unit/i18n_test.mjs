// Every word the pages say has its translation, and no translation is left behind.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { matchLocale, t } from '../../../webui/js/shell/i18n.js';

const kWebui = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../../webui');

// The literals of t('…') and msg('…') in all modules, as JavaScript reads them.
export function saidTexts() {
  const said = new Set();
  for (const name of readdirSync(join(kWebui, 'js'), { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const source = readFileSync(join(kWebui, 'js', name), 'utf8').replace(/^\s*(\*|\/\/).*$/gm, '');
    for (const [, single, double] of source.matchAll(/\b(?:t|msg)\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")/g)) {
      said.add((single ?? double).replace(/\\(.)/g, '$1'));
    }
  }
  return said;
}

const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

for (const file of readdirSync(join(kWebui, 'locales'))) {
  test(`${file} translates every text of the pages`, () => {
    const words = JSON.parse(readFileSync(join(kWebui, 'locales', file), 'utf8'));
    const said = saidTexts();
    assert.ok(said.size > 5, 'the scan finds the texts');
    assert.deepEqual([...said].filter((text) => !words[text]), [], 'texts without a translation');
    assert.deepEqual(Object.keys(words).filter((text) => !said.has(text)), [], 'translations of nothing');
    for (const [text, word] of Object.entries(words)) {
      assert.deepEqual(placeholders(word), placeholders(text), text);
    }
  });
}

test('a locale is chosen by language', () => {
  assert.equal(matchLocale(['de-DE', 'zh', 'en']), 'zh-CN');
  assert.equal(matchLocale(['en-GB', 'zh-CN']), 'en');
  assert.equal(matchLocale(['fr']), 'en');
});

test('a text fills its places and keeps unknown ones', () => {
  assert.equal(t('{count} of {total}', { count: 3 }), '3 of {total}');
});
