import type { JobKey } from "../base/ports";
import { layoutOf } from "./layout";
import { listStore } from "./listStore";
import { openListingCache } from "./savedListing";
import { saveListing } from "./saveListing";

/** Lists a store so that the next listing need not read what has not changed until then. */
export const rememberListingJob: JobKey<{ readonly home: string }, void> = { name: "store.rememberListing" };

/** The work behind `rememberListingJob`. @throws ModelbenchError `store.access` when the store cannot be read */
export async function runRememberListing({ home }: { readonly home: string }): Promise<void> {
  const layout = layoutOf(home);
  const cache = openListingCache(layout, Date.now);
  if (cache === undefined) return;
  listStore(layout, undefined, { now: Date.now, cache });
  if (cache.isWorthSaving) saveListing(layout, cache, Date.now);
}
