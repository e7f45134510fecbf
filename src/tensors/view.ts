import { ModelbenchError } from "../base/errors";
import { itemSize } from "../formats/elements";
import { stridesOf } from "../formats/stridedItems";
import type { Tensor } from "../formats/tensor";
import type { TensorData } from "../formats/tensorData";

/** A 2-d window of a tensor: which axes are rows and columns, and one index for each axis. */
export interface TensorView {
  /** `null` for a scalar. */
  readonly rowAxis: number | null;
  /** `null` for a tensor of fewer than two axes. */
  readonly columnAxis: number | null;
  /** One index per axis; those of the row and the column axis are ignored. */
  readonly fixed: readonly number[];
}

/** A rectangle of a view. */
export interface ViewRange {
  readonly rowStart: number;
  readonly rowCount: number;
  readonly columnStart: number;
  readonly columnCount: number;
}

/** Where the values of a rectangle lie in a tensor; offsets and strides count elements. */
export interface Plane {
  readonly rows: number;
  readonly columns: number;
  readonly first: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** `[rows, columns]` less the axes that the view does not have. */
  readonly shape: readonly number[];
}

/** Values closer together than this are read in one run with what lies between: a read of its own costs more. */
export const GAP_BYTES = 2048;
/** Longest run that is read at once. */
const RUN_BYTES = 1 << 20;

/**
 * Where the values of a view, or of a rectangle of it, lie.
 * @throws ModelbenchError `input.shape` for axes, indices or a rectangle that the tensor does not have
 */
export function planeOf(shape: readonly number[], view: TensorView, range?: ViewRange): Plane {
  const { rowAxis, columnAxis, fixed } = view;
  const strides = stridesOf(shape);
  const isAxis = (axis: number | null): boolean => axis === null || (Number.isInteger(axis) && axis in shape);
  if (!isAxis(rowAxis) || !isAxis(columnAxis) || (rowAxis === columnAxis && rowAxis !== null)) {
    throw outside(shape, `the axes ${rowAxis} and ${columnAxis}`);
  }
  const [allRows, allColumns] = [dimOf(shape, rowAxis), dimOf(shape, columnAxis)];
  const [rowStride, columnStride] = [dimOf(strides, rowAxis), dimOf(strides, columnAxis)];
  const { rowStart, rowCount, columnStart, columnCount } = range ?? {
    rowStart: 0,
    rowCount: allRows,
    columnStart: 0,
    columnCount: allColumns,
  };
  // An axis that a view does not have is one row, or one column.
  if (!fits(rowStart, rowCount, allRows) || (rowAxis === null && rowCount !== 1))
    throw outside(shape, `rows ${rowStart} to ${rowStart + rowCount}`);
  if (!fits(columnStart, columnCount, allColumns) || (columnAxis === null && columnCount !== 1)) {
    throw outside(shape, `columns ${columnStart} to ${columnStart + columnCount}`);
  }
  let first = rowStart * rowStride + columnStart * columnStride;
  shape.forEach((dim, axis) => {
    if (axis === rowAxis || axis === columnAxis) return;
    const index = fixed[axis] ?? 0;
    if (!fits(index, 1, dim) && dim > 0) throw outside(shape, `index ${index} of axis ${axis}`);
    first += index * (strides[axis] ?? 0);
  });
  // A plane of an empty tensor has no rows, whichever axis it is that has no indices.
  const rows = shape.includes(0) && columnCount > 0 ? 0 : rowCount;
  const named = rowAxis !== null || rows === 0;
  return {
    rows,
    columns: columnCount,
    first,
    rowStride,
    columnStride,
    shape: [...(named ? [rows] : []), ...(columnAxis === null ? [] : [columnCount])],
  };
}

/** A rectangle of a plane, in which it must lie. */
export function partOf(plane: Plane, row: number, rows: number, column: number, columns: number): Plane {
  const first = plane.first + row * plane.rowStride + column * plane.columnStride;
  return { ...plane, first, rows, columns, shape: [rows, columns] };
}

/**
 * Reads the values of a plane, row-major, by the runs that hold them.
 * @throws ModelbenchError those of `TensorData.read`
 */
export function readPlane(data: TensorData, plane: Plane): Tensor {
  const { dtype } = data;
  const size = itemSize(dtype);
  if (size === undefined) return { dtype, shape: plane.shape, data: readTexts(data, plane) };
  const result = new Uint8Array(plane.rows * plane.columns * size);
  if (result.length > 0) readRuns(data, plane, size, result);
  return { dtype, shape: plane.shape, data: result };
}

/**
 * Goes line by line along the axis whose values lie closer together; several lines, or a line with its gaps, are one
 * run where that costs less than a read for each.
 */
function readRuns(data: TensorData, plane: Plane, size: number, result: Uint8Array): void {
  const { rows, columns, first, rowStride, columnStride } = plane;
  const byRows = columnStride <= rowStride || rows === 1;
  const [lines, items] = byRows ? [rows, columns] : [columns, rows];
  const [lineStride, stride] = byRows ? [rowStride, columnStride] : [columnStride, rowStride];
  const [lineStep, step] = byRows ? [columns * size, size] : [size, columns * size];
  const isClose = stride * size <= GAP_BYTES;
  const atOnce = isClose ? Math.min(items, Math.max(1, Math.floor(RUN_BYTES / (stride * size)))) : 1;
  const gap = lineStride - ((items - 1) * stride + 1);
  const areLinesClose = atOnce === items && gap * size <= GAP_BYTES;
  const linesAtOnce = areLinesClose ? Math.max(1, Math.floor(RUN_BYTES / (lineStride * size))) : 1;
  for (let line = 0; line < lines; line += linesAtOnce) {
    const lineCount = Math.min(linesAtOnce, lines - line);
    for (let item = 0; item < items; item += atOnce) {
      const itemCount = Math.min(atOnce, items - item);
      const count = (lineCount - 1) * lineStride + (itemCount - 1) * stride + 1;
      const run = data.read(first + line * lineStride + item * stride, count);
      for (let k = 0; k < lineCount; k++) {
        const to = (line + k) * lineStep + item * step;
        spread(run, k * lineStride * size, stride * size, result, to, step, itemCount, size);
      }
    }
  }
}

/** Copies `count` elements of `size` bytes from every `stride` bytes to every `step` bytes. */
function spread(
  run: Uint8Array,
  from: number,
  stride: number,
  result: Uint8Array,
  to: number,
  step: number,
  count: number,
  size: number,
): void {
  if (stride === size && step === size) {
    result.set(run.subarray(from, from + count * size), to);
    return;
  }
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < size; k++) result[to + i * step + k] = run[from + i * stride + k] ?? 0;
  }
}

/** Texts have no fixed place: one walk over all from the first to the last finds those of the plane. */
function readTexts(data: TensorData, { rows, columns, first, rowStride, columnStride }: Plane): Uint8Array {
  if (rows * columns === 0) return new Uint8Array(0);
  const count = (rows - 1) * rowStride + (columns - 1) * columnStride + 1;
  const all = data.read(first, count);
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  const starts = new Float64Array(count + 1);
  for (let i = 0, at = 0; i < count; i++) {
    at += 4 + view.getUint32(at, true);
    starts[i + 1] = at;
  }
  const parts: Uint8Array[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const i = row * rowStride + column * columnStride;
      parts.push(all.subarray(starts[i], starts[i + 1]));
    }
  }
  return Buffer.concat(parts);
}

function dimOf(dims: readonly number[], axis: number | null): number {
  return axis === null ? 1 : (dims[axis] ?? 1);
}

function fits(start: number, count: number, size: number): boolean {
  return Number.isInteger(start) && Number.isInteger(count) && start >= 0 && count >= 0 && start + count <= size;
}

function outside(shape: readonly number[], what: string): ModelbenchError {
  return new ModelbenchError("input.shape", `A tensor of shape [${shape.join(", ")}] does not have ${what}.`);
}
