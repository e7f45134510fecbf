import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import test, { after } from "node:test";
import type { JobProgress } from "../../../../src/base/ports";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { importArchiveJob } from "../../../../src/store/archive/archiveJobs";
import { importArchive } from "../../../../src/store/archive/importArchive";
import { nodeFiles } from "../../../../src/store/fileLayer";
import { ModelStore } from "../../../../src/store/modelStore";
import { inContainers, modelYaml, storedXz } from "../../../fixtures/hostileArchives";
import { rawMember, tarOf } from "../../../fixtures/rawTar";
import { treeOf } from "../../../fixtures/tree";
import { tempFolder } from "../storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

let count = 0;
const newStore = () => new ModelStore(join(folder, `home-${count++}`));

function archiveOf(content: Record<string, string | Buffer>): string {
  const members = Object.entries(content).map(([name, bytes]) => rawMember({ name, content: Buffer.from(bytes) }));
  const path = join(folder, `archive-${count++}.tar`);
  writeFileSync(path, tarOf(...members));
  return path;
}

const simple = (weights: string, tag = {}) => archiveOf({ "./model.yaml": modelYaml(tag), "./w.bin": weights });
const contentOf = (store: ModelStore, version: string) =>
  readFileSync(join(store.pathOf({ name: "hostile_model", version }), "w.bin"), "utf8");
const staged = (store: ModelStore) => {
  const path = join(store.home, ".modelbench", "staging");
  return existsSync(path) ? readdirSync(path) : [];
};

test("an import answers with tag, action, absolute source and the model's bytes", async () => {
  const store = newStore();
  const source = simple("weights");
  const result = await importArchive(store, { source: relative(process.cwd(), source), onConflict: "fail" });
  const bytes = modelYaml().length + "weights".length;
  assert.deepEqual(result, { tag: "hostile_model:v1", action: "imported", from: source, bytes });
  assert.equal(store.latestOf("hostile_model"), "v1");
});

test("importing what is there fails and changes nothing", async () => {
  const store = newStore();
  await importArchive(store, { source: simple("old"), onConflict: "fail" });
  await assert.rejects(importArchive(store, { source: simple("new"), onConflict: "fail" }), { code: "model.exists" });
  assert.equal(contentOf(store, "v1"), "old");
  assert.deepEqual(staged(store), []);
});

test("skip leaves the old one and says so", async () => {
  const store = newStore();
  await importArchive(store, { source: simple("old"), onConflict: "skip" });
  const result = await importArchive(store, { source: simple("new"), onConflict: "skip" });
  assert.deepEqual([result.action, result.bytes], ["skipped", 0]);
  assert.equal(contentOf(store, "v1"), "old");
  assert.deepEqual(staged(store), []);
});

test("replace moves the old one to the trash, from where it can be restored", async () => {
  const store = newStore();
  await importArchive(store, { source: simple("old"), onConflict: "replace" });
  const result = await importArchive(store, { source: simple("new"), onConflict: "replace" });
  assert.equal(result.action, "replaced");
  assert.equal(contentOf(store, "v1"), "new");
  const [entry] = store.trash();
  assert.deepEqual(entry?.tag, { name: "hostile_model", version: "v1" });
  assert.equal(store.latestOf("hostile_model"), "v1");
  await store.delete({ name: "hostile_model", version: "v1" });
  await store.restore(entry?.id ?? "");
  assert.equal(contentOf(store, "v1"), "old");
});

test("replace by a damaged archive leaves the old one in its place and the trash empty", async () => {
  const store = newStore();
  await importArchive(store, { source: simple("old"), onConflict: "fail" });
  const damaged = join(folder, "damaged.tar");
  writeFileSync(damaged, readFileSync(simple("new")).subarray(0, -1024));
  await assert.rejects(importArchive(store, { source: damaged, onConflict: "replace" }), { code: "archive.corrupt" });
  assert.equal(contentOf(store, "v1"), "old");
  assert.deepEqual(store.trash(), []);
});

test("replace puts the old one back when the new one cannot take its place", async () => {
  const home = join(folder, `home-${count++}`);
  let failing = false;
  const rename = async (from: string, to: string) => {
    const isEntering = from.includes("staging") && to.endsWith(join("hostile_model", "v1"));
    if (failing && isEntering) throw Object.assign(new Error("EIO: i/o error, rename"), { code: "EIO" });
    await nodeFiles.rename(from, to);
  };
  const store = new ModelStore(home, { files: { ...nodeFiles, rename } });
  await importArchive(store, { source: simple("old"), onConflict: "fail" });
  failing = true;
  const replacing = importArchive(store, { source: simple("new"), onConflict: "replace" });
  await assert.rejects(replacing, { code: "store.access" });
  assert.equal(contentOf(store, "v1"), "old");
  assert.equal(store.latestOf("hostile_model"), "v1");
  assert.deepEqual(store.trash(), []);
  assert.deepEqual(staged(store), []);
});

/** A store that is overtaken by `rival` once, just before the first rename to a path that ends so. */
function overtaken(ending: string, rival: (peer: ModelStore) => Promise<unknown>): ModelStore {
  const home = join(folder, `home-${count++}`);
  let waiting = true;
  const rename = async (from: string, to: string) => {
    if (waiting && to.endsWith(ending)) {
      waiting = false;
      await rival(new ModelStore(home));
    }
    await nodeFiles.rename(from, to);
  };
  return new ModelStore(home, { files: { ...nodeFiles, rename } });
}

test("skip also skips what another process brings in while the archive is read", async () => {
  const rival = { source: simple("theirs"), onConflict: "fail" } as const;
  const store = overtaken(join("hostile_model", "v1"), (peer) => importArchive(peer, rival));
  const result = await importArchive(store, { source: simple("ours"), onConflict: "skip" });
  assert.equal(result.action, "skipped");
  assert.equal(contentOf(store, "v1"), "theirs");
  assert.deepEqual(staged(store), []);
});

test("replace and new-version judge anew when another process brings the model in first", async () => {
  const rival = { source: simple("theirs"), onConflict: "fail" } as const;
  for (const [onConflict, action, v1] of [
    ["replace", "replaced", "ours"],
    ["new-version", "new-version", "theirs"],
  ] as const) {
    const store = overtaken(join("hostile_model", "v1"), (peer) => importArchive(peer, rival));
    assert.equal((await importArchive(store, { source: simple("ours"), onConflict })).action, action);
    assert.equal(contentOf(store, "v1"), v1);
    assert.deepEqual(staged(store), []);
  }
});

test("replace of what another process deletes meanwhile is an import", async () => {
  const store = overtaken("/model", (peer) => peer.delete({ name: "hostile_model", version: "v1" }));
  await importArchive(store, { source: simple("old"), onConflict: "fail" });
  const result = await importArchive(store, { source: simple("new"), onConflict: "replace" });
  assert.equal(result.action, "imported");
  assert.equal(contentOf(store, "v1"), "new");
});

test("new-version keeps both, and touches nothing but the version", async () => {
  const store = newStore();
  const yaml = `# a remark\n${modelYaml()}zusatz: 'ä'   # kept\n`.replace("version: v1", "version:   v1  # mine");
  const source = archiveOf({ "./model.yaml": yaml, "./w.bin": "new" });
  await importArchive(store, { source: simple("old"), onConflict: "fail" });
  const result = await importArchive(store, { source, onConflict: "new-version" });
  assert.equal(result.action, "new-version");
  const version = result.tag.split(":")[1] ?? "";
  assert.match(version, /^[a-z2-7]{16}$/);
  const path = join(store.pathOf({ name: "hostile_model", version }), "model.yaml");
  assert.equal(readFileSync(path, "utf8"), yaml.replace("version:   v1", `version: ${version}`));
  assert.deepEqual([contentOf(store, "v1"), contentOf(store, version)], ["old", "new"]);
});

test("new-version without a conflict keeps the archive's own version", async () => {
  const result = await importArchive(newStore(), { source: simple("w"), onConflict: "new-version" });
  assert.deepEqual([result.tag, result.action], ["hostile_model:v1", "imported"]);
});

test("a version that does not stand on a line of its own is replaced all the same", async () => {
  const flow = `{${modelYaml().toString().trimEnd().split("\ncontext:")[0]?.replaceAll("\n", ", ")}, context: {framework_name: '', framework_versions: {}, bentoml_version: 1.4.39, python_version: 3.11.7}, signatures: {}, api_version: v1, creation_time: '2024-01-02T03:04:05+00:00'}\n`;
  const folded = modelYaml().toString().replace("version: v1", "version: >-\n  v1");
  const decoy = modelYaml().toString().replace("labels: {}", "labels:\n  note: |\n    a\n\n    version: v9\n");
  for (const yaml of [flow, folded, decoy]) {
    const store = newStore();
    await importArchive(store, { source: simple("old"), onConflict: "fail" });
    const source = archiveOf({ "./model.yaml": yaml, "./w.bin": "new" });
    const { tag } = await importArchive(store, { source, onConflict: "new-version" });
    const { info } = store.get(tag);
    const original = newStore();
    await importArchive(original, { source, onConflict: "fail" });
    const before = original.get("hostile_model:v1").info;
    assert.equal(info.tag.version, tag.split(":")[1]);
    assert.deepEqual(info.labels, before.labels);
    assert.deepEqual(info.creationTime, before.creationTime);
  }
});

test("a dry run says what would happen, judges the whole archive and writes nothing", async () => {
  const store = newStore();
  const source = simple("new");
  const dry = (onConflict: "fail" | "skip" | "replace" | "new-version", from = source) =>
    importArchive(store, { source: from, onConflict, dryRun: true });
  assert.deepEqual((await dry("fail")).action, "would-import");
  assert.ok(!existsSync(store.home));
  await importArchive(store, { source: simple("old"), onConflict: "fail" });
  const before = treeOf(store.home);
  await assert.rejects(dry("fail"), { code: "model.exists" });
  assert.equal((await dry("skip")).action, "would-skip");
  assert.equal((await dry("replace")).action, "would-replace");
  assert.equal((await dry("new-version")).action, "would-new-version");
  const evil = archiveOf({ "./model.yaml": modelYaml({ version: "v2" }), "../x": "x" });
  await assert.rejects(dry("fail", evil), { code: "archive.unsafe" });
  assert.deepEqual(treeOf(store.home), before);
});

test("an older model that is imported does not become the latest", async () => {
  const store = newStore();
  await importArchive(store, { source: simple("w", { version: "v2" }), onConflict: "fail" });
  const old = modelYaml({ version: "v1" }).toString().replace("2024-01-02", "2020-01-02");
  await importArchive(store, { source: archiveOf({ "model.yaml": old }), onConflict: "fail" });
  assert.equal(store.latestOf("hostile_model"), "v2");
});

test("a cancel in the middle leaves nothing behind", async () => {
  for (const [extension, archive] of await inContainers(
    tarOf(
      rawMember({ name: "model.yaml", content: modelYaml() }),
      ...Array.from({ length: 50 }, (_, i) => rawMember({ name: `f${i}`, content: Buffer.alloc(100_000, i) })),
    ),
  )) {
    const store = newStore();
    const source = join(folder, `cancel.${extension}`);
    writeFileSync(source, archive);
    const controller = new AbortController();
    const onProgress = ({ current }: JobProgress) => current === "f20" && controller.abort();
    const work = importArchive(store, { source, onConflict: "fail" }, { signal: controller.signal, onProgress });
    await assert.rejects(work, { code: "cancelled" });
    assert.deepEqual(staged(store), []);
    assert.deepEqual(store.list().models, []);
  }
});

test("progress counts the archive's bytes up to its size and names members", async () => {
  const source = join(folder, "progress.bentomodel");
  const tar = tarOf(
    rawMember({ name: "model.yaml", content: modelYaml() }),
    rawMember({ name: "weights", content: Buffer.alloc(400_000, 1) }),
  );
  const archive = await storedXz(tar);
  writeFileSync(source, archive);
  const seen: JobProgress[] = [];
  await importArchive(newStore(), { source, onConflict: "fail" }, { onProgress: (p) => seen.push(p) });
  assert.ok(seen.length > 3);
  assert.ok(seen.every((p, i) => p.totalBytes === archive.length && p.doneBytes >= (seen[i - 1]?.doneBytes ?? 0)));
  assert.ok((seen.at(-1)?.doneBytes ?? 0) <= archive.length);
  assert.ok(seen.some((p) => p.current === "weights"));
});

test("a missing file, a folder that is no model and a remote place are refused as what they are", async () => {
  const attempt = (source: string) => importArchive(newStore(), { source, onConflict: "fail" });
  await assert.rejects(attempt(join(folder, "missing.tar")), { code: "file.access" });
  await assert.rejects(attempt(mkdtempSync(join(folder, "empty-"))), { code: "archive.unsafe" });
  await assert.rejects(attempt("s3://bucket/m.bentomodel"), { code: "archive.format" });
});

test("the job does the same work from plain data", async () => {
  const store = newStore();
  const input = { home: store.home, source: simple("w"), onConflict: "fail" as const };
  const result = await inProcessJobs().run(importArchiveJob, input);
  assert.deepEqual(structuredClone(result), result);
  assert.equal(contentOf(store, "v1"), "w");
});
