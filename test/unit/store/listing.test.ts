import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Slice } from "../../../src/base/slice";
import { ModelStore } from "../../../src/store/modelStore";
import { failsWith } from "../../fixtures/failures";
import { manyLabels, plant, tempFolder, yamlOf } from "./storeKit";

function inStore(body: (home: string, store: ModelStore) => void): () => void {
  return () => {
    const temp = tempFolder();
    const home = join(temp.path, "home");
    try {
      body(home, new ModelStore(home));
    } finally {
      temp.remove();
    }
  };
}

function tags(store: ModelStore, name?: string): string[] {
  return store.list(name).models.map(({ tag }) => `${tag.name}:${tag.version}`);
}

test(
  "a store that is not there lists as empty and is not made by looking",
  inStore((home, store) => {
    assert.deepEqual(store.list(), { models: [], broken: [] });
    assert.throws(() => store.get("m"), { code: "model.notFound" });
    assert.deepEqual(store.trash(), []);
    assert.deepEqual(store.check(), { models: 0, problems: [] });
    assert.throws(() => rmSync(home), { code: "ENOENT" });
  }),
);

test(
  "models come by name, then by version as text",
  inStore((home, store) => {
    for (const version of ["v2", "v10", "v1"]) plant(home, "b", version);
    plant(home, "a", "z");
    assert.deepEqual(tags(store), ["a:z", "b:v1", "b:v10", "b:v2"]);
    assert.deepEqual(tags(store, "b"), ["b:v1", "b:v10", "b:v2"]);
    assert.deepEqual(tags(store, "b:v1"), ["b:v1"]);
    assert.deepEqual(tags(store, "b:v"), []);
    assert.throws(() => store.list("nobody"), { code: "model.notFound" });
    assert.throws(() => store.list("No/body"), { code: "tag.invalid" });
  }),
);

test(
  "a summary has the module, the instant to the microsecond, all bytes and whether it is the latest",
  inStore((home, store) => {
    const path = plant(home, "m", "v1", "2024-01-02T03:04:05.678901+00:00");
    mkdirSync(join(path, "sub", "empty"), { recursive: true });
    writeFileSync(join(path, "sub", "model.yaml"), "x".repeat(100));
    plant(home, "m", "v2");
    writeFileSync(join(home, "models", "m", "latest"), "v1\n");
    const [one, two] = store.list().models;
    const yaml = yamlOf("m", "v1", "2024-01-02T03:04:05.678901+00:00").length;
    assert.deepEqual(one, {
      tag: { name: "m", version: "v1" },
      path,
      module: "",
      creationMs: Date.UTC(2024, 0, 2, 3, 4, 5, 678),
      creationMicros: 901,
      sizeBytes: yaml + "weights of m:v1".length + 100,
      isLatest: true,
      warnings: [],
    });
    assert.equal(two?.isLatest, false);
  }),
);

test(
  "sizes count a linked file as the file, and do not enter a linked folder",
  inStore((home, store) => {
    const path = plant(home, "m", "v1");
    const before = store.list().models[0]?.sizeBytes ?? 0;
    writeFileSync(join(home, "elsewhere"), "12345");
    symlinkSync(join(home, "elsewhere"), join(path, "link"));
    symlinkSync(home, join(path, "loop"));
    symlinkSync("nowhere", join(path, "dangling"));
    assert.equal(store.list().models[0]?.sizeBytes, before + 5);
    assert.deepEqual(
      store.files({ name: "m", version: "v1" }).map((file) => file.path),
      ["link", "model.yaml", "weights.bin"],
    );
  }),
);

test(
  "linked names and versions are listed, links that lead nowhere and plain files are not",
  inStore((home, store) => {
    const path = plant(join(home, "away"), "m", "v1");
    mkdirSync(join(home, "models", "m"), { recursive: true });
    symlinkSync(path, join(home, "models", "m", "v1"));
    symlinkSync("nowhere", join(home, "models", "m", "v2"));
    symlinkSync("nowhere", join(home, "models", "gone"));
    writeFileSync(join(home, "models", "m", "notes.txt"), "");
    writeFileSync(join(home, "models", "README"), "");
    assert.deepEqual(tags(store), ["m:v1"]);
    assert.deepEqual(store.list().broken, []);
  }),
);

test(
  "broken neighbours are reported and hide nothing",
  inStore((home, store) => {
    plant(home, "good", "v1");
    const models = join(home, "models");
    const old = new Date(Date.now() - 60_000);
    mkdirSync(join(models, "good", "half"), { mode: 0o700 });
    utimesSync(join(models, "good", "half"), old, old);
    mkdirSync(join(models, "good", "young"));
    writeFileSync(join(plant(home, "good", "torn"), "model.yaml"), "name: [unclosed\n");
    writeFileSync(join(plant(home, "good", "list"), "model.yaml"), "- a\n");
    writeFileSync(join(plant(home, "good", "big"), "model.yaml"), "#".repeat((1 << 20) + 1));
    mkdirSync(join(plant(home, "good", "weird"), "x"));
    rmSync(join(models, "good", "weird", "model.yaml"));
    mkdirSync(join(models, "good", "weird", "model.yaml"));
    plant(home, "good", "V9");
    plant(home, "Bad.Name", "v1");
    mkdirSync(join(models, ".hidden"));

    assert.deepEqual(tags(store), ["good:v1"]);
    const shown = store
      .list()
      .broken.map((item) => [`${item.name}:${item.version ?? ""}`, item.error.code, item.beingWritten]);
    assert.deepEqual(shown, [
      [".hidden:", "tag.invalid", false],
      ["Bad.Name:", "tag.invalid", false],
      ["good:V9", "tag.invalid", false],
      ["good:big", "yaml.invalid", false],
      ["good:half", "model.broken", false],
      ["good:list", "yaml.invalid", false],
      ["good:torn", "yaml.invalid", false],
      ["good:weird", "store.access", false],
      ["good:young", "model.broken", true],
    ]);
    for (const { error } of store.list().broken)
      assert.ok(error.message.length > 10 && !error.message.includes("    at "));
  }),
);

test(
  "a folder that may not be read is broken, not fatal",
  inStore((home, store) => {
    chmodSync(join(home, ".."), 0o755);
    plant(home, "good", "v1");
    for (const path of ["", "models", "models/good", "models/good/v1"]) chmodSync(join(home, path), 0o755);
    plant(home, "shut", "v1");
    chmodSync(join(home, "models", "shut"), 0);
    const { models, broken } = asOrdinaryUser(() => store.list());
    for (const tag of ["shut", "shut:v1", "shut:latest"]) {
      asOrdinaryUser(() => failsWith("store.access", () => store.get(tag)));
    }
    chmodSync(join(home, "models", "shut"), 0o700);
    assert.equal(models.length, 1);
    assert.equal(broken[0]?.error.code, "store.access");
  }),
);

/** Root may read everything, so it steps down for a moment. */
function asOrdinaryUser<T>(run: () => T): T {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65534);
  try {
    return run();
  } finally {
    process.seteuid?.(0);
  }
}

test(
  "a model whose file names another tag is shown as BentoML reports it, with a warning",
  inStore((home, store) => {
    plant(home, "m", "v1");
    writeFileSync(join(plant(home, "m", "v2"), "model.yaml"), yamlOf("m", "v1"));
    assert.deepEqual(tags(store), ["m:v1", "m:v1"]);
    const [, other] = store.list().models;
    assert.deepEqual(
      other?.warnings.map(({ code }) => code),
      ["tag.mismatch"],
    );
    const got = store.get("m:v2");
    assert.equal(got.tag.version, "v1");
    assert.equal(got.path, join(home, "models", "m", "v2"));
    assert.deepEqual(
      got.warnings.map(({ code }) => code),
      ["tag.mismatch"],
    );
  }),
);

test(
  "a model.yaml bigger than the usual buffer is read whole",
  inStore((home, store) => {
    const path = plant(home, "m", "v1");
    const long = `description: ${"x".repeat(100_000)}\n`;
    writeFileSync(join(path, "model.yaml"), long + yamlOf("m", "v1"));
    assert.deepEqual(tags(store), ["m:v1"]);
    assert.equal(store.get("m").info.document.get("description"), "x".repeat(100_000));
  }),
);

/** Runs a pass to its end, counting the times it yields. */
function slicesOf<T>(pass: Generator<void, T>): { readonly value: T; readonly slices: number } {
  let slices = 0;
  for (let step = pass.next(); ; step = pass.next(), slices++) {
    if (step.done) return { value: step.value, slices };
  }
}

test(
  "slices yield and end with the same names and versions",
  inStore((home, store) => {
    for (let i = 0; i < 30; i++) plant(home, "m", `v${i}`);
    plant(home, "other", "v1");
    writeFileSync(join(home, "models", "file"), "");
    const names = slicesOf(store.nameSlices(new Slice(0)));
    assert.deepEqual([...names.value.keys()].sort(), ["m", "other"]);
    assert.equal(names.value.get("m"), store.folderMs("m"));
    assert.ok(names.slices >= 2, `${names.slices} slices`);
    const versions = slicesOf(store.versionSlices("m", { slice: new Slice(0) }));
    assert.deepEqual(versions.value, store.list("m"));
    assert.ok(versions.slices >= 30, `${versions.slices} slices`);
    assert.equal(slicesOf(store.versionSlices("m", { slice: new Slice(Infinity) })).slices, 0);
  }),
);

test(
  "the folder of any name can be asked for: what is in it is told, and of none there is nothing",
  inStore((home, store) => {
    plant(home, "Not A Tag", "v1");
    const ask = (name: string) => slicesOf(store.versionSlices(name, { slice: new Slice(Infinity) })).value;
    assert.deepEqual(
      ask("Not A Tag").broken.map(({ error }) => error.code),
      ["tag.invalid"],
    );
    assert.deepEqual(ask("nobody"), { models: [], broken: [] });
    assert.equal(store.folderMs("nobody"), undefined);
  }),
);

test(
  "what takes long to parse is left out and its name told, where the caller asks for that",
  inStore((home, store) => {
    plant(home, "small", "v1");
    const yaml = (tag: string) => join(home, "models", ...tag.split(":"), "model.yaml");
    plant(home, "labels", "v1");
    plant(home, "labels", "v2");
    writeFileSync(yaml("labels:v2"), manyLabels("labels", "v2"));
    plant(home, "long", "v1");
    writeFileSync(yaml("long:v1"), `${yamlOf("long", "v1")}description: ${"x".repeat(65_536)}\n`);
    plant(home, "broken", "v1");
    writeFileSync(yaml("broken:v1"), "- not a mapping");
    plant(home, "huge", "v1");
    writeFileSync(yaml("huge:v1"), "#".repeat((1 << 20) + 1));

    const tooBig: string[] = [];
    const onTooBig = (name: string) => tooBig.push(name);
    const found = ["broken", "huge", "labels", "long", "small"].map(
      (name) => slicesOf(store.versionSlices(name, { slice: new Slice(Infinity), onTooBig })).value,
    );
    const value = { models: found.flatMap((one) => one.models), broken: found.flatMap((one) => one.broken) };
    assert.deepEqual(tooBig, ["labels", "long"]);
    const listed = value.models.map(({ tag }) => `${tag.name}:${tag.version}`);
    assert.deepEqual(listed, ["labels:v1", "small:v1"]);
    assert.deepEqual(
      value.broken.map(({ name }) => name),
      ["broken", "huge"],
    );
    assert.deepEqual(tags(store), ["labels:v1", "labels:v2", "long:v1", "small:v1"]);
  }),
);
