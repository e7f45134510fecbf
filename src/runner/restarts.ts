/** At most this many restarts within the window: more would hide a model that cannot run. */
const MAX_RESTARTS = 3;
const WINDOW_MS = 60_000;
const FIRST_DELAY_MS = 100;

/** Decides whether a runner that died is started again, and after what delay. */
export class RestartPolicy {
  readonly #now: () => number;
  #deaths: number[] = [];

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts a death. Answers with milliseconds to wait (0.1, 0.4 and 1.6 s), or `undefined` when it is enough. */
  afterDeath(): number | undefined {
    const now = this.#now();
    this.#deaths = this.#deaths.filter((time) => now - time < WINDOW_MS);
    if (this.#deaths.length >= MAX_RESTARTS) return undefined;
    this.#deaths.push(now);
    return FIRST_DELAY_MS * 4 ** (this.#deaths.length - 1);
  }
}
