/** How long synchronous work may run on before timers, messages and signals get a turn. */
const SLICE_MS = 8;

/** Lets a long loop of synchronous work rest now and then, so that a cancel can arrive. */
export class Pace {
  #since = performance.now();

  /** Answers at once, or after one turn of the event loop when a slice is over. */
  async rest(): Promise<void> {
    if (performance.now() - this.#since < SLICE_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}
