import { Budget } from "../../base/budget";
import { ModelbenchError, type Warning } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { visible } from "../../base/visible";
import { MsgpackCursor, type MsgpackToken } from "../msgpack/cursor";
import { checkTimestamp, readArrayHeader, readComplex } from "./extensions";
import { leafName, type StoredLeaf, type StoredNode, type TreeKey } from "./stored";
import { unchunked } from "./unchunk";

/** What the headers of a flax file say. */
export interface FlaxHeader {
  readonly root: StoredNode;
  readonly warnings: readonly Warning[];
}

/** flax's own reader ends near 1,000 levels. */
const MAX_DEPTH = 1000;
/** Values in one file: a listing of as many, written as JSON, stays within 256 MiB of memory. */
const MAX_NODES = 50_000;
/** Longest key that is read: names are far shorter, and a header may claim any length. */
const MAX_KEY_BYTES = 65_536;
/** Bytes of all keys together. */
const MAX_KEYS_BYTES = 64 * 2 ** 20;
/** Texts up to here are checked to be UTF-8, as Python does; longer ones when they are read. */
const MAX_CHECKED_TEXT = 1 << 20;

/** The bounds that a file is read within when the caller has none of his own. */
function flaxBudget(name: string): Budget {
  return new Budget(name, { nodes: MAX_NODES, depth: MAX_DEPTH, bytes: MAX_KEYS_BYTES });
}

/**
 * Reads the structure of a flax MessagePack file: no array, long text or bytes is read, only what describes them.
 * Stricter than flax: a dimension below 0, keys other than texts and integers, and chunks of different types are
 * refused; of equal keys the last one counts, with a warning `flax.duplicateKey`.
 * @param name of the file in failures
 * @throws ModelbenchError `format.corrupt` with the place, `budget.exceeded`
 * @see flax 0.12.8 serialization.py msgpack_restore
 */
export function readFlaxHeader(reader: PositionalReader, name: string, budget = flaxBudget(name)): FlaxHeader {
  const reading = new HeaderReading(new MsgpackCursor(reader, name), name, budget);
  const root = reading.document();
  return { root: unchunked(root, name), warnings: reading.warnings };
}

class HeaderReading {
  readonly #cursor: MsgpackCursor;
  readonly #name: string;
  readonly #budget: Budget;
  readonly #path: TreeKey[] = [];
  #duplicates = 0;
  #firstDuplicate: { readonly name: string; readonly offset: number } | undefined;

  constructor(cursor: MsgpackCursor, name: string, budget: Budget) {
    this.#cursor = cursor;
    this.#name = name;
    this.#budget = budget;
  }

  get warnings(): Warning[] {
    if (!this.#firstDuplicate) return [];
    const { name, offset } = this.#firstDuplicate;
    const others = this.#duplicates > 1 ? ` So are keys at ${this.#duplicates - 1} other places.` : "";
    const message = `${name} is there more than once; the last value counts, as in flax.${others}`;
    return [{ code: "flax.duplicateKey", message, path: this.#name, offset }];
  }

  document(): StoredNode {
    const root = this.#node();
    this.#cursor.expectEnd();
    return root;
  }

  #node(): StoredNode {
    this.#budget.nodes();
    const start = this.#cursor.offset;
    const token = this.#cursor.next();
    if (token.type !== "array" && token.type !== "map") return this.#located(start, () => this.#leaf(token));
    this.#budget.enter();
    const node = token.type === "map" ? this.#map(token.length) : this.#list(token.length);
    this.#budget.leave();
    return node;
  }

  #map(length: number): StoredNode {
    const entries = new Map<TreeKey, StoredNode>();
    for (let i = 0; i < length; i++) {
      const start = this.#cursor.offset;
      const key = this.#key(start);
      if (entries.has(key)) this.#duplicate(key, start);
      this.#path.push(key);
      entries.set(key, this.#node());
      this.#path.pop();
    }
    return entries;
  }

  #list(length: number): StoredNode {
    const items: StoredNode[] = [];
    for (let i = 0; i < length; i++) {
      this.#path.push(i);
      items.push(this.#node());
      this.#path.pop();
    }
    return items;
  }

  #key(start: number): TreeKey {
    const token = this.#cursor.next();
    if (token.type === "str") {
      if (token.length > MAX_KEY_BYTES) {
        throw this.#cursor.corrupt(`a key has ${token.length} bytes; at most ${MAX_KEY_BYTES} are read`, start);
      }
      this.#budget.bytes(token.length);
      return this.#cursor.text(token);
    }
    if (token.type === "int" && Number.isSafeInteger(Number(token.value))) return Number(token.value);
    const what = token.type === "int" ? `the integer ${token.value}` : token.type;
    throw this.#cursor.corrupt(`a key is ${what}; texts and integers up to 2^53 are read`, start);
  }

  #leaf(token: Exclude<MsgpackToken, { readonly type: "array" } | { readonly type: "map" }>): StoredLeaf {
    switch (token.type) {
      case "nil":
        return { kind: "null" };
      case "bin":
        return { kind: "bytes", run: { offset: token.offset, bytes: token.length } };
      case "str":
        if (token.length <= MAX_CHECKED_TEXT) this.#cursor.text(token);
        return { kind: "str", run: { offset: token.offset, bytes: token.length } };
      case "ext":
        return this.#extension(token);
      case "int":
        return { kind: "int", value: token.value };
      case "float":
        return { kind: "float", value: token.value };
      case "bool":
        return { kind: "bool", value: token.value };
    }
  }

  #extension(token: Extract<MsgpackToken, { readonly type: "ext" }>): StoredLeaf {
    const { code, offset, length } = token;
    if (code === 2) return readComplex(this.#cursor, token);
    if (code === 1 || code === 3) return readArrayHeader(this.#cursor, token);
    if (code < -1) throw this.#cursor.corrupt(`MessagePack has no extension ${code}`, offset);
    if (code === -1) checkTimestamp(this.#cursor, token);
    const nativeDtype = code === -1 ? "timestamp" : `ext ${code}`;
    return { kind: "ext", code, nativeDtype, shape: [], run: { offset, bytes: length } };
  }

  #duplicate(key: TreeKey, offset: number): void {
    this.#duplicates += 1;
    this.#firstDuplicate ??= { name: visible(leafName([...this.#path, key])), offset };
  }

  /** Adds to a failure which leaf it is about. */
  #located<T>(offset: number, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ModelbenchError) || error.code !== "format.corrupt") throw error;
      const file = error.path === undefined ? `${this.#name}: ` : "";
      const place = this.#path.length === 0 ? "" : ` It is in ${visible(leafName(this.#path))}.`;
      throw new ModelbenchError("format.corrupt", `${file}${error.message}${place}`, {
        path: this.#name,
        offset: error.offset ?? offset,
        cause: error,
      });
    }
  }
}
