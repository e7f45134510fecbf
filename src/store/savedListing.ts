import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from "node:fs";
import type { Layout } from "./layout";
import { ListingCache } from "./listingCache";
import { KnownListing } from "./listingFile";

/** A file larger than that is none that we wrote: it would be of a million versions. */
const MAX_BYTES = 1 << 27;

/** Taking in a larger one, of some 40,000 versions, would hold the extension host's thread for too long. */
const MAX_HOST_BYTES = 1 << 22;

/**
 * What the last listing of a store read, for one that begins now; empty where there is nothing usable. `undefined` in
 * a store that nothing would be saved in, because it has no `.modelbench`: looking must not change a store.
 */
export function openListingCache(layout: Layout, now: () => number): ListingCache | undefined {
  return open(layout, now, { maxBytes: MAX_BYTES, learns: true });
}

/** The same for the extension host: it only uses what is there, and tells whether there should be more. */
export function openListingCacheSoon(layout: Layout, now: () => number): ListingCache | undefined {
  return open(layout, now, { maxBytes: MAX_HOST_BYTES, learns: false });
}

function open(layout: Layout, now: () => number, { maxBytes, learns }: { maxBytes: number; learns: boolean }) {
  if (!existsSync(layout.format)) return undefined;
  const startedMs = now();
  const bytes = readWhole(layout.listing, maxBytes);
  return new ListingCache({ known: bytes && KnownListing.decode(bytes), startedMs, learns });
}

const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function readWhole(path: string, maxBytes: number): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, READ);
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > maxBytes) return undefined;
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
