import { ModelbenchError } from "../../base/errors";
import { yamlError } from "./cursor";
import type { MappingNode, NodePair, YamlNode } from "./nodes";
import { TAG } from "./resolve";
import { constructScalar, isScalarTag } from "./scalars";
import { keyIdentity, type YamlKey, type YamlMap, YamlSet, type YamlValue } from "./values";

/** Pairs that all merges of a text may bring in together; each merge may copy a whole mapping. */
const MAX_MERGED_PAIRS = 100_000;

/**
 * Builds the value of a node as PyYAML's safe constructor does.
 * @throws ModelbenchError `yaml.invalid`, `budget.exceeded`
 * @see PyYAML 6.0.3 yaml/constructor.py
 */
export function constructValue(text: string, root: YamlNode): YamlValue {
  return new Constructor(text).value(root);
}

class Constructor {
  readonly #text: string;
  readonly #built = new Map<YamlNode, YamlValue>();
  readonly #flat = new Map<MappingNode, readonly NodePair[]>();
  #merged = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(node: YamlNode): YamlValue {
    const known = this.#built.get(node);
    if (known !== undefined) return known;
    const value = this.#build(node);
    this.#built.set(node, value);
    return value;
  }

  #build(node: YamlNode): YamlValue {
    if (isScalarTag(node.tag)) return this.#scalar(node);
    switch (node.tag) {
      case TAG.seq:
        return this.#items(node, "list").map((item) => this.value(item));
      case TAG.map:
        return this.#mapping(node);
      case TAG.set:
        return new YamlSet([...this.#mapping(node).keys()]);
      case TAG.omap:
      case TAG.pairs:
        return this.#pairs(node);
      default:
        throw this.#error(node, `the tag ${JSON.stringify(node.tag)} is not allowed`);
    }
  }

  #scalar(node: YamlNode): YamlKey {
    const text = this.#textOf(node);
    // A timestamp looks at the node itself, so a mapping with a "=" key does not stand for one.
    const fits = node.tag !== TAG.timestamp || node.kind === "scalar";
    const value = fits ? constructScalar(node.tag, text) : undefined;
    if (value === undefined) {
      throw this.#error(node, `${JSON.stringify(text.slice(0, 80))} is not a value of the type ${shortTag(node.tag)}`);
    }
    return value;
  }

  /** YAML 1.1's "default value": a mapping with the key `=` may stand where a scalar is expected. */
  #textOf(node: YamlNode): string {
    if (node.kind === "scalar") return node.value;
    const pair = node.kind === "mapping" ? node.pairs.find(([key]) => key.tag === TAG.value) : undefined;
    if (pair === undefined) throw this.#error(node, `expected a scalar, found a ${node.kind}`);
    return this.#textOf(pair[1]);
  }

  #items(node: YamlNode, what: string): readonly YamlNode[] {
    if (node.kind !== "sequence") throw this.#error(node, `expected a ${what}, found a ${node.kind}`);
    return node.items;
  }

  #pairs(node: YamlNode): YamlValue[] {
    return this.#items(node, "list of single pairs").map((item) => {
      const pair = item.kind === "mapping" && item.pairs.length === 1 ? item.pairs[0] : undefined;
      if (pair === undefined) throw this.#error(item, "expected a mapping of one pair");
      return [this.value(pair[0]), this.value(pair[1])];
    });
  }

  #mapping(node: YamlNode): YamlMap {
    if (node.kind !== "mapping") throw this.#error(node, `expected a mapping, found a ${node.kind}`);
    const map: YamlMap = new Map();
    const unlikeText = new Map<string, YamlKey>();
    for (const [keyNode, valueNode] of this.#flatten(node)) {
      const key = this.#key(keyNode);
      map.set(typeof key === "string" ? key : firstEqual(unlikeText, key), this.value(valueNode));
    }
    return map;
  }

  #key(node: YamlNode): YamlKey {
    if (node.tag === TAG.value && node.kind === "scalar") return node.value;
    const key = this.value(node);
    if (Array.isArray(key) || key instanceof Map || key instanceof YamlSet) {
      throw this.#error(node, "a list, a mapping or a set cannot be a key");
    }
    return key;
  }

  /** The pairs of a mapping with its merge keys resolved: what is merged comes first, so its own pairs win. */
  #flatten(node: MappingNode): readonly NodePair[] {
    const known = this.#flat.get(node);
    if (known !== undefined) return known;
    const merged: NodePair[] = [];
    const own: NodePair[] = [];
    for (const pair of node.pairs) {
      if (pair[0].tag === TAG.merge) merged.push(...this.#merge(pair[1]));
      else own.push(pair);
    }
    const flat = merged.length === 0 ? own : outermost([...merged, ...own]);
    this.#flat.set(node, flat);
    return flat;
  }

  #merge(node: YamlNode): NodePair[] {
    const sources = node.kind === "sequence" ? [...node.items].reverse() : [node];
    const pairs = outermost(
      sources.flatMap((source) => {
        if (source.kind !== "mapping") throw this.#error(source, `expected a mapping to merge, found a ${source.kind}`);
        return this.#flatten(source);
      }),
    );
    this.#merged += pairs.length;
    if (this.#merged > MAX_MERGED_PAIRS) {
      throw new ModelbenchError(
        "budget.exceeded",
        `YAML that merges more than ${MAX_MERGED_PAIRS} pairs is not read.`,
        {
          offset: node.start,
        },
      );
    }
    return pairs;
  }

  #error(node: YamlNode, message: string): ModelbenchError {
    return yamlError(this.#text, node.start, message);
  }
}

/** The key that stands for all its equals, because a Map compares objects by identity. */
function firstEqual(known: Map<string, YamlKey>, key: YamlKey): YamlKey {
  const identity = keyIdentity(key);
  const first = known.get(identity);
  if (first !== undefined || known.has(identity)) return first ?? null;
  known.set(identity, key);
  return key;
}

/**
 * Keeps the first and the last occurrence of each pair: the first decides a key's place and the last its
 * value, so those between change nothing. Without this, merges of merges double at every level.
 */
function outermost(pairs: readonly NodePair[]): NodePair[] {
  const last = new Map<NodePair, number>();
  for (const [index, pair] of pairs.entries()) last.set(pair, index);
  if (last.size === pairs.length) return [...pairs];
  const seen = new Set<NodePair>();
  return pairs.filter((pair, index) => {
    const first = !seen.has(pair);
    seen.add(pair);
    return first || last.get(pair) === index;
  });
}

function shortTag(tag: string): string {
  return tag.slice(tag.lastIndexOf(":") + 1);
}
