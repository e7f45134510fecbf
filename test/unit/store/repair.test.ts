import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCheckStore } from "../../../src/store/checkJob";
import { nodeFiles } from "../../../src/store/fileLayer";
import { ModelStore } from "../../../src/store/modelStore";
import { asIfKilled, draftOf, namesIn, plant, sourcesIn, tempFolder, treeOf, yamlOf } from "./storeKit";

async function inStore(body: (home: string, store: ModelStore) => Promise<void>): Promise<void> {
  const temp = tempFolder();
  try {
    const home = join(temp.path, "home");
    const store = new ModelStore(home);
    await store.save(draftOf("ours", "v1"), sourcesIn(join(temp.path, "sources"), { "a.bin": "A" }));
    plant(home, "theirs", "v1", "2024-01-01T00:00:00+00:00");
    plant(home, "theirs", "v2", "2024-02-01T00:00:00+00:00");
    writeFileSync(join(home, "models/theirs/latest"), "v2");
    await body(home, store);
  } finally {
    temp.remove();
  }
}

const models = (home: string, ...path: string[]): string => join(home, "models", ...path);
const latest = (home: string, name: string): string => readFileSync(models(home, name, "latest"), "utf8");

/** Every damage that can be mended, in one store. */
async function damage(home: string, store: ModelStore): Promise<void> {
  await store.stagingFolder();
  asIfKilled(home);
  rmSync(join(plant(home, "theirs", "half"), "model.yaml"));
  utimesSync(models(home, "theirs/half"), 1, 1);
  writeFileSync(join(plant(home, "theirs", "torn"), "model.yaml"), "name: [");
  writeFileSync(models(home, "theirs/latest"), "");
  writeFileSync(models(home, "ours/latest"), "v0");
  writeFileSync(join(plant(home, "moved", "v1"), "model.yaml"), yamlOf("ours", "v9", "2023-01-01T00:00:00+00:00"));
  writeFileSync(join(plant(home, "twice", "v1"), "model.yaml"), yamlOf("theirs", "v1"));
  writeFileSync(join(plant(home, "theirs", "V_3"), "model.yaml"), yamlOf("theirs", "v3", "2023-01-01T00:00:00+00:00"));
  plant(home, "Not A Tag", "v1");
  symlinkSync("nowhere", models(home, "dangling"));
  symlinkSync("../elsewhere", models(home, "theirs/elsewhere"));
  mkdirSync(join(home, "elsewhere"));
  symlinkSync("theirs", models(home, "alias"));
}

test("a repair mends every damage that can be mended, and every byte is still there", () =>
  inStore(async (home, store) => {
    await damage(home, store);
    const contents = (): string[] => {
      const trees = [treeOf(models(home)), treeOf(join(home, ".modelbench/trash"))].flatMap((tree) =>
        Object.entries(tree),
      );
      return trees.flatMap(([path, what]) =>
        /\/(latest|entry\.json)$/.test(path) || what.startsWith("folder") ? [] : [what],
      );
    };
    const before = contents();
    const report = await store.repair();
    assert.equal(report.problems.length, 12);
    assert.deepEqual(report.failures, []);
    assert.ok(report.problems.every(({ repaired }) => repaired === true));
    assert.deepEqual(store.check().problems, []);
    assert.deepEqual(contents().sort(), before.sort());
    const names = (folder: string): string[] => namesIn(models(home, folder)).sort();
    assert.deepEqual(names(""), ["ours", "theirs"]);
    assert.deepEqual(names("ours"), ["latest", "v1", "v9"]);
    assert.deepEqual(names("theirs"), ["latest", "v1", "v2", "v3"]);
    assert.deepEqual([latest(home, "ours"), latest(home, "theirs")], ["v1", "v2"]);
    assert.deepEqual(await store.repair(), { models: 5, problems: [], failures: [] });
  }));

test("what cannot be mended is told what to do about, and stays as it is", () =>
  inStore(async (home, store) => {
    writeFileSync(models(home, "ours/v1/a.bin"), "B");
    writeFileSync(models(home, "theirs/v1/Weights.bin"), "");
    symlinkSync(home, models(home, "theirs/v2/out"));
    const before = treeOf(home);
    const { problems, failures } = await store.repair();
    assert.deepEqual(
      problems.map(({ kind, repair, repaired }) => [kind, repair, repaired]),
      ["file.changed", "case.collision", "link.stray"].map((kind) => [kind, undefined, undefined]),
    );
    assert.match(
      problems.map(({ detail }) => detail).join(),
      /Import the model again.*rename one of.*Put the file itself/s,
    );
    assert.deepEqual(failures, []);
    assert.deepEqual(treeOf(home), before);
  }));

test("only the chosen problems, or those of the chosen versions, are mended", () =>
  inStore(async (home) => {
    for (const version of ["bad", "worse"]) writeFileSync(join(plant(home, "theirs", version), "model.yaml"), "[");
    writeFileSync(models(home, "ours/latest"), "");
    const only = [models(home, "theirs/bad")];
    const { problems } = await runCheckStore({ home, repair: true, only }, {});
    assert.deepEqual(
      problems.map(({ tag, repaired }) => [tag, repaired]),
      [
        ["theirs:bad", true],
        ["theirs:worse", undefined],
        ["ours", undefined],
      ],
    );
    await runCheckStore({ home, repair: true, tags: ["theirs:worse"] }, {});
    const left = await runCheckStore({ home }, {});
    assert.deepEqual(
      left.problems.map(({ kind }) => kind),
      ["latest.torn"],
    );
  }));

test("a folder whose name is no tag can be looked at in the trash, and goes back under its name", () =>
  inStore(async (home, store) => {
    const name = "\u202e \u001b[31m'é".repeat(8);
    mkdirSync(models(home, name));
    writeFileSync(models(home, name, "file"), "content");
    const before = treeOf(models(home));
    await store.repair();
    const [entry, another] = store.trash();
    assert.equal(another, undefined);
    assert.match(entry?.id ?? "", /^\d+-[-._a-zA-Z0-9]{1,63}-$/);
    assert.deepEqual([entry?.tag, entry?.stray, entry?.bytes], [{ name, version: "" }, true, 7]);
    assert.equal(readFileSync(join(home, ".modelbench/trash", entry?.id ?? "", "model/file"), "utf8"), "content");
    mkdirSync(models(home, name));
    await assert.rejects(store.restore(entry?.id ?? ""), { code: "model.exists" });
    rmSync(models(home, name), { recursive: true });
    await store.restore(entry?.id ?? "");
    assert.deepEqual(treeOf(models(home)), before);
    assert.deepEqual(store.trash(), []);
  }));

test("a link in place of a folder goes to the trash as a link; what it leads to stays", () =>
  inStore(async (home, store) => {
    const target = join(home, "other");
    mkdirSync(join(target, "deep"), { recursive: true });
    symlinkSync(target, models(home, "linked"));
    const before = treeOf(models(home));
    await store.repair();
    const [entry] = store.trash();
    assert.equal(readlinkSync(join(home, ".modelbench/trash", entry?.id ?? "", "model")), target);
    assert.deepEqual(namesIn(target), ["deep"]);
    assert.equal(existsSync(models(home, "linked")), false);
    await store.restore(entry?.id ?? "");
    assert.deepEqual(treeOf(models(home)), before);
  }));

test("models that lie on another disk behind a link are no damage", () =>
  inStore(async (home, store) => {
    plant(join(home, "disk2"), "far", "v1");
    plant(join(home, "disk2"), "theirs", "v7");
    symlinkSync(join(home, "disk2/models/far"), models(home, "far"));
    symlinkSync(join(home, "disk2/models/theirs/v7"), models(home, "theirs/v7"));
    assert.deepEqual((await store.repair()).problems, []);
    assert.equal(store.list().models.length, 5);
  }));

test("a version under another tag moves to its own, and takes latest with it when it is the newest there", () =>
  inStore(async (home, store) => {
    const path = plant(home, "moved", "v1");
    writeFileSync(join(path, "model.yaml"), yamlOf("theirs", "v8", "2030-01-01T00:00:00+00:00"));
    plant(home, "moved", "v0");
    writeFileSync(models(home, "moved/latest"), "v1");
    await store.repair();
    assert.deepEqual([latest(home, "moved"), latest(home, "theirs")], ["v0", "v8"]);
    assert.deepEqual(store.check().problems, []);
  }));

test("one damage that cannot be mended now keeps no other from it", () =>
  inStore(async (home) => {
    for (const version of ["bad", "worse"]) writeFileSync(join(plant(home, "theirs", version), "model.yaml"), "[");
    const refused = Object.assign(new Error("EACCES: refused"), { code: "EACCES" });
    const stuck = new ModelStore(home, {
      files: {
        ...nodeFiles,
        rename: (from, to) => (from.endsWith("/bad") ? Promise.reject(refused) : nodeFiles.rename(from, to)),
      },
    });
    const { problems, failures } = await stuck.repair();
    assert.deepEqual(
      problems.map(({ tag, repaired }) => [tag, repaired]),
      [
        ["theirs:bad", false],
        ["theirs:worse", true],
      ],
    );
    assert.match(problems[0]?.detail ?? "", /Cannot delete .*bad: permission denied/);
    assert.equal(failures[0]?.code, "store.access");
  }));

test("a peer's version is not taken for the one that a repair could not move", () =>
  inStore(async (home) => {
    const path = plant(home, "theirs", "v3");
    writeFileSync(join(path, "model.yaml"), yamlOf("theirs", "v4"));
    const store = new ModelStore(home, {
      files: {
        ...nodeFiles,
        async rename(from, to) {
          if (from === path && existsSync(path)) {
            rmSync(path, { recursive: true });
            writeFileSync(join(plant(home, "theirs", "v4"), "of-a-peer"), "");
            writeFileSync(models(home, "theirs/latest"), "v4");
          }
          await nodeFiles.rename(from, to);
        },
      },
    });
    await store.repair(["theirs"]);
    assert.ok(existsSync(models(home, "theirs/v4/of-a-peer")));
    assert.equal(latest(home, "theirs"), "v4");
  }));
