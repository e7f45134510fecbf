/** How `pickle` reads the arguments that are text. Each answers `undefined` where Python raises an error. */

const FATAL = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });

/** UTF-8. @param surrogates whether lone surrogates pass, as BINUNICODE lets them */
export function decodeUtf8(bytes: Uint8Array, surrogates: boolean): string | undefined {
  try {
    return FATAL.decode(bytes);
  } catch {
    if (!surrogates) return undefined;
  }
  // A lead byte 0xED stands nowhere else in valid UTF-8, so what is replaced here is whole characters.
  const without = Buffer.from(bytes)
    .toString("latin1")
    .replace(/\xed[\xa0-\xbf][\x80-\xbf]/g, "\xef\xbf\xbd");
  const rest = Buffer.from(without, "latin1");
  try {
    FATAL.decode(rest);
  } catch {
    return undefined;
  }
  return LENIENT.decode(rest);
}

/** Python hands numbers to functions of C, which stop at a NUL. */
function cText(line: Buffer): string {
  return line.toString("latin1").replace(/\0.*$/s, "");
}

/** What is an integer to `int(text, 10)`: signs, single underscores, surrounding blanks of C. */
const DECIMAL = /^[ \t\n\v\f\r]*[+-]?[0-9]+(?:_[0-9]+)*[ \t\n\v\f\r]*$/;
/** And to `int(text, 0)`, or to C's `strtol`, which `INT` tries first and which also knows octal numbers. */
const ANY_BASE =
  /^[ \t\n\v\f\r]*[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[1-9](?:_?[0-9])*|0(?:_?0)*)[ \t\n\v\f\r]*$/;
const C_OCTAL = /^[ \t\n\v\f\r]*[+-]?0[0-7]+$/;

/** A decimal integer of the memo opcodes, never negative. */
export function parseIndex(line: Buffer): number | undefined {
  const text = cText(line);
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text.replaceAll("_", "").trim());
  return value >= 0 && value < 2 ** 63 ? value : undefined;
}

/** The argument of INT; `00` and `01` are booleans. */
export function parseInt0(line: Buffer): number | bigint | boolean | undefined {
  const text = cText(line);
  // `strtol` makes 0 of nothing.
  if (text === "") return 0;
  if (text === "00") return false;
  if (text === "01") return true;
  if (C_OCTAL.test(text)) return Number.parseInt(text.trim(), 8);
  return ANY_BASE.test(text) ? integer(text) : undefined;
}

/** The argument of LONG, with or without an `L` behind it. */
export function parseLong(line: Buffer): number | bigint | undefined {
  const text = cText(Buffer.from(line.toString("latin1").replace(/L$/, ""), "latin1"));
  return ANY_BASE.test(text) ? integer(text) : undefined;
}

/** Exact as far as anybody asks: the digits of longer integers are of no use here. */
const MAX_EXACT_DIGITS = 64;

function integer(text: string): number | bigint {
  const plain = text.trim().replaceAll("_", "");
  if (plain.length > MAX_EXACT_DIGITS) return Number.POSITIVE_INFINITY;
  const sign = plain.startsWith("-") ? -1n : 1n;
  const value = sign * BigInt(plain.replace(/^[+-]/, "").replace(/^0+(?=[0-9])/, ""));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** The argument of FLOAT. Infinite only where the text says so. */
export function parseFloatText(line: Buffer): number | undefined {
  const text = cText(line);
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The argument of STRING: quotes and escapes of Python 2. 8-bit characters stay what latin-1 says they are. */
export function parseString(line: Buffer): string | undefined {
  const text = line.toString("latin1");
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote) return undefined;
  return unescapeBytes(text.slice(1, -1));
}

const BYTE_ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

function unescapeBytes(text: string): string | undefined {
  let sound = true;
  const result = text.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[\s\S]|$)/g, (all, code: string) => {
    const first = code[0] ?? "";
    if (code.length === 3 && first === "x") return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (first >= "0" && first <= "7") return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    if (code === "" || first === "x") sound = false;
    if (code === "\n") return "";
    return BYTE_ESCAPES[first] ?? all;
  });
  return sound ? result : undefined;
}

/** The argument of UNICODE: latin-1 with `\u` and `\U` escapes, of which an odd number of backslashes begins one. */
export function parseRawUnicode(line: Buffer): string | undefined {
  let sound = true;
  const result = line
    .toString("latin1")
    .replace(/(\\+)(u[0-9a-fA-F]{0,4}|U[0-9a-fA-F]{0,8})?/g, (all, slashes, escaped) => {
      if (escaped === undefined || slashes.length % 2 === 0) return all;
      const digits: string = escaped.slice(1);
      const code = Number.parseInt(digits, 16);
      if (digits.length !== (escaped[0] === "u" ? 4 : 8) || code > 0x10ffff) sound = false;
      return sound ? slashes.slice(1) + String.fromCodePoint(code) : all;
    });
  return sound ? result : undefined;
}
