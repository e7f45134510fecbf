/** A block of 900,000 bytes is hardly ever packed into more. */
const FIRST_BYTES = 1024 * 1024;

/** Collects bits, the highest first, into bytes. */
export class BitWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;
  #bits = 0;
  #count = 0;

  /** Appends the lowest `count` bits of `value`, at most 24. */
  put(value: number, count: number): void {
    this.#bits = (this.#bits << count) | value;
    this.#count += count;
    while (this.#count >= 8) {
      this.#count -= 8;
      if (this.#at === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], this.#at * 2);
      this.#bytes[this.#at++] = (this.#bits >>> this.#count) & 0xff;
    }
  }

  /** Appends 32 bits. */
  putWord(value: number): void {
    this.put(value >>> 16, 16);
    this.put(value & 0xffff, 16);
  }

  /** Fills the last byte with zeros. */
  align(): void {
    if (this.#count > 0) this.put(0, 8 - this.#count);
  }

  /** Hands out the whole bytes so far; valid until the next `put`. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    return taken;
  }
}
