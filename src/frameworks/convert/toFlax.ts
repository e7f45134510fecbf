import { elementCount, itemSize } from "../../formats/elements";
import { leafName, type StoredNode, type TreeKey } from "../../formats/flaxMsgpack/stored";
import type { FlaxArray, FlaxTree } from "../../formats/flaxMsgpack/tree";
import { CHUNKED } from "../../formats/flaxMsgpack/unchunk";
import { flaxFile, MAX_DEPTH, whyNotFlax } from "../../formats/flaxMsgpack/writer";
import type { TensorData } from "../../formats/tensorData";
import type { FileContent, StoredTensor } from "../content";
import type { PlacedKey } from "../placedPath";
import { type KeptValue, LEAVES_KEY, type Leaf, leafJson, readKeptLeaves } from "./keptLeaves";
import { ChangeNotes, type Dropped, lostMetadata, type Planned } from "./plan";
import { keptShape, Shape } from "./treeShape";

/** Bytes of values that are handed on at once. */
const PIECE_BYTES = 1 << 20;

type Value = { readonly array: number } | { readonly leaf: KeptValue };
type Branch = Map<TreeKey, Branch | Value>;

/**
 * The tree that names joined by `.` stand for. Digits stay texts, as flax's own state dicts have them, but become
 * integer keys and lists where `like` has such at that place, or where it has nothing, the leaves that were kept.
 * @param like the structure of another MessagePack file
 * @throws ModelbenchError `format.corrupt` for leaves in the metadata that are not what we write
 */
export function planFlax(content: FileContent, like: StoredNode | undefined): Planned {
  const kept = readKeptLeaves(content.metadata.get(LEAVES_KEY) ?? "[]");
  const plan = new TreePlan(like, kept);
  for (const [index, tensor] of content.tensors.entries()) plan.addTensor(tensor, index);
  for (const leaf of kept) plan.addLeaf(leaf);
  for (const key of content.metadata.keys()) plan.addMetadata(key);
  plan.nameLists();
  return {
    // Other metadata is left out whatever its value.
    dropped: [...plan.dropped, ...lostMetadata(content, (key) => key === LEAVES_KEY)],
    changed: plan.changed,
    metadata: new Map(),
    arrays: plan.arrays,
    leaves: plan.leaves(),
    pieces: (source) => flaxFile(plan.tree(source)),
  };
}

class TreePlan {
  readonly dropped: Dropped[] = [];
  readonly changed = new ChangeNotes();
  readonly arrays: { index: number; path: readonly TreeKey[] }[] = [];
  readonly #shape: Shape;
  /** Why digits became integers, in words. */
  readonly #after: string;
  readonly #root: Branch = new Map();
  /** Where each leaf was, and where it is now. */
  readonly #leaves: { readonly leaf: Leaf; readonly keys: readonly TreeKey[] }[] = [];
  /** Branches that become lists. */
  readonly #lists = new Set<Branch>();

  constructor(like: StoredNode | undefined, kept: readonly Leaf[]) {
    this.#shape = new Shape(like, keptShape(kept.map(({ path }) => path)));
    this.#after = like === undefined ? "the leaves that were kept there" : "the file it is to be like";
  }

  addTensor(tensor: StoredTensor, index: number): void {
    const { name, dtype, shape } = tensor;
    const segments = name.split(".");
    const reason =
      dtype === null ? "is no array" : (whyNotFlax(dtype, shape) ?? this.#insert(segments, { array: index }));
    if (reason !== undefined) this.dropped.push({ name, kind: dtype ?? tensor.nativeDtype, reason });
  }

  addLeaf(leaf: Leaf): void {
    const keys: TreeKey[] = [];
    let shape = this.#shape;
    for (const key of leaf.path) {
      const chosen = shape.keyOfLeaf(key);
      keys.push(chosen);
      shape = shape.child(chosen);
    }
    const reason = this.#put(keys, { leaf: leaf.value });
    if (reason === undefined) this.#leaves.push({ leaf, keys });
    else this.dropped.push({ name: leafName(keys), kind: "leaf", reason });
  }

  addMetadata(key: string): void {
    if (key === LEAVES_KEY) return;
    // Says which library wrote the file, nothing about the weights.
    if (key === "format")
      this.changed.add("a MessagePack file does not name the library that wrote it", `metadata ${key}`);
    else
      this.dropped.push({ name: key, kind: "metadata", reason: "is metadata, which a MessagePack file does not have" });
  }

  /** A branch is a list where its shape is one and every place in it is taken. */
  nameLists(): void {
    const visit = (branch: Branch, shape: Shape, path: readonly TreeKey[]): void => {
      if (shape.isList) {
        const isWhole = [...branch.keys()].every((key, i) => key === i);
        if (isWhole) this.#lists.add(branch);
        else this.changed.add("stays a map with integer keys, because places of the list are missing", path.join("."));
      }
      for (const [key, value] of branch) {
        if (value instanceof Map) visit(value, shape.child(key), [...path, key]);
      }
    };
    this.#sortLists(this.#root, this.#shape);
    visit(this.#root, this.#shape, []);
  }

  /** The leaves where they will be, once lists are named. What is not where it was kept is a change. */
  leaves(): string[] {
    return this.#leaves.map(({ leaf, keys }) => {
      const now = leafJson({ ...leaf, path: this.#placed(keys) });
      if (now !== leafJson(leaf)) this.changed.add(MOVED_LEAF, leafName(keys));
      return now;
    });
  }

  #placed(keys: readonly TreeKey[]): PlacedKey[] {
    let branch: Branch | Value | undefined = this.#root;
    return keys.map((key) => {
      const isPlace = branch instanceof Map && this.#lists.has(branch) && typeof key === "number";
      branch = branch instanceof Map ? branch.get(key) : undefined;
      return isPlace ? { i: key } : key;
    });
  }

  /** The tree with the values of `source`, which are read when their turn comes. */
  tree(source: FileContent): FlaxTree<Iterable<Uint8Array>> {
    const build = (node: Branch | Value): FlaxTree<Iterable<Uint8Array>> => {
      if (!(node instanceof Map)) {
        return "array" in node ? arrayOf(source.data(node.array)) : leafTree(node.leaf);
      }
      const items = [...node].map(([key, item]) => [key, build(item)] as const);
      return this.#lists.has(node) ? items.map(([, item]) => item) : new Map(items);
    };
    return build(this.#root);
  }

  /** Lists are read in the order of their places, whatever order the names came in. */
  #sortLists(branch: Branch, shape: Shape): void {
    if (shape.isList) {
      const sorted = [...branch].sort(([a], [b]) => Number(a) - Number(b));
      branch.clear();
      for (const [key, value] of sorted) branch.set(key, value);
    }
    for (const [key, value] of branch) if (value instanceof Map) this.#sortLists(value, shape.child(key));
  }

  /** Answers with the reason when the place is taken. */
  #insert(segments: readonly string[], value: { readonly array: number }): string | undefined {
    const path: TreeKey[] = [];
    let shape = this.#shape;
    for (const segment of segments) {
      const key = shape.keyOf(segment);
      path.push(key);
      shape = shape.child(key);
    }
    const reason = this.#put(path, value);
    if (reason !== undefined) return reason;
    this.arrays.push({ index: value.array, path });
    if (path.some((key) => typeof key === "number")) {
      this.changed.add(`digits become integer keys or places in a list, as in ${this.#after}`, segments.join("."));
    } else if (segments.some((segment) => /^\d+$/.test(segment))) {
      this.changed.add("digits stay text, as in flax's state dicts", segments.join("."));
    }
    return undefined;
  }

  #put(path: readonly TreeKey[], value: Value): string | undefined {
    const last = path.at(-1);
    if (last === undefined) return "is the root itself, where the other tensors are";
    if (path.length > MAX_DEPTH) return `is nested more than ${MAX_DEPTH} levels deep`;
    if (path.includes(CHUNKED)) return `has the key ${JSON.stringify(CHUNKED)}, which makes a map an array in chunks`;
    let branch = this.#root;
    for (const key of path.slice(0, -1)) {
      const next: Branch | Value = branch.get(key) ?? new Map();
      if (!(next instanceof Map)) return `is below ${JSON.stringify(String(key))}, which is a tensor itself`;
      branch.set(key, next);
      branch = next;
    }
    if (branch.has(last)) return "has a name that others have as the beginning of theirs";
    branch.set(last, value);
    return undefined;
  }
}

const MOVED_LEAF = "a leaf gets other keys than it was kept with";

function leafTree(value: KeptValue): FlaxTree<Iterable<Uint8Array>> {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  if ("empty" in value) return value.empty === "list" ? [] : new Map();
  return { kind: "complex", re: value.re, im: value.im };
}

function arrayOf(data: TensorData): FlaxArray<Iterable<Uint8Array>> {
  // Text is refused before it comes here.
  const dtype = data.dtype as FlaxArray["dtype"];
  return { kind: "ndarray", dtype, shape: data.shape, data: piecesOf(data) };
}

function* piecesOf(data: TensorData): Generator<Uint8Array> {
  const count = elementCount(data.shape);
  const atOnce = Math.floor(PIECE_BYTES / (itemSize(data.dtype) ?? 1));
  for (let start = 0; start < count; start += atOnce) yield data.read(start, Math.min(atOnce, count - start));
}
