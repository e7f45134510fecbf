import { ModelbenchError } from "../../base/errors";
import { elementCount, itemSize } from "../elements";
import { isRowMajor, StridedItems } from "../stridedItems";
import type { TensorData } from "../tensorData";
import type { LocatedArray } from "./locatedArray";

/** Largest array that repeats its elements: what is stored of it may be a single one. */
const MAX_REPEATED_BYTES = 2 ** 30;

/**
 * The values of an array, in row-major order and little-endian.
 * @param name what messages call it
 * @throws ModelbenchError `tensor.unreadable`
 */
export function arrayValues(array: LocatedArray, name: string): TensorData {
  const { unread, dtype, nativeDtype, shape, strides, bigEndian, source, start, available } = array;
  const unreadable = (why: string): ModelbenchError => new ModelbenchError("tensor.unreadable", `${name}: ${why}.`);
  if (unread !== undefined) throw unreadable(unread);
  const size = dtype === null ? undefined : itemSize(dtype);
  if (dtype === null || size === undefined) throw unreadable(`values of the type ${nativeDtype} are not read`);
  const count = elementCount(shape);
  const reach = shape.reduce((last, length, i) => last + (length - 1) * (strides[i] ?? 0), 1);
  if (count > 0 && reach * size > available) throw unreadable("its elements lie beyond the bytes that are stored");
  if (count > reach && count * size > MAX_REPEATED_BYTES) {
    throw unreadable(`it repeats its elements, and is larger than ${MAX_REPEATED_BYTES >> 20} MiB`);
  }
  const swapBytes = bigEndian ? (dtype.startsWith("complex") ? size / 2 : size) : 1;
  const items = new StridedItems({ reader: source, start, itemBytes: size, shape, strides, swapBytes });
  return { dtype, shape, read: (first, length) => items.read(first, length), stored: () => items.pieces() };
}

/** Whether the bytes stand in the file as a tensor has them. */
export function isRun({ shape, strides, bigEndian }: Pick<LocatedArray, "shape" | "strides" | "bigEndian">): boolean {
  return !bigEndian && isRowMajor(shape, strides);
}
