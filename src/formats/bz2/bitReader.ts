import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";

/** Bytes fetched at once. */
const SLAB_BYTES = 65_536;

/** A bzip2 error near a byte of the file. */
export function corruptBz2(message: string, offset: number): ModelbenchError {
  return new ModelbenchError("archive.corrupt", `Damaged bzip2: ${message} near byte ${offset}.`, { offset });
}

/** Takes bits from a source, the highest bit of each byte first. */
export class BitReader {
  readonly #reader: PositionalReader;
  readonly #onInput: (consumedBytes: number) => void;
  #slab = new Uint8Array(0);
  #slabAt = 0;
  #at = 0;
  #bits = 0;
  #count = 0;

  /** @param onInput hears how many bytes have been fetched */
  constructor(reader: PositionalReader, onInput: (consumedBytes: number) => void) {
    this.#reader = reader;
    this.#onInput = onInput;
  }

  /** The byte that the next bit is in. */
  get offset(): number {
    return this.#slabAt + this.#at - (this.#count >> 3);
  }

  /** Whether nothing but the rest of a byte is left. */
  get atEnd(): boolean {
    return this.#count < 8 && this.#slabAt + this.#at >= this.#reader.size;
  }

  /** The next `count` bits, at most 24. @throws ModelbenchError `archive.corrupt` at the end */
  take(count: number): number {
    const value = this.peek(count);
    this.#count -= count;
    return value;
  }

  /** The same without taking them. */
  peek(count: number): number {
    while (this.#count < count) this.#fill();
    return (this.#bits >>> (this.#count - count)) & ((1 << count) - 1);
  }

  /** Drops bits that were looked at. */
  drop(count: number): void {
    this.#count -= count;
  }

  /** 32 bits as a signed number, as checks are compared. */
  takeWord(): number {
    const high = this.take(16);
    return (high << 16) | this.take(16);
  }

  /** Drops the rest of a byte. */
  align(): void {
    this.#count -= this.#count & 7;
  }

  #fill(): void {
    if (this.#at >= this.#slab.length) this.#load();
    this.#bits = (this.#bits << 8) | (this.#slab[this.#at++] as number);
    this.#count += 8;
  }

  #load(): void {
    const next = this.#slabAt + this.#slab.length;
    const length = Math.min(SLAB_BYTES, this.#reader.size - next);
    if (length <= 0) throw corruptBz2("it ends too early", next);
    this.#slab = new Uint8Array(this.#reader.read(next, length));
    this.#slabAt = next;
    this.#at = 0;
    this.#onInput(next + length);
  }
}
