import { type Cursor, isBlankOrEnd, isBreak, isBreakOrEnd, shown } from "./cursor";

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["0", "\0"],
  ["a", "\x07"],
  ["b", "\b"],
  ["t", "\t"],
  ["\t", "\t"],
  ["n", "\n"],
  ["v", "\v"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\x1b"],
  [" ", " "],
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["N", "\x85"],
  ["_", "\xa0"],
  ["L", "\u2028"],
  ["P", "\u2029"],
]);

const HEX_ESCAPES: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

/** A scalar and the offset at which its last character ends; a block's last line break belongs to it. */
export interface ScannedScalar {
  readonly text: string;
  readonly end: number;
}

/** A plain scalar, and whether it ended after a line break, where a new key may start. */
export interface PlainScalar extends ScannedScalar {
  readonly crossedLine: boolean;
}

/** Reads a plain scalar; `indent` is the least column of its further lines outside flow collections. */
export function scanPlain(cursor: Cursor, indent: number, inFlow: boolean): PlainScalar {
  let text = "";
  let spaces = "";
  let crossedLine = false;
  let end = cursor.at;
  while (cursor.code() !== 35) {
    const next = plainEnd(cursor, inFlow);
    if (next === cursor.at) break;
    crossedLine = false;
    text += spaces + cursor.takeTo(next);
    end = next;
    const line = cursor.line;
    spaces = foldPlainSpaces(cursor);
    crossedLine = cursor.line !== line;
    if (spaces === "" || (!inFlow && cursor.column < indent)) break;
  }
  return { text, end, crossedLine };
}

function plainEnd(cursor: Cursor, inFlow: boolean): number {
  let ahead = 0;
  for (;;) {
    const code = cursor.code(ahead);
    if (isBlankOrEnd(code)) break;
    if (code === 58) {
      const next = cursor.code(ahead + 1);
      if (isBlankOrEnd(next) || (inFlow && isFlowIndicator(next))) break;
    }
    if (inFlow && (code === 63 || isFlowIndicator(code))) break;
    ahead += 1;
  }
  return cursor.at + ahead;
}

function isFlowIndicator(code: number): boolean {
  return code === 44 || code === 91 || code === 93 || code === 123 || code === 125;
}

/** Steps over the spaces and line breaks inside a plain scalar; empty where the scalar must end. */
function foldPlainSpaces(cursor: Cursor): string {
  const start = cursor.at;
  cursor.skipSpaces();
  if (!isBreak(cursor.code())) return cursor.text.slice(start, cursor.at);
  const first = cursor.lineBreak();
  if (cursor.atDocumentMarker()) return "";
  let further = "";
  while (cursor.code() === 32 || isBreak(cursor.code())) {
    cursor.skipSpaces();
    if (!isBreak(cursor.code())) break;
    further += cursor.lineBreak();
    if (cursor.atDocumentMarker()) return "";
  }
  return fold(first, further);
}

/** One line break becomes a space, further ones stay. */
function fold(first: string, further: string): string {
  if (first !== "\n") return first + further;
  return further === "" ? " " : further;
}

/** Reads a quoted scalar from its opening quote. @throws ModelbenchError `yaml.invalid` */
export function scanQuoted(cursor: Cursor): string {
  const quote = cursor.code();
  const start = cursor.at;
  cursor.at += 1;
  let text = quotedRun(cursor, quote);
  while (cursor.code() !== quote) {
    text += quotedSpaces(cursor, start);
    text += quotedRun(cursor, quote);
  }
  cursor.at += 1;
  return text;
}

function quotedRun(cursor: Cursor, quote: number): string {
  let text = "";
  for (;;) {
    let end = cursor.at;
    for (let code = cursor.code(); code !== quote && code !== 92 && !isBlankOrEnd(code); ) {
      end += 1;
      code = cursor.text.charCodeAt(end);
    }
    text += cursor.takeTo(end);
    if (quote === 39 && cursor.code() === 39 && cursor.code(1) === 39) {
      text += "'";
      cursor.at += 2;
    } else if (cursor.code() === 92) {
      text += quote === 34 ? escaped(cursor) : cursor.takeTo(cursor.at + 1);
    } else {
      return text;
    }
  }
}

function escaped(cursor: Cursor): string {
  cursor.at += 1;
  const letter = cursor.text.charAt(cursor.at);
  const simple = ESCAPES.get(letter);
  if (simple !== undefined) {
    cursor.at += 1;
    return simple;
  }
  const digits = HEX_ESCAPES.get(letter);
  if (digits !== undefined) return hexEscape(cursor, digits);
  if (!isBreak(cursor.code())) throw cursor.error(`unknown escape ${shown(cursor.code())} in a double-quoted string`);
  cursor.lineBreak();
  return quotedBreaks(cursor);
}

function hexEscape(cursor: Cursor, digits: number): string {
  cursor.at += 1;
  const text = cursor.text.slice(cursor.at, cursor.at + digits);
  if (text.length !== digits || !/^[0-9A-Fa-f]+$/.test(text)) {
    throw cursor.error(`expected an escape of ${digits} hexadecimal digits`);
  }
  const code = Number.parseInt(text, 16);
  if (code > 0x10ffff) throw cursor.error("an escape beyond U+10FFFF");
  cursor.at += digits;
  return String.fromCodePoint(code);
}

function quotedSpaces(cursor: Cursor, start: number): string {
  const from = cursor.at;
  while (cursor.code() === 32 || cursor.code() === 9) cursor.at += 1;
  const code = cursor.code();
  if (code === 0) throw cursor.error("a quoted string does not end", start);
  if (!isBreak(code)) return cursor.text.slice(from, cursor.at);
  const first = cursor.lineBreak();
  return fold(first, quotedBreaks(cursor));
}

function quotedBreaks(cursor: Cursor): string {
  let breaks = "";
  for (;;) {
    if (cursor.atDocumentMarker()) throw cursor.error("a document marker inside a quoted string");
    while (cursor.code() === 32 || cursor.code() === 9) cursor.at += 1;
    if (!isBreak(cursor.code())) return breaks;
    breaks += cursor.lineBreak();
  }
}

/** Reads a literal or folded block scalar; `minIndent` is the least column of its lines. */
export function scanBlockScalar(cursor: Cursor, minIndent: number): ScannedScalar {
  const folded = cursor.code() === 62;
  cursor.at += 1;
  const { chomping, increment } = blockHeader(cursor);
  endOfHeader(cursor);
  let end = cursor.at;
  const least = Math.max(minIndent, 1);
  const found = increment === undefined ? leadingIndent(cursor) : undefined;
  const indent = found === undefined ? least + (increment ?? 1) - 1 : Math.max(least, found.indent);
  let breaks = found === undefined ? blockBreaks(cursor, indent) : found.breaks;
  let text = "";
  let lineBreak = "";
  while (cursor.column === indent && cursor.code() !== 0) {
    text += breaks;
    const startsWithText = cursor.code() !== 32 && cursor.code() !== 9;
    const start = cursor.at;
    cursor.skipLine();
    text += cursor.text.slice(start, cursor.at);
    lineBreak = cursor.lineBreak();
    end = cursor.at;
    breaks = blockBreaks(cursor, indent);
    const next = cursor.code();
    if (cursor.column !== indent || next === 0) break;
    const joins = folded && lineBreak === "\n" && startsWithText && next !== 32 && next !== 9;
    if (!joins) text += lineBreak;
    else if (breaks === "") text += " ";
  }
  if (chomping !== "-") text += lineBreak;
  return chomping === "+" ? { text: text + breaks, end: cursor.at - cursor.column } : { text, end };
}

function blockHeader(cursor: Cursor): { chomping: string; increment: number | undefined } {
  const header = /^(?:([-+])([0-9])?|([0-9])([-+])?)?/.exec(cursor.text.slice(cursor.at, cursor.at + 2));
  const digit = header?.[2] ?? header?.[3];
  if (digit === "0") throw cursor.error("an indentation of 0 for a block scalar");
  cursor.at += header?.[0].length ?? 0;
  const code = cursor.code();
  if (code !== 32 && !isBreakOrEnd(code)) {
    throw cursor.error(`expected chomping or indentation indicators, found ${shown(code)}`);
  }
  return {
    chomping: header?.[1] ?? header?.[4] ?? "",
    increment: digit === undefined ? undefined : Number(digit),
  };
}

function endOfHeader(cursor: Cursor): void {
  cursor.skipSpaces();
  if (cursor.code() === 35) cursor.skipLine();
  if (!isBreakOrEnd(cursor.code())) {
    throw cursor.error(`expected a comment or a line break, found ${shown(cursor.code())}`);
  }
  cursor.lineBreak();
}

function leadingIndent(cursor: Cursor): { indent: number; breaks: string } {
  let breaks = "";
  let indent = 0;
  for (;;) {
    cursor.skipSpaces();
    indent = Math.max(indent, cursor.column);
    if (!isBreak(cursor.code())) return { indent, breaks };
    breaks += cursor.lineBreak();
  }
}

function blockBreaks(cursor: Cursor, indent: number): string {
  let breaks = "";
  for (;;) {
    while (cursor.column < indent && cursor.code() === 32) cursor.at += 1;
    if (!isBreak(cursor.code())) return breaks;
    breaks += cursor.lineBreak();
  }
}
