import { ModelbenchError } from "../base/errors";
import { elementCount, itemSize } from "../formats/elements";
import type { TensorData } from "../formats/tensorData";
import { partsOf, toFloat64s } from "./float64s";
import { GAP_BYTES, type Plane, partOf, planeOf, readPlane, type TensorView } from "./view";

/** A view scaled down to cells. */
export interface HeatMap {
  readonly rows: number;
  readonly columns: number;
  /** Row-major: the mean of what a cell covers, of magnitudes for complex numbers; NaN where that has no finite value. */
  readonly means: Float64Array;
  /** Whether only a part of the values was read. */
  readonly sampled: boolean;
}

/** Most bytes that are read, those between the values included. */
const BUDGET_BYTES = 1 << 26;
/** What a read of its own costs, in bytes of a longer one. */
const READ_BYTES = 4096;
/** Elements taken at once. */
const PIECE = 1 << 14;
/** Most reads from one piece to the next: each may have to wait for the disk. */
const MAX_READS = 256;

/** How one axis of the plane is taken: its cells, and how many values of each are read. */
interface Axis {
  readonly size: number;
  readonly cells: number;
  readonly perCell: number;
}

/**
 * Scales a view down to at most `rows` x `columns` cells and yields the bytes it has read. Of a view that takes more
 * than 64 MiB to read, lines evenly spaced are read, or if even one a cell is too much, the middle of each cell.
 * @throws ModelbenchError `input.shape` for a view that the tensor does not have, `input.dtype` for text, those of
 *   `TensorData.read`
 */
export function* heatMap(
  data: TensorData,
  view: TensorView,
  rows: number,
  columns: number,
): Generator<number, HeatMap> {
  if (data.dtype === "string") throw new ModelbenchError("input.dtype", "Text has no heat map.");
  const plane = planeOf(data.shape, view);
  const cells = { rows: Math.min(rows, plane.rows), columns: Math.min(columns, plane.columns) };
  const size = itemSize(data.dtype) ?? 1;
  const byRows = plane.columnStride <= plane.rowStride || plane.rows === 1;
  const along = byRows ? plane.columnStride : plane.rowStride;
  const isClose = along * size <= GAP_BYTES;
  const [lines, items] = planned(
    byRows ? [plane.rows, cells.rows] : [plane.columns, cells.columns],
    byRows ? [plane.columns, cells.columns] : [plane.rows, cells.rows],
    isClose ? along * size : READ_BYTES,
  );
  const most = isClose ? PIECE : MAX_READS;
  const means = new CellMeans(cells.rows * cells.columns);
  for (const [line, lineCount] of blocks(lines, items, most)) {
    for (const [item, itemCount] of taken(items, most)) {
      const values = magnitudes(
        data,
        byRows ? partOf(plane, line, lineCount, item, itemCount) : partOf(plane, item, itemCount, line, lineCount),
      );
      for (let i = 0; i < lineCount; i++) {
        const outer = cellOf(lines, line + i);
        const [base, step] = byRows ? [outer * cells.columns, 1] : [outer, cells.columns];
        const at = byRows ? i * itemCount : i;
        means.add(values, at, byRows ? 1 : lineCount, items, item, itemCount, base, step);
      }
      yield itemCount * lineCount * size;
    }
  }
  const sampled = lines.perCell * lines.cells < lines.size || items.perCell * items.cells < items.size;
  return { ...cells, means: means.values(), sampled };
}

class CellMeans {
  readonly #sums: Float64Array;
  /** Counts where the sum is beyond the range of numbers and the mean is not. */
  readonly #means: Float64Array;
  readonly #counts: Float64Array;

  constructor(cells: number) {
    this.#sums = new Float64Array(cells);
    this.#means = new Float64Array(cells);
    this.#counts = new Float64Array(cells);
  }

  /** Adds `count` values of a line, from item `first` on, to the cells of that line: `base` + cell * `step`. */
  add(
    values: Float64Array,
    at: number,
    stride: number,
    items: Axis,
    first: number,
    count: number,
    base: number,
    step: number,
  ): void {
    for (let i = 0; i < count; ) {
      const cell = cellOf(items, first + i);
      const end = Math.min(count, startOf(items, cell + 1) - first);
      this.#join(base + cell * step, values, at + i * stride, stride, end - i);
      i = end;
    }
  }

  /** NaN for a cell without a finite value. */
  values(): Float64Array {
    return this.#means.map((mean, cell) => {
      const sum = this.#sums[cell] ?? 0;
      return Number.isFinite(sum) ? sum / (this.#counts[cell] ?? 0) : mean;
    });
  }

  #join(cell: number, values: Float64Array, at: number, stride: number, count: number): void {
    let [sum, finite] = [0, 0];
    for (let i = 0; i < count; i++) {
      const value = values[at + i * stride] ?? 0;
      if (value - value !== 0) continue;
      sum += value;
      finite++;
    }
    if (finite === 0) return;
    const mean = Number.isFinite(sum) ? sum / finite : dividedMean(values, at, stride, count, finite);
    const known = this.#counts[cell] ?? 0;
    const share = finite / (known + finite);
    this.#means[cell] = (this.#means[cell] ?? 0) * (1 - share) + mean * share;
    this.#sums[cell] = (this.#sums[cell] ?? 0) + sum;
    this.#counts[cell] = known + finite;
  }
}

/** The mean of the finite values, each divided before they are added. */
function dividedMean(values: Float64Array, at: number, stride: number, count: number, finite: number): number {
  let mean = 0;
  for (let i = 0; i < count; i++) {
    const value = values[at + i * stride] ?? 0;
    if (value - value === 0) mean += value / finite;
  }
  return mean;
}

/** How many lines and how many items of each are read so that the whole stays within the budget. */
function planned(
  [lines, lineCells]: readonly number[],
  [items, itemCells]: readonly number[],
  itemBytes: number,
): readonly [Axis, Axis] {
  const all = (size = 0, cells = 0): Axis => ({ size, cells, perCell: Math.ceil(size / Math.max(1, cells)) });
  const [everyLine, everyItem] = [all(lines, lineCells), all(items, itemCells)];
  const lineBytes = Math.max(1, everyItem.size * itemBytes);
  if (everyLine.size * lineBytes <= BUDGET_BYTES) return [everyLine, everyItem];
  const perCell = Math.floor(BUDGET_BYTES / Math.max(lineBytes, READ_BYTES) / everyLine.cells);
  if (perCell >= 1) return [{ ...everyLine, perCell: Math.min(perCell, everyLine.perCell) }, everyItem];
  const bytesPerCell = BUDGET_BYTES / (everyLine.cells * everyItem.cells);
  return [
    { ...everyLine, perCell: 1 },
    { ...everyItem, perCell: Math.min(everyItem.perCell, Math.max(1, Math.floor(bytesPerCell / itemBytes))) },
  ];
}

/** Stretches of lines that are read together. */
function* blocks(lines: Axis, items: Axis, most: number): Generator<readonly [start: number, count: number]> {
  if (lines.cells === 0 || items.cells === 0) return;
  if (lines.perCell * lines.cells >= lines.size) {
    const atOnce = Math.max(1, Math.min(MAX_READS, Math.floor(most / items.size)));
    for (let line = 0; line < lines.size; line += atOnce) yield [line, Math.min(atOnce, lines.size - line)];
    return;
  }
  for (let cell = 0; cell < lines.cells; cell++) {
    const [start, end] = [startOf(lines, cell), startOf(lines, cell + 1)];
    const count = Math.min(lines.perCell, end - start);
    for (let i = 0; i < count; i++) yield [start + Math.floor(((i + 0.5) * (end - start)) / count), 1];
  }
}

/** Stretches of a line that are read. */
function* taken(items: Axis, most: number): Generator<readonly [start: number, count: number]> {
  if (items.perCell * items.cells >= items.size) {
    for (let item = 0; item < items.size; item += most) yield [item, Math.min(most, items.size - item)];
    return;
  }
  for (let cell = 0; cell < items.cells; cell++) {
    const [start, end] = [startOf(items, cell), startOf(items, cell + 1)];
    const count = Math.min(items.perCell, end - start);
    const from = start + Math.floor((end - start - count) / 2);
    for (let item = from; item < from + count; item += most) yield [item, Math.min(most, from + count - item)];
  }
}

function startOf({ size, cells }: Axis, cell: number): number {
  return Math.floor((cell * size) / cells);
}

function cellOf(axis: Axis, index: number): number {
  const guess = Math.floor((index * axis.cells) / axis.size);
  return startOf(axis, guess + 1) <= index ? guess + 1 : guess;
}

function magnitudes(data: TensorData, plane: Plane): Float64Array {
  const tensor = readPlane(data, plane);
  const count = elementCount(tensor.shape);
  if (partsOf(data.dtype) === 1) {
    const values = new Float64Array(count);
    toFloat64s(data.dtype, tensor.data, values);
    return values;
  }
  const parts = new Float64Array(2 * count);
  toFloat64s(data.dtype, tensor.data, parts);
  return Float64Array.from({ length: count }, (_, i) => Math.hypot(parts[2 * i] ?? 0, parts[2 * i + 1] ?? 0));
}
