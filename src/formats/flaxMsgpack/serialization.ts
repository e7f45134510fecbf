import type { PositionalReader } from "../../base/ports";
import { bufferReader } from "../bufferReader";
import { elementCount } from "../elements";
import { readFlaxHeader } from "./header";
import { fromStateDict, type State, toStateDict } from "./stateDict";
import { isLeaf, isMap, leafName, type StoredLeaf, type StoredNode, type TreeKey } from "./stored";
import type { ArrayPieces, FlaxTree } from "./tree";
import { arrayData, plainValue } from "./values";
import { type WriteOptions, writeFlax } from "./writer";

/**
 * A tree as the bytes of a flax file, in memory; `writeFlax` writes to a file.
 * @throws ModelbenchError `usage` for what a flax file cannot hold
 */
export function msgpackSerialize(tree: FlaxTree<ArrayPieces>, options: WriteOptions = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  writeFlax(tree, { write: (bytes) => parts.push(Uint8Array.from(bytes)) }, options);
  return Buffer.concat(parts);
}

/**
 * The tree that a flax file holds, each leaf as what it was written as. Array data is a view of `bytes` where it lies in
 * one run of little-endian values; an array of a type without a `DType`, such as dates, stays an extension. For a large file use `readFlaxHeader` and `arrayData`, which read what is asked for.
 * @throws ModelbenchError `format.corrupt`, `budget.exceeded`
 */
export function msgpackRestore(bytes: Uint8Array): FlaxTree {
  const reader = bufferReader(bytes, "flax MessagePack");
  return treeOf(reader, readFlaxHeader(reader, "flax MessagePack").root, []);
}

/** The bytes of an object's state dict. @throws ModelbenchError `usage` for what a flax file cannot hold */
export function toBytes(target: unknown): Uint8Array {
  // What no handler knows is a leaf; the writer refuses those that it cannot store.
  return msgpackSerialize(toStateDict(target) as FlaxTree);
}

/**
 * A new object like `target` with the leaves of a flax file; with `null` as the target the tree as it is.
 * @throws ModelbenchError `state.mismatch` with the path, and as `msgpackRestore`
 */
export function fromBytes<T>(target: T, bytes: Uint8Array): T {
  return fromStateDict(target, msgpackRestore(bytes) as State);
}

function treeOf(reader: PositionalReader, node: StoredNode, path: readonly TreeKey[]): FlaxTree {
  if (isMap(node)) return new Map([...node].map(([key, item]) => [key, treeOf(reader, item, [...path, key])]));
  if (isLeaf(node)) return leafValue(reader, node, leafName(path));
  return node.map((item, index) => treeOf(reader, item, [...path, index]));
}

function leafValue(reader: PositionalReader, leaf: StoredLeaf, name: string): FlaxTree {
  if (leaf.kind === "ext") {
    return { kind: "ext", code: leaf.code, data: reader.read(leaf.run.offset, leaf.run.bytes) };
  }
  if (leaf.kind !== "ndarray" && leaf.kind !== "npscalar") return plainValue(reader, leaf, name) ?? null;
  const { kind, dtype, shape } = leaf;
  return { kind, dtype, shape, data: arrayData(reader, leaf).read(0, elementCount(shape)) };
}
