import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { nodeFiles } from "../../../src/store/fileLayer";
import { ModelStore } from "../../../src/store/modelStore";
import { asIfKilled, draftOf, namesIn, plant, sourcesIn, tempFolder, treeOf } from "./storeKit";

async function inFolder(body: (folder: string, home: string, store: ModelStore) => Promise<void>): Promise<void> {
  const temp = tempFolder();
  try {
    const home = join(temp.path, "home");
    await body(temp.path, home, new ModelStore(home));
  } finally {
    chmodSync(temp.path, 0o700);
    temp.remove();
  }
}

const V1 = { name: "m", version: "v1" };

test("a home that is a link leading nowhere refuses a save and lists as nothing", () =>
  inFolder(async (folder, home, store) => {
    symlinkSync(join(folder, "gone"), home);
    assert.deepEqual(store.list().models, []);
    await assert.rejects(store.save(draftOf("m", "v1"), []), { code: "store.access" });
  }));

test("a home that is a link is a store like any other", () =>
  inFolder(async (folder, home, store) => {
    mkdirSync(join(folder, "real"));
    symlinkSync(join(folder, "real"), home);
    await store.save(draftOf("m", "v1"), sourcesIn(folder, { "a.bin": "A" }));
    await store.restore((await store.delete(V1)).id);
    assert.equal(store.get("m").tag.version, "v1");
    assert.deepEqual(store.check().problems, []);
  }));

test("a name that is a plain file refuses a save by name", () =>
  inFolder(async (_, home, store) => {
    mkdirSync(join(home, "models"), { recursive: true });
    writeFileSync(join(home, "models", "m"), "");
    await assert.rejects(store.save(draftOf("m", "v1"), []), { code: "store.access" });
    assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
  }));

test("a version that is a link is deleted and restored as a link, whatever becomes of its target", () =>
  inFolder(async (folder, home, store) => {
    const elsewhere = join(folder, "disk2");
    renameSync(plant(home, "m", "v1"), elsewhere);
    symlinkSync(elsewhere, join(home, "models/m/v1"));
    const before = treeOf(join(home, "models/m/v1"));
    await store.delete(V1);
    renameSync(elsewhere, join(folder, "unmounted"));
    await store.sweepStaging();
    await store.restore("m:v1");
    renameSync(join(folder, "unmounted"), elsewhere);
    assert.deepEqual(treeOf(join(home, "models/m/v1")), before);
    assert.equal(readFileSync(join(elsewhere, "weights.bin"), "utf8"), "weights of m:v1");
  }));

test("a pipe in place of a file to save is refused and not waited for", () =>
  inFolder(async (folder, home, store) => {
    const pipe = join(folder, "pipe");
    assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
    await assert.rejects(store.save(draftOf("m", "v1"), [{ from: pipe, to: "a.bin" }]), { code: "file.access" });
    assert.deepEqual(namesIn(join(home, "models")), []);
  }));

test("a pipe or a folder in place of model.yaml is one broken version", () =>
  inFolder(async (_, home, store) => {
    mkdirSync(join(home, "models/m/v1"), { recursive: true });
    assert.equal(spawnSync("mkfifo", [join(home, "models/m/v1/model.yaml")]).status, 0);
    mkdirSync(join(home, "models/m/v2/model.yaml"), { recursive: true });
    plant(home, "m", "v3");
    const { models, broken } = store.list();
    assert.deepEqual([models.length, broken.length], [1, 2]);
    assert.equal(store.get("m").tag.version, "v3");
  }));

test("where a peer saved a version called latest, restoring and sweeping leave it alone", () =>
  inFolder(async (_, home, store) => {
    plant(home, "m", "v1");
    writeFileSync(join(home, "models/m/latest"), "v1");
    await store.delete(V1);
    plant(home, "m", "latest");
    await store.restore("m:v1");
    const killed = new ModelStore(home, {
      files: {
        ...nodeFiles,
        async sync(path) {
          if (path.endsWith("/models/m")) throw new Error("killed");
          await nodeFiles.sync(path);
        },
        async unlink(path) {
          if (!path.includes("/staging/")) await nodeFiles.unlink(path);
        },
        async rename(from, to) {
          if (from.includes("/models/")) throw new Error("killed");
          await nodeFiles.rename(from, to);
        },
      },
    });
    await assert.rejects(killed.save(draftOf("m", "v2"), []));
    asIfKilled(home);
    await store.sweepStaging();
    assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
    assert.deepEqual(namesIn(join(home, "models/m")), ["latest", "v1", "v2"]);
  }));

test("an entry of the trash whose record is damaged can be restored all the same", () =>
  inFolder(async (_, home, store) => {
    plant(home, "m", "v1");
    const before = treeOf(join(home, "models/m/v1"));
    const { id } = await store.delete(V1);
    writeFileSync(join(home, ".modelbench/trash", id, "entry.json"), "{");
    await store.sweepStaging();
    assert.deepEqual(
      store.trash().map((entry) => [entry.id, entry.tag]),
      [[id, V1]],
    );
    await store.restore("m:v1");
    assert.deepEqual(treeOf(join(home, "models/m/v1")), before);
  }));

test("what an archive brought is never taken for a deleted version", () =>
  inFolder(async (_, home, store) => {
    const staged = await store.stagingFolder();
    mkdirSync(join(staged, "model"));
    const record = { tag: V1, staged: "", deletedMs: 1, wasLatest: false, latestBefore: null, latestAfter: null };
    writeFileSync(join(staged, "entry.json"), JSON.stringify(record));
    asIfKilled(home);
    await store.sweepStaging();
    assert.deepEqual(store.trash(), []);
    assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
  }));

test("one leftover that cannot be cleared away does not keep the others", () =>
  inFolder(async (_, home, store) => {
    for (let i = 0; i < 3; i++) writeFileSync(join(await store.stagingFolder(), "half"), "");
    asIfKilled(home);
    const [first = ""] = namesIn(join(home, ".modelbench/staging"));
    const refused = Object.assign(new Error("EACCES: refused"), { code: "EACCES" });
    const stuck = new ModelStore(home, {
      files: {
        ...nodeFiles,
        unlink: (path) => (path.includes(first) ? Promise.reject(refused) : nodeFiles.unlink(path)),
      },
    });
    await assert.rejects(stuck.sweepStaging(), { code: "store.access" });
    assert.deepEqual(namesIn(join(home, ".modelbench/staging")), [first]);
  }));

test("a link to a folder without models is one broken item, and one back into the store one warning", () =>
  inFolder(async (folder, home, store) => {
    for (let i = 0; i < 300; i++) mkdirSync(join(folder, "packages", String(i)), { recursive: true });
    for (let i = 0; i < 5; i++) plant(home, "m", `v${i}`);
    symlinkSync(join(folder, "packages"), join(home, "models/linked"));
    symlinkSync("m", join(home, "models/alias"));
    mkdirSync(join(home, "bentos"));
    symlinkSync("..", join(home, "models/loop"));
    const { models, broken } = store.list();
    assert.equal(models.length, 10);
    assert.deepEqual(
      broken.map(({ name, version, error }) => [name, version, error.code]),
      ["linked", "loop"].map((name) => [name, undefined, "model.broken"]),
    );
    const warnings = models.flatMap((model) => model.warnings);
    assert.deepEqual(
      warnings.map(({ code, path }) => [code, path]),
      [["link.stray", join(home, "models/alias")]],
    );
    assert.deepEqual(
      store.check().problems.map(({ kind, tag }) => [kind, tag]),
      ["alias", "linked", "loop"].map((name) => ["link.stray", name]),
    );
  }));

test("a folder whose name is no UTF-8 is told, and keeps nothing from its work", () =>
  inFolder(async (_, home, store) => {
    plant(home, "m", "v1");
    for (const folder of ["models/", "models/m/"]) {
      mkdirSync(Buffer.concat([Buffer.from(join(home, folder)), Buffer.of(0x61, 0xff)]));
    }
    const { models, broken } = store.list();
    assert.deepEqual([models.length, broken.map(({ error }) => error.code)], [1, ["tag.invalid", "tag.invalid"]]);
    const { problems, failures } = await store.repair();
    assert.deepEqual(
      problems.map(({ kind, repaired }) => [kind, repaired]),
      [
        ["tag.mismatch", undefined],
        ["tag.mismatch", undefined],
      ],
    );
    assert.match(problems[0]?.detail ?? "", /rename it in a terminal/);
    assert.deepEqual(failures, []);
  }));
