import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

/** Bytes that one block sum stands for; the last block of a file may be shorter. */
const BLOCK_BYTES = 1 << 20;
/** Hexadecimal digits of one block sum. */
const SUM_DIGITS = 8;
/** Ranges that are named one by one; what differs in more places is as good as all different. */
const MAX_RANGES = 3;

/** What the content of a file was. */
export interface FileDigest {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** CRC-32 of every MiB, eight hexadecimal digits each; records of the first version have none. */
  readonly blocks?: string | undefined;
}

/** CRC-32 of every MiB of a stream: cheap enough to find out where a file has changed while it is read anyway. */
class BlockSums {
  #sums = "";
  #sum = 0;
  #filled = 0;
  /** Bytes so far. */
  bytes = 0;

  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + BLOCK_BYTES - this.#filled);
      this.#sum = crc32(piece, this.#sum);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === BLOCK_BYTES) this.#endBlock();
    }
    this.bytes += chunk.length;
  }

  /** All sums, hexadecimal, without anything between them. */
  end(): string {
    if (this.#filled > 0) this.#endBlock();
    return this.#sums;
  }

  #endBlock(): void {
    this.#sums += this.#sum.toString(16).padStart(SUM_DIGITS, "0");
    this.#sum = 0;
    this.#filled = 0;
  }
}

/** Digests the content of one file while it goes by. */
export class FileHasher {
  readonly #hash = createHash("sha256");
  readonly #blocks = new BlockSums();

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#blocks.update(chunk);
  }

  end(): FileDigest {
    return { bytes: this.#blocks.bytes, sha256: this.#hash.digest("hex"), blocks: this.#blocks.end() };
  }
}

/** The digest of bytes in memory. */
export function digestOf(bytes: Uint8Array): FileDigest {
  const hasher = new FileHasher();
  hasher.update(bytes);
  return hasher.end();
}

/** Digests a file that is there, and yields the bytes just read after each piece. Failures are those of `node:fs`. */
export function* digestSlices(path: string): Generator<number, FileDigest> {
  const hasher = new FileHasher();
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  const file = openSync(path, "r");
  try {
    for (;;) {
      const count = readSync(file, buffer, 0, buffer.length, null);
      if (count === 0) return hasher.end();
      hasher.update(buffer.subarray(0, count));
      yield count;
    }
  } finally {
    closeSync(file);
  }
}

/** How a file differs from what was recorded of it. */
export interface Difference {
  /** For instance `bytes 1048576 to 2097151 differ`. */
  readonly words: string;
  /** Where the first difference can be, at the earliest. */
  readonly offset: number;
}

/** Compares two digests; `undefined` when they are of the same content. Without a sum of blocks on one side only the
 *  file as a whole can be named. */
export function differenceOf(was: FileDigest, is: Omit<FileDigest, "sha256"> & { readonly sha256?: string }) {
  if (is.bytes !== was.bytes) return sizeDifference(was.bytes, is.bytes);
  if (was.blocks === undefined || is.blocks === undefined) {
    return is.sha256 === was.sha256 ? undefined : rangeDifference([[0, was.bytes]]);
  }
  const ranges = differingRanges(was.blocks, is.blocks, was.bytes);
  if (ranges.length > 0) return rangeDifference(ranges);
  return is.sha256 === undefined || is.sha256 === was.sha256 ? undefined : rangeDifference([[0, was.bytes]]);
}

/** A difference in size alone, found without reading. */
export function sizeDifference(was: number, is: number): Difference | undefined {
  if (is === was) return undefined;
  const words =
    is < was ? `it has ${is} of ${was} bytes: ${rangeWords(is, was)} are missing` : `it has ${is} bytes, not ${was}`;
  return { words, offset: Math.min(was, is) };
}

function differingRanges(was: string, is: string, bytes: number): [number, number][] {
  const ranges: [number, number][] = [];
  for (let at = 0, digit = 0; at < bytes; at += BLOCK_BYTES, digit += SUM_DIGITS) {
    if (was.slice(digit, digit + SUM_DIGITS) === is.slice(digit, digit + SUM_DIGITS)) continue;
    const end = Math.min(bytes, at + BLOCK_BYTES);
    const last = ranges.at(-1);
    if (last?.[1] === at) last[1] = end;
    else ranges.push([at, end]);
  }
  return ranges;
}

function rangeDifference(ranges: readonly (readonly [number, number])[]): Difference {
  const named = ranges.slice(0, MAX_RANGES).map(([from, to]) => rangeWords(from, to));
  const more = ranges.length - named.length;
  const words = `${named.join(", ")}${more > 0 ? ` and ${more} more ranges` : ""} differ`;
  return { words, offset: ranges[0]?.[0] ?? 0 };
}

function rangeWords(from: number, to: number): string {
  return `bytes ${from} to ${to - 1}`;
}
