/** What a `.env` file says. */
export interface Dotenv {
  /** The last value of each key, quotes and escapes resolved, `$NAME` left as it stands. */
  readonly variables: Readonly<Record<string, string>>;
  /** Lines, counted from 1, that are no assignment; they count for nothing. */
  readonly badLines: readonly number[];
}

/** One step of the grammar of python-dotenv, which is what most Python programs read such a file with. */
const GRAMMAR = {
  blank: /\s*/y,
  comment: /#[^\r\n]*/y,
  exported: /export[^\S\r\n]+/y,
  quotedKey: /'([^']+)'[^\S\r\n]*/y,
  key: /([^=#\s]+)[^\S\r\n]*/y,
  equals: /=[^\S\r\n]*/y,
  single: /'((?:\\[\s\S]|[^'\\])*)'/y,
  double: /"((?:\\[\s\S]|[^"\\])*)"/y,
  unquoted: /([^\r\n]*)/y,
  end: /[^\S\r\n]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|$)/y,
  rest: /[^\r\n]*(?:\r\n|\r|\n|$)/y,
} as const;

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Reads a `.env` file as python-dotenv does; a line that is no assignment is reported and passed over. */
export function parseDotenv(text: string): Dotenv {
  const variables = new Map<string, string>();
  const badLines: number[] = [];
  const reader = new Reader(text.replace(/^\uFEFF/, ""));
  for (;;) {
    reader.take("blank");
    if (reader.isAtEnd) break;
    const start = reader.at;
    const read = binding(reader);
    if (read === undefined) {
      badLines.push(reader.lineOf(start));
      reader.take("rest");
    } else if (read.value === undefined) variables.delete(read.key);
    else variables.set(read.key, read.value);
  }
  return { variables: Object.fromEntries(variables), badLines };
}

/** `undefined` where the line is none; a comment binds nothing, and a key alone takes its value away. */
function binding(reader: Reader): { readonly key: string; readonly value: string | undefined } | undefined {
  reader.take("exported");
  const isComment = reader.next === "#";
  const key = isComment ? "" : reader.take(reader.next === "'" ? "quotedKey" : "key");
  if (key === undefined) return undefined;
  const equals = isComment ? undefined : reader.take("equals");
  const value = equals === undefined ? { text: undefined } : assigned(reader, equals);
  if (value === undefined || reader.take("end") === undefined) return undefined;
  return { key, value: value.text };
}

function assigned(reader: Reader, equals: string): { readonly text: string } | undefined {
  // Behind a blank a `#` begins a comment; right behind the `=` it belongs to the value.
  if (reader.next === "#" && equals.length > 1) return { text: "" };
  if (reader.next === "'") return unescaped(reader.take("single"), /\\[\\']/g);
  if (reader.next === '"') return unescaped(reader.take("double"), /\\[\\'"abfnrtv]/g);
  return { text: (reader.take("unquoted") ?? "").replace(/\s+#.*/, "").trimEnd() };
}

function unescaped(quoted: string | undefined, escapes: RegExp): { readonly text: string } | undefined {
  if (quoted === undefined) return undefined;
  return { text: quoted.replace(escapes, (whole) => ESCAPES[whole.slice(1)] ?? whole.slice(1)) };
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  get next(): string | undefined {
    return this.#text[this.#at];
  }

  /** What the rule matched here, its group if it has one; `undefined` and no step where it does not match. */
  take(rule: keyof typeof GRAMMAR): string | undefined {
    const pattern = GRAMMAR[rule];
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#at += match[0].length;
    return match[1] ?? match[0];
  }

  lineOf(offset: number): number {
    return this.#text.slice(0, offset).split(/\r\n|\r|\n/).length;
  }
}
