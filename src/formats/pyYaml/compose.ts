import type { Budget } from "../../base/budget";
import { ModelbenchError } from "../../base/errors";
import { yamlError } from "./cursor";
import type { MappingNode, ScalarNode, SequenceNode, YamlNode } from "./nodes";
import { resolvePlain, TAG } from "./resolve";
import { Scanner, type Token } from "./scanner";

/** Aliases that a text may use; BentoML writes at most one a method. */
const MAX_ALIASES = 100;
/** Nodes once every alias is written out; what a consumer may have to walk. */
const MAX_EXPANDED_NODES = 50_000;

/** PyYAML's reader refuses every other character. */
const UNPRINTABLE = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** One entry of a mapping, as indices of tokens: its key begins at `key`, its `:` (if any) stands at `value`. */
export interface PairTokens {
  readonly key: number;
  readonly value: number;
  /** The token after the entry. */
  readonly end: number;
}

/** Where a mapping stands: `first` and `end` are indices of its first token, properties left out, and of the one after. */
export interface MappingTokens {
  readonly first: number;
  end: number;
  readonly pairs: PairTokens[];
}

/** A parsed text with the places of everything that can be edited. */
export interface Outline {
  readonly root: YamlNode;
  readonly tokens: readonly Token[];
  /** For every mapping at its anchor's place; in the order of `MappingNode.pairs`. */
  readonly mappings: ReadonlyMap<YamlNode, MappingTokens>;
  readonly anchors: ReadonlyMap<string, YamlNode>;
}

/** The anchor and the resolved tag in front of a node. */
interface Properties {
  readonly anchor: string | undefined;
  readonly tag: string | undefined;
  readonly start: number;
}

/** Where a node may stand, which decides what may begin it. */
interface Place {
  readonly block: boolean;
  readonly indentless: boolean;
}

const BLOCK: Place = { block: true, indentless: false };
const BLOCK_VALUE: Place = { block: true, indentless: true };
const FLOW: Place = { block: false, indentless: false };

/**
 * Parses a text into one node, aliases shared; `undefined` for a text without a document.
 * @throws ModelbenchError `yaml.invalid`, `budget.exceeded`
 * @see PyYAML 6.0.3 yaml/parser.py, yaml/composer.py
 */
export function composeYaml(text: string, budget: Budget): YamlNode | undefined {
  const bad = UNPRINTABLE.exec(text);
  if (bad !== null) throw yamlError(text, bad.index, "a control character or an unpaired surrogate");
  return new Composer(text, new Scanner(text).scan(), budget).document();
}

/** The same with the places of all mappings; `undefined` for a text without a document. */
export function outlineYaml(text: string, budget: Budget): Outline | undefined {
  const tokens = new Scanner(text).scan();
  const composer = new Composer(text, tokens, budget);
  const root = composer.document();
  return root && { root, tokens, mappings: composer.mappings, anchors: composer.anchors };
}

class Composer {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #budget: Budget;
  readonly anchors = new Map<string, YamlNode>();
  readonly mappings = new Map<YamlNode, MappingTokens>();
  readonly #open = new Set<YamlNode>();
  readonly #weights = new Map<YamlNode, number>();
  #handles: ReadonlyMap<string, string> = new Map();
  #aliases = 0;
  #next = 0;

  constructor(text: string, tokens: readonly Token[], budget: Budget) {
    this.#text = text;
    this.#tokens = tokens;
    this.#budget = budget;
  }

  document(): YamlNode | undefined {
    const first = this.#peek().kind;
    if (first === "end of the text") return undefined;
    const explicit = first === "directive" || first === "start of a document";
    this.#handles = this.#directives();
    if (explicit) this.#expect("start of a document");
    const bare = this.#at("directive", "start of a document", "end of a document", "end of the text");
    const node = explicit && bare ? this.#empty() : this.#node(BLOCK);
    while (this.#at("end of a document")) this.#next += 1;
    if (!this.#at("end of the text")) throw this.#unexpected("the end of the text");
    return node;
  }

  #directives(): ReadonlyMap<string, string> {
    const handles = new Map<string, string>();
    let versions = 0;
    for (let token = this.#peek(); token.kind === "directive"; token = this.#peek()) {
      const { directive } = token;
      if (directive.name === "YAML") {
        versions += 1;
        if (versions > 1 || directive.major !== 1)
          throw this.#error(token.start, "only one directive %YAML 1.x may stand here");
      } else if (directive.name === "TAG") {
        if (handles.has(directive.handle))
          throw this.#error(token.start, `the tag handle ${directive.handle} is declared twice`);
        handles.set(directive.handle, directive.prefix);
      }
      this.#next += 1;
    }
    if (!handles.has("!")) handles.set("!", "!");
    if (!handles.has("!!")) handles.set("!!", "tag:yaml.org,2002:");
    return handles;
  }

  #node(place: Place): YamlNode {
    const token = this.#peek();
    if (token.kind === "alias") return this.#alias(token.name, token.start);
    const properties = this.#properties();
    const { anchor } = properties;
    if (anchor !== undefined && this.anchors.has(anchor)) {
      throw this.#error(properties.start, `the anchor ${anchor} is defined twice`);
    }
    this.#budget.enter();
    const node = this.#content(place, properties);
    this.#budget.leave();
    return node;
  }

  #alias(name: string, start: number): YamlNode {
    const node = this.anchors.get(name);
    if (node === undefined) throw this.#error(start, `the alias ${name} names no anchor before it`);
    if (this.#open.has(node)) throw this.#error(start, `the alias ${name} stands inside the value it names`);
    this.#aliases += 1;
    if (this.#aliases > MAX_ALIASES) throw this.#exceeded(start, `more than ${MAX_ALIASES} aliases`);
    this.#next += 1;
    return node;
  }

  #properties(): Properties {
    let anchor: string | undefined;
    let tag: string | undefined;
    const { start } = this.#peek();
    for (let left = 2; left > 0; left -= 1) {
      const token = this.#peek();
      if (token.kind === "anchor" && anchor === undefined) anchor = token.name;
      else if (token.kind === "tag" && tag === undefined) tag = this.#tagOf(token);
      else break;
      this.#next += 1;
    }
    return { anchor, tag, start };
  }

  #tagOf({ tag, start }: Token & { kind: "tag" }): string {
    if (tag.handle === undefined) return tag.suffix;
    const prefix = this.#handles.get(tag.handle);
    if (prefix === undefined) throw this.#error(start, `the tag handle ${tag.handle} is not declared`);
    return prefix + tag.suffix;
  }

  #content(place: Place, properties: Properties): YamlNode {
    const token = this.#peek();
    if (place.indentless && token.kind === "-") return this.#list(properties, "indentless");
    if (token.kind === "scalar") {
      this.#next += 1;
      return this.#scalar(properties, token.text, token.plain);
    }
    if (token.kind === "[") return this.#flowList(properties);
    if (token.kind === "{") return this.#flowMapping(properties);
    if (place.block && token.kind === "start of a list") return this.#list(properties, "block");
    if (place.block && token.kind === "start of a mapping") return this.#mapping(properties);
    if (properties.anchor === undefined && properties.tag === undefined) throw this.#unexpected("a value");
    return this.#scalar(properties, "", true);
  }

  #scalar({ anchor, tag, start }: Properties, value: string, plain: boolean): ScalarNode {
    const resolved = tag === "!" || (tag === undefined && plain) ? resolvePlain(value) : (tag ?? TAG.str);
    const node: ScalarNode = { kind: "scalar", tag: resolved, value, start };
    this.#begin(node, anchor);
    this.#open.delete(node);
    return node;
  }

  #empty(): ScalarNode {
    return this.#scalar({ anchor: undefined, tag: undefined, start: this.#peek().start }, "", true);
  }

  /** A list of `- ` entries, either deeper than its key or (indentless) in the same column. */
  #list(properties: Properties, layout: "block" | "indentless"): SequenceNode {
    const node = this.#openList(properties);
    if (layout === "block") this.#next += 1;
    while (this.#at("-")) {
      this.#next += 1;
      const bare = layout === "block" ? this.#at("-", "end of a block") : this.#at("-", "?", ":", "end of a block");
      this.#add(node, bare ? this.#empty() : this.#node(BLOCK));
    }
    if (layout === "block") this.#expect("end of a block");
    this.#open.delete(node);
    return node;
  }

  #mapping(properties: Properties): MappingNode {
    const node = this.#openMapping(properties);
    this.#next += 1;
    while (this.#at("?")) this.#pair(node, (mark) => this.#blockPart(mark));
    this.#expect("end of a block");
    return this.#closeMapping(node);
  }

  #blockPart(mark: "?" | ":"): YamlNode {
    if (!this.#at(mark)) return this.#empty();
    this.#next += 1;
    return this.#at("?", ":", "end of a block") ? this.#empty() : this.#node(BLOCK_VALUE);
  }

  #flowList(properties: Properties): SequenceNode {
    const node = this.#openList(properties);
    this.#next += 1;
    for (let first = true; !this.#at("]"); first = false) {
      if (!first) this.#expect(",");
      if (this.#at("?")) this.#add(node, this.#flowPair());
      else if (!this.#at("]")) this.#add(node, this.#node(FLOW));
    }
    this.#next += 1;
    this.#open.delete(node);
    return node;
  }

  /** `[a: b]` holds a mapping of one pair. */
  #flowPair(): MappingNode {
    const node = this.#openMapping({ anchor: undefined, tag: undefined, start: this.#peek().start });
    this.#pair(node, (mark) => this.#flowPart(mark, "]"));
    return this.#closeMapping(node);
  }

  #flowMapping(properties: Properties): MappingNode {
    const node = this.#openMapping(properties);
    this.#next += 1;
    for (let first = true; !this.#at("}"); first = false) {
      if (!first) this.#expect(",");
      if (this.#at("?")) this.#pair(node, (mark) => this.#flowPart(mark, "}"));
      else if (!this.#at("}")) this.#pair(node, (mark) => (mark === "?" ? this.#node(FLOW) : this.#empty()));
    }
    this.#next += 1;
    return this.#closeMapping(node);
  }

  #flowPart(mark: "?" | ":", close: "]" | "}"): YamlNode {
    if (!this.#at(mark)) return this.#empty();
    this.#next += 1;
    const bare = this.#at(",", close) || (mark === "?" && this.#at(":"));
    return bare ? this.#empty() : this.#node(FLOW);
  }

  #openList({ anchor, tag, start }: Properties): SequenceNode {
    const node: SequenceNode = { kind: "sequence", tag: collectionTag(tag, TAG.seq), items: [], start };
    this.#begin(node, anchor);
    return node;
  }

  #openMapping({ anchor, tag, start }: Properties): MappingNode {
    const node: MappingNode = { kind: "mapping", tag: collectionTag(tag, TAG.map), pairs: [], start };
    this.#begin(node, anchor);
    this.mappings.set(node, { first: this.#next, end: this.#next, pairs: [] });
    return node;
  }

  #closeMapping(node: MappingNode): MappingNode {
    const place = this.mappings.get(node);
    if (place !== undefined) place.end = this.#next;
    this.#open.delete(node);
    return node;
  }

  #pair(node: MappingNode, read: (mark: "?" | ":") => YamlNode): void {
    const key = this.#next;
    const keyNode = read("?");
    const value = this.#next;
    this.#addPair(node, keyNode, read(":"));
    this.mappings.get(node)?.pairs.push({ key, value, end: this.#next });
  }

  #begin(node: YamlNode, anchor: string | undefined): void {
    this.#budget.nodes();
    this.#open.add(node);
    this.#weights.set(node, 1);
    if (anchor !== undefined) this.anchors.set(anchor, node);
  }

  #add(list: SequenceNode, item: YamlNode): void {
    list.items.push(item);
    this.#weigh(list, item);
  }

  #addPair(mapping: MappingNode, key: YamlNode, value: YamlNode): void {
    mapping.pairs.push([key, value]);
    this.#weigh(mapping, key);
    this.#weigh(mapping, value);
  }

  #weigh(parent: YamlNode, child: YamlNode): void {
    const weight = (this.#weights.get(parent) ?? 1) + (this.#weights.get(child) ?? 1);
    if (weight > MAX_EXPANDED_NODES) throw this.#exceeded(child.start, `more than ${MAX_EXPANDED_NODES} values`);
    this.#weights.set(parent, weight);
  }

  #peek(): Token {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw this.#error(this.#text.length, "the text ends too early");
    return token;
  }

  #at(...kinds: readonly Token["kind"][]): boolean {
    return kinds.includes(this.#peek().kind);
  }

  #expect(kind: Token["kind"]): void {
    if (!this.#at(kind)) throw this.#unexpected(named(kind));
    this.#next += 1;
  }

  #unexpected(wanted: string): ModelbenchError {
    const token = this.#peek();
    return this.#error(token.start, `expected ${wanted}, found ${named(token.kind)}`);
  }

  #error(offset: number, message: string): ModelbenchError {
    return yamlError(this.#text, offset, message);
  }

  #exceeded(offset: number, what: string): ModelbenchError {
    return new ModelbenchError("budget.exceeded", `YAML with ${what} is not read.`, { offset });
  }
}

function collectionTag(tag: string | undefined, standard: string): string {
  return tag === undefined || tag === "!" ? standard : tag;
}

function named(kind: Token["kind"]): string {
  if (kind.length === 1) return `"${kind}"`;
  return kind.startsWith("start") || kind.startsWith("end") ? `the ${kind}` : `a ${kind}`;
}
