import type { BitWriter } from "./bitWriter";
import { codeLengths, codesOf } from "./codeLengths";

/** Symbols that are coded with one table before a selector chooses the next. */
const GROUP_SYMBOLS = 50;
/** How often tables and choices are fitted to each other. */
const ROUNDS = 4;

/** A block as it is coded: which bytes it has, and its text in the order of the sorted rotations as symbols. */
interface Symbols {
  readonly used: readonly number[];
  readonly list: Uint16Array;
}

/**
 * Writes a block behind its check; yields between its steps.
 * @param block its bytes @param order where its rotations begin, sorted @param room for as many symbols and one more
 */
export function* writeBlock(bits: BitWriter, block: Uint8Array, order: Int32Array, room: Uint16Array): Generator<void> {
  bits.put(0, 1);
  bits.put(order.indexOf(0), 24);
  const symbols = toSymbols(block, order, room);
  writeBytesInUse(bits, symbols.used);
  const alphabet = symbols.used.length + 2;
  yield;
  const { tables, selectors } = yield* fitTables(symbols.list, alphabet);
  bits.put(tables.length, 3);
  bits.put(selectors.length, 15);
  writeSelectors(bits, selectors, tables.length);
  for (const lengths of tables) writeLengths(bits, lengths);
  const codes = tables.map(codesOf);
  symbols.list.forEach((symbol, i) => {
    const table = selectors[Math.floor(i / GROUP_SYMBOLS)] as number;
    bits.put(codes[table]?.[symbol] as number, tables[table]?.[symbol] as number);
  });
}

/** Moves each byte to the front, and writes runs of zeros as binary numbers with the digits 0 and 1. */
function toSymbols(block: Uint8Array, order: Int32Array, list: Uint16Array): Symbols {
  const present = new Uint8Array(256);
  for (const byte of block) present[byte] = 1;
  const used = Array.from(present.keys()).filter((byte) => present[byte] === 1);
  const recent = Uint8Array.from(used);
  let count = 0;
  let run = 0;
  const endRun = (): void => {
    for (; run > 0; run = (run - 1) >> 1) list[count++] = (run & 1) === 1 ? 0 : 1;
  };
  for (let i = 0; i < order.length; i++) {
    const start = order[i] as number;
    const byte = block[start === 0 ? block.length - 1 : start - 1] as number;
    if (recent[0] === byte) {
      run++;
      continue;
    }
    endRun();
    const place = recent.indexOf(byte);
    recent.copyWithin(1, 0, place);
    recent[0] = byte;
    list[count++] = place + 1;
  }
  endRun();
  list[count++] = used.length + 1;
  return { used, list: list.subarray(0, count) };
}

function writeBytesInUse(bits: BitWriter, used: readonly number[]): void {
  const ranges = new Uint16Array(16);
  for (const byte of used) ranges[byte >> 4] = (ranges[byte >> 4] as number) | (0x8000 >> (byte & 15));
  bits.put(
    ranges.reduce((sum, range, i) => sum | (range === 0 ? 0 : 0x8000 >> i), 0),
    16,
  );
  for (const range of ranges) if (range !== 0) bits.put(range, 16);
}

/** A few tables and, for every fifty symbols, the one that codes them in the fewest bits. */
function* fitTables(
  list: Uint16Array,
  alphabet: number,
): Generator<void, { tables: Uint8Array[]; selectors: Uint8Array }> {
  const count = list.length < 200 ? 2 : list.length < 600 ? 3 : list.length < 1200 ? 4 : list.length < 2400 ? 5 : 6;
  let tables = firstTables(list, alphabet, count);
  const selectors = new Uint8Array(Math.ceil(list.length / GROUP_SYMBOLS));
  for (let round = 0; round < ROUNDS; round++) {
    const frequencies = tables.map(() => new Uint32Array(alphabet));
    for (let group = 0; group < selectors.length; group++) {
      const from = group * GROUP_SYMBOLS;
      const to = Math.min(list.length, from + GROUP_SYMBOLS);
      const best = cheapest(list, from, to, tables);
      selectors[group] = best;
      const frequency = frequencies[best] as Uint32Array;
      for (let i = from; i < to; i++) frequency[list[i] as number] = (frequency[list[i] as number] as number) + 1;
    }
    tables = frequencies.map(codeLengths);
    yield;
  }
  return { tables, selectors };
}

function cheapest(list: Uint16Array, from: number, to: number, tables: readonly Uint8Array[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let table = 0; table < tables.length; table++) {
    const lengths = tables[table] as Uint8Array;
    let cost = 0;
    for (let i = from; i < to; i++) cost += lengths[list[i] as number] as number;
    if (cost < least) {
      least = cost;
      best = table;
    }
  }
  return best;
}

/** Each table begins with a share of the symbols, of about the same weight, as its own. */
function firstTables(list: Uint16Array, alphabet: number, count: number): Uint8Array[] {
  const frequency = new Uint32Array(alphabet);
  for (const symbol of list) frequency[symbol] = (frequency[symbol] as number) + 1;
  const tables: Uint8Array[] = [];
  let symbol = 0;
  let left = list.length;
  for (let share = count; share > 0; share--) {
    const lengths = new Uint8Array(alphabet).fill(15);
    for (let taken = 0; symbol < alphabet && (taken < left / share || share === 1); symbol++) {
      lengths[symbol] = 1;
      taken += frequency[symbol] as number;
    }
    left = frequency.subarray(symbol).reduce((sum, f) => sum + f, 0);
    tables.push(lengths);
  }
  return tables;
}

function writeSelectors(bits: BitWriter, selectors: Uint8Array, tables: number): void {
  const recent = Array.from({ length: tables }, (_, i) => i);
  for (const selector of selectors) {
    const place = recent.indexOf(selector);
    recent.splice(place, 1);
    recent.unshift(selector);
    for (let i = 0; i < place; i++) bits.put(1, 1);
    bits.put(0, 1);
  }
}

/** Each length as steps from the one before. */
function writeLengths(bits: BitWriter, lengths: Uint8Array): void {
  let last = lengths[0] as number;
  bits.put(last, 5);
  for (const length of lengths) {
    for (; last < length; last++) bits.put(0b10, 2);
    for (; last > length; last--) bits.put(0b11, 2);
    bits.put(0, 1);
  }
}
