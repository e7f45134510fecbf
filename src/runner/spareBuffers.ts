/** What is kept for the next batches at most. */
const MAX_BYTES = 33_554_432;

/** Sizes that recur are few: that of a full batch, and for several inputs one each. */
const MAX_BUFFERS = 8;

/**
 * Memory of batches that have run, for the next ones: fresh memory costs a page fault for every 4 KiB, which is more
 * than copying rows into it. Only a buffer of the very size is given again, since one that is posted moves as a whole.
 */
export class SpareBuffers {
  readonly #kept: ArrayBuffer[] = [];
  #bytes = 0;

  /** So many bytes with a buffer of their own, which hold anything. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const at = this.#kept.findIndex(({ byteLength }) => byteLength === size);
    const [buffer] = at < 0 ? [] : this.#kept.splice(at, 1);
    if (buffer === undefined) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
    this.#bytes -= size;
    return new Uint8Array(buffer);
  }

  /** Takes back what nobody reads any more; the oldest is let go for it. */
  keep(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) {
      if (buffer.byteLength === 0 || buffer.byteLength > MAX_BYTES) continue;
      this.#kept.push(buffer);
      this.#bytes += buffer.byteLength;
      while (this.#bytes > MAX_BYTES || this.#kept.length > MAX_BUFFERS) {
        this.#bytes -= this.#kept.shift()?.byteLength ?? 0;
      }
    }
  }
}
