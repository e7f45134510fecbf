import type { Cursor } from "./cursor";
import { entryOf, type NumpyType, numpyType, shapeOf } from "./numpyTypes";
import { StreamBreak } from "./streamBreak";
import { type ArrayNode, importOf, type Value } from "./values";

/** An array that joblib has written raw behind its `NumpyArrayWrapper`. */
export interface JoblibArray {
  readonly wrapper: Value;
  readonly type: NumpyType;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  /** Whether a length byte and that much padding come first. */
  readonly isPadded: boolean;
  readonly hasObjects: boolean;
}

/** Modules that the wrapper has been in. */
const WRAPPER_MODULES: ReadonlySet<string> = new Set(["joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"]);

/** Whether something is made of joblib's wrapper. */
export function isJoblibWrapper(target: Value): boolean {
  const source = importOf(target);
  return source?.name === "NumpyArrayWrapper" && WRAPPER_MODULES.has(source.module ?? "");
}

/**
 * What BUILD has just completed, when that is a wrapper of an array whose bytes come next.
 * @see joblib numpy_pickle.py, NumpyArrayWrapper.read_array
 */
export function joblibArray(target: Value, state: Value): JoblibArray | undefined {
  if (!isJoblibWrapper(target)) return undefined;
  const type = numpyType(entryOf(state, "dtype"));
  const shape = shapeOf(entryOf(state, "shape"));
  if (!type || !shape) return undefined;
  const alignment = entryOf(state, "numpy_array_alignment_bytes");
  return {
    wrapper: target,
    type,
    shape,
    fortranOrder: entryOf(state, "order") === "F",
    isPadded: alignment !== undefined && alignment !== null,
    hasObjects: type.hasObjects,
  };
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
