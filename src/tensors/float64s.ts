import { decodeElements, itemSize } from "../formats/elements";
import type { DType } from "../formats/tensor";

/** Values that one element gives: a complex number has two parts. */
export function partsOf(dtype: DType): 1 | 2 {
  return dtype === "complex64" || dtype === "complex128" ? 2 : 1;
}

/**
 * Writes elements as float64 to the beginning of `target`, complex ones as two parts each; 64-bit integers are rounded.
 * Not for `string`.
 * @param bytes as `Tensor.data` holds them, at any alignment
 */
export function toFloat64s(dtype: DType, bytes: Uint8Array, target: Float64Array): void {
  const size = itemSize(dtype) ?? 1;
  if (size <= 2 && partsOf(dtype) === 1) {
    const values = codeValues(dtype);
    const codes = size === 1 ? bytes : new Uint16Array(aligned(bytes, 2));
    for (let i = 0; i < codes.length; i++) target[i] = values[codes[i] ?? 0] ?? 0;
    return;
  }
  target.set(wideValues(dtype, aligned(bytes, 8)));
}

/** The values of the types that are wider than two bytes. */
function wideValues(dtype: DType, buffer: ArrayBuffer): ArrayLike<number> {
  switch (dtype) {
    case "float32":
    case "complex64":
      return new Float32Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "int64":
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case "uint64":
      return Float64Array.from(new BigUint64Array(buffer), Number);
    default:
      return new Float64Array(buffer);
  }
}

/** A copy of the bytes that typed arrays can be laid over, in a buffer of its own. */
function aligned(bytes: Uint8Array, size: number): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  if (
    byteOffset % size === 0 &&
    byteOffset === 0 &&
    buffer.byteLength === byteLength &&
    buffer instanceof ArrayBuffer
  ) {
    return buffer;
  }
  return new Uint8Array(bytes).buffer;
}

const tables = new Map<DType, Float64Array>();

/** The value of every code of a type of one or two bytes. */
function codeValues(dtype: DType): Float64Array {
  const known = tables.get(dtype);
  if (known) return known;
  const codes =
    itemSize(dtype) === 1
      ? Uint8Array.from({ length: 256 }, (_, i) => i)
      : Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const elements = decodeElements({ dtype, shape: [codes.length], data: new Uint8Array(codes.buffer) });
  const values = Float64Array.from(elements, Number);
  tables.set(dtype, values);
  return values;
}
