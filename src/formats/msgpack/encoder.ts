/** Takes what is written, in order; a view is only valid during the call. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** Bytes gathered before the sink gets them. */
const BUFFER_BYTES = 1 << 16;

/**
 * Writes MessagePack item by item into a sink, each number in its shortest form, as Python's packer does. Contents of
 * any length pass through `raw`, so that none of them need be in memory at once.
 */
export class MsgpackEncoder {
  readonly #sink: ByteSink;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #filled = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  nil(): void {
    this.#byte(0xc0);
  }

  bool(value: boolean): void {
    this.#byte(value ? 0xc3 : 0xc2);
  }

  /** From -2^63 to 2^64-1, the integers of MessagePack. */
  int(value: bigint): void {
    if (value >= -32n && value < 128n) {
      this.#byte(Number(value) & 0xff);
    } else {
      const step = value < 0n ? signedStep(value) : unsignedStep(value);
      this.#byte((value < 0n ? 0xd0 : 0xcc) + step);
      this.#number(BigInt.asUintN(64, value), 2 ** step);
    }
  }

  /** Always in 8 bytes. */
  float(value: number): void {
    const at = this.#room(9);
    this.#buffer[at] = 0xcb;
    this.#buffer.writeDoubleBE(value, at + 1);
  }

  /** In UTF-8; half a surrogate pair becomes U+FFFD. */
  text(value: string): void {
    const bytes = Buffer.from(value, "utf8");
    if (bytes.length < 32) this.#byte(0xa0 | bytes.length);
    else this.#length([0xd9, 0xda, 0xdb], bytes.length);
    this.raw(bytes);
  }

  /** The header of `length` bytes, less than 2^32, which are to follow through `raw`. */
  bytes(length: number): void {
    this.#length([0xc4, 0xc5, 0xc6], length);
  }

  /** The header of an extension of `length` bytes, less than 2^32, which are to follow. */
  extension(code: number, length: number): void {
    const fixed = [1, 2, 4, 8, 16].indexOf(length);
    if (fixed >= 0) this.#byte(0xd4 + fixed);
    else this.#length([0xc7, 0xc8, 0xc9], length);
    this.#byte(code & 0xff);
  }

  /** The header of an array of `length` items, which are to follow. */
  array(length: number): void {
    if (length < 16) this.#byte(0x90 | length);
    else this.#length([undefined, 0xdc, 0xdd], length);
  }

  /** The header of a map of `length` pairs, which are to follow: key, value, key, value. */
  map(length: number): void {
    if (length < 16) this.#byte(0x80 | length);
    else this.#length([undefined, 0xde, 0xdf], length);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    if (bytes.length > BUFFER_BYTES - this.#filled) this.flush();
    if (bytes.length > BUFFER_BYTES) {
      this.#sink.write(bytes);
    } else {
      this.#buffer.set(bytes, this.#filled);
      this.#filled += bytes.length;
    }
  }

  /** Hands everything to the sink; call it at the end. */
  flush(): void {
    if (this.#filled > 0) this.#sink.write(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  /** The lead byte for 1, 2 or 4 bytes of length, and the length. */
  #length(leads: readonly (number | undefined)[], length: number): void {
    const steps = [2 ** 8, 2 ** 16, 2 ** 32];
    const step = steps.findIndex((limit, i) => length < limit && leads[i] !== undefined);
    this.#byte(leads[step] ?? 0);
    this.#number(BigInt(length), 2 ** step);
  }

  #number(value: bigint, width: number): void {
    const at = this.#room(width);
    if (width === 8) this.#buffer.writeBigUInt64BE(value, at);
    else this.#buffer.writeUIntBE(Number(BigInt.asUintN(width * 8, value)), at, width);
  }

  #byte(value: number): void {
    const at = this.#room(1);
    this.#buffer[at] = value;
  }

  #room(count: number): number {
    if (this.#filled + count > BUFFER_BYTES) this.flush();
    const at = this.#filled;
    this.#filled += count;
    return at;
  }
}

function unsignedStep(value: bigint): number {
  return [8n, 16n, 32n, 64n].findIndex((bits) => value < 2n ** bits);
}

function signedStep(value: bigint): number {
  return [8n, 16n, 32n, 64n].findIndex((bits) => value >= -(2n ** (bits - 1n)));
}
