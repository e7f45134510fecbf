import type { DType } from "../formats/tensor";
import { encodeBfloat16, encodeFloat16 } from "./smallFloats";

/** Puts one JSON value at an element's place; answers with what is wrong with the value, if anything. */
export type PutElement = (index: number, value: unknown) => string | undefined;

/** Bounds of the integer types, both included. */
const integers: Partial<Record<DType, readonly [bigint, bigint]>> = {
  int2: [-2n, 1n],
  int4: [-8n, 7n],
  int8: [-128n, 127n],
  int16: [-32_768n, 32_767n],
  int32: [-2_147_483_648n, 2_147_483_647n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint2: [0n, 3n],
  uint4: [0n, 15n],
  uint8: [0n, 255n],
  uint16: [0n, 65_535n],
  uint32: [0n, 4_294_967_295n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Smallest and largest value of an integer type, `undefined` for the other types. */
export function integerBounds(dtype: DType): readonly [bigint, bigint] | undefined {
  return integers[dtype];
}

/** The writer of one dtype into `data`, or `undefined` when JSON cannot express the type (`string` is no bytes of fixed size). */
export function elementWriter(dtype: DType, data: Uint8Array): PutElement | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const bounds = integers[dtype];
  if (bounds !== undefined) return integerWriter(dtype, view, bounds);
  switch (dtype) {
    case "bool":
      return (i, value) => {
        if (value !== true && value !== false && value !== 0 && value !== 1) return expected("true or false", value);
        view.setUint8(i, Number(value));
        return undefined;
      };
    case "float16":
      return floatWriter(dtype, (i, value) => view.setUint16(2 * i, encodeFloat16(value), true), 65_520);
    case "bfloat16":
      return floatWriter(
        dtype,
        (i, value) => view.setUint16(2 * i, encodeBfloat16(value), true),
        (2 - 2 ** -8) * 2 ** 127,
      );
    case "float32":
      return floatWriter(dtype, (i, value) => view.setFloat32(4 * i, value, true), (2 - 2 ** -24) * 2 ** 127);
    case "float64":
      return floatWriter(dtype, (i, value) => view.setFloat64(8 * i, value, true), Number.POSITIVE_INFINITY);
    case "complex64":
      return complexWriter((i, value) => view.setFloat32(4 * i, value, true));
    case "complex128":
      return complexWriter((i, value) => view.setFloat64(8 * i, value, true));
    default:
      return undefined;
  }
}

function integerWriter(dtype: DType, view: DataView, [low, high]: readonly [bigint, bigint]): PutElement {
  const store = integerStore(dtype, view);
  const [least, most] = [Number(low), Number(high)];
  return (i, value) => {
    if (typeof value === "bigint") {
      if (value < low || value > high) return outOfRange(dtype, low, high, value);
    } else if (typeof value !== "number" || !Number.isInteger(value)) {
      return expected("an integer", value);
    } else if (value < least || value > most || (value === most && BigInt(most) > high)) {
      return outOfRange(dtype, low, high, value);
    }
    store(i, value);
    return undefined;
  };
}

function integerStore(dtype: DType, view: DataView): (i: number, value: number | bigint) => void {
  switch (dtype) {
    case "int64":
      return (i, value) => view.setBigInt64(8 * i, BigInt(value), true);
    case "uint64":
      return (i, value) => view.setBigUint64(8 * i, BigInt(value), true);
    case "int32":
    case "uint32":
      return (i, value) => view.setUint32(4 * i, Number(value), true);
    case "int16":
    case "uint16":
      return (i, value) => view.setUint16(2 * i, Number(value), true);
    default:
      return (i, value) => view.setUint8(i, Number(value));
  }
}

/** @param overflow the smallest size that would round to an infinity */
function floatWriter(dtype: DType, store: (i: number, value: number) => void, overflow: number): PutElement {
  return (i, value) => {
    const number = toFloat(value);
    if (number === undefined) return expected('a number, "NaN", "Infinity" or "-Infinity"', value);
    if (Math.abs(number) >= overflow && (Number.isFinite(number) || typeof value !== "string")) {
      return `${value} does not fit ${dtype}`;
    }
    store(i, number);
    return undefined;
  };
}

function complexWriter(store: (i: number, value: number) => void): PutElement {
  return (i, value) => {
    const parts: { re?: unknown; im?: unknown } =
      typeof value === "object" && value !== null ? value : { re: value, im: 0 };
    const [re, im] = [toFloat(parts.re), toFloat(parts.im)];
    if (re === undefined || im === undefined) return expected("a number or {re, im}", value);
    store(2 * i, re);
    store(2 * i + 1, im);
    return undefined;
  };
}

function toFloat(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value === "NaN") return Number.NaN;
  if (value === "Infinity") return Number.POSITIVE_INFINITY;
  return value === "-Infinity" ? Number.NEGATIVE_INFINITY : undefined;
}

function outOfRange(dtype: DType, low: bigint, high: bigint, value: number | bigint): string {
  return `${value} does not fit ${dtype} (${low} to ${high})`;
}

function expected(what: string, value: unknown): string {
  return `expected ${what}, got ${show(value)}`;
}

function show(value: unknown): string {
  if (typeof value === "bigint" || value === undefined) return String(value);
  const text = Array.isArray(value)
    ? "a list"
    : typeof value === "object" && value !== null
      ? "an object"
      : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
