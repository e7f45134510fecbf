/** From here on a square is infinite, and below its inverse it is lost: such values are summed scaled. */
const LARGE = 2 ** 500;
const SMALL = 2 ** -500;
const SCALE = 2 ** 600;

/** The Euclidean norm of values of any size: none of their squares overflows or vanishes (Blue 1978). */
export class SumOfSquares {
  #large = 0;
  #middle = 0;
  #small = 0;

  /** @param value not negative and no NaN */
  add(value: number): void {
    if (value > LARGE) this.#large += (value / SCALE) ** 2;
    else if (value < SMALL) this.#small += (value * SCALE) ** 2;
    else this.#middle += value * value;
  }

  /** The norm of what was added. */
  get root(): number {
    return Math.hypot(Math.sqrt(this.#large) * SCALE, Math.sqrt(this.#middle), Math.sqrt(this.#small) / SCALE);
  }
}
