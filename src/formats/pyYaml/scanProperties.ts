import { type Cursor, isBlankOrEnd, isBreakOrEnd, isWord, shown } from "./cursor";

/** A `%` line before a document. */
export type Directive =
  | { readonly name: "YAML"; readonly major: number }
  | { readonly name: "TAG"; readonly handle: string; readonly prefix: string }
  | { readonly name: "other" };

/** A tag as written: its handle, `undefined` for `!<…>` and for a lone `!`, and the rest. */
export interface WrittenTag {
  readonly handle: string | undefined;
  readonly suffix: string;
}

const AFTER_NAME = "?:,]}%@`";
const URI = "-;/?:@&=+$,_.!~*'()[]%";

/** Reads `&name` or `*name`; answers the name. @throws ModelbenchError `yaml.invalid` */
export function scanAnchor(cursor: Cursor): string {
  cursor.at += 1;
  const name = takeWord(cursor);
  const after = cursor.code();
  if (name === "" || !(isBlankOrEnd(after) || AFTER_NAME.includes(String.fromCharCode(after)))) {
    throw cursor.error(`expected a letter or a digit in an anchor's name, found ${shown(after)}`);
  }
  return name;
}

/** Reads a tag from its `!`. @throws ModelbenchError `yaml.invalid` */
export function scanTag(cursor: Cursor): WrittenTag {
  const tag = writtenTag(cursor);
  const after = cursor.code();
  if (after !== 32 && !isBreakOrEnd(after)) throw cursor.error(`expected a space after a tag, found ${shown(after)}`);
  return tag;
}

function writtenTag(cursor: Cursor): WrittenTag {
  const next = cursor.code(1);
  if (next === 60) {
    cursor.at += 2;
    const suffix = scanUri(cursor);
    if (cursor.code() !== 62) throw cursor.error(`expected ">" after a tag, found ${shown(cursor.code())}`);
    cursor.at += 1;
    return { handle: undefined, suffix };
  }
  if (isBlankOrEnd(next)) {
    cursor.at += 1;
    return { handle: undefined, suffix: "!" };
  }
  const handle = hasSecondMark(cursor) ? scanHandle(cursor) : cursor.takeTo(cursor.at + 1);
  return { handle, suffix: scanUri(cursor) };
}

function hasSecondMark(cursor: Cursor): boolean {
  for (let ahead = 1; ; ahead += 1) {
    const code = cursor.code(ahead);
    if (code === 33) return true;
    if (code === 32 || isBreakOrEnd(code)) return false;
  }
}

function scanHandle(cursor: Cursor): string {
  if (cursor.code() !== 33) throw cursor.error(`expected "!", found ${shown(cursor.code())}`);
  const start = cursor.at;
  cursor.at += 1;
  if (cursor.code() === 32) return "!";
  takeWord(cursor);
  if (cursor.code() !== 33) throw cursor.error(`expected "!", found ${shown(cursor.code())}`);
  cursor.at += 1;
  return cursor.text.slice(start, cursor.at);
}

function scanUri(cursor: Cursor): string {
  let uri = "";
  const start = cursor.at;
  for (let code = cursor.code(); isWord(code) || isUriMark(code); code = cursor.code()) {
    uri += code === 37 ? uriEscapes(cursor) : cursor.takeTo(cursor.at + 1);
  }
  if (cursor.at === start) throw cursor.error(`expected a tag's name, found ${shown(cursor.code())}`);
  return uri;
}

function isUriMark(code: number): boolean {
  return code !== 0 && URI.includes(String.fromCharCode(code));
}

function uriEscapes(cursor: Cursor): string {
  const start = cursor.at;
  const bytes: number[] = [];
  while (cursor.code() === 37) {
    const digits = cursor.text.slice(cursor.at + 1, cursor.at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) throw cursor.error("expected an escape of 2 hexadecimal digits in a tag");
    bytes.push(Number.parseInt(digits, 16));
    cursor.at += 3;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    throw cursor.error("the escapes in a tag are not UTF-8", start);
  }
}

/** Reads a directive line from its `%`. @throws ModelbenchError `yaml.invalid` */
export function scanDirective(cursor: Cursor): Directive {
  cursor.at += 1;
  const name = takeWord(cursor);
  expectSpaceOrEnd(cursor, name !== "");
  const directive = directiveOf(cursor, name);
  cursor.skipSpaces();
  if (cursor.code() === 35) cursor.skipLine();
  if (!isBreakOrEnd(cursor.code())) {
    throw cursor.error(`expected a comment or a line break, found ${shown(cursor.code())}`);
  }
  cursor.lineBreak();
  return directive;
}

function directiveOf(cursor: Cursor, name: string): Directive {
  if (name !== "YAML" && name !== "TAG") {
    cursor.skipLine();
    return { name: "other" };
  }
  cursor.skipSpaces();
  if (name === "YAML") {
    const version = /^([0-9]+)\.[0-9]+/.exec(cursor.text.slice(cursor.at, cursor.at + 40));
    if (version === null) throw cursor.error("expected a YAML version");
    cursor.at += version[0].length;
    expectSpaceOrEnd(cursor, true);
    return { name, major: Number(version[1]) };
  }
  const handle = scanHandle(cursor);
  if (cursor.code() !== 32) throw cursor.error(`expected a space, found ${shown(cursor.code())}`);
  cursor.skipSpaces();
  const prefix = scanUri(cursor);
  expectSpaceOrEnd(cursor, true);
  return { name, handle, prefix };
}

function expectSpaceOrEnd(cursor: Cursor, sound: boolean): void {
  const code = cursor.code();
  if (!sound || (code !== 32 && !isBreakOrEnd(code))) {
    throw cursor.error(`unexpected ${shown(code)} in a directive`);
  }
}

function takeWord(cursor: Cursor): string {
  let end = cursor.at;
  while (isWord(cursor.text.charCodeAt(end))) end += 1;
  return cursor.takeTo(end);
}
