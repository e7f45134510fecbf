import { elementCount } from "../protocol/drafts";
import type { Cells, OutputView } from "../protocol/views";

/** How an output is shown. */
export type OutputKind = "empty" | "scalar" | "vector" | "matrix";

/** Chooses the view by shape alone: one value, one row, or rows and columns. */
export function outputKind({ shape }: OutputView): OutputKind {
  const total = elementCount(shape);
  if (total === 0) return "empty";
  if (total === 1) return "scalar";
  const longAxes = shape.filter((dim) => dim > 1).length;
  return longAxes === 1 && shape.length <= 2 ? "vector" : "matrix";
}

/** Rows and columns of an output as a grid: the last axis runs to the right. */
export function gridSize({ shape }: OutputView): { rows: number; columns: number } {
  const columns = shape.length < 2 ? 1 : (shape.at(-1) ?? 1);
  const total = elementCount(shape);
  return { rows: columns === 0 ? 0 : total / columns, columns };
}

/** Position of a grid row in the leading axes: `3`, or `0, 3`. */
export function rowLabel(shape: readonly number[], row: number): string {
  const leading = shape.length < 2 ? shape : shape.slice(0, -1);
  const parts: number[] = [];
  let rest = row;
  for (const dim of [...leading].reverse()) {
    parts.unshift(rest % dim);
    rest = Math.floor(rest / dim);
  }
  return parts.join(", ");
}

/** The class an integer output names; `undefined` when it names none. */
export function classOf(
  dtype: string,
  value: Cells[number] | undefined,
  classes: readonly string[],
): string | undefined {
  if (!/^u?int/.test(dtype) || value === undefined) return undefined;
  return classes[Number(value)];
}

/** The values as numbers; `undefined` when they are not real numbers. */
export function asNumbers(dtype: string, values: Cells): number[] | undefined {
  return dtype.startsWith("float") || dtype === "bfloat16" || /^u?int/.test(dtype) ? values.map(Number) : undefined;
}

/** Whether numbers look like probabilities: between 0 and 1, adding up to 1. */
export function looksLikeProbabilities(values: readonly number[]): boolean {
  const sum = values.reduce((total, value) => total + value, 0);
  return Math.abs(sum - 1) < 1e-3 && values.every((value) => value >= 0 && value <= 1);
}

/** Softmax, computed so that large values do not overflow. NaN anywhere makes all NaN. */
export function softmax(values: readonly number[]): number[] {
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = values.map((value) => (value === largest ? 1 : Math.exp(value - largest)));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Indices of the largest values, largest first, ties by index; NaN is never among them. */
export function topIndices(values: readonly number[], count: number): number[] {
  const indices = values.flatMap((value, index) => (Number.isNaN(value) ? [] : [index]));
  return indices.sort((a, b) => compare(values[b], values[a]) || a - b).slice(0, count);
}

/** Infinities must compare as equal to themselves, which subtracting them does not give. */
function compare(a = 0, b = 0): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
