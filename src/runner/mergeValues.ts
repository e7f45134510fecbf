import { ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import { type Allocate, concatTensors, mergeable, sliceTensor, splitTensor } from "./merge";
import { type FrameValue, isTensor, type ListValue, type RunValue } from "./values";

/**
 * Rows of a value along `axis`. `undefined`: it has none. That is so for objects, for an axis that a tensor lacks, for
 * lists and frames on any axis but the first, and for a frame whose columns differ in length.
 */
export function rowsOf(value: RunValue, axis: number): number | undefined {
  if (isTensor(value)) return value.shape[axis];
  if (axis !== 0 || value.container === "object") return undefined;
  return value.container === "list" ? value.items.length : frameRows(value);
}

function frameRows({ columns }: FrameValue): number | undefined {
  const rows = columns[0]?.[1].shape[0];
  return columns.every(([, { shape }]) => shape.length === 1 && shape[0] === rows) ? rows : undefined;
}

/**
 * Whether two values differ in nothing but their rows along `axis`: tensors in dtype and other dimensions, frames in
 * the names, dtypes and order of their columns. Lists hold anything; what has no rows never fits.
 */
export function mergeableValues(a: RunValue, b: RunValue, axis: number): boolean {
  if (isTensor(a)) return isTensor(b) && mergeable(a, b, axis);
  if (isTensor(b) || axis !== 0) return false;
  if (a.container === "list") return b.container === "list";
  return a.container === "dataframe" && b.container === "dataframe" && haveSameColumns(a, b);
}

function haveSameColumns(a: FrameValue, b: FrameValue): boolean {
  if (a.columns.length !== b.columns.length) return false;
  return a.columns.every(([name, values], i) => {
    const other = b.columns[i];
    return other !== undefined && other[0] === name && mergeable(values, other[1], 0);
  });
}

/**
 * Joins values along `axis`. One value is returned as it is. A joined tensor's bytes come from `allocate`.
 * @throws ModelbenchError `internal` when they are not mergeable
 */
export function concatValues(values: readonly RunValue[], axis: number, allocate?: Allocate): RunValue {
  const first = values[0];
  if (first === undefined) throw new ModelbenchError("internal", "Nothing to join.");
  if (values.length === 1) return first;
  if (isTensor(first)) return concatTensors(values as readonly Tensor[], axis, allocate);
  for (const value of values) {
    if (!mergeableValues(first, value, axis))
      throw new ModelbenchError("internal", "Values that do not fit were joined.");
  }
  return first.container === "dataframe"
    ? concatFrames(first, values as readonly FrameValue[])
    : { container: "list", items: (values as readonly ListValue[]).flatMap(({ items }) => items) };
}

function concatFrames({ columns }: FrameValue, frames: readonly FrameValue[]): FrameValue {
  const joined = columns.map(([name], i) => {
    const pieces = frames.map((frame) => (frame.columns[i] as (typeof columns)[number])[1]);
    return [name, concatTensors(pieces, 0)] as const;
  });
  return { container: "dataframe", columns: joined };
}

/**
 * Rows `[start, start + count)` of `axis`: a view where tensors allow it, and the value itself when that is all of it.
 * @throws ModelbenchError `internal` when the value has no such rows
 */
export function sliceValue(value: RunValue, axis: number, start: number, count: number): RunValue {
  if (isTensor(value)) return sliceTensor(value, axis, start, count);
  const rows = rowsOf(value, axis);
  if (value.container === "object" || rows === undefined || start < 0 || count < 0 || start + count > rows) {
    throw new ModelbenchError("internal", `[${start}, ${start + count}) leaves axis ${axis} of a ${value.container}.`);
  }
  if (start === 0 && count === rows) return value;
  if (value.container === "list") return { container: "list", items: value.items.slice(start, start + count) };
  const columns = value.columns.map(([name, values]) => [name, sliceTensor(values, 0, start, count)] as const);
  return { container: "dataframe", columns };
}

/** Cuts a value into pieces of `counts` rows along `axis`, which together are all of it. */
export function splitValue(value: RunValue, axis: number, counts: readonly number[]): RunValue[] {
  if (isTensor(value)) return splitTensor(value, axis, counts);
  let start = 0;
  return counts.map((count) => {
    const piece = sliceValue(value, axis, start, count);
    start += count;
    return piece;
  });
}
