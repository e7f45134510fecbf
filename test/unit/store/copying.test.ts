import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { runCopyModel } from "../../../src/store/copyModelJob";
import { layoutOf } from "../../../src/store/layout";
import { ModelStore } from "../../../src/store/modelStore";
import { readOrigin } from "../../../src/store/origin";
import { formatTag } from "../../../src/store/tag";
import { yamlOf } from "../../fixtures/modelYaml";
import { draftOf, namesIn, plant, sourcesIn, tempFolder, treeOf } from "./storeKit";

const temp = tempFolder();
after(() => temp.remove());
let homes = 0;

/** A store with one version that has a comment, an executable, an empty folder and a label. */
function storeWithModel(): { home: string; path: string; store: ModelStore } {
  homes += 1;
  const home = join(temp.path, `home${homes}`);
  const path = plant(home, "m", "v1");
  const yaml = yamlOf("m", "v1").replace("labels: {}", "labels: {stage: dev} # by hand");
  writeFileSync(join(path, "model.yaml"), yaml);
  mkdirSync(join(path, "deep/empty"), { recursive: true });
  writeFileSync(join(path, "deep/run.sh"), "#!/bin/sh\n");
  chmodSync(join(path, "deep/run.sh"), 0o755);
  return { home, path, store: new ModelStore(home) };
}

const from = { name: "m", version: "v1" };

test("a copy has the same files under another tag, made now, and is the latest of its name", async () => {
  const { home, path, store } = storeWithModel();
  const began = Date.now();
  const copied = await runCopyModel({ home, from, to: "m:prod" }, {});
  assert.deepEqual(copied, { tag: "m:prod", path: join(home, "models/m/prod") });
  const [before, after] = [treeOf(path), treeOf(copied.path)];
  const text = readFileSync(join(copied.path, "model.yaml"), "utf8");
  assert.match(text, /^version: prod$/m);
  assert.match(text, /^labels: \{stage: dev\} # by hand$/m);
  const made = /^creation_time: '.*'$/m;
  const own = text.replace("version: prod", "version: v1").replace(made, "");
  assert.equal(own, readFileSync(join(path, "model.yaml"), "utf8").replace(made, ""));
  // Version folders are private whatever a peer made them.
  const same = { "": "", "/model.yaml": "" };
  assert.deepEqual({ ...after, ...same }, { ...before, ...same });
  assert.notEqual(statSync(join(copied.path, "weights.bin")).ino, statSync(join(path, "weights.bin")).ino);
  const { info } = store.open({ name: "m", version: "prod" });
  assert.ok(info.creationTime.epochMs >= began);
  assert.equal(store.latestOf("m"), "prod");
  assert.deepEqual(readOrigin(layoutOf(home), info).kind, "copied");
  assert.equal(readOrigin(layoutOf(home), info).from, "m:v1");
  assert.deepEqual(store.check().problems, []);
});

test("a name without a version gets one made, and another store takes a copy too", async () => {
  const { home } = storeWithModel();
  const other = join(temp.path, "other");
  const copied = await runCopyModel({ home, from, to: "renamed", toHome: other }, {});
  const model = new ModelStore(other).get("renamed");
  assert.equal(formatTag(model.tag), copied.tag);
  assert.match(model.tag.version, /^[a-z2-7]{16}$/);
  assert.deepEqual(namesIn(join(home, "models")), ["m"]);
});

test("under its own tag in another store a version stays what it was, to the byte", async () => {
  const { home, path } = storeWithModel();
  const copied = await runCopyModel({ home, from, to: "m:v1", toHome: join(temp.path, "moved") }, {});
  assert.deepEqual({ ...treeOf(copied.path), "": "" }, { ...treeOf(path), "": "" });
});

test("a taken tag, latest, a bad name and a link that leaves the model are refused, and nothing is left behind", async () => {
  const { home, path } = storeWithModel();
  const before = treeOf(join(home, "models"));
  const copy = (to: string) => runCopyModel({ home, from, to }, {});
  await assert.rejects(copy("m:v1"), { code: "model.exists" });
  await assert.rejects(copy("m:latest"), { code: "tag.invalid" });
  await assert.rejects(copy("no/name"), { code: "tag.invalid" });
  await assert.rejects(runCopyModel({ home, from: { name: "m", version: "v2" }, to: "m:v3" }, {}), {
    code: "model.notFound",
  });
  assert.deepEqual(treeOf(join(home, "models")), before);
  symlinkSync("/etc/hostname", join(path, "stray"));
  await assert.rejects(copy("m:v3"), { code: "model.broken", message: /stray/ });
  assert.deepEqual(namesIn(join(home, "models/m")).sort(), ["v1"]);
  assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
});

test("a cancelled copy leaves nothing behind, and progress counts every byte", async () => {
  const { home, path } = storeWithModel();
  writeFileSync(join(path, "big.bin"), Buffer.alloc(5_000_000));
  const abort = new AbortController();
  const copying = runCopyModel(
    { home, from, to: "m:v2" },
    { signal: abort.signal, onProgress: ({ doneBytes }) => doneBytes > 1_000_000 && abort.abort() },
  );
  await assert.rejects(copying, { code: "cancelled" });
  assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
  assert.deepEqual(namesIn(join(home, "models/m")), ["v1"]);
  let last = { doneBytes: 0, totalBytes: 0 };
  await runCopyModel(
    { home, from, to: "m:v2" },
    {
      onProgress: ({ doneBytes, totalBytes = 0 }) => {
        last = { doneBytes, totalBytes };
      },
    },
  );
  assert.ok(last.totalBytes > 5_000_000);
  assert.equal(last.doneBytes, last.totalBytes);
});

test("what is not as it was saved is not copied, for the copy's own digests would call it sound", async () => {
  const home = join(temp.path, "damaged");
  const store = new ModelStore(home);
  await store.save(draftOf("m", "v1"), sourcesIn(join(temp.path, "sources"), { "a.bin": "AAAA", "b.bin": "B" }));
  const file = join(home, "models/m/v1/a.bin");
  writeFileSync(file, "AAXA");
  await assert.rejects(runCopyModel({ home, from, to: "m:v2" }, {}), { code: "model.changed", message: /a\.bin/ });
  rmSync(file);
  await assert.rejects(runCopyModel({ home, from, to: "m:v2" }, {}), { code: "model.changed", message: /a\.bin/ });
  assert.deepEqual(namesIn(join(home, "models/m")).sort(), ["latest", "v1"]);
  assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
});

test("a model.yaml that was edited by hand is copied as it is", async () => {
  const home = join(temp.path, "edited");
  const store = new ModelStore(home);
  await store.save(draftOf("m", "v1"), sourcesIn(join(temp.path, "sources"), { "a.bin": "AAAA" }));
  const yaml = join(home, "models/m/v1/model.yaml");
  writeFileSync(yaml, readFileSync(yaml, "utf8").replace("labels: {}", "labels: {stage: dev}"));
  utimesSync(yaml, 1, 1);
  await runCopyModel({ home, from, to: "m:v2" }, {});
  assert.equal(store.get("m:v2").info.labels.get("stage"), "dev");
});

test("a folder that may not be read is no empty one", async () => {
  const { home, path } = storeWithModel();
  for (const folder of [temp.path, home, join(home, "models"), join(home, "models/m"), path]) chmodSync(folder, 0o777);
  chmodSync(join(path, "deep"), 0);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  try {
    await assert.rejects(runCopyModel({ home, from, to: "m:v2" }, {}), { code: "store.access", message: /deep/ });
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(join(path, "deep"), 0o755);
  }
});
