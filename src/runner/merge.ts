import { ModelbenchError } from "../base/errors";
import { elementCount, itemSize } from "../formats/elements";
import { stringOffsets } from "../formats/stringOffsets";
import type { Tensor } from "../formats/tensor";

/** Gives so many bytes that fill their buffer, so that they can be transferred; what they hold is overwritten. */
export type Allocate = (size: number) => Uint8Array;

/**
 * Joins tensors along `axis`. All share dtype, rank and the other dimensions. One tensor is returned as it is.
 * @throws ModelbenchError `internal` when they do not fit together
 */
export function concatTensors(tensors: readonly Tensor[], axis: number, allocate: Allocate = ownBuffer): Tensor {
  const first = tensors[0];
  if (first === undefined) throw new ModelbenchError("internal", "Nothing to join.");
  if (tensors.length === 1) return first;
  for (const tensor of tensors) {
    if (!mergeable(first, tensor, axis)) throw new ModelbenchError("internal", "Tensors that do not fit were joined.");
  }
  const rows = tensors.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
  const shape = withDim(first.shape, axis, rows);
  const outer = elementCount(shape.slice(0, axis));
  const data = interleave(
    tensors.map((tensor) => blocks(tensor, axis, outer)),
    outer,
    allocate,
  );
  return { dtype: first.dtype, shape, data };
}

/** Whether two tensors differ in nothing but their length along `axis`. */
export function mergeable(a: Tensor, b: Tensor, axis: number): boolean {
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length || axis >= a.shape.length) return false;
  for (let i = 0; i < a.shape.length; i += 1) if (i !== axis && a.shape[i] !== b.shape[i]) return false;
  return true;
}

/**
 * Elements `[start, start + count)` of `axis`; a view where the bytes are one run, else a copy.
 * @throws ModelbenchError `internal` when the range leaves the tensor
 */
export function sliceTensor(tensor: Tensor, axis: number, start: number, count: number): Tensor {
  const length = lengthHolding(tensor, axis, start, count);
  if (start === 0 && count === length) return tensor;
  const shape = withDim(tensor.shape, axis, count);
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const cut = cutter(tensor);
  const parts: Uint8Array[] = [];
  for (let o = 0; o < outer; o += 1)
    parts.push(cut((o * length + start) * inner, (o * length + start + count) * inner));
  return { dtype: tensor.dtype, shape, data: parts.length === 1 ? (parts[0] as Uint8Array) : joinBytes(parts) };
}

/**
 * Cuts a tensor into pieces of `counts` elements along `axis`, as `sliceTensor` would one by one: what is the same for
 * all of them is reckoned once.
 * @throws ModelbenchError `internal` when the pieces leave the tensor
 */
export function splitTensor(tensor: Tensor, axis: number, counts: readonly number[]): Tensor[] {
  const { dtype, shape, data } = tensor;
  const size = itemSize(dtype);
  let start = 0;
  if (size === undefined || elementCount(shape.slice(0, axis)) !== 1) {
    return counts.map((count) => {
      start += count;
      return sliceTensor(tensor, axis, start - count, count);
    });
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  lengthHolding(tensor, axis, 0, total);
  const inner = size * elementCount(shape.slice(axis + 1));
  return counts.map((count) => {
    start += count;
    return { dtype, shape: withDim(shape, axis, count), data: data.subarray((start - count) * inner, start * inner) };
  });
}

/** The length of `axis`, which holds `[start, start + count)`. @throws ModelbenchError `internal` when it does not */
function lengthHolding({ shape }: Tensor, axis: number, start: number, count: number): number {
  const length = shape[axis];
  if (length !== undefined && start >= 0 && count >= 0 && start + count <= length) return length;
  throw new ModelbenchError("internal", `[${start}, ${start + count}) leaves axis ${axis} of [${shape.join(", ")}].`);
}

function withDim(shape: readonly number[], axis: number, length: number): number[] {
  return shape.map((dim, i) => (i === axis ? length : dim));
}

/** One run of bytes for each combination of the axes before `axis`. */
function blocks(tensor: Tensor, axis: number, outer: number): Uint8Array[] {
  if (outer === 1) return [tensor.data];
  const each = elementCount(tensor.shape.slice(axis));
  const cut = cutter(tensor);
  return Array.from({ length: outer }, (_, o) => cut(o * each, (o + 1) * each));
}

function interleave(columns: readonly Uint8Array[][], outer: number, allocate: Allocate): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let o = 0; o < outer; o += 1) for (const column of columns) parts.push(column[o] as Uint8Array);
  return joinBytes(parts, allocate);
}

/** Returns a view of the elements `[from, to)`. */
function cutter(tensor: Tensor): (from: number, to: number) => Uint8Array {
  const { data, dtype, shape } = tensor;
  const size = itemSize(dtype);
  if (size !== undefined) {
    return (from, to) => data.subarray(from * size, to * size);
  }
  const offsets = stringOffsets(data, elementCount(shape));
  return (from, to) => data.subarray(offsets[from], offsets[to]);
}

function ownBuffer(size: number): Uint8Array {
  return Buffer.allocUnsafeSlow(size);
}

function joinBytes(parts: readonly Uint8Array[], allocate: Allocate = ownBuffer): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = allocate(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
