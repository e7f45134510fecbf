/** How long a window is, in milliseconds, and what goes through in one. */
const WINDOW_MS = 1_000;
const WINDOW_LINES = 1_000;
const WINDOW_CHARS = 262_144;

/** Longer lines are cut. */
const LINE_CHARS = 10_000;

/** Lets lines through up to a rate that a log can take, and says how many it left out. */
export class LineLimit {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  #begun = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #chars = 0;
  #leftOut = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param now monotonic milliseconds */
  constructor(write: (line: string) => void, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  /** Writes a line, or counts it. */
  take(line: string): void {
    const now = this.#now();
    if (now - this.#begun >= WINDOW_MS) {
      this.end();
      this.#begun = now;
      this.#lines = 0;
      this.#chars = 0;
    }
    if (this.#lines >= WINDOW_LINES || this.#chars >= WINDOW_CHARS) {
      this.#leftOut += 1;
      this.#timer ??= setTimeout(() => this.end(), WINDOW_MS).unref();
      return;
    }
    const cut = line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}…` : line;
    this.#lines += 1;
    this.#chars += cut.length;
    this.#write(cut);
  }

  /** Says what was left out, and has not been told yet. It is also told by itself before long. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#leftOut > 0) this.#write(`(${this.#leftOut} more lines are left out: there were too many at once.)`);
    this.#leftOut = 0;
  }
}
