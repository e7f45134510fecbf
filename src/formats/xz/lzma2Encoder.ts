import { LzmaCoder, type LzmaProperties } from "./lzmaCoder";
import { INPUT_BYTES, MatchFinder, MIN_LENGTH, NICE_MATCH } from "./matchFinder";
import { RangeEncoder } from "./rangeEncoder";

/** What a chunk may hold packed and unpacked. */
const MAX_PACKED = 65_536;
const MAX_PLAIN = 2 * 1024 * 1024;
/** No symbol takes more bytes, the coder's own last ones included. */
const SYMBOL_BYTES = 32;
/** Lookahead that the parser wants before it decides, the longest match and one more. */
const LOOKAHEAD = 274;
const MAX_CHUNK_STORED = 65_536;

const STORED_FIRST = 0x01;
const STORED = 0x02;
const CODED = 0x80;
/** Above `CODED`: what begins anew. */
const NEW_STATE = 0x20;
const NEW_PROPERTIES = 0x40;
const NEW_DICTIONARY = 0x60;
/** Content that is waited for before a chunk is begun, so that small pieces do not make small chunks. */
const ENOUGH_BYTES = 256 * 1024;

/**
 * Makes LZMA2 chunks: a hash-chain match finder, a parser that looks one byte ahead, and LZMA's coder. What does not
 * shrink is stored.
 */
export class Lzma2Encoder {
  readonly #finder = new MatchFinder();
  readonly #range = new RangeEncoder(MAX_PACKED + SYMBOL_BYTES);
  readonly #coder: LzmaCoder;
  readonly #propertyByte: number;
  readonly #head = Buffer.alloc(6);
  #at = 0;
  #fresh: "dictionary" | "properties" | "state" | "no" = "dictionary";
  /** The place that the finder looked at last, when that was ahead. */
  #foundAt = -1;
  #repeatLength = 0;
  #repeat = 0;

  constructor(properties: LzmaProperties) {
    this.#coder = new LzmaCoder(this.#range, properties);
    this.#propertyByte = (properties.pb * 5 + properties.lp) * 9 + properties.lc;
  }

  /** Takes content and yields the chunks that are complete; a view is valid until the next one is asked for. */
  *pack(content: Uint8Array): Generator<Uint8Array> {
    for (let from = 0; from < content.length; from += INPUT_BYTES) {
      this.#finder.feed(content.subarray(from, from + INPUT_BYTES), this.#at);
      while (this.#finder.end - this.#at >= ENOUGH_BYTES) yield* this.#chunk(LOOKAHEAD);
    }
  }

  /** Yields the chunks of what is left, and the end mark. */
  *finish(): Generator<Uint8Array> {
    while (this.#at < this.#finder.end) yield* this.#chunk(0);
    yield Uint8Array.of(0);
  }

  /** Yields views of memory that is used again: no chunk leaves anything for the garbage collector. */
  *#chunk(lookahead: number): Generator<Uint8Array> {
    const start = this.#at;
    const end = Math.min(this.#finder.end - lookahead, start + MAX_PLAIN - LOOKAHEAD);
    if (this.#fresh !== "no") this.#coder.reset();
    this.#range.begin();
    while (this.#at < end && this.#range.size < MAX_PACKED - SYMBOL_BYTES) this.#symbol();
    const packed = this.#range.end();
    const plainBytes = this.#at - start;
    if (packed.length + 6 >= plainBytes + 3 * Math.ceil(plainBytes / MAX_CHUNK_STORED)) {
      yield* this.#store(start, plainBytes);
      return;
    }
    const withProperties = this.#fresh === "dictionary" || this.#fresh === "properties";
    const head = this.#head.subarray(0, withProperties ? 6 : 5);
    head[0] = CODED | FRESH[this.#fresh] | ((plainBytes - 1) >>> 16);
    head.writeUInt16BE((plainBytes - 1) & 0xffff, 1);
    head.writeUInt16BE(packed.length - 1, 3);
    if (withProperties) head[5] = this.#propertyByte;
    this.#fresh = "no";
    yield head;
    yield packed;
  }

  /** What was coded in vain, as it is. The coder begins anew behind it. */
  *#store(start: number, plainBytes: number): Generator<Uint8Array> {
    const from = start - this.#finder.base;
    for (let done = 0; done < plainBytes; done += MAX_CHUNK_STORED) {
      const size = Math.min(MAX_CHUNK_STORED, plainBytes - done);
      const head = this.#head.subarray(0, 3);
      head[0] = this.#fresh === "dictionary" && done === 0 ? STORED_FIRST : STORED;
      head.writeUInt16BE(size - 1, 1);
      yield head;
      yield this.#finder.bytes.subarray(from + done, from + done + size);
    }
    this.#fresh = this.#fresh === "dictionary" || this.#fresh === "properties" ? "properties" : "state";
  }

  /** Decides what comes next, much as LZMA's fast mode does, and codes it. */
  #symbol(): void {
    const at = this.#at;
    if (this.#foundAt !== at) this.#finder.find(at);
    const { length, distance } = this.#finder;
    this.#findRepeat(at);
    if (this.#repeatLength >= 2 && outweighs(this.#repeatLength, length, distance)) {
      this.#coder.repeat(at, this.#repeatLength, this.#repeat);
      this.#advance(at, this.#repeatLength);
    } else if (length >= MIN_LENGTH && !this.#betterNext(at, length, distance)) {
      this.#coder.match(at, length, distance);
      this.#advance(at, length);
    } else {
      this.#single(at);
    }
  }

  #findRepeat(at: number): void {
    const { bytes, base } = this.#finder;
    const reps = this.#coder.reps;
    const here = at - base;
    this.#repeatLength = 0;
    for (let i = 0; i < 4; i++) {
      const back = here - (reps[i] as number) - 1;
      if (back < 0 || bytes[back] !== bytes[here] || bytes[back + 1] !== bytes[here + 1]) continue;
      const length = this.#finder.commonLength(back, here);
      if (length <= this.#repeatLength) continue;
      this.#repeatLength = length;
      this.#repeat = i;
    }
  }

  /** Whether one byte as it is and then a match is cheaper than the match at hand. */
  #betterNext(at: number, length: number, distance: number): boolean {
    if (length >= NICE_MATCH || at + 1 >= this.#finder.end) return false;
    this.#finder.find(at + 1);
    this.#foundAt = at + 1;
    const next = this.#finder.length;
    if (next < MIN_LENGTH) return false;
    return next > length + 1 || (next >= length && this.#finder.distance >>> 7 <= distance) || next === length + 1;
  }

  #single(at: number): void {
    const { bytes, base } = this.#finder;
    const here = at - base;
    const back = here - (this.#coder.reps[0] as number) - 1;
    const matched = back >= 0 ? (bytes[back] as number) : 0;
    const byte = bytes[here] as number;
    if (back >= 0 && matched === byte) this.#coder.repeat(at, 1, 0);
    else this.#coder.literal(at, byte, here > 0 ? (bytes[here - 1] as number) : 0, matched);
    this.#at = at + 1;
  }

  /** Goes on behind a match; the places that it covers may begin later ones. */
  #advance(at: number, length: number): void {
    for (let i = this.#foundAt > at ? 2 : 1; i < length; i++) this.#finder.skip(at + i);
    this.#at = at + length;
  }
}

const FRESH = { dictionary: NEW_DICTIONARY, properties: NEW_PROPERTIES, state: NEW_STATE, no: 0 } as const;

/** A distance used before costs little: it wins unless a new one brings clearly more. */
function outweighs(repeat: number, length: number, distance: number): boolean {
  if (repeat + 1 >= length) return true;
  return (repeat + 2 >= length && distance >= 1 << 9) || (repeat + 3 >= length && distance >= 1 << 15);
}
