import type { CancelSignal } from "../../api";

/** Runs work that a signal or a token of VS Code can cancel, and lets go of it afterwards. */
export async function cancellable<T>(
  cancel: CancelSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const release = cancel === undefined ? undefined : follow(cancel, abort);
  try {
    return await work(controller.signal);
  } finally {
    release?.();
  }
}

/** Calls `abort` when it fires, at once if it has; the answer ends that. */
function follow(cancel: CancelSignal, abort: () => void): () => void {
  if ("aborted" in cancel) {
    if (cancel.aborted) abort();
    cancel.addEventListener("abort", abort);
    return () => cancel.removeEventListener("abort", abort);
  }
  if (cancel.isCancellationRequested) abort();
  const subscription = cancel.onCancellationRequested(abort);
  return () => void subscription.dispose();
}
