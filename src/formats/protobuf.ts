import type { Budget } from "../base/budget";
import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";

/** Bytes asked for at once; the reader behind may fetch more. */
const WINDOW = 4096;
/** A varint of more bytes cannot hold a 64-bit value. */
const MAX_VARINT_BYTES = 10;

/** How a field's value is stored. Groups (3 and 4) are refused. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** A run of bytes of a file, `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Walks one protobuf message by pulling its fields: `next()` moves to a field, then `varint`, `text`, `range`,
 * `message` … take its value; what is not taken is skipped without being read. Lengths must lie within the
 * parent, nesting and number of fields are spent from the budget.
 */
export class ProtoReader {
  readonly #source: Source;
  readonly #start: number;
  readonly #end: number;
  #at: number;
  #field = 0;
  #wire = -1;
  #pending = false;

  private constructor(source: Source, start: number, end: number) {
    this.#source = source;
    this.#start = start;
    this.#at = start;
    this.#end = end;
  }

  /** Reads a whole file as one message, or the message at `range` of it. `name` is what failures call it. */
  static open(reader: PositionalReader, name: string, budget: Budget, range?: ByteRange): ProtoReader {
    return new ProtoReader(new Source(reader, name, budget), range?.start ?? 0, range?.end ?? reader.size);
  }

  /** Number of the field that `next` moved to. */
  get field(): number {
    return this.#field;
  }

  /** Wire type of that field, one of `WIRE`. */
  get wire(): number {
    return this.#wire;
  }

  /** Where this message lies in the file. */
  get extent(): ByteRange {
    return { start: this.#start, end: this.#end };
  }

  /** Moves to the next field; `false` at the end. @throws ModelbenchError `format.corrupt` | `budget.exceeded` */
  next(): boolean {
    if (this.#pending) this.#skip();
    if (this.#at >= this.#end) return false;
    this.#source.budget.nodes();
    const start = this.#at;
    const tag = this.#length();
    if (tag > 0xffff_ffff || tag < 8) throw this.#corrupt("has a field number that cannot exist", start);
    const field = tag >>> 3;
    const wire = tag & 7;
    if (wire !== WIRE.varint && wire !== WIRE.fixed64 && wire !== WIRE.bytes && wire !== WIRE.fixed32) {
      throw this.#corrupt(`has a field of wire type ${wire}, which is not read`, start);
    }
    this.#field = field;
    this.#wire = wire;
    this.#pending = true;
    return true;
  }

  /** The value as a signed 64-bit integer. */
  varint(): bigint {
    this.#take(WIRE.varint);
    return BigInt.asIntN(64, this.#varint());
  }

  /** The value as a number. @throws ModelbenchError `format.corrupt` beyond 2^53 - 1 */
  integer(): number {
    this.#take(WIRE.varint);
    const start = this.#at;
    const short = this.#short();
    if (short >= 0) return short;
    const value = BigInt.asIntN(64, this.#varint());
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) {
      throw this.#corrupt(`has the number ${value}, which is out of range`, start);
    }
    return Number(value);
  }

  /** Where the bytes of a length-delimited field lie; they are not read. */
  range(): ByteRange {
    this.#take(WIRE.bytes);
    const start = this.#at;
    const length = this.#length();
    if (length > this.#end - this.#at) {
      throw this.#corrupt(`has a field of ${length} bytes that ends outside`, start);
    }
    const from = this.#at;
    this.#at += length;
    return { start: from, end: this.#at };
  }

  /** A private copy of a 4- or 8-byte value. */
  fixedBytes(): Buffer {
    const { start, end } = this.#fixed();
    return Buffer.from(this.#source.bytes(start, end - start));
  }

  /** A reader of another message of the same file; it shares the budget and what was read last. */
  within({ start, end }: ByteRange): ProtoReader {
    return new ProtoReader(this.#source, start, end);
  }

  /** The value as UTF-8 text; its bytes are spent from the budget. */
  text(): string {
    const { start, end } = this.range();
    return this.#source.text(start, end - start);
  }

  /** The beginning of a text: at most `most` bytes of it are read, and one that is longer ends in `…`. */
  shortText(most: number): string {
    return this.textAt(this.range(), most);
  }

  /** `shortText` of a text anywhere in the file. */
  textAt({ start, end }: ByteRange, most: number): string {
    if (end - start <= most) return this.#source.text(start, end - start);
    // A character that is cut in two is left out.
    return `${this.#source.text(start, most).replace(/\ufffd+$/u, "")}…`;
  }

  /** The first `most` bytes of a length-delimited value as a private copy, and how many it has. */
  head(most: number): { readonly bytes: Buffer; readonly length: number } {
    const { start, end } = this.range();
    const length = end - start;
    return { bytes: Buffer.from(this.#source.bytes(start, Math.min(length, most))), length };
  }

  /** A private copy of the value's bytes, spent from the budget. */
  bytes(): Buffer {
    const { start, end } = this.range();
    return Buffer.from(this.#source.bytes(start, end - start));
  }

  /** Reads the value as a nested message: `visit` gets a reader that ends with it. */
  message<T>(visit: (inner: ProtoReader) => T): T {
    const { start, end } = this.range();
    this.#source.budget.enter();
    const result = visit(new ProtoReader(this.#source, start, end));
    this.#source.budget.leave();
    return result;
  }

  /** Calls `visit` for every value of a repeated integer field, packed or not. */
  integers(visit: (value: bigint) => void): void {
    if (this.#wire !== WIRE.bytes) {
      visit(this.varint());
      return;
    }
    const { start, end } = this.range();
    const inner = new ProtoReader(this.#source, start, end);
    while (inner.#at < end) {
      this.#source.budget.nodes();
      const short = inner.#short();
      visit(short >= 0 ? BigInt(short) : BigInt.asIntN(64, inner.#varint()));
    }
  }

  /** The failure to throw when the current field makes no sense. */
  fault(what: string): ModelbenchError {
    return this.#corrupt(what, this.#at);
  }

  #take(wire: number): void {
    if (this.#wire !== wire || !this.#pending) {
      throw this.#corrupt(`has field ${this.#field} with wire type ${this.#wire}, ${wire} was expected`, this.#at);
    }
    this.#pending = false;
  }

  #skip(): void {
    if (this.#wire === WIRE.varint) this.varint();
    else if (this.#wire === WIRE.bytes) this.range();
    else this.#fixed();
  }

  /** A tag or a length: nearly always short, so it is read without bigint; inexact beyond 2^53, where all fail. */
  #length(): number {
    const short = this.#short();
    return short >= 0 ? short : Number(this.#varint());
  }

  /** A number of at most four bytes, or -1 without moving. */
  #short(): number {
    const start = this.#at;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte(start);
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.#at = start;
    return -1;
  }

  #fixed(): ByteRange {
    const size = this.#wire === WIRE.fixed64 ? 8 : 4;
    this.#take(size === 8 ? WIRE.fixed64 : WIRE.fixed32);
    if (this.#end - this.#at < size) throw this.#corrupt("is cut short", this.#at);
    const from = this.#at;
    this.#at += size;
    return { start: from, end: this.#at };
  }

  #varint(): bigint {
    const start = this.#at;
    let value = 0n;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#byte(start);
      value += BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw this.#corrupt(`has a number of more than ${MAX_VARINT_BYTES} bytes`, start);
  }

  #byte(start: number): number {
    if (this.#at >= this.#end) throw this.#corrupt("ends inside a number", start);
    return this.#source.byte(this.#at++);
  }

  #corrupt(what: string, offset: number): ModelbenchError {
    return new ModelbenchError("format.corrupt", `${this.#source.name}: the protobuf data ${what} (byte ${offset}).`, {
      path: this.#source.name,
      offset,
    });
  }
}

/** The bytes behind all readers of one file: one small window, moved on demand. */
class Source {
  readonly name: string;
  readonly budget: Budget;
  readonly #reader: PositionalReader;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(reader: PositionalReader, name: string, budget: Budget) {
    this.#reader = reader;
    this.name = name;
    this.budget = budget;
  }

  byte(at: number): number {
    const held = this.#window[at - this.#start];
    return held ?? this.#move(at);
  }

  text(at: number, length: number): string {
    const offset = at - this.#start;
    if (offset < 0 || offset + length > this.#window.length) return this.bytes(at, length).toString("utf8");
    this.budget.bytes(length);
    return this.#window.toString("utf8", offset, offset + length);
  }

  /** Valid until the next call. */
  bytes(at: number, length: number): Buffer {
    this.budget.bytes(length);
    const offset = at - this.#start;
    if (offset >= 0 && offset + length <= this.#window.length) return this.#window.subarray(offset, offset + length);
    // Not kept as the window: it may be long. The reader's next call ends the old window's life.
    this.#window = Buffer.alloc(0);
    return asBuffer(this.#reader.read(at, length));
  }

  #move(at: number): number {
    this.#window = asBuffer(this.#reader.read(at, Math.min(WINDOW, this.#reader.size - at)));
    this.#start = at;
    return this.#window[0] ?? 0;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
