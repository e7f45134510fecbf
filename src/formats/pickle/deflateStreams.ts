import { crc32, inflateRawSync } from "node:zlib";
import { inflated, MAX_UNPACKED_BYTES, TOO_LONG, type Unpacked } from "./inflated";

/** Time for all streams of a file: each costs something, however little it holds. */
const MAX_MS = 2_500;

/** How the streams of a format lie behind one another. */
interface Framing {
  /** Behind the header that begins at `at`; `undefined` when there is none. */
  headerEnd(packed: Buffer, at: number): number | undefined;
  readonly trailerBytes: number;
  /** Whether the trailer fits the content. */
  fits(trailer: Buffer, content: Buffer): boolean;
  readonly skipsZeros: boolean;
}

/**
 * Unpacks what readers take for one file: all streams one behind the other, in gzip also behind zeros. Anything else
 * that follows is `unread`.
 */
export function unpackStreams(packed: Buffer, method: "gzip" | "zlib"): Unpacked {
  const framing = method === "gzip" ? GZIP : ZLIB;
  const deadline = performance.now() + MAX_MS;
  const pieces: Buffer[] = [];
  let room = MAX_UNPACKED_BYTES;
  let unread: string | undefined;
  for (let at: number | undefined = 0; at !== undefined && at < packed.length; ) {
    const start = framing.headerEnd(packed, at);
    const stop = reasonToStop(start, at, room, deadline);
    if (start === undefined || stop !== undefined) return { content: Buffer.concat(pieces), unread: unread ?? stop };
    const budget = { inflatable: room, inflated: () => {} };
    const { content, consumed, unread: why } = inflated(packed.subarray(start), false, inflateRawSync, budget);
    pieces.push(content);
    room -= content.length;
    unread ??= why;
    at = consumed === undefined ? undefined : start + consumed + framing.trailerBytes;
    if (at === undefined) break;
    const trailer = packed.subarray(at - framing.trailerBytes, at);
    if (trailer.length === framing.trailerBytes && !framing.fits(trailer, content)) unread ??= DAMAGED;
    while (framing.skipsZeros && packed[at] === 0) at++;
  }
  return { content: Buffer.concat(pieces), unread };
}

const DAMAGED = "the compressed data are damaged";

function reasonToStop(start: number | undefined, at: number, room: number, deadline: number): string | undefined {
  if (start === undefined) return at === 0 ? DAMAGED : "something else follows the compressed data";
  if (room <= 0) return TOO_LONG;
  return performance.now() > deadline ? "unpacking it takes too long" : undefined;
}

/** @see RFC 1952 */
const GZIP: Framing = {
  headerEnd(packed, at) {
    if (packed.length < at + 10 || packed.readUIntBE(at, 3) !== 0x1f8b08) return undefined;
    const flags = packed[at + 3] ?? 0;
    let end = at + 10;
    if (flags & 4) end += 2 + (end + 2 <= packed.length ? packed.readUInt16LE(end) : 0);
    for (const flag of [8, 16]) if (flags & flag) end = textEnd(packed, end);
    if (flags & 2) end += 2;
    return end <= packed.length ? end : undefined;
  },
  trailerBytes: 8,
  fits: (trailer, content) => trailer.readUInt32LE(0) === crc32(content),
  skipsZeros: true,
};

function textEnd(packed: Buffer, at: number): number {
  const zero = packed.indexOf(0, at);
  return zero < 0 ? packed.length + 1 : zero + 1;
}

/** @see RFC 1950 */
const ZLIB: Framing = {
  headerEnd(packed, at) {
    if (packed.length < at + 2) return undefined;
    const mark = packed.readUInt16BE(at);
    // A dictionary that is not in the file would be needed.
    const isHeader = (mark & 0x0f00) === 0x0800 && mark % 31 === 0 && (mark & 0x20) === 0;
    return isHeader ? at + 2 : undefined;
  },
  trailerBytes: 4,
  fits: (trailer, content) => trailer.readUInt32BE(0) === adler32(content),
  skipsZeros: false,
};

function adler32(content: Buffer): number {
  let low = 1;
  let high = 0;
  for (let at = 0; at < content.length; ) {
    // So many sums stay below 2^53 without a remainder.
    for (const end = Math.min(at + 65_536, content.length); at < end; at++) {
      low += content[at] ?? 0;
      high += low;
    }
    low %= 65_521;
    high %= 65_521;
  }
  return high * 65_536 + low;
}
