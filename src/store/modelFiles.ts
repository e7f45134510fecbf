import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { sep } from "node:path";
import { storeFailure } from "./failure";
import type { ModelFile } from "./model";

const QUIET = { throwIfNoEntry: false } as const;

/** What a path is, links followed; `undefined` when it is gone, loops or may not be looked at. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, QUIET);
  } catch {
    return undefined;
  }
}

/** What a path itself is, a link being a link; `undefined` when it is gone or may not be looked at. */
export function lstatOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, QUIET);
  } catch {
    return undefined;
  }
}

/** Tells a folder from another one of the same path, links followed; a rename does not change it. Empty for nothing. */
export function identityOf(path: string): string {
  const stat = statOf(path);
  // A folder made again often gets the same inode number, but not the same time of birth.
  return stat === undefined ? "" : `${stat.dev}.${stat.ino}.${stat.birthtimeMs}`;
}

/** Whether the path itself is a link. */
export function isLink(path: string): boolean {
  return lstatOf(path)?.isSymbolicLink() === true;
}

/** Whether a path, links followed, leads to something below `root`. */
export function leadsInto(root: string, path: string): boolean {
  try {
    return realpathSync(path).startsWith(realpathSync(root) + sep);
  } catch {
    return false;
  }
}

/** The names in a folder; empty when it cannot be read. */
export function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** The names in a folder that has to be read. @throws ModelbenchError `store.access` when it cannot be */
export function readableEntries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw storeFailure(error, "list", folder);
  }
}

/**
 * All files below a version folder, sorted by path. A link to a file counts as the file, a link to a folder is not
 * entered, as in BentoML's own sizes.
 * @throws ModelbenchError `store.access` when a folder cannot be read
 */
export function modelFilesIn(folder: string): ModelFile[] {
  const found: ModelFile[] = [];
  collect(folder, "", found);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function collect(folder: string, prefix: string, found: ModelFile[]): void {
  for (const entry of readableEntries(folder)) {
    const path = `${folder}/${entry}`;
    const stat = statOf(path);
    if (stat?.isFile()) found.push({ path: prefix + entry, bytes: stat.size });
    else if (stat?.isDirectory() && !isLink(path)) collect(path, `${prefix}${entry}/`, found);
  }
}
