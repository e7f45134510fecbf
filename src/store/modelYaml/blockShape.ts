const KEY = "[A-Za-z0-9_./-]*[A-Za-z0-9_]";
const PLAIN = "(?:[A-Za-z0-9_./+]|-(?=[A-Za-z0-9.]))(?:[^:#]|:(?=[^ ]))*";
const ESCAPE = '\\\\(?:x[0-9A-F]{2}|u[0-9A-F]{4}|[nt"\\\\])';
const QUOTED = `'(?:[^']|'')*'|"(?:[^"\\\\]|${ESCAPE})*"`;
const VALUE = `\\{\\}|\\[\\]|${QUOTED}|\\*(id[0-9]+)|${PLAIN}`;
const LINE = new RegExp(`^( +)(- )?(?:(${KEY}):(?: (?:&(id[0-9]+)|(?:${VALUE})))?|(?:${VALUE}))$`);

/** One open collection of a block. */
interface Level {
  readonly column: number;
  readonly list: boolean;
}

/**
 * Checks, line by line, that an indented block is one that PyYAML reads: one key or one list item a line,
 * values complete on their line, columns that fit. Answers no to much that is sound but out of the ordinary.
 */
export class BlockShape {
  readonly #levels: Level[] = [];
  readonly #anchors = new Set<string>();
  /** The last line was a key whose value must follow. */
  #open = true;
  #leftNull = false;
  #mapping = false;

  /** Whether the block is a mapping, as far as its first line says. */
  get isMapping(): boolean {
    return this.#mapping;
  }

  /** Whether the last line's key still waits for its value. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether the line before the last one was a key without a value. */
  get leftNull(): boolean {
    return this.#leftNull;
  }

  /** Takes the next line, which starts with a space; `false` where the block leaves the ordinary. */
  accepts(line: string): boolean {
    const match = LINE.exec(line);
    if (match === null) return false;
    const [, margin = "", dash, key, anchor] = match;
    if (!this.#names(match[5] ?? match[6], anchor)) return false;
    if (dash === undefined && key === undefined) return false;
    if (!this.#enter(margin.length, dash !== undefined)) return false;
    if (dash !== undefined && key !== undefined) this.#levels.push({ column: margin.length + 2, list: false });
    this.#open = key !== undefined && (anchor !== undefined || line.endsWith(`${key}:`));
    return true;
  }

  #names(alias: string | undefined, anchor: string | undefined): boolean {
    if (alias !== undefined) return this.#anchors.has(alias);
    if (anchor === undefined) return true;
    if (this.#anchors.has(anchor)) return false;
    this.#anchors.add(anchor);
    return true;
  }

  #enter(column: number, list: boolean): boolean {
    const levels = this.#levels;
    const first = levels.length === 0;
    const before = levels[levels.length - 1];
    this.#leftNull = false;
    if (first || (this.#open && before !== undefined && this.#isChild(column, list, before))) {
      if (first) this.#mapping = !list;
      levels.push({ column, list });
      return true;
    }
    this.#leftNull = this.#open;
    let level = before;
    while (level !== undefined && (level.column > column || (level.column === column && level.list && !list))) {
      levels.pop();
      level = levels[levels.length - 1];
    }
    return level !== undefined && level.column === column && level.list === list;
  }

  /** A list may stand in the column of its key, everything else must stand deeper. */
  #isChild(column: number, list: boolean, { column: parent, list: inList }: Level): boolean {
    return column > parent || (column === parent && list && !inList);
  }
}
