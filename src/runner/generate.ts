import { ModelbenchError } from "../base/errors";
import { elementCount, encodeStrings, itemSize } from "../formats/elements";
import type { DType, Tensor, ValueSpec } from "../formats/tensor";
import { elementWriter, integerBounds } from "./elementWriter";
import { describeSpec, type TensorForm, tensorDType } from "./inputCheck";
import type { InputValue } from "./protocol";

/** The request for made-up values of one input. */
export type Generate = Extract<InputValue, { kind: "generate" }>;

/** More would not be made by accident only. */
const MAX_ELEMENTS = 2 ** 28;

/**
 * Values of a pattern. Floats: `range` counts 0, 1, 2, …; `uniform` is [0, 1); `normal` has mean 0 and deviation 1
 * (Box-Muller). Integers: `range` counts and starts over after the type's largest value; `uniform` is 0 to 9 within
 * the type; `normal` is rounded and held within the type. Booleans are `value >= 0.5`, strings the number as text.
 * Randomness is mulberry32 from `seed` (0 to 2^32 - 1), one stream an input in row-major order, so that a seed
 * gives the same values everywhere. `dims` names the dynamic axes in order; left out, they are 1. For an unknown
 * rank `dims` is the whole shape.
 * @throws ModelbenchError `input.shape` for dims that do not fit, `run.unsupported` for types that cannot be made
 */
export function generateTensor(spec: ValueSpec, generate: Generate): Tensor {
  const { pattern, seed } = generate;
  const { dtype, shape } = generatedForm(spec, generate);
  const count = elementCount(shape);
  const next = source(pattern, seed, dtype);
  if (dtype === "string") {
    return { dtype, shape, data: encodeStrings(Array.from({ length: count }, (_, i) => String(next(i)))) };
  }
  const data = Buffer.allocUnsafeSlow(count * (itemSize(dtype) ?? 0));
  const put = elementWriter(dtype, data);
  if (put === undefined)
    throw new ModelbenchError("run.unsupported", `\`${spec.name}\`: ${dtype} values cannot be generated.`);
  for (let i = 0; i < count; i += 1) put(i, dtype === "bool" ? next(i) >= 0.5 : next(i));
  return { dtype, shape, data };
}

/** What `generateTensor` would make, without its values. @throws ModelbenchError as there */
export function generatedForm(spec: ValueSpec, { dims }: Generate): TensorForm {
  const dtype = tensorDType(spec);
  const shape = generatedShape(spec, dims);
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (count > MAX_ELEMENTS) throw wrongDims(spec, dims, `${count} elements are more than ${MAX_ELEMENTS}`);
  return { dtype, shape };
}

function generatedShape(spec: ValueSpec, dims: readonly number[]): number[] {
  const wrong = dims.find((dim) => !Number.isSafeInteger(dim) || dim < 0);
  if (wrong !== undefined) throw wrongDims(spec, dims, `${wrong} is no size`);
  if (spec.shape === null) return [...dims];
  const dynamic = spec.shape.filter((dim) => typeof dim !== "number").length;
  if (dims.length > dynamic) throw wrongDims(spec, dims, `there are ${dynamic} dynamic axes`);
  let used = 0;
  return spec.shape.map((dim) => {
    if (typeof dim === "number") return dim;
    used += 1;
    return dims[used - 1] ?? 1;
  });
}

function source(pattern: Generate["pattern"], seed: number, dtype: DType): (index: number) => number {
  const bounds = integerBounds(dtype);
  const [low, high] = bounds ? [Number(bounds[0]), Number(bounds[1])] : [0, 0];
  const whole = bounds !== undefined || dtype === "string";
  const random = mulberry32(seed);
  switch (pattern) {
    case "zeros":
      return () => 0;
    case "ones":
      return () => 1;
    case "range":
      return bounds ? (i) => i % (high + 1) : dtype === "bool" ? (i) => i % 2 : rangeOf(dtype);
    case "uniform":
      return whole ? () => Math.floor(random() * Math.min(10, high === 0 ? 10 : high + 1)) : random;
    case "normal":
      return bounds
        ? () => clamp(Math.round(normal(random)), low, high)
        : whole
          ? () => Math.round(normal(random))
          : () => normal(random);
  }
}

/** Counts; half precision cannot hold large numbers, so it starts over where it would stop being exact. */
function rangeOf(dtype: DType): (index: number) => number {
  if (dtype === "float16") return (i) => i % 2048;
  return dtype === "bfloat16" ? (i) => i % 256 : (i) => i;
}

/** Tommy Ettinger's mulberry32: 32 bits of state, uniform in [0, 1) with 32 bits of resolution. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function wrongDims(spec: ValueSpec, dims: readonly number[], what: string): ModelbenchError {
  return new ModelbenchError(
    "input.shape",
    `\`${spec.name}\`: expected ${describeSpec(spec)}, got the sizes [${dims.join(", ")}]; ${what}.`,
  );
}
