import { elementCount, itemSize } from "../../formats/elements";
import { isLeaf, isMap, type StoredNode, type TreeKey } from "../../formats/flaxMsgpack/stored";
import type { FlaxArray, FlaxTree } from "../../formats/flaxMsgpack/tree";
import { flaxFile } from "../../formats/flaxMsgpack/writer";
import type { TensorData } from "../../formats/tensorData";
import type { FileContent, StoredTensor } from "../content";
import { LEAVES_KEY, readKeptLeaves } from "./keptLeaves";
import { ChangeNotes, type Dropped, lostMetadata, type Planned } from "./plan";

/** Bytes of values that are handed on at once. */
const PIECE_BYTES = 1 << 20;

type Value = { readonly array: number } | { readonly leaf: FlaxTree };
type Branch = Map<TreeKey, Branch | Value>;

/**
 * The tree that names joined by `.` stand for. Digits stay texts, as flax's own state dicts have them, but become
 * integer keys and lists where `like` has such at that place.
 * @param like the structure of another MessagePack file
 * @throws ModelbenchError `format.corrupt` for leaves in the metadata that are not what we write
 */
export function planFlax(content: FileContent, like: StoredNode | undefined): Planned {
  const plan = new TreePlan(like);
  for (const [index, tensor] of content.tensors.entries()) plan.addTensor(tensor, index);
  for (const [key, text] of content.metadata) plan.addMetadata(key, text);
  plan.nameLists();
  return {
    // Other metadata is left out whatever its value.
    dropped: [...plan.dropped, ...lostMetadata(content, (key) => key === LEAVES_KEY)],
    changed: plan.changed,
    metadata: new Map(),
    arrays: plan.arrays,
    pieces: (source) => flaxFile(plan.tree(source)),
  };
}

class TreePlan {
  readonly dropped: Dropped[] = [];
  readonly changed = new ChangeNotes();
  readonly arrays: { index: number; path: readonly TreeKey[] }[] = [];
  readonly #like: StoredNode | undefined;
  readonly #root: Branch = new Map();
  /** Branches that become lists. */
  readonly #lists = new Set<Branch>();

  constructor(like: StoredNode | undefined) {
    this.#like = like;
  }

  addTensor(tensor: StoredTensor, index: number): void {
    const { name, dtype } = tensor;
    const segments = name.split(".");
    const reason = dtype === null ? "is no array" : this.#insert(segments, { array: index });
    if (reason !== undefined) this.dropped.push({ name, kind: dtype ?? tensor.nativeDtype, reason });
  }

  addMetadata(key: string, text: string): void {
    if (key === LEAVES_KEY) {
      for (const { path, value } of readKeptLeaves(text)) this.#insertLeaf(path, value);
      return;
    }
    // Says which library wrote the file, nothing about the weights.
    if (key === "format")
      this.changed.add("a MessagePack file does not name the library that wrote it", `metadata ${key}`);
    else
      this.dropped.push({ name: key, kind: "metadata", reason: "is metadata, which a MessagePack file does not have" });
  }

  /** A branch is a list where its model has one and every place in it is taken. */
  nameLists(): void {
    const visit = (branch: Branch, like: StoredNode | undefined, path: readonly TreeKey[]): void => {
      if (Array.isArray(like)) {
        const isWhole = [...branch.keys()].every((key, i) => key === i);
        if (isWhole) this.#lists.add(branch);
        else this.changed.add("stays a map with integer keys, because places of the list are missing", path.join("."));
      }
      for (const [key, value] of branch) {
        if (value instanceof Map) visit(value, childOf(like, key), [...path, key]);
      }
    };
    this.#sortLists(this.#root, this.#like);
    visit(this.#root, this.#like, []);
  }

  /** The tree with the values of `source`, which are read when their turn comes. */
  tree(source: FileContent): FlaxTree<Iterable<Uint8Array>> {
    const build = (node: Branch | Value): FlaxTree<Iterable<Uint8Array>> => {
      if (!(node instanceof Map)) {
        return "array" in node ? arrayOf(source.data(node.array)) : (node.leaf as FlaxTree<Iterable<Uint8Array>>);
      }
      const items = [...node].map(([key, item]) => [key, build(item)] as const);
      return this.#lists.has(node) ? items.map(([, item]) => item) : new Map(items);
    };
    return build(this.#root);
  }

  /** Lists are read in the order of their places, whatever order the names came in. */
  #sortLists(branch: Branch, like: StoredNode | undefined): void {
    if (Array.isArray(like)) {
      const sorted = [...branch].sort(([a], [b]) => Number(a) - Number(b));
      branch.clear();
      for (const [key, value] of sorted) branch.set(key, value);
    }
    for (const [key, value] of branch) if (value instanceof Map) this.#sortLists(value, childOf(like, key));
  }

  /** Answers with the reason when the place is taken. */
  #insert(segments: readonly string[], value: { readonly array: number }): string | undefined {
    const path: TreeKey[] = [];
    let like = this.#like;
    for (const segment of segments) {
      const key = keyIn(like, segment);
      path.push(key);
      like = childOf(like, key);
    }
    const reason = this.#put(path, value);
    if (reason !== undefined) return reason;
    this.arrays.push({ index: value.array, path });
    if (path.some((key) => typeof key === "number")) {
      this.changed.add(
        "digits become integer keys or places in a list, as in the file it is to be like",
        segments.join("."),
      );
    } else if (segments.some((segment) => /^\d+$/.test(segment))) {
      this.changed.add("digits stay text, as in flax's state dicts", segments.join("."));
    }
    return undefined;
  }

  #insertLeaf(path: readonly TreeKey[], leaf: FlaxTree): void {
    const keys: TreeKey[] = [];
    let branch: Branch | Value | undefined = this.#root;
    let like = this.#like;
    for (const key of path) {
      // The arrays beside a leaf may have been given other keys than it had.
      const known: TreeKey = branch instanceof Map && branch.has(String(key)) ? String(key) : key;
      const chosen: TreeKey = this.#like === undefined ? known : keyIn(like, String(key));
      keys.push(chosen);
      branch = branch instanceof Map ? branch.get(chosen) : undefined;
      like = childOf(like, chosen);
    }
    const reason = this.#put(keys, { leaf });
    if (reason !== undefined) this.dropped.push({ name: path.join("/"), kind: "leaf", reason });
  }

  #put(path: readonly TreeKey[], value: Value): string | undefined {
    const last = path.at(-1);
    if (last === undefined) return "is the root itself, where the other tensors are";
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

/** The key that a segment stands for: the integer where the model has that and no such text. */
function keyIn(like: StoredNode | undefined, segment: string): TreeKey {
  const number = /^(0|-?[1-9]\d{0,14})$/.test(segment) ? Number(segment) : undefined;
  if (like === undefined || number === undefined || isLeaf(like)) return segment;
  if (!isMap(like)) return number >= 0 ? number : segment;
  return !like.has(segment) && like.has(number) ? number : segment;
}

function childOf(like: StoredNode | undefined, key: TreeKey): StoredNode | undefined {
  if (like === undefined || isLeaf(like)) return undefined;
  return isMap(like) ? like.get(key) : like[Number(key)];
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
