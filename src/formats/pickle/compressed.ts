import { gunzipSync, inflateSync, constants as zlibConstants } from "node:zlib";
import type { PositionalReader } from "../../base/ports";
import { readBz2 } from "../bz2/bz2Reader";

/** Most bytes of a compressed file that are read, and most that are made of them. */
export const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
/** The decoder of bz2 is ours, and slow. */
const MAX_BZ2_MS = 2_500;

/** What unpacking may still cost, over several tries and members. */
export interface UnpackBudget {
  readonly inflatable: number;
  inflated(bytes: number, ms: number): void;
}

/** What a compressed file holds, as far as it was unpacked. */
export interface Unpacked {
  readonly content: Buffer;
  /** `undefined` when that is all; otherwise why there may be more. */
  readonly unread: string | undefined;
}

const MARKS: readonly (readonly [mark: string, name: string])[] = [
  ["\x1f\x8b", "gzip"],
  ["\x78\x01", "zlib"],
  ["\x78\x5e", "zlib"],
  ["\x78\x9c", "zlib"],
  ["\x78\xda", "zlib"],
  ["BZh", "bz2"],
  ["\xfd7zXZ\0", "xz"],
  ["\x5d\x00\x00", "lzma"],
  ["\x04\x22\x4d\x18", "lz4"],
  ["\x28\xb5\x2f\xfd", "zstd"],
  ["7z\xbc\xaf\x27\x1c", "7z"],
  ["Rar!", "rar"],
];

/** How a file is compressed, by its first bytes. @see joblib numpy_pickle_utils.py, _detect_compressor */
export function compressionOf(reader: PositionalReader): string | undefined {
  const head = Buffer.from(reader.read(0, Math.min(reader.size, 8))).toString("latin1");
  return MARKS.find(([mark]) => head.startsWith(mark))?.[1];
}

/** Unpacks what there is a bounded decoder for; `undefined` for the other methods. */
export function unpack(reader: PositionalReader, method: string): Unpacked | undefined {
  if (method === "bz2") return unpackBz2(reader);
  if (method !== "gzip" && method !== "zlib") return undefined;
  const packed = Buffer.from(reader.read(0, Math.min(reader.size, MAX_UNPACKED_BYTES)));
  return inflated(packed, packed.length < reader.size, method === "gzip" ? gunzipSync : inflateSync);
}

/**
 * What a decompressor makes of `packed`; when that is too much, or cut short, as much as fits.
 * @param isCut whether there is more than `packed`
 * @param budget shared with others
 */
export function inflated(packed: Buffer, isCut: boolean, inflate: typeof inflateSync, budget?: UnpackBudget): Unpacked {
  let unread = isCut ? TOO_LONG : undefined;
  for (let length = packed.length; length > 0; length = Math.floor(length / 2)) {
    const maxOutputLength = Math.min(MAX_UNPACKED_BYTES, budget?.inflatable ?? MAX_UNPACKED_BYTES);
    if (maxOutputLength === 0) return { content: Buffer.alloc(0), unread: SPENT };
    const options = { finishFlush: zlibConstants.Z_SYNC_FLUSH, maxOutputLength };
    const begun = performance.now();
    try {
      const content = inflate(packed.subarray(0, length), options);
      budget?.inflated(content.length, performance.now() - begun);
      return { content, unread };
    } catch (error) {
      const isLong = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
      budget?.inflated(isLong ? maxOutputLength : length, performance.now() - begun);
      unread = isLong ? TOO_LONG : "the compressed data are damaged";
    }
  }
  return { content: Buffer.alloc(0), unread };
}

const SPENT = "unpacking the members before it took all that may be spent";
const TOO_LONG = `more than ${MAX_UNPACKED_BYTES >> 20} MiB would have to be unpacked`;

function unpackBz2(reader: PositionalReader): Unpacked {
  const pieces: Buffer[] = [];
  const deadline = performance.now() + MAX_BZ2_MS;
  let total = 0;
  let unread: string | undefined;
  try {
    for (const piece of readBz2(reader, () => {})) {
      total += piece.length;
      pieces.push(Buffer.from(piece));
      if (total <= MAX_UNPACKED_BYTES && performance.now() < deadline) continue;
      unread = total > MAX_UNPACKED_BYTES ? TOO_LONG : "unpacking it takes too long";
      break;
    }
  } catch {
    unread = "the compressed data are damaged";
  }
  return { content: Buffer.concat(pieces), unread };
}
