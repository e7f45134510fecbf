import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { elementCount, itemSize } from "../elements";
import type { DType } from "../tensor";
import { memoryData, runData, type TensorData } from "../tensorData";
import { stridesOf } from "./foundArrays";
import type { LocatedArray } from "./locatedArray";

/** Largest array that is turned around in memory. */
const MAX_WHOLE_BYTES = 2 ** 30;

/**
 * The values of an array, in row-major order and little-endian. What is not stored so is read whole and turned around
 * when its first value is asked for.
 * @param name what messages call it
 * @throws ModelbenchError `tensor.unreadable`
 */
export function arrayValues(array: LocatedArray, name: string): TensorData {
  const { dtype, nativeDtype, shape, strides, bigEndian, source, start, available } = array;
  const unreadable = (why: string): ModelbenchError => new ModelbenchError("tensor.unreadable", `${name}: ${why}.`);
  const size = dtype === null ? undefined : itemSize(dtype);
  if (dtype === null || size === undefined) throw unreadable(`values of the type ${nativeDtype} are not read`);
  const count = elementCount(shape);
  const reach = shape.reduce((last, length, i) => last + (length - 1) * (strides[i] ?? 0), 1);
  if (count > 0 && reach * size > available) throw unreadable("its elements lie beyond the bytes that are stored");
  if (isRun(array)) return runData(source, dtype, shape, start);
  if (Math.max(reach, count) * size > MAX_WHOLE_BYTES) {
    throw unreadable(`its elements are not stored in order, and it is larger than ${MAX_WHOLE_BYTES >> 20} MiB`);
  }
  return turned({ source, start, bytes: count > 0 ? reach * size : 0 }, dtype, shape, strides, bigEndian);
}

/** Whether the bytes stand in the file as a tensor has them. Dimensions of one element, or none, have no order. */
export function isRun({ shape, strides, bigEndian }: Pick<LocatedArray, "shape" | "strides" | "bigEndian">): boolean {
  if (bigEndian) return false;
  const plain = stridesOf(shape);
  return shape.includes(0) || shape.every((length, i) => length === 1 || strides[i] === plain[i]);
}

function turned(
  place: { readonly source: PositionalReader; readonly start: number; readonly bytes: number },
  dtype: DType,
  shape: readonly number[],
  strides: readonly number[],
  bigEndian: boolean,
): TensorData {
  let whole: TensorData | undefined;
  const load = (): TensorData => {
    const size = itemSize(dtype) ?? 1;
    const stored = Buffer.from(place.source.read(place.start, place.bytes));
    if (bigEndian) swap(stored, dtype.startsWith("complex") ? size / 2 : size);
    whole ??= memoryData({ dtype, shape, data: gathered(stored, size, shape, strides) });
    return whole;
  };
  return {
    dtype,
    shape,
    read: (start, count) => (whole ?? load()).read(start, count),
    stored: () => (whole ?? load()).stored(),
  };
}

function swap(data: Buffer, width: number): void {
  if (width === 2) data.swap16();
  else if (width === 4) data.swap32();
  else if (width === 8) data.swap64();
}

/** Walks the target in order; the source's place moves by the stride of the axis that moved. */
function gathered(stored: Buffer, size: number, shape: readonly number[], strides: readonly number[]): Buffer {
  const target = Buffer.allocUnsafeSlow(elementCount(shape) * size);
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < target.length; to += size) {
    stored.copy(target, to, from * size, (from + 1) * size);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      from += strides[axis] ?? 0;
      index[axis] = next;
      if (next < (shape[axis] ?? 0)) break;
      from -= next * (strides[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return target;
}
