// PromQL as a person types it: tokens for colours, brackets and completion. Never fails: what the
// server will refuse is still text to be coloured and completed.

const kString = { '"': /"(?:\\[^\n]|[^"\\\n])*"?/y, "'": /'(?:\\[^\n]|[^'\\\n])*'?/y, '`': /`[^`]*`?/y };
const kSpace = /\s+/y;
const kComment = /#[^\n]*/y;
const kVariable = /\$\{\w*(?::\w+)?\}?|\$\w+/y;
const kDuration = /(?:\d+(?:ms|[smhdwy]))+(?!\w)/y;
const kNumber = /0x[\da-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\w*/iy;
const kIdentifier = /[a-zA-Z_:][\w:]*/y;
const kLabelName = /[a-zA-Z_]\w*/y;
const kOperator = /=~|!~|[=!<>]=|[-+*/%^=<>,(){}[\]:@]/y;

export const kAggregations = new Set(['sum', 'avg', 'count', 'min', 'max', 'group', 'stddev', 'stdvar', 'topk',
  'bottomk', 'count_values', 'quantile']);
export const kGroupingWords = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const kOtherWords = new Set(['and', 'or', 'unless', 'atan2', 'offset', 'bool']);

const kCloses = { ')': '(', '}': '{', ']': '[' };

function matchAt(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function nextToken(text, at, depths) {
  const char = text[at];
  const tryKind = (kind, pattern) => {
    const found = matchAt(pattern, text, at);
    return found && { kind, text: found };
  };
  if (kString[char]) {
    const found = matchAt(kString[char], text, at);
    return { kind: 'string', text: found, closed: found.length > 1 && found.endsWith(char) };
  }
  const word = depths.bracket > 0 || depths.brace > 0 ? kLabelName : kIdentifier;
  return tryKind('space', kSpace) || tryKind('comment', kComment) || tryKind('variable', kVariable)
    || tryKind('duration', kDuration) || tryKind('number', kNumber) || tryKind('word', word)
    || tryKind('operator', kOperator) || { kind: 'unknown', text: char };
}

/** @returns [{kind, text, start, end, closed}], without gaps; `closed` is said of strings. */
export function tokenize(text) {
  const tokens = [];
  const depths = { bracket: 0, brace: 0 };
  for (let at = 0; at < text.length;) {
    const token = nextToken(text, at, depths);
    if (token.kind === 'operator') {
      if (token.text === '[') depths.bracket++;
      else if (token.text === ']') depths.bracket = Math.max(0, depths.bracket - 1);
      else if (token.text === '{') depths.brace++;
      else if (token.text === '}') depths.brace = Math.max(0, depths.brace - 1);
    }
    tokens.push({ ...token, start: at, end: at + token.text.length });
    at += token.text.length;
  }
  return tokens;
}

export const isMeaningful = (token) => token.kind !== 'space' && token.kind !== 'comment';

function wordRole(token, frame, next) {
  const lower = token.text.toLowerCase();
  if (frame.kind === 'selector' || frame.kind === 'grouping') return 'label';
  if (lower === 'inf' || lower === 'nan') return 'number';
  if (kGroupingWords.has(lower) || kOtherWords.has(lower)) return 'keyword';
  const called = next?.text === '(';
  const grouped = next?.kind === 'word' && /^(by|without)$/i.test(next.text);
  if (kAggregations.has(lower) && (called || grouped || !next)) return 'aggregation';
  return called ? 'function' : 'metric';
}

/** What a bracket opens, from the words before it. */
function openFrame(token, before, afterGrouping) {
  const frame = { kind: 'paren', name: '', argument: 0, open: token, aggregationBefore: null };
  if (token.text === '[') frame.kind = 'range';
  if (token.text === '{') Object.assign(frame, { kind: 'selector', name: before?.role === 'metric' ? before.text : '' });
  if (token.text !== '(') return frame;
  if (before?.role === 'keyword' && kGroupingWords.has(before.text.toLowerCase())) {
    Object.assign(frame, { kind: 'grouping', name: before.text.toLowerCase() });
  } else if (before?.role === 'function' || before?.role === 'aggregation') {
    Object.assign(frame, { kind: 'call', name: before.text });
  } else if (before?.text === ')' && afterGrouping) {
    Object.assign(frame, { kind: 'call', name: afterGrouping });
  }
  return frame;
}

/**
 * Adds to every token its `role`: metric, label, function, aggregation, keyword, number, duration,
 * string, operator, bracket, variable, comment, space or unknown; and to brackets their `pair`, the
 * index of the other one, or null.
 * @returns {{tokens, stack}}: the frames that are still open at the end, outermost first
 */
export function annotate(text) {
  const tokens = tokenize(text);
  const meaningful = tokens.filter(isMeaningful);
  const stack = [{ kind: 'top', name: '', argument: 0 }];
  const open = [];  // indices of brackets
  let afterGrouping = '';  // the aggregation whose by (…) has just closed
  let position = -1;
  tokens.forEach((token, index) => {
    token.role = token.kind;
    if (!isMeaningful(token)) return;
    const before = meaningful[position++];
    const frame = stack[stack.length - 1];
    if (token.kind === 'word') token.role = wordRole(token, frame, meaningful[position + 1]);
    if (token.text === ',') frame.argument++;
    if ('([{'.includes(token.text)) {
      const opened = openFrame(token, before, afterGrouping);
      const word = meaningful[position - 2];
      if (opened.kind === 'grouping' && word?.role === 'aggregation') opened.aggregationBefore = word.text;
      stack.push(opened);
      open.push(index);
      Object.assign(token, { role: 'bracket', pair: null });
    } else if (kCloses[token.text]) {
      Object.assign(token, { role: 'bracket', pair: null });
      const from = open[open.length - 1];
      if (from !== undefined && tokens[from].text === kCloses[token.text]) {
        open.pop();
        token.pair = from;
        tokens[from].pair = index;
        afterGrouping = stack.pop().aggregationBefore ?? '';
        return;
      }
    }
    afterGrouping = '';
  });
  return { tokens, stack };
}

/** The bracket at either side of the cursor and its partner: [start, start], [start] alone, or []. */
export function bracketsAt(tokens, cursor) {
  const at = tokens.find((token) => token.role === 'bracket' && (token.end === cursor || token.start === cursor));
  if (!at) return [];
  return at.pair === null ? [at.start] : [at.start, tokens[at.pair].start];
}
