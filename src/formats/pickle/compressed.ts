import type { PositionalReader } from "../../base/ports";
import { readBz2 } from "../bz2/bz2Reader";
import { unpackStreams } from "./deflateStreams";
import { MAX_UNPACKED_BYTES, TOO_LONG, type Unpacked } from "./inflated";

/** The decoder of bz2 is ours, and slow. */
const MAX_BZ2_MS = 2_500;

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
  const { content, unread } = unpackStreams(packed, method);
  return { content, unread: packed.length < reader.size ? TOO_LONG : unread };
}

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
