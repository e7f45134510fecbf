import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ModelbenchError } from "../base/errors";
import { errno } from "./failure";
import type { Tag } from "./model";
import { entriesOf, statOf } from "./modelFiles";
import { isLeftover } from "./owner";
import { discardStaged, newStagingPath, type StoreParts } from "./staging";
import { formatTag } from "./tag";

/** How long a writer waits for another one, which takes milliseconds. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 15;

/** After this a lock is taken from an owner that cannot be asked whether it lives. */
const UNKNOWN_OWNER_MS = 60_000;

/** What a rename says of a lock that is there; an empty folder it replaces. */
const TAKEN = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR"]);

const PREFIX = "edit.";

/**
 * Does work that must not run twice at once on one version. It keeps our own editors from losing one another's
 * changes; a reader never waits, and nothing else rests on it. The lock of a process that is gone is taken over.
 * @throws ModelbenchError `store.access` when another process keeps the lock, and what `work` throws
 */
export async function alone<T>(parts: StoreParts, tag: Tag, work: () => Promise<T>): Promise<T> {
  const lock = join(parts.layout.staging, `${PREFIX}${tag.name}+${tag.version}`);
  await take(parts, lock, tag);
  try {
    return await work();
  } finally {
    await discardStaged(parts, lock);
  }
}

/** The locks of editors that are gone, as paths. */
export function leftLocks(parts: StoreParts): string[] {
  return entriesOf(parts.layout.staging)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(parts.layout.staging, name))
    .filter((lock) => isLeft(parts, lock));
}

/** A lock is a folder with its owner's name in it, and complete before it is renamed into place. */
async function take(parts: StoreParts, lock: string, tag: Tag): Promise<void> {
  const giveUp = performance.now() + PATIENCE_MS;
  const own = await newStagingPath(parts);
  try {
    for (const folder of [own, join(own, basename(own))]) await parts.files.mkdir(folder, 0o755);
    while (!(await isPut(parts, own, lock))) {
      if (isLeft(parts, lock)) await takeAway(parts, lock);
      else if (performance.now() > giveUp) {
        throw new ModelbenchError("store.access", `${formatTag(tag)} is being edited by another process.`, {
          path: lock,
          remedy: "Try again in a moment.",
        });
      } else await sleep(PAUSE_MS);
    }
  } catch (error) {
    await discardStaged(parts, own);
    throw error;
  }
}

async function isPut({ files }: StoreParts, own: string, lock: string): Promise<boolean> {
  try {
    await files.rename(own, lock);
    return true;
  } catch (error) {
    if (TAKEN.has(errno(error) ?? "")) return false;
    throw error;
  }
}

/** Of several that find a lock left only one can rename it away; the others may have got hold of that one's new lock. */
async function takeAway(parts: StoreParts, lock: string): Promise<void> {
  const aside = await newStagingPath(parts);
  try {
    await parts.files.rename(lock, aside);
    if (!isLeft(parts, aside)) await parts.files.rename(aside, lock);
  } catch {
    // Gone already.
  }
  await discardStaged(parts, aside);
}

function isLeft({ now }: StoreParts, lock: string): boolean {
  const [owner] = entriesOf(lock);
  // Given back, and only its folder not yet removed.
  if (owner === undefined) return true;
  return isLeftover(owner, () => statOf(lock)?.mtimeMs, now(), UNKNOWN_OWNER_MS);
}
