import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";
import { elementCount } from "../elements";
import { isLeaf, isMap, leafName, type StoredArray, type StoredNode, type TreeKey } from "./stored";

/** The key whose presence makes a map an array in chunks; its value does not count. */
export const CHUNKED = "__msgpack_chunked_array__";

/**
 * Puts arrays together that flax has split: at the root and in maps, but not in lists, into which flax does not look.
 * @param name of the file in failures
 * @throws ModelbenchError `format.corrupt` for chunks that do not make one array; unlike in flax, also for chunks of
 *   different types, which numpy would convert
 * @see flax 0.12.8 serialization.py _unchunk_array_leaves_in_place
 */
export function unchunked(node: StoredNode, name: string, path: readonly TreeKey[] = []): StoredNode {
  if (!isMap(node)) return node;
  if (node.has(CHUNKED)) return new Chunked(name, path).array(node);
  // Most maps hold no chunks below them: those stay as they are.
  let changed: Map<TreeKey, StoredNode> | undefined;
  for (const [key, item] of node) {
    const whole = isMap(item) ? unchunked(item, name, [...path, key]) : item;
    if (whole === item) continue;
    changed ??= new Map(node);
    changed.set(key, whole);
  }
  return changed ?? node;
}

class Chunked {
  readonly #name: string;
  readonly #path: readonly TreeKey[];

  constructor(name: string, path: readonly TreeKey[]) {
    this.#name = name;
    this.#path = path;
  }

  array(map: ReadonlyMap<TreeKey, StoredNode>): StoredArray {
    const shape = this.#numbered(map.get("shape"), "shape").map((dim) => this.#dimension(dim));
    const chunks = this.#numbered(map.get("chunks"), "chunks").map((chunk) => this.#chunk(chunk));
    const [first] = chunks;
    if (first === undefined) throw this.#broken("it has no chunks");
    for (const chunk of chunks) {
      if (sameInside(chunk, first)) continue;
      throw this.#broken(`its chunks are ${described(first)} and ${described(chunk)}; equal types were expected`);
    }
    const there = chunks.reduce((sum, chunk) => sum + elementCount(chunk.shape), 0);
    const expected = elementCount(shape);
    if (there !== expected) {
      throw this.#broken(`[${shape.join(", ")}] has ${expected} elements, its chunks have ${there}`);
    }
    return { ...first, shape, runs: chunks.flatMap(({ runs }) => runs) };
  }

  /** The items of a map with the keys "0", "1", … in this order. */
  #numbered(node: StoredNode | undefined, what: string): StoredNode[] {
    if (node === undefined || !isMap(node)) throw this.#broken(`"${what}" is not a map`);
    return Array.from({ length: node.size }, (_, i) => {
      const item = node.get(String(i));
      if (item === undefined) throw this.#broken(`"${what}" has no item "${i}"`);
      return item;
    });
  }

  #dimension(node: StoredNode): number {
    const value = isLeaf(node) && node.kind === "int" ? Number(node.value) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#broken('"shape" has a dimension that is none');
  }

  #chunk(node: StoredNode): StoredArray {
    // numpy cannot join what has no dimensions.
    if (isLeaf(node) && node.kind === "ndarray" && node.shape.length > 0) return node;
    throw this.#broken("a chunk is not an array of numbers with dimensions");
  }

  #broken(what: string): ModelbenchError {
    const place = this.#path.length === 0 ? "the array" : visible(leafName(this.#path));
    return new ModelbenchError("format.corrupt", `${this.#name}: ${place} is an array in chunks, but ${what}.`, {
      path: this.#name,
    });
  }
}

/** Whether two chunks can follow one another: numpy joins along the first axis. */
function sameInside(a: StoredArray, b: StoredArray): boolean {
  return described(a) === described(b) && a.shape.slice(1).join() === b.shape.slice(1).join();
}

/** The type, so that `float32` and `<f4` are the same, and the number of dimensions. */
function described({ bigEndian, dtype, shape }: StoredArray): string {
  return `${bigEndian ? ">" : ""}${dtype} of ${shape.length} dimensions`;
}
