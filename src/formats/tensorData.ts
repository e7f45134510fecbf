import { createHash } from "node:crypto";
import type { PositionalReader } from "../base/ports";
import { elementCount, itemSize } from "./elements";
import type { DType, Tensor } from "./tensor";

/** Bytes handed out at once by `stored`. */
const PIECE_BYTES = 1 << 20;

/** The values of one stored tensor, read piece by piece, in the form of a `Tensor`: dense, row-major, little-endian. */
export interface TensorData {
  readonly dtype: DType;
  /** Outermost first. */
  readonly shape: readonly number[];
  /**
   * Elements `[start, start + count)` in row-major order, as `Tensor.data` holds them; the view stays valid until the
   * next call.
   * @throws ModelbenchError `format.corrupt` | `file.access` | `budget.exceeded`
   */
  read(start: number, count: number): Uint8Array;
  /** All values as stored, but little-endian and row-major: sub-byte types stay packed where the format packs them. */
  stored(): Iterable<Uint8Array>;
}

/** SHA-256 (hex) of the stored little-endian row-major bytes. */
export function digestOf(data: TensorData): string {
  const hash = createHash("sha256");
  for (const piece of data.stored()) hash.update(piece);
  return hash.digest("hex");
}

/** Values that lie in one run, in the very form of a `Tensor`, from byte `offset` of the reader. Not for `string`. */
export function runData(reader: PositionalReader, dtype: DType, shape: readonly number[], offset: number): TensorData {
  const size = itemSize(dtype) ?? 0;
  const bytes = elementCount(shape) * size;
  return {
    dtype,
    shape,
    read: (start, count) => reader.read(offset + start * size, count * size),
    *stored() {
      for (let at = 0; at < bytes; at += PIECE_BYTES) {
        yield reader.read(offset + at, Math.min(PIECE_BYTES, bytes - at));
      }
    },
  };
}

/**
 * Values of a sub-byte type that lie packed in one run from byte `offset`, low bits first, elements across bytes where
 * `bits` does not divide 8.
 * @param bits of one element, 1 to 7
 */
export function packedData(
  reader: PositionalReader,
  dtype: DType,
  shape: readonly number[],
  offset: number,
  bits: number,
): TensorData {
  const bytes = Math.ceil((elementCount(shape) * bits) / 8);
  return {
    dtype,
    shape,
    read(start, count) {
      const from = Math.floor((start * bits) / 8);
      const to = Math.ceil(((start + count) * bits) / 8);
      return unpackBits(reader.read(offset + from, to - from), bits, count, start * bits - from * 8);
    },
    *stored() {
      for (let at = 0; at < bytes; at += PIECE_BYTES) {
        yield reader.read(offset + at, Math.min(PIECE_BYTES, bytes - at));
      }
    },
  };
}

/** Values in memory; `stored` are their bytes in the file where those differ. Works for `string` too. */
export function memoryData(tensor: Tensor, stored: Uint8Array = tensor.data): TensorData {
  const { dtype, shape, data } = tensor;
  const size = itemSize(dtype);
  return {
    dtype,
    shape,
    read: (start, count) =>
      size === undefined ? textRange(data, start, count) : data.subarray(start * size, (start + count) * size),
    stored: () => [stored],
  };
}

/** Splits packed elements of 1 to 7 bits into one a byte, low bits first, from bit `first` on. */
export function unpackBits(packed: Uint8Array, bits: number, count: number, first = 0): Uint8Array {
  const mask = 2 ** bits - 1;
  const result = new Uint8Array(count);
  for (let i = 0, at = first; i < count; i++, at += bits) {
    const byte = at >> 3;
    result[i] = (((packed[byte] ?? 0) | ((packed[byte + 1] ?? 0) << 8)) >> (at & 7)) & mask;
  }
  return result;
}

/** Joins elements of 1 to 7 bits, one a byte, low bits first: what `unpackBits` takes apart. */
export function packBits(elements: Uint8Array, bits: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil((elements.length * bits) / 8));
  const mask = 2 ** bits - 1;
  for (let i = 0, at = 0; i < elements.length; i++, at += bits) {
    const value = ((elements[i] ?? 0) & mask) << (at & 7);
    const byte = at >> 3;
    packed[byte] = (packed[byte] ?? 0) | value;
    if (value > 0xff) packed[byte + 1] = value >> 8;
  }
  return packed;
}

function textRange(data: Uint8Array, start: number, count: number): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const skip = (at: number, texts: number): number => {
    let end = at;
    for (let i = 0; i < texts; i++) end += 4 + view.getUint32(end, true);
    return end;
  };
  const from = skip(0, start);
  return data.subarray(from, skip(from, count));
}
