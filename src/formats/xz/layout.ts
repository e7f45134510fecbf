import { crc32 } from "node:zlib";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";

/** The largest dictionary that is decoded, and what `xz -9` asks for; a decoder allocates it up front. */
const MAX_XZ_DICTIONARY = 64 * 1024 * 1024;
/** An index has at least two bytes a block, and `xz -T` makes a block from 24 MiB: this is room for terabytes. */
const MAX_INDEX_BYTES = 1024 * 1024;
/** Files glued together one after the other; each costs a few reads here. */
const MAX_STREAMS = 1000;
/** Zeros between streams; a few bytes in practice, up to a tape block. */
const MAX_PADDING = 1024 * 1024;
const HEADER_BYTES = 12;

/** How a stream protects its content. */
export type XzCheck = "none" | "crc32" | "crc64";

/** One block: its place, and what the index says about it. */
export interface XzBlock {
  readonly offset: number;
  /** Bytes of the block's header. */
  readonly headerBytes: number;
  /** Header, compressed data and check, without padding. */
  readonly unpaddedBytes: number;
  readonly uncompressedBytes: number;
}

/** One stream of an .xz file: bytes `[start, end)`. */
export interface XzStream {
  readonly start: number;
  readonly end: number;
  readonly check: XzCheck;
  readonly blocks: readonly XzBlock[];
  /** Sum of what the index claims; the decoder counts what really comes. */
  readonly uncompressedBytes: number;
}

/** An .xz error at a byte of the file. */
export function corruptXz(message: string, offset: number): ModelbenchError {
  return new ModelbenchError("archive.corrupt", `Damaged xz: ${message} at byte ${offset}.`, { offset });
}

/**
 * Finds the streams and blocks of an .xz file by walking backwards from its end, and refuses what a decoder should
 * not be asked to do: dictionaries above 64 MiB, filters other than LZMA2. Reads some 50 bytes a block.
 * @see https://tukaani.org/xz/xz-file-format.txt version 1.2.1
 * @throws ModelbenchError `archive.corrupt`, `archive.unsafe`, `archive.format`
 */
export function readXzLayout(reader: PositionalReader): readonly XzStream[] {
  const streams: XzStream[] = [];
  let end = reader.size;
  while (end > 0) {
    const unpadded = skipPadding(reader, end);
    if (unpadded === 0) throw corruptXz("padding before the first stream", 0);
    const stream = readStream(reader, unpadded);
    streams.unshift(stream);
    if (streams.length > MAX_STREAMS) throw unsafe(`more than ${MAX_STREAMS} streams`, stream.start);
    end = stream.start;
  }
  if (streams.length === 0) throw corruptXz("an empty file", 0);
  return streams;
}

function skipPadding(reader: PositionalReader, from: number): number {
  let end = from;
  while (end >= 4 && readU32(reader.read(end - 4, 4)) === 0) {
    end -= 4;
    if (from - end > MAX_PADDING) throw unsafe(`more than ${MAX_PADDING} bytes of padding`, end);
  }
  return end;
}

function readStream(reader: PositionalReader, end: number): XzStream {
  const footerAt = end - HEADER_BYTES;
  if (footerAt < HEADER_BYTES) throw corruptXz("no room for a stream footer", Math.max(0, footerAt));
  const footer = new Uint8Array(reader.read(footerAt, HEADER_BYTES));
  if (footer[10] !== 0x59 || footer[11] !== 0x5a) throw corruptXz("no stream footer", footerAt);
  if (readU32(footer) !== crc32(footer.subarray(4, 10))) throw corruptXz("a damaged stream footer", footerAt);
  const indexBytes = (readU32(footer.subarray(4)) + 1) * 4;
  const indexAt = footerAt - indexBytes;
  if (indexAt < HEADER_BYTES) throw corruptXz("an index larger than the file", footerAt);
  if (indexBytes > MAX_INDEX_BYTES) throw unsafe(`an index of ${indexBytes} bytes`, footerAt);
  const records = readIndex(new Uint8Array(reader.read(indexAt, indexBytes)), indexAt);
  const packed = records.reduce((sum, record) => sum + padded(record.unpadded), 0);
  const start = indexAt - packed - HEADER_BYTES;
  const flags = footer.subarray(8, 10);
  checkStreamHeader(reader, start, flags);
  return {
    start,
    end,
    check: checkOf(flags, footerAt),
    blocks: readBlocks(reader, records, start + HEADER_BYTES),
    uncompressedBytes: records.reduce((sum, record) => sum + record.uncompressed, 0),
  };
}

function checkStreamHeader(reader: PositionalReader, start: number, flags: Uint8Array): void {
  if (start < 0) throw corruptXz("blocks larger than the file", 0);
  const header = reader.read(start, HEADER_BYTES);
  if (Buffer.from(header.subarray(0, 6)).toString("latin1") !== "\xfd7zXZ\0")
    throw corruptXz("no stream header", start);
  if (readU32(header.subarray(8)) !== crc32(header.subarray(6, 8))) throw corruptXz("a damaged stream header", start);
  if (header[6] !== flags[0] || header[7] !== flags[1]) throw corruptXz("a header that contradicts its footer", start);
}

function checkOf(flags: Uint8Array, offset: number): XzCheck {
  const check = flags[0] === 0 ? flags[1] : undefined;
  if (check === 0) return "none";
  if (check === 1) return "crc32";
  if (check === 4) return "crc64";
  throw unsupported("a check that is neither CRC32 nor CRC64", offset);
}

interface IndexRecord {
  readonly unpadded: number;
  readonly uncompressed: number;
}

function readIndex(index: Uint8Array, offset: number): IndexRecord[] {
  const body = index.subarray(0, index.length - 4);
  if (index[0] !== 0) throw corruptXz("no index", offset);
  if (readU32(index.subarray(body.length)) !== crc32(body)) throw corruptXz("a damaged index", offset);
  const cursor = { bytes: body, at: 1, offset };
  const count = readVli(cursor);
  if (count > body.length / 2) throw corruptXz("an index that claims more blocks than it holds", offset);
  const records: IndexRecord[] = [];
  for (let i = 0; i < count; i++) records.push({ unpadded: readVli(cursor), uncompressed: readVli(cursor) });
  if (body.length - cursor.at > 3 || body.subarray(cursor.at).some((byte) => byte !== 0)) {
    throw corruptXz("an index with something behind its records", offset);
  }
  return records;
}

function readBlocks(reader: PositionalReader, records: readonly IndexRecord[], start: number): XzBlock[] {
  let offset = start;
  return records.map(({ unpadded, uncompressed }) => {
    const headerBytes = checkBlockHeader(reader, offset, unpadded);
    const block = { offset, headerBytes, unpaddedBytes: unpadded, uncompressedBytes: uncompressed };
    offset += padded(unpadded);
    return block;
  });
}

/** Answers with the header's length. */
function checkBlockHeader(reader: PositionalReader, offset: number, unpadded: number): number {
  const first = reader.read(offset, 1)[0] ?? 0;
  if (first === 0) throw corruptXz("a block without a header", offset);
  const length = (first + 1) * 4;
  if (unpadded <= length) throw corruptXz("a block smaller than its header", offset);
  const header = new Uint8Array(reader.read(offset, length));
  if (readU32(header.subarray(length - 4)) !== crc32(header.subarray(0, length - 4))) {
    throw corruptXz("a damaged block header", offset);
  }
  const flags = header[1] ?? 0;
  if ((flags & 0x3c) !== 0) throw unsupported("an unknown block flag", offset);
  if ((flags & 0x03) !== 0) throw unsupported("more than one filter", offset);
  const cursor = { bytes: header.subarray(0, length - 4), at: 2, offset };
  if (flags & 0x40) readVli(cursor);
  if (flags & 0x80) readVli(cursor);
  if (readVli(cursor) !== 0x21) throw unsupported("a filter other than LZMA2", offset);
  if (readVli(cursor) !== 1) throw corruptXz("LZMA2 properties of a wrong size", offset);
  checkDictionary(header[cursor.at] ?? 0xff, offset);
  return length;
}

function checkDictionary(code: number, offset: number): void {
  if (code > 40) throw corruptXz("an impossible dictionary size", offset);
  const bytes = code === 40 ? 2 ** 32 - 1 : (2 | (code & 1)) * 2 ** (Math.floor(code / 2) + 11);
  if (bytes > MAX_XZ_DICTIONARY) throw unsafe(`a dictionary of ${bytes} bytes, above ${MAX_XZ_DICTIONARY}`, offset);
}

/** A variable-length integer, at most 2^53 here. */
function readVli(cursor: { readonly bytes: Uint8Array; at: number; readonly offset: number }): number {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined || (byte === 0 && i > 0)) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) {
      if (Number.isSafeInteger(value)) return value;
      break;
    }
  }
  throw corruptXz("an impossible number", cursor.offset + cursor.at);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

function readU32(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24)) >>> 0;
}

function unsafe(message: string, offset: number): ModelbenchError {
  return new ModelbenchError("archive.unsafe", `The xz file asks for ${message}.`, { offset });
}

function unsupported(message: string, offset: number): ModelbenchError {
  return new ModelbenchError("archive.format", `The xz file uses ${message}, which this version does not read.`, {
    offset,
    remedy: "Pack it again with plain `xz`.",
  });
}
