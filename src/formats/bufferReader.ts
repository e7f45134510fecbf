import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";

/** A positional reader over bytes in memory; `name` is what failures call them. Views share the memory. */
export function bufferReader(bytes: Uint8Array, name = "buffer"): PositionalReader {
  return {
    size: bytes.length,
    read(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
        throw new ModelbenchError(
          "format.corrupt",
          `${name}: bytes ${offset} to ${offset + length} were expected, but there are ${bytes.length}.`,
          { path: name, offset },
        );
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}
