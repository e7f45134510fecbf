import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ModelbenchError } from "../base/errors";
import { errno } from "./failure";
import { writeNewFile } from "./fileOperations";
import type { Tag } from "./model";
import { entriesOf, statOf } from "./modelFiles";
import { isStagingName, newStagingName, ownerState } from "./owner";
import { discardStaged, newStagingPath, type StoreParts } from "./staging";
import { formatTag } from "./tag";

/** How long a writer waits for another one, which takes milliseconds. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 15;

/** After this a lock is taken from an owner that cannot be asked whether it lives. */
const UNKNOWN_OWNER_MS = 60_000;

/** After this a lock that names nobody is one whose owner was stopped before it was filled and flushed. */
const NAMELESS_MS = 2000;

const PREFIX = "edit.";

/**
 * Does work that must not run twice at once on one version. It keeps our own editors from losing one another's
 * changes; a reader never waits, and nothing else rests on it. The lock of a process that is gone is taken over.
 * @throws ModelbenchError `store.access` when another process keeps the lock, and what `work` throws
 */
export async function alone<T>(parts: StoreParts, tag: Tag, work: () => Promise<T>): Promise<T> {
  const lock = join(parts.layout.staging, `${PREFIX}${tag.name}+${tag.version}`);
  const own = await newStagingPath(parts);
  await take(parts, lock, own, tag);
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

async function take(parts: StoreParts, lock: string, own: string, tag: Tag): Promise<void> {
  const giveUp = performance.now() + PATIENCE_MS;
  const name = newStagingName();
  for (;;) {
    try {
      return await writeNewFile(parts.files, lock, name);
    } catch (error) {
      if (errno(error) !== "EEXIST") {
        // Made, and not filled: nobody else would know whose it is.
        if (name.startsWith(ownerOf(lock))) await discardStaged(parts, lock);
        throw error;
      }
    }
    if (isLeft(parts, lock)) {
      await takeAway(parts, lock, own);
    } else if (performance.now() > giveUp) {
      throw new ModelbenchError("store.access", `${formatTag(tag)} is being edited by another process.`, {
        path: lock,
        remedy: "Try again in a moment.",
      });
    } else await sleep(PAUSE_MS);
  }
}

/** Of several that find a lock left only one can rename it away; the others may have got hold of that one's new lock. */
async function takeAway(parts: StoreParts, lock: string, own: string): Promise<void> {
  try {
    await parts.files.rename(lock, own);
    if (!isLeft(parts, own)) await parts.files.rename(own, lock);
  } catch {
    // Gone already.
  }
  await discardStaged(parts, own);
}

function isLeft({ now }: StoreParts, lock: string): boolean {
  const owner = ownerOf(lock);
  const state = ownerState(owner);
  if (state !== "unknown") return state === "gone";
  const stat = statOf(lock);
  return stat !== undefined && now() - stat.mtimeMs > (isStagingName(owner) ? UNKNOWN_OWNER_MS : NAMELESS_MS);
}

function ownerOf(lock: string): string {
  try {
    return readFileSync(lock, "latin1");
  } catch {
    return "";
  }
}
