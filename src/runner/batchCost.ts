/** Batches that count as recent. */
const RECENT = 12;

interface Sample {
  readonly rows: number;
  readonly ms: number;
}

/**
 * What batches of one method take, learnt from the recent ones: so much a batch, and so much a row. Both are medians,
 * so that one compilation or one pause of the machine tells nothing about the batches after it.
 */
export class BatchCost {
  readonly #samples: Sample[] = [];
  #fit: { readonly perBatch: number; readonly perRow: number } | undefined;

  /** Counts in a batch that has run. */
  add(rows: number, ms: number): void {
    this.#samples.push({ rows, ms });
    if (this.#samples.length > RECENT) this.#samples.shift();
    this.#fit = undefined;
  }

  /** Milliseconds that a batch of so many rows is expected to take. */
  of(rows: number): number {
    this.#fit ??= fitOf(this.#samples);
    return this.#fit.perBatch + this.#fit.perRow * rows;
  }
}

function fitOf(samples: readonly Sample[]): { perBatch: number; perRow: number } {
  const slopes = samples.flatMap((a, i) =>
    samples.slice(i + 1).flatMap((b) => (a.rows === b.rows ? [] : [(b.ms - a.ms) / (b.rows - a.rows)])),
  );
  const perRow = Math.max(0, lowerMedian(slopes));
  return { perRow, perBatch: Math.max(0, lowerMedian(samples.map(({ rows, ms }) => ms - perRow * rows))) };
}

/** The middle one, of an even number the smaller of the two in the middle; 0 when there is none. */
function lowerMedian(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[(numbers.length - 1) >> 1] ?? 0;
}
