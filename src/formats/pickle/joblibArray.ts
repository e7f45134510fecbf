import type { Cursor } from "./cursor";
import { entryOf, items, type NumpyType, numpyType, shapeOf } from "./numpyTypes";
import { StreamBreak } from "./streamBreak";
import { type ArrayNode, importOf, type Value } from "./values";

/** How a stream is read. */
export interface JoblibOptions {
  /** Whether raw array bytes follow a `NumpyArrayWrapper`, as joblib writes them. */
  readonly joblib: boolean;
}

/** An array that joblib has written raw behind its `NumpyArrayWrapper`. */
export interface JoblibArray {
  readonly type: NumpyType;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  /** Whether a length byte and that much padding come first. */
  readonly isPadded: boolean;
}

/** What BUILD has made joblib read bytes for. */
export interface JoblibBuild {
  /** `undefined` when it cannot be told how many bytes. */
  readonly array: JoblibArray | undefined;
  /** Whether all is as joblib itself writes it; otherwise joblib may read on at another place. */
  readonly isSure: boolean;
}

/** Modules that the wrapper has been in. */
const WRAPPER_MODULES: ReadonlySet<string> = new Set(["joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"]);

const REQUIRED: readonly string[] = ["subclass", "shape", "order", "dtype"];
const ALIGNMENT = "numpy_array_alignment_bytes";
const KEYS: ReadonlySet<Value> = new Set([...REQUIRED, "allow_mmap", ALIGNMENT]);

/** Whether a value is joblib's wrapper itself, by whatever path it is imported. */
export function isJoblibWrapper(value: Value): boolean {
  if (value === null || typeof value !== "object" || value.kind !== "import") return false;
  return /(^|\.)NumpyArrayWrapper$/.test(value.name ?? "");
}

/**
 * Whether BUILD makes joblib read bytes: where it completes a wrapper, or what may be one by its state. joblib reads
 * for instances of subclasses, too, and however they were made.
 * @see joblib numpy_pickle.py, NumpyUnpickler.load_build, NumpyArrayWrapper.read_array
 */
export function joblibBuild(target: Value, state: Value): JoblibBuild | undefined {
  const array = arrayOf(target, state);
  const isWrapper = isJoblibWrapper(importOf(target) ?? null);
  const hasLayout = REQUIRED.every((key) => entryOf(state, key) !== undefined);
  if (!isWrapper && !(array && hasLayout)) return undefined;
  return { array, isSure: array?.type.isUsual === true && isBare(target) && isUsualState(state) };
}

function arrayOf(target: Value, state: Value): JoblibArray | undefined {
  const type = numpyType(entryOf(state, "dtype"));
  // Whatever it has of dimensions: its bytes, or objects, are read before numpy refuses it.
  const shape = shapeOf(entryOf(state, "shape"), Number.POSITIVE_INFINITY);
  if (!type || !shape) return undefined;
  const alignment = entryOf(state, ALIGNMENT);
  const isPadded = alignment === undefined ? isInitialised(target) : alignment !== null;
  return { type, shape, fortranOrder: entryOf(state, "order") === "F", isPadded };
}

/** Made by `__new__` alone, of the wrapper itself, and without a state so far. */
function isBare(target: Value): boolean {
  if (target === null || typeof target !== "object" || target.kind !== "call" || !isJoblibWrapper(target.callee)) {
    return false;
  }
  const source = importOf(target);
  const isKnown = source?.name === "NumpyArrayWrapper" && WRAPPER_MODULES.has(source.module ?? "");
  return isKnown && items(target.args)?.length === 0 && target.state === undefined;
}

/** Made by a call with arguments: `__init__` gives the alignment that the state leaves out. */
function isInitialised(target: Value): boolean {
  if (target === null || typeof target !== "object" || target.kind !== "call") return false;
  return isJoblibWrapper(target.callee) && items(target.args)?.length !== 0;
}

function isUsualState(state: Value): boolean {
  if (state === null || typeof state !== "object" || state.kind !== "dict") return false;
  const alignment = entryOf(state, ALIGNMENT) ?? null;
  const isComplete = REQUIRED.every((key) => entryOf(state, key) !== undefined);
  const isKnown = state.entries.every((key, i) => i % 2 === 1 || KEYS.has(key));
  return isComplete && isKnown && (alignment === null || typeof alignment === "number");
}

/** Goes past the raw bytes. @throws StreamBreak `truncated` */
export function skipJoblibArray(array: JoblibArray, cursor: Cursor, offset: number): ArrayNode {
  if (array.isPadded) cursor.skip(cursor.u8());
  const bytes = array.shape.reduce((count, length) => count * length, 1) * array.type.itemBytes;
  if (!Number.isSafeInteger(bytes)) throw new StreamBreak("truncated", "An array is larger than any file.", offset);
  const start = cursor.at;
  cursor.skip(bytes);
  return {
    kind: "array",
    dtype: array.type.dtype,
    nativeDtype: array.type.nativeDtype,
    bigEndian: array.type.bigEndian,
    fortranOrder: array.fortranOrder,
    shape: array.shape,
    offset: start,
    bytes,
  };
}
