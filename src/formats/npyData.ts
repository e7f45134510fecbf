import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";
import { elementCount, encodeStrings } from "./elements";
import type { NpyHeader } from "./npy";
import { isRowMajor, StridedItems, stridesOf } from "./stridedItems";
import type { TensorData } from "./tensorData";

/** Texts that are decoded at once. */
const TEXTS_AT_ONCE = 16_384;

/**
 * The values of an NPY array whose type is read, piece by piece: big-endian ones are turned round, Fortran order becomes
 * row-major, `U` texts a `string` tensor.
 * @param name what messages call it
 * @throws ModelbenchError `tensor.unreadable` for a type that is not read
 */
export function npyData(reader: PositionalReader, header: NpyHeader, name: string): TensorData {
  const { dtype, shape, itemBytes, bigEndian, fortranOrder, dataStart } = header;
  if (dtype === null) throw new ModelbenchError("tensor.unreadable", `${name}: ${header.unreadable}.`, { path: name });
  const swapBytes = bigEndian ? swapWidth(header) : 1;
  const strides = stridesOf(shape, fortranOrder);
  const items = new StridedItems({ reader, start: dataStart, itemBytes, shape, strides, swapBytes });
  if (dtype !== "string") {
    return { dtype, shape, read: (start, count) => items.read(start, count), stored: () => items.pieces() };
  }
  const count = elementCount(shape);
  const read = (start: number, number: number): Uint8Array => texts(items.read(start, number), number, itemBytes, name);
  return {
    dtype,
    shape,
    read,
    *stored() {
      for (let at = 0; at < count; at += TEXTS_AT_ONCE) yield read(at, Math.min(TEXTS_AT_ONCE, count - at));
    },
  };
}

/** Whether the items lie in the file as a tensor has them, but for the order of their bytes. */
export function isRowMajorHeader({ shape, fortranOrder }: NpyHeader): boolean {
  return isRowMajor(shape, stridesOf(shape, fortranOrder));
}

function swapWidth({ dtype, itemBytes }: NpyHeader): number {
  if (dtype === "string") return 4;
  return dtype?.startsWith("complex") ? itemBytes / 2 : itemBytes;
}

/** numpy's `U` texts: UTF-32, filled up with zeros. */
function texts(bytes: Uint8Array, count: number, itemBytes: number, name: string): Uint8Array {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = Array.from({ length: count }, (_, i) => {
    const points: number[] = [];
    for (let at = i * itemBytes; at < (i + 1) * itemBytes; at += 4) points.push(data.readUInt32LE(at));
    while (points.at(-1) === 0) points.pop();
    if (points.some(isNoCharacter))
      throw new ModelbenchError("format.corrupt", `${name}: a text is not Unicode.`, { path: name });
    return points.map((point) => String.fromCodePoint(point)).join("");
  });
  return encodeStrings(found);
}

function isNoCharacter(point: number): boolean {
  return point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);
}
