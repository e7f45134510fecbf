import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { errno, storeFailure } from "./failure";
import type { FileLayer } from "./fileLayer";
import { ensureFolder, removeTree, writeNewFile } from "./fileOperations";
import { type Layout, latestFile, nameFolder } from "./layout";
import { entriesOf, lstatOf, statOf } from "./modelFiles";
import { isLeftover, newStagingName } from "./owner";

/** What every change of a store is made with. */
export interface StoreParts {
  readonly layout: Layout;
  readonly files: FileLayer;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The layout of `.modelbench/` that this version reads and writes. */
export const FORMAT = "1";

/** A path below `.modelbench/staging/` that is this process's own; the folder above it is there afterwards.
 *  @throws ModelbenchError `store.access` */
export async function newStagingPath({ files, layout }: StoreParts): Promise<string> {
  try {
    await ensureFolder(files, layout.staging);
    await ensureFormat(files, layout);
  } catch (error) {
    throw storeFailure(error, "write to", layout.own);
  }
  return join(layout.staging, newStagingName());
}

/** A new, empty folder below `.modelbench/staging/`, private to its owner as BentoML's version folders are. */
export async function newStagingFolder(parts: StoreParts): Promise<string> {
  const path = await newStagingPath(parts);
  try {
    await parts.files.mkdir(path, 0o700);
  } catch (error) {
    throw storeFailure(error, "write to", parts.layout.own);
  }
  return path;
}

/** Removes what a failed change staged; a failure to do so leaves it to a later sweep. */
export async function discardStaged({ files }: StoreParts, path: string): Promise<void> {
  await removeTree(files, path).catch(() => undefined);
}

/** What writers that are gone have left in staging, as paths. */
export function leftovers({ layout, now }: Pick<StoreParts, "layout" | "now">): string[] {
  return entriesOf(layout.staging)
    .filter((name) => isLeftover(name, () => statOf(join(layout.staging, name))?.mtimeMs, now()))
    .map((name) => join(layout.staging, name));
}

/**
 * Replaces a name's `latest` file by one with this text, or removes it for `undefined`. A reader finds the old or
 * the new text, never a part: the text is flushed in staging before it is renamed into place. Where a peer has saved
 * a version called `latest` there is a folder of that name, and it stays.
 */
export async function putLatest(parts: StoreParts, name: string, text: string | undefined): Promise<void> {
  const { files, layout } = parts;
  const target = latestFile(layout, name);
  if (lstatOf(target)?.isDirectory()) return;
  if (text === undefined) {
    await files.unlink(target).catch((error) => {
      if (errno(error) !== "ENOENT") throw error;
    });
  } else {
    const staged = await newStagingPath(parts);
    try {
      await writeNewFile(files, staged, Buffer.from(text, "latin1"));
      await files.rename(staged, target);
    } catch (error) {
      await discardStaged(parts, staged);
      throw error;
    }
  }
  await files.sync(nameFolder(layout, name));
}

async function ensureFormat(files: FileLayer, layout: Layout): Promise<void> {
  let found: string;
  try {
    found = readFileSync(layout.format, "utf8").trim();
  } catch (error) {
    if (errno(error) !== "ENOENT") throw error;
    await writeNewFile(files, layout.format, `${FORMAT}\n`).catch((failure) => {
      if (errno(failure) !== "EEXIST") throw failure;
    });
    return;
  }
  // A process that was stopped between making and filling the file leaves it empty: nothing is lost by that.
  if (found !== FORMAT && found !== "") {
    throw new ModelbenchError("store.access", `${layout.own} has layout ${found}; this version writes ${FORMAT}.`, {
      path: layout.format,
      remedy: "A newer Modelbench uses this store: update this one.",
    });
  }
}
