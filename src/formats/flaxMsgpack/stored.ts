import type { DType } from "../tensor";

/** Key of a map. An integer stays one: flax restores `0` and `"0"` as different keys. */
export type TreeKey = string | number;

/** A stretch of a file. */
export interface Run {
  readonly offset: number;
  readonly bytes: number;
}

/** An array as its header describes it; its values lie in `runs`, one after the other, row-major. */
export interface StoredArray {
  /** `npscalar` is a numpy scalar, which is not the same as an array without dimensions. */
  readonly kind: "ndarray" | "npscalar";
  readonly dtype: Exclude<DType, "string">;
  /** The name in the file, for instance `float32` or `>f4`. */
  readonly nativeDtype: string;
  readonly shape: readonly number[];
  readonly bigEndian: boolean;
  /** Several when flax split the array; each holds whole elements. */
  readonly runs: readonly Run[];
}

/** What is kept unread: an extension that is not flax's, or an array of a type that is not shown. */
export interface StoredOpaque {
  readonly kind: "ext";
  readonly code: number;
  /** `ext 7`, `timestamp`, or the type of the array. */
  readonly nativeDtype: string;
  /** Of the array; `[]` for everything else. */
  readonly shape: readonly number[];
  /** The content of the extension, of an array with its header. */
  readonly run: Run;
}

/** A leaf as the header describes it. Texts and bytes stay unread. */
export type StoredLeaf =
  | StoredArray
  | StoredOpaque
  | { readonly kind: "str" | "bytes"; readonly run: Run }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "complex"; readonly re: number; readonly im: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "null" };

/** A map, a list or a leaf of a file, in file order. */
export type StoredNode = ReadonlyMap<TreeKey, StoredNode> | readonly StoredNode[] | StoredLeaf;

/** A leaf with its place: keys of maps and indices of lists, from the root. */
export interface PlacedLeaf {
  readonly path: readonly TreeKey[];
  /** Which segments of `path` are indices of lists, by their number: an integer key of a map looks the same. */
  readonly listLevels: readonly number[];
  readonly leaf: StoredLeaf | { readonly kind: "empty_map" | "empty_list" };
}

/** All leaves in file order. A map or list without items is a leaf of its own. */
export function leavesOf(root: StoredNode): PlacedLeaf[] {
  const leaves: PlacedLeaf[] = [];
  const walk = (node: StoredNode, path: readonly TreeKey[], listLevels: readonly number[]): void => {
    if (isLeaf(node)) leaves.push({ path, listLevels, leaf: node });
    else if (isMap(node)) {
      if (node.size === 0) leaves.push({ path, listLevels, leaf: { kind: "empty_map" } });
      for (const [key, item] of node) walk(item, [...path, key], listLevels);
    } else {
      if (node.length === 0) leaves.push({ path, listLevels, leaf: { kind: "empty_list" } });
      const levels = [...listLevels, path.length];
      node.forEach((item, index) => {
        walk(item, [...path, index], levels);
      });
    }
  };
  walk(root, [], []);
  return leaves;
}

/** Whether a node is a map. */
export function isMap(node: StoredNode): node is ReadonlyMap<TreeKey, StoredNode> {
  return node instanceof Map;
}

/** Whether a node is a leaf. */
export function isLeaf(node: StoredNode): node is StoredLeaf {
  return !isMap(node) && !Array.isArray(node);
}

/** A path as one text: joined by `/`, with the escapes of JSON pointers (`~0` for `~`, `~1` for `/`). */
export function leafName(path: readonly TreeKey[]): string {
  return path.map(segmentOf).join("/");
}

function segmentOf(key: TreeKey): string {
  const text = String(key);
  // Hardly any key has one, and a file has many keys.
  return text.includes("~") || text.includes("/") ? text.replaceAll("~", "~0").replaceAll("/", "~1") : text;
}
