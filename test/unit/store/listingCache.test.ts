import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { layoutOf } from "../../../src/store/layout";
import { ListingCache } from "../../../src/store/listingCache";
import { encodeListing, KnownListing, pushStamp } from "../../../src/store/listingFile";
import { listStore } from "../../../src/store/listStore";
import type { Listing } from "../../../src/store/model";
import { openListingCache } from "../../../src/store/savedListing";
import { saveListing } from "../../../src/store/saveListing";
import { plant, tempFolder, treeOf, yamlOf } from "./storeKit";

/** In seconds since the epoch. */
const WHOLE_SECOND = 1_700_000_000;

let temp: ReturnType<typeof tempFolder>;
let home = "";
beforeEach(async () => {
  temp = tempFolder();
  home = join(temp.path, "home");
  mkdirSync(join(home, ".modelbench"), { recursive: true });
  writeFileSync(join(home, ".modelbench", "format"), "1\n");
  for (const version of ["v1", "v2"]) {
    const folder = plant(home, "m", version);
    mkdirSync(join(folder, "sub", "deep"), { recursive: true });
    writeFileSync(join(folder, "sub", "deep", "part.bin"), "part");
    symlinkSync(join(home, "target"), join(folder, "link"));
  }
  writeFileSync(join(home, "target"), "outside");
  plant(home, "other", "v1");
  utimesSync(join(home, "models", "m", "v1", "model.yaml"), WHOLE_SECOND, WHOLE_SECOND);
  // File systems count time in steps; what a test changes must not fall into the step in which it was planted.
  await new Promise((resolve) => setTimeout(resolve, 20));
});
afterEach(() => temp.remove());

const layout = () => layoutOf(home);
/** A minute from now: by then everything that is there is old enough to be trusted. */
const later = () => Date.now() + 60_000;
const fresh = (): Listing => listStore(layout(), undefined, { now: later });

/** Lists with what was remembered, and remembers. */
function remember(now = later): { readonly listing: Listing; readonly cache: ListingCache } {
  const cache = openListingCache(layout(), now);
  assert.ok(cache);
  const listing = listStore(layout(), undefined, { now: later, cache });
  saveListing(layout(), cache, Date.now);
  return { listing, cache };
}

/** What a listing that uses what was remembered answers. */
const recalled = (): Listing =>
  listStore(layout(), undefined, { now: later, cache: openListingCache(layout(), later) });

test("what has not changed is not read again", () => {
  const path = join(home, "models", "other", "v1");
  const numbers = [1000, 7, statSync(join(path, "model.yaml")).size];
  for (const seen of [join(path, "model.yaml"), path]) pushStamp(numbers, statSync(seen));
  const facts = { module: "from.the.cache", files: ["weights.bin"], folders: [], numbers };
  const known = KnownListing.decode(encodeListing([{ name: "other", version: "v1", facts }]));
  const cache = new ListingCache({ known, startedMs: later(), learns: true });
  const { models } = listStore(layout(), "other", { now: later, cache });
  assert.deepEqual(
    models.map((one) => [one.module, one.creationMs, one.creationMicros, one.sizeBytes]),
    [["from.the.cache", 1000, 7, listStore(layout(), "other", { now: later }).models[0]?.sizeBytes]],
  );
});

test("a listing is the same without the cache, filling it, and with it", () => {
  const expected = fresh();
  assert.deepEqual(remember().listing, expected);
  const again = remember();
  assert.deepEqual(again.listing, expected);
  assert.equal(KnownListing.decode(again.cache.encoded())?.count, 3);
  assert.deepEqual(readdirSync(join(home, ".modelbench", "staging")), []);
});

const at = (...path: string[]) => join(home, "models", ...path);

/** Writes the same number of bytes, and puts the time of change back that a program can put back. */
function editUnnoticed(path: string, from: string, to: string): void {
  const before = statSync(path);
  writeFileSync(path, yamlOf("m", "v1").replace(from, to));
  utimesSync(path, WHOLE_SECOND, WHOLE_SECOND);
  const { size, mtimeMs } = statSync(path);
  assert.deepEqual({ size, mtimeMs }, { size: before.size, mtimeMs: before.mtimeMs });
}

const CHANGES: Readonly<Record<string, () => void>> = {
  "a model.yaml edited within its size and time": () =>
    editUnnoticed(at("m", "v1", "model.yaml"), "module: ''", "module: a "),
  "a model.yaml replaced by another of the same size": () => {
    writeFileSync(at("m", "new"), yamlOf("m", "v1").replace("module: ''", "module: b "));
    renameSync(at("m", "new"), at("m", "v1", "model.yaml"));
  },
  "a model.yaml that is gone": () => unlinkSync(at("m", "v1", "model.yaml")),
  "a model.yaml cut to nothing": () => truncateSync(at("m", "v1", "model.yaml"), 0),
  "a model.yaml that became a folder": () => {
    unlinkSync(at("m", "v1", "model.yaml"));
    mkdirSync(at("m", "v1", "model.yaml"));
  },
  "a model.yaml that became a link to another": () => {
    unlinkSync(at("m", "v1", "model.yaml"));
    symlinkSync(at("m", "v2", "model.yaml"), at("m", "v1", "model.yaml"));
  },
  "weights that grew": () => appendFileSync(at("m", "v1", "weights.bin"), "more"),
  "weights that are gone": () => unlinkSync(at("m", "v1", "weights.bin")),
  "a file more": () => writeFileSync(at("m", "v1", "more.bin"), "more"),
  "a file more in a folder inside": () => writeFileSync(at("m", "v1", "sub", "deep", "more.bin"), "more"),
  "a file that grew in a folder inside": () => appendFileSync(at("m", "v1", "sub", "deep", "part.bin"), "more"),
  "a folder more in a folder inside": () => {
    mkdirSync(at("m", "v1", "sub", "new"));
    writeFileSync(at("m", "v1", "sub", "new", "more.bin"), "more");
  },
  "a folder inside that is gone": () => rmSync(at("m", "v1", "sub"), { recursive: true }),
  "a folder inside that became a link": () => {
    renameSync(at("m", "v1", "sub"), join(home, "moved"));
    symlinkSync(join(home, "moved"), at("m", "v1", "sub"));
  },
  "a linked file that grew": () => appendFileSync(join(home, "target"), "more"),
  "a linked file that became a folder": () => {
    unlinkSync(join(home, "target"));
    mkdirSync(join(home, "target"));
    writeFileSync(join(home, "target", "file"), "not counted");
  },
  "a version that is gone": () => rmSync(at("m", "v1"), { recursive: true }),
  "a version more": () => void plant(home, "m", "v3"),
  "two versions that changed places": () => {
    renameSync(at("m", "v1"), at("m", "v0"));
    renameSync(at("m", "v2"), at("m", "v1"));
    renameSync(at("m", "v0"), at("m", "v2"));
  },
  "a version that came back from elsewhere": () => {
    renameSync(at("m", "v1"), join(home, "away"));
    plant(home, "m", "v1");
  },
  "a version that became a link": () => {
    renameSync(at("m", "v1"), join(home, "away"));
    symlinkSync(join(home, "away"), at("m", "v1"));
  },
  "a name that is gone": () => rmSync(at("other"), { recursive: true }),
  "latest that moved": () => writeFileSync(at("m", "latest"), "v1"),
  "a store that is empty": () => rmSync(at(), { recursive: true }),
};

for (const [change, make] of Object.entries(CHANGES)) {
  test(`what was remembered is not believed of ${change}`, () => {
    const before = remember().listing;
    assert.deepEqual(recalled(), before);
    make();
    assert.deepEqual(recalled(), fresh());
    assert.deepEqual(remember().listing, fresh());
    assert.deepEqual(recalled(), fresh());
  });
}

test("what changed within the last seconds is not remembered: it may change again in the same instant", () => {
  const { cache } = remember(Date.now);
  assert.equal(KnownListing.decode(cache.encoded())?.count, 0);
  assert.equal(cache.isWorthSaving, false);
  utimesSync(at("other", "v1", "model.yaml"), 1, 1);
  const young = remember(Date.now);
  assert.equal(KnownListing.decode(young.cache.encoded())?.count, 0, "a time put back does not make it older");
});

test("a cache is worth saving once enough was read anew, or is gone", () => {
  for (let i = 0; i < 200; i++) plant(home, "many", `v${i}`);
  assert.equal(remember().cache.isWorthSaving, true);
  assert.equal(remember().cache.isWorthSaving, false);
  rmSync(at("many"), { recursive: true });
  assert.equal(remember().cache.isWorthSaving, true);
});

test("looking writes nothing into a store without a .modelbench, or with one of another layout", () => {
  rmSync(join(home, ".modelbench"), { recursive: true });
  const before = treeOf(home);
  assert.equal(openListingCache(layout(), later), undefined);
  assert.deepEqual(treeOf(home), before);
  mkdirSync(join(home, ".modelbench"));
  writeFileSync(join(home, ".modelbench", "format"), "2\n");
  const other = treeOf(home);
  remember();
  assert.deepEqual(treeOf(home), other);
  rmSync(home, { recursive: true });
  assert.deepEqual(fresh(), { models: [], broken: [] });
  assert.equal(existsSync(home), false);
});

test("a store in which nothing can be saved is listed all the same, and nothing stays staged", () => {
  writeFileSync(join(home, ".modelbench", "cache"), "a file where a folder should be");
  assert.deepEqual(remember().listing, fresh());
  mkdirSync(join(home, ".modelbench", "staging"), { recursive: true });
  unlinkSync(join(home, ".modelbench", "cache"));
  mkdirSync(join(home, ".modelbench", "cache", "listing", "full"), { recursive: true });
  assert.deepEqual(remember().listing, fresh());
  assert.deepEqual(readdirSync(join(home, ".modelbench", "staging")), []);
});

test("a clock that is not the file system's saves nothing", () => {
  const { cache } = remember();
  unlinkSync(layout().listing);
  saveListing(layout(), cache, () => Date.now() + 10_000);
  assert.deepEqual(readdirSync(dirname(layout().listing)), []);
  saveListing(layout(), cache, Date.now);
  assert.deepEqual(readdirSync(dirname(layout().listing)), ["listing"]);
});
