import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { encodeStrings, itemSize } from "../elements";
import type { DType } from "../tensor";
import { memoryData, runData, type TensorData } from "../tensorData";
import type { PlacedLeaf, Run, StoredArray } from "./stored";

/** Bytes handed out at once. */
const PIECE_BYTES = 1 << 20;
/** Longest text that is read whole. */
const MAX_TEXT_BYTES = 2 ** 28;

/**
 * The values of a leaf: of an array its elements; of other leaves one element (`int64`, `uint64` above 2^63,
 * `float64`, `bool`, `complex128`, `string`), of bytes one `uint8` each.
 * @param name of the leaf in failures
 * @throws ModelbenchError `tensor.unreadable` for a leaf without values, `format.corrupt` for a text that is no UTF-8
 */
export function leafData(reader: PositionalReader, leaf: PlacedLeaf["leaf"], name: string): TensorData {
  switch (leaf.kind) {
    case "ndarray":
    case "npscalar":
      return arrayData(reader, leaf);
    case "bytes":
      return runData(reader, "uint8", [leaf.run.bytes], leaf.run.offset);
    case "str":
      return memoryData({ dtype: "string", shape: [], data: encodeStrings([textOf(reader, leaf.run, name)]) });
    case "int":
      return scalar(leaf.value >= 2n ** 63n ? "uint64" : "int64", (view) =>
        view.setBigUint64(0, BigInt.asUintN(64, leaf.value), true),
      );
    case "float":
      return scalar("float64", (view) => view.setFloat64(0, leaf.value, true));
    case "complex":
      return scalar("complex128", (view) => {
        view.setFloat64(0, leaf.re, true);
        view.setFloat64(8, leaf.im, true);
      });
    case "bool":
      return scalar("bool", (view) => view.setUint8(0, leaf.value ? 1 : 0));
    default: {
      const what = leaf.kind === "ext" ? `of type ${leaf.nativeDtype}` : leaf.kind;
      throw new ModelbenchError("tensor.unreadable", `${name} is ${what}: it has no values to show.`);
    }
  }
}

function scalar(dtype: DType, set: (view: DataView) => void): TensorData {
  const data = new Uint8Array(itemSize(dtype) ?? 0);
  set(new DataView(data.buffer));
  return memoryData({ dtype, shape: [], data });
}

/** A text of the file. @throws ModelbenchError `format.corrupt` when it is no UTF-8, `budget.exceeded` above 256 MiB */
export function textOf(reader: PositionalReader, { offset, bytes }: Run, name: string): string {
  if (bytes > MAX_TEXT_BYTES) {
    throw new ModelbenchError(
      "budget.exceeded",
      `${name} is a text of ${bytes} bytes; at most ${MAX_TEXT_BYTES} are read.`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(reader.read(offset, bytes));
  } catch (cause) {
    if (cause instanceof ModelbenchError) throw cause;
    throw new ModelbenchError("format.corrupt", `${name} is a text that is not valid UTF-8.`, { offset, cause });
  }
}

function arrayData(reader: PositionalReader, array: StoredArray): TensorData {
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
  const copy = Buffer.from(bytes);
  if (width === 2) return copy.swap16();
  return width === 4 ? copy.swap32() : copy.swap64();
}
