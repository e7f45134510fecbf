import type { PositionalReader } from "../base/ports";
import { elementCount } from "./elements";

/** Bytes handed out at once of items that lie in a row. */
const PIECE_BYTES = 1 << 20;
/** Bytes gathered at once of items that lie elsewhere: the more, the longer the runs that are read. */
const BLOCK_BYTES = 1 << 24;
/** Bytes read at once to pick items out of them. */
const SPAN_BYTES = 65_536;
/** Items further apart are read one by one. */
const FAR_BYTES = 1024;

/** Where the items of an array lie. */
export interface StridedLayout {
  readonly reader: PositionalReader;
  /** Absolute offset of the first item. */
  readonly start: number;
  readonly itemBytes: number;
  /** Outermost first. */
  readonly shape: readonly number[];
  /** From an item to the next along each axis, in items; 0 or more. */
  readonly strides: readonly number[];
  /** Bytes of the parts of an item that stand in big-endian order; 1 when nothing has to be turned round. */
  readonly swapBytes: number;
}

/** An axis of a box: how many items, and how far apart they are in the source and in the target. */
interface Axis {
  readonly length: number;
  readonly source: number;
  readonly target: number;
}

/**
 * The items of an array in row-major order and little-endian, whatever the order they are stored in, gathered for each
 * request: 16 MiB at most are held, whatever the size of the array.
 */
export class StridedItems {
  readonly #layout: StridedLayout;
  readonly #count: number;
  /** Items in one step along each axis. */
  readonly #steps: readonly number[];
  readonly #isRun: boolean;
  #block: { first: number; end: number; bytes: Uint8Array } = { first: 0, end: 0, bytes: new Uint8Array(0) };
  /** Where the request before ended. */
  #next = -1;

  constructor(layout: StridedLayout) {
    this.#layout = layout;
    this.#count = elementCount(layout.shape);
    this.#steps = stridesOf(layout.shape);
    this.#isRun = isRowMajor(layout.shape, layout.strides);
  }

  /** Items `[first, first + count)`; the view stays valid until the next call. */
  read(first: number, count: number): Uint8Array {
    const { itemBytes } = this.#layout;
    if (this.#isRun) return this.#run(first, count);
    if (first < this.#block.first || first + count > this.#block.end) {
      // Who goes on where he stopped goes through all of it: long runs are then read once instead of again and again.
      const isInOrder = first === this.#next && count * itemBytes < BLOCK_BYTES;
      const wanted = isInOrder ? Math.min(Math.max(count, this.#blockItems()), this.#count - first) : count;
      this.#block = { first, end: first + wanted, bytes: this.#gather(first, wanted) };
    }
    this.#next = first + count;
    const at = (first - this.#block.first) * itemBytes;
    return this.#block.bytes.subarray(at, at + count * itemBytes);
  }

  /** All items, piece by piece. */
  *pieces(): Generator<Uint8Array> {
    const { itemBytes } = this.#layout;
    const most = this.#isRun ? Math.max(1, Math.floor(PIECE_BYTES / itemBytes)) : this.#blockItems();
    for (let first = 0; first < this.#count; first += most) yield this.read(first, Math.min(most, this.#count - first));
  }

  /** As many as a block has, in whole rows of the first axis where one fits. */
  #blockItems(): number {
    const items = Math.max(1, Math.floor(BLOCK_BYTES / Math.max(1, this.#layout.itemBytes)));
    const row = this.#steps[0] ?? 1;
    return row <= items ? items - (items % row) : items;
  }

  #run(first: number, count: number): Uint8Array {
    const { reader, start, itemBytes, swapBytes } = this.#layout;
    const bytes = reader.read(start + first * itemBytes, count * itemBytes);
    return swapBytes === 1 ? bytes : swapped(Buffer.from(bytes), swapBytes);
  }

  /** Splits the range into boxes: each takes some steps along one axis and all of the axes after it. */
  #gather(first: number, count: number): Uint8Array {
    const { shape, strides, itemBytes, swapBytes } = this.#layout;
    const target = Buffer.allocUnsafeSlow(count * itemBytes);
    for (let done = 0; done < count; ) {
      const at = first + done;
      const axis = this.#steps.findIndex((step) => at % step === 0 && count - done >= step);
      const step = this.#steps[axis] ?? 1;
      const place = Math.floor(at / step) % (shape[axis] ?? 1);
      const length = Math.min(Math.floor((count - done) / step), (shape[axis] ?? 1) - place);
      const axes = shape.slice(axis).map((size, i): Axis => {
        const target = this.#steps[axis + i] ?? 1;
        return { length: i === 0 ? length : size, source: strides[axis + i] ?? 0, target };
      });
      this.#copyBox(this.#sourceOf(at), axes, target, done);
      done += length * step;
    }
    return swapBytes === 1 ? target : swapped(target, swapBytes);
  }

  #sourceOf(item: number): number {
    const { shape, strides } = this.#layout;
    return shape.reduce((sum, size, i) => {
      return sum + (Math.floor(item / (this.#steps[i] ?? 1)) % size) * (strides[i] ?? 0);
    }, 0);
  }

  /** Goes through a box in the order of the source, so that what is read moves forward. */
  #copyBox(source: number, axes: readonly Axis[], target: Uint8Array, done: number): void {
    const moving = axes.filter(({ length }) => length > 1).sort((a, b) => a.source - b.source);
    const [line = { length: 1, source: 1, target: 1 }, ...outer] = moving;
    const index = new Array<number>(outer.length).fill(0);
    let from = source;
    let to = done;
    for (;;) {
      this.#copyLine(from, line, target, to);
      let turned = 0;
      for (; turned < outer.length; turned++) {
        const axis = outer[turned] as Axis;
        const next = (index[turned] ?? 0) + 1;
        from += axis.source;
        to += axis.target;
        index[turned] = next;
        if (next < axis.length) break;
        from -= next * axis.source;
        to -= next * axis.target;
        index[turned] = 0;
      }
      if (turned === outer.length) return;
    }
  }

  #copyLine(from: number, line: Axis, target: Uint8Array, to: number): void {
    const { reader, start, itemBytes } = this.#layout;
    const span = line.source * itemBytes;
    const near = span === 0 ? line.length : Math.max(1, Math.floor(SPAN_BYTES / span));
    const atOnce = line.source > 1 && span > FAR_BYTES ? 1 : near;
    for (let done = 0; done < line.length; done += atOnce) {
      const count = Math.min(atOnce, line.length - done);
      const bytes = (count - 1) * span + itemBytes;
      const read = reader.read(start + (from + done * line.source) * itemBytes, bytes);
      let at = (to + done * line.target) * itemBytes;
      if (line.source === 1 && line.target === 1) {
        target.set(read, at);
        continue;
      }
      for (let item = 0; item < count; item++, at += line.target * itemBytes) {
        for (let byte = 0; byte < itemBytes; byte++) target[at + byte] = read[item * span + byte] ?? 0;
      }
    }
  }
}

/** Strides, in items, of an array whose items lie side by side: row-major, or in Fortran order. */
export function stridesOf(shape: readonly number[], isFortran = false): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  let stride = 1;
  for (let i = 0; i < shape.length; i++) {
    const axis = isFortran ? i : shape.length - 1 - i;
    strides[axis] = stride;
    stride *= shape[axis] ?? 1;
  }
  return strides;
}

/** Whether items of these strides lie side by side in row-major order; axes of one item, or none, have no order. */
export function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  const plain = stridesOf(shape);
  return shape.includes(0) || shape.every((length, i) => length === 1 || strides[i] === plain[i]);
}

function swapped(bytes: Buffer, width: number): Buffer {
  if (bytes.length === 0) return bytes;
  if (width === 2) return bytes.swap16();
  return width === 4 ? bytes.swap32() : bytes.swap64();
}
