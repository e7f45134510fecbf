import { type BitReader, corruptBz2 } from "./bitReader";
import { type PrefixCode, readPrefixCode, readSymbol } from "./huffman";

/** Symbols that are coded with one table before the next selector chooses. */
const GROUP_SYMBOLS = 50;
/** Run lengths are binary numbers of at most this many digits: more than any block has bytes. */
const MAX_RUN_BITS = 21;

/**
 * Reads a block behind its check up to its end and prepares it for reading in order: each cell holds a byte and,
 * above it, the place of the next cell. Answers with the count of cells and the one before the first byte.
 * @throws ModelbenchError `archive.corrupt`
 */
export function readBlock(bits: BitReader, cells: Uint32Array): { readonly length: number; readonly first: number } {
  const origin = bits.take(24);
  const bytes = readBytesInUse(bits);
  const tables = bits.take(3);
  if (tables < 2 || tables > 6) throw corruptBz2("an impossible count of code tables", bits.offset);
  const selectors = readSelectors(bits, tables);
  const codes = Array.from({ length: tables }, () => readPrefixCode(bits, bytes.length + 2));
  const { length, counts } = readCells(bits, { bytes, selectors, codes }, cells);
  if (origin >= length) throw corruptBz2("a block that begins outside itself", bits.offset);
  link(cells, length, counts);
  return { length, first: (cells[origin] as number) & 0xffffff00 };
}

function readBytesInUse(bits: BitReader): Uint8Array {
  const used: number[] = [];
  const ranges = bits.take(16);
  for (let range = 0; range < 16; range++) {
    if ((ranges & (0x8000 >> range)) === 0) continue;
    const members = bits.take(16);
    for (let i = 0; i < 16; i++) if (members & (0x8000 >> i)) used.push(range * 16 + i);
  }
  if (used.length === 0) throw corruptBz2("a block without bytes", bits.offset);
  return Uint8Array.from(used);
}

function readSelectors(bits: BitReader, tables: number): Uint8Array {
  const selectors = new Uint8Array(bits.take(15));
  if (selectors.length === 0) throw corruptBz2("a block without selectors", bits.offset);
  const recent = Uint8Array.from({ length: tables }, (_, i) => i);
  for (let i = 0; i < selectors.length; i++) {
    let place = 0;
    while (bits.take(1) === 1) if (++place >= tables) throw corruptBz2("an impossible selector", bits.offset);
    selectors[i] = toFront(recent, place);
  }
  return selectors;
}

interface Coding {
  readonly bytes: Uint8Array;
  readonly selectors: Uint8Array;
  readonly codes: readonly PrefixCode[];
}

/** Decodes symbols into bytes; the two smallest are the digits of run lengths, the largest ends the block. */
function readCells(
  bits: BitReader,
  { bytes, selectors, codes }: Coding,
  cells: Uint32Array,
): { length: number; counts: Uint32Array } {
  const recent = bytes.slice();
  const counts = new Uint32Array(256);
  const end = bytes.length + 1;
  let length = 0;
  let run = 0;
  let runBit = 0;
  for (let group = 0; group < selectors.length; group++) {
    const code = codes[selectors[group] as number] as PrefixCode;
    for (let i = 0; i < GROUP_SYMBOLS; i++) {
      const symbol = readSymbol(bits, code);
      if (symbol <= 1) {
        if (runBit > MAX_RUN_BITS) throw corruptBz2("a run longer than any block", bits.offset);
        run += (symbol + 1) << runBit++;
        continue;
      }
      if (runBit > 0) {
        length = repeat(recent[0] as number, run, cells, length, counts, bits);
        run = 0;
        runBit = 0;
      }
      if (symbol === end) return { length, counts };
      const byte = toFront(recent, symbol - 1);
      if (length >= cells.length) throw corruptBz2("a block larger than its stream allows", bits.offset);
      cells[length++] = byte;
      counts[byte] = (counts[byte] as number) + 1;
    }
  }
  throw corruptBz2("a block without an end", bits.offset);
}

function repeat(
  byte: number,
  run: number,
  cells: Uint32Array,
  length: number,
  counts: Uint32Array,
  bits: BitReader,
): number {
  if (length + run > cells.length) throw corruptBz2("a block larger than its stream allows", bits.offset);
  cells.fill(byte, length, length + run);
  counts[byte] = (counts[byte] as number) + run;
  return length + run;
}

function toFront(recent: Uint8Array, place: number): number {
  const value = recent[place] as number;
  recent.copyWithin(1, 0, place);
  recent[0] = value;
  return value;
}

/** Puts into each cell's upper bits the place of the cell that follows it in the text. */
function link(cells: Uint32Array, length: number, counts: Uint32Array): void {
  const next = new Uint32Array(256);
  for (let byte = 1; byte < 256; byte++) next[byte] = (next[byte - 1] as number) + (counts[byte - 1] as number);
  for (let i = 0; i < length; i++) {
    const byte = (cells[i] as number) & 0xff;
    const place = next[byte] as number;
    next[byte] = place + 1;
    cells[place] = ((cells[place] as number) & 0xff) | (i << 8);
  }
}
