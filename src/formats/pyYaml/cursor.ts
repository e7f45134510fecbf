import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";

/** A code that cannot occur in a checked text marks its end. */
const END = 0;

/** Whether a code is one of YAML 1.1's line breaks. */
export function isBreak(code: number): boolean {
  return code === 10 || code === 13 || code === 0x85 || code === 0x2028 || code === 0x2029;
}

/** Whether a code is a line break or the end of the text. */
export function isBreakOrEnd(code: number): boolean {
  return code === END || isBreak(code);
}

/** Whether a code is a space, a tab, a line break or the end of the text. */
export function isBlankOrEnd(code: number): boolean {
  return code === 32 || code === 9 || code === END || isBreak(code);
}

/** Whether a code is a letter, a digit, `-` or `_` of ASCII. */
export function isWord(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    (code >= 97 && code <= 122) ||
    code === 45 ||
    code === 95
  );
}

/** The failure for a text that PyYAML refuses, with one-based line and column. */
export function yamlError(text: string, offset: number, message: string): ModelbenchError {
  const before = text.slice(0, offset).split(/\r\n|[\r\n\x85\u2028\u2029]/);
  const place = `line ${before.length}, column ${(before[before.length - 1] ?? "").length + 1}`;
  return new ModelbenchError("yaml.invalid", `Invalid YAML: ${visible(message)} (${place}).`, { offset });
}

/** One character as it may appear in a message. */
export function shown(code: number): string {
  if (code === END || Number.isNaN(code)) return "the end of the text";
  if (code < 32 || code > 126) return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return `"${String.fromCharCode(code)}"`;
}

/** A place in a text, with the line and column that YAML's indentation rules look at. */
export class Cursor {
  /** The text, followed by a NUL. */
  readonly text: string;
  at = 0;
  line = 0;
  #lineStart = 0;

  /** @param text must not contain NUL. */
  constructor(text: string) {
    this.text = `${text}\0`;
    if (this.code() === 0xfeff) {
      this.at = 1;
      this.#lineStart = 1;
    }
  }

  /** Characters since the line's start. */
  get column(): number {
    return this.at - this.#lineStart;
  }

  /** The code at the cursor, or some characters ahead. */
  code(ahead = 0): number {
    return this.text.charCodeAt(this.at + ahead);
  }

  /** Takes the characters up to `end`, which holds no line break. */
  takeTo(end: number): string {
    const taken = this.text.slice(this.at, end);
    this.at = end;
    return taken;
  }

  /** Steps over spaces. */
  skipSpaces(): void {
    while (this.code() === 32) this.at += 1;
  }

  /** Steps to the end of the line. */
  skipLine(): void {
    while (!isBreakOrEnd(this.code())) this.at += 1;
  }

  /** Steps over one line break and answers what it folds to; empty when there is none. */
  lineBreak(): string {
    const code = this.code();
    if (!isBreak(code)) return "";
    this.at += code === 13 && this.code(1) === 10 ? 2 : 1;
    this.line += 1;
    this.#lineStart = this.at;
    return code >= 0x2028 ? String.fromCharCode(code) : "\n";
  }

  /** Whether `---` or `...` stands here as a document marker. */
  atDocumentMarker(): boolean {
    const code = this.code();
    if (code !== 45 && code !== 46) return false;
    return this.code(1) === code && this.code(2) === code && isBlankOrEnd(this.code(3));
  }

  /** The failure at the cursor. */
  error(message: string, offset = this.at): ModelbenchError {
    return yamlError(this.text.slice(0, -1), offset, message);
  }
}
