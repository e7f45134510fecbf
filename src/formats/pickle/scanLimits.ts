import { StreamBreak } from "./streamBreak";

/** Opcodes that are followed in one file, whatever it holds; more is "cannot tell". */
const MAX_OPCODES = 1_000_000;
/** Bytes of opcodes and of the arguments that are looked at; data of arrays is skipped and does not count. */
const MAX_BYTES = 10 * 1024 * 1024;

/** What is left of the work that one file may cost; shared by its streams and members. */
export class ScanLimits {
  #opcodes = MAX_OPCODES;
  #bytes = MAX_BYTES;

  /** Whether the work may go on. */
  get left(): boolean {
    return this.#opcodes > 0 && this.#bytes > 0;
  }

  /** Accounts for opcodes about to be followed. @throws StreamBreak `limit` */
  opcodes(count: number, offset: number): void {
    this.#opcodes -= count;
    if (this.#opcodes < 0) {
      throw new StreamBreak("limit", `There are more than ${MAX_OPCODES.toLocaleString("en")} opcodes.`, offset);
    }
  }

  /** Accounts for bytes about to be read. @throws StreamBreak `limit` */
  bytes(count: number, offset: number): void {
    this.#bytes -= count;
    if (this.#bytes < 0) {
      throw new StreamBreak("limit", `There are more than ${MAX_BYTES >> 20} MiB of opcodes.`, offset);
    }
  }
}
