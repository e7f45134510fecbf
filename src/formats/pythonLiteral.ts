/** What a Python literal of plain values means; a tuple is an array that is frozen. */
export type PythonLiteral = string | number | boolean | null | readonly PythonLiteral[] | Map<string, PythonLiteral>;

/** Lists, tuples and dictionaries that may be open at once. */
const MAX_DEPTH = 32;

const SPACE = /[ \t\r\n\f]*/y;
const END = /[ \t\f]*[\r\n]*/y;
const INTEGER = /-?(?:0+|[1-9][0-9]*)L?(?![0-9A-Za-z_.])/y;
const TEXT = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/y;
const WORD = /(?:True|False|None)(?![0-9A-Za-z_'"])/y;
const ESCAPE = /\\(?:([\\'"])|([nrt])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/gs;
const CONTROLS: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * Reads a Python literal as `repr` writes it: dictionaries with text keys, lists, tuples, text, integers (with Python 2's
 * `L`, too), `True`, `False` and `None`. Of equal keys the last counts.
 * @returns `undefined` for anything else, other spellings of the same values included
 */
export function parsePythonLiteral(text: string): PythonLiteral | undefined {
  const reading = new LiteralReading(text);
  try {
    return reading.document();
  } catch (error) {
    if (error instanceof NotLiteral) return undefined;
    throw error;
  }
}

/** Whether a value is a tuple, which a list is not. */
export function isTuple(value: PythonLiteral | undefined): value is readonly PythonLiteral[] {
  return Array.isArray(value) && Object.isFrozen(value);
}

class NotLiteral extends Error {}

class LiteralReading {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PythonLiteral {
    const value = this.#value();
    // Behind the end of a line Python takes spaces for an indentation.
    this.#match(END);
    if (this.#at < this.#text.length) throw new NotLiteral();
    return value;
  }

  #value(): PythonLiteral {
    this.#match(SPACE);
    const next = this.#text[this.#at];
    if (next === "{") return this.#nested(() => this.#dictionary());
    if (next === "[") return this.#nested(() => this.#items("]").items);
    if (next === "(") return this.#nested(() => this.#tuple());
    if (next === "'" || next === '"') return this.#string();
    const word = this.#match(WORD);
    if (word !== undefined) return word === "None" ? null : word === "True";
    const integer = this.#match(INTEGER);
    if (integer === undefined) throw new NotLiteral();
    return Number.parseInt(integer, 10);
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new NotLiteral();
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #dictionary(): Map<string, PythonLiteral> {
    const entries = new Map<string, PythonLiteral>();
    while (!this.#takes("}")) {
      this.#match(SPACE);
      const key = this.#string();
      if (!this.#takes(":")) throw new NotLiteral();
      entries.set(key, this.#value());
      if (this.#takes(",")) continue;
      if (!this.#takes("}")) throw new NotLiteral();
      break;
    }
    return entries;
  }

  /** One item without a comma is only in parentheses. */
  #tuple(): PythonLiteral {
    const { items, isClosedByComma } = this.#items(")");
    const [only] = items;
    return items.length === 1 && !isClosedByComma && only !== undefined ? only : Object.freeze(items);
  }

  #items(end: string): { items: PythonLiteral[]; isClosedByComma: boolean } {
    const items: PythonLiteral[] = [];
    let isClosedByComma = false;
    while (!this.#takes(end)) {
      items.push(this.#value());
      isClosedByComma = this.#takes(",");
      if (isClosedByComma) continue;
      if (!this.#takes(end)) throw new NotLiteral();
      break;
    }
    return { items, isClosedByComma };
  }

  #string(): string {
    const literal = this.#match(TEXT);
    if (literal === undefined) throw new NotLiteral();
    return literal.slice(1, -1).replace(ESCAPE, (_, quoted, control, byte, unit) => {
      if (quoted !== undefined) return quoted;
      if (control !== undefined) return CONTROLS[control] ?? "";
      const code = byte ?? unit;
      if (code === undefined) throw new NotLiteral();
      return String.fromCharCode(Number.parseInt(code, 16));
    });
  }

  #takes(character: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found?.[0];
  }
}
