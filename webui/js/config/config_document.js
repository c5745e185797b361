// A model configuration as text that a form can edit: the text is the truth, and an edit changes as
// few of its letters as it can. Comments, order and spelling stay those of the person who wrote it.
//
// Each edit is first tried in place, by the places of the nodes; if what comes out does not read as
// what was meant, the whole text is written anew (comments still stay, line breaks may not).

const kMostModels = 1000;

const isMap = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** ['llm_configs', 0, 'engine_kwargs'] -> "llm_configs[0].engine_kwargs", as the box spells paths. */
export function pathText(path) {
  return path.reduce((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${key}` : key), '');
}

export function getIn(json, path) {
  return path.reduce((value, key) => (value === null || typeof value !== 'object' ? undefined : value[key]), json);
}

/** A copy of `json` with `value` at `path`; undefined removes, and takes maps along that become empty. */
function withIn(json, path, value) {
  const [key, ...rest] = path;
  if (path.length === 0) return value;
  const copy = Array.isArray(json) ? [...json] : { ...(isMap(json) ? json : {}) };
  const inner = withIn(copy[key], rest, value);
  const empty = inner === undefined || (value === undefined && isMap(inner) && Object.keys(inner).length === 0);
  if (!empty) copy[key] = inner;
  else if (Array.isArray(copy)) copy.splice(key, 1);
  else delete copy[key];
  return copy;
}

const same = (left, right) => JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

/** The path of the list of models in a document of any of Ray's forms; null for one LLMConfig. */
function modelListPath(json) {
  if (Array.isArray(json)) return [];
  if (Array.isArray(json?.llm_configs)) return ['llm_configs'];
  const index = Array.isArray(json?.applications)
    ? json.applications.findIndex((one) => Array.isArray(one?.args?.llm_configs)) : -1;
  return index < 0 ? null : ['applications', index, 'args', 'llm_configs'];
}

function allModelPaths(json) {
  const list = (path) => getIn(json, path).map((_, index) => [...path, index]);
  if (Array.isArray(json?.applications)) {
    return json.applications.flatMap((one, index) => (
      Array.isArray(one?.args?.llm_configs) ? list(['applications', index, 'args', 'llm_configs']) : []));
  }
  const path = modelListPath(json);
  if (path) return list(path);
  return isMap(json) && !('llm_configs' in json) && Object.keys(json).length > 0 ? [[]] : [];
}

export class ConfigDocument {
  /** @param yaml the library; @param text YAML or JSON */
  constructor(yaml, text) {
    this.yaml_ = yaml;
    this.text = text;
    this.node_ = yaml.parseDocument(text, { keepSourceTokens: false, logLevel: 'silent' });
    const [error] = this.node_.errors;
    this.problem = error ? error.message.split('\n')[0].replace(/:$/, '') : null;
    this.json = null;
    if (this.problem) return;
    try {
      this.json = this.node_.toJS({ maxAliasCount: 100 });
    } catch (raised) {
      this.problem = raised.message;
    }
  }

  /** [{path, json}]; json may be something that is no map: then the form has nothing to edit there. */
  models() {
    return allModelPaths(this.json).slice(0, kMostModels).map((path) => ({ path, json: getIn(this.json, path) }));
  }

  get canAddModel() {
    return this.problem === null && (this.json === null || modelListPath(this.json) !== null);
  }

  /** The text with `value` at `path`; undefined removes the field: what the box takes by default holds. */
  set(path, value) {
    const wanted = withIn(this.json, path, value);
    if (same(wanted, this.json)) return this.text;
    const inPlace = value === undefined ? this.removeInPlace_(path) : this.setInPlace_(path, value);
    return this.firstThatReads_(wanted, [inPlace, () => this.rewritten_(path, value, wanted)]);
  }

  /** The text with another name for a key; null where there is no such key. Its value and place stay. */
  renameKey(path, name) {
    const parent = path.length === 1 ? this.node_.contents : this.node_.getIn(path.slice(0, -1), true);
    const pair = this.yaml_.isMap(parent) && parent.items.find(({ key }) => String(key.value ?? key) === String(path.at(-1)));
    if (!pair) return null;
    const [start, end] = pair.key.range;
    return this.text.slice(0, start) + this.scalar_(name) + this.text.slice(end);
  }

  addModel(json) {
    if (this.json === null) return this.yaml_.stringify({ llm_configs: [json] }, { lineWidth: 0 });
    const list = modelListPath(this.json);
    const path = [...list, getIn(this.json, list).length];
    return this.set(path, json);
  }

  removeModel(path) {
    const list = path.slice(0, -1);
    const kept = getIn(this.json, list).filter((_, index) => index !== path.at(-1));
    const wanted = withIn(this.json, list, kept);
    const attempt = kept.length > 0 && this.removeInPlace_(path);
    return this.firstThatReads_(wanted, [attempt, () => this.rewritten_(list, kept, wanted)]);
  }

  firstThatReads_(wanted, attempts) {
    for (const attempt of attempts.filter(Boolean)) {
      const text = typeof attempt === 'function' ? attempt() : attempt;
      const read = new ConfigDocument(this.yaml_, text);
      if (!read.problem && same(read.json, wanted)) return text;
    }
    return this.yaml_.stringify(wanted, { lineWidth: 0 });
  }

  get isJson_() {
    return /^\s*[[{]/.test(this.text);
  }

  rewritten_(path, value, wanted) {
    if (this.isJson_) {
      const indent = /\n([ \t]+)\S/.exec(this.text)?.[1] ?? (this.text.includes('\n') ? '  ' : '');
      return `${JSON.stringify(wanted, null, indent || 1)}\n`;
    }
    const document = this.yaml_.parseDocument(this.text);
    // What stands in the way of the path (`engine_kwargs:` with nothing behind it) is replaced whole.
    const goes = (end) => getIn(wanted, path.slice(0, end)) === undefined;
    let depth = 1;
    while (depth < path.length && !goes(depth) && this.yaml_.isCollection(document.getIn(path.slice(0, depth), true))) depth++;
    const place = path.slice(0, depth);
    if (getIn(wanted, place) === undefined) document.deleteIn(place);
    else document.setIn(place, document.createNode(getIn(wanted, place)));
    const indent = /\n( {2,8})\S/.exec(this.text)?.[1].length ?? 2;
    return document.toString({ lineWidth: 0, indent, flowCollectionPadding: false });
  }

  scalar_(value) {
    if (this.isJson_) return JSON.stringify(value);
    const text = this.yaml_.stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trimEnd();
    return text.includes('\n') ? JSON.stringify(value) : text;
  }

  /** A value replaced by another on its own place, or a new key below the last one of its map. */
  setInPlace_(path, value) {
    const { yaml_: yaml, text } = this;
    const node = this.node_.getIn(path, true);
    if (yaml.isNode(node)) {
      const plain = yaml.isScalar(node) && !node.anchor && node.range[1] > node.range[0];
      if (!plain || (value !== null && typeof value === 'object')) return null;
      return text.slice(0, node.range[0]) + this.scalar_(value) + text.slice(node.range[1]);
    }
    // What is missing is added to the deepest map that is there.
    let depth = path.length - 1;
    while (depth > 0 && !yaml.isCollection(this.node_.getIn(path.slice(0, depth), true))) depth--;
    const parent = depth === 0 ? this.node_.contents : this.node_.getIn(path.slice(0, depth), true);
    if (!yaml.isCollection(parent) || parent.flow || parent.items.length === 0) return null;
    const rest = path.slice(depth + 1).reduceRight((inner, key) => ({ [key]: inner }), value);
    return this.appended_(parent, path[depth], rest);
  }

  appended_(parent, key, value) {
    const { yaml_: yaml, text } = this;
    const isList = yaml.isSeq(parent);
    const first = isList ? parent.items[0] : parent.items[0].key;
    let column = first.range[0] - this.lineStart_(first.range[0]);
    if (isList) column = text.slice(this.lineStart_(first.range[0])).indexOf('-');
    const indent = this.indentStep_();
    const lines = yaml.stringify(isList ? [value] : { [key]: value }, { lineWidth: 0, indent }).trimEnd().split('\n');
    const last = parent.items.at(-1);
    const end = this.lineEnd_(this.contentEnd_(isList ? last : last.value ?? last.key));
    return `${text.slice(0, end)}\n${lines.map((line) => ' '.repeat(column) + line).join('\n')}${text.slice(end)}`;
  }

  /** The lines of a key, or of an item of a list, go; a map that would be empty goes whole. */
  removeInPlace_(path) {
    const { yaml_: yaml, text } = this;
    const parentPath = path.slice(0, -1);
    const parent = parentPath.length === 0 ? this.node_.contents : this.node_.getIn(parentPath, true);
    if (!yaml.isCollection(parent) || parent.flow) return null;
    if (yaml.isMap(parent) && parent.items.length === 1 && typeof path.at(-2) === 'string') return this.removeInPlace_(parentPath);
    const item = yaml.isSeq(parent) ? parent.items[path.at(-1)]
      : parent.items.find(({ key }) => String(key.value ?? key) === String(path.at(-1)));
    if (!item) return null;
    const start = this.lineStart_((yaml.isSeq(parent) ? item : item.key).range[0]);
    const end = this.lineEnd_(this.contentEnd_(yaml.isSeq(parent) ? item : item.value ?? item.key));
    return text.slice(0, start) + text.slice(end + 1);
  }

  /** How deep this text indents a map in a map. */
  indentStep_() {
    let step = 2;
    this.yaml_.visit(this.node_, { Pair: (_, pair) => {
      if (!this.yaml_.isMap(pair.value) || pair.value.flow || pair.value.items.length === 0) return undefined;
      const column = (node) => node.range[0] - this.lineStart_(node.range[0]);
      step = Math.max(2, column(pair.value.items[0].key) - column(pair.key));
      return this.yaml_.visit.BREAK;
    } });
    return step;
  }

  /** Where the last letter of a node's own content ends: comments below it belong to what follows. */
  contentEnd_(node) {
    const { yaml_: yaml } = this;
    if (yaml.isCollection(node) && !node.flow && node.items.length > 0) {
      const last = node.items.at(-1);
      return this.contentEnd_(yaml.isPair(last) ? (last.value?.range ? last.value : last.key) : last);
    }
    const end = node.range[1];
    return this.text.slice(0, end).trimEnd().length;
  }

  lineStart_(offset) {
    return this.text.lastIndexOf('\n', offset - 1) + 1;
  }

  lineEnd_(offset) {
    const end = this.text.indexOf('\n', offset);
    return end < 0 ? this.text.length : end;
  }
}
