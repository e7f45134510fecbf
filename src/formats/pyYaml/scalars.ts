import { pythonFloat, pythonInt } from "./pythonNumber";
import { TAG } from "./resolve";
import { type TimestampParts, YamlDate, YamlFloat, type YamlKey, YamlTimestamp, yamlInteger } from "./values";

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["no", false],
  ["true", true],
  ["false", false],
  ["on", true],
  ["off", false],
]);

const TIMESTAMP = new RegExp(
  "^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]|[ \\t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\\.([0-9]*))?" +
    "(?:[ \\t]*(?:(Z)|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?)?\\n?$",
);

/** The value of a scalar for each tag that PyYAML's safe loader knows; `undefined` where it raises an error. */
const CONSTRUCTORS: ReadonlyMap<string, (text: string) => YamlKey | undefined> = new Map<
  string,
  (text: string) => YamlKey | undefined
>([
  [TAG.null, () => null],
  [TAG.bool, (text) => BOOLEANS.get(text.toLowerCase())],
  [TAG.int, constructInt],
  [TAG.float, constructFloat],
  [TAG.binary, constructBinary],
  [TAG.timestamp, constructTimestamp],
  [TAG.str, (text) => text],
]);

/** Whether a tag belongs to a scalar that can be built. */
export function isScalarTag(tag: string): boolean {
  return CONSTRUCTORS.has(tag);
}

/**
 * The value of a scalar under its tag, or `undefined` when the text does not fit the tag.
 * @see PyYAML 6.0.3 yaml/constructor.py
 */
export function constructScalar(tag: string, text: string): YamlKey | undefined {
  return CONSTRUCTORS.get(tag)?.(text);
}

function splitSign(text: string): { negative: boolean; rest: string } {
  return { negative: text.startsWith("-"), rest: /^[-+]/.test(text) ? text.slice(1) : text };
}

function constructInt(text: string): number | bigint | undefined {
  const { negative, rest } = splitSign(text.replaceAll("_", ""));
  const value = unsignedInt(rest);
  if (value === undefined) return undefined;
  return yamlInteger(negative ? -value : value);
}

function unsignedInt(text: string): bigint | undefined {
  if (text === "0") return 0n;
  if (text.startsWith("0b")) return pythonInt(text.slice(2), 2);
  if (text.startsWith("0x")) return pythonInt(text.slice(2), 16);
  if (text.startsWith("0")) return pythonInt(text, 8);
  if (!text.includes(":")) return pythonInt(text, 10);
  const parts = text.split(":").map((part) => pythonInt(part, 10));
  const digits = parts.filter((digit) => digit !== undefined);
  return digits.length === parts.length ? base60(digits) : undefined;
}

/** By halves: digit by digit the time grows with the square of their count. */
function base60(digits: readonly bigint[]): bigint {
  if (digits.length <= 32) return digits.reduce((total, digit) => total * 60n + digit, 0n);
  const half = digits.length >> 1;
  return base60(digits.slice(0, -half)) * 60n ** BigInt(half) + base60(digits.slice(-half));
}

function constructFloat(text: string): YamlFloat | undefined {
  const { negative, rest } = splitSign(text.replaceAll("_", "").toLowerCase());
  const value = unsignedFloat(rest);
  return value === undefined ? undefined : new YamlFloat(negative ? -value : value);
}

function unsignedFloat(text: string): number | undefined {
  if (text === ".inf") return Number.POSITIVE_INFINITY;
  if (text === ".nan") return Number.NaN;
  if (!text.includes(":")) return pythonFloat(text);
  let total = 0;
  let base = 1n;
  for (const part of text.split(":").reverse()) {
    const digit = pythonFloat(part);
    const scale = Number(base);
    if (digit === undefined || !Number.isFinite(scale)) return undefined;
    total += digit * scale;
    base *= 60n;
  }
  return total;
}

/** Decodes as Python's `binascii.a2b_base64` does: strange characters are skipped, padding must fit. */
function constructBinary(text: string): Uint8Array | undefined {
  if (/[^\x00-\x7f]/.test(text)) return undefined;
  let data = "";
  let pads = 0;
  for (const char of text) {
    if (char === "=") {
      pads += 1;
      if (data.length % 4 >= 2 && (data.length % 4) + pads >= 4) return new Uint8Array(Buffer.from(data, "base64"));
    } else if (/[A-Za-z0-9+/]/.test(char)) {
      data += char;
      pads = 0;
    }
  }
  return data.length % 4 === 0 ? new Uint8Array(Buffer.from(data, "base64")) : undefined;
}

function constructTimestamp(text: string): YamlDate | YamlTimestamp | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const number = (group: number) => Number(match[group] ?? 0);
  const [year, month, day] = [number(1), number(2), number(3)];
  if (!isDate(year, month, day)) return undefined;
  if (match[4] === undefined) return new YamlDate(year, month, day);
  const [hour, minute, second] = [number(4), number(5), number(6)];
  const offsetMinutes = offsetOf(match);
  if (hour > 23 || minute > 59 || second > 59 || Math.abs(offsetMinutes ?? 0) >= 1440) return undefined;
  const micros = Number((match[7] ?? "").slice(0, 6).padEnd(6, "0"));
  const parts: TimestampParts = { year, month, day, hour, minute, second, micros, offsetMinutes };
  return new YamlTimestamp(parts);
}

function isDate(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day <= days;
}

function offsetOf(match: RegExpExecArray): number | undefined {
  if (match[8] !== undefined) return 0;
  if (match[9] === undefined) return undefined;
  const minutes = Number(match[10]) * 60 + Number(match[11] ?? 0);
  return match[9] === "-" ? 0 - minutes : minutes;
}
