// Ray's documentation shows configurations as Python, too:
//
//   LLMConfig(model_loading_config=dict(model_id="a"), engine_kwargs={"max_num_seqs": 8})
//
// What is written out there is read; nothing is evaluated, and a text that would need it is not taken.

const kCall = /\bLLMConfig\s*(?=\()/g;
const kToken = new RegExp([
  '(?<blank>\\s+|#[^\\n]*|\\\\\\n)',
  '(?<string>[rRuU]?(?:"""[^]*?"""|\'\'\'[^]*?\'\'\'|"(?:[^"\\\\\\n]|\\\\[^])*"|\'(?:[^\'\\\\\\n]|\\\\[^])*\'))',
  '(?<number>[-+]?(?:\\d[\\d_]*\\.?[\\d_]*|\\.\\d[\\d_]*)(?:[eE][-+]?\\d+)?)',
  '(?<name>[A-Za-z_][\\w.]*)',
  '(?<mark>[()[\\]{}:,=])',
].join('|'), 'y');
const kWords = { True: true, False: false, None: null };
const kEscapes = { n: '\n', t: '\t', r: '\r', '\n': '' };
const kClosing = { '(': ')', '[': ']', '{': '}' };

function stringOf(text) {
  const inner = /^[rRuU]?("""|'''|"|')([^]*)\1$/.exec(text)[2];
  return /^[rR]/.test(text) ? inner : inner.replace(/\\([^])/g, (_, letter) => kEscapes[letter] ?? letter);
}

class Reader {
  constructor(text, at) {
    this.text_ = text;
    this.at_ = at;
    this.next_();
  }

  next_() {
    do {
      kToken.lastIndex = this.at_;
      const match = kToken.exec(this.text_);
      if (!match) throw new SyntaxError(`no literal at ${this.at_}`);
      this.at_ = kToken.lastIndex;
      this.kind_ = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
      this.token_ = match[0];
    } while (this.kind_ === 'blank');
  }

  take_(mark) {
    if (this.token_ !== mark) throw new SyntaxError(`'${mark}' is missing at ${this.at_}`);
    this.next_();
  }

  /** The items between two brackets: each is read by `item`. */
  items_(item, isOutermost = false) {
    const closing = kClosing[this.token_];
    const items = [];
    this.next_();
    while (this.token_ !== closing) {
      items.push(item());
      if (this.token_ !== closing) this.take_(',');
    }
    if (!isOutermost) this.next_();  // what follows the call is Python, and not read
    return items;
  }

  /** name(key=value, …) or name({…}); the bracket is the token. */
  call(isOutermost) {
    const items = this.items_(() => (this.kind_ === 'name' ? this.word_() : { positional: this.value_() }), isOutermost);
    if (items.length === 1 && 'positional' in items[0]) return items[0].positional;
    if (items.some((one) => 'positional' in one)) throw new SyntaxError('positional arguments');
    return objectOf(items.map(({ key, value }) => [key, value]));
  }

  /** An argument that begins with a word: key=value, or a value. */
  word_() {
    const word = this.token_;
    this.next_();
    if (this.token_ !== '=') return { positional: this.named_(word) };
    this.next_();
    return { key: word, value: this.value_() };
  }

  named_(word) {
    if (this.token_ === '(') return this.call(false);
    if (word in kWords) return kWords[word];
    throw new SyntaxError(`'${word}' has a value only where the program runs`);
  }

  value_() {
    const { kind_: kind, token_: token } = this;
    if (kind === 'string') {
      let text = '';
      for (; this.kind_ === 'string'; this.next_()) text += stringOf(this.token_);
      return text;
    }
    if (token === '{') return objectOf(this.items_(() => this.pair_()));
    if (token === '[' || token === '(') return this.items_(() => this.value_());
    this.next_();
    if (kind === 'number') return Number(token.replaceAll('_', ''));
    if (kind === 'name') return this.named_(token);
    throw new SyntaxError(`'${token}' begins no literal`);
  }

  pair_() {
    const key = this.value_();
    this.take_(':');
    return [String(key), this.value_()];
  }
}

/** What is None is not said: the default holds. */
const objectOf = (pairs) => Object.fromEntries(pairs.filter(([, value]) => value !== null));

/** The configurations of every LLMConfig(…) in a text, or null where there is none or one is more than literals. */
export function llmConfigsOfPython(text) {
  try {
    const configs = [...text.matchAll(kCall)].map(({ index, 0: { length } }) => new Reader(text, index + length).call(true));
    return configs.length > 0 ? configs : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return null;  // nested without end
    throw error;
  }
}
