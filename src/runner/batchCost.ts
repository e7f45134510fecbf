/** Batches that count as recent. */
const RECENT = 12;

/**
 * What batches of one method take, learnt from the recent ones: so much a batch, and so much a row. Both are medians,
 * so that one compilation or one pause of the machine tells nothing about the batches after it.
 */
export class BatchCost {
  readonly #samples: { readonly rows: number; readonly ms: number }[] = [];
  #perRow = 0;
  #perBatch = 0;

  /** Counts in a batch that has run. */
  add(rows: number, ms: number): void {
    this.#samples.push({ rows, ms });
    if (this.#samples.length > RECENT) this.#samples.shift();
    const slopes = this.#samples.flatMap((a, i) =>
      this.#samples.slice(i + 1).flatMap((b) => (a.rows === b.rows ? [] : [(b.ms - a.ms) / (b.rows - a.rows)])),
    );
    this.#perRow = Math.max(0, lowerMedian(slopes));
    this.#perBatch = Math.max(0, lowerMedian(this.#samples.map((sample) => sample.ms - this.#perRow * sample.rows)));
  }

  /** Milliseconds that a batch of so many rows is expected to take. */
  of(rows: number): number {
    return this.#perBatch + this.#perRow * rows;
  }
}

/** The middle one, of an even number the smaller of the two in the middle; 0 when there is none. */
function lowerMedian(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[(numbers.length - 1) >> 1] ?? 0;
}
