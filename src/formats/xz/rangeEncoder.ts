/** A probability of one half, in 2,048ths. */
const EVEN = 1024;
/** Below this the range is widened by a byte. */
const TOP_MASK = 0xff000000 | 0;

/** New probabilities, all even. */
export function evenProbabilities(count: number): Uint16Array {
  return new Uint16Array(count).fill(EVEN);
}

/**
 * LZMA's range coder: takes bits with their probabilities and makes bytes. It writes into one buffer, which `begin`
 * empties; `size` says how many bytes `end` would answer with, so that a chunk can be closed in time.
 */
export class RangeEncoder {
  readonly #out: Uint8Array;
  #at = 0;
  #low = 0;
  /** 32 bits, taken as a signed number, which the engine keeps in a register. */
  #range = -1;
  #cache = 0;
  #pending = 0;

  /** @param capacity most bytes between `begin` and `end` */
  constructor(capacity: number) {
    this.#out = new Uint8Array(capacity);
  }

  /** Starts anew. */
  begin(): void {
    this.#at = 0;
    this.#low = 0;
    this.#range = -1;
    this.#cache = 0;
    this.#pending = 1;
  }

  /** Bytes so far, with those that `end` adds. */
  get size(): number {
    return this.#at + this.#pending + 4;
  }

  /** Completes the bytes; they are valid until the next `begin`. */
  end(): Uint8Array {
    for (let i = 0; i < 5; i++) this.#shift();
    return this.#out.subarray(0, this.#at);
  }

  /** One bit, by the probability at `index`, which learns from it. */
  bit(probabilities: Uint16Array, index: number, bit: number): void {
    const even = probabilities[index] as number;
    const bound = Math.imul(this.#range >>> 11, even);
    if (bit === 0) {
      this.#range = bound;
      probabilities[index] = even + ((2048 - even) >> 5);
    } else {
      this.#low += bound >>> 0;
      this.#range = (this.#range - bound) | 0;
      probabilities[index] = even - (even >> 5);
    }
    if ((this.#range & TOP_MASK) === 0) {
      this.#range <<= 8;
      this.#shift();
    }
  }

  /** A symbol of `bits` bits, the highest first, in a tree of probabilities that begins at `base`. */
  tree(probabilities: Uint16Array, base: number, bits: number, symbol: number): void {
    // The same as `bit`, with the coder's state in variables: literals are most of what is coded.
    let range = this.#range;
    let low = this.#low;
    let node = 1;
    for (let i = bits - 1; i >= 0; i--) {
      const even = probabilities[base + node] as number;
      const bound = Math.imul(range >>> 11, even);
      if (((symbol >>> i) & 1) === 0) {
        range = bound;
        probabilities[base + node] = even + ((2048 - even) >> 5);
        node <<= 1;
      } else {
        low += bound >>> 0;
        range = (range - bound) | 0;
        probabilities[base + node] = even - (even >> 5);
        node = (node << 1) | 1;
      }
      if ((range & TOP_MASK) === 0) {
        range <<= 8;
        this.#low = low;
        this.#shift();
        low = this.#low;
      }
    }
    this.#range = range;
    this.#low = low;
  }

  /** The same, the lowest bit first. */
  reverseTree(probabilities: Uint16Array, base: number, bits: number, symbol: number): void {
    let node = 1;
    for (let i = 0; i < bits; i++) {
      const bit = (symbol >>> i) & 1;
      this.bit(probabilities, base + node, bit);
      node = (node << 1) | bit;
    }
  }

  /** Bits that are as likely as not. */
  direct(value: number, bits: number): void {
    for (let i = bits - 1; i >= 0; i--) {
      this.#range >>>= 1;
      if ((value >>> i) & 1) this.#low += this.#range;
      if ((this.#range & TOP_MASK) === 0) {
        this.#range <<= 8;
        this.#shift();
      }
    }
  }

  /** Hands out the highest byte of `low` as soon as no carry can change it any more. */
  #shift(): void {
    const low = this.#low;
    if (low < 0xff000000 || low > 0xffffffff) {
      const carry = low > 0xffffffff ? 1 : 0;
      this.#out[this.#at++] = this.#cache + carry;
      for (; this.#pending > 1; this.#pending--) this.#out[this.#at++] = 0xff + carry;
      this.#pending = 0;
      this.#cache = (low >>> 24) & 0xff;
    }
    this.#pending++;
    this.#low = (low & 0xffffff) * 256;
  }
}
