import { ModelbenchError } from "../../base/errors";
import { parseExactJson, stringifyExact } from "../../formats/jsonExact";
import type { FileContent, LeafKind, LeafValue, StoredTensor } from "../content";
import { type PlacedKey, placedPath } from "../placedPath";

/** The metadata key under which a safetensors file carries leaves that are no tensors. */
export const LEAVES_KEY = "modelbench.leaves";

/** A leaf that can be kept, where it is. */
export interface Leaf {
  readonly path: readonly PlacedKey[];
  readonly value: KeptValue;
}

/** A number is a float; the map and the list are empty. */
export type KeptValue = LeafValue | { readonly empty: "map" | "list" };

/** A leaf as JSON: integers and floats as text, so that nothing is lost; bytes as base64. */
interface KeptLeaf {
  readonly path: readonly PlacedKey[];
  readonly kind: LeafKind;
  readonly value?: unknown;
}

/** Whether a leaf can be kept as JSON. */
export function isKeepable({ kind, dtype }: StoredTensor): boolean {
  return dtype === null && kind !== "ext" && kind !== "ndarray";
}

/** Such a leaf of a file. @throws ModelbenchError as `FileContent.leaf` */
export function leafOf(content: FileContent, index: number): Leaf {
  const kind = content.tensors[index]?.kind;
  const value = content.leaf?.(index);
  if (value !== undefined) return { path: placedPath(content, index), value };
  return { path: placedPath(content, index), value: { empty: kind === "empty_list" ? "list" : "map" } };
}

/** A leaf as one text, which is the same for equal leaves only: those of NaN are equal, 0 and -0 are not. */
export function leafJson(leaf: Leaf): string {
  return stringifyExact(kept(leaf));
}

/** The leaves of these numbers as one JSON text. @throws ModelbenchError as `FileContent.leaf` */
export function keptLeavesJson(content: FileContent, indices: readonly number[]): string {
  return stringifyExact(indices.map((index) => kept(leafOf(content, index))));
}

function kept({ path, value }: Leaf): KeptLeaf {
  if (value === null) return { path, kind: "null" };
  if (typeof value === "boolean") return { path, kind: "bool", value };
  if (typeof value === "bigint") return { path, kind: "int", value: String(value) };
  if (typeof value === "number") return { path, kind: "float", value: floatText(value) };
  if (typeof value === "string") return { path, kind: "str", value };
  if (value instanceof Uint8Array) return { path, kind: "bytes", value: Buffer.from(value).toString("base64") };
  if ("empty" in value) return { path, kind: `empty_${value.empty}` };
  return { path, kind: "complex", value: { re: floatText(value.re), im: floatText(value.im) } };
}

function floatText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The leaves that a metadata text holds. @throws ModelbenchError `format.corrupt` when it is not what we write */
export function readKeptLeaves(text: string): Leaf[] {
  const parsed = parseExactJson(text);
  if (!Array.isArray(parsed)) throw unreadableLeaves();
  return parsed.map((item: unknown) => {
    if (item === null || typeof item !== "object" || !("path" in item) || !("kind" in item)) throw unreadableLeaves();
    const { path, kind } = item;
    if (!Array.isArray(path)) throw unreadableLeaves();
    return { path: path.map(keyOf), value: decoded(kind, "value" in item ? item.value : undefined) };
  });
}

/** Earlier versions wrote places in lists as mere integers: those read as integer keys. */
function keyOf(key: unknown): PlacedKey {
  if (typeof key === "string" || (typeof key === "number" && Number.isSafeInteger(key))) return key;
  if (key !== null && typeof key === "object" && "i" in key) {
    const { i } = key;
    if (typeof i === "number" && Number.isSafeInteger(i) && i >= 0) return { i };
  }
  throw unreadableLeaves();
}

function decoded(kind: unknown, value: unknown): KeptValue {
  if (kind === "null") return null;
  if (kind === "empty_map") return { empty: "map" };
  if (kind === "empty_list") return { empty: "list" };
  if (kind === "bool" && typeof value === "boolean") return value;
  if (kind === "complex" && value !== null && typeof value === "object" && "re" in value && "im" in value) {
    return { re: Number(value.re), im: Number(value.im) };
  }
  if (typeof value !== "string") throw unreadableLeaves();
  if (kind === "str") return value;
  if (kind === "bytes") return new Uint8Array(Buffer.from(value, "base64"));
  if (kind === "int" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  if (kind === "float") return Number(value);
  throw unreadableLeaves();
}

/** The failure of a metadata text that is not what we write. */
export function unreadableLeaves(): ModelbenchError {
  return new ModelbenchError("format.corrupt", `The metadata ${LEAVES_KEY} does not list leaves as it should.`);
}
