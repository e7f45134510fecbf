import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { HomeChoice, NamedHome } from "../../../src/extension/homeChoice";
import { OpenStores, type StorePlaces } from "../../../src/extension/openStores";
import { plant, tempFolder, treeOf } from "../store/storeKit";
import { t } from "./fakes";

let folder: ReturnType<typeof tempFolder>;
let remembered: boolean[];
beforeEach(() => {
  folder = tempFolder();
  remembered = [];
  plant(join(folder.path, "shipped"), "iris", "v1");
  plant(join(folder.path, "shipped"), "iris", "v2");
});
afterEach(() => folder.remove());

function chosen(home: string, origin: HomeChoice["origin"] = "default", file?: string): HomeChoice {
  return { home, origin, file };
}

function places(facts: Partial<StorePlaces> = {}): StorePlaces {
  return {
    own: () => chosen(join(folder.path, "own")),
    further: () => [],
    sampleSource: join(folder.path, "shipped"),
    sampleHome: join(folder.path, "global", "sample-store"),
    isSampleOpen: false,
    t,
    rememberSample: async (open) => void remembered.push(open),
    ...facts,
  };
}

test("making the stores reads and writes nothing", () => {
  const stores = new OpenStores(places({ isSampleOpen: true }));
  assert.ok(stores.sample);
  assert.deepEqual(readdirSync(folder.path), ["shipped"]);
});

test("opening the sample store copies it whole, tells once and is remembered; the shipped one stays as it is", async () => {
  const shipped = treeOf(join(folder.path, "shipped"));
  const stores = new OpenStores(places());
  let told = 0;
  stores.onDidChange(() => told++);
  const sample = await stores.openSample();
  assert.equal(stores.of({ store: "sample" }), sample);
  assert.equal(sample.list().models.length, 2);
  await sample.delete({ name: "iris", version: "v1" });
  await stores.openSample();
  assert.deepEqual(treeOf(join(folder.path, "shipped")), shipped);
  assert.deepEqual([told, remembered], [1, [true, true]]);
  assert.ok(!existsSync(join(folder.path, "own")), "the user's own store is not made");
});

test("opening it again brings back what was deleted and keeps what was added", async () => {
  const stores = new OpenStores(places());
  const sample = await stores.openSample();
  await sample.delete({ name: "iris", version: "v1" });
  plant(sample.home, "mine", "v1");
  await stores.openSample();
  assert.deepEqual(
    sample.list().models.map(({ tag }) => `${tag.name}:${tag.version}`),
    ["iris:v1", "iris:v2", "mine:v1"],
  );
});

test("a sample store that was open comes back with its copy, and what was done in it stays", async () => {
  const first = new OpenStores(places({ isSampleOpen: true }));
  await first.resumeSample();
  const { sample } = first;
  assert.ok(sample);
  await sample.delete({ name: "iris", version: "v1" });
  const next = new OpenStores(places({ isSampleOpen: true }));
  await next.resumeSample();
  assert.equal(next.sample?.list().models.length, 1);
  rmSync(sample.home, { recursive: true });
  await next.resumeSample();
  assert.equal(next.sample?.list().models.length, 2);
});

test("two windows that open it at once end with one whole copy and nothing beside it", async () => {
  const windows = [new OpenStores(places()), new OpenStores(places())];
  await Promise.all(windows.map((stores) => stores.openSample()));
  assert.deepEqual(readdirSync(join(folder.path, "global")), ["sample-store"]);
  for (const stores of windows) assert.equal(stores.sample?.list().models.length, 2);
});

test("a closed sample store is refused by name and forgotten for the next start", async () => {
  const stores = new OpenStores(places());
  await stores.openSample();
  await stores.closeSample();
  assert.throws(() => stores.of({ store: "sample" }), { code: "model.notFound" });
  assert.deepEqual(remembered, [true, false]);
});

test("a copy that cannot be made fails and leaves nothing half-made", async () => {
  const stores = new OpenStores(places({ sampleSource: join(folder.path, "missing") }));
  await assert.rejects(stores.openSample());
  assert.equal(stores.sample, undefined);
  assert.deepEqual(readdirSync(join(folder.path, "global")), []);
});

test("another folder in the settings is another store, the same one is not", () => {
  let home = join(folder.path, "a");
  const stores = new OpenStores(places({ own: () => chosen(home) }));
  let told = 0;
  stores.onDidChange(() => told++);
  const before = stores.own;
  stores.settingsChanged();
  assert.equal(stores.own, before);
  home = join(folder.path, "b");
  mkdirSync(home);
  writeFileSync(join(home, "note"), "untouched");
  stores.settingsChanged();
  assert.equal(stores.own.home, home);
  assert.equal(told, 1);
  assert.equal(readFileSync(join(home, "note"), "utf8"), "untouched");
});

test("further homes are open between the own store and the sample store, each under its id", () => {
  const further = [
    { label: "team", home: "/data/team" },
    { label: "lab", home: "/data/lab" },
  ];
  const stores = new OpenStores(places({ further: () => further, isSampleOpen: true }));
  assert.deepEqual(
    stores.all.map(({ id, kind, label }) => [id, kind, label]),
    [
      ["own", "own", "My Store"],
      ["home:/data/team", "home", "team"],
      ["home:/data/lab", "home", "lab"],
      ["sample", "sample", "Sample Store"],
    ],
  );
  assert.equal(stores.of({ store: "home:/data/lab" }).home, "/data/lab");
  assert.throws(() => stores.of({ store: "home:/data/other" }), { code: "model.notFound" });
});

test("a folder is open once, whatever the settings call it, and a store that stays is the same object", () => {
  let home = "/data/mine";
  let further: NamedHome[] = [
    { label: "a", home: "/data/team" },
    { label: "b", home: "/data/team" },
    { label: "mine too", home: "/data/mine" },
  ];
  const stores = new OpenStores(places({ own: () => chosen(home), further: () => further }));
  let told = 0;
  stores.onDidChange(() => told++);
  const labels = () => stores.all.map(({ label }) => label);
  assert.deepEqual(labels(), ["My Store", "a"]);
  const team = stores.of({ store: "home:/data/team" });
  further = [{ label: "renamed", home: "/data/team" }];
  stores.settingsChanged();
  assert.deepEqual(labels(), ["My Store", "renamed"]);
  assert.equal(stores.of({ store: "home:/data/team" }), team);
  home = "/data/team";
  stores.settingsChanged();
  assert.deepEqual(labels(), ["My Store"]);
  stores.settingsChanged();
  assert.equal(told, 2);
});

test("the own store says where the choice came from, also when only that changes", () => {
  let choice = chosen("/data", "envFile", "/work/dev.env");
  const stores = new OpenStores(places({ own: () => choice }));
  let told = 0;
  stores.onDidChange(() => told++);
  const from = () => stores.all[0]?.from;
  assert.equal(from(), "from dev.env");
  choice = chosen("/data", "environment");
  stores.settingsChanged();
  assert.deepEqual([from(), told], ["from BENTOML_HOME", 1]);
  choice = chosen("/data", "default");
  stores.settingsChanged();
  assert.equal(from(), undefined);
});
