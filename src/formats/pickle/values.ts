import type { DType } from "../tensor";
import { importLabel } from "./facts";

/**
 * What stands on the stack of the abstract machine: a constant, or a node that says how an object would come about.
 * Nodes are shared as the memo shares objects, and never expanded.
 */
export type Value = string | number | bigint | boolean | null | Node;

/** An object that a pickle builds, or would have built. */
export type Node =
  | TupleNode
  | ListNode
  | DictNode
  | SetNode
  | BytesNode
  | LongTextNode
  | ImportNode
  | CallNode
  | ExternalNode
  | BufferNode
  | ArrayNode;

export interface TupleNode {
  readonly kind: "tuple";
  readonly items: readonly Value[];
  readonly hashable: boolean;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: Value[];
}

export interface DictNode {
  readonly kind: "dict";
  /** Keys and values in turn, in the order in which they were set. */
  readonly entries: Value[];
}

export interface SetNode {
  readonly kind: "set" | "frozenset";
}

/** Bytes that were skipped. */
export interface BytesNode {
  readonly kind: "bytes" | "bytearray";
  readonly offset: number;
  readonly length: number;
}

/** A text that is too long to be the name of anything. */
export interface LongTextNode {
  readonly kind: "longText";
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
  /** Otherwise each byte is a letter of Python 2. */
  readonly isUtf8: boolean;
}

/** An imported object; `null` is a name that the pickle computes. */
export interface ImportNode {
  readonly kind: "import";
  readonly module: string | null;
  readonly name: string | null;
  /** Whether NEWOBJ has made something of it, which Python does with classes alone. */
  isClass?: boolean;
  /** Where it was imported, of a name that is told of only when its use is known: see `lateNames.ts`. */
  readonly late?: { readonly opcode: string; readonly offset: number };
}

/** The result of a call. */
export interface CallNode {
  readonly kind: "call";
  readonly callee: Value;
  /** What was called first, when results are called again: a chain of them is never walked along. */
  readonly origin: Value;
  readonly args: Value;
  /** Whether NEWOBJ has made it. */
  readonly isNew: boolean;
  /** What BUILD gave it. */
  state: Value | undefined;
  /** What was appended or added to it. */
  readonly items: Value[];
  /** What was set on it, keys and values in turn. */
  readonly entries: Value[];
}

/** What only the program that loads the pickle can supply. */
export interface ExternalNode {
  readonly kind: "persistent" | "extension";
  /** The persistent id, or the registry's code. */
  readonly id: Value;
}

/** Memory that the loading program hands over. */
export interface BufferNode {
  readonly kind: "buffer";
}

/** An array whose values lie in the file, as joblib writes it. */
export interface ArrayNode {
  readonly kind: "array";
  /** `null` for types whose values are not read. */
  readonly dtype: DType | null;
  readonly nativeDtype: string;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Absolute offset of the first value. */
  readonly offset: number;
  readonly bytes: number;
}

/** Whether Python can use the value as a key; what a call returns is taken to be usable. */
export function isHashable(value: Value): boolean {
  if (value === null || typeof value !== "object") return true;
  switch (value.kind) {
    case "list":
    case "dict":
    case "set":
    case "bytearray":
      return false;
    case "tuple":
      return value.hashable;
    default:
      return true;
  }
}

/** Whether the value may be anything at all, because foreign code makes it. */
export function isForeign(value: Value): value is ImportNode | CallNode | ExternalNode {
  if (value === null || typeof value !== "object") return false;
  return value.kind === "import" || value.kind === "call" || value.kind === "persistent" || value.kind === "extension";
}

/** What a value is, for messages: the import behind it, whatever was called how often in between. */
export function sourceOf(value: Value): string {
  return isCall(value) ? `the result of ${baseName(value.origin)}` : baseName(value);
}

function baseName(value: Value): string {
  if (value === null || typeof value !== "object") return "a constant";
  if (value.kind === "import") return importLabel(value);
  if (value.kind === "persistent") return "an object outside the file";
  if (value.kind === "extension") return "a registered extension";
  return `a ${value.kind}`;
}

/** The import that a value comes from by calls. */
export function importOf(value: Value): ImportNode | undefined {
  const at = isCall(value) ? value.origin : value;
  return at !== null && typeof at === "object" && at.kind === "import" ? at : undefined;
}

/** The result of a call, nothing of which was changed yet. */
export function callOf(callee: Value, args: Value, isNew = false): CallNode {
  const origin = isCall(callee) ? callee.origin : callee;
  return { kind: "call", callee, origin, args, isNew, state: undefined, items: [], entries: [] };
}

function isCall(value: Value): value is CallNode {
  return value !== null && typeof value === "object" && value.kind === "call";
}

/** Whether a value has, or may have, memory of its own. */
export function hasBuffer(value: Value): boolean {
  if (isForeign(value)) return true;
  if (value === null || typeof value !== "object") return false;
  return value.kind === "bytes" || value.kind === "bytearray" || value.kind === "buffer";
}

/** A tuple of these. */
export function tuple(items: readonly Value[]): Node {
  return { kind: "tuple", items, hashable: items.every(isHashable) };
}
