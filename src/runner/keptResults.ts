import { ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import { sliceTensor } from "./merge";
import { framePart } from "./valueStart";
import { type FrameValue, isTensor } from "./values";

/** What can be read by rows. */
export type Rows = Tensor | FrameValue;

/** Results that stay in the runner and are read by slices: the least recently used go first. */
export class KeptResults {
  readonly #maxBytes: number;
  readonly #results = new Map<string, Rows>();
  /** Tells handles of this process from those of an earlier one. */
  readonly #prefix: string;
  #bytes = 0;
  #count = 0;

  /** @param maxBytes what all results together may take; one that is bigger by itself is kept alone */
  constructor(maxBytes: number, prefix = `${process.pid}`) {
    this.#maxBytes = maxBytes;
    this.#prefix = prefix;
  }

  /** Keeps a result and returns its handle. */
  keep(result: Rows): string {
    this.#count += 1;
    const handle = `${this.#prefix}-${this.#count}`;
    const own = ownRows(result);
    this.#bytes += bytesOf(own);
    for (const [old, dropped] of this.#results) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#results.delete(old);
      this.#bytes -= bytesOf(dropped);
    }
    this.#results.set(handle, own);
    return handle;
  }

  /**
   * Rows `[start, start + count)` of the first axis, fewer at the end, and of a table no more than travel at once; a
   * scalar is answered whole.
   * @throws ModelbenchError `result.gone`
   */
  read(handle: string, start: number, count: number): Rows {
    const result = this.#results.get(handle);
    if (result === undefined) {
      throw new ModelbenchError("result.gone", "This result is no longer in memory.", {
        remedy: "Run again to see it.",
      });
    }
    this.#results.delete(handle);
    this.#results.set(handle, result);
    if (!isTensor(result)) return framePart(result, start, count);
    const rows = result.shape[0];
    if (rows === undefined) return result;
    const from = Math.min(start, rows);
    return sliceTensor(result, 0, from, Math.min(count, rows - from));
  }
}

/** A slice of a batch would hold the whole batch in memory. */
function ownRows(result: Rows): Rows {
  if (!isTensor(result)) return { ...result, columns: result.columns.map(([name, values]) => [name, ownData(values)]) };
  return ownData(result);
}

function ownData(tensor: Tensor): Tensor {
  const { data } = tensor;
  return data.byteLength === data.buffer.byteLength ? tensor : { ...tensor, data: new Uint8Array(data) };
}

function bytesOf(result: Rows): number {
  if (isTensor(result)) return result.data.byteLength;
  return result.columns.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
}
