import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { errno } from "./failure";
import type { Layout } from "./layout";
import type { ListingCache } from "./listingCache";
import { newStagingName } from "./owner";
import { FORMAT } from "./staging";

/** How far the file system's clock may be from ours: whether a file is old enough to be trusted is told by both. */
const MAX_CLOCK_SKEW_MS = 1000;

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/**
 * Saves what a listing read for the next one. Only in a store that has a `.modelbench` of this layout already, because
 * looking must not change a store; one that cannot be written goes without. Never fails, and of several writers the
 * last one's file stays, whole.
 */
export function saveListing(layout: Layout, cache: ListingCache, now: () => number): void {
  const staged = join(layout.staging, newStagingName());
  try {
    if (readFileSync(layout.format, "utf8").trim() !== FORMAT) return;
    for (const folder of [dirname(layout.listing), layout.staging]) makeFolder(folder);
    const mtimeMs = writeWhole(staged, cache.encoded());
    if (Math.abs(mtimeMs - now()) > MAX_CLOCK_SKEW_MS) unlinkSync(staged);
    else renameSync(staged, layout.listing);
  } catch {
    removeQuietly(staged);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (errno(error) !== "EEXIST") throw error;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made, or goes with the next sweep.
  }
}

/** Answers with the time that the file system gave the file, which is for its owner alone, as versions are. */
function writeWhole(path: string, bytes: Buffer): number {
  const file = openSync(path, CREATE, 0o600);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    return fstatSync(file).mtimeMs;
  } finally {
    closeSync(file);
  }
}
