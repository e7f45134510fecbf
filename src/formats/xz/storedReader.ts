import { crc32 } from "node:zlib";
import type { PositionalReader } from "../../base/ports";
import { corruptXz, type XzBlock, type XzStream } from "./layout";

/** Room for some of the largest chunks. */
const SLAB_BYTES = 256 * 1024;
/** Bytes fetched at once: a reader serves them from its window without taking memory for each. */
const READ_BYTES = 65_536;
const CHUNK_HEADER = 3;
/** Control bytes from here on announce a compressed chunk. */
const COMPRESSED = 0x80;
/** Writers store up to 64 KiB a chunk; only the last one of what they have may be small. */
const SMALL_CHUNK = 1024;
const MAX_SMALL_CHUNKS = 1000;

/**
 * The content of a stream as long as its LZMA2 chunks are stored as they are, which needs no decoder; the check behind
 * each block is verified. Answers whether that was the whole stream: at the first compressed chunk, or after many
 * chunks so small that a decoder is faster, it stops.
 * @throws ModelbenchError `archive.corrupt`
 */
export function* readStored(reader: PositionalReader, stream: XzStream): Generator<Uint8Array, boolean> {
  if (stream.check !== "crc32") return false;
  const small = { left: MAX_SMALL_CHUNKS };
  for (const block of stream.blocks) if (!(yield* readStoredBlock(reader, block, small))) return false;
  return true;
}

function* readStoredBlock(
  reader: PositionalReader,
  block: XzBlock,
  small: { left: number },
): Generator<Uint8Array, boolean> {
  const end = dataEnd(block);
  let at = block.offset + block.headerBytes;
  const slab = new Slab(reader, end, at);
  let check = 0;
  let total = 0;
  for (let first = true; ; first = false) {
    const control = slab.take(at, 1)[0] ?? 0;
    if (control === 0) break;
    if (control >= COMPRESSED) return false;
    if (control !== 1 && (first || control !== 2)) throw corruptXz("a wrong chunk", at);
    const size = chunkSize(slab.take(at, CHUNK_HEADER), 0);
    if (size < SMALL_CHUNK && --small.left < 0) return false;
    const content = slab.take(at + CHUNK_HEADER, size);
    check = crc32(content, check);
    total += size;
    if (total > block.uncompressedBytes) throw corruptXz("more content than the index says", at);
    yield content;
    at += CHUNK_HEADER + size;
  }
  if (at + 1 !== end || total !== block.uncompressedBytes) throw corruptXz("a block that contradicts the index", at);
  checkTail(reader, block, end, check);
  return true;
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

/** Serves small pieces of a range from one buffer; a view is valid until the next one is asked for. */
class Slab {
  readonly #reader: PositionalReader;
  readonly #end: number;
  readonly #bytes: Uint8Array;
  #start = 0;
  #filled = 0;

  constructor(reader: PositionalReader, end: number, begin: number) {
    this.#reader = reader;
    this.#end = end;
    this.#bytes = new Uint8Array(Math.min(SLAB_BYTES, Math.max(0, end - begin)));
  }

  take(at: number, length: number): Uint8Array {
    if (at + length > this.#end) throw corruptXz("a chunk that leaves its block", at);
    if (at < this.#start || at + length > this.#start + this.#filled) this.#load(at);
    return this.#bytes.subarray(at - this.#start, at - this.#start + length);
  }

  #load(at: number): void {
    this.#start = at;
    this.#filled = 0;
    const wanted = Math.min(this.#bytes.length, this.#end - at);
    while (this.#filled < wanted) {
      const part = this.#reader.read(at + this.#filled, Math.min(READ_BYTES, wanted - this.#filled));
      this.#bytes.set(part, this.#filled);
      this.#filled += part.length;
    }
  }
}
