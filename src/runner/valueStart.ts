import { stringifyExact, WholeFloat } from "../formats/jsonExact";
import { sliceValue } from "./mergeValues";
import type { FrameValue, ListValue, ObjectValue } from "./values";

/** Most characters of a value that is told as JSON. */
const MAX_TEXT = 100_000;

/** Most of a data frame that is told at once: rows, cells, and bytes unless one row has more. */
const MAX_ROWS = 1_000;
const MAX_CELLS = 100_000;
const MAX_BYTES = 2 ** 20;

/** A list is on one line up to this many characters. */
const MAX_LINE = 80;

/** The beginning of a value that is no array: enough to show, little enough to travel. */
export type ValueStart =
  /** JSON, laid out, integers exact; cut after about 100,000 characters. */
  | { readonly kind: "json"; readonly text: string; readonly isWhole: boolean }
  /** The first rows, of `count`. */
  | { readonly kind: "table"; readonly frame: FrameValue; readonly count: number };

/** The beginning of a value, at a cost that follows what is shown and not what there is. */
export function valueStart(value: ListValue | FrameValue | ObjectValue): ValueStart {
  switch (value.container) {
    case "list":
      return { kind: "json", ...laidOut(value.items, MAX_TEXT) };
    case "object":
      return { kind: "json", ...laidOut(value.value, MAX_TEXT) };
    case "dataframe": {
      const count = value.columns[0]?.[1].shape[0] ?? 0;
      return { kind: "table", frame: framePart(value, 0, count), count };
    }
  }
}

/** Rows of a data frame from `start` on, `count` at most, and no more than fit into one message. */
export function framePart(frame: FrameValue, start: number, count: number): FrameValue {
  if (frame.columns.length === 0) return frame;
  const rows = frame.columns[0]?.[1].shape[0] ?? 0;
  const from = Math.min(start, rows);
  const most = Math.min(MAX_ROWS, Math.max(1, Math.floor(MAX_CELLS / frame.columns.length)));
  const slice = (length: number) => sliceValue(frame, 0, from, length) as FrameValue;
  let length = Math.max(0, Math.min(count, rows - from, most));
  let part = slice(length);
  while (length > 1 && bytesOf(part) > MAX_BYTES) {
    length = Math.ceil(length / 2);
    part = slice(length);
  }
  return part;
}

function bytesOf({ columns }: FrameValue): number {
  return columns.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
}

/**
 * A value as indented JSON of about `limit` characters at most; what fits into a line is on one.
 * Exact as `stringifyExact`, which writes what stands on a line.
 */
function laidOut(value: unknown, limit: number): { text: string; isWhole: boolean } {
  const out = new LimitedText(limit);
  lay(value, "", out);
  return { text: out.text, isWhole: !out.isFull };
}

function lay(value: unknown, margin: string, out: LimitedText): void {
  const members = membersOf(value);
  if (members === undefined) {
    const isLong = typeof value === "string" && value.length > out.left;
    out.add(stringifyExact(isLong ? value.slice(0, out.left) : value));
    return;
  }
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const line = members.length === 0 ? `${open}${close}` : lineOf(members);
  if (line !== undefined) {
    out.add(line);
    return;
  }
  const inner = `${margin}  `;
  for (const [i, [key, member]] of members.entries()) {
    out.add(`${i === 0 ? open : ","}\n${inner}${key === undefined ? "" : `${stringifyExact(key)}: `}`);
    lay(member, inner, out);
    if (out.isFull) return;
  }
  out.add(`\n${margin}${close}`);
}

/** Members of a list without keys, of an object with them; `undefined` for what has none. */
function membersOf(value: unknown): (readonly [key: string | undefined, member: unknown])[] | undefined {
  if (Array.isArray(value)) return value.map((member: unknown) => [undefined, member]);
  if (typeof value !== "object" || value === null || value instanceof WholeFloat) return undefined;
  const entries: Iterable<readonly [unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
  return [...entries].flatMap(([key, member]) => (member === undefined ? [] : [[String(key), member]]));
}

/** A list of plain values that fits into a line. */
function lineOf(members: readonly (readonly [key: string | undefined, member: unknown])[]): string | undefined {
  if (members.length > MAX_LINE / 2) return undefined;
  const isPlain = members.every(([key, member]) => {
    const isText = typeof member === "string";
    return key === undefined && membersOf(member) === undefined && (!isText || member.length <= MAX_LINE);
  });
  const line = isPlain ? `[${members.map(([, member]) => stringifyExact(member)).join(", ")}]` : undefined;
  return line !== undefined && line.length <= MAX_LINE ? line : undefined;
}

/** A text that grows up to a limit. */
class LimitedText {
  readonly #parts: string[] = [];
  readonly #limit: number;
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Characters that still fit. */
  get left(): number {
    return Math.max(0, this.#limit - this.#length);
  }

  /** Whether something did not fit. */
  get isFull(): boolean {
    return this.#length > this.#limit;
  }

  get text(): string {
    const text = this.#parts.join("");
    return this.isFull ? text.slice(0, this.#limit).replace(/[\ud800-\udbff]$/, "") : text;
  }

  add(part: string): void {
    if (!this.isFull) this.#parts.push(part);
    this.#length += part.length;
  }
}
