import { analyzeScalar, type ScalarAnalysis } from "./analyze";
import { type MappingOut, type OutNode, representValue, type ScalarOut, type SequenceOut } from "./represent";
import { TAG } from "./resolve";
import type { YamlKey, YamlValue } from "./values";
import { YamlWriter } from "./writer";

const STEP = 2;
/** Longer keys are written with `? `; counts the anchor, the tag and the text. */
const MAX_SIMPLE_KEY = 128;
const TAG_PREFIX = "tag:yaml.org,2002:";

/** What surrounds a node. */
type Place = "root" | "item" | "key" | "value";

/**
 * Writes a value byte for byte as `yaml.safe_dump(value, sort_keys=False)` does, anchors for arrays and maps
 * that occur more than once included.
 * @throws ModelbenchError `yaml.invalid` for an integer of more than 4,300 digits
 * @see PyYAML 6.0.3
 */
export function dumpPyYaml(value: YamlValue): string {
  return new Emitter().document(representValue(value));
}

/** One entry of a block mapping as text, without the line break at its end. */
export interface DumpedEntry {
  /** Key and value; the first line without its indentation. */
  readonly whole: string;
  /** What follows the `:` of the key. */
  readonly afterKey: string;
}

/** Writes one entry as PyYAML would in a mapping whose keys stand in `column`. @throws ModelbenchError as `dumpPyYaml` */
export function dumpEntry(key: YamlKey, value: YamlValue, column: number): DumpedEntry {
  return new Emitter().entry(representValue(key), representValue(value), column);
}

class Emitter {
  readonly #out = new YamlWriter();
  readonly #written = new Set<OutNode>();

  document(root: OutNode): string {
    const openEnded = this.#node(root, "root");
    this.#out.startLine();
    if (openEnded) {
      this.#out.indicator("...", true);
      this.#out.startLine();
    }
    return this.#out.toString();
  }

  entry(key: OutNode, value: OutNode, column: number): DumpedEntry {
    this.#out.indent = column;
    const after = this.#pair(key, value);
    const text = this.#out.toString().replace(/\n$/, "");
    return { whole: text.slice(column), afterKey: text.slice(after) };
  }

  /** Answers whether the document must be closed by `...` after this node. */
  #node(node: OutNode, place: Place): boolean {
    if (this.#written.has(node)) {
      this.#out.indicator(`*${node.anchor}`, true);
      return false;
    }
    this.#written.add(node);
    if (node.anchor !== undefined) this.#out.indicator(`&${node.anchor}`, true);
    if (node.kind === "scalar") return this.#scalar(node, place);
    if (node.tag === TAG.set) this.#out.indicator("!!set", true);
    if (node.kind === "sequence") this.#list(node, place);
    else this.#mapping(node);
    return false;
  }

  #list(node: SequenceOut, place: Place): void {
    const out = this.#out;
    if (node.items.length === 0) {
      this.#empty("[", "]");
      return;
    }
    const indentless = (place === "key" || place === "value") && !out.onlyIndention;
    const before = out.indent;
    if (!indentless) out.indent = before === undefined ? 0 : before + STEP;
    for (const item of node.items) {
      out.startLine();
      out.indicator("-", true, true);
      this.#node(item, "item");
    }
    out.indent = before;
  }

  #mapping(node: MappingOut): void {
    const out = this.#out;
    if (node.pairs.length === 0) {
      this.#empty("{", "}");
      return;
    }
    const before = out.indent;
    out.indent = before === undefined ? 0 : before + STEP;
    for (const [key, value] of node.pairs) this.#pair(key, value);
    out.indent = before;
  }

  /** Answers how much is written once the `:` is. */
  #pair(key: OutNode, value: OutNode): number {
    const out = this.#out;
    out.startLine();
    if (this.#isSimpleKey(key)) {
      this.#node(key, "key");
      out.indicator(":", false);
    } else {
      out.indicator("?", true, true);
      this.#node(key, "value");
      out.startLine();
      out.indicator(":", true, true);
    }
    const after = out.length;
    this.#node(value, "value");
    return after;
  }

  #empty(open: string, close: string): void {
    this.#out.bracket(open);
    this.#out.indicator(close, false);
  }

  #isSimpleKey(key: OutNode): boolean {
    const anchor = key.anchor?.length ?? 0;
    if (this.#written.has(key)) return true;
    if (key.kind !== "scalar") return isEmpty(key);
    const chars = [...key.text];
    const length = anchor + chars.length + key.tag.replace(TAG_PREFIX, "!!").length;
    return length < MAX_SIMPLE_KEY && chars.length > 0 && !analyzeScalar(chars).multiline;
  }

  #scalar(node: ScalarOut, place: Place): boolean {
    const out = this.#out;
    const chars = [...node.text];
    const style = styleOf(node, chars.length, analyzeScalar(chars), place === "key");
    // Without quotes the text itself says the tag; in quotes only a string needs none.
    if (style !== "plain" && node.tag !== TAG.str) out.indicator(node.tag.replace(TAG_PREFIX, "!!"), true);
    const before = out.indent;
    out.indent = (before ?? 0) + STEP;
    const mayFold = place !== "key";
    if (style === "plain") out.plain(chars, mayFold);
    else if (style === "single") out.singleQuoted(chars, mayFold);
    else if (style === "double") out.doubleQuoted(chars, mayFold);
    else out.literal(node.text);
    out.indent = before;
    return style === "plain" && place === "root";
  }
}

function styleOf(
  node: ScalarOut,
  length: number,
  analysis: ScalarAnalysis,
  isKey: boolean,
): "plain" | "single" | "double" | "literal" {
  const awkwardKey = isKey && (length === 0 || analysis.multiline);
  if (node.style === "|") return !isKey && analysis.block ? "literal" : "double";
  if (node.plainReadsBack && analysis.plain && !awkwardKey) return "plain";
  return analysis.singleQuoted && !(isKey && analysis.multiline) ? "single" : "double";
}

function isEmpty(node: SequenceOut | MappingOut): boolean {
  return node.kind === "sequence" ? node.items.length === 0 : node.pairs.length === 0;
}
