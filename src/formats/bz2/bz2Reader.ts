import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { BitReader, corruptBz2 } from "./bitReader";
import { readBlock } from "./block";
import { bz2Crc, bz2StreamCrc } from "./crc";

/** A chunk of content has at most this much. */
const CHUNK_BYTES = 65_536;
const BLOCK_BYTES = 100_000;

/**
 * The content of a .bz2 file, streams one after another taken as one, as `bzip2 -d` does. Our own decoder: it holds
 * one block (at most 4 MB) whatever the file says, yields within each block, and checks every block and stream. A
 * chunk is valid until the next one is asked for; empty ones mark time. `onInput` hears how much has gone in.
 * @throws ModelbenchError `archive.corrupt`, `archive.format`
 */
export function* readBz2(reader: PositionalReader, onInput: (consumedBytes: number) => void): Generator<Uint8Array> {
  const bits = new BitReader(reader, onInput);
  const cells = new Uint32Array(9 * BLOCK_BYTES);
  const chunk = new Uint8Array(CHUNK_BYTES);
  do yield* readStream(bits, cells, chunk);
  while (!bits.atEnd);
}

function* readStream(bits: BitReader, cells: Uint32Array, chunk: Uint8Array): Generator<Uint8Array> {
  const level = bits.take(24) === 0x425a68 ? bits.take(8) - 0x30 : 0;
  if (level < 1 || level > 9) throw corruptBz2("no stream header", bits.offset);
  let streamCrc = 0;
  for (;;) {
    const start = bits.offset;
    const magic = [bits.take(24), bits.take(24)];
    const stated = bits.takeWord();
    if (magic[0] === 0x177245 && magic[1] === 0x385090) {
      if (stated !== streamCrc) throw corruptBz2("a stream whose check does not fit", start);
      bits.align();
      yield chunk.subarray(0, 0);
      return;
    }
    if (magic[0] !== 0x314159 || magic[1] !== 0x265359) throw corruptBz2("no block", start);
    if (bits.take(1) === 1) throw randomised(start);
    const { length, first } = readBlock(bits, cells.subarray(0, level * BLOCK_BYTES));
    let crc = -1;
    for (const part of expand(cells, length, first, chunk)) {
      crc = bz2Crc(crc, part);
      yield part;
    }
    if (~crc !== stated) throw corruptBz2("a block whose check does not fit", start);
    streamCrc = bz2StreamCrc(streamCrc, stated);
  }
}

/** Follows the cells from `first` on and undoes the run lengths: four equal bytes are followed by how many more come. */
function* expand(cells: Uint32Array, length: number, first: number, chunk: Uint8Array): Generator<Uint8Array> {
  let cell = first;
  let filled = 0;
  let last = -1;
  let run = 0;
  for (let i = 0; i < length; i++) {
    cell = cells[cell >>> 8] as number;
    const byte = cell & 0xff;
    if (run === 4) {
      for (let left = byte; left > 0; ) {
        const part = Math.min(left, CHUNK_BYTES - filled);
        chunk.fill(last, filled, filled + part);
        filled += part;
        left -= part;
        if (filled === CHUNK_BYTES) {
          yield chunk;
          filled = 0;
        }
      }
      run = 0;
      last = -1;
      continue;
    }
    run = byte === last ? run + 1 : 1;
    last = byte;
    chunk[filled++] = byte;
    if (filled === CHUNK_BYTES) {
      yield chunk;
      filled = 0;
    }
  }
  yield chunk.subarray(0, filled);
}

function randomised(offset: number): ModelbenchError {
  const message = "The bzip2 file uses randomised blocks of versions before 1.0, which this version does not read.";
  return new ModelbenchError("archive.format", message, { offset, remedy: "Pack it again with plain `bzip2`." });
}
