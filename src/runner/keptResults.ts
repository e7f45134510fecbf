import { ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import { sliceTensor } from "./merge";

/** Results that stay in the runner and are read by slices: the least recently used go first. */
export class KeptResults {
  readonly #maxBytes: number;
  readonly #tensors = new Map<string, Tensor>();
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
  keep(tensor: Tensor): string {
    this.#count += 1;
    const handle = `${this.#prefix}-${this.#count}`;
    // A slice of a batch would hold the whole batch in memory.
    const data = tensor.data.byteLength === tensor.data.buffer.byteLength ? tensor.data : new Uint8Array(tensor.data);
    this.#bytes += data.byteLength;
    for (const [old, { data: dropped }] of this.#tensors) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#tensors.delete(old);
      this.#bytes -= dropped.byteLength;
    }
    this.#tensors.set(handle, { ...tensor, data });
    return handle;
  }

  /**
   * Rows `[start, start + count)` of the first axis, fewer at the end; a scalar is answered whole.
   * @throws ModelbenchError `result.gone`
   */
  read(handle: string, start: number, count: number): Tensor {
    const tensor = this.#tensors.get(handle);
    if (tensor === undefined) {
      throw new ModelbenchError("result.gone", "This result is no longer in memory.", {
        remedy: "Run again to see it.",
      });
    }
    this.#tensors.delete(handle);
    this.#tensors.set(handle, tensor);
    const rows = tensor.shape[0];
    if (rows === undefined) return tensor;
    const from = Math.min(start, rows);
    return sliceTensor(tensor, 0, from, Math.min(count, rows - from));
  }
}
