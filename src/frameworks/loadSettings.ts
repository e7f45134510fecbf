import { ModelbenchError } from "../base/errors";

/** The word of the longest time that a request may wait for its batch. */
export const MAX_LATENCY_WORD = "max-latency-ms";

/** A day; a request that may wait longer has no limit worth keeping. */
const MAX_LATENCY_MS = 86_400_000;

/**
 * Milliseconds that a request may wait for its batch; `undefined` where nothing, or an empty text, says so.
 * @throws ModelbenchError `usage` for what is no number above 0
 */
export function maxLatencyMs(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const ms = /^[0-9]{1,9}(\.[0-9]{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (ms > 0 && ms <= MAX_LATENCY_MS) return ms;
  const message = `\`${MAX_LATENCY_WORD}\` has "${text}", and takes milliseconds above 0, at most ${MAX_LATENCY_MS}.`;
  throw new ModelbenchError("usage", message);
}
