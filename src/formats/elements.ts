import { ModelbenchError } from "../base/errors";
import type { DType, Tensor } from "./tensor";

/** One decoded element: 64-bit integers are bigint, `string` is text, complex has two parts. */
export type Element = number | bigint | boolean | string | { readonly re: number; readonly im: number };

const ITEM_SIZES: Readonly<Record<Exclude<DType, "string">, number>> = {
  bool: 1,
  int1: 1,
  int2: 1,
  int4: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint1: 1,
  uint2: 1,
  uint4: 1,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
  float8_e3m4: 1,
  float8_e4m3: 1,
  float8_e4m3b11fnuz: 1,
  float8_e4m3fn: 1,
  float8_e4m3fnuz: 1,
  float8_e5m2: 1,
  float8_e5m2fnuz: 1,
  float8_e8m0fnu: 1,
  float6_e2m3fn: 1,
  float6_e3m2fn: 1,
  float4_e2m1fn: 1,
  complex64: 8,
  complex128: 16,
};

/** Bytes of one element in memory (sub-byte types take one byte); `undefined` for `string`. */
export function itemSize(dtype: DType): number | undefined {
  return dtype === "string" ? undefined : ITEM_SIZES[dtype];
}

/**
 * Number of elements of a shape; `[]` has one.
 * @throws ModelbenchError `format.corrupt` for negative or impossible dimensions
 */
export function elementCount(shape: readonly number[]): number {
  const isEmpty = shape.includes(0);
  let count = 1;
  for (const dim of shape) {
    // Beside a zero any size is possible: nothing is there.
    if (!(isEmpty ? Number.isInteger(dim) : Number.isSafeInteger(dim)) || dim < 0) {
      throw new ModelbenchError("format.corrupt", `The shape [${shape.join(", ")}] has an impossible dimension.`);
    }
    count *= isEmpty ? 0 : dim;
    if (count > Number.MAX_SAFE_INTEGER) {
      throw new ModelbenchError("format.corrupt", `The shape [${shape.join(", ")}] has more elements than can exist.`);
    }
  }
  return count;
}

/** Decodes elements `[start, start + count)` of a tensor in row-major order. */
export function decodeElements(tensor: Tensor, start = 0, count = elementCount(tensor.shape) - start): Element[] {
  if (tensor.dtype === "string") return decodeStrings(tensor.data).slice(start, start + count);
  const read = DECODERS[tensor.dtype];
  const size = ITEM_SIZES[tensor.dtype];
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const result = new Array<Element>(count);
  for (let i = 0; i < count; i++) result[i] = read(view, (start + i) * size);
  return result;
}

/** Length that stands for a missing text: longer than any body may be. */
export const MISSING_TEXT = 2 ** 32 - 1;

/** Packs texts as a `string` tensor holds them, see `Tensor`; `null` = missing, in a column of a data frame only. */
export function encodeStrings(texts: readonly (string | null)[]): Uint8Array {
  const parts = texts.map((text) => (text === null ? undefined : Buffer.from(text, "utf8")));
  const result = Buffer.alloc(parts.reduce((sum, part) => sum + 4 + (part?.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    at = result.writeUInt32LE(part?.length ?? MISSING_TEXT, at);
    at += part?.copy(result, at) ?? 0;
  }
  return result;
}

/**
 * The texts of a `string` tensor's data.
 * @throws ModelbenchError `format.corrupt` when a length leaves the data, or a text is missing
 */
export function decodeStrings(data: Uint8Array): string[] {
  return textsOf(data, false) as string[];
}

/**
 * The values of a column of a data frame, where texts may be missing.
 * @throws ModelbenchError `format.corrupt` when the length of a text leaves the data
 */
export function decodeColumn(column: Tensor): (Element | null)[] {
  return column.dtype === "string" ? textsOf(column.data, true) : decodeElements(column);
}

/** @param mayMiss whether texts may be missing, which are `null`; without it there is none */
function textsOf(data: Uint8Array, mayMiss: boolean): (string | null)[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const result: (string | null)[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    const isMissing = mayMiss && length === MISSING_TEXT;
    const end = at + 4 + (isMissing ? 0 : length);
    if (end > bytes.length) {
      throw new ModelbenchError("format.corrupt", `A text tensor ends inside element ${result.length}.`, {
        offset: at,
      });
    }
    result.push(isMissing ? null : bytes.toString("utf8", at + 4, end));
    at = end;
  }
  return result;
}

type Decoder = (view: DataView, at: number) => Element;

/** Decodes a small float: `bias` as in IEEE 754; `special` says what the largest exponent means. */
function smallFloat(
  bits: number,
  exponentBits: number,
  bias: number,
  special: "ieee" | "fn" | "fnuz" | "none",
): Float64Array {
  const mantissaBits = bits - 1 - exponentBits;
  const table = new Float64Array(2 ** bits);
  const topExponent = 2 ** exponentBits - 1;
  const topMantissa = 2 ** mantissaBits - 1;
  for (let code = 0; code < table.length; code++) {
    const sign = code >> (bits - 1) === 0 ? 1 : -1;
    const exponent = (code >> mantissaBits) & topExponent;
    const mantissa = code & topMantissa;
    const fraction = mantissa / 2 ** mantissaBits;
    let value = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
    if (special === "ieee" && exponent === topExponent) value = mantissa === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    if (special === "fn" && exponent === topExponent && mantissa === topMantissa) value = Number.NaN;
    table[code] = special === "fnuz" && code === 2 ** (bits - 1) ? Number.NaN : sign * value;
  }
  return table;
}

function byteTable(make: () => Float64Array, mask = 0xff): Decoder {
  let table: Float64Array | undefined;
  return (view, at) => {
    table ??= make();
    return table[view.getUint8(at) & mask] ?? Number.NaN;
  };
}

let halves: Float64Array | undefined;

/** The value of an IEEE half-precision code, 0 to 65535. */
export function decodeFloat16(code: number): number {
  halves ??= smallFloat(16, 5, 15, "ieee");
  return halves[code] ?? Number.NaN;
}

const scratch = new DataView(new ArrayBuffer(4));

/** The value of a bfloat16 code, 0 to 65535: the upper half of a float32. */
export function decodeBfloat16(code: number): number {
  scratch.setUint32(0, code << 16);
  return scratch.getFloat32(0);
}

/** Sign-extends the low `bits` of a byte. */
function signed(byte: number, bits: number): number {
  const shift = 32 - bits;
  return (byte << shift) >> shift;
}

const DECODERS: Readonly<Record<Exclude<DType, "string">, Decoder>> = {
  bool: (view, at) => view.getUint8(at) !== 0,
  int1: (view, at) => signed(view.getUint8(at), 1),
  int2: (view, at) => signed(view.getUint8(at), 2),
  int4: (view, at) => signed(view.getUint8(at), 4),
  int8: (view, at) => view.getInt8(at),
  int16: (view, at) => view.getInt16(at, true),
  int32: (view, at) => view.getInt32(at, true),
  int64: (view, at) => view.getBigInt64(at, true),
  uint1: (view, at) => view.getUint8(at) & 1,
  uint2: (view, at) => view.getUint8(at) & 3,
  uint4: (view, at) => view.getUint8(at) & 15,
  uint8: (view, at) => view.getUint8(at),
  uint16: (view, at) => view.getUint16(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  uint64: (view, at) => view.getBigUint64(at, true),
  float16: (view, at) => decodeFloat16(view.getUint16(at, true)),
  bfloat16: (view, at) => decodeBfloat16(view.getUint16(at, true)),
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
  float8_e3m4: byteTable(() => smallFloat(8, 3, 3, "ieee")),
  float8_e4m3: byteTable(() => smallFloat(8, 4, 7, "ieee")),
  float8_e4m3b11fnuz: byteTable(() => smallFloat(8, 4, 11, "fnuz")),
  float8_e4m3fn: byteTable(() => smallFloat(8, 4, 7, "fn")),
  float8_e4m3fnuz: byteTable(() => smallFloat(8, 4, 8, "fnuz")),
  float8_e5m2: byteTable(() => smallFloat(8, 5, 15, "ieee")),
  float8_e5m2fnuz: byteTable(() => smallFloat(8, 5, 16, "fnuz")),
  float8_e8m0fnu: (view, at) => (view.getUint8(at) === 255 ? Number.NaN : 2 ** (view.getUint8(at) - 127)),
  float6_e2m3fn: byteTable(() => smallFloat(6, 2, 1, "none"), 63),
  float6_e3m2fn: byteTable(() => smallFloat(6, 3, 3, "none"), 63),
  float4_e2m1fn: byteTable(() => smallFloat(4, 2, 1, "none"), 15),
  complex64: (view, at) => ({ re: view.getFloat32(at, true), im: view.getFloat32(at + 4, true) }),
  complex128: (view, at) => ({ re: view.getFloat64(at, true), im: view.getFloat64(at + 8, true) }),
};
