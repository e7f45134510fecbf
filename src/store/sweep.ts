import { errno, storeFailure } from "./failure";
import { leftovers, type StoreParts } from "./staging";
import { settleLeftover, settleRestored } from "./trash";

/**
 * Clears away what processes that are gone have left unfinished: a half-made version goes, a begun deletion or
 * restore is ended. What a running process works on stays. Safe to run in several processes at once.
 * @throws ModelbenchError `store.access`
 */
export async function sweepStaging(parts: StoreParts): Promise<void> {
  try {
    for (const staged of leftovers(parts)) {
      await settleLeftover(parts, staged).catch((error) => {
        // Another sweep was faster.
        if (errno(error) !== "ENOENT") throw error;
      });
    }
    await settleRestored(parts);
  } catch (error) {
    throw storeFailure(error, "clear", parts.layout.staging);
  }
}
