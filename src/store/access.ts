import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { errno } from "./failure";
import { layoutOf } from "./layout";

/** What can be done with a home: `missing` = the folder is not there yet, the first model saved makes it. */
export type StoreAccess = "writable" | "readOnly" | "missing";

/**
 * Asks the system, writing nothing. A file system mounted read-only is told from the outside, also to root, for whom
 * permissions say nothing.
 */
export async function storeAccess(home: string): Promise<StoreAccess> {
  const { models, own } = layoutOf(home);
  try {
    await stat(home);
  } catch (error) {
    return errno(error) === "ENOENT" ? "missing" : "readOnly";
  }
  const all = await Promise.all([isWritable(home, true), isWritable(models), isWritable(own)]);
  return all.includes(false) ? "readOnly" : "writable";
}

/** A folder that is still to be made counts as writable: whether it can be made is up to the one above. */
async function isWritable(folder: string, mustBeThere = false): Promise<boolean> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    return !mustBeThere && errno(error) === "ENOENT";
  }
}
