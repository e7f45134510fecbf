/**
 * Sorts the rotations of a block by doubling the length compared, each time by counting; yields between two rounds,
 * of which there are at most twenty. Takes 16 bytes a byte of the block, kept from call to call.
 */
export class RotationSorter {
  readonly #order: Int32Array;
  readonly #shifted: Int32Array;
  readonly #classes: Int32Array;
  readonly #counts: Int32Array;

  /** @param capacity the largest block */
  constructor(capacity: number) {
    this.#order = new Int32Array(capacity);
    this.#shifted = new Int32Array(capacity);
    this.#classes = new Int32Array(capacity);
    this.#counts = new Int32Array(Math.max(capacity, 65_536) + 1);
  }

  /** Where each rotation begins, in order; valid until the next call. Equal rotations are in any order. */
  *sort(block: Uint8Array): Generator<void, Int32Array> {
    const n = block.length;
    let classes = this.#byTwoBytes(block);
    for (let length = 2; length < n && classes < n; length *= 2) {
      yield;
      classes = this.#double(n, length, classes);
    }
    return this.#order.subarray(0, n);
  }

  #byTwoBytes(block: Uint8Array): number {
    const n = block.length;
    const counts = this.#counts.fill(0, 0, 65_537);
    const order = this.#order;
    const keys = this.#shifted;
    for (let i = 0; i < n; i++) {
      const key = ((block[i] as number) << 8) | (block[i + 1 === n ? 0 : i + 1] as number);
      keys[i] = key;
      counts[key + 1] = (counts[key + 1] as number) + 1;
    }
    for (let key = 0; key < 65_536; key++) counts[key + 1] = (counts[key + 1] as number) + (counts[key] as number);
    for (let i = 0; i < n; i++) {
      const key = keys[i] as number;
      order[counts[key] as number] = i;
      counts[key] = (counts[key] as number) + 1;
    }
    let classes = 0;
    for (let i = 0; i < n; i++) {
      const at = order[i] as number;
      if (i === 0 || keys[at] !== keys[order[i - 1] as number]) classes++;
      this.#classes[at] = classes - 1;
    }
    return classes;
  }

  /** From an order by `length` bytes to one by twice as many; answers with the count of rotations told apart. */
  #double(n: number, length: number, before: number): number {
    const order = this.#order;
    const shifted = this.#shifted;
    const classOf = this.#classes;
    const counts = this.#counts.fill(0, 0, before);
    for (let i = 0; i < n; i++) counts[classOf[i] as number] = (counts[classOf[i] as number] as number) + 1;
    for (let c = 1; c < before; c++) counts[c] = (counts[c] as number) + (counts[c - 1] as number);
    for (let i = 0; i < n; i++) {
      const at = (order[i] as number) - length;
      shifted[i] = at < 0 ? at + n : at;
    }
    for (let i = n - 1; i >= 0; i--) {
      const at = shifted[i] as number;
      const c = classOf[at] as number;
      const place = (counts[c] as number) - 1;
      counts[c] = place;
      order[place] = at;
    }
    // The old order of starts is not needed any more: its array takes the new classes.
    let classes = 0;
    let lastFirst = -1;
    let lastSecond = -1;
    for (let i = 0; i < n; i++) {
      const at = order[i] as number;
      const half = at + length;
      const first = classOf[at] as number;
      const second = classOf[half >= n ? half - n : half] as number;
      if (first !== lastFirst || second !== lastSecond) classes++;
      lastFirst = first;
      lastSecond = second;
      shifted[at] = classes - 1;
    }
    classOf.set(shifted.subarray(0, n));
    return classes;
  }
}
