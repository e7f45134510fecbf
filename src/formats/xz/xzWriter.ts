import { crc32 } from "node:zlib";

/** A stored LZMA2 chunk holds at most this much. */
const MAX_CHUNK = 65_536;
const CHUNK_HEADER = 3;
/** Dictionary code for 64 KiB: stored chunks refer to nothing, and a reader allocates what this says. */
const DICTIONARY_CODE = 8;
const STREAM_FLAGS = Buffer.from([0, 1]);

/**
 * Wraps content in an .xz file of stored LZMA2 chunks with a CRC32: hundreds of times faster than compressing, and
 * weights hardly compress. A yielded view is valid until the next one is asked for.
 * @see https://tukaani.org/xz/xz-file-format.txt
 */
export async function* writeStoredXz(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const blockHeader = writeBlockHeader();
  yield Buffer.concat([Buffer.from("\xfd7zXZ\0", "latin1"), STREAM_FLAGS, u32(crc32(STREAM_FLAGS)), blockHeader]);
  const state = { check: 0, plain: 0, packed: 0, buffer: Buffer.alloc(0) };
  for await (const chunk of content) {
    if (chunk.length > 0) yield packChunk(chunk, state);
  }
  const unpadded = blockHeader.length + state.packed + 1 + 4;
  const padding = Buffer.alloc((4 - ((state.packed + 1) % 4)) % 4);
  const index = writeIndex(unpadded, state.plain);
  yield Buffer.concat([Buffer.from([0]), padding, u32(state.check), index, writeFooter(index.length)]);
}

function packChunk(
  chunk: Uint8Array,
  state: { check: number; plain: number; packed: number; buffer: Buffer },
): Uint8Array {
  const needed = chunk.length + Math.ceil(chunk.length / MAX_CHUNK) * CHUNK_HEADER;
  if (state.buffer.length < needed) state.buffer = Buffer.allocUnsafeSlow(needed);
  let at = 0;
  for (let from = 0; from < chunk.length; from += MAX_CHUNK) {
    const part = chunk.subarray(from, from + MAX_CHUNK);
    at = state.buffer.writeUInt8(state.plain === 0 && from === 0 ? 1 : 2, at);
    at = state.buffer.writeUInt16BE(part.length - 1, at);
    state.buffer.set(part, at);
    at += part.length;
  }
  state.check = crc32(chunk, state.check);
  state.plain += chunk.length;
  state.packed += needed;
  return state.buffer.subarray(0, needed);
}

function writeBlockHeader(): Buffer {
  // Size code, no flags, filter LZMA2 with one property byte, padding to a multiple of four with the CRC.
  const head = Buffer.from([2, 0, 0x21, 1, DICTIONARY_CODE, 0, 0, 0]);
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
