import type { Warning } from "../../base/errors";
import type { FileFormat } from "../../formats/sniff";
import type { ValueDifference } from "../../tensors/difference";
import type { StoredTensor } from "../content";
import type { FactDifference } from "./facts";

/** One side, named. */
export interface ComparedSide {
  /** The file's name, or the version's tag. */
  readonly name: string;
  readonly kind: "file" | "model";
  readonly format: FileFormat;
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  /** Tensors and other leaves. */
  readonly tensors: number;
}

/**
 * How a tensor changed; several may hold at once. `added`: only B has it. `moved`: under another name,
 * or under keys of another type. `reshaped`:
 * another shape. `recast`: another type. `kind`: what was an array is something else, or the other way round. `values`:
 * other values; recast ones are compared as float64, 64-bit integers exactly.
 */
export type TensorChange = "added" | "removed" | "moved" | "reshaped" | "recast" | "kind" | "values";

/** A tensor by its header. */
export type TensorHead = Pick<StoredTensor, "file" | "name" | "kind" | "dtype" | "nativeDtype" | "shape" | "bytes"> & {
  /** Its place in the list of tensors of its side, from 0. */
  readonly index: number;
};

/** A tensor that is not the same on both sides. */
export interface TensorDifference {
  /** Empty where it is only not known whether the values changed: see `reason`. */
  readonly changes: readonly TensorChange[];
  /** `null` when it was added. */
  readonly a: TensorHead | null;
  /** `null` when it was removed. */
  readonly b: TensorHead | null;
  /** `null` when values were not compared. */
  readonly values: ValueDifference | null;
  /** What a leaf that is no array says on each side, when that differs. */
  readonly leaf?: { readonly a: string; readonly b: string };
  /** Why values were not compared, though both sides have some. */
  readonly reason?: string;
  /** Of a tensor that one side lacks: names there that look like it. */
  readonly near?: readonly string[];
}

/** How many tensors of both sides together are what. A tensor that changed in two ways is counted in both. */
export interface TensorCounts {
  /** Of the same name, form and values. */
  readonly equal: number;
  readonly added: number;
  readonly removed: number;
  readonly moved: number;
  readonly reshaped: number;
  readonly recast: number;
  readonly kind: number;
  readonly values: number;
  /** Of the same form, but their values cannot be read. */
  readonly unreadable: number;
}

/** Two versions or files, compared; plain, cloneable data. */
export interface Comparison {
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  /** Whether nothing at all differs. */
  readonly same: boolean;
  readonly facts: readonly FactDifference[];
  readonly counts: TensorCounts;
  /**
   * What is not equal. First those whose values changed, the largest norm of the change first and such with NaN on one
   * side before all; then reshaped, other kinds, removed, added, recast and moved ones, in the order of A.
   */
  readonly tensors: readonly TensorDifference[];
  readonly warnings: readonly Warning[];
}
