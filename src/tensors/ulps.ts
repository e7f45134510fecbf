import { itemSize } from "../formats/elements";
import type { DType } from "../formats/tensor";
import { toFloat64s } from "./float64s";

/** Bits of the sign and all below it, for the types that are counted in units in the last place. */
const BITS: Readonly<Partial<Record<DType, number>>> = {
  float64: 64,
  float32: 32,
  float16: 16,
  bfloat16: 16,
  float8_e3m4: 8,
  float8_e4m3: 8,
  float8_e4m3b11fnuz: 8,
  float8_e4m3fn: 8,
  float8_e4m3fnuz: 8,
  float8_e5m2: 8,
  float8_e5m2fnuz: 8,
  float6_e2m3fn: 6,
  float6_e3m2fn: 6,
  float4_e2m1fn: 4,
};

/** Whether a type has units in the last place. */
export function hasUlps(dtype: DType): boolean {
  return BITS[dtype] !== undefined;
}

/** Counts how far apart the values of two tensors of one float type are, in steps from one value to the next. */
export class UlpCounts {
  readonly #dtype: DType;
  /** `[k]`: from 2^(k-1) to 2^k - 1 steps. */
  readonly #counts = new Float64Array(66);
  #nan = 0;
  #left = new Float64Array(0);
  #right = new Float64Array(0);

  constructor(dtype: DType) {
    this.#dtype = dtype;
  }

  /** Adds places where both are equal. */
  addEqual(count: number): void {
    this.#counts[0] = (this.#counts[0] ?? 0) + count;
  }

  /** Adds two pieces of the same length. */
  add(left: Uint8Array, right: Uint8Array): void {
    const size = itemSize(this.#dtype) ?? 1;
    const length = left.length / size;
    if (this.#left.length < length) {
      this.#left = new Float64Array(length);
      this.#right = new Float64Array(length);
    }
    toFloat64s(this.#dtype, left, this.#left);
    toFloat64s(this.#dtype, right, this.#right);
    const steps = size === 8 ? steps64(left, right) : stepsBelow(BITS[this.#dtype] ?? 8, size, left, right);
    for (let i = 0; i < length; i++) {
      const x = this.#left[i] ?? 0;
      const y = this.#right[i] ?? 0;
      const isNaNs = (Number.isNaN(x) ? 1 : 0) + (Number.isNaN(y) ? 1 : 0);
      if (isNaNs === 1) this.#nan += 1;
      else this.#count(isNaNs === 2 ? 0 : steps(i));
    }
  }

  /** Trailing zeros are left out. */
  result(): { readonly counts: readonly number[]; readonly nan: number } {
    const counts = [...this.#counts];
    while (counts.length > 1 && counts.at(-1) === 0) counts.pop();
    return { counts, nan: this.#nan };
  }

  #count(bucket: number): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }
}

/** The bucket of the distance between two codes of up to 32 bits. */
function stepsBelow(bits: number, size: number, left: Uint8Array, right: Uint8Array): (i: number) => number {
  const xs = codes(left, size);
  const ys = codes(right, size);
  const sign = 2 ** (bits - 1);
  // In order of the values: the negative ones run down from 0.
  const place = (code: number): number => {
    const low = code % (2 * sign);
    return low >= sign ? sign - low : low;
  };
  return (i) => {
    const distance = Math.abs(place(xs[i] ?? 0) - place(ys[i] ?? 0));
    return distance === 0 ? 0 : Math.floor(Math.log2(distance)) + 1;
  };
}

/** The same for 64 bits. */
function steps64(left: Uint8Array, right: Uint8Array): (i: number) => number {
  const xs = new BigInt64Array(new Uint8Array(left).buffer);
  const ys = new BigInt64Array(new Uint8Array(right).buffer);
  const place = (code: bigint): bigint => (code < 0n ? -(code & 0x7fff_ffff_ffff_ffffn) : code);
  return (i) => {
    const distance = place(xs[i] ?? 0n) - place(ys[i] ?? 0n);
    return distance === 0n ? 0 : (distance < 0n ? -distance : distance).toString(2).length;
  };
}

function codes(bytes: Uint8Array, size: number): Uint8Array | Uint16Array | Uint32Array {
  const copy = new Uint8Array(bytes);
  if (size === 1) return copy;
  return size === 2 ? new Uint16Array(copy.buffer) : new Uint32Array(copy.buffer);
}
