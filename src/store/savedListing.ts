import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from "node:fs";
import type { Layout } from "./layout";
import { ListingCache } from "./listingCache";
import { KnownListing } from "./listingFile";

/** A file larger than that is none that we wrote. */
const MAX_BYTES = 1 << 28;

/**
 * What the last listing of a store read, for one that begins now; empty where there is nothing usable. `undefined` in
 * a store that nothing would be saved in, because it has no `.modelbench`: looking must not change a store.
 */
export function openListingCache(layout: Layout, now: () => number): ListingCache | undefined {
  if (!existsSync(layout.format)) return undefined;
  const startedMs = now();
  const bytes = readWhole(layout.listing);
  return new ListingCache(bytes && KnownListing.decode(bytes), startedMs);
}

const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function readWhole(path: string): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, READ);
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > MAX_BYTES) return undefined;
    const bytes = Buffer.allocUnsafeSlow(stat.size);
    let count = 0;
    for (let n = -1; n !== 0 && count < bytes.length; count += n) {
      n = readSync(file, bytes, count, bytes.length - count, count);
    }
    return bytes.subarray(0, count);
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
