import { ModelbenchError } from "../base/errors";

/** Waiting requests beyond this are refused: they would only wait, and hold their inputs meanwhile. */
export const MAX_WAITING = 10_000;

/** The refusal. */
export function busy(label: string): ModelbenchError {
  return new ModelbenchError("run.busy", `${label}: ${MAX_WAITING} requests are waiting already.`, {
    remedy: "Send more when answers have come.",
  });
}
