import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { nodeFiles } from "../../../src/store/fileLayer";
import { ModelStore } from "../../../src/store/modelStore";
import { newStagingName } from "../../../src/store/owner";
import { yamlOf } from "../../fixtures/modelYaml";
import { draftOf, namesIn, plant, sourcesIn, tempFolder, treeOf } from "./storeKit";

const temp = tempFolder();
after(() => temp.remove());
const home = join(temp.path, "home");
const tag = { name: "m", version: "v1" };
const yaml = join(home, "models/m/v1/model.yaml");
const store = new ModelStore(home);
beforeEach(() => {
  rmSync(home, { recursive: true, force: true });
  plant(home, "m", "v1");
});

/** The name of a process on another machine, which nobody here can ask. */
const ELSEWHERE = "1-1.00000000-000000000000";

const label = (key: string, value: string) => ({ labels: { set: { [key]: value }, remove: [] } });

test("an edit changes model.yaml and nothing else, keeps the time and leaves nothing in staging", async () => {
  const before = treeOf(join(home, "models"));
  const { creationTime } = store.open(tag).info;
  assert.equal(await store.edit(tag, label("stage", "prod")), true);
  const edited = treeOf(join(home, "models"));
  assert.notEqual(edited["/m/v1/model.yaml"], before["/m/v1/model.yaml"]);
  assert.deepEqual({ ...edited, "/m/v1/model.yaml": "" }, { ...before, "/m/v1/model.yaml": "" });
  assert.deepEqual(store.open(tag).info.creationTime, creationTime);
  assert.equal(store.open(tag).info.labels.get("stage"), "prod");
  assert.equal(await store.edit(tag, label("stage", "prod")), false);
  assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
});

test("a file that only its owner may read stays so", async () => {
  chmodSync(yaml, 0o600);
  await store.edit(tag, label("stage", "prod"));
  assert.equal(statSync(yaml).mode & 0o777, 0o600);
});

test("an edited model that was saved here is no damage to a check", async () => {
  await store.save(draftOf("s", "v1"), sourcesIn(join(temp.path, "sources"), { "a.bin": "weights" }));
  await store.edit({ name: "s", version: "v1" }, label("stage", "prod"));
  assert.deepEqual(store.check().problems, []);
});

test("many editors of one version at once lose none of their changes", async () => {
  const keys = Array.from({ length: 25 }, (_, i) => `label${i}`);
  await Promise.all(keys.map((key) => new ModelStore(home).edit(tag, label(key, "here"))));
  assert.deepEqual([...store.open(tag).info.labels.keys()].sort(), [...keys].sort());
});

test("what another program writes between reading and renaming is kept, and the edit made on top of it", async () => {
  let foreign = 0;
  const meddling = new ModelStore(home, {
    files: {
      ...nodeFiles,
      async create(path, mode) {
        const file = await nodeFiles.create(path, mode);
        if (foreign < 3) {
          foreign += 1;
          writeFileSync(yaml, `${yamlOf("m", "v1")}# written ${foreign}\n`);
        }
        return file;
      },
    },
  });
  await meddling.edit(tag, label("stage", "prod"));
  const text = readFileSync(yaml, "utf8");
  assert.match(text, /stage: prod/);
  assert.match(text, /# written 3/);
});

test("a rename that fails leaves the old text, and a version that goes meanwhile is said to be gone", async () => {
  const before = readFileSync(yaml, "utf8");
  const failing = (act: () => void) =>
    new ModelStore(home, {
      files: {
        ...nodeFiles,
        async rename(from, to) {
          if (to === yaml) act();
          await nodeFiles.rename(from, to);
        },
      },
    });
  const full = failing(() => {
    throw Object.assign(new Error("no space"), { code: "ENOSPC" });
  });
  await assert.rejects(full.edit(tag, label("a", "b")), { code: "store.access" });
  assert.equal(readFileSync(yaml, "utf8"), before);
  assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
  const deleted = failing(() => rmSync(join(home, "models/m"), { recursive: true }));
  await assert.rejects(deleted.edit(tag, label("a", "b")), { code: "model.notFound" });
});

test("a lock of a process that is gone is taken over, and one that is kept is waited for and then named", async () => {
  await store.edit(tag, label("a", "b"));
  const lock = join(home, ".modelbench/staging/edit.m+v1");
  mkdirSync(join(lock, ELSEWHERE), { recursive: true });
  const later = new ModelStore(home, { now: () => Date.now() + 61_000 });
  await later.edit(tag, label("a", "c"));
  assert.equal(store.open(tag).info.labels.get("a"), "c");
  mkdirSync(join(lock, ELSEWHERE), { recursive: true });
  const waiting = assert.rejects(store.edit(tag, label("a", "d")), { code: "store.access", message: /being edited/ });
  await waiting;
  assert.equal(store.open(tag).info.labels.get("a"), "c");
});

test("a model.yaml that is a link or cannot be read is refused and stays as it is", async () => {
  const aside = join(temp.path, "aside.yaml");
  writeFileSync(aside, yamlOf("m", "v1"));
  rmSync(yaml);
  symlinkSync(aside, yaml);
  await assert.rejects(store.edit(tag, label("a", "b")), { code: "model.broken" });
  assert.equal(readFileSync(aside, "utf8"), yamlOf("m", "v1"));
  rmSync(yaml);
  writeFileSync(yaml, "name: [");
  await assert.rejects(store.edit(tag, label("a", "b")), { code: "yaml.invalid" });
  await assert.rejects(store.edit({ name: "m", version: "v9" }, label("a", "b")), { code: "model.notFound" });
});

test("a pin is set and taken off, twice is fine, and it outlives a deletion that is undone", async () => {
  await store.pin(tag, true);
  await store.pin(tag, true);
  assert.deepEqual([...store.pinned()], ["m:v1"]);
  const entry = await store.delete(tag);
  await store.restore(entry.id);
  assert.deepEqual([...store.pinned()], ["m:v1"]);
  await store.pin(tag, false);
  await store.pin(tag, false);
  assert.deepEqual([...store.pinned()], []);
});

test("what another program writes while the digests are noted is kept, too", async () => {
  await store.save(draftOf("s", "v1"), sourcesIn(join(temp.path, "sources"), { "a.bin": "A" }));
  const saved = join(home, "models/s/v1/model.yaml");
  let foreign = 0;
  const meddling = new ModelStore(home, {
    files: {
      ...nodeFiles,
      async rename(from, to) {
        if (to.endsWith("v1.json") && foreign++ === 0) appendFileSync(saved, "# theirs\n");
        await nodeFiles.rename(from, to);
      },
    },
  });
  await meddling.edit({ name: "s", version: "v1" }, label("stage", "prod"));
  const text = readFileSync(saved, "utf8");
  assert.match(text, /stage: prod/);
  assert.match(text, /# theirs/);
});

test("what another program writes once the edit is digested is an edit of theirs, no damage", async (t) => {
  await store.save(draftOf("s", "v1"), sourcesIn(join(temp.path, "sources"), { "a.bin": "A" }));
  const saved = join(home, "models/s/v1/model.yaml");
  const { open } = fs;
  let foreign = 0;
  t.mock.method(fs, "open", async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    if (args[0] !== saved) return handle;
    const close = handle.close.bind(handle);
    handle.close = async () => {
      await close();
      if (foreign++ === 0) appendFileSync(saved, "# theirs\n");
    };
    return handle;
  });
  syncBuiltinESMExports();
  await store.edit({ name: "s", version: "v1" }, label("stage", "prod"));
  t.mock.restoreAll();
  syncBuiltinESMExports();
  assert.equal(foreign, 1);
  const [problem] = store.check().problems;
  assert.deepEqual([problem?.kind, typeof problem?.repair], ["file.changed", "string"]);
});

test("a lock that another editor has taken over meanwhile is left to that one", async () => {
  await store.edit(tag, label("a", "b"));
  const lock = join(home, ".modelbench/staging/edit.m+v1");
  mkdirSync(join(lock, ELSEWHERE), { recursive: true });
  let state: "left" | "taken over" | "released" = "left";
  const late = new ModelStore(home, {
    now: () => Date.now() + 61_000,
    files: {
      ...nodeFiles,
      async rename(from, to) {
        if (from === lock && state === "left") {
          state = "taken over";
          rmSync(lock, { recursive: true });
          mkdirSync(join(lock, newStagingName()), { recursive: true });
          setTimeout(() => {
            state = "released";
            rmSync(lock, { recursive: true });
          }, 200);
        }
        if (to === yaml) assert.equal(state, "released");
        await nodeFiles.rename(from, to);
      },
    },
  });
  await late.edit(tag, label("a", "c"));
  assert.equal(store.open(tag).info.labels.get("a"), "c");
  assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
});
