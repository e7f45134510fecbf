import { evenProbabilities, type RangeEncoder } from "./rangeEncoder";

/** How literals and positions are told apart; `lc + lp` is at most 4 in an .xz file. */
export interface LzmaProperties {
  /** High bits of the byte before that choose how a literal is coded. */
  readonly lc: number;
  /** Low bits of the position that do. */
  readonly lp: number;
  /** Low bits of the position that choose how matches are coded. */
  readonly pb: number;
}

const STATES = 12;
const LITERAL_STATES = 7;
const LITERAL_SIZE = 0x300;
const POSITIONS = 16;
const MIN_MATCH = 2;
const LENGTH_SIZE = 2 + POSITIONS * 16 + 256;
const FIRST_SPLIT_SLOT = 4;
const FIRST_DIRECT_SLOT = 14;
const ALIGN_BITS = 4;

/**
 * Codes literals and matches as LZMA does, with its model of what is likely next. The parser that decides what to code
 * lives elsewhere.
 * @see https://tukaani.org/xz/xz-file-format.txt and the LZMA SDK's lzma-specification.txt
 */
export class LzmaCoder {
  readonly #range: RangeEncoder;
  readonly #lc: number;
  readonly #lpMask: number;
  readonly #pbMask: number;
  readonly #isMatch = evenProbabilities(STATES * POSITIONS);
  readonly #isRep = evenProbabilities(STATES);
  readonly #isRep0 = evenProbabilities(STATES);
  readonly #isRep1 = evenProbabilities(STATES);
  readonly #isRep2 = evenProbabilities(STATES);
  readonly #isRep0Long = evenProbabilities(STATES * POSITIONS);
  readonly #literals: Uint16Array;
  readonly #matchLength = evenProbabilities(LENGTH_SIZE);
  readonly #repLength = evenProbabilities(LENGTH_SIZE);
  readonly #slots = evenProbabilities(4 * 64);
  readonly #splits = evenProbabilities(128);
  readonly #align = evenProbabilities(1 << ALIGN_BITS);
  #state = 0;
  /** The distances used last, less one, the newest first. */
  readonly reps = new Int32Array(4);

  constructor(range: RangeEncoder, { lc, lp, pb }: LzmaProperties) {
    this.#range = range;
    this.#lc = lc;
    this.#lpMask = (1 << lp) - 1;
    this.#pbMask = (1 << pb) - 1;
    this.#literals = evenProbabilities(LITERAL_SIZE << (lc + lp));
  }

  /** Forgets what was learnt. */
  reset(): void {
    for (const part of [this.#isMatch, this.#isRep, this.#isRep0, this.#isRep1, this.#isRep2, this.#isRep0Long]) {
      part.fill(1024);
    }
    for (const part of [this.#literals, this.#matchLength, this.#repLength, this.#slots, this.#splits, this.#align]) {
      part.fill(1024);
    }
    this.#state = 0;
    this.reps.fill(0);
  }

  /** One byte. @param before the byte before it @param matched the byte at the newest distance */
  literal(at: number, byte: number, before: number, matched: number): void {
    const range = this.#range;
    range.bit(this.#isMatch, this.#state * POSITIONS + (at & this.#pbMask), 0);
    const base = LITERAL_SIZE * (((at & this.#lpMask) << this.#lc) + (before >> (8 - this.#lc)));
    if (this.#state < LITERAL_STATES) range.tree(this.#literals, base, 8, byte);
    else this.#literalAfterMatch(base, byte, matched);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** `length` bytes that lie `distance + 1` back. */
  match(at: number, length: number, distance: number): void {
    const range = this.#range;
    const position = at & this.#pbMask;
    range.bit(this.#isMatch, this.#state * POSITIONS + position, 1);
    range.bit(this.#isRep, this.#state, 0);
    this.#state = this.#state < LITERAL_STATES ? 7 : 10;
    this.#length(this.#matchLength, length, position);
    this.#distance(length, distance);
    this.reps.copyWithin(1, 0, 3);
    this.reps[0] = distance;
  }

  /** `length` bytes at one of the last four distances. A single byte is possible at the newest. */
  repeat(at: number, length: number, rep: number): void {
    const range = this.#range;
    const position = at & this.#pbMask;
    const state = this.#state;
    range.bit(this.#isMatch, state * POSITIONS + position, 1);
    range.bit(this.#isRep, state, 1);
    range.bit(this.#isRep0, state, rep === 0 ? 0 : 1);
    if (rep === 0) range.bit(this.#isRep0Long, state * POSITIONS + position, length === 1 ? 0 : 1);
    else {
      range.bit(this.#isRep1, state, rep === 1 ? 0 : 1);
      if (rep > 1) range.bit(this.#isRep2, state, rep - 2);
      const distance = this.reps[rep] as number;
      this.reps.copyWithin(1, 0, rep);
      this.reps[0] = distance;
    }
    if (length > 1) this.#length(this.#repLength, length, position);
    this.#state = length === 1 ? (state < LITERAL_STATES ? 9 : 11) : state < LITERAL_STATES ? 8 : 11;
  }

  /** After a match the byte that it would have gone on with is unlikely, so its bits are told apart. */
  #literalAfterMatch(base: number, byte: number, matched: number): void {
    let offset = 0x100;
    let symbol = byte | 0x100;
    let other = matched;
    while (symbol < 0x10000) {
      other <<= 1;
      const node = offset + (other & offset) + (symbol >>> 8);
      this.#range.bit(this.#literals, base + node, (symbol >>> 7) & 1);
      symbol <<= 1;
      offset &= ~(other ^ symbol);
    }
  }

  #length(model: Uint16Array, length: number, position: number): void {
    const range = this.#range;
    const value = length - MIN_MATCH;
    if (value < 8) {
      range.bit(model, 0, 0);
      range.tree(model, 2 + position * 8, 3, value);
    } else if (value < 16) {
      range.bit(model, 0, 1);
      range.bit(model, 1, 0);
      range.tree(model, 2 + (POSITIONS + position) * 8, 3, value - 8);
    } else {
      range.bit(model, 0, 1);
      range.bit(model, 1, 1);
      range.tree(model, 2 + POSITIONS * 16, 8, value - 16);
    }
  }

  #distance(length: number, distance: number): void {
    const slot = slotOf(distance);
    this.#range.tree(this.#slots, Math.min(length - MIN_MATCH, 3) * 64, 6, slot);
    if (slot < FIRST_SPLIT_SLOT) return;
    const bits = (slot >> 1) - 1;
    const rest = distance - ((2 | (slot & 1)) << bits);
    if (slot < FIRST_DIRECT_SLOT) {
      this.#range.reverseTree(this.#splits, distance - rest - slot, bits, rest);
    } else {
      this.#range.direct(rest >>> ALIGN_BITS, bits - ALIGN_BITS);
      this.#range.reverseTree(this.#align, 0, ALIGN_BITS, rest & 15);
    }
  }
}

function slotOf(distance: number): number {
  if (distance < FIRST_SPLIT_SLOT) return distance;
  const bits = 31 - Math.clz32(distance);
  return 2 * bits + ((distance >>> (bits - 1)) & 1);
}
