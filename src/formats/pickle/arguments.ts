import type { Cursor } from "./cursor";
import { decodeUtf8, parseFloatText, parseIndex, parseInt0, parseLong, parseRawUnicode, parseString } from "./literals";
import type { Opcode } from "./opcodes";
import { StreamBreak } from "./streamBreak";
import type { Value } from "./values";

/** Longest text that is read; a longer one is no name of anything, and is skipped. */
const MAX_TEXT_BYTES = 65_536;
/** Longest integer whose value is read; a longer one is skipped. */
const MAX_INTEGER_BYTES = 16;

/**
 * The constant or empty container that an opcode pushes; `undefined` for opcodes that do something else. Bytes, long
 * texts and long integers are skipped unread.
 * @throws StreamBreak where Python cannot read the argument
 */
export function readArgument(opcode: Opcode, cursor: Cursor, offset: number): Value | undefined {
  switch (opcode) {
    case "NONE":
      return null;
    case "NEWTRUE":
      return true;
    case "NEWFALSE":
      return false;
    case "EMPTY_TUPLE":
      return { kind: "tuple", items: [], hashable: true };
    case "EMPTY_LIST":
      return { kind: "list", items: [] };
    case "EMPTY_DICT":
      return { kind: "dict", entries: [] };
    case "EMPTY_SET":
      return { kind: "set" };
    default:
      return number(opcode, cursor, offset) ?? textOrBytes(opcode, cursor, offset);
  }
}

function number(opcode: Opcode, cursor: Cursor, offset: number): Value | undefined {
  switch (opcode) {
    case "BININT":
      return cursor.i32();
    case "BININT1":
      return cursor.u8();
    case "BININT2":
      return cursor.u16();
    case "BINFLOAT":
      return cursor.f64();
    case "INT":
      return numeral(parseInt0(filledLine(cursor, offset)), cursor, opcode, offset);
    case "LONG":
      return numeral(parseLong(filledLine(cursor, offset)), cursor, opcode, offset);
    case "FLOAT":
      return numeral(parseFloatText(filledLine(cursor, offset)), cursor, opcode, offset);
    case "LONG1":
      return integer(cursor, cursor.u8());
    case "LONG4":
      return integer(cursor, positive(cursor.i32(), opcode, offset));
    default:
      return undefined;
  }
}

function textOrBytes(opcode: Opcode, cursor: Cursor, offset: number): Value | undefined {
  switch (opcode) {
    case "STRING":
      return parsed(parseString(cursor.line()), opcode, offset);
    case "UNICODE":
      return parsed(parseRawUnicode(cursor.line()), opcode, offset);
    case "BINSTRING":
      return eightBit(cursor, positive(cursor.i32(), opcode, offset));
    case "SHORT_BINSTRING":
      return eightBit(cursor, cursor.u8());
    case "SHORT_BINUNICODE":
      return unicode(cursor, cursor.u8(), offset);
    case "BINUNICODE":
      return unicode(cursor, cursor.u32(), offset);
    case "BINUNICODE8":
      return unicode(cursor, cursor.u64(), offset);
    case "SHORT_BINBYTES":
      return skipped("bytes", cursor, cursor.u8());
    case "BINBYTES":
      return skipped("bytes", cursor, cursor.u32());
    case "BINBYTES8":
      return skipped("bytes", cursor, cursor.u64());
    case "BYTEARRAY8":
      return skipped("bytearray", cursor, cursor.u64());
    default:
      return undefined;
  }
}

/** The index of a memo opcode. @throws StreamBreak */
export function readIndex(opcode: Opcode, cursor: Cursor, offset: number): number {
  if (opcode === "BINPUT" || opcode === "BINGET") return cursor.u8();
  if (opcode === "LONG_BINPUT" || opcode === "LONG_BINGET") return cursor.u32();
  const index = parseIndex(filledLine(cursor, offset));
  if (index === undefined) throw new StreamBreak("argument", "An index of the memo is not a number.", offset);
  return index;
}

/** A module or a name on a line of its own. @param isUtf8 otherwise ASCII, as INST has it. @throws StreamBreak */
export function readName(cursor: Cursor, offset: number, isUtf8: boolean): string {
  const line = filledLine(cursor, offset);
  const text = decodeUtf8(line, false);
  if (text === undefined || (!isUtf8 && line.some((byte) => byte > 0x7f))) {
    throw new StreamBreak("argument", `What should be imported is not named in ${isUtf8 ? "UTF-8" : "ASCII"}.`, offset);
  }
  return text;
}

/** Python takes an empty line for a file that is cut short. */
function filledLine(cursor: Cursor, offset: number): Buffer {
  const line = cursor.line();
  if (line.length === 0) throw new StreamBreak("argument", "An argument is empty.", offset);
  return line;
}

/** A number that C's `pickle` refuses may be one to Python's own: its line has an end, so reading can go on. */
function numeral<T>(value: T | undefined, cursor: Cursor, opcode: Opcode, offset: number): T | number {
  return value === undefined && cursor.isLenient ? 0 : parsed(value, opcode, offset);
}

function parsed<T>(value: T | undefined, opcode: Opcode, offset: number): T {
  if (value === undefined) throw new StreamBreak("argument", `The argument of ${opcode} cannot be understood.`, offset);
  return value;
}

function positive(length: number, opcode: Opcode, offset: number): number {
  if (length < 0) throw new StreamBreak("argument", `${opcode} has a negative length.`, offset);
  return length;
}

/** Little-endian, two's complement. */
function integer(cursor: Cursor, length: number): number | bigint {
  if (length > MAX_INTEGER_BYTES) {
    cursor.skip(length);
    return Number.POSITIVE_INFINITY;
  }
  let value = 0n;
  const bytes = cursor.bytes(length);
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  value = BigInt.asIntN(8 * length, value);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** A text of Python 2: whoever loads it chooses the encoding, so any bytes will do. */
function eightBit(cursor: Cursor, length: number): Value {
  if (length <= MAX_TEXT_BYTES) return cursor.bytes(length).toString("latin1");
  return longText(cursor, length, false);
}

function unicode(cursor: Cursor, length: number, offset: number): Value {
  if (length > MAX_TEXT_BYTES) return longText(cursor, length, true);
  const text = decodeUtf8(cursor.bytes(length), true);
  if (text === undefined) throw new StreamBreak("argument", "A text is not UTF-8.", offset);
  return text;
}

function longText(cursor: Cursor, length: number, isUtf8: boolean): Value {
  const offset = cursor.at;
  cursor.skip(length);
  return { kind: "longText", offset, length, isUtf8 };
}

function skipped(kind: "bytes" | "bytearray", cursor: Cursor, length: number): Value {
  const offset = cursor.at;
  cursor.skip(length, true);
  return { kind, offset, length };
}
