import { throwIfAborted } from "../base/errors";
import type { JobOptions } from "../base/ports";

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

/**
 * Runs work that yields the bytes it has just read, with progress and a way to stop it.
 * @throws ModelbenchError `cancelled`, and what the work throws
 */
export async function paced<T>(
  work: Generator<number, T>,
  totalBytes: number | undefined,
  { signal, onProgress }: JobOptions,
): Promise<T> {
  const pace = new Pace();
  let doneBytes = 0;
  for (;;) {
    throwIfAborted(signal);
    const step = work.next();
    if (step.done) return step.value;
    doneBytes += step.value;
    onProgress?.({ doneBytes, ...(totalBytes === undefined ? {} : { totalBytes }) });
    await pace.rest();
  }
}
