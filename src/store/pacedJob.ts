import { throwIfAborted } from "../base/errors";
import type { JobOptions } from "../base/ports";

/** How long synchronous reading may run on before messages and signals get a turn. */
const SLICE_MS = 20;

/**
 * Runs work that yields the bytes it has just read, with progress and a way to stop it.
 * @throws ModelbenchError `cancelled`, and what the work throws
 */
export async function paced<T>(
  work: Generator<number, T>,
  totalBytes: number | undefined,
  { signal, onProgress }: JobOptions,
): Promise<T> {
  let doneBytes = 0;
  let since = performance.now();
  for (;;) {
    throwIfAborted(signal);
    const step = work.next();
    if (step.done) return step.value;
    doneBytes += step.value;
    onProgress?.({ doneBytes, ...(totalBytes === undefined ? {} : { totalBytes }) });
    if (performance.now() - since < SLICE_MS) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    since = performance.now();
  }
}
