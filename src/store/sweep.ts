import { leftLocks } from "./editLock";
import { errno, storeFailure } from "./failure";
import { removeTree } from "./fileOperations";
import { isReplacement, settleReplacement } from "./replace";
import { leftovers, type StoreParts } from "./staging";
import { settleLeftover, settleRestored } from "./trash";

/**
 * Clears away what processes that are gone have left unfinished: a half-made version goes, a begun deletion or
 * restore is ended. What a running process works on stays. Safe to run in several processes at once. What cannot be
 * cleared away keeps nothing else from it; the first failure is thrown at the end.
 * @throws ModelbenchError `store.access`
 */
export async function sweepStaging(parts: StoreParts): Promise<void> {
  const failures: unknown[] = [];
  const attempt = (settle: Promise<void>): Promise<void> =>
    settle.catch((error) => {
      // What is gone was cleared by another sweep.
      if (errno(error) !== "ENOENT") failures.push(error);
    });
  const staged = leftovers(parts);
  const replacements = staged.filter(isReplacement);
  for (const path of staged) if (!replacements.includes(path)) await attempt(settleLeftover(parts, path));
  // The first half of a replacement is a deletion: only once that is ended the old version can be brought back.
  for (const path of replacements) await attempt(settleReplacement(parts, path));
  for (const lock of leftLocks(parts)) await attempt(removeTree(parts.files, lock));
  await attempt(settleRestored(parts));
  if (failures.length > 0) throw storeFailure(failures[0], "clear", parts.layout.staging);
}
