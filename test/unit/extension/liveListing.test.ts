import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import type { JobKey, Jobs } from "../../../src/base/ports";
import { type ListedStore, LiveListing, type StartWatch } from "../../../src/extension/liveListing";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import type { BrokenItem, ModelSummary } from "../../../src/store/model";
import { ModelStore } from "../../../src/store/modelStore";
import { manyLabels, plant, yamlOf } from "../store/storeKit";
import { broken, listedStore, noWatch, summary } from "./fakes";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "modelbench-listing-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A store, its live listing, and the other end of its watch. */
function follow(models: ModelSummary[], items: BrokenItem[] = []) {
  let report: (name?: string) => void = () => undefined;
  const watched = new Set<string>();
  const startWatch: StartWatch = (_, listener) => {
    report = listener.onChange;
    return {
      watchName: (name) => void watched.add(name),
      unwatchName: (name) => void watched.delete(name),
      dispose() {},
    };
  };
  const read: string[] = [];
  const store = listedStore(models, items, home);
  const listed: ListedStore = {
    ...store,
    nameSlices(slice) {
      read.push("names");
      return onDisk.nameSlices(slice);
    },
    folderMs: (name) => onDisk.folderMs(name),
    versionSlices(name, options) {
      read.push(name);
      return store.versionSlices(name, options);
    },
  };
  const onDisk = new ModelStore(home);
  for (const { tag } of models) mkdirSync(join(home, "models", tag.name), { recursive: true });
  for (const { name } of items) mkdirSync(join(home, "models", name), { recursive: true });
  const listing = new LiveListing(listed, inProcessJobs(), startWatch);
  const next = () =>
    new Promise<readonly string[] | "all">((resolve) => {
      const subscription = listing.onDidChange((names) => {
        subscription.dispose();
        resolve(names);
      });
    });
  return { listing, read, next, watched, report: (name?: string) => report(name) };
}

test("nothing is read before somebody asks, and then once", async () => {
  const { listing, read } = follow([summary("a:1")]);
  assert.deepEqual(read, []);
  assert.equal(listing.snapshot.phase, "loading");
  await Promise.all([listing.ready(), listing.ready()]);
  assert.deepEqual(read, ["names", "a"]);
  assert.deepEqual([...listing.snapshot.names.keys()], ["a"]);
  listing.dispose();
});

test("a reported name is read alone, however often it is reported", async () => {
  const models = [summary("a:1"), summary("b:1")];
  const { listing, next, read, report } = follow(models);
  await listing.ready();
  models.push(summary("b:2"));
  const changed = next();
  for (let i = 0; i < 20; i++) report("b");
  assert.deepEqual(await changed, ["b"]);
  assert.deepEqual(read.slice(3), ["b"]);
  assert.equal(listing.snapshot.names.get("b")?.models.length, 2);
  listing.dispose();
});

test("a check reads the names whose folders changed, came or went, and no others", async () => {
  for (const name of ["same", "gone", "grows"]) mkdirSync(join(home, "models", name, "1"), { recursive: true });
  const models = ["same:1", "gone:1", "grows:1"].map((tag) => summary(tag));
  const { listing, next, read } = follow(models);
  await listing.ready();
  mkdirSync(join(home, "models", "new", "1"), { recursive: true });
  mkdirSync(join(home, "models", "grows", "2"));
  rmSync(join(home, "models", "gone"), { recursive: true });
  models.splice(1, 1);
  models.push(summary("new:1"), summary("grows:2"));
  const changed = next();
  listing.recheck();
  assert.deepEqual([...(await changed)].sort(), ["gone", "grows", "new"]);
  assert.deepEqual(read.slice(4).sort(), ["grows", "names", "new"], "what is gone needs no reading");
  assert.deepEqual([...listing.snapshot.names.keys()].sort(), ["grows", "new", "same"]);
  listing.dispose();
});

test("a version that is being written is looked at again until it is whole", async () => {
  mkdirSync(join(home, "models", "a", "1"), { recursive: true });
  const models: ModelSummary[] = [];
  const items = [broken("a", "1", "no model.yaml", true)];
  const { listing, next } = follow(models, items);
  await listing.ready();
  items.pop();
  models.push(summary("a:1"));
  assert.deepEqual(await next(), ["a"]);
  assert.equal(listing.snapshot.names.get("a")?.models.length, 1);
  listing.dispose();
});

test("a store that cannot be read is a state, and the next change reads it anew", async () => {
  let readable = false;
  const store = listedStore([summary("a:1")], [], home);
  let report: (name?: string) => void = () => undefined;
  const listing = new LiveListing(
    {
      ...store,
      nameSlices(slice) {
        if (!readable) throw new ModelbenchError("store.access", "permission denied");
        return store.nameSlices(slice);
      },
    },
    inProcessJobs(),
    (_, listener) => {
      report = listener.onChange;
      return { watchName() {}, unwatchName() {}, dispose() {} };
    },
  );
  await listing.ready();
  assert.equal(listing.snapshot.phase, "failed");
  assert.equal(listing.snapshot.error?.code, "store.access");
  readable = true;
  const changed = new Promise((resolve) => listing.onDidChange(resolve));
  report("a");
  assert.equal(await changed, "all");
  assert.equal(listing.snapshot.phase, "ready");
  listing.dispose();
});

test("a model is listed under its folder's tag, whatever its model.yaml names", async () => {
  writeFileSync(join(plant(home, "folder", "v9"), "model.yaml"), yamlOf("x", "y"));
  const listing = new LiveListing(new ModelStore(home), inProcessJobs(), noWatch);
  await listing.ready();
  assert.deepEqual(listing.snapshot.names.get("folder")?.models[0]?.tag, { name: "folder", version: "v9" });
  listing.dispose();
});

test("a listing that ended reads nothing more and tells nobody", async () => {
  const { listing, read, report } = follow([summary("a:1")]);
  await listing.ready();
  listing.onDidChange(() => assert.fail("told after its end"));
  report("a");
  listing.dispose();
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.deepEqual(read, ["names", "a"]);
});

/** A real store with a small model and a name whose second version is too big for the host's thread. */
function followBig() {
  plant(home, "small", "v1");
  plant(home, "big", "v1");
  writeFileSync(join(plant(home, "big", "v2"), "model.yaml"), manyLabels("big", "v2"));
  let release: () => void = () => undefined;
  const asked: unknown[] = [];
  const failures: Error[] = [];
  const jobs: Jobs = {
    async run<Input, Result>(job: JobKey<Input, Result>, input: Input): Promise<Result> {
      asked.push(input);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      const [failure] = failures;
      if (failure) throw failure;
      return inProcessJobs().run(job, input);
    },
  };
  const listing = new LiveListing(new ModelStore(home), jobs, noWatch);
  const tags = () =>
    [...listing.snapshot.names.values()]
      .flatMap(({ models }) => models.map(({ tag }) => `${tag.name}:${tag.version}`))
      .sort();
  const changed = () => new Promise<unknown>((resolve) => void listing.onDidChange(resolve));
  return { listing, asked, failures, tags, changed, release: () => release() };
}

test("a model.yaml that takes long to parse is read by the jobs process, and the others are shown before", async () => {
  const { listing, asked, changed, release, tags } = followBig();
  await listing.ready();
  assert.equal(listing.snapshot.phase, "ready");
  assert.deepEqual(tags(), ["big:v1", "small:v1"]);
  await new Promise(setImmediate);
  const merged = changed();
  release();
  assert.deepEqual(await merged, ["big"]);
  assert.deepEqual(tags(), ["big:v1", "big:v2", "small:v1"]);
  assert.deepEqual(asked, [{ home, name: "big" }]);
  listing.dispose();
});

test("what the jobs process found stays in sight while it is asked again, and goes when it became small", async () => {
  const { listing, asked, changed, release, tags } = followBig();
  await listing.ready();
  await new Promise(setImmediate);
  const merged = changed();
  release();
  await merged;
  await listing.refresh();
  assert.deepEqual(tags(), ["big:v1", "big:v2", "small:v1"]);
  await new Promise(setImmediate);
  assert.equal(asked.length, 2);
  writeFileSync(join(home, "models/big/v2/model.yaml"), yamlOf("big", "v3"));
  rmSync(join(home, "models/big/v1"), { recursive: true });
  const reading = listing.refresh();
  release();
  await reading;
  assert.equal(asked.length, 2, "nothing is too big any more");
  assert.deepEqual(tags(), ["big:v2", "small:v1"]);
  listing.dispose();
});

test("a jobs process that fails leaves a broken row in place of the name, and the next reading asks again", async () => {
  const { listing, asked, changed, failures, release, tags } = followBig();
  failures.push(new ModelbenchError("worker.died", "It ended."));
  await listing.ready();
  await new Promise(setImmediate);
  const merged = changed();
  release();
  await merged;
  assert.deepEqual(tags(), ["big:v1", "small:v1"]);
  const items = listing.snapshot.names.get("big")?.broken ?? [];
  assert.deepEqual(
    items.map(({ error, path, version }) => [error.code, path, version]),
    [["worker.died", join(home, "models/big"), undefined]],
  );
  failures.pop();
  await listing.refresh();
  await new Promise(setImmediate);
  const again = changed();
  release();
  await again;
  assert.deepEqual(tags(), ["big:v1", "big:v2", "small:v1"]);
  assert.deepEqual(listing.snapshot.names.get("big")?.broken, []);
  assert.equal(asked.length, 2);
  listing.dispose();
});
