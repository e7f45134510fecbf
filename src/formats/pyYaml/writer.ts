import { isEmittedBreak } from "./analyze";

/** Columns after which the emitter breaks a line at the next space. */
const WIDTH = 80;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\0", "0"],
  ["\x07", "a"],
  ["\b", "b"],
  ["\t", "t"],
  ["\n", "n"],
  ["\v", "v"],
  ["\f", "f"],
  ["\r", "r"],
  ["\x1b", "e"],
  ['"', '"'],
  ["\\", "\\"],
  ["\x85", "N"],
  ["\xa0", "_"],
  ["\u2028", "L"],
  ["\u2029", "P"],
]);

/**
 * The text being written, with the state that PyYAML's emitter decides by. Scalars arrive as code points,
 * because its columns count those.
 * @see PyYAML 6.0.3 yaml/emitter.py
 */
export class YamlWriter {
  readonly #parts: string[] = [];
  #column = 0;
  #length = 0;
  /** The last thing written was white space. */
  #whitespace = true;
  /** Nothing but indentation and indicators stands on this line so far. */
  #indention = true;
  /** Column of the current collection; `undefined` outside all. */
  indent: number | undefined;

  get onlyIndention(): boolean {
    return this.#indention;
  }

  /** How much is written, in UTF-16 units. */
  get length(): number {
    return this.#length;
  }

  /** Everything written. */
  toString(): string {
    return this.#parts.join("");
  }

  /** Writes an indicator, after a space where one is needed. */
  indicator(text: string, needsSpace: boolean, keepsIndention = false): void {
    this.#put(this.#whitespace || !needsSpace ? text : ` ${text}`);
    this.#whitespace = false;
    this.#indention = this.#indention && keepsIndention;
  }

  /** Writes an opening bracket, after which no space is needed. */
  bracket(text: string): void {
    this.indicator(text, true);
    this.#whitespace = true;
  }

  /** Starts a line at the current indentation, unless the cursor is there already. */
  startLine(): void {
    const indent = this.indent ?? 0;
    const there = this.#indention && (this.#column < indent || (this.#column === indent && this.#whitespace));
    if (!there) this.#lineBreak();
    if (this.#column < indent) {
      this.#whitespace = true;
      this.#put(" ".repeat(indent - this.#column));
    }
  }

  /** Writes a scalar without quotes; it holds no line break. */
  plain(chars: readonly string[], mayFold: boolean): void {
    if (chars.length === 0) return;
    if (!this.#whitespace) this.#put(" ");
    this.#leaveIndention();
    for (const run of runsOf(chars)) {
      if (mayFold && run.kind === "spaces" && run.text.length === 1 && this.#column > WIDTH) {
        this.startLine();
        this.#leaveIndention();
      } else {
        this.#put(run.text, run.length);
      }
    }
  }

  /** Writes a scalar in single quotes. */
  singleQuoted(chars: readonly string[], mayFold: boolean): void {
    this.indicator("'", true);
    let at = 0;
    for (const run of runsOf(chars)) {
      const inside = at > 0 && at + run.length < chars.length;
      at += run.length;
      if (run.kind === "spaces" && mayFold && inside && run.length === 1 && this.#column > WIDTH) this.startLine();
      else if (run.kind === "breaks") this.#breaks(run.text);
      else this.#put(run.text.replaceAll("'", "''"));
    }
    this.indicator("'", false);
  }

  /** Writes a scalar in double quotes, everything but printable ASCII escaped. */
  doubleQuoted(chars: readonly string[], mayFold: boolean): void {
    this.indicator('"', true);
    let start = 0;
    for (let end = 0; end <= chars.length; end += 1) {
      const char = chars[end];
      if (char === undefined || !/^[\x20-\x7e]$/.test(char) || char === '"' || char === "\\") {
        if (start < end) this.#put(chars.slice(start, end).join(""));
        start = end;
        if (char !== undefined) {
          this.#put(escapeOf(char));
          start = end + 1;
        }
      }
      const foldable = 0 < end && end < chars.length - 1 && (char === " " || start >= end);
      if (mayFold && foldable && this.#column + (end - start) > WIDTH) {
        this.#put(`${chars.slice(start, end).join("")}\\`);
        if (start < end) start = end;
        this.startLine();
        this.#leaveIndention();
        if (chars[start] === " ") this.#put("\\");
      }
    }
    this.indicator('"', false);
  }

  /** Writes lines of ASCII as a literal block; the text ends in exactly one line break. */
  literal(text: string): void {
    this.indicator("|", true);
    this.#lineBreak();
    for (const line of text.split("\n").slice(0, -1)) {
      this.startLine();
      this.#put(line);
      this.#lineBreak();
    }
  }

  #breaks(text: string): void {
    if (text.startsWith("\n")) this.#lineBreak();
    for (const char of text) this.#lineBreak(char);
    this.startLine();
  }

  #leaveIndention(): void {
    this.#whitespace = false;
    this.#indention = false;
  }

  #lineBreak(char = "\n"): void {
    this.#parts.push(char);
    this.#length += char.length;
    this.#whitespace = true;
    this.#indention = true;
    this.#column = 0;
  }

  #put(text: string, columns = text.length): void {
    this.#parts.push(text);
    this.#length += text.length;
    this.#column += columns;
  }
}

interface Run {
  readonly kind: "spaces" | "breaks" | "text";
  readonly text: string;
  /** In code points. */
  readonly length: number;
}

function runsOf(chars: readonly string[]): Run[] {
  const runs: Run[] = [];
  let start = 0;
  for (let at = 1; at <= chars.length; at += 1) {
    const kind = kindOf(chars[start]);
    if (at < chars.length && kindOf(chars[at]) === kind) continue;
    runs.push({ kind, text: chars.slice(start, at).join(""), length: at - start });
    start = at;
  }
  return runs;
}

function kindOf(char: string | undefined): Run["kind"] {
  if (char === " ") return "spaces";
  return isEmittedBreak(char) ? "breaks" : "text";
}

function escapeOf(char: string): string {
  const known = ESCAPES.get(char);
  if (known !== undefined) return `\\${known}`;
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
