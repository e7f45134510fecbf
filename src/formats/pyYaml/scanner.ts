import { ModelbenchError } from "../../base/errors";
import { Cursor, isBlankOrEnd, shown } from "./cursor";
import { type Directive, scanAnchor, scanDirective, scanTag, type WrittenTag } from "./scanProperties";
import { scanBlockScalar, scanPlain, scanQuoted } from "./scanScalars";

/** Nesting that a text may have; ordinary metadata has under ten levels. */
export const MAX_YAML_DEPTH = 100;

/** A key that stands before its `:` must be this short, in code points. */
const MAX_KEY_LENGTH = 1024;

/** `#`, `%`, `>`, `@`, `` ` `` and `|`: no plain scalar starts with one. */
const NEVER_FIRST = [35, 37, 62, 64, 96, 124];

/** One element of the text's grammar; `start` and `end` are character offsets, marks have a `start` alone. */
export type Token =
  | { readonly kind: Mark; readonly start: number }
  | (Written & { readonly kind: "scalar"; readonly text: string; readonly plain: boolean })
  | (Written & { readonly kind: "anchor" | "alias"; readonly name: string })
  | (Written & { readonly kind: "tag"; readonly tag: WrittenTag })
  | (Written & { readonly kind: "directive"; readonly directive: Directive });

interface Written {
  readonly start: number;
  readonly end: number;
}

type Mark =
  | "start of a document"
  | "end of a document"
  | "end of the text"
  | "["
  | "]"
  | "{"
  | "}"
  | ","
  | "-"
  | "?"
  | ":"
  | "start of a list"
  | "start of a mapping"
  | "end of a block";

interface PossibleKey {
  /** Where in the token list the key's marks go once its `:` shows up. */
  readonly index: number;
  /** It begins a line at the mapping's indentation, so it must be a key. */
  readonly required: boolean;
  readonly at: number;
  readonly line: number;
  readonly column: number;
}

/**
 * Cuts a text into tokens by the rules of PyYAML's scanner, in one pass and in time linear in its length.
 * @see PyYAML 6.0.3 yaml/scanner.py
 */
export class Scanner {
  readonly #cursor: Cursor;
  readonly #tokens: Token[] = [];
  readonly #indents: number[] = [];
  /** At most one per level of flow collections. */
  readonly #keys: (PossibleKey | undefined)[] = [];
  #indent = -1;
  #flow = 0;
  #keyAllowed = true;

  /** @param text must not contain NUL. */
  constructor(text: string) {
    this.#cursor = new Cursor(text);
  }

  /** All tokens, the last one being the end of the text. @throws ModelbenchError `yaml.invalid`, `budget.exceeded` */
  scan(): readonly Token[] {
    for (;;) {
      this.#skipToToken();
      this.#dropStaleKeys();
      this.#closeBlocks(this.#cursor.column);
      if (this.#cursor.code() === 0) break;
      this.#next();
    }
    this.#closeBlocks(-1);
    this.#dropKey();
    this.#push("end of the text");
    return this.#tokens;
  }

  #next(): void {
    const cursor = this.#cursor;
    const code = cursor.code();
    if (cursor.column === 0 && code === 37) this.#directive();
    else if (cursor.column === 0 && cursor.atDocumentMarker()) this.#documentMarker(code);
    else if (code === 91) this.#openFlow("[");
    else if (code === 123) this.#openFlow("{");
    else if (code === 93) this.#closeFlow("]");
    else if (code === 125) this.#closeFlow("}");
    else if (code === 44) this.#separator();
    else if (code === 42) this.#name("alias");
    else if (code === 38) this.#name("anchor");
    else if (code === 33) this.#tag();
    else if (code === 39 || code === 34) this.#quoted();
    else this.#indicatorOrText(code);
  }

  /** What follows decides whether `-`, `?` and `:` are indicators or the start of a text. */
  #indicatorOrText(code: number): void {
    const blankAfter = isBlankOrEnd(this.#cursor.code(1));
    const flow = this.#flow > 0;
    if (code === 45 && blankAfter) this.#listEntry();
    else if (code === 63 && (blankAfter || flow)) this.#explicitKey();
    else if (code === 58 && (blankAfter || flow)) this.#value();
    else if ((code === 124 || code === 62) && !flow) this.#block();
    else if (isBlankOrEnd(code) || NEVER_FIRST.includes(code)) {
      throw this.#cursor.error(`${shown(code)} cannot start a value`);
    } else this.#plain();
  }

  #skipToToken(): void {
    const cursor = this.#cursor;
    for (;;) {
      cursor.skipSpaces();
      if (cursor.code() === 35) cursor.skipLine();
      if (cursor.lineBreak() === "") return;
      if (this.#flow === 0) this.#keyAllowed = true;
    }
  }

  #push(kind: Mark, start = this.#cursor.at): void {
    this.#tokens.push({ kind, start });
  }

  /** Adds a mark of one character and steps over it. */
  #mark(kind: Mark): void {
    this.#push(kind);
    this.#cursor.at += 1;
  }

  #directive(): void {
    this.#startOver();
    const start = this.#cursor.at;
    const directive = scanDirective(this.#cursor);
    this.#tokens.push({ kind: "directive", start, end: this.#cursor.at, directive });
  }

  #documentMarker(code: number): void {
    this.#startOver();
    this.#push(code === 45 ? "start of a document" : "end of a document");
    this.#cursor.at += 3;
  }

  #startOver(): void {
    this.#closeBlocks(-1);
    this.#dropKey();
    this.#keyAllowed = false;
  }

  #openFlow(kind: "[" | "{"): void {
    this.#saveKey();
    this.#flow += 1;
    this.#checkDepth();
    this.#keyAllowed = true;
    this.#mark(kind);
  }

  #closeFlow(kind: "]" | "}"): void {
    if (this.#flow === 0) throw this.#cursor.error(`"${kind}" closes nothing`);
    this.#dropKey();
    this.#flow -= 1;
    this.#keyAllowed = false;
    this.#mark(kind);
  }

  #separator(): void {
    this.#keyAllowed = true;
    this.#dropKey();
    this.#mark(",");
  }

  #listEntry(): void {
    this.#openBlockHere("start of a list", "a list entry");
    this.#keyAllowed = true;
    this.#dropKey();
    this.#mark("-");
  }

  #explicitKey(): void {
    this.#openBlockHere("start of a mapping", "a mapping key");
    this.#keyAllowed = this.#flow === 0;
    this.#dropKey();
    this.#mark("?");
  }

  #value(): void {
    const key = this.#keys[this.#flow];
    if (key === undefined) {
      this.#openBlockHere("start of a mapping", "a mapping value");
      this.#keyAllowed = this.#flow === 0;
    } else {
      this.#keys[this.#flow] = undefined;
      const marks: Token[] = [{ kind: "?", start: key.at }];
      if (this.#flow === 0 && this.#deepen(key.column)) marks.unshift({ kind: "start of a mapping", start: key.at });
      this.#tokens.splice(key.index, 0, ...marks);
      this.#keyAllowed = false;
    }
    this.#mark(":");
  }

  #name(kind: "alias" | "anchor"): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const start = this.#cursor.at;
    const name = scanAnchor(this.#cursor);
    this.#tokens.push({ kind, start, end: this.#cursor.at, name });
  }

  #tag(): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const start = this.#cursor.at;
    const tag = scanTag(this.#cursor);
    this.#tokens.push({ kind: "tag", start, end: this.#cursor.at, tag });
  }

  #block(): void {
    this.#keyAllowed = true;
    this.#dropKey();
    const start = this.#cursor.at;
    const { text, end } = scanBlockScalar(this.#cursor, this.#indent + 1);
    this.#tokens.push({ kind: "scalar", start, end, text, plain: false });
  }

  #quoted(): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const start = this.#cursor.at;
    const text = scanQuoted(this.#cursor);
    this.#tokens.push({ kind: "scalar", start, end: this.#cursor.at, text, plain: false });
  }

  #plain(): void {
    this.#saveKey();
    const start = this.#cursor.at;
    const { text, end, crossedLine } = scanPlain(this.#cursor, this.#indent + 1, this.#flow > 0);
    this.#keyAllowed = crossedLine;
    this.#tokens.push({ kind: "scalar", start, end, text, plain: true });
  }

  /** Opens a block collection where an indicator stands deeper than the current one. */
  #openBlockHere(kind: "start of a list" | "start of a mapping", what: string): void {
    if (this.#flow > 0) return;
    if (!this.#keyAllowed) throw this.#cursor.error(`${what} is not allowed here`);
    if (this.#deepen(this.#cursor.column)) this.#push(kind);
  }

  #deepen(column: number): boolean {
    if (this.#indent >= column) return false;
    this.#indents.push(this.#indent);
    this.#indent = column;
    this.#checkDepth();
    return true;
  }

  #closeBlocks(column: number): void {
    if (this.#flow > 0) return;
    while (this.#indent > column) {
      this.#indent = this.#indents.pop() ?? -1;
      this.#push("end of a block");
    }
  }

  #checkDepth(): void {
    if (this.#flow + this.#indents.length > MAX_YAML_DEPTH) {
      const message = `YAML nested deeper than ${MAX_YAML_DEPTH} levels is not read.`;
      throw new ModelbenchError("budget.exceeded", message, { offset: this.#cursor.at });
    }
  }

  #saveKey(): void {
    if (!this.#keyAllowed) return;
    this.#dropKey();
    const { at, line, column } = this.#cursor;
    const required = this.#flow === 0 && this.#indent === column;
    this.#keys[this.#flow] = { index: this.#tokens.length, required, at, line, column };
  }

  #dropKey(level = this.#flow): void {
    const key = this.#keys[level];
    if (key?.required) throw this.#cursor.error('expected ":" after a key', key.at);
    this.#keys[level] = undefined;
  }

  /** A key must be followed by its `:` on the same line and within `MAX_KEY_LENGTH` characters. */
  #dropStaleKeys(): void {
    for (let level = 0; level <= this.#flow; level += 1) {
      const key = this.#keys[level];
      if (key !== undefined && (key.line !== this.#cursor.line || this.#tooLong(key))) this.#dropKey(level);
    }
  }

  #tooLong(key: PossibleKey): boolean {
    const units = this.#cursor.at - key.at;
    if (units <= MAX_KEY_LENGTH) return false;
    return units > 2 * MAX_KEY_LENGTH || [...this.#cursor.text.slice(key.at, this.#cursor.at)].length > MAX_KEY_LENGTH;
  }
}
