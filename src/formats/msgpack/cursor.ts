import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { shortAscii } from "../shortAscii";

/**
 * One item of a MessagePack stream. Of a text, bytes or an extension it says where the content lies: the cursor passes
 * it unread. An array or a map is followed by its `length` items, or pairs of them.
 */
export type MsgpackToken =
  | { readonly type: "nil" }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "str" | "bin"; readonly offset: number; readonly length: number }
  | { readonly type: "ext"; readonly code: number; readonly offset: number; readonly length: number }
  | { readonly type: "array"; readonly length: number }
  | { readonly type: "map"; readonly length: number };

/** Bytes looked at together: a leaf's key and headers fit, so that a leaf costs one read. */
const WINDOW_BYTES = 512;

const NO_WINDOW = new Uint8Array(0);

/** UTF-8 as Python reads it: no replacement, no surrogates, a byte order mark is a character. */
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads MessagePack item by item from a positional reader. Lengths are held against the bytes that are left before
 * anything is made of them; nesting is the caller's to bound.
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export class MsgpackCursor {
  readonly #reader: PositionalReader;
  readonly #name: string;
  #end: number;
  #offset = 0;
  #window: Uint8Array = NO_WINDOW;
  #windowStart = 0;

  /** @param name of the file in failures */
  constructor(reader: PositionalReader, name: string) {
    this.#reader = reader;
    this.#name = name;
    this.#end = reader.size;
  }

  /** Where the next item starts. */
  get offset(): number {
    return this.#offset;
  }

  /** The next item. @throws ModelbenchError `format.corrupt` when it is cut short or no MessagePack */
  next(): MsgpackToken {
    const start = this.#offset;
    const lead = this.#uint(1);
    if (lead < 0x80) return { type: "int", value: BigInt(lead) };
    if (lead < 0x90) return this.#items("map", lead & 15, start);
    if (lead < 0xa0) return this.#items("array", lead & 15, start);
    if (lead < 0xc0) return this.#content("str", lead & 31, start);
    if (lead >= 0xe0) return { type: "int", value: BigInt(lead - 256) };
    if (lead === 0xc1)
      throw this.corrupt("0xc1, which MessagePack never uses, stands where a value was expected", start);
    return this.#long(lead, start);
  }

  /** The text that a `str` or `bin` item holds. @throws ModelbenchError `format.corrupt` when it is no UTF-8 */
  text(token: { readonly offset: number; readonly length: number }): string {
    const at = this.#inWindow(token);
    const plain = at === undefined ? undefined : shortAscii(this.#window, at, at + token.length);
    if (plain !== undefined) return plain;
    try {
      return STRICT_UTF8.decode(this.content(token));
    } catch {
      throw this.corrupt("a text is not valid UTF-8", token.offset);
    }
  }

  /** The bytes that an item holds; the view stays valid until the next call. */
  content(token: { readonly offset: number; readonly length: number }): Uint8Array {
    const at = this.#inWindow(token);
    if (at !== undefined) return this.#window.subarray(at, at + token.length);
    this.#window = NO_WINDOW;
    return this.#reader.read(token.offset, token.length);
  }

  /** Reads the content of an item as a stream of its own: `read` starts at its first byte and cannot leave it. */
  within<T>(token: { readonly offset: number; readonly length: number }, read: () => T): T {
    const { offset } = this;
    const end = this.#end;
    this.#offset = token.offset;
    this.#end = token.offset + token.length;
    try {
      return read();
    } finally {
      this.#offset = offset;
      this.#end = end;
    }
  }

  /** @throws ModelbenchError `format.corrupt` unless everything has been read */
  expectEnd(): void {
    if (this.#offset < this.#end) {
      throw this.corrupt(`${this.#end - this.#offset} bytes follow the end of the value`, this.#offset);
    }
  }

  /** A failure that names the file and the place. */
  corrupt(what: string, offset: number): ModelbenchError {
    return new ModelbenchError("format.corrupt", `${this.#name}: byte ${offset}: ${what}.`, {
      path: this.#name,
      offset,
    });
  }

  #long(lead: number, start: number): MsgpackToken {
    switch (lead) {
      case 0xc0:
        return { type: "nil" };
      case 0xc2:
      case 0xc3:
        return { type: "bool", value: lead === 0xc3 };
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#content("bin", this.#uint(widthOf(lead - 0xc4)), start);
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#ext(this.#uint(widthOf(lead - 0xc7)), start);
      case 0xca:
      case 0xcb:
        return { type: "float", value: this.#float(lead === 0xcb) };
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#content("str", this.#uint(widthOf(lead - 0xd9)), start);
      case 0xdc:
      case 0xdd:
        return this.#items("array", this.#uint(widthOf(lead - 0xdb)), start);
      case 0xde:
      case 0xdf:
        return this.#items("map", this.#uint(widthOf(lead - 0xdd)), start);
      default:
        return lead < 0xd4 ? { type: "int", value: this.#int(lead) } : this.#ext(2 ** (lead - 0xd4), start);
    }
  }

  #float(isDouble: boolean): number {
    const view = this.#viewOf(isDouble ? 8 : 4);
    return isDouble ? view.getFloat64(0) : view.getFloat32(0);
  }

  #int(lead: number): bigint {
    if (lead === 0xcf) return this.#viewOf(8).getBigUint64(0);
    if (lead === 0xd3) return this.#viewOf(8).getBigInt64(0);
    const width = widthOf((lead - 0xcc) % 4);
    const value = this.#uint(width);
    const isNegative = lead >= 0xd0 && value >= 2 ** (width * 8 - 1);
    return BigInt(isNegative ? value - 2 ** (width * 8) : value);
  }

  #ext(length: number, start: number): MsgpackToken {
    const code = (this.#uint(1) << 24) >> 24;
    const { offset } = this.#content("bin", length, start);
    return { type: "ext", code, offset, length };
  }

  #content(type: "str" | "bin", length: number, start: number) {
    const offset = this.#offset;
    if (length > this.#end - offset) {
      throw this.corrupt(`${length} bytes are announced, ${this.#end - offset} are there`, start);
    }
    this.#offset += length;
    return { type, offset, length };
  }

  #items(type: "array" | "map", length: number, start: number): MsgpackToken {
    const left = this.#end - this.#offset;
    // Every item takes at least one byte.
    if (length * (type === "map" ? 2 : 1) > left) {
      throw this.corrupt(
        `${length} ${type === "map" ? "pairs" : "items"} are announced, ${left} bytes are there`,
        start,
      );
    }
    return { type, length };
  }

  #uint(width: number): number {
    const at = this.#take(width);
    let value = 0;
    for (let i = at; i < at + width; i++) value = value * 256 + (this.#window[i] ?? 0);
    return value;
  }

  #viewOf(width: number): DataView {
    const at = this.#take(width);
    return new DataView(this.#window.buffer, this.#window.byteOffset + at, width);
  }

  /** Where the content of an item begins in the window; `undefined` unless all of it is there. */
  #inWindow({ offset, length }: { readonly offset: number; readonly length: number }): number | undefined {
    const at = offset - this.#windowStart;
    return at >= 0 && at + length <= this.#window.length ? at : undefined;
  }

  /** Passes `count` bytes and answers where they are in the window. */
  #take(count: number): number {
    const offset = this.#offset;
    if (count > this.#end - offset) throw this.corrupt("the file ends inside a value", offset);
    if (offset < this.#windowStart || offset + count > this.#windowStart + this.#window.length) {
      this.#window = this.#reader.read(offset, Math.min(WINDOW_BYTES, this.#reader.size - offset));
      this.#windowStart = offset;
    }
    this.#offset += count;
    return offset - this.#windowStart;
  }
}

/** Bytes of the length or number in the `step`th of the forms 1, 2, 4, 8. */
function widthOf(step: number): number {
  return 2 ** step;
}
