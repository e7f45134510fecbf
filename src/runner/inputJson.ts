import { ModelbenchError } from "../base/errors";
import { elementCount, encodeStrings, itemSize } from "../formats/elements";
import type { DType, Tensor, ValueSpec } from "../formats/tensor";
import { elementWriter, type PutElement } from "./elementWriter";
import { describeSpec, tensorDType } from "./inputCheck";
import type { RunValue } from "./values";

/** No tensor has more axes in ONNX Runtime or numpy. */
const MAX_RANK = 64;

/**
 * A tensor of the declared dtype from nested lists, row-major; a bare value is a scalar. Integers may be bigint,
 * floats may be `"NaN"`, `"Infinity"`, `"-Infinity"`; booleans may be 0 and 1. An empty list takes its remaining
 * dimensions from the declaration. Rank and dimensions are not compared with the declared ones here.
 * @throws ModelbenchError `input.shape` for ragged lists, `input.dtype` for values that the type cannot hold,
 * each naming the place; `run.unsupported` for types that have no JSON form
 */
export function tensorFromJson(spec: ValueSpec, value: unknown): Tensor {
  const dtype = tensorDType(spec);
  const shape = shapeOf(spec, value);
  const count = elementCount(shape);
  if (dtype === "string") return { dtype, shape, data: stringData(spec, shape, value, count) };
  const data = Buffer.allocUnsafeSlow(count * (itemSize(dtype) ?? 0));
  const put = elementWriter(dtype, data);
  if (put === undefined) throw noJson(spec, dtype);
  fill(spec, shape, value, put);
  return { dtype, shape, data };
}

/**
 * A value that no signature declares: nested lists of numbers of one length a level become a tensor (so do `"NaN"` and
 * infinities among them), another list stays a list, and everything else, a bare number too, is an object.
 * @throws ModelbenchError `input.dtype` for numbers that the dtype cannot hold, float64 exactly
 */
export function undeclaredFromJson(name: string, value: unknown, dtype: DType = "float64"): RunValue {
  if (!Array.isArray(value)) return { container: "object", value };
  if (!isRectangular(value)) return { container: "list", items: value };
  const spec: ValueSpec = { name, type: "tensor", dtype, shape: null };
  const inexact = dtype === "float64" ? inexactIn(value) : undefined;
  if (inexact !== undefined) throw wrongValue(spec, [], `${inexact} does not fit exactly; give it with its dtype`);
  return tensorFromJson(spec, value);
}

/** An integer that a double would round. */
function inexactIn(level: unknown): bigint | undefined {
  if (typeof level === "bigint") return BigInt(Number(level)) === level ? undefined : level;
  if (!Array.isArray(level)) return undefined;
  for (const item of level) {
    const inexact = inexactIn(item);
    if (inexact !== undefined) return inexact;
  }
  return undefined;
}

/** Whether lists are nested to one depth with one length a level, and hold numbers, at least one. */
function isRectangular(list: readonly unknown[]): boolean {
  const shape: number[] = [];
  for (let level: unknown = list; Array.isArray(level) && shape.length <= MAX_RANK; level = level[0])
    shape.push(level.length);
  if (shape.includes(0) || shape.length > MAX_RANK) return false;
  let hasNumber = false;
  const fits = (level: unknown, axis: number): boolean => {
    if (axis < shape.length)
      return Array.isArray(level) && level.length === shape[axis] && level.every((item) => fits(item, axis + 1));
    const isNumber = typeof level === "number" || typeof level === "bigint";
    hasNumber ||= isNumber;
    return isNumber || level === "NaN" || level === "Infinity" || level === "-Infinity";
  };
  return fits(list, 0) && hasNumber;
}

function stringData(spec: ValueSpec, shape: readonly number[], value: unknown, count: number): Uint8Array {
  const texts = new Array<string>(count);
  fill(spec, shape, value, (i, text) => {
    if (typeof text !== "string")
      return `expected a string, got ${typeof text === "object" ? "no string" : String(text)}`;
    texts[i] = text;
    return undefined;
  });
  return encodeStrings(texts);
}

/** Lengths along the first element of each level; whether the others agree is found while filling. */
function shapeOf(spec: ValueSpec, value: unknown): number[] {
  const shape: number[] = [];
  let level = value;
  while (Array.isArray(level)) {
    shape.push(level.length);
    if (level.length === 0) return [...shape, ...restOf(spec, shape.length)];
    if (shape.length > MAX_RANK) throw wrongShape(spec, `the list is nested deeper than ${MAX_RANK} levels`);
    level = level[0];
  }
  return shape;
}

/** Declared dimensions from `axis` on, dynamic ones as 0. */
function restOf(spec: ValueSpec, axis: number): number[] {
  return (spec.shape ?? []).slice(axis).map((dim) => (typeof dim === "number" ? dim : 0));
}

function fill(spec: ValueSpec, shape: readonly number[], value: unknown, put: PutElement): void {
  const place: number[] = [];
  let index = 0;
  const visit = (level: unknown, axis: number): void => {
    if (axis === shape.length) {
      const wrong = Array.isArray(level) ? undefined : put(index, level);
      if (Array.isArray(level)) throw wrongShape(spec, `ragged list: ${at(place)} is a list, the first one is a value`);
      if (wrong !== undefined) throw wrongValue(spec, place, wrong);
      index += 1;
      return;
    }
    if (!Array.isArray(level)) throw wrongShape(spec, `ragged list: ${at(place)} is no list, the first one is`);
    if (level.length !== shape[axis]) {
      throw wrongShape(
        spec,
        `ragged list: ${at(place)} has ${level.length} elements, the first one has ${shape[axis]}`,
      );
    }
    for (let i = 0; i < level.length; i += 1) {
      place[axis] = i;
      visit(level[i], axis + 1);
    }
    place.length = axis;
  };
  visit(value, 0);
}

function at(place: readonly number[]): string {
  return place.length === 0 ? "the value" : place.map((i) => `[${i}]`).join("");
}

function wrongShape(spec: ValueSpec, what: string): ModelbenchError {
  return new ModelbenchError("input.shape", `\`${spec.name}\`: expected ${describeSpec(spec)}; ${what}.`);
}

function wrongValue(spec: ValueSpec, place: readonly number[], what: string): ModelbenchError {
  const where = place.length === 0 ? "" : `${at(place)} `;
  return new ModelbenchError("input.dtype", `\`${spec.name}\` ${where}(${spec.dtype}): ${what}.`);
}

function noJson(spec: ValueSpec, dtype: DType): ModelbenchError {
  return new ModelbenchError("run.unsupported", `\`${spec.name}\`: ${dtype} values cannot be written as JSON.`, {
    remedy: "Give the input as a .npy or .pb file.",
  });
}
