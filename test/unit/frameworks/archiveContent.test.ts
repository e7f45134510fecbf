import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { KEPT_BYTES } from "../../../src/formats/keptBytes";
import { inspectArchive } from "../../../src/frameworks/archiveContent";
import { type ArchiveNews, lookIntoArchive } from "../../../src/frameworks/archiveLook";
import { inspectModel } from "../../../src/frameworks/inspect";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { exportModel } from "../../../src/store/archive/exportModel";
import { ModelStore } from "../../../src/store/modelStore";
import { modelYaml } from "../../fixtures/hostileArchives";
import { corpus, importsOf } from "../../fixtures/hostileCorpus";
import { assertJudged } from "../../fixtures/hostileReasons";
import { rawMember, tarOf } from "../../fixtures/rawTar";
import { tempFolder, treeOf } from "../store/storeKit";

const { path: folder, remove } = tempFolder();
after(remove);
const home = join(folder, "home");
cpSync(resolve("media/sample-store"), home, { recursive: true });
const store = new ModelStore(home);

/** Everything that a look tells, put together as a page does. */
async function look(path: string, signal?: AbortSignal, each: (news: ArchiveNews) => void = () => undefined) {
  const heard: ArchiveNews[] = [];
  const onNews = (news: ArchiveNews): void => {
    heard.push(structuredClone(news));
    each(news);
  };
  const end = await lookIntoArchive(inProcessJobs(), { path }, onNews, { signal }).catch((error: unknown) => ({
    error,
  }));
  const members = new Map(heard.flatMap((news) => news.members).map(({ index, member }) => [index, member]));
  const model = heard.filter((news) => news.model).at(-1)?.model;
  return { heard, end, members: [...members.values()], tensors: heard.flatMap((news) => news.tensors), model };
}

function archiveOf(name: string, ...members: readonly Buffer[]): string {
  const path = join(folder, name);
  writeFileSync(path, tarOf(...members));
  return path;
}

test("an archive says of itself what the model says that it was made of, in every format", async () => {
  for (const tag of ["iris_clf:v2", "digits:v1", "flagged_pickle:v1"]) {
    const wanted = inspectModel(store.get(tag), { digest: true });
    for (const extension of ["bentomodel", "tar", "tar.gz", "tar.bz2", "zip"]) {
      const path = join(folder, `${tag.replace(":", "-")}.${extension}`);
      await exportModel(store, { tag, destination: path });
      const found = await inspectArchive(path, { digest: true });
      assert.deepEqual([found.kind, found.format, found.path], ["file", "archive", path]);
      const byPath = (files: typeof found.files) => [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
      assert.deepEqual(byPath(found.files), byPath(wanted.files));
      for (const part of ["model", "signatures", "tensors", "metadata", "onnx", "pickle"] as const) {
        assert.deepEqual(found[part], wanted[part], `${tag} ${extension} ${part}`);
      }
    }
  }
});

test("a look tells each member when it begins and when it has passed, with the model and the tensors", async () => {
  const path = join(folder, "looked.tar.gz");
  await exportModel(store, { tag: "iris_clf:v2", destination: path });
  const { members, tensors, model, end } = await look(path);
  const wanted = inspectModel(store.get("iris_clf:v2"));
  assert.deepEqual(
    members.map(({ path: name, bytes, format }) => ({ path: name, bytes, format })),
    (await inspectArchive(path)).files.map(({ path: name, bytes, format }) => ({ path: name, bytes, format })),
  );
  assert.deepEqual(tensors, wanted.tensors);
  assert.deepEqual([model?.tag, model?.module, model?.framework], ["iris_clf:v2", "bentoml.onnx", "onnx"]);
  assert.deepEqual(model?.signatures, wanted.signatures);
  assert.deepEqual(end, { bytes: wanted.bytes, warnings: [] });
});

test("every archive of the hostile corpus is judged as an import judges it, and nothing is written", async () => {
  const area = join(folder, "area");
  mkdirSync(area);
  for (const hostile of corpus()) {
    for (const judged of importsOf(hostile)) {
      const path = join(area, judged.fileName);
      writeFileSync(path, judged.bytes);
      const before = treeOf(folder);
      const keys = Reflect.ownKeys(Object.prototype).length;
      const { end } = await look(path);
      const error = "error" in end ? (end.error as Error & { code: string }) : undefined;
      const told = error && { code: error.code, message: error.message };
      assertJudged(judged, { ...(told && { error: told }), said: [] });
      assert.deepEqual(treeOf(folder), before, hostile.id);
      assert.equal(Reflect.ownKeys(Object.prototype).length, keys);
    }
  }
});

test("a cancel ends the reading; what had passed by then was told", async () => {
  const many = Array.from({ length: 300 }, (_, i) => rawMember({ name: `part${i}`, content: randomBytes(50_000) }));
  const path = archiveOf("many.tar", rawMember({ name: "model.yaml", content: modelYaml() }), ...many);
  const abort = new AbortController();
  const { members, end, model } = await look(path, abort.signal, () => abort.abort());
  assert.ok("error" in end);
  assert.equal((end.error as { code: string }).code, "cancelled");
  assert.equal(model?.tag, "hostile_model:v1");
  assert.ok(members.length > 0 && members.length < 300, `${members.length} members`);
});

test("members that cannot be looked into keep their row and say why; the others are read", async () => {
  const tooLong = Buffer.alloc(KEPT_BYTES + 8);
  tooLong.write("\x93NUMPY\x01\0", "latin1");
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${(KEPT_BYTES + 8 - 128) / 4},), }`.padEnd(117);
  tooLong.writeUInt16LE(118, 8);
  tooLong.write(`${header}\n`, 10, "latin1");
  const path = archiveOf(
    "odd.tar",
    rawMember({ name: "model.yaml", content: modelYaml() }),
    rawMember({ name: "cut.onnx", content: Buffer.from("<html>") }),
    rawMember({ name: "deep/big.npy", content: tooLong }),
    rawMember({ name: "model.safetensors.index.json", content: Buffer.from("{}") }),
  );
  const { members, end } = await look(path);
  assert.ok(!("error" in end));
  assert.deepEqual(
    members.map(({ path: name, format, tensorCount, notes }) => [name, format, tensorCount, notes.length]),
    [
      ["model.yaml", "unknown", 0, 0],
      ["cut.onnx", "onnx", 0, 1],
      ["deep/big.npy", "npy", 1, 0],
      ["model.safetensors.index.json", "safetensors", 0, 0],
    ],
  );
  assert.match(members[1]?.notes[0] ?? "", /^cut\.onnx: is not a readable onnx file but a web page/);
  // The end of its bytes has passed by.
  const { tensors, warnings } = await inspectArchive(path, { digest: true });
  assert.deepEqual(
    tensors.map((tensor) => [tensor.file, tensor.sha256]),
    [["deep/big.npy", undefined]],
  );
  assert.ok(warnings.some(({ message }) => /big\.npy: only the first 64 MiB/.test(message)));
});
