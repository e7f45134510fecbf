import { isUtf8 } from "node:buffer";
import type { Budget } from "../../base/budget";
import { ModelbenchError } from "../../base/errors";

/** Arrays and objects that may be open at once: the real library's parser stops at the same level. */
const MAX_DEPTH = 127;
const MAX_U64 = 2n ** 64n - 1n;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
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
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) return "";
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return String.fromCharCode(byte);
      this.at++;
    }
  }

  /** Reads an object; `member` is called at each value, which it must read, and hears where the key began. */
  object(member: (key: string, keyAt: number) => void): void {
    this.#open("{", "an object");
    if (!this.#takes("}")) {
      do {
        this.peek();
        const keyAt = this.at;
        const key = this.string();
        this.#expect(":");
        member(key, keyAt);
      } while (this.#takes(","));
      this.#expect("}");
    }
    this.#depth--;
  }

  /** Reads an array; `item` is called at each value, which it must read. */
  array(item: () => void): void {
    this.#open("[", "a list");
    if (!this.#takes("]")) {
      do item();
      while (this.#takes(","));
      this.#expect("]");
    }
    this.#depth--;
  }

  /** Reads a string; half a surrogate pair is refused. */
  string(): string {
    if (this.peek() !== '"') throw this.#unexpected("a string");
    const start = this.at;
    const isPlain = this.#stepOverString();
    this.#budget.bytes(this.at - start);
    if (isPlain) return this.#bytes.toString("utf8", start + 1, this.at - 1);
    const text = parsedString(this.#bytes.toString("utf8", start, this.at));
    if (text === undefined) throw this.wrong("has a string with a wrong escape", start);
    if (HALF_PAIR.test(text)) throw this.wrong("has a string with half a surrogate pair", start);
    return text;
  }

  /** Reads an integer of 0 to 2^64 - 1; `1.0`, `1e0` and `-0` are none. */
  unsigned(): bigint {
    this.peek();
    const start = this.at;
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

  #word(word: string): void {
    const end = this.at + word.length;
    if (this.#bytes.toString("latin1", this.at, end) !== word) throw this.#unexpected("a value");
    this.at = end;
  }

  #open(bracket: string, what: string): void {
    if (this.peek() !== bracket) throw this.#unexpected(what);
    if (++this.#depth > MAX_DEPTH) throw this.wrong(`has a header nested deeper than ${MAX_DEPTH} levels`);
    this.at++;
  }

  #takes(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#takes(character)) throw this.#unexpected(`"${character}"`);
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

function isNumberByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e || (byte | 0x20) === 0x65;
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
