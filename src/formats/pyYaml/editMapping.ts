import type { MappingTokens, Outline, PairTokens } from "./compose";
import { constructValue } from "./construct";
import { dumpEntry } from "./dump";
import { flowPair, flowText } from "./flow";
import type { MappingNode, YamlNode } from "./nodes";
import { afterBreak, endAmong, followsBreak, lineEnd, lineStart, type Patch, tokenEnd } from "./patches";
import { TAG } from "./resolve";
import { isYamlMap, keyIdentity, type YamlKey, YamlSet, type YamlValue } from "./values";

/** One change of a document: the value at a path of keys; `undefined` takes the entry away. */
export interface YamlChange {
  readonly path: readonly YamlKey[];
  readonly value: YamlValue | undefined;
}

/** A mapping in its place, with the entry of the block mapping it is the value of. */
interface Place {
  readonly node: MappingNode;
  readonly tokens: MappingTokens;
  readonly isFlow: boolean;
  readonly parent: { readonly place: Place; readonly pair: PairTokens } | undefined;
}

/**
 * Ways to make a change in a text, the one that touches least first; none where the entry is not written in its place.
 * Whether a way means what it should is for the caller to find out.
 */
export function candidatesFor(text: string, outline: Outline, { path, value }: YamlChange): Patch[][] {
  return new MappingEditor(text, outline).candidates(path, value);
}

class MappingEditor {
  readonly #text: string;
  readonly #outline: Outline;

  constructor(text: string, outline: Outline) {
    this.#text = text;
    this.#outline = outline;
  }

  candidates(path: readonly YamlKey[], value: YamlValue | undefined): Patch[][] {
    const freed: Patch[] = [];
    let place = this.#place(this.#outline.root, undefined);
    for (const key of path.slice(0, -1)) {
      const pair = place && this.#pairs(place, key).at(-1);
      if (place === undefined || pair === undefined) return [];
      const { node, tokens } = pair;
      // What an alias stands for is changed by writing it out, one level up.
      if (this.#kind(tokens.value + 1) === "alias") return [];
      freed.push(...this.#withoutAnchor(tokens));
      place = this.#place(node, { place, pair: tokens });
    }
    const key = path.at(-1);
    if (place === undefined || key === undefined) return [];
    const ways = value === undefined ? this.#removals(place, key) : this.#settings(place, key, value);
    return ways.map((patches) => [...freed, ...patches]);
  }

  #place(node: YamlNode, parent: Place["parent"]): Place | undefined {
    const tokens = this.#outline.mappings.get(node);
    if (node.kind !== "mapping" || tokens === undefined || node.tag !== TAG.map) return undefined;
    return { node, tokens, isFlow: this.#kind(tokens.first) === "{", parent };
  }

  /** The mapping's own entries of a key; of several the last one counts. */
  #pairs({ node, tokens }: Place, key: YamlKey): { node: YamlNode; tokens: PairTokens }[] {
    return node.pairs.flatMap(([keyNode, valueNode], index) => {
      const pair = tokens.pairs[index];
      if (pair === undefined || keyNode.tag === TAG.merge || this.#keyOf(keyNode) !== keyIdentity(key)) return [];
      return [{ node: valueNode, tokens: pair }];
    });
  }

  #keyOf(node: YamlNode): string | undefined {
    if (node.kind === "scalar" && node.tag === TAG.value) return keyIdentity(node.value);
    const key = constructValue(this.#text, node);
    return Array.isArray(key) || isYamlMap(key) || key instanceof YamlSet ? undefined : keyIdentity(key);
  }

  /** A mapping that others repeat by an alias must not change for them. */
  #withoutAnchor({ value, end }: PairTokens): Patch[] {
    const { tokens } = this.#outline;
    for (let index = value + 1; index < Math.min(end, value + 3); index += 1) {
      const token = tokens[index];
      if (token?.kind !== "anchor") continue;
      const isUsed = tokens.some((other) => other.kind === "alias" && other.name === token.name);
      // The space in front goes with it: what follows is set off by its own.
      const from = this.#text[token.start - 1] === " " ? token.start - 1 : token.start;
      return isUsed ? [{ from, to: token.end, text: "" }] : [];
    }
    return [];
  }

  #settings(place: Place, key: YamlKey, value: YamlValue): Patch[][] {
    const pair = this.#pairs(place, key).at(-1);
    if (pair !== undefined) return this.#replacements(place, pair.tokens, key, value);
    if (place.isFlow) return [...this.#unfolded(place, key, value), ...this.#flowInsertion(place, key, value)];
    return this.#blockInsertions(place, key, value);
  }

  #replacements(place: Place, pair: PairTokens, key: YamlKey, value: YamlValue): Patch[][] {
    const colonEnd = this.#kind(pair.value) === ":" ? tokenEnd(this.#token(pair.value)) : undefined;
    const keyEnd = endAmong(this.#outline.tokens, pair.key, pair.value);
    if (colonEnd === undefined) {
      if (!place.isFlow || keyEnd === undefined) return [];
      return [[{ from: keyEnd, to: keyEnd, text: `: ${flowText(value)}` }]];
    }
    const to = Math.max(endAmong(this.#outline.tokens, pair.value, pair.end) ?? colonEnd, colonEnd);
    if (place.isFlow) return [[{ from: colonEnd, to, text: ` ${flowText(value)}` }]];
    const text = dumpEntry(key, value, this.#column(pair)).afterKey;
    return [[{ from: colonEnd, to, text: to > colonEnd && followsBreak(this.#text, to) ? `${text}\n` : text }]];
  }

  #blockInsertions(place: Place, key: YamlKey, value: YamlValue): Patch[][] {
    const { pairs } = place.tokens;
    const [first] = pairs;
    const start = first && this.#token(first.key)?.start;
    if (first === undefined || start === undefined) return [];
    const column = this.#column(first);
    const entry = dumpEntry(key, value, column).whole;
    const margin = " ".repeat(column);
    // Behind a text that ends with the file, without a line break, nothing can be added that is not part of it.
    const behind = pairs.slice(-2).reverse();
    const ends = behind.flatMap((pair) => endAmong(this.#outline.tokens, pair.key, pair.end) ?? []);
    const ways = ends.map((end) => [this.#newLine(end, margin + entry)]);
    return [...ways, [{ from: start, to: start, text: `${entry}\n${margin}` }]];
  }

  /** Puts lines after the one that ends at or after `at`; a text without a line break at its end stays so. */
  #newLine(at: number, lines: string): Patch {
    if (followsBreak(this.#text, at)) return { from: at, to: at, text: `${lines}\n` };
    const end = lineEnd(this.#text, at);
    if (end === this.#text.length) return { from: end, to: end, text: `\n${lines}` };
    const next = afterBreak(this.#text, end);
    return { from: next, to: next, text: `${lines}\n` };
  }

  /** An empty `{}` below a block's key is filled as PyYAML writes a mapping there, in lines. */
  #unfolded({ tokens, parent }: Place, key: YamlKey, value: YamlValue): Patch[][] {
    const open = this.#token(tokens.first)?.start;
    const close = tokenEnd(this.#token(tokens.end - 1));
    if (tokens.pairs.length > 0 || open === undefined || close === undefined) return [];
    if (parent === undefined || parent.place.isFlow) return [];
    const column = this.#column(parent.pair) + 2;
    const lines = " ".repeat(column) + dumpEntry(key, value, column).whole;
    const from = this.#text[open - 1] === " " ? open - 1 : open;
    return [[{ from, to: close, text: "" }, this.#newLine(close, lines)]];
  }

  #flowInsertion({ tokens }: Place, key: YamlKey, value: YamlValue): Patch[][] {
    const last = tokens.pairs.at(-1);
    const text = flowPair(key, value);
    const at = last ? endAmong(this.#outline.tokens, last.key, last.end) : tokenEnd(this.#token(tokens.first));
    return at === undefined ? [] : [[{ from: at, to: at, text: last ? `, ${text}` : text }]];
  }

  #removals(place: Place, key: YamlKey): Patch[][] {
    const pairs = this.#pairs(place, key).map(({ tokens }) => tokens);
    if (pairs.length === 0) return [];
    if (place.isFlow) return [pairs.map((pair) => this.#flowRemoval(place, pair))];
    const patches = pairs.map((pair) => this.#blockRemoval(pair));
    if (pairs.length < place.tokens.pairs.length) return [patches];
    const at = endAmong(this.#outline.tokens, place.parent?.pair.value ?? 0, place.tokens.first);
    return at === undefined ? [] : [[{ from: at, to: at, text: " {}" }, ...patches]];
  }

  #blockRemoval(pair: PairTokens): Patch {
    const start = this.#token(pair.key)?.start ?? 0;
    const margin = lineStart(this.#text, start);
    const from = this.#text.slice(margin, start).trim() === "" ? margin : start;
    const end = endAmong(this.#outline.tokens, pair.key, pair.end) ?? start;
    if (followsBreak(this.#text, end)) return { from, to: end, text: "" };
    return { from, to: afterBreak(this.#text, lineEnd(this.#text, end)), text: "" };
  }

  /** Takes the comma after the entry along, or behind the last one the comma in front. */
  #flowRemoval({ tokens }: Place, pair: PairTokens): Patch {
    const from = this.#token(pair.key)?.start ?? 0;
    const end = endAmong(this.#outline.tokens, pair.key, pair.end) ?? from;
    const comma = this.#token(pair.end);
    if (comma?.kind === ",") {
      const rest = /^ */.exec(this.#text.slice(comma.start + 1))?.[0].length ?? 0;
      return { from, to: comma.start + 1 + rest, text: "" };
    }
    const before = tokens.pairs[tokens.pairs.indexOf(pair) - 1];
    const beforeEnd = before && endAmong(this.#outline.tokens, before.key, before.end);
    if (beforeEnd === undefined || /[#\n\r]/.test(this.#text.slice(beforeEnd, from)))
      return { from, to: end, text: "" };
    return { from: beforeEnd, to: end, text: "" };
  }

  /** The column of an entry's first character. */
  #column(pair: PairTokens): number {
    const start = this.#token(pair.key)?.start ?? 0;
    return start - lineStart(this.#text, start);
  }

  #token(index: number) {
    return this.#outline.tokens[index];
  }

  #kind(index: number) {
    return this.#outline.tokens[index]?.kind;
  }
}
