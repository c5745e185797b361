// From the place of the cursor to what the popup offers, best first.

import { t } from '../shell/i18n.js';
import {
  kAggregationWords, kBool, kDurations, kFunctions, kGroupings, kGroupMatchings, kMatchings, kMatchOperators, kOperators,
} from './promql_words.js';

export const kMostShown = 60;

/**
 * How well `text` fits a typed `word`: lower is better, null for not at all. A prefix before the
 * start of a part (vllm:request_…) before any place inside, before letters in their order.
 */
export function fit(text, word) {
  if (word === '') return 0;
  const low = text.toLowerCase();
  const typed = word.toLowerCase();
  const at = low.indexOf(typed);
  if (at === 0) return text.length === word.length ? 0 : 1;
  if (at > 0) return /[_:.\-/ ]/.test(low[at - 1]) ? 2 : 3;
  let from = 0;
  let last = -1;
  let holes = 0;
  for (const letter of typed) {
    const found = low.indexOf(letter, from);
    if (found < 0) return null;
    if (last >= 0 && found > last + 1) holes++;
    last = found;
    from = found + 1;
  }
  return typed.length < 2 || holes > 4 ? null : 4 + holes;
}

/** Those of `items` ({text, …}) that fit, best first, ties in their order; at most kMostShown. */
export function choose(items, word) {
  return items.map((item, order) => ({ item, order, rank: fit(item.text, word) }))
    .filter(({ rank }) => rank !== null)
    .sort((a, b) => a.rank - b.rank || a.order - b.order)
    .slice(0, kMostShown)
    .map(({ item }) => item);
}

const call = (kind) => ([name, signature, help]) => ({
  kind, text: name, detail: `${name}(${signature})`, help: t(help), insert: signature === '' ? `${name}()` : `${name}(`,
});

const keyword = ([word, help, after]) => ({ kind: 'keyword', text: word, detail: '', help: t(help), insert: word + after });

/** @param metrics [{name, type, help}] */
function expressionItems(context, metrics) {
  const known = metrics.map(({ name, type, help }) => ({ kind: 'metric', text: name, detail: type, help, insert: name }));
  const items = [
    ...(context.binary ? kMatchings.map(keyword) : []), ...(context.comparison ? [keyword(kBool)] : []),
    ...kAggregationWords.map(call('aggregation')), ...kFunctions.map(call('function')),
  ];
  // Whoever types nothing yet looks for a metric; inside rate( a counter is meant first.
  const counter = /^(rate|irate|increase|resets)$/.test(context.call);
  const wanted = (item) => counter && /counter|histogram/.test(item.detail);
  return [...known.filter(wanted), ...known.filter((item) => !wanted(item)), ...items];
}

/** A label's name in braces brings its operator and quotes along; elsewhere it stands alone. */
function labelItems(context, labels) {
  const used = new Set(context.matchers.map((matcher) => matcher.label));
  return labels.filter((label) => label !== '__name__' && !used.has(label))
    .map((label) => ({ kind: 'label', text: label, detail: '', help: '', insert: label }));
}

const escapeValue = (value, quote) => value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll(quote, `\\${quote}`);

function valueItems(context, values) {
  const regex = context.operator === '=~' || context.operator === '!~';
  const quote = context.quote || '"';
  return values.map((value) => {
    const plain = regex ? value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : value;
    const escaped = quote === '`' ? plain : escapeValue(plain, quote);
    return { kind: 'value', text: value, detail: '', help: '', insert: context.quote ? escaped : `"${escaped}"` };
  });
}

/**
 * @param context of completionContext()
 * @param known {metrics: [{name, type, help}], labels: [], values: []}: what the kind needs
 * @returns [{kind, text, detail, help, insert}]
 */
export function completionsFor(context, known) {
  switch (context.kind) {
    case 'expression': return choose(expressionItems(context, known.metrics), context.word);
    case 'label': return choose(labelItems(context, known.labels), context.word);
    case 'value': return choose(valueItems(context, known.values), valueWord(context));
    case 'grouping': return choose(kGroupings.map(keyword), context.word);
    case 'operator':
      return choose([...(context.afterCall ? [...kGroupings, ...kGroupMatchings] : []), ...kOperators].map(keyword), context.word);
    case 'matchOperator':
      return kMatchOperators.map(([text, help]) => ({ kind: 'operator', text, detail: '', help: t(help), insert: `${text}"` }));
    case 'duration':
      return choose(kDurations.map(([text, help]) => ({ kind: 'duration', text, detail: '', help: help && t(help), insert: text })),
        context.word);
    default: return [];
  }
}

/** In a regular expression only the alternative that is being typed is completed. */
function valueWord(context) {
  return context.word.slice(valueOffset(context));
}

/** Where in a value's `word` the part begins that a completion replaces. */
export function valueOffset(context) {
  const regex = context.operator === '=~' || context.operator === '!~';
  return context.kind === 'value' && regex ? context.word.lastIndexOf('|') + 1 : 0;
}

/** Whether typing alone opens the popup here, or only Ctrl+Space does. */
export function opensByItself(context) {
  if (['label', 'value', 'duration'].includes(context.kind)) return true;
  return context.word.length > 0 && context.kind !== 'none';
}

/**
 * How accepting an item changes the text.
 * @returns {{from, to, insert, cursor, more}}: `insert` takes the place of [from, to), the cursor is
 * then at `cursor`, and `more` says that another completion follows at once
 */
export function accept(text, context, item) {
  const from = context.from + valueOffset(context);
  let { insert } = item;
  let { to } = context;
  let beyond = 0;  // of what the text has already, the cursor goes behind this
  const rest = text.slice(to);
  if (insert.endsWith('(') && rest.trimStart()[0] === '(') insert = insert.slice(0, -1).trimEnd();
  if (item.kind === 'value' && context.quote) {
    if (rest[0] === context.quote) beyond = 1;
    else if (!rest.split(/[,}\n]/)[0].includes(context.quote)) insert += context.quote;
  }
  if (item.kind === 'operator') {
    to += /^"?/.exec(rest)[0].length;
    insert += '"';
    beyond = -1;
  }
  const more = item.kind === 'operator' || (item.kind === 'keyword' && insert.endsWith('('));
  return { from, to, insert, cursor: from + insert.length + beyond, more };
}
