import { crc32 } from "node:zlib";
import type { PositionalReader } from "../../base/ports";
import { corruptXz, type XzBlock, type XzStream } from "./layout";

/** Bytes fetched at once. */
const SLAB_BYTES = 1024 * 1024;
const CHUNK_HEADER = 3;

/**
 * Whether every LZMA2 chunk of a stream is stored as it is, so that reading it needs no decoder. Looks at chunk
 * headers only and stops at the first compressed one.
 */
export function isStored(reader: PositionalReader, stream: XzStream): boolean {
  return stream.check === "crc32" && stream.blocks.every((block) => isStoredBlock(reader, block));
}

/**
 * The content of a stream for which `isStored` holds, by chunks whose check is verified behind each block.
 * @throws ModelbenchError `archive.corrupt`
 */
export function* readStored(reader: PositionalReader, stream: XzStream): Generator<Uint8Array> {
  for (const block of stream.blocks) yield* readStoredBlock(reader, block);
}

function isStoredBlock(reader: PositionalReader, block: XzBlock): boolean {
  const end = dataEnd(block);
  let at = block.offset + block.headerBytes;
  while (at < end) {
    const control = reader.read(at, 1)[0];
    if (control === 0) return true;
    if (control !== 1 && control !== 2) return false;
    if (at + CHUNK_HEADER > end) return true;
    at += CHUNK_HEADER + chunkSize(reader.read(at, CHUNK_HEADER), 0);
  }
  // Cut short: the reader that follows says so better than a decoder would.
  return true;
}

function* readStoredBlock(reader: PositionalReader, block: XzBlock): Generator<Uint8Array> {
  const end = dataEnd(block);
  const slab = new Slab(reader, end);
  let at = block.offset + block.headerBytes;
  let check = 0;
  let total = 0;
  for (let first = true; ; first = false) {
    const control = slab.take(at, 1)[0];
    if (control === 0) break;
    if (control !== 1 && (first || control !== 2)) throw corruptXz("a wrong chunk", at);
    const size = chunkSize(slab.take(at, CHUNK_HEADER), 0);
    const content = slab.take(at + CHUNK_HEADER, size);
    check = crc32(content, check);
    total += size;
    if (total > block.uncompressedBytes) throw corruptXz("more content than the index says", at);
    yield content;
    at += CHUNK_HEADER + size;
  }
  if (at + 1 !== end || total !== block.uncompressedBytes) throw corruptXz("a block that contradicts the index", at);
  checkTail(reader, block, end, check);
}

/** Padding up to four bytes, then the check. */
function checkTail(reader: PositionalReader, block: XzBlock, end: number, check: number): void {
  const checkAt = block.offset + Math.ceil((end - block.offset) / 4) * 4;
  if (reader.read(end, checkAt - end).some((byte) => byte !== 0)) throw corruptXz("padding that is not zero", end);
  const stored = Buffer.from(reader.read(checkAt, 4)).readUInt32LE(0);
  if (stored !== check) throw corruptXz("content whose check does not fit", block.offset);
}

/** `unpaddedBytes` counts header, data and check, but not the padding between the last two. */
function dataEnd(block: XzBlock): number {
  return block.offset + block.unpaddedBytes - 4;
}

function chunkSize(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 1] ?? 0) << 8) + (bytes[at + 2] ?? 0) + 1;
}

/** Serves small pieces of a range from large reads; every slab is fresh memory, so views stay valid. */
class Slab {
  readonly #reader: PositionalReader;
  readonly #end: number;
  #start = 0;
  #bytes = new Uint8Array(0);

  constructor(reader: PositionalReader, end: number) {
    this.#reader = reader;
    this.#end = end;
  }

  take(at: number, length: number): Uint8Array {
    if (at + length > this.#end) throw corruptXz("a chunk that leaves its block", at);
    if (at + length > this.#start + this.#bytes.length) {
      this.#bytes = new Uint8Array(this.#reader.read(at, Math.min(SLAB_BYTES, this.#end - at)));
      this.#start = at;
    }
    return this.#bytes.subarray(at - this.#start, at - this.#start + length);
  }
}
