import { isUtf8 } from "node:buffer";
import type { Budget } from "../../base/budget";
import { ModelbenchError } from "../../base/errors";
import { shortAscii } from "../shortAscii";

/** Arrays and objects that may be open at once: the real library's parser stops at the same level. */
const MAX_DEPTH = 127;
const MAX_U64 = 2n ** 64n - 1n;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Behind the last byte. */
const END = -1;
/** Digits of which every number is exact. */
const EXACT_DIGITS = 15;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/**
 * Reads strict JSON (RFC 8259) token by token out of its bytes: nothing is built but what is asked for, integers keep
 * all their digits, and equal keys reach the caller one by one. Every failure is `format.corrupt` with its offset.
 */
export class HeaderTokens {
  /** Index of the next byte. */
  at = 0;
  readonly #bytes: Buffer;
  readonly #path: string;
  readonly #base: number;
  readonly #budget: Budget;
  #depth = 0;

  /**
   * @param base where the bytes begin in the file at `path`, for messages
   * @throws ModelbenchError `format.corrupt` when they are not UTF-8
   */
  constructor(bytes: Uint8Array, path: string, base: number, budget: Budget) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#path = path;
    this.#base = base;
    this.#budget = budget;
    if (!isUtf8(bytes)) throw this.wrong("has a header that is not UTF-8", firstNotUtf8(bytes));
  }

  /** Steps over white space and tells the next character; "" at the end. */
  peek(): string {
    const byte = this.#next();
    return byte === END ? "" : String.fromCharCode(byte);
  }

  /** Reads an object; `member` is called at each value, which it must read, and hears where the key began. */
  object(member: (key: string, keyAt: number) => void): void {
    this.#open(OPEN_OBJECT, "an object");
    if (!this.#takes(CLOSE_OBJECT)) {
      do {
        this.#next();
        const keyAt = this.at;
        const key = this.string();
        this.#expect(COLON);
        member(key, keyAt);
      } while (this.#takes(COMMA));
      this.#expect(CLOSE_OBJECT);
    }
    this.#depth--;
  }

  /** Reads an array; `item` is called at each value, which it must read. */
  array(item: () => void): void {
    this.#open(OPEN_LIST, "a list");
    if (!this.#takes(CLOSE_LIST)) {
      do item();
      while (this.#takes(COMMA));
      this.#expect(CLOSE_LIST);
    }
    this.#depth--;
  }

  /** Reads a string; half a surrogate pair is refused. */
  string(): string {
    if (this.#next() !== QUOTE) throw this.#unexpected("a string");
    const start = this.at;
    const isPlain = this.#stepOverString();
    this.#budget.bytes(this.at - start);
    if (isPlain) {
      const [from, to] = [start + 1, this.at - 1];
      return shortAscii(this.#bytes, from, to) ?? this.#bytes.toString("utf8", from, to);
    }
    const text = parsedString(this.#bytes.toString("utf8", start, this.at));
    if (text === undefined) throw this.wrong("has a string with a wrong escape", start);
    if (HALF_PAIR.test(text)) throw this.wrong("has a string with half a surrogate pair", start);
    return text;
  }

  /** Reads an integer of 0 to 2^64 - 1; `1.0`, `1e0` and `-0` are none. */
  unsigned(): bigint {
    this.#next();
    const start = this.at;
    const small = this.#shortNumber();
    if (small !== undefined) return BigInt(small);
    const text = this.number();
    if (!/^[0-9]+$/.test(text)) throw this.wrong(`has ${text} where a whole number from 0 on was expected`, start);
    const value = text.length <= 20 ? BigInt(text) : MAX_U64 + 1n;
    if (value > MAX_U64) throw this.wrong("has a number of more than 64 bits", start);
    return value;
  }

  /** Reads `null` if it is next. */
  null(): boolean {
    if (this.peek() !== "n") return false;
    this.#word("null");
    return true;
  }

  /** Steps over any value, which must be sound JSON. */
  skip(): void {
    const next = this.peek();
    if (next === "{") this.object(() => this.skip());
    else if (next === "[") this.array(() => this.skip());
    else if (next === '"') this.string();
    else if (next === "t") this.#word("true");
    else if (next === "f") this.#word("false");
    else if (next === "n") this.#word("null");
    else if (!Number.isFinite(Number(this.number()))) throw this.wrong("has a number that is too large", this.at);
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.peek() !== "") throw this.#unexpected("the end of the header");
  }

  /** Whether nothing but spaces stands from `at` to the end. */
  isOnlySpaces(at: number): boolean {
    return this.#bytes.subarray(at).every((byte) => byte === 0x20);
  }

  /** A failure at byte `at` of the header. */
  wrong(what: string, at = this.at): ModelbenchError {
    const offset = this.#base + at;
    return new ModelbenchError("format.corrupt", `${this.#path}: ${what}, at byte ${offset}.`, {
      path: this.#path,
      offset,
    });
  }

  /** Goes behind the closing quote; answers whether the text stands there as it is. */
  #stepOverString(): boolean {
    const start = this.at;
    let isPlain = true;
    for (let at = start + 1; at < this.#bytes.length; at++) {
      const byte = this.#bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.at = at + 1;
        return isPlain;
      }
      if (byte < 0x20) throw this.wrong("has a control character in a string", at);
      if (byte === BACKSLASH) {
        isPlain = false;
        at++;
      }
    }
    throw this.wrong("has a string without an end", start);
  }

  /** Reads a number and gives its text. */
  number(): string {
    this.peek();
    const start = this.at;
    while (isNumberByte(this.#bytes[this.at])) this.at++;
    this.#budget.bytes(this.at - start);
    const text = this.#bytes.toString("latin1", start, this.at);
    if (NUMBER.test(text)) return text;
    this.at = start;
    throw this.#unexpected("a value");
  }

  /** Steps over white space and tells the next byte. */
  #next(): number {
    const bytes = this.#bytes;
    for (;;) {
      const byte = bytes[this.at];
      if (byte === undefined) return END;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.at++;
    }
  }

  /** Reads what most numbers are, a few digits; whatever else there is stays to be read. */
  #shortNumber(): number | undefined {
    const bytes = this.#bytes;
    let value = 0;
    let at = this.at;
    for (; isDigit(bytes[at]); at++) value = value * 10 + (bytes[at] ?? 0) - 0x30;
    const digits = at - this.at;
    const hasZeros = digits > 1 && bytes[this.at] === 0x30;
    if (digits === 0 || digits > EXACT_DIGITS || hasZeros || isNumberByte(bytes[at])) return undefined;
    this.#budget.bytes(digits);
    this.at = at;
    return value;
  }

  #word(word: string): void {
    const end = this.at + word.length;
    if (this.#bytes.toString("latin1", this.at, end) !== word) throw this.#unexpected("a value");
    this.at = end;
  }

  #open(bracket: number, what: string): void {
    if (this.#next() !== bracket) throw this.#unexpected(what);
    if (++this.#depth > MAX_DEPTH) throw this.wrong(`has a header nested deeper than ${MAX_DEPTH} levels`);
    this.at++;
  }

  #takes(byte: number): boolean {
    if (this.#next() !== byte) return false;
    this.at++;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#takes(byte)) throw this.#unexpected(`"${String.fromCharCode(byte)}"`);
  }

  #unexpected(wanted: string): ModelbenchError {
    this.peek();
    const rest = this.#bytes.toString("utf8", this.at, this.at + 12);
    const found = rest === "" ? "ends" : `has ${JSON.stringify(rest)}`;
    return this.wrong(`${found} where ${wanted} was expected`);
  }
}

const HALF_PAIR = /\p{Surrogate}/u;

function parsedString(literal: string): string | undefined {
  try {
    return String(JSON.parse(literal));
  } catch {
    return undefined;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isNumberByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return isDigit(byte) || byte === 0x2b || byte === 0x2d || byte === 0x2e || (byte | 0x20) === 0x65;
}

/** Index of the byte that no UTF-8 can have there. */
function firstNotUtf8(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let start = 0;
  try {
    for (; start < bytes.length; start += 4096) decoder.decode(bytes.subarray(start, start + 4096), { stream: true });
  } catch {
    // Looked at byte by byte below, from the character on that the block's first byte may belong to.
  }
  let at = Math.max(0, start - 3);
  while (at < start && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  const slow = new TextDecoder("utf-8", { fatal: true });
  try {
    for (; at < bytes.length; at++) slow.decode(bytes.subarray(at, at + 1), { stream: true });
  } catch {
    return at;
  }
  return bytes.length;
}
