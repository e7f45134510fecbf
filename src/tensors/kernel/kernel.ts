import { BINS } from "../bins";
import { bytes } from "./kernel.wat";

/** Bytes of a run: what is worked on stays in the processor's cache. */
export const RUN_BYTES = 1 << 18;

/** Elements of a run are filled up to a multiple of this. */
const STEP = 8;

// Where things lie in the kernel's memory.
const EDGES = 1024;
const BIN_COUNTS = 2048;
const BYTE_COUNTS = 4096;
const PAIR_COUNTS = 0x10000;
const RUN = 0x90000;
const WIDE = RUN + RUN_BYTES;

const LANES = 4;
/** Before a uint32 of the kernel's tables can overflow, they are added up here. */
const MAX_PENDING = 2 ** 31;
const SIGN = -(2n ** 63n);

/** What `kernel.wat` exports. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly sum: WebAssembly.Global;
  readonly squares: WebAssembly.Global;
  readonly min: WebAssembly.Global;
  readonly max: WebAssembly.Global;
  readonly zeros: WebAssembly.Global;
  readonly finite: WebAssembly.Global;
  readonly ordered: WebAssembly.Global;
  readonly min64: WebAssembly.Global;
  readonly max64: WebAssembly.Global;
  float32(at: number, count: number, shift: number): void;
  float64(at: number, count: number, shift: number): void;
  histogram(at: number, count: number, edges: number, counts: number, scale: number, margin: number): void;
  widenFloat32(at: number, count: number, to: number): void;
  widenInt32(at: number, count: number, to: number, unsigned: number): void;
  widenInt64(at: number, count: number, flip: bigint): void;
  countBytes(at: number, count: number, counts: number): void;
  countPairs(at: number, count: number, counts: number): void;
}

/** The number types of which the kernel takes sums. */
export type WideType = "float32" | "float64" | "int32" | "uint32" | "int64" | "uint64";

/** Sums over one run; `min` and `max` mean nothing where `finite` is 0. */
export interface RunSums {
  readonly finite: number;
  readonly nan: number;
  readonly zeros: number;
  /** The least finite value, or the shift if that is less and the run has something that is not finite. */
  readonly min: number;
  readonly max: number;
  /** Of x - shift. */
  readonly sum: number;
  readonly squares: number;
}

let module: WebAssembly.Module | undefined;
const spare: Kernel[] = [];

/** Works with a kernel of one's own. Its memory is kept for the next: a fresh one reserves gigabytes of addresses. */
export function* withKernel<Y, T>(work: (kernel: Kernel) => Generator<Y, T>): Generator<Y, T> {
  const kernel = spare.pop() ?? new Kernel();
  try {
    return yield* work(kernel);
  } finally {
    spare.push(kernel);
  }
}

/** The WebAssembly kernel, with one run of values in its memory. */
export class Kernel {
  readonly #exports: Exports;
  readonly #run: Uint8Array;
  readonly #wide: Float64Array;
  #codes = new Float64Array(256);
  /** Codes counted in the kernel's tables. */
  #pending = 0;

  constructor() {
    module ??= new WebAssembly.Module(bytes);
    this.#exports = new WebAssembly.Instance(module).exports as unknown as Exports;
    const { buffer } = this.#exports.memory;
    this.#run = new Uint8Array(buffer, RUN, RUN_BYTES);
    this.#wide = new Float64Array(buffer, WIDE, RUN_BYTES / 4);
  }

  /** Sums of up to `RUN_BYTES` of little-endian values about `shift`, which is a float32 for float32. */
  sums(type: WideType, values: Uint8Array, shift: number): RunSums {
    const e = this.#exports;
    const count = this.#fill(type, values);
    if (type === "float32") e.float32(RUN, padded(count), shift);
    else e.float64(this.#widen(type, count), padded(count), shift);
    const finite: number = e.finite.value;
    const ordered: number = e.ordered.value;
    return {
      finite,
      nan: padded(count) - ordered - (padded(count) - count),
      zeros: e.zeros.value,
      min: e.min.value,
      max: e.max.value,
      sum: e.sum.value,
      squares: e.squares.value,
    };
  }

  /** Makes ready for `range64` over the runs to come. */
  resetRange64(): void {
    this.#exports.min64.value = -SIGN - 1n;
    this.#exports.max64.value = SIGN;
  }

  /** The least and the greatest 64-bit integer of all `sums` since the reset. */
  range64(type: "int64" | "uint64"): { readonly min: bigint; readonly max: bigint } {
    const lift = type === "uint64" ? -SIGN : 0n;
    return { min: this.#exports.min64.value + lift, max: this.#exports.max64.value + lift };
  }

  /** Sets the bins for `addToBins`. */
  setBins({ edges }: { readonly edges: Float64Array }): void {
    new Float64Array(this.#exports.memory.buffer, EDGES, BINS + 1).set(edges);
  }

  /**
   * Counts the finite values of a run into `counts`.
   * @param scale bins per unit
   * @param margin how near to an edge, in bins, the edges themselves are asked
   */
  addToBins(type: WideType, values: Uint8Array, counts: Float64Array, scale: number, margin: number): void {
    const count = this.#fill(type, values);
    const tables = this.#table(BIN_COUNTS, LANES * BINS);
    tables.fill(0);
    this.#exports.histogram(this.#widen(type, count), padded(count), EDGES, BIN_COUNTS, scale, margin);
    addTables(tables, counts);
  }

  /** Makes ready to count codes of 1 or 2 bytes. */
  resetCodes(size: 1 | 2): void {
    this.#codes = new Float64Array(size === 1 ? 256 : 65_536);
    this.#pending = 0;
    this.#codeTables().fill(0);
  }

  /** Counts the codes of a run. */
  countCodes(values: Uint8Array): void {
    this.#run.set(values);
    const size = this.#codes.length === 256 ? 1 : 2;
    const count = values.length / size;
    const more = padded(count);
    this.#run.fill(0, values.length, more * size);
    if (size === 1) this.#exports.countBytes(RUN, more, BYTE_COUNTS);
    else this.#exports.countPairs(RUN, more, PAIR_COUNTS);
    this.#codes[0] = (this.#codes[0] ?? 0) - (more - count);
    this.#pending += more;
    if (this.#pending > MAX_PENDING) this.#flushCodes();
  }

  /** How often each code occurred since the reset. */
  codeCounts(): Float64Array {
    this.#flushCodes();
    return this.#codes;
  }

  #flushCodes(): void {
    addTables(this.#codeTables(), this.#codes);
    this.#codeTables().fill(0);
    this.#pending = 0;
  }

  #codeTables(): Uint32Array {
    return this.#codes.length === 256 ? this.#table(BYTE_COUNTS, LANES * 256) : this.#table(PAIR_COUNTS, 2 * 65_536);
  }

  #table(at: number, length: number): Uint32Array {
    return new Uint32Array(this.#exports.memory.buffer, at, length);
  }

  /** Copies a run in; answers with its elements. */
  #fill(type: WideType, values: Uint8Array): number {
    this.#run.set(values);
    const size = type.endsWith("64") ? 8 : 4;
    const count = values.length / size;
    const { buffer } = this.#exports.memory;
    if (type === "float32") new Float32Array(buffer, RUN).fill(Number.NaN, count, padded(count));
    if (type === "float64") new Float64Array(buffer, RUN).fill(Number.NaN, count, padded(count));
    return count;
  }

  /** Where the run's values lie as float64. */
  #widen(type: WideType, count: number): number {
    const e = this.#exports;
    if (type === "float64") return RUN;
    if (type === "float32") {
      e.widenFloat32(RUN, padded(count), WIDE);
      return WIDE;
    }
    if (type === "int64" || type === "uint64") {
      e.widenInt64(RUN, count, type === "uint64" ? SIGN : 0n);
      new Float64Array(e.memory.buffer, RUN).fill(Number.NaN, count, padded(count));
      return RUN;
    }
    e.widenInt32(RUN, padded(count), WIDE, type === "uint32" ? 1 : 0);
    this.#wide.fill(Number.NaN, count, padded(count));
    return WIDE;
  }
}

function padded(count: number): number {
  return Math.ceil(count / STEP) * STEP;
}

/** Adds tables that lie one behind the other to their sum. */
function addTables(tables: Uint32Array, counts: Float64Array): void {
  const size = counts.length;
  for (let i = 0; i < tables.length; i++) counts[i % size] = (counts[i % size] ?? 0) + (tables[i] ?? 0);
}
