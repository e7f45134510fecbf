import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";
import { elementCount, itemSize } from "../elements";
import { type ByteSink, MsgpackEncoder } from "../msgpack/encoder";
import type { DType } from "../tensor";
import { storedType } from "./dtypes";
import { MAX_RANK } from "./extensions";
import { leafName, type TreeKey } from "./stored";
import type { ArrayPieces, FlaxArray, FlaxComplex, FlaxExtension, FlaxTree } from "./tree";
import { CHUNKED } from "./unchunk";

/** How a tree is written. */
export interface WriteOptions {
  /** Arrays of more bytes are split, as flax does above 2^30, which is the default. */
  readonly chunkBytes?: number;
}

/** flax's MAX_CHUNK_SIZE. */
const CHUNK_BYTES = 2 ** 30;
/** Where Python's packer stops. */
export const MAX_DEPTH = 511;
/** Longest extension, and so the longest array that is not split. */
const MAX_BYTES = 2 ** 32 - 1;

/** Why an array is not read back, in words that follow its name. */
export function whyNotFlax(dtype: DType, shape: readonly number[]): string | undefined {
  if (shape.length > MAX_RANK) return `has ${shape.length} dimensions, and numpy allows ${MAX_RANK}`;
  // numpy counts the bytes as if there were no dimension of 0.
  const bytes = shape.reduce((product, dim) => product * (dim || 1), itemSize(dtype) ?? 1);
  return bytes > Number.MAX_SAFE_INTEGER ? "has dimensions that no array can have" : undefined;
}

/**
 * Writes a tree as flax does: keys in their order, each leaf as its own type, arrays above 2^30 bytes in chunks, but not
 * those inside lists. The tree stays as it is; array data is asked for when its turn comes and passed on piece by piece.
 * @throws ModelbenchError `usage` for what a flax file cannot hold, with its place in the tree; the sink's own failures
 * @see flax 0.12.8 serialization.py msgpack_serialize
 */
export function writeFlax(tree: FlaxTree<ArrayPieces>, sink: ByteSink, options: WriteOptions = {}): void {
  const encoder = new MsgpackEncoder(sink);
  const steps = new TreeWriter(encoder, options.chunkBytes ?? CHUNK_BYTES).node(tree, false);
  while (!steps.next().done);
  encoder.flush();
}

/**
 * The same bytes piece by piece, so that whoever writes them may rest in between.
 * @throws ModelbenchError as `writeFlax`
 */
export function* flaxFile(tree: FlaxTree<ArrayPieces>, options: WriteOptions = {}): Generator<Uint8Array, void> {
  const parts: Uint8Array[] = [];
  const encoder = new MsgpackEncoder({ write: (part) => parts.push(new Uint8Array(part)) });
  const steps = new TreeWriter(encoder, options.chunkBytes ?? CHUNK_BYTES).node(tree, false);
  while (!steps.next().done) yield* parts.splice(0);
  encoder.flush();
  yield* parts.splice(0);
}

/** Work that rests after each piece of array data. */
type Steps = Generator<void, void>;

class TreeWriter {
  readonly #encoder: MsgpackEncoder;
  readonly #chunkBytes: number;
  readonly #path: TreeKey[] = [];

  constructor(encoder: MsgpackEncoder, chunkBytes: number) {
    this.#encoder = encoder;
    this.#chunkBytes = chunkBytes;
  }

  *node(tree: FlaxTree<ArrayPieces>, inList: boolean): Steps {
    if (this.#path.length > MAX_DEPTH) throw this.#refused(`it is nested more than ${MAX_DEPTH} levels deep`);
    if (tree instanceof Map) yield* this.#map(tree, inList);
    else if (Array.isArray(tree)) yield* this.#list(tree);
    else yield* this.#leaf(tree as Leaf, inList);
  }

  *#map(map: ReadonlyMap<TreeKey, FlaxTree<ArrayPieces>>, inList: boolean): Steps {
    this.#encoder.map(map.size);
    for (const [key, value] of map) {
      this.#path.push(key);
      this.#key(key);
      yield* this.node(value, inList);
      this.#path.pop();
    }
  }

  *#list(items: readonly FlaxTree<ArrayPieces>[]): Steps {
    this.#encoder.array(items.length);
    for (const [index, item] of items.entries()) {
      this.#path.push(index);
      yield* this.node(item, true);
      this.#path.pop();
    }
  }

  #key(key: TreeKey): void {
    if (typeof key === "string") this.#text(key);
    else if (Number.isSafeInteger(key)) this.#encoder.int(BigInt(key));
    else throw this.#refused(`the key ${String(key)} is neither a text nor an integer`);
  }

  *#leaf(leaf: Leaf, inList: boolean): Steps {
    if (leaf === null) this.#encoder.nil();
    else if (typeof leaf === "boolean") this.#encoder.bool(leaf);
    else if (typeof leaf === "bigint") this.#int(leaf);
    else if (typeof leaf === "number") this.#encoder.float(leaf);
    else if (typeof leaf === "string") this.#text(leaf);
    else if (leaf instanceof Uint8Array) this.#bytes(leaf);
    else if (leaf?.kind === "complex") this.#complex(leaf);
    else if (leaf?.kind === "ext") this.#extension(leaf);
    else if (leaf?.kind === "ndarray" || leaf?.kind === "npscalar") yield* this.#array(leaf, inList);
    else throw this.#refused(`${classOf(leaf)} was found, a leaf or a Map was expected`);
  }

  /** UTF-8 has no form for half a surrogate pair. */
  #text(value: string): void {
    if (!isWellFormed(value)) throw this.#refused(`the text ${visible(JSON.stringify(value))} holds half a character`);
    this.#encoder.text(value);
  }

  #bytes(value: Uint8Array): void {
    this.#encoder.bytes(value.length);
    this.#encoder.raw(value);
  }

  #complex({ re, im }: FlaxComplex): void {
    // An array of two floats of 9 bytes each.
    this.#encoder.extension(2, 19);
    this.#encoder.array(2);
    this.#encoder.float(re);
    this.#encoder.float(im);
  }

  #extension({ code, data }: FlaxExtension): void {
    if (!(Number.isInteger(code) && code >= -1 && code < 128)) throw this.#refused(`there is no extension ${code}`);
    this.#encoder.extension(code, data.length);
    this.#encoder.raw(data);
  }

  #int(value: bigint): void {
    if (value < -(2n ** 63n) || value >= 2n ** 64n) {
      throw this.#refused(`${value} is outside -2^63 to 2^64-1, the integers of MessagePack`);
    }
    this.#encoder.int(value);
  }

  *#array({ kind, dtype, shape, data }: FlaxArray<ArrayPieces>, inList: boolean): Steps {
    const size = this.#itemSize(dtype);
    if (kind === "npscalar" && shape.length > 0) throw this.#refused("a numpy scalar has no dimensions");
    const count = elementCount(shape);
    const source = new PieceSource(data, count * size, (what) => this.#refused(what));
    if (kind === "npscalar" || inList || count * size <= this.#chunkBytes) {
      this.#arrayHeader(kind === "ndarray" ? 1 : 3, dtype, shape, count * size);
      yield* source.pass(count * size, this.#encoder);
    } else {
      yield* this.#chunks(dtype, shape, count, source);
    }
    source.expectEnd();
  }

  /** @see flax 0.12.8 serialization.py _chunk */
  *#chunks(dtype: string, shape: readonly number[], count: number, source: PieceSource): Steps {
    const size = source.bytes / count;
    const length = Math.max(1, Math.floor(this.#chunkBytes / size));
    const chunks = Math.ceil(count / length);
    this.#encoder.map(3);
    this.#encoder.text(CHUNKED);
    this.#encoder.bool(true);
    this.#encoder.text("shape");
    this.#encoder.map(shape.length);
    shape.forEach((dim, axis) => {
      this.#encoder.text(String(axis));
      this.#encoder.int(BigInt(dim));
    });
    this.#encoder.text("chunks");
    this.#encoder.map(chunks);
    for (let i = 0; i < chunks; i++) {
      const elements = Math.min(length, count - i * length);
      this.#encoder.text(String(i));
      this.#arrayHeader(1, dtype, [elements], elements * size);
      yield* source.pass(elements * size, this.#encoder);
    }
  }

  /** Everything of an array that stands before its values. */
  #arrayHeader(code: number, dtype: string, shape: readonly number[], bytes: number): void {
    const header: Uint8Array[] = [];
    const inner = new MsgpackEncoder({ write: (part) => header.push(Uint8Array.from(part)) });
    inner.array(3);
    inner.array(shape.length);
    for (const dim of shape) inner.int(BigInt(dim));
    inner.text(dtype);
    inner.bytes(Math.min(bytes, MAX_BYTES));
    inner.flush();
    const length = header.reduce((sum, part) => sum + part.length, 0) + bytes;
    if (length > MAX_BYTES) throw this.#refused(`${bytes} bytes are too many for one array inside a list`);
    this.#encoder.extension(code, length);
    for (const part of header) this.#encoder.raw(part);
  }

  #itemSize(dtype: FlaxArray["dtype"]): number {
    const size = storedType(dtype)?.dtype === dtype ? itemSize(dtype) : undefined;
    if (size === undefined) throw this.#refused(`arrays of ${visible(String(dtype))} cannot be stored`);
    return size;
  }

  #refused(what: string): ModelbenchError {
    const place = this.#path.length === 0 ? "The tree" : visible(leafName(this.#path));
    return new ModelbenchError("usage", `${place} cannot be written as flax MessagePack: ${what}.`);
  }
}

function classOf(value: unknown): string {
  return visible(String((value as object | undefined)?.constructor?.name ?? typeof value));
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

type Leaf = Exclude<
  FlaxTree<ArrayPieces>,
  readonly FlaxTree<ArrayPieces>[] | ReadonlyMap<TreeKey, FlaxTree<ArrayPieces>>
>;

/** Array data handed on in whatever portions are asked for. */
class PieceSource {
  /** Bytes that the array takes. */
  readonly bytes: number;
  readonly #pieces: Iterator<Uint8Array>;
  readonly #refused: (what: string) => ModelbenchError;
  #left: Uint8Array = new Uint8Array(0);
  #passed = 0;

  constructor(data: ArrayPieces, bytes: number, refused: (what: string) => ModelbenchError) {
    const pieces: Iterable<Uint8Array> = data instanceof Uint8Array ? [data] : data;
    this.#pieces = pieces[Symbol.iterator]();
    this.bytes = bytes;
    this.#refused = refused;
  }

  *pass(count: number, encoder: MsgpackEncoder): Steps {
    for (let wanted = count; wanted > 0; ) {
      if (this.#left.length === 0 && !this.#next()) throw this.#mismatch();
      const part = this.#left.subarray(0, wanted);
      encoder.raw(part);
      this.#left = this.#left.subarray(part.length);
      this.#passed += part.length;
      wanted -= part.length;
      yield;
    }
  }

  expectEnd(): void {
    while (this.#left.length === 0) if (!this.#next()) return;
    throw this.#mismatch();
  }

  #next(): boolean {
    const { done, value } = this.#pieces.next();
    if (done === true) return false;
    this.#left = value;
    return true;
  }

  #mismatch(): ModelbenchError {
    const there = this.#passed < this.bytes ? `only ${this.#passed} are there` : "more are there";
    return this.#refused(`the array takes ${this.bytes} bytes of data, ${there}`);
  }
}
