import type { Cells } from "../protocol/views";

/** A value of a tensor. */
export type Cell = Cells[number];

/** Significant digits that tell two neighboring values of a dtype apart, and how a number is rounded to it. */
const ROUNDINGS: Readonly<Record<string, { readonly digits: number; readonly round: (value: number) => number }>> = {
  float16: { digits: 5, round: (value) => roundTo(value, 10, -14) },
  bfloat16: { digits: 4, round: (value) => roundTo(value, 7, -126) },
  float32: { digits: 9, round: Math.fround },
};

/** The nearest number of a binary format with so many fraction bits; the least exponent is that of normal numbers. */
function roundTo(value: number, fractionBits: number, leastExponent: number): number {
  if (value === 0) return value;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), leastExponent);
  const step = 2 ** (exponent - fractionBits);
  return Math.round(value / step) * step;
}

/** The shortest text that still names the value in its own dtype: float32 5.900000095367432 is `5.9`. */
export function formatCell(dtype: string, value: Cell): string {
  if (typeof value !== "number") return String(value);
  const rounding = ROUNDINGS[dtype];
  if (rounding === undefined || Number.isInteger(value)) return String(value);
  for (let precision = 1; precision < rounding.digits; precision++) {
    const shorter = Number(value.toPrecision(precision));
    if (rounding.round(shorter) === value) return String(shorter);
  }
  return String(Number(value.toPrecision(rounding.digits)));
}

/** Significant digits shown of a value whose exact text stands beside it or one view away. */
const SHOWN_DIGITS = 6;

/** A value at a width that a table can bear: at most six significant digits, `1.18668e-5` below a ten-thousandth. */
export function shortCell(dtype: string, value: Cell): string {
  if (typeof value !== "number" || Number.isInteger(value)) return formatCell(dtype, value);
  const rounded = Number(value.toPrecision(SHOWN_DIGITS));
  return Math.abs(rounded) < 1e-4 ? rounded.toExponential() : String(rounded);
}

/** A value rounded to four significant digits, for bars and tables where the exact one stands beside. */
export function roundCell(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}

/** The least share that is not written as none of the whole. */
const LEAST_SHARE = 0.001;

/** A share as a percentage with one decimal, as the language writes it; `<0.1%` for a trace, `>99.9%` for almost all. */
export function formatPercent(locale: string, share: number): string {
  const digits = { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 } as const;
  const { format } = new Intl.NumberFormat(locale, digits);
  if (share > 0 && share < LEAST_SHARE / 2) return `<${format(LEAST_SHARE)}`;
  if (share < 1 && share > 1 - LEAST_SHARE / 2) return `>${format(1 - LEAST_SHARE)}`;
  return format(share);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A size with two decimals: `5.81 KiB`; whole bytes have none. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(2)} ${UNITS[unit]}`;
}

/** Milliseconds with the digits that matter: `0.23`, `2.6`, `154`. */
export function formatMs(ms: number): string {
  if (ms >= 100) return String(Math.round(ms));
  return String(Number(ms.toFixed(ms >= 10 ? 1 : 2)));
}

const AGES: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago something was, in words: `2 hours ago`. */
export function formatAge(locale: string, thenMs: number, nowMs: number): string {
  const seconds = Math.round((thenMs - nowMs) / 1000);
  const [unit, size] = AGES.find(([, length]) => Math.abs(seconds) >= length) ?? (["second", 1] as const);
  // `yesterday` is exact; `last year` could be any day of it.
  const numeric = unit === "day" || unit === "second" ? "auto" : "always";
  const words = new Intl.RelativeTimeFormat(locale, { numeric });
  return words.format(Math.trunc(seconds / size), unit);
}

/** A moment as the language and the clock on the wall write it, to the second. */
export function formatMoment(locale: string, ms: number): string {
  return new Date(ms).toLocaleString(locale, { dateStyle: "medium", timeStyle: "medium" });
}

/** The clock time of a moment, to the second. */
export function formatClock(locale: string, ms: number): string {
  return new Date(ms).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** A shape as text: `[N, 4]`; an unnamed axis is `?`. */
export function formatShape(shape: readonly (number | string | null)[]): string {
  return `[${shape.map((dim) => dim ?? "?").join(", ")}]`;
}

/** The JSON text of a tensor: nested by its shape, exact, one line an innermost list. */
export function rawJson(dtype: string, shape: readonly number[], values: Cells): string {
  let next = 0;
  const leaf = (): string => {
    const value = values[next++];
    if (value === undefined) return "…";
    const isWideInteger = /^u?int64$/.test(dtype) && typeof value === "string";
    return typeof value === "number" || isWideInteger ? formatCell(dtype, value) : JSON.stringify(value);
  };
  const build = (axis: number): string => {
    if (axis === shape.length) return leaf();
    const items: string[] = [];
    for (let i = 0; i < (shape[axis] ?? 0) && next <= values.length; i++) items.push(build(axis + 1));
    return axis === shape.length - 1 ? `[${items.join(", ")}]` : `[${items.join(`,\n${" ".repeat(axis + 1)}`)}]`;
  };
  return build(0);
}

/** Widest list or object that stays on one line when JSON is laid out, in characters. */
const INLINE_JSON = 64;

/**
 * JSON text laid out over lines, short lists and objects on one; every number as it was written. `undefined` for a
 * text that is no list or object.
 */
export function layOutJson(text: string): string | undefined {
  const tokens = /^\s*[[{]/.test(text) && isJson(text) ? text.match(JSON_TOKENS) : null;
  if (!tokens) return undefined;
  let at = 0;
  const value = (indent: string): string => {
    const open = tokens[at++] ?? "";
    if (open !== "[" && open !== "{") return open;
    const close = open === "[" ? "]" : "}";
    const items: string[] = [];
    while (tokens[at] !== close) {
      if (tokens[at] === ",") at += 1;
      const key = open === "{" ? `${tokens[at++]}: ` : "";
      if (open === "{") at += 1;
      items.push(key + value(`${indent}  `));
    }
    at += 1;
    const line = `${open}${items.join(", ")}${close}`;
    if (!line.includes("\n") && line.length <= INLINE_JSON) return line;
    return `${open}\n${items.map((item) => `${indent}  ${item}`).join(",\n")}\n${indent}${close}`;
  };
  return value("");
}

const JSON_TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
