import { BitWriter } from "./bitWriter";
import { writeBlock } from "./blockWriter";
import { bz2Crc, bz2StreamCrc } from "./crc";
import { RotationSorter } from "./rotations";

/** `bzip2 -9`. A reader allocates four bytes for each of these. */
const LEVEL = 9;
const BLOCK_BYTES = LEVEL * 100_000;
/** A run takes at most five bytes, and a block is not filled to the last one. */
const ROOM_BYTES = 20;
/** Longer runs are written as several. */
const MAX_RUN = 255;

/**
 * Compresses content into a .bz2 of one stream; yields empty views while a block is sorted. A view is valid until the
 * next one is asked for.
 */
export async function* writeBz2(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bits = new BitWriter();
  const sorter = new RotationSorter(BLOCK_BYTES);
  const block = new RunLengthBlock();
  const symbols = new Uint16Array(BLOCK_BYTES + 1);
  let streamCrc = 0;
  bits.put(0x425a, 16);
  bits.put(0x68, 8);
  bits.put(0x30 + LEVEL, 8);
  function* flush(): Generator<Uint8Array> {
    const { bytes, crc } = block.take();
    if (bytes.length === 0) return;
    const sorting = sorter.sort(bytes);
    let step = sorting.next();
    for (; !step.done; step = sorting.next()) yield EMPTY;
    bits.put(0x314159, 24);
    bits.put(0x265359, 24);
    bits.putWord(crc);
    for (const _step of writeBlock(bits, bytes, step.value, symbols)) yield EMPTY;
    streamCrc = bz2StreamCrc(streamCrc, crc);
    yield bits.take();
  }
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; ) {
      at += block.fill(chunk.subarray(at));
      if (block.isFull) yield* flush();
    }
  }
  yield* flush();
  bits.put(0x177245, 24);
  bits.put(0x385090, 24);
  bits.putWord(streamCrc);
  bits.align();
  yield bits.take();
}

const EMPTY = new Uint8Array(0);

/** The first step: four equal bytes are followed by how many more of them come. */
class RunLengthBlock {
  readonly #bytes = new Uint8Array(BLOCK_BYTES);
  #length = 0;
  #crc = -1;
  #last = -1;
  #run = 0;

  get isFull(): boolean {
    return this.#length >= BLOCK_BYTES - ROOM_BYTES;
  }

  /** Takes as much as fits and answers with how much that was. */
  fill(chunk: Uint8Array): number {
    let at = 0;
    for (; at < chunk.length && !this.isFull; at++) {
      const byte = chunk[at] as number;
      if (byte !== this.#last || this.#run === MAX_RUN) {
        this.#endRun();
        this.#last = byte;
      }
      this.#run++;
    }
    this.#crc = bz2Crc(this.#crc, chunk.subarray(0, at));
    return at;
  }

  /** Hands out the block with its check and begins anew; valid until the next `fill`. */
  take(): { readonly bytes: Uint8Array; readonly crc: number } {
    this.#endRun();
    const taken = { bytes: this.#bytes.subarray(0, this.#length), crc: ~this.#crc };
    this.#length = 0;
    this.#crc = -1;
    this.#last = -1;
    return taken;
  }

  #endRun(): void {
    const written = Math.min(this.#run, 4);
    for (let i = 0; i < written; i++) this.#bytes[this.#length++] = this.#last;
    if (this.#run >= 4) this.#bytes[this.#length++] = this.#run - 4;
    this.#run = 0;
  }
}
