import { ModelbenchError } from "../base/errors";

/** Deeper documents are refused: no tensor and no message of ours comes near, and consumers recurse. */
const MAX_DEPTH = 256;

/**
 * A float whose value a plain number of JSON would show as an integer: Python tells `3.0` from `3`, and `-0.0` from `0`.
 */
export class WholeFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A float as plain data from which `stringifyExact` makes a float again. */
export function exactFloat(value: number): number | WholeFloat {
  return Number.isInteger(value) ? new WholeFloat(value) : value;
}

/**
 * Parses strict JSON and keeps integers exact: an integer literal beyond 2^53 - 1 becomes a bigint.
 * Like `JSON.parse`, the last of equal keys wins and `__proto__` is an ordinary key.
 * @throws ModelbenchError `format.corrupt` with the character offset, also for NaN and Infinity tokens
 */
export function parseExactJson(text: string): unknown {
  if (isPlain(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // Parsed again below, for a message with an offset.
    }
  }
  return new ExactParser(text, false).document();
}

/**
 * Parses as `parseExactJson` does, and keeps what Python tells apart: `3.0`, `-0.0` and `1e3` are `WholeFloat`s, and an
 * object with whole numbers as keys is a Map, since an object would change their order.
 * @throws ModelbenchError `format.corrupt` with the character offset, also for a number beyond the floats, as `1e400`
 */
export function parseTypedJson(text: string): unknown {
  return WHOLE_FLOAT.test(text) || NUMBERED_KEY.test(text)
    ? new ExactParser(text, true).document()
    : parseExactJson(text);
}

const NUMBERED_KEY = /"(?:0|[1-9][0-9]{0,9})"[ \t\n\r]*:/;

/** Whether some number may be a whole float: zeros behind the point, an exponent, or more digits than a float has. */
const WHOLE_FLOAT = /[0-9](?:\.0+(?![0-9])|[eE]|\.[0-9]{15})|[0-9]{14}\.[0-9]/;

/**
 * Writes strict JSON: bigint in full, NaN and infinities as `"NaN"`, `"Infinity"`, `"-Infinity"`, -0 as `-0`,
 * a `WholeFloat` as `3.0`, a Map as an object in its order. Undefined members are left out.
 * @throws ModelbenchError `internal` for bytes, functions and symbols
 */
export function stringifyExact(value: unknown, indent = 0): string {
  return write(value, indent, "") ?? "null";
}

/**
 * The same for readers of Python's JSON: NaN and infinities are its tokens `NaN`, `Infinity`, `-Infinity`, so that texts
 * of these letters stay texts.
 * @throws ModelbenchError as `stringifyExact`
 */
export function stringifyPython(value: unknown): string {
  return write(value, 0, "", String) ?? "null";
}

/** Whether `JSON.parse` reads it without loss: no long digit run, no deep nesting. */
function isPlain(text: string): boolean {
  let digits = 0;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
      continue;
    }
    digits = c >= 0x30 && c <= 0x39 ? digits + 1 : 0;
    if (digits > 15) return false;
    if (c === 0x22) quoted = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > MAX_DEPTH) return false;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return true;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/sy;
const SPACE = /[ \t\n\r]*/y;

class ExactParser {
  readonly #text: string;
  readonly #isTyped: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: string, isTyped: boolean) {
    this.#text = text;
    this.#isTyped = isTyped;
  }

  document(): unknown {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return value;
  }

  #value(): unknown {
    this.#space();
    const c = this.#text[this.#at];
    if (c === "{") return this.#nested(() => this.#object());
    if (c === "[") return this.#nested(() => this.#array());
    if (c === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#number();
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw this.#error(`is nested deeper than ${MAX_DEPTH} levels`);
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): Record<string, unknown> | Map<string, unknown> {
    const members = new Map<string, unknown>();
    if (this.#takes("}")) return {};
    do {
      this.#space();
      const key = this.#string();
      if (!this.#takes(":")) throw this.#unexpected("':'");
      members.set(key, this.#value());
    } while (this.#takes(","));
    if (!this.#takes("}")) throw this.#unexpected("',' or '}'");
    return this.#isTyped && [...members.keys()].some(isNumbered) ? members : Object.fromEntries(members);
  }

  #array(): unknown[] {
    const result: unknown[] = [];
    if (this.#takes("]")) return result;
    do {
      result.push(this.#value());
    } while (this.#takes(","));
    if (!this.#takes("]")) throw this.#unexpected("',' or ']'");
    return result;
  }

  #string(): string {
    const start = this.#at;
    const literal = this.#match(STRING);
    if (literal === undefined) throw this.#unexpected("a string");
    try {
      return String(JSON.parse(literal));
    } catch {
      this.#at = start;
      throw this.#error("has a string with a control character or a wrong escape");
    }
  }

  #number(): number | bigint | WholeFloat {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text);
    if (!found) throw this.#unexpected("a JSON value");
    const value = Number(found[0]);
    const isInteger = found[1] === undefined && found[2] === undefined;
    if (this.#isTyped && !isInteger && !Number.isFinite(value))
      throw this.#error(`has ${found[0]}, beyond every float`);
    this.#at = NUMBER.lastIndex;
    if (isInteger) return Number.isSafeInteger(value) ? value : BigInt(found[0]);
    return this.#isTyped ? exactFloat(value) : value;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found?.[0];
  }

  #takes(char: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    this.#match(SPACE);
  }

  #unexpected(wanted: string): ModelbenchError {
    const rest = this.#text.slice(this.#at, this.#at + 12);
    return this.#error(
      rest === "" ? `ends where ${wanted} was expected` : `has ${JSON.stringify(rest)} where ${wanted} was expected`,
    );
  }

  #error(what: string): ModelbenchError {
    return new ModelbenchError("format.corrupt", `The JSON text ${what}, at character ${this.#at}.`, {
      offset: this.#at,
      remedy: 'Strict JSON is read: write NaN and infinities as "NaN", "Infinity", "-Infinity".',
    });
  }
}

/** Whether an object would put this key before others. */
function isNumbered(key: string): boolean {
  return /^(0|[1-9][0-9]{0,9})$/.test(key);
}

const WORDS: readonly (readonly [string, unknown])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/** How NaN and infinities are written. */
type WriteNonFinite = (value: number) => string;

function write(value: unknown, indent: number, margin: string, nonFinite: WriteNonFinite = named): string | undefined {
  switch (typeof value) {
    case "number":
      return writeNumber(value, nonFinite);
    case "bigint":
      return value.toString();
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "undefined":
      return undefined;
    case "object":
      return value === null ? "null" : writeObject(value, indent, margin, nonFinite);
    default:
      throw new ModelbenchError("internal", `A ${typeof value} cannot be written as JSON.`);
  }
}

function named(value: number): string {
  return `"${value}"`;
}

function writeNumber(value: number, nonFinite: WriteNonFinite): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Above 1e21 the text has an exponent, which makes it a float. */
function writeWholeFloat(value: number): string {
  const text = writeNumber(value, named);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function writeObject(value: object, indent: number, margin: string, nonFinite: WriteNonFinite): string {
  if (value instanceof WholeFloat) return writeWholeFloat(value.value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    throw new ModelbenchError("internal", "Bytes cannot be written as JSON.");
  }
  const inner = margin + " ".repeat(indent);
  if (Array.isArray(value)) {
    return enclose(
      "[",
      "]",
      value.map((v) => write(v, indent, inner, nonFinite) ?? "null"),
      indent,
      margin,
    );
  }
  const entries: Iterable<readonly [unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
  const members: string[] = [];
  for (const [key, member] of entries) {
    const text = write(member, indent, inner, nonFinite);
    if (text !== undefined) members.push(`${JSON.stringify(String(key))}:${indent > 0 ? " " : ""}${text}`);
  }
  return enclose("{", "}", members, indent, margin);
}

function enclose(open: string, close: string, parts: readonly string[], indent: number, margin: string): string {
  if (parts.length === 0) return open + close;
  if (indent === 0) return `${open}${parts.join(",")}${close}`;
  const inner = margin + " ".repeat(indent);
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${margin}${close}`;
}
