import { Budget } from "../../base/budget";
import { ModelbenchError, type Warning } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { dtypeByNativeName, type SafetensorsDtype } from "./dtypes";
import { HeaderTokens } from "./headerTokens";
import { quoted } from "./quoted";
import { checkRanges } from "./ranges";
import { Remarks } from "./remarks";

/** The real library reads no header of more bytes. */
export const MAX_HEADER_BYTES = 100_000_000;
/** Bytes before the header: its length. */
export const LENGTH_BYTES = 8;
/** The key that holds text instead of a tensor. */
export const METADATA_KEY = "__metadata__";

/** Tensors, dimensions and metadata that one header may have: far above any model, and some 100 MiB. */
const MAX_VALUES = 500_000;
/** Bytes of names and texts. */
const MAX_TEXT_BYTES = 128 * 1024 ** 2;

/** A tensor as the header states it. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly type: SafetensorsDtype;
  /** Exact: a tensor without values may have dimensions up to 2^64 - 1. */
  readonly shape: readonly bigint[];
  /** Absolute offset of the first byte. */
  readonly start: number;
  readonly bytes: number;
}

/** Where something stands in the header's text. */
export interface HeaderSpan {
  readonly start: number;
  readonly end: number;
}

/** What a header says. */
export interface SafetensorsHeader {
  /** In the header's order. */
  readonly entries: readonly SafetensorsEntry[];
  /** `null` when there is none; of equal keys the last counts. */
  readonly metadata: ReadonlyMap<string, string> | null;
  /** The member `__metadata__` in the header's text, from its key to the end of its value. */
  readonly metadataSpan: HeaderSpan | null;
  /** Absolute offset of the first byte behind the header. */
  readonly dataStart: number;
  /** What the real library accepts without a word. */
  readonly warnings: readonly Warning[];
}

/**
 * Reads and checks the header of a safetensors file, as strictly as the real library; beyond it, a tensor that comes
 * twice or is no object is refused. Two positional reads, whatever the size of the file.
 * @throws ModelbenchError `format.corrupt` with the offset, `budget.exceeded`
 * @see safetensors 0.8.0 src/tensor.rs
 */
export function readSafetensorsHeader(reader: PositionalReader, path: string): SafetensorsHeader {
  const length = headerLength(reader, path);
  const bytes = reader.read(LENGTH_BYTES, length);
  const budget = new Budget(path, { nodes: MAX_VALUES, bytes: MAX_TEXT_BYTES });
  const parser = new HeaderParser(new HeaderTokens(bytes, path, LENGTH_BYTES, budget), path, budget);
  parser.document();
  const dataStart = LENGTH_BYTES + length;
  return {
    entries: checkRanges(parser.claims, dataStart, reader.size - dataStart, path),
    metadata: parser.metadata,
    metadataSpan: parser.metadataSpan,
    dataStart,
    warnings: parser.remarks.warnings(),
  };
}

/** Length of the header in bytes, which lies in the file. @throws ModelbenchError `format.corrupt` */
function headerLength(reader: PositionalReader, path: string): number {
  const wrong = (what: string) => new ModelbenchError("format.corrupt", `${path}: ${what}.`, { path, offset: 0 });
  if (reader.size < LENGTH_BYTES) {
    throw wrong(`has ${reader.size} bytes; a safetensors file starts with a length of ${LENGTH_BYTES}`);
  }
  const length = Buffer.from(reader.read(0, LENGTH_BYTES)).readBigUInt64LE(0);
  if (length > MAX_HEADER_BYTES) {
    throw wrong(`claims a header of ${length} bytes; at most ${MAX_HEADER_BYTES} are read`);
  }
  const rest = reader.size - LENGTH_BYTES;
  if (length > rest) throw wrong(`claims a header of ${length} bytes, of which ${rest} are there`);
  return Number(length);
}

/** A tensor before its range is checked. */
export interface ClaimedEntry {
  readonly name: string;
  readonly type: SafetensorsDtype;
  readonly shape: readonly bigint[];
  readonly begin: bigint;
  readonly end: bigint;
  /** Where its name stands in the file. */
  readonly offset: number;
}

class HeaderParser {
  readonly claims: ClaimedEntry[] = [];
  metadata: Map<string, string> | null = null;
  metadataSpan: HeaderSpan | null = null;
  readonly remarks: Remarks;
  readonly #tokens: HeaderTokens;
  readonly #budget: Budget;
  readonly #names = new Set<string>();

  constructor(tokens: HeaderTokens, path: string, budget: Budget) {
    this.#tokens = tokens;
    this.#budget = budget;
    this.remarks = new Remarks(path);
  }

  document(): void {
    const tokens = this.#tokens;
    tokens.peek();
    if (tokens.at > 0) this.remarks.add("space", "white space before the header's first bracket", LENGTH_BYTES);
    tokens.object((key, keyAt) => {
      if (key === METADATA_KEY) this.#metadata(keyAt);
      else this.#tensor(key, keyAt);
    });
    const closed = tokens.at;
    tokens.end();
    if (!tokens.isOnlySpaces(closed)) {
      this.remarks.add(
        "space",
        "white space other than spaces behind the header's last bracket",
        LENGTH_BYTES + closed,
      );
    }
  }

  #metadata(keyAt: number): void {
    const tokens = this.#tokens;
    if (this.metadataSpan) throw tokens.wrong(`has ${METADATA_KEY} twice`, keyAt);
    if (!tokens.null()) {
      const metadata = new Map<string, string>();
      tokens.object((key, at) => {
        this.#budget.nodes();
        if (metadata.has(key)) {
          this.remarks.add("metadata", `the metadata ${quoted(key)} twice; the last counts`, LENGTH_BYTES + at);
        }
        metadata.set(key, tokens.string());
      });
      this.metadata = metadata;
    }
    this.metadataSpan = { start: keyAt, end: tokens.at };
  }

  #tensor(name: string, keyAt: number): void {
    this.#budget.nodes();
    const tokens = this.#tokens;
    if (this.#names.has(name)) throw tokens.wrong(`has the tensor ${quoted(name)} twice`, keyAt);
    this.#names.add(name);
    if (name.includes("\0")) this.remarks.add("name", `a NUL in the name ${quoted(name)}`, LENGTH_BYTES + keyAt);
    const fields: { type?: SafetensorsDtype; shape?: bigint[]; range?: [bigint, bigint] } = {};
    tokens.object((field, fieldAt) => {
      const known = FIELDS.get(field);
      if (known === undefined) {
        this.remarks.add("field", `the unknown field ${quoted(field)}`, LENGTH_BYTES + fieldAt);
        return tokens.skip();
      }
      if (fields[known] !== undefined) throw tokens.wrong(`has ${field} twice in ${quoted(name)}`, fieldAt);
      if (known === "type") fields.type = this.#type(name);
      else if (known === "shape") fields.shape = this.#shape();
      else fields.range = this.#range();
    });
    const { type, shape, range } = fields;
    if (!(type && shape && range)) {
      const missing = !type ? "dtype" : !shape ? "shape" : "data_offsets";
      throw tokens.wrong(`has no ${missing} for the tensor ${quoted(name)}`, keyAt);
    }
    this.claims.push({ name, type, shape, begin: range[0], end: range[1], offset: LENGTH_BYTES + keyAt });
  }

  #type(name: string): SafetensorsDtype {
    this.#tokens.peek();
    const at = this.#tokens.at;
    const native = this.#tokens.string();
    const type = dtypeByNativeName.get(native);
    if (type) return type;
    const what = `has the unknown dtype ${quoted(native)} for the tensor ${quoted(name)}`;
    throw this.#tokens.wrong(what, at);
  }

  #shape(): bigint[] {
    const shape: bigint[] = [];
    this.#tokens.array(() => {
      this.#budget.nodes();
      shape.push(this.#tokens.unsigned());
    });
    return shape;
  }

  #range(): [bigint, bigint] {
    const start = this.#tokens.at;
    const offsets: bigint[] = [];
    this.#tokens.array(() => {
      if (offsets.length === 2) throw this.#tokens.wrong("has more than two data_offsets", start);
      offsets.push(this.#tokens.unsigned());
    });
    const [begin, end] = offsets;
    if (begin === undefined || end === undefined) throw this.#tokens.wrong("has less than two data_offsets", start);
    return [begin, end];
  }
}

const FIELDS: ReadonlyMap<string, "type" | "shape" | "range"> = new Map([
  ["dtype", "type"],
  ["shape", "shape"],
  ["data_offsets", "range"],
]);
