import { readdirSync } from "node:fs";
import type { Slice } from "../base/slice";
import { errno, storeFailure } from "./failure";
import { statOf } from "./modelFiles";

/**
 * When each folder below `models/` changed last, in ms since the epoch, by name: what is known of a store before a
 * single version is looked at. A version that comes or goes changes it, a file inside a version does not. Links are
 * followed; files are left out; a missing `models/` has none.
 * @throws ModelbenchError `store.access` when `models/` cannot be read
 */
export function* nameFolders(models: string, slice: Slice): Generator<void, Map<string, number>> {
  const found = new Map<string, number>();
  for (const name of namesIn(models)) {
    const stat = statOf(`${models}/${name}`);
    if (stat?.isDirectory()) found.set(name, stat.mtimeMs);
    yield* slice.rest();
  }
  return found;
}

/** Everything in `models/`; nothing where there is no such folder. @throws ModelbenchError `store.access` */
export function namesIn(models: string): string[] {
  try {
    return readdirSync(models);
  } catch (error) {
    if (errno(error) === "ENOENT") return [];
    throw storeFailure(error, "list", models);
  }
}
