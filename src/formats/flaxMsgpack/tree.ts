import type { DType } from "../tensor";
import type { TreeKey } from "./stored";

/**
 * An array or a numpy scalar (`npscalar`, without dimensions) in the form of a `Tensor`: dense, row-major,
 * little-endian, one byte for each element of a sub-byte type.
 */
export interface FlaxArray<Data = Uint8Array> {
  readonly kind: "ndarray" | "npscalar";
  readonly dtype: Exclude<DType, "string">;
  readonly shape: readonly number[];
  readonly data: Data;
}

/** A Python complex number. */
export interface FlaxComplex {
  readonly kind: "complex";
  readonly re: number;
  readonly im: number;
}

/** An extension that is not flax's: 0 to 127, or -1 for MessagePack's own timestamp. */
export interface FlaxExtension {
  readonly kind: "ext";
  readonly code: number;
  readonly data: Uint8Array;
}

/**
 * What a flax file holds. A `bigint` is an integer and a `number` always a float, so that each comes back as what it
 * was: `1n` is Python's `1`, `1` is `1.0`. `Uint8Array` is `bytes`, a `Map` a dict with keys of texts and integers.
 */
export type FlaxTree<Data = Uint8Array> =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | FlaxArray<Data>
  | FlaxComplex
  | FlaxExtension
  | readonly FlaxTree<Data>[]
  | ReadonlyMap<TreeKey, FlaxTree<Data>>;

/** Array data that is written piece by piece, in order, so that it need not be in memory at once. */
export type ArrayPieces = Uint8Array | Iterable<Uint8Array>;
