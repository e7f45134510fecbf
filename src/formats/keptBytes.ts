import { ModelbenchError } from "../base/errors";
import type { FileReader } from "./fileReader";

/** How much of one member is kept, in bytes. */
export const KEPT_BYTES = 64 * 2 ** 20;
/** First allocation; it doubles, so that a claimed size costs nothing. */
const FIRST_BYTES = 65_536;

/** The first 64 MiB of a file that passes in a stream; the next file takes the same memory. */
export class KeptBytes {
  #memory = Buffer.alloc(0);
  #kept = 0;
  #size = 0;

  /** Forgets what was kept and starts on a file of `size` bytes. */
  begin(size: number): void {
    this.#kept = 0;
    this.#size = size;
  }

  /** Keeps a copy of what fits. */
  push(chunk: Uint8Array): void {
    const length = Math.min(chunk.length, KEPT_BYTES - this.#kept);
    if (length <= 0) return;
    this.#reserve(this.#kept + length);
    this.#memory.set(chunk.subarray(0, length), this.#kept);
    this.#kept += length;
  }

  /** Reads what is kept until the next `begin`; `size` is the whole file's. @throws ModelbenchError `budget.exceeded` */
  reader(name: string): FileReader {
    return {
      size: this.#size,
      read: (offset, length) => {
        const end = offset + length;
        if (!(offset >= 0 && length >= 0 && end <= this.#size)) {
          const message = `${name}: bytes ${offset} to ${end} were expected, but the file has ${this.#size}.`;
          throw new ModelbenchError("format.corrupt", message, { path: name, offset });
        }
        if (end > this.#kept) {
          const message = `${name}: only the first ${KEPT_BYTES / 2 ** 20} MiB of a file inside an archive are looked into.`;
          throw new ModelbenchError("budget.exceeded", message, { path: name, offset });
        }
        return this.#memory.subarray(offset, end);
      },
      close() {},
    };
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#memory.length) return;
    const room = Math.min(KEPT_BYTES, Math.max(FIRST_BYTES, bytes, this.#memory.length * 2));
    const memory = Buffer.allocUnsafeSlow(room);
    memory.set(this.#memory.subarray(0, this.#kept));
    this.#memory = memory;
  }
}
