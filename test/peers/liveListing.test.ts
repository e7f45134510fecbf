import assert from "node:assert/strict";
import { after, test } from "node:test";
import { LiveListing } from "../../src/extension/liveListing";
import { inProcessJobs } from "../../src/jobs/inProcess";
import { ModelStore } from "../../src/store/modelStore";
import { watchStore } from "../../src/store/watch";
import { tempFolder } from "../unit/store/storeKit";
import { StorePeer } from "./storePeer";

/** How soon a change has to be listed once the real BentoML is done with it. */
const LIVE_MS = 1_000;
/** A busy machine may be late for reasons that are not ours; it is not so every time. */
const TRIES = 3;

const peer = new StorePeer();
after(() => peer.dispose());

/** The versions listed of a name, sorted. */
function versions(listing: LiveListing, name: string): string {
  const models = listing.snapshot.names.get(name)?.models ?? [];
  return models
    .map(({ tag }) => tag.version)
    .sort()
    .join();
}

/** Answers how long after `change` these versions were listed. */
async function listedAfter(
  listing: LiveListing,
  name: string,
  wanted: string,
  change: Promise<unknown>,
): Promise<number> {
  await change;
  const done = performance.now();
  while (versions(listing, name) !== wanted) {
    if (performance.now() - done > 10 * LIVE_MS) assert.fail(`${name} lists ${versions(listing, name)}, not ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - done;
}

test("what the real BentoML saves and deletes, in a new name and in one that is looked into, is listed within a second", async () => {
  const late: number[] = [];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const folder = tempFolder();
    const listing = new LiveListing(new ModelStore(folder.path), inProcessJobs(), watchStore);
    try {
      await listing.ready();
      const files = { "weights.bin": "w", "deep/more.bin": "m" };
      const took = [await listedAfter(listing, "live", "v1", peer.save(folder.path, "live:v1", files))];
      listing.watchName("live");
      took.push(await listedAfter(listing, "live", "v1,v2", peer.save(folder.path, "live:v2", files)));
      took.push(await listedAfter(listing, "live", "v1", peer.delete(folder.path, "live:v2")));
      took.push(await listedAfter(listing, "live", "", peer.delete(folder.path, "live:v1")));
      const worst = Math.max(...took);
      if (worst <= LIVE_MS) return;
      late.push(worst);
    } finally {
      listing.dispose();
      folder.remove();
    }
  }
  assert.fail(`listed only after ${late.map(Math.round).join(", ")} ms`);
});
