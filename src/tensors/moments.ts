import type { RunSums } from "./kernel/kernel";

/** Above this the square of a distance from the shift may be infinite: such values are summed about 0, as numpy does. */
export const LARGEST_SHIFT = 1e150;

/**
 * Mean and variance of runs of values, joined as they come (Chan, Golub, LeVeque 1979), the sum with its rounding
 * errors kept (Neumaier 1974).
 */
export class Moments {
  /** Finite values so far. */
  count = 0;
  #sum = 0;
  #lost = 0;
  /** Squares of distances from the mean. */
  #squares = 0;

  /** Mean and standard deviation of values that occur `times` each. */
  static of(values: readonly { readonly value: number; readonly times: number }[]): { mean: number; std: number } {
    const moments = new Moments();
    for (const { value, times } of values) moments.#join(times, value, value * times, 0);
    return { mean: moments.mean, std: moments.std };
  }

  /** Adds a run whose sums were taken about `shift`. */
  add({ finite, sum, squares }: RunSums, shift: number): void {
    if (finite === 0) return;
    this.#join(finite, shift + sum / finite, shift * finite + sum, Math.max(0, squares - (sum * sum) / finite));
  }

  /** Mean so far. */
  get mean(): number {
    return (this.#sum + this.#lost) / this.count;
  }

  /** Population standard deviation so far. */
  get std(): number {
    const variance = this.#squares / this.count;
    // Differences of sums that are infinite: so is what they stand for.
    return Number.isNaN(variance) ? Number.POSITIVE_INFINITY : Math.sqrt(variance);
  }

  /** What the next run's sums are best taken about. */
  get shift(): number {
    return Math.abs(this.mean) < LARGEST_SHIFT ? this.mean : 0;
  }

  #join(count: number, mean: number, sum: number, squares: number): void {
    if (this.count > 0) {
      const distance = mean - this.mean;
      this.#squares += distance * distance * ((this.count / (this.count + count)) * count);
    }
    this.#squares += squares;
    this.count += count;
    const total = this.#sum + sum;
    if (Number.isFinite(total)) {
      this.#lost += Math.abs(this.#sum) >= Math.abs(sum) ? this.#sum - total + sum : sum - total + this.#sum;
    }
    this.#sum = total;
  }
}
