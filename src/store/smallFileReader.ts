import { closeSync, constants, openSync, readSync } from "node:fs";
import { ModelbenchError } from "../base/errors";

/** No model.yaml of a real model comes near this; anything bigger is refused before it is parsed. */
const MAX_MODEL_YAML = 1 << 20;

/** Fits nearly every model.yaml; bigger ones take a buffer of their own. */
const USUAL_BYTES = 1 << 16;

// A pipe of that name must not hang the reader: without a writer it reads as empty.
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Reads many small files one after the other into one buffer. */
export class SmallFileReader {
  readonly #buffer = Buffer.allocUnsafe(USUAL_BYTES);

  /**
   * The whole file; the bytes are valid until the next call. Failures to open or read are those of `node:fs`.
   * @throws ModelbenchError `yaml.invalid` over 1 MiB
   */
  read(path: string): Buffer {
    const file = openSync(path, READ);
    try {
      const count = readSync(file, this.#buffer, 0, USUAL_BYTES, 0);
      return count < USUAL_BYTES ? this.#buffer.subarray(0, count) : this.#readBig(file, path);
    } finally {
      closeSync(file);
    }
  }

  #readBig(file: number, path: string): Buffer {
    const big = Buffer.allocUnsafe(MAX_MODEL_YAML + 1);
    let count = 0;
    for (let n = -1; n !== 0 && count < big.length; count += n) {
      n = readSync(file, big, count, big.length - count, count);
    }
    if (count > MAX_MODEL_YAML) {
      throw new ModelbenchError("yaml.invalid", `${path} is larger than ${MAX_MODEL_YAML} bytes.`, { path });
    }
    return big.subarray(0, count);
  }
}
