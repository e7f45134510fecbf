import { StreamBreak } from "./streamBreak";

/** Opcodes that are followed in one file, whatever it holds; more is "cannot tell". */
const MAX_OPCODES = 1_000_000;
/** Bytes of opcodes and of the arguments that are looked at; data of arrays is skipped and does not count. */
const MAX_BYTES = 10 * 1024 * 1024;

/** Bytes that are made of compressed members, failed tries included. */
const MAX_INFLATED_BYTES = 128 * 1024 * 1024;
/** Time for unpacking members: damaged ones cost more than they give. */
const MAX_INFLATE_MS = 2_000;
/** Bytes of members that are compared with their checksums. */
const MAX_CHECKED_BYTES = 256 * 1024 * 1024;
/** What listed arrays may cost, in characters of their paths: two bytes refer to one again, however deep it lies. */
const MAX_LISTED_CHARACTERS = 16 * 1024 * 1024;
/** What an array costs beside its path, and a number in that. */
const ARRAY_CHARACTERS = 128;
const NUMBER_CHARACTERS = 8;

/** What is left of the work that one file may cost; shared by its streams and members. */
export class ScanLimits {
  #opcodes = MAX_OPCODES;
  #bytes = MAX_BYTES;
  #inflatedBytes = MAX_INFLATED_BYTES;
  #inflateMs = MAX_INFLATE_MS;
  #checkedBytes = MAX_CHECKED_BYTES;
  #listedCharacters = MAX_LISTED_CHARACTERS;

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

  /** Bytes that may still be made of compressed ones. */
  get inflatable(): number {
    return this.#inflateMs > 0 ? Math.max(0, this.#inflatedBytes) : 0;
  }

  /** Accounts for bytes made of compressed ones, and the time that took. */
  inflated(bytes: number, ms: number): void {
    this.#inflatedBytes -= bytes;
    this.#inflateMs -= ms;
  }

  /** Whether that many bytes may be compared with their checksum; accounts for them. */
  checks(bytes: number): boolean {
    if (bytes > this.#checkedBytes) return false;
    this.#checkedBytes -= bytes;
    return true;
  }

  /** Whether an array of that path may be listed; accounts for it. */
  lists(path: readonly (string | number)[]): boolean {
    this.#listedCharacters -= ARRAY_CHARACTERS;
    for (const key of path) this.#listedCharacters -= typeof key === "string" ? key.length : NUMBER_CHARACTERS;
    return this.#listedCharacters >= 0;
  }

  /** Whether there were more arrays than may be listed. */
  get isListCut(): boolean {
    return this.#listedCharacters < 0;
  }

  /** Accounts for bytes about to be read. @throws StreamBreak `limit` */
  bytes(count: number, offset: number): void {
    this.#bytes -= count;
    if (this.#bytes < 0) {
      throw new StreamBreak("limit", `There are more than ${MAX_BYTES >> 20} MiB of opcodes.`, offset);
    }
  }
}
