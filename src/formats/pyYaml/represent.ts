import { ModelbenchError } from "../../base/errors";
import { MAX_DECIMAL_DIGITS, pythonFloatRepr } from "./pythonNumber";
import { resolvePlain, TAG } from "./resolve";
import { dateText, timestampText } from "./timeText";
import { YamlDate, YamlFloat, YamlSet, YamlTimestamp, type YamlValue } from "./values";

/** A scalar about to be written. */
export interface ScalarOut {
  readonly kind: "scalar";
  readonly tag: string;
  readonly text: string;
  /** Whether the text, written without quotes, reads back with this tag. */
  readonly plainReadsBack: boolean;
  readonly style: "" | "|";
  anchor?: string;
}

/** A list about to be written. */
export interface SequenceOut {
  readonly kind: "sequence";
  readonly tag: string;
  readonly items: OutNode[];
  anchor?: string;
}

/** A mapping about to be written, in the order of its pairs. */
export interface MappingOut {
  readonly kind: "mapping";
  readonly tag: string;
  readonly pairs: (readonly [OutNode, OutNode])[];
  anchor?: string;
}

/** A value about to be written; an object that occurs twice is the same node twice. */
export type OutNode = ScalarOut | SequenceOut | MappingOut;

/**
 * Turns a value into nodes, with an anchor on every node that occurs more than once.
 * @throws ModelbenchError `yaml.invalid` for an integer that Python would refuse to print
 * @see PyYAML 6.0.3 yaml/representer.py, yaml/serializer.py
 */
export function representValue(value: YamlValue): OutNode {
  const root = represent(value, new Map());
  setAnchors(root);
  return root;
}

function represent(value: YamlValue, known: Map<object, OutNode>): OutNode {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof YamlFloat) {
    return representScalar(value);
  }
  const node = known.get(value);
  if (node !== undefined) return node;
  if (value instanceof YamlDate) return remember(known, value, scalar(TAG.timestamp, dateText(value)));
  if (value instanceof YamlTimestamp) return remember(known, value, scalar(TAG.timestamp, timestampText(value, " ")));
  if (Array.isArray(value)) {
    const items: OutNode[] = [];
    const list = remember(known, value, { kind: "sequence", tag: TAG.seq, items });
    for (const item of value) items.push(represent(item, known));
    return list;
  }
  const pairs: [OutNode, OutNode][] = [];
  const isSet = value instanceof YamlSet;
  const mapping = remember(known, value, { kind: "mapping", tag: isSet ? TAG.set : TAG.map, pairs });
  const entries: Iterable<readonly [YamlValue, YamlValue]> = isSet ? value.items.map((item) => [item, null]) : value;
  for (const [key, item] of entries) pairs.push([represent(key, known), represent(item, known)]);
  return mapping;
}

function remember(known: Map<object, OutNode>, value: object, node: OutNode): OutNode {
  known.set(value, node);
  return node;
}

function representScalar(value: null | boolean | number | bigint | string | Uint8Array | YamlFloat): ScalarOut {
  if (value === null) return scalar(TAG.null, "null");
  if (typeof value === "boolean") return scalar(TAG.bool, value ? "true" : "false");
  if (typeof value === "number" || typeof value === "bigint") return scalar(TAG.int, integerText(value));
  if (typeof value === "string") return scalar(TAG.str, value);
  if (value instanceof YamlFloat) return scalar(TAG.float, floatText(value.value));
  return { kind: "scalar", tag: TAG.binary, text: base64Lines(value), plainReadsBack: false, style: "|" };
}

function scalar(tag: string, text: string): ScalarOut {
  return { kind: "scalar", tag, text, plainReadsBack: resolvePlain(text) === tag, style: "" };
}

function integerText(value: number | bigint): string {
  const text = value.toString();
  if (text.length > MAX_DECIMAL_DIGITS) {
    throw new ModelbenchError(
      "yaml.invalid",
      `An integer of more than ${MAX_DECIMAL_DIGITS} digits cannot be written.`,
    );
  }
  return text;
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  const text = pythonFloatRepr(value);
  return text.includes(".") ? text : text.replace("e", ".0e");
}

function base64Lines(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("base64");
  return text.replace(/.{1,76}/g, "$&\n");
}

function setAnchors(root: OutNode): void {
  const seen = new Set<OutNode>();
  let count = 0;
  const visit = (node: OutNode): void => {
    if (seen.has(node)) {
      if (node.anchor === undefined) {
        count += 1;
        node.anchor = `id${count.toString().padStart(3, "0")}`;
      }
      return;
    }
    seen.add(node);
    if (node.kind === "sequence") for (const item of node.items) visit(item);
    if (node.kind === "mapping") for (const pair of node.pairs) for (const part of pair) visit(part);
  };
  visit(root);
}
