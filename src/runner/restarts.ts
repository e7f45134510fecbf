/** At most this many restarts within the window, or without an answer: more would hide a model that cannot run. */
const MAX_RESTARTS = 3;
const WINDOW_MS = 60_000;
const FIRST_DELAY_MS = 100;

/** Decides whether a runner that died is started again, and after what delay. */
export class RestartPolicy {
  readonly #now: () => number;
  #deaths: number[] = [];
  #answeredAt = Number.NEGATIVE_INFINITY;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A run was answered: earlier deaths count no longer than the window. */
  answered(): void {
    this.#answeredAt = this.#now();
  }

  /** Counts a death. Answers with milliseconds to wait (0.1, 0.4 and 1.6 s), or `undefined` when it is enough. */
  afterDeath(): number | undefined {
    const now = this.#now();
    // A load, or the run that ends it, may take so long that deaths in a row never come together in one window.
    this.#deaths = this.#deaths.filter((time) => now - time < WINDOW_MS || time > this.#answeredAt);
    if (this.#deaths.length >= MAX_RESTARTS) return undefined;
    this.#deaths.push(now);
    return FIRST_DELAY_MS * 4 ** (this.#deaths.length - 1);
  }
}
