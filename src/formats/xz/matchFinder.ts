/** How far back a match may lie; a reader allocates as much. */
export const WINDOW_BYTES = 2 * 1024 * 1024;
/** What may be written at once. */
export const INPUT_BYTES = 1024 * 1024;
/** The longest match that LZMA knows. */
const MAX_MATCH = 273;
/** How many earlier places with the same hash are looked at. */
const MAX_CHAIN = 24;
/** A match of this length is taken without looking on. */
export const NICE_MATCH = 64;
const HASH_BITS = 20;
/** The shortest match that is looked for. */
export const MIN_LENGTH = 4;
const NONE = -1;

/**
 * A sliding window that finds earlier places which begin as the current one does. Positions are counted from the
 * beginning of the content; at least the last `WINDOW_BYTES` stay within reach.
 */
export class MatchFinder {
  /** The window's bytes; place `at` of the content is at `at - base`. */
  readonly bytes = new Uint8Array(2 * WINDOW_BYTES + INPUT_BYTES);
  readonly #heads = new Int32Array(1 << HASH_BITS).fill(NONE);
  readonly #chain = new Int32Array(WINDOW_BYTES).fill(NONE);
  /** Place of the window's first byte. */
  base = 0;
  /** Where the content known so far ends. */
  end = 0;
  /** What `find` found: 0 when nothing. */
  length = 0;
  /** How many bytes the match lies back, less one. */
  distance = 0;

  /** Adds content, at most 1 MiB; what lies too far behind `at` may be dropped. */
  feed(chunk: Uint8Array, at: number): void {
    if (this.end - this.base + chunk.length > this.bytes.length) this.#slide(at);
    this.bytes.set(chunk, this.end - this.base);
    this.end += chunk.length;
  }

  /** Looks for the longest match of at least four bytes at `at` and enters the place; every place must be entered. */
  find(at: number): void {
    const bytes = this.bytes;
    const here = at - this.base;
    const most = Math.min(MAX_MATCH, this.end - at);
    this.length = 0;
    if (most < MIN_LENGTH) return;
    const hash = hashAt(bytes, here);
    let candidate = this.#heads[hash] as number;
    this.#heads[hash] = at;
    this.#chain[at % WINDOW_BYTES] = candidate;
    let best = MIN_LENGTH - 1;
    for (let tries = MAX_CHAIN; tries > 0 && candidate >= 0 && at - candidate < WINDOW_BYTES; tries--) {
      const there = candidate - this.base;
      if (bytes[there + best] === bytes[here + best] && bytes[there] === bytes[here]) {
        const length = commonLength(bytes, there, here, most);
        if (length > best) {
          best = length;
          this.length = length;
          this.distance = at - candidate - 1;
          if (length >= NICE_MATCH || length === most) return;
        }
      }
      candidate = this.#chain[candidate % WINDOW_BYTES] as number;
    }
  }

  /** Enters a place without looking. */
  skip(at: number): void {
    if (this.end - at < MIN_LENGTH) return;
    const hash = hashAt(this.bytes, at - this.base);
    this.#chain[at % WINDOW_BYTES] = this.#heads[hash] as number;
    this.#heads[hash] = at;
  }

  /** How many bytes from `here` on equal those from `there` on; both count from the window's first byte. */
  commonLength(there: number, here: number): number {
    return commonLength(this.bytes, there, here, Math.min(MAX_MATCH, this.end - this.base - here));
  }

  #slide(at: number): void {
    const from = Math.max(0, at - WINDOW_BYTES - this.base);
    this.bytes.copyWithin(0, from, this.end - this.base);
    this.base += from;
  }
}

function hashAt(bytes: Uint8Array, at: number): number {
  const four =
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number);
  return Math.imul(four, 0x9e3779b1) >>> (32 - HASH_BITS);
}

function commonLength(bytes: Uint8Array, there: number, here: number, most: number): number {
  let length = 0;
  while (length < most && bytes[there + length] === bytes[here + length]) length++;
  return length;
}
