import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import test, { after } from "node:test";
import type { JobProgress } from "../../../../src/base/ports";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { exportModelJob } from "../../../../src/store/archive/archiveJobs";
import { exportModel } from "../../../../src/store/archive/exportModel";
import { resolveDestination } from "../../../../src/store/archive/format";
import { importArchive } from "../../../../src/store/archive/importArchive";
import { ModelStore } from "../../../../src/store/modelStore";
import { newStagingName } from "../../../../src/store/owner";
import { fc } from "../../../fixtures/fastCheck";
import { modelYaml } from "../../../fixtures/hostileArchives";
import { treeOf } from "../../../fixtures/tree";
import { tempFolder } from "../storeKit";
import { readThroughGate } from "./readThroughGate";

const { path: folder, remove } = tempFolder();
after(remove);

const TAG = { name: "hostile_model", version: "v1" };
const FILES = ["bentomodel", "tar", "tar.gz", "tar.xz", "tar.bz2", "zip"] as const;
const FORMATS = [...FILES, "folder"] as const;
let count = 0;

/** A store with one model of these files, put there without the code under test. */
function storeWith(files: Readonly<Record<string, string | Buffer>>): ModelStore {
  const store = new ModelStore(join(folder, `home-${count++}`));
  const place = store.pathOf(TAG);
  for (const [path, content] of Object.entries({ "model.yaml": modelYaml(), ...files })) {
    mkdirSync(join(place, path, ".."), { recursive: true });
    writeFileSync(join(place, path), content);
  }
  return store;
}

const emptyFolder = () => mkdtempSync(join(folder, "out-"));

test("a model comes back whole through every format", async () => {
  const store = storeWith({
    "w.bin": Buffer.alloc(3_000_001, 5),
    empty: "",
    "größe/模型.txt": "ü",
    [`deep/${"d".repeat(90)}/${"f".repeat(120)}`]: "long",
    "run.sh": "#!/bin/sh\n",
  });
  mkdirSync(join(store.pathOf(TAG), "empty_folder"));
  chmodSync(join(store.pathOf(TAG), "run.sh"), 0o755);
  const total = store.files(TAG).reduce((sum, { bytes }) => sum + bytes, 0);
  const ways = [
    ...FORMATS.map((format) => ({ format })),
    ...(["bentomodel", "tar.gz", "zip"] as const).map((format) => ({ format, compression: "small" as const })),
    ...(["bentomodel", "tar.gz", "zip"] as const).map((format) => ({ format, compression: "stored" as const })),
  ];
  for (const way of ways) {
    const { path, bytes, tag } = await exportModel(store, { tag: "hostile_model", destination: emptyFolder(), ...way });
    assert.equal(tag, "hostile_model:v1");
    assert.equal(bytes, way.format === "folder" ? total : statSync(path).size);
    const other = new ModelStore(join(folder, `home-${count++}`));
    await importArchive(other, { source: path, onConflict: "fail" });
    assert.deepEqual(treeOf(other.pathOf(TAG)), treeOf(store.pathOf(TAG)));
    assert.equal(statSync(join(other.pathOf(TAG), "run.sh")).mode & 0o111, 0o111);
  }
});

test("any set of files of any size survives export and import", async () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9_]{1,12}$/).filter((s) => !/^(con|prn|aux|nul|com\d|lpt\d)$/i.test(s));
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const files = fc.uniqueArray(fc.tuple(path, fc.integer({ min: 0, max: 70_000 })), {
    maxLength: 5,
    selector: ([p]) => p.split("/")[0]?.toLowerCase() ?? "",
  });
  await fc.assert(
    fc.asyncProperty(files, fc.constantFrom(...FILES), async (list, format) => {
      const content = Object.fromEntries(list.map(([p, size]) => [p, Buffer.alloc(size, size % 251)]));
      const { path: archive } = await exportModel(storeWith(content), {
        tag: "hostile_model:v1",
        format,
        destination: emptyFolder(),
      });
      const outcome = await readThroughGate(readFileSync(archive));
      assert.ok(typeof outcome !== "string", String(outcome));
      const found = [...outcome].filter(([, m]) => m.kind === "file").map(([p, m]) => [p, m.content]);
      const wanted = Object.entries({ "model.yaml": modelYaml(), ...content }).map(([p, c]) => [
        p,
        c.toString("base64"),
      ]);
      assert.deepEqual(new Map(found as [string, string][]), new Map(wanted as [string, string][]));
    }),
    { numRuns: 40 },
  );
});

test("the same model packs to the same bytes", async () => {
  const store = storeWith({ b: "2", a: "1" });
  for (const format of FILES) {
    const [one, two] = [emptyFolder(), emptyFolder()];
    const first = await exportModel(store, { tag: "hostile_model:v1", destination: one, format });
    const second = await exportModel(store, { tag: "hostile_model:v1", destination: two, format });
    assert.ok(readFileSync(first.path).equals(readFileSync(second.path)));
  }
});

test("destinations follow the rules of the real exporter", () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, "there"));
  const at = (destination?: string, format?: (typeof FORMATS)[number]) => {
    const target = resolveDestination(TAG, { destination, format, cwd });
    return [relative(cwd, target.path), target.format];
  };
  assert.deepEqual(at(), ["hostile_model-v1.bentomodel", "bentomodel"]);
  assert.deepEqual(at("."), ["hostile_model-v1.bentomodel", "bentomodel"]);
  assert.deepEqual(at("there"), ["there/hostile_model-v1.bentomodel", "bentomodel"]);
  assert.deepEqual(at("there/", "tar.gz"), ["there/hostile_model-v1.tar.gz", "tar.gz"]);
  assert.deepEqual(at("missing/"), ["missing/hostile_model-v1.bentomodel", "bentomodel"]);
  assert.deepEqual(at("a.bentomodel"), ["a.bentomodel", "bentomodel"]);
  assert.deepEqual(at("a.tar"), ["a.tar", "tar"]);
  assert.deepEqual(at("a.tar.gz"), ["a.tar.gz", "tar.gz"]);
  assert.deepEqual(at("q.gz"), ["q.gz", "tar.gz"]);
  assert.deepEqual(at("noext"), ["noext.bentomodel", "bentomodel"]);
  assert.deepEqual(at("y.tgz"), ["y.tgz.bentomodel", "bentomodel"]);
  assert.deepEqual(at("z.BENTOMODEL"), ["z.BENTOMODEL.bentomodel", "bentomodel"]);
  assert.deepEqual(at("z.TAR"), ["z.TAR.bentomodel", "bentomodel"]);
  assert.deepEqual(at("a.tar.xz"), ["a.tar.xz", "tar.xz"]);
  assert.deepEqual(at("a.xz"), ["a.xz", "tar.xz"]);
  assert.deepEqual(at("a.b.bz2"), ["a.b.bz2", "tar.bz2"]);
  assert.deepEqual(at("a.zip"), ["a.zip", "zip"]);
  assert.deepEqual(at("a.lzma"), ["a.lzma.bentomodel", "bentomodel"]);
  assert.deepEqual(at("there/", "tar.bz2"), ["there/hostile_model-v1.tar.bz2", "tar.bz2"]);
  assert.deepEqual(at("there", "folder"), ["there/v1", "folder"]);
  assert.deepEqual(at("absent", "folder"), ["absent", "folder"]);
  assert.deepEqual(at("absent/", "folder"), ["absent", "folder"]);
  assert.deepEqual(at("q.zip", "folder"), ["q.zip", "folder"]);
  assert.deepEqual(at("q.zip", "tar"), ["q.zip", "tar"]);
  assert.deepEqual(at(".tar"), [".tar.bentomodel", "bentomodel"]);
  assert.deepEqual(at("q2.bin", "tar.gz"), ["q2.bin", "tar.gz"]);
  assert.deepEqual(at("q2.bin", "bentomodel"), ["q2.bin.bentomodel", "bentomodel"]);
  assert.deepEqual(at("q2.tar", "bentomodel"), ["q2.tar.bentomodel", "bentomodel"]);
  assert.throws(() => at("s3://bucket/a.tar"), { code: "archive.format" });
});

test("a file that is there is never overwritten, and a missing folder is not made", async () => {
  const store = storeWith({});
  const out = emptyFolder();
  writeFileSync(join(out, "mine.tar"), "mine");
  const to = (name: string) => exportModel(store, { tag: "hostile_model:v1", destination: join(out, name) });
  await assert.rejects(to("mine.tar"), { code: "file.access" });
  await assert.rejects(to("missing/a.tar"), { code: "file.access" });
  symlinkSync("nowhere", join(out, "dangling.tar"));
  await assert.rejects(to("dangling.tar"), { code: "file.access" });
  assert.equal(readFileSync(join(out, "mine.tar"), "utf8"), "mine");
  assert.deepEqual(readdirSync(out).sort(), ["dangling.tar", "mine.tar"]);
});

test("a cancelled export leaves no file at all", async () => {
  const store = storeWith(Object.fromEntries([..."abcdef"].map((name) => [name, Buffer.alloc(2_000_000, name)])));
  for (const format of FORMATS) {
    const out = emptyFolder();
    const controller = new AbortController();
    const onProgress = ({ doneBytes }: JobProgress) => doneBytes > 3_000_000 && controller.abort();
    const options = { signal: controller.signal, onProgress };
    const work = exportModel(store, { tag: "hostile_model:v1", destination: out, format }, options);
    await assert.rejects(work, { code: "cancelled" }, format);
    assert.deepEqual(readdirSync(out), [], format);
  }
});

test("the destination's name belongs to a whole file or to none", async () => {
  const store = storeWith({ w: Buffer.alloc(5_000_000, 1) });
  const out = emptyFolder();
  const path = join(out, "m.tar");
  const seen = new Set<boolean>();
  await exportModel(
    store,
    { tag: "hostile_model:v1", destination: path },
    { onProgress: () => seen.add(existsSync(path)) },
  );
  assert.deepEqual([...seen], [false]);
  assert.deepEqual(readdirSync(out), ["m.tar"]);
});

test("a link in a model, and a file that grows while it is packed, are refused and leave no file", async () => {
  const linked = storeWith({});
  symlinkSync("/etc/hostname", join(linked.pathOf(TAG), "leak"));
  const out = emptyFolder();
  const request = { tag: "hostile_model:v1", destination: out, format: "tar" as const };
  await assert.rejects(exportModel(linked, request), { code: "model.broken" });
  const growing = storeWith({ w: Buffer.alloc(5_000_000, 1) });
  const file = join(growing.pathOf(TAG), "w");
  let grown = false;
  const onProgress = () => {
    if (!grown) appendFileSync(file, "more");
    grown = true;
  };
  await assert.rejects(exportModel(growing, request, { onProgress }), { code: "model.broken" });
  assert.deepEqual(readdirSync(out), []);
});

test("a file's name may be as long as the file system allows", async () => {
  const out = emptyFolder();
  const { path } = await exportModel(storeWith({}), { tag: "hostile_model", destination: join(out, "模".repeat(80)) });
  assert.deepEqual(readdirSync(out), [relative(out, path)]);
});

test("a file that takes the name while the archive is made is kept, and the export fails", async () => {
  const store = storeWith({ "w.bin": Buffer.alloc(3_000_000, 1) });
  const destination = join(emptyFolder(), "m.tar");
  const rival = { onProgress: () => writeFileSync(destination, "somebody else's") };
  await assert.rejects(exportModel(store, { tag: "hostile_model", destination }, rival), { code: "file.access" });
  assert.deepEqual(readdirSync(join(destination, "..")), ["m.tar"]);
  assert.equal(readFileSync(destination, "utf8"), "somebody else's");
});

test("a version that is itself a link is packed like any other", async () => {
  const store = storeWith({ "w.bin": "w" });
  const elsewhere = join(emptyFolder(), "moved");
  renameSync(store.pathOf(TAG), elsewhere);
  symlinkSync(elsewhere, store.pathOf(TAG));
  const { path } = await exportModel(store, { tag: "hostile_model", destination: emptyFolder() });
  const copy = new ModelStore(join(emptyFolder(), "home"));
  await importArchive(copy, { source: path, onConflict: "fail" });
  assert.equal(readFileSync(join(copy.pathOf(TAG), "w.bin"), "utf8"), "w");
});

test("what shrinks is compressed where the format can, and what does not is stored", async () => {
  const size = async (content: Buffer, format: (typeof FILES)[number], compression?: "stored" | "small") => {
    const way = { format, ...(compression && { compression }) };
    return (await exportModel(storeWith({ w: content }), { tag: "hostile_model", destination: emptyFolder(), ...way }))
      .bytes;
  };
  const text = Buffer.from("a line of text that repeats\n".repeat(40_000));
  const noise = randomBytes(1_000_000);
  for (const format of ["tar.gz", "zip"] as const) {
    assert.ok((await size(text, format)) < text.length / 20, format);
    assert.ok((await size(text, format, "stored")) > text.length, format);
    assert.ok((await size(noise, format)) > noise.length, format);
  }
  assert.ok((await size(text, "bentomodel")) > text.length);
  for (const format of ["bentomodel", "tar.xz", "tar.bz2"] as const) {
    assert.ok((await size(text, format, "small")) < text.length / 50, format);
  }
  await assert.rejects(size(text, "tar", "small"), { code: "archive.format" });
  await assert.rejects(size(text, "tar.bz2", "stored"), { code: "archive.format" });
});

test("an export sweeps away what a killed one left beside its destination, and nothing else", async () => {
  const out = emptyFolder();
  const child = spawnSync(process.execPath, ["-e", "process.stdout.write(String(process.pid))"], { encoding: "utf8" });
  const dead = newStagingName().replace(/^\d+/, child.stdout);
  writeFileSync(join(out, `.modelbench-${dead}.part`), "half");
  const deadFolder = newStagingName().replace(/^\d+/, child.stdout);
  mkdirSync(join(out, `.modelbench-${deadFolder}.part/d`), { recursive: true });
  const kept = [`.modelbench-${newStagingName()}.part`, ".modelbench-mine.part", `${dead}.part`].sort();
  for (const name of kept) writeFileSync(join(out, name), "somebody's");
  await exportModel(storeWith({}), { tag: "hostile_model", destination: join(out, "m.tar") });
  assert.deepEqual(readdirSync(out).sort(), [...kept, "m.tar"].sort());
});

test("an unknown model is not found, and nothing is written", async () => {
  const out = emptyFolder();
  await assert.rejects(exportModel(storeWith({}), { tag: "other:v1", destination: out }), { code: "model.notFound" });
  assert.deepEqual(readdirSync(out), []);
});

test("progress ends at the size of the tar", async () => {
  const seen: JobProgress[] = [];
  const out = emptyFolder();
  const store = storeWith({ w: Buffer.alloc(5_000_000, 1) });
  const { bytes } = await exportModel(
    store,
    { tag: "hostile_model:v1", destination: out, format: "tar" },
    { onProgress: (p) => seen.push(p) },
  );
  assert.equal(seen.at(-1)?.totalBytes, bytes);
  assert.ok(seen.some(({ current }) => current === "w"));
});

test("the job does the same work from plain data", async () => {
  const store = storeWith({});
  const input = { home: store.home, tag: "hostile_model", destination: emptyFolder() };
  const result = await inProcessJobs().run(exportModelJob, input);
  assert.deepEqual(structuredClone(result), result);
  assert.ok(existsSync(result.path));
});
