import { statfsSync } from "node:fs";
import { ModelbenchError } from "../../base/errors";
import { humanSize } from "../../base/humanSize";

/** Kept free beside what is written: a full disk hurts more than this import. */
const RESERVE_BYTES = 16 * 1024 ** 2;

/** What is smaller than this is not worth asking the device for its free space before every file. */
export const LARGE_BYTES = 8 * 1024 ** 2;

/** Free bytes on the device of `folder`, for this user. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** @throws ModelbenchError `store.access` when `bytes` do not fit into `free` */
export function assertRoom(bytes: number, free: number, folder: string): void {
  if (bytes + RESERVE_BYTES <= free) return;
  const message = `${folder} has ${humanSize(free)} free; ${humanSize(bytes)} are needed.`;
  throw new ModelbenchError("store.access", message, { path: folder, remedy: "Free some space and try again." });
}
