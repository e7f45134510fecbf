import type { Tensor } from "../formats/tensor";

/** A Python list, of any items that JSON has; it has a row an item. */
export interface ListValue {
  readonly container: "list";
  readonly items: readonly unknown[];
}

/** A pandas DataFrame without its index; all columns have the same number of rows. */
export interface FrameValue {
  readonly container: "dataframe";
  /** Name and values, rank 1, in order. */
  readonly columns: readonly (readonly [name: string, values: Tensor])[];
}

/**
 * Anything else, as JSON; it has no rows. Integers beyond 2^53 are bigint, floats that are whole are `WholeFloat`s, NaN and
 * infinities are their names.
 */
export interface ObjectValue {
  readonly container: "object";
  readonly value: unknown;
}

/** What a method takes or gives: a tensor, or what only Python's methods know. */
export type RunValue = Tensor | ListValue | FrameValue | ObjectValue;

/** Values by input name. */
export type NamedValues = Readonly<Record<string, RunValue>>;

/** Values by output name, in the model's order: an object would put names that are whole numbers first. */
export type NamedOutputs = ReadonlyMap<string, RunValue>;

/** Whether a value is a plain tensor. */
export function isTensor(value: RunValue): value is Tensor {
  return "dtype" in value;
}
