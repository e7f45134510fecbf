import { ModelbenchError } from "../../base/errors";
import type { FlaxTree } from "../../formats/flaxMsgpack/tree";
import { parseExactJson, stringifyExact } from "../../formats/jsonExact";
import type { FileContent, LeafKind, LeafValue, StoredTensor } from "../content";

/** The metadata key under which a safetensors file carries leaves that are no tensors. */
export const LEAVES_KEY = "modelbench.leaves";

/** A leaf as JSON: integers and floats as text, so that nothing is lost; bytes as base64. */
interface KeptLeaf {
  readonly path: readonly (string | number)[];
  readonly kind: LeafKind;
  readonly value?: unknown;
}

/** Whether a leaf can be kept as JSON. */
export function isKeepable({ kind, dtype }: StoredTensor): boolean {
  return dtype === null && kind !== "ext" && kind !== "ndarray";
}

/** The leaves of these numbers as one JSON text. @throws ModelbenchError as `FileContent.leaf` */
export function keptLeavesJson(content: FileContent, indices: readonly number[]): string {
  return stringifyExact(
    indices.flatMap((index): KeptLeaf[] => {
      const tensor = content.tensors[index];
      if (!tensor) return [];
      const { path, kind } = tensor;
      const value = content.leaf?.(index);
      return [value === undefined ? { path, kind } : { path, kind, value: encoded(value) }];
    }),
  );
}

function encoded(value: LeafValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "number" || typeof value === "bigint") return numberText(value);
  if (value !== null && typeof value === "object") return { re: numberText(value.re), im: numberText(value.im) };
  return value;
}

function numberText(value: number | bigint): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The leaves that a metadata text holds. @throws ModelbenchError `format.corrupt` when it is not what we write */
export function readKeptLeaves(text: string): { readonly path: (string | number)[]; readonly value: FlaxTree }[] {
  const parsed = parseExactJson(text);
  if (!Array.isArray(parsed)) throw unreadable();
  return parsed.map((item: unknown) => {
    if (item === null || typeof item !== "object" || !("path" in item) || !("kind" in item)) throw unreadable();
    const { path, kind } = item;
    if (!Array.isArray(path) || !path.every(isKey)) throw unreadable();
    return { path, value: decoded(kind, "value" in item ? item.value : undefined) };
  });
}

function isKey(key: unknown): key is string | number {
  return typeof key === "string" || Number.isSafeInteger(key);
}

function decoded(kind: unknown, value: unknown): FlaxTree {
  if (kind === "null") return null;
  if (kind === "empty_map") return new Map();
  if (kind === "empty_list") return [];
  if (kind === "bool" && typeof value === "boolean") return value;
  if (kind === "complex" && value !== null && typeof value === "object" && "re" in value && "im" in value) {
    return { kind: "complex", re: Number(value.re), im: Number(value.im) };
  }
  if (typeof value !== "string") throw unreadable();
  if (kind === "str") return value;
  if (kind === "bytes") return new Uint8Array(Buffer.from(value, "base64"));
  if (kind === "int" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  if (kind === "float") return Number(value);
  throw unreadable();
}

function unreadable(): ModelbenchError {
  return new ModelbenchError("format.corrupt", `The metadata ${LEAVES_KEY} does not list leaves as it should.`);
}
