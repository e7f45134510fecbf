import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { JobKey, Jobs } from "../../../src/base/ports";
import { type ListedStore, LiveListing, type StartWatch } from "../../../src/extension/liveListing";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { ModelStore } from "../../../src/store/modelStore";
import { plant } from "../store/storeKit";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "modelbench-names-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A real store whose versions are read only as far as the test lets them be, and its listing. */
function follow() {
  const store = new ModelStore(home);
  const read: string[] = [];
  let allowed = 0;
  const gated: ListedStore = {
    home,
    folderMs: (name) => store.folderMs(name),
    listingCache: () => store.listingCache(),
    nameSlices: (slice) => store.nameSlices(slice),
    *versionSlices(name, options) {
      while (allowed <= read.length) yield;
      read.push(name);
      return yield* store.versionSlices(name, options);
    },
  };
  const asked: string[] = [];
  const jobs: Jobs = {
    run<Input, Result>(job: JobKey<Input, Result>, input: Input): Promise<Result> {
      asked.push(job.name);
      return inProcessJobs().run(job, input);
    },
  };
  let report: (name?: string) => void = () => undefined;
  const startWatch: StartWatch = (_, listener) => {
    report = listener.onChange;
    return { watchName() {}, unwatchName() {}, dispose() {} };
  };
  const listing = new LiveListing(gated, jobs, startWatch);
  const told: (readonly string[] | "all")[] = [];
  listing.onDidChange((names) => told.push(names));
  const allow = (count: number) => {
    allowed += count;
  };
  return { listing, read, told, asked, allow, report: (name?: string) => report(name) };
}

/** Plants a version of each name, the first one's folder being the oldest. */
function plantNames(...names: string[]): void {
  for (const [i, name] of names.entries()) {
    plant(home, name, "v1");
    utimesSync(join(home, "models", name), 1000 + i, 1000 + i);
  }
}

const pendingNames = ({ snapshot }: LiveListing) =>
  [...snapshot.names].flatMap(([name, entry]) => (entry.pending ? [name] : []));

test("the names are told before a single version is read, the folders that changed last first", async () => {
  plantNames("a", "b", "c");
  const { listing, read, told, allow } = follow();
  const ready = listing.ready();
  await listing.named();
  assert.deepEqual(told, ["all"]);
  assert.deepEqual(read, []);
  assert.equal(listing.snapshot.phase, "named");
  assert.deepEqual(
    [...listing.snapshot.names],
    ["c", "b", "a"].map((name, i) => [name, { models: [], broken: [], pending: true, folderMs: 1_002_000 - i * 1000 }]),
  );
  allow(3);
  await ready;
  assert.deepEqual(read, ["c", "b", "a"]);
  assert.equal(listing.snapshot.phase, "ready");
  assert.deepEqual(pendingNames(listing), []);
  assert.deepEqual([...new Set(told.slice(1).flat())].sort(), ["a", "b", "c"]);
  listing.dispose();
});

test("a store that is read quickly is told once, with everything", async () => {
  plantNames("a", "b");
  const seen: unknown[] = [];
  // A busy machine may be slow for reasons that are not ours; it is not so every time.
  for (let attempt = 0; attempt < 3 && seen.at(-1) !== 1; attempt++) {
    const { listing, told, allow } = follow();
    allow(2);
    await listing.ready();
    assert.equal(told[0], "all");
    assert.deepEqual(pendingNames(listing), []);
    seen.push(told.length);
    listing.dispose();
  }
  assert.equal(seen.at(-1), 1, `told ${seen.join(", ")} times`);
});

test("a name that somebody looks into is read before the others", async () => {
  plantNames("a", "b", "c", "d");
  const { listing, read, allow } = follow();
  void listing.ready();
  await listing.named();
  const details = listing.details("a");
  allow(2);
  assert.equal((await details)?.models.length, 1);
  assert.deepEqual(read, ["d", "a"]);
  assert.deepEqual(pendingNames(listing), ["c", "b"]);
  assert.equal(await listing.details("nobody"), undefined);
  allow(2);
  await listing.ready();
  listing.dispose();
});

test("what changes while the store is read for the first time is read again, and alone", async () => {
  plantNames("a", "b");
  const { listing, read, allow, report } = follow();
  const ready = listing.ready();
  allow(1);
  await listing.named();
  assert.deepEqual(read, ["b"]);
  plant(home, "b", "v2");
  mkdirSync(join(home, "models", "empty"));
  report("b");
  allow(2);
  await ready;
  assert.deepEqual(read, ["b", "a", "b"]);
  assert.equal(listing.snapshot.names.get("b")?.models.length, 2);
  listing.dispose();
});

test("a listing that ends while it reads lets nobody wait", async () => {
  plantNames("a");
  const { listing } = follow();
  const all = Promise.all([listing.ready(), listing.named(), listing.details("a")]);
  await listing.named();
  listing.dispose();
  assert.equal((await all)[2]?.pending, true);
});

test("what a big store holds is noted down by the jobs process, where the store keeps notes", async () => {
  for (let i = 0; i < 200; i++) plant(home, "many", `v${i}`);
  const without = follow();
  without.allow(1);
  await without.listing.ready();
  assert.deepEqual(without.asked, []);
  without.listing.dispose();
  mkdirSync(join(home, ".modelbench"));
  writeFileSync(join(home, ".modelbench", "format"), "1\n");
  const kept = follow();
  kept.allow(1);
  await kept.listing.ready();
  assert.deepEqual(kept.asked, ["store.rememberListing"]);
  kept.listing.dispose();
});
