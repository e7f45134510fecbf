import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { elementCount, itemSize } from "../elements";
import { runData, type TensorData } from "../tensorData";
import type { PlacedLeaf, Run, StoredArray } from "./stored";
import type { FlaxComplex } from "./tree";

/** Bytes handed out at once. */
const PIECE_BYTES = 1 << 20;
/** Longest text and longest bytes that are read whole. */
const MAX_WHOLE_BYTES = 2 ** 28;

/** The value of a leaf that is no array. */
export type PlainValue = null | boolean | bigint | number | string | Uint8Array | FlaxComplex;

/**
 * The value of a leaf that is no array; `undefined` for arrays, extensions and what is empty.
 * @param name of the leaf in failures
 * @throws ModelbenchError `format.corrupt` for a text that is no UTF-8, `budget.exceeded` for one above 256 MiB
 */
export function plainValue(reader: PositionalReader, leaf: PlacedLeaf["leaf"], name: string): PlainValue | undefined {
  switch (leaf.kind) {
    case "str":
      return textOf(reader, leaf.run, name);
    case "bytes":
      return Uint8Array.from(contentOf(reader, leaf.run, name));
    case "int":
    case "float":
    case "bool":
      return leaf.value;
    case "complex":
      return leaf;
    case "null":
      return null;
    default:
      return undefined;
  }
}

function textOf(reader: PositionalReader, run: Run, name: string): string {
  const bytes = contentOf(reader, run, name);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ModelbenchError("format.corrupt", `${name} is a text that is not valid UTF-8.`, {
      offset: run.offset,
      cause,
    });
  }
}

function contentOf(reader: PositionalReader, { offset, bytes }: Run, name: string): Uint8Array {
  if (bytes <= MAX_WHOLE_BYTES) return reader.read(offset, bytes);
  throw new ModelbenchError(
    "budget.exceeded",
    `${name} has ${bytes} bytes; at most ${MAX_WHOLE_BYTES} are read whole.`,
  );
}

/** The values of an array, from wherever its runs lie, as little-endian ones. */
export function arrayData(reader: PositionalReader, array: StoredArray): TensorData {
  const { dtype, shape, runs, bigEndian } = array;
  const [only] = runs;
  if (!bigEndian && only && runs.length === 1) return runData(reader, dtype, shape, only.offset);
  const size = itemSize(dtype) ?? 1;
  const total = runs.reduce((sum, run) => sum + run.bytes, 0);
  const read = (from: number, length: number): Uint8Array => {
    const bytes = joined(reader, runs, from, length);
    return bigEndian ? turned(bytes, dtype.startsWith("complex") ? size / 2 : size) : bytes;
  };
  return {
    dtype,
    shape,
    read: (start, count) => read(start * size, count * size),
    *stored() {
      for (let at = 0; at < total; at += PIECE_BYTES) yield read(at, Math.min(PIECE_BYTES, total - at));
    },
  };
}

/** The values of any tensor but one of texts, piece by piece, as `writeFlax` takes them. */
export function* valuePieces(data: TensorData): Iterable<Uint8Array> {
  const size = itemSize(data.dtype) ?? 1;
  const count = elementCount(data.shape);
  const step = Math.floor(PIECE_BYTES / size);
  for (let at = 0; at < count; at += step) yield data.read(at, Math.min(step, count - at));
}

/** Bytes `[from, from + length)` of what the runs hold together; a view of the reader when one run has them all. */
function joined(reader: PositionalReader, runs: readonly Run[], from: number, length: number): Uint8Array {
  let result: Uint8Array | undefined;
  let start = 0;
  for (const run of runs) {
    const first = Math.max(from, start);
    const end = Math.min(from + length, start + run.bytes);
    if (first < end) {
      const part = reader.read(run.offset + first - start, end - first);
      if (part.length === length) return part;
      result ??= new Uint8Array(length);
      result.set(part, first - from);
    }
    start += run.bytes;
  }
  return result ?? new Uint8Array(0);
}

/** A copy with the bytes of each number in the other order. @param width bytes of a number, 2 to 8 */
function turned(bytes: Uint8Array, width: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = Buffer.from(copy.buffer);
  if (width === 2) view.swap16();
  else if (width === 4) view.swap32();
  else view.swap64();
  return copy;
}
