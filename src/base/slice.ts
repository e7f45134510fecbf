/** A stretch of work that must not hold a thread for long: whoever works asks from time to time whether it is over. */
export class Slice {
  readonly #ms: number;
  #end = 0;

  /** @param ms how long a stretch may be; infinite for a thread that has nothing else to do */
  constructor(ms: number) {
    this.#ms = ms;
    this.restart();
  }

  /** Whether the time is up. Without an end the clock is not asked. */
  get isOver(): boolean {
    return this.#end !== Number.POSITIVE_INFINITY && performance.now() >= this.#end;
  }

  /** Begins the next stretch. */
  restart(): void {
    this.#end = this.#ms === Number.POSITIVE_INFINITY ? this.#ms : performance.now() + this.#ms;
  }

  /** A step of a generator that yields only when the time is up. */
  *rest(): Generator<void, void> {
    if (!this.isOver) return;
    yield;
    this.restart();
  }
}
