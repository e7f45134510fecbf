import { setImmediate } from "node:timers/promises";
import { throwIfAborted } from "../base/errors";

/** Runs work that yields every few milliseconds and lets everything else in the process run in between. */
export async function runSlices<T>(work: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    throwIfAborted(signal);
    const step = work.next();
    if (step.done) return step.value;
    await setImmediate();
  }
}
