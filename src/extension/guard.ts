import { ModelbenchError } from "../base/errors";
import type { Services } from "./services";

/**
 * Runs a command to its end and is the one place where a failure meets the user: a cancelled one is silent, one of
 * ours shows its message and remedy, anything else is a bug and says where to read on.
 */
export async function guard(
  id: string,
  { ui, log, t }: Pick<Services, "ui" | "log" | "t">,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (isCancelled(error)) return;
    log.error(`${id} failed`, error);
    if (error instanceof ModelbenchError) ui.showFailure(error.message, error.remedy);
    else ui.showFailure(t("{0} failed unexpectedly. See the Modelbench log.", id), undefined);
  }
}

/** Whether a failure is the user's own wish: dismissed, cancelled or aborted. */
export function isCancelled(error: unknown): boolean {
  if (error instanceof ModelbenchError) return error.code === "cancelled";
  return error instanceof Error && error.name === "AbortError";
}
