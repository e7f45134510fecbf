import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { previewArchiveJob } from "../../../../src/store/archive/archiveJobs";
import { importArchive } from "../../../../src/store/archive/importArchive";
import { ModelStore } from "../../../../src/store/modelStore";
import { modelYaml } from "../../../fixtures/hostileArchives";
import { rawMember, tarOf } from "../../../fixtures/rawTar";
import { zipOf } from "../../../fixtures/rawZip";
import { treeOf } from "../../../fixtures/tree";
import { tempFolder } from "../storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

const TAG = { name: "hostile_model", version: "v1" };
const newStore = () => new ModelStore(join(mkdtempSync(join(folder, "store-")), "home"));
const nothingStaged = (store: ModelStore) => {
  const staging = join(store.home, ".modelbench/staging");
  assert.deepEqual(existsSync(staging) ? readdirSync(staging) : [], []);
};

function modelFolder(): string {
  const path = mkdtempSync(join(folder, "model-"));
  writeFileSync(join(path, "model.yaml"), modelYaml());
  mkdirSync(join(path, "größe/empty"), { recursive: true });
  writeFileSync(join(path, "größe/模型.bin"), Buffer.alloc(700_000, 3));
  writeFileSync(join(path, "run.sh"), "#!/bin/sh\n");
  chmodSync(join(path, "run.sh"), 0o755);
  return path;
}

test("a folder is imported like an archive, its empty folders and executable bits included", async () => {
  const source = modelFolder();
  const store = newStore();
  const seen: (number | undefined)[] = [];
  const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes?: number }) =>
    seen.push(doneBytes, totalBytes);
  const { tag, action } = await importArchive(store, { source, onConflict: "fail" }, { onProgress });
  assert.deepEqual([tag, action], ["hostile_model:v1", "imported"]);
  assert.deepEqual(treeOf(store.pathOf(TAG)), treeOf(source));
  assert.equal(statSync(join(store.pathOf(TAG), "run.sh")).mode & 0o111, 0o111);
  assert.equal(seen.at(-1), seen.at(-2));
});

test("a folder with a link, a pipe, or a name that is not text is refused and leaves nothing", async () => {
  const faults: readonly ((path: string) => void)[] = [
    (path) => symlinkSync("/etc/hostname", join(path, "leak")),
    (path) => symlinkSync("..", join(path, "größe/up")),
    (path) => execFileSync("mkfifo", [join(path, "pipe")]),
    (path) => writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe])]), "x"),
    (path) => writeFileSync(join(path, "a\nb"), "x"),
  ];
  for (const spoil of faults) {
    const source = modelFolder();
    spoil(source);
    const store = newStore();
    await assert.rejects(importArchive(store, { source, onConflict: "fail" }), { code: "archive.unsafe" });
    nothingStaged(store);
    assert.deepEqual(store.list().models, []);
  }
});

test("a folder that is no model, and one with too many files, are refused", async () => {
  const empty = mkdtempSync(join(folder, "empty-"));
  await assert.rejects(importArchive(newStore(), { source: empty, onConflict: "fail" }), { code: "archive.unsafe" });
  const request = { source: modelFolder(), onConflict: "fail", limits: { members: 3 } } as const;
  await assert.rejects(importArchive(newStore(), request), /more than 3 members/);
});

test("a file that grows while its folder is imported is noticed", async () => {
  const source = modelFolder();
  writeFileSync(join(source, "w.bin"), Buffer.alloc(3_000_000));
  const store = newStore();
  const onProgress = ({ current }: { current?: string }) =>
    current === "w.bin" && appendFileSync(join(source, "w.bin"), "!");
  const work = importArchive(store, { source, onConflict: "fail" }, { onProgress });
  await assert.rejects(work, { code: "archive.corrupt" });
  nothingStaged(store);
});

test("a preview tells what an import would bring, and writes nothing", async () => {
  const store = newStore();
  const source = modelFolder();
  const run = (path: string) => inProcessJobs().run(previewArchiveJob, { home: store.home, source: path });
  const preview = await run(source);
  assert.deepEqual(structuredClone(preview), preview);
  const bytes = modelYaml().length + 700_000 + 10;
  assert.deepEqual(
    { ...preview, creationTime: "", files: preview.files.map((file) => file.path) },
    {
      source,
      format: "folder",
      tag: "hostile_model:v1",
      module: "",
      frameworkName: "",
      creationTime: "",
      labels: {},
      members: 5,
      bytes,
      packedBytes: bytes,
      exists: false,
      files: ["größe/模型.bin", "model.yaml", "run.sh"],
      moreFiles: 0,
      warnings: [],
    },
  );
  assert.equal(existsSync(store.home), false);
  await importArchive(store, { source, onConflict: "fail" });
  assert.equal((await run(source)).exists, true);
});

test("a preview says what the pickles of an archive would do, by their content", async () => {
  const vector = (name: string) => readFileSync(join("test/fixtures/vectors", name));
  const members = [
    { name: "model.yaml", content: modelYaml() },
    { name: "saved_model.pkl", content: vector("pickle/bentoml_function.pkl") },
    { name: "weights.bin", content: vector("pickle_hostile/stack_global.pkl") },
    { name: "classes.pkl", content: vector("pickle/bentoml_sklearn.pkl") },
    { name: "notes.txt", content: Buffer.from("nothing") },
  ];
  const source = join(folder, "pickles.bin");
  const run = () => inProcessJobs().run(previewArchiveJob, { home: newStore().home, source });
  writeFileSync(source, tarOf(...members.map((member) => rawMember(member))));
  const { pickle, files } = await run();
  assert.deepEqual(pickle, { verdict: "dangerous", unknownImports: 1 });
  assert.deepEqual(
    files.map(({ verdict }) => verdict),
    [undefined, "code", "dangerous", "unknown", undefined],
  );
  writeFileSync(source, tarOf(...[members[0], members[4]].map((member) => rawMember(member ?? { name: "x" }))));
  assert.equal((await run()).pickle, undefined);
});

test("a preview names 200 files and counts the others", async () => {
  const members = Array.from({ length: 250 }, (_, i) => rawMember({ name: `f${i}`, content: Buffer.from("x") }));
  const source = join(folder, "many.bin");
  writeFileSync(source, tarOf(rawMember({ name: "model.yaml", content: modelYaml() }), ...members));
  const { files, moreFiles, format } = await inProcessJobs().run(previewArchiveJob, { home: newStore().home, source });
  assert.deepEqual([files.length, moreFiles, format], [200, 51, "tar"]);
});

test("a preview refuses what an import refuses", async () => {
  const source = join(folder, "bad.zip");
  writeFileSync(source, zipOf([{ name: "model.yaml", content: modelYaml() }, { name: "../x" }]));
  const work = inProcessJobs().run(previewArchiveJob, { home: newStore().home, source });
  await assert.rejects(work, { code: "archive.unsafe", path: source });
});
