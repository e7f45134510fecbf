import { isLeaf, isMap, type StoredNode, type TreeKey } from "../../formats/flaxMsgpack/stored";
import type { PlacedKey } from "../placedPath";
import { unreadableLeaves } from "./keptLeaves";

/** The containers that the paths of kept leaves lead through. */
export interface KeptShape {
  /** Left out where no leaf is below. */
  isList?: boolean;
  /** Whether a key is an integer, and whether one is a text of digits. */
  hasIntegers: boolean;
  hasDigits: boolean;
  readonly children: Map<TreeKey, KeptShape>;
}

/** @throws ModelbenchError `format.corrupt` for a container that is a list and a map */
export function keptShape(paths: Iterable<readonly PlacedKey[]>): KeptShape {
  const root = emptyShape();
  for (const path of paths) {
    let shape = root;
    for (const key of path) {
      const isList = typeof key === "object";
      if ((shape.isList ?? isList) !== isList) throw unreadableLeaves();
      shape.isList = isList;
      shape.hasIntegers ||= typeof key === "number";
      shape.hasDigits ||= typeof key === "string" && /^\d+$/.test(key);
      const plain = plainKey(key);
      const next = shape.children.get(plain) ?? emptyShape();
      shape.children.set(plain, next);
      shape = next;
    }
  }
  return root;
}

function emptyShape(): KeptShape {
  return { hasIntegers: false, hasDigits: false, children: new Map() };
}

/** A container of the tree to be made: as in the file it is to be like, and where that has none, as leaves were kept. */
export class Shape {
  readonly #like: StoredNode | undefined;
  readonly #kept: KeptShape | undefined;

  constructor(like: StoredNode | undefined, kept: KeptShape | undefined) {
    this.#like = like;
    this.#kept = kept;
  }

  get isList(): boolean {
    return this.#like === undefined ? this.#kept?.isList === true : Array.isArray(this.#like);
  }

  /** The key that a segment of a name stands for. */
  keyOf(segment: string): TreeKey {
    const number = /^(0|-?[1-9]\d{0,14})$/.test(segment) ? Number(segment) : undefined;
    if (number === undefined) return segment;
    if (this.isList) return number >= 0 ? number : segment;
    return this.#hasInteger(segment, number) ? number : segment;
  }

  /** The key of a leaf, which knew its own. */
  keyOfLeaf(key: PlacedKey): TreeKey {
    const plain = plainKey(key);
    if (this.#like === undefined || (!isLeaf(this.#like) && isMap(this.#like) && this.#like.has(plain))) return plain;
    return this.keyOf(String(plain));
  }

  child(key: TreeKey): Shape {
    return new Shape(childOf(this.#like, key), this.#kept?.children.get(key));
  }

  /** Whether a map has the integer and no such text. Kept leaves know some keys only: the others are like them. */
  #hasInteger(segment: string, number: number): boolean {
    const like = this.#like;
    if (like !== undefined) return isMap(like) && !like.has(segment) && like.has(number);
    return this.#kept?.hasIntegers === true && !this.#kept.hasDigits;
  }
}

function plainKey(key: PlacedKey): TreeKey {
  return typeof key === "object" ? key.i : key;
}

function childOf(like: StoredNode | undefined, key: TreeKey): StoredNode | undefined {
  if (like === undefined || isLeaf(like)) return undefined;
  return isMap(like) ? like.get(key) : like[Number(key)];
}
