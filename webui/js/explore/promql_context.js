// Where in a PromQL expression the cursor stands, and so what can be completed there.

import { annotate, isMeaningful } from './promql_tokens.js';

const kComparisons = new Set(['==', '!=', '<', '>', '<=', '>=']);
const kMatchOperators = new Set(['=', '!=', '=~', '!~']);
const kOperandRoles = new Set(['metric', 'number', 'duration', 'string', 'variable']);
// Arguments of functions that are the names of labels.
const kLabelArguments = {
  label_replace: (argument) => argument === 1 || argument === 3,
  label_join: (argument) => argument === 1 || argument >= 3,
  count_values: (argument) => argument === 0,
};

const nothing = (cursor) => ({ kind: 'none', from: cursor, to: cursor, word: '' });

/** The matchers `label op "value"` among tokens, each as it stands in the text. */
function matchersOf(tokens) {
  const found = [];
  const list = tokens.filter(isMeaningful);
  for (let i = 0; i + 2 < list.length; i++) {
    const [label, operator, value] = list.slice(i, i + 3);
    if (label.kind === 'word' && kMatchOperators.has(operator.text) && value.kind === 'string' && value.closed) {
      found.push({ label: label.text, text: label.text + operator.text + value.text });
    }
  }
  return found;
}

/** The tokens of `suffix` up to the brace that closes the selector the cursor is in. */
function restOfSelector(suffix) {
  const { tokens } = annotate(`{${suffix}`);  // read as the inside of braces
  const end = tokens[0].pair;
  return end === null ? [] : tokens.slice(1, end);
}

function selectorFacts(prefixTokens, frame, suffix) {
  const inside = prefixTokens.slice(prefixTokens.indexOf(frame.open) + 1);
  // A string that the cursor stands in ends in the suffix: what follows it belongs to the selector.
  const last = prefixTokens[prefixTokens.length - 1];
  const rest = last.kind === 'string' && !last.closed ? suffix.slice(suffix.indexOf(last.text[0]) + 1 || suffix.length) : suffix;
  return { metric: frame.name, matchers: [...matchersOf(inside), ...matchersOf(restOfSelector(rest))] };
}

const metricsOf = (tokens) => [...new Set(tokens.filter((token) => token.role === 'metric').map((token) => token.text))];

/** The metrics that an aggregation's labels come from: its argument, before or behind the grouping. */
function groupedMetrics(prefix, frame, suffix) {
  const { tokens } = prefix;
  const behind = annotate(`(${suffix}`).tokens;
  const all = [...new Set([...metricsOf(tokens), ...metricsOf(behind)])];
  if (frame.name !== 'by' && frame.name !== 'without') return all;
  const before = tokens.slice(0, tokens.indexOf(frame.open)).filter(isMeaningful);
  const closing = before[before.length - 2];
  if (closing?.text === ')' && closing.pair !== null) {
    return metricsOf(tokens.slice(closing.pair, tokens.indexOf(closing)));
  }
  const argument = behind.findIndex((token, index) => token.text === '(' && index > 0);
  const end = argument < 0 ? null : behind[argument].pair;
  const found = argument < 0 ? [] : metricsOf(behind.slice(argument, end ?? behind.length));
  return found.length > 0 ? found : all;
}

/** Inside a string that is still open. */
function stringContext(prefix, frame, before, string, suffix) {
  const range = { from: string.start + 1, to: string.end, word: string.text.slice(1), quote: string.text[0] };
  const [operator, label] = [before[before.length - 1], before[before.length - 2]];
  if (frame.kind === 'selector' && kMatchOperators.has(operator?.text) && label?.role === 'label') {
    const facts = selectorFacts(prefix.tokens, frame, suffix);
    const matchers = facts.matchers.filter((matcher) => matcher.label !== label.text);
    return { kind: 'value', ...range, label: label.text, operator: operator.text, ...facts, matchers };
  }
  if (frame.kind === 'call' && kLabelArguments[frame.name.toLowerCase()]?.(frame.argument)) {
    return { kind: 'label', ...range, metrics: metricsOf(prefix.tokens), matchers: [] };
  }
  return { ...nothing(string.end) };
}

function selectorContext(prefix, frame, last, range, suffix) {
  const facts = selectorFacts(prefix.tokens, frame, suffix);
  if (last.text === '{' || last.text === ',') {
    return { kind: 'label', ...range, metrics: facts.metric ? [facts.metric] : [], matchers: facts.matchers };
  }
  if (last.role === 'label' && range.word === '') return { kind: 'matchOperator', ...range };
  if (kMatchOperators.has(last.text)) {
    const tokens = prefix.tokens.filter(isMeaningful);
    const label = tokens[tokens.indexOf(last) - 1]?.text ?? '';
    return { kind: 'value', ...range, label, operator: last.text, quote: '', ...facts };
  }
  return nothing(range.to);
}

function expressionContext(frame, last, range) {
  if (last?.role === 'aggregation') return { kind: 'grouping', ...range };
  const operand = last && (kOperandRoles.has(last.role) || (last.role === 'bracket' && ')}]'.includes(last.text)));
  if (operand) return { kind: 'operator', ...range, afterCall: last.text === ')' };
  const binary = last !== undefined && last.role !== 'bracket' && last.text !== ',';
  return {
    kind: 'expression', ...range, call: frame.kind === 'call' ? frame.name : '', argument: frame.argument,
    binary: binary && (last.role === 'operator' || last.role === 'keyword'), comparison: kComparisons.has(last?.text),
  };
}

/**
 * What can be completed at `cursor`. `from` and `to` bound the `word` that a completion replaces.
 * @returns {{kind, from, to, word, …}} by kind:
 *   expression     a metric, function or aggregation begins; {call, argument, binary, comparison}
 *   grouping       after an aggregation's name: by, without or its parenthesis
 *   operator       after an operand: and, or, offset, by …; {afterCall}
 *   label          a label's name; {metrics, matchers: [{label, text}]}; `quote` inside a string
 *   matchOperator  after a label's name in braces
 *   value          a label's value; {label, operator, quote, metric, matchers}; quote '' before it
 *   duration       after "[" or offset
 *   none           inside comments, numbers and strings that name nothing
 */
export function completionContext(text, cursor) {
  const prefix = annotate(text.slice(0, cursor));
  const suffix = text.slice(cursor);
  const frame = prefix.stack[prefix.stack.length - 1];
  const list = prefix.tokens.filter(isMeaningful);
  const end = prefix.tokens[prefix.tokens.length - 1];
  if (end?.kind === 'comment') return nothing(cursor);
  if (end?.kind === 'string') {
    return end.closed ? nothing(cursor) : stringContext(prefix, frame, list.slice(0, -1), end, suffix);
  }
  const touching = end && ['word', 'number', 'duration', 'variable'].includes(end.kind) ? end : null;
  const last = list[list.length - (touching ? 2 : 1)];
  const range = { from: touching ? touching.start : cursor, to: cursor, word: touching ? touching.text : '' };
  if (frame.kind === 'range' || (last?.role === 'keyword' && /^offset$/i.test(last.text))) {
    return { kind: 'duration', ...range };
  }
  if (touching && touching.kind !== 'word' && touching.kind !== 'variable') return nothing(cursor);
  if (frame.kind === 'selector') return selectorContext(prefix, frame, last, range, suffix);
  if (frame.kind === 'grouping') {
    return { kind: 'label', ...range, metrics: groupedMetrics(prefix, frame, suffix), matchers: [] };
  }
  return expressionContext(frame, last, range);
}
