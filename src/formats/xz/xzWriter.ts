import { crc32 } from "node:zlib";
import { Lzma2Encoder } from "./lzma2Encoder";
import type { LzmaProperties } from "./lzmaCoder";
import { WINDOW_BYTES } from "./matchFinder";

/** A stored LZMA2 chunk holds at most this much. */
const MAX_CHUNK = 65_536;
const CHUNK_HEADER = 3;
const STREAM_FLAGS = Buffer.from([0, 1]);

/** Makes LZMA2 chunks of content. */
interface Packer {
  /** How far back a chunk may refer: a reader allocates as much. */
  readonly dictionaryBytes: number;
  /** A yielded view is valid until the next one is asked for. */
  pack(content: Uint8Array): Iterable<Uint8Array>;
  finish(): Iterable<Uint8Array>;
}

/**
 * Wraps content in an .xz file of stored LZMA2 chunks with a CRC32: hundreds of times faster than compressing, and
 * weights hardly compress. A yielded view is valid until the next one is asked for.
 */
export function writeStoredXz(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return writeXz(content, new StoredPacker());
}

/** Compresses content into an .xz file; the same contract. */
export function writeSmallXz(
  content: AsyncIterable<Uint8Array>,
  properties: LzmaProperties,
): AsyncGenerator<Uint8Array> {
  const encoder = new Lzma2Encoder(properties);
  return writeXz(content, {
    dictionaryBytes: WINDOW_BYTES,
    pack: (chunk) => encoder.pack(chunk),
    finish: () => encoder.finish(),
  });
}

/** One stream of one block. @see https://tukaani.org/xz/xz-file-format.txt */
async function* writeXz(content: AsyncIterable<Uint8Array>, packer: Packer): AsyncGenerator<Uint8Array> {
  const blockHeader = writeBlockHeader(packer.dictionaryBytes);
  yield Buffer.concat([Buffer.from("\xfd7zXZ\0", "latin1"), STREAM_FLAGS, u32(crc32(STREAM_FLAGS)), blockHeader]);
  let check = 0;
  let plain = 0;
  let packed = 0;
  for await (const chunk of content) {
    check = crc32(chunk, check);
    plain += chunk.length;
    for (const part of packer.pack(chunk)) {
      packed += part.length;
      yield part;
    }
  }
  for (const part of packer.finish()) {
    packed += part.length;
    yield part;
  }
  const unpadded = blockHeader.length + packed + 4;
  const padding = Buffer.alloc((4 - (packed % 4)) % 4);
  const index = writeIndex(unpadded, plain);
  yield Buffer.concat([padding, u32(check), index, writeFooter(index.length)]);
}

class StoredPacker implements Packer {
  /** Stored chunks refer to nothing. */
  readonly dictionaryBytes = 65_536;
  #buffer = Buffer.alloc(0);
  #first = true;

  *pack(chunk: Uint8Array): Generator<Uint8Array> {
    const needed = chunk.length + Math.ceil(chunk.length / MAX_CHUNK) * CHUNK_HEADER;
    if (this.#buffer.length < needed) this.#buffer = Buffer.allocUnsafeSlow(needed);
    let at = 0;
    for (let from = 0; from < chunk.length; from += MAX_CHUNK) {
      const part = chunk.subarray(from, from + MAX_CHUNK);
      at = this.#buffer.writeUInt8(this.#first ? 1 : 2, at);
      this.#first = false;
      at = this.#buffer.writeUInt16BE(part.length - 1, at);
      this.#buffer.set(part, at);
      at += part.length;
    }
    if (needed > 0) yield this.#buffer.subarray(0, needed);
  }

  *finish(): Generator<Uint8Array> {
    yield Uint8Array.of(0);
  }
}

function writeBlockHeader(dictionaryBytes: number): Buffer {
  // Sizes are 2 or 3 times a power of two; the code counts them from 4 KiB on.
  const dictionaryCode = 2 * (Math.log2(dictionaryBytes) - 12);
  // Size code, no flags, filter LZMA2 with one property byte, padding to a multiple of four with the CRC.
  const head = Buffer.from([2, 0, 0x21, 1, dictionaryCode, 0, 0, 0]);
  return Buffer.concat([head, u32(crc32(head))]);
}

function writeIndex(unpadded: number, plain: number): Buffer {
  const body = Buffer.concat([Buffer.from([0, 1]), vli(unpadded), vli(plain)]);
  const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
  return Buffer.concat([padded, u32(crc32(padded))]);
}

function writeFooter(indexBytes: number): Buffer {
  const body = Buffer.concat([u32(indexBytes / 4 - 1), STREAM_FLAGS]);
  return Buffer.concat([u32(crc32(body)), body, Buffer.from("YZ")]);
}

function vli(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
