import type { DType } from "./tensor";

const itemSizes: Readonly<Record<DType, number>> = {
  bool: 1,
  int2: 1,
  int4: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
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
  float8_e4m3fn: 1,
  float8_e4m3fnuz: 1,
  float8_e5m2: 1,
  float8_e5m2fnuz: 1,
  float8_e8m0fnu: 1,
  float4_e2m1fn: 1,
  complex64: 8,
  complex128: 16,
  string: 0,
};

/** Bytes of one element in memory; 0 for `string`, whose elements vary. Sub-byte types take a byte each. */
export function itemSize(dtype: DType): number {
  return itemSizes[dtype];
}

/** Whether `text` is one of our dtype names. */
export function isDType(text: unknown): text is DType {
  return typeof text === "string" && Object.hasOwn(itemSizes, text);
}

/** Number of elements of a shape; 1 for a scalar. Not exact beyond 2^53. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dim of shape) count *= dim;
  return count;
}
