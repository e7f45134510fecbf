import { type BitReader, corruptBz2 } from "./bitReader";

/** No code of bzip2 is longer. */
const MAX_BITS = 20;

/** A canonical prefix code, ready for decoding. */
export interface PrefixCode {
  readonly shortest: number;
  /** By length: the first value of 20 bits that is beyond the codes of this length. */
  readonly limits: Int32Array;
  /** By length: what to take from a code to get its place among the symbols. */
  readonly bases: Int32Array;
  readonly symbols: Uint16Array;
}

/** Reads the code lengths of one table, each a few steps up or down from the one before. @throws ModelbenchError `archive.corrupt` */
export function readPrefixCode(bits: BitReader, symbolCount: number): PrefixCode {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.take(5);
  for (let i = 0; i < symbolCount; i++) {
    for (;;) {
      if (length < 1 || length > MAX_BITS) throw corruptBz2("an impossible code length", bits.offset);
      if (bits.take(1) === 0) break;
      length += bits.take(1) === 0 ? 1 : -1;
    }
    lengths[i] = length;
  }
  return makePrefixCode(lengths, bits);
}

/** The next symbol. @throws ModelbenchError `archive.corrupt` for bits that are no code */
export function readSymbol(bits: BitReader, { shortest, limits, bases, symbols }: PrefixCode): number {
  const next = bits.peek(MAX_BITS);
  let length = shortest;
  while (length <= MAX_BITS && next >= (limits[length] as number)) length++;
  if (length > MAX_BITS) throw corruptBz2("bits that are no code", bits.offset);
  bits.drop(length);
  return symbols[(next >>> (MAX_BITS - length)) - (bases[length] as number)] as number;
}

function makePrefixCode(lengths: Uint8Array, bits: BitReader): PrefixCode {
  const counts = new Int32Array(MAX_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1;
  const limits = new Int32Array(MAX_BITS + 1);
  const bases = new Int32Array(MAX_BITS + 1);
  const symbols = new Uint16Array(lengths.length);
  let code = 0;
  let place = 0;
  for (let length = 1; length <= MAX_BITS; length++) {
    bases[length] = code - place;
    for (let i = 0; i < lengths.length; i++) if (lengths[i] === length) symbols[place++] = i;
    code += counts[length] as number;
    if (code > 2 ** length) throw corruptBz2("a code with too many symbols", bits.offset);
    limits[length] = code << (MAX_BITS - length);
    code <<= 1;
  }
  return { shortest: Math.min(...lengths), limits, bases, symbols };
}
